// A table of numbers under a figure, for those who read rather than see.
import { h } from "./dom";

export type Cell = string | number | null;

export interface Table {
  columns: string[];
  rows: Cell[][];
}

/** Letters from which on a cell takes several lines. */
const LONG = 28;

/** The table in a box that scrolls by itself. */
export function tableElement({ columns, rows }: Table, name: string): HTMLElement {
  const head = h("tr", {}, ...columns.map((column) => h("th", { scope: "col" }, column)));
  const body = rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", { class: String(cell).length > LONG ? "long" : null }, cell === null ? "–" : cell))));
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": name },
    h("table", {}, h("thead", {}, head), h("tbody", {}, ...body)),
  );
}
