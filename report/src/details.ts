// Details whose being open survives a reload, and whose content is made when it is seen.
import { h } from "./dom";
import type { Store } from "./selections";

export interface Details {
  element: HTMLDetailsElement;
  /** Makes the content again, if it is seen. */
  refresh: () => void;
}

export function details(store: Store, id: string, summary: string, content: () => Node): Details {
  const inner = h("div", {});
  const element = h("details", { id }, h("summary", {}, summary), inner);
  const refresh = () => (element.open ? inner.replaceChildren(content()) : inner.replaceChildren());
  element.addEventListener("toggle", () => {
    const others = store.value.open.filter((name) => name !== id);
    if (element.open !== store.value.open.includes(id)) {
      store.set({ open: element.open ? [...others, id] : others });
    }
    refresh();
  });
  element.open = store.value.open.includes(id);
  return { element, refresh };
}
