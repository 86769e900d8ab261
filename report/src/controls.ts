// Switches and selections, as the browser's own elements.
import { h, swatch, type Child } from "./dom";
import type { Selections, Store } from "./selections";

type KeyOf<T> = { [K in keyof Selections]: Selections[K] extends T ? K : never }[keyof Selections];

export function controls(...children: Child[]): HTMLElement {
  return h("div", { class: "controls" }, ...children);
}

/** One of a few, side by side. */
export function choice<K extends KeyOf<string>>(
  store: Store,
  key: K,
  legend: string,
  options: [Selections[K] & string, string][],
  id: string = key,
): HTMLElement {
  const set = h("fieldset", { class: "choice" }, h("legend", {}, legend));
  const row = h("div", { class: "segments" });
  for (const [value, words] of options) {
    const input: HTMLInputElement = h("input", {
      type: "radio",
      name: id,
      id: `${id}-${value}`,
      value,
      onchange: () => store.set({ [key]: value } as Partial<Selections>),
    });
    const follow = () => (input.checked = store.value[key] === value);
    follow();
    store.on([key], follow);
    row.append(h("label", {}, input, h("span", {}, words)));
  }
  set.append(row);
  return set;
}

/** On or off. */
export function toggle(store: Store, key: KeyOf<boolean>, words: string): HTMLElement {
  const input: HTMLInputElement = h("input", {
    type: "checkbox",
    id: key,
    onchange: () => store.set({ [key]: input.checked }),
  });
  const follow = () => (input.checked = store.value[key]);
  follow();
  store.on([key], follow);
  return h("label", { class: "toggle" }, input, words);
}

/** One of many. */
export function select(
  id: string,
  words: string,
  options: [string, string][],
  value: string,
  change: (value: string) => void,
): HTMLElement {
  const element: HTMLSelectElement = h("select", { id, onchange: () => change(element.value) });
  for (const [key, text] of options) element.append(h("option", { value: key }, text));
  element.value = value;
  return h("label", { class: "select" }, h("span", {}, words), element);
}

/** A button that stays pressed. */
export function chip(id: string, words: string, colour: string, pressed: boolean, click: () => void): HTMLButtonElement {
  return h(
    "button",
    { type: "button", id, class: "chip", "aria-pressed": String(pressed), onclick: click },
    swatch(colour),
    h("span", {}, words),
  );
}
