// Elements. Text from data reaches the page only as text nodes and attribute values, so
// that markup in it stays text.

export type Child = Node | string | number | null | undefined | false;
type Attribute = string | number | boolean | null | undefined | ((event: Event) => void);

/** An element; `on…` attributes are listeners, `true` an empty attribute, `false` none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.filter(present).map(asText));
  return element;
}

function present(child: Child): child is Node | string | number {
  return child !== null && child !== undefined && child !== false;
}

function asText(child: Node | string | number): Node | string {
  return typeof child === "number" ? String(child) : child;
}

/** A small square of a colour, for legends. */
export function swatch(colour: string): HTMLElement {
  const element = h("span", { class: "swatch", "aria-hidden": "true" });
  element.style.background = colour;
  return element;
}

/** A path within the experiment's folder as a link target; none for anything else. */
export function safeLink(path: string): string | null {
  const parts = path.split("/");
  const plain = parts.every((part) => part !== "" && part !== "." && part !== "..");
  // A colon would make a scheme, a backslash is a separator to browsers.
  if (!plain || /[\\:\u0000-\u001f\u007f]/.test(path)) return null;
  return parts.map(encodeURIComponent).join("/");
}

/** A link where the path is one, else the path as text. */
export function link(path: string, text: string = path): Node {
  const target = safeLink(path);
  return target === null ? h("span", {}, text) : h("a", { href: target }, text);
}
