// A figure: title, chart, caption with the finding, data table, download. It is drawn for
// the width that it has, and again when this or the theme changes.
import type { Context } from "./context";
import { h } from "./dom";
import type { Palette } from "./colours";
import { downloadSvg } from "./download";
import type { Selections } from "./selections";
import { tableElement, type Table } from "./table";
import { details } from "./details";

export interface Drawing {
  /** Put into the figure; it may add to the frame what goes with it. */
  chart: (frame: HTMLElement) => SVGSVGElement | HTMLElement;
  /** What the chart shows, in numbers. */
  caption: string;
  table: Table;
  /** The chart as a file, where it is not an SVG element. */
  svg?: () => SVGSVGElement;
}

/** Why there is nothing to draw. */
export interface Empty {
  empty: string;
}

export interface FigureSpec {
  id: string;
  title: string;
  /** Selections on which the drawing depends. */
  keys: readonly (keyof Selections)[];
  draw: (width: number, colours: Palette) => Drawing | Empty;
}

export function figure(context: Context, spec: FigureSpec): HTMLElement {
  const { store, theme } = context;
  const heading = h("h3", { id: `${spec.id}-title` }, spec.title);
  const download: HTMLButtonElement = h("button", { type: "button", class: "quiet", id: `${spec.id}-svg` }, "SVG");
  download.setAttribute("aria-label", `Download “${spec.title}” as SVG`);
  download.title = "Download as SVG";
  const frame = h("div", { class: "frame" });
  const caption = h("figcaption", { id: `${spec.id}-caption` });
  let table: Table = { columns: [], rows: [] };
  const data = details(store, `${spec.id}-data`, "Data", () => tableElement(table, `Data of ${spec.title}`));
  const element = h(
    "figure",
    { id: spec.id, class: "card" },
    h("div", { class: "figure-head" }, heading, download),
    frame,
    caption,
    data.element,
  );

  let save: (() => SVGSVGElement) | null = null;
  download.addEventListener("click", () => save && downloadSvg(save(), spec.title, theme.colours));
  let width = 0;
  const draw = () => {
    if (width === 0) return;
    const drawing = spec.draw(width, theme.colours);
    const empty = "empty" in drawing;
    download.hidden = empty;
    data.element.hidden = empty;
    caption.hidden = empty;
    if (empty) {
      save = null;
      frame.replaceChildren(h("p", { class: "empty" }, drawing.empty));
      return;
    }
    frame.replaceChildren();
    const chart = drawing.chart(frame);
    frame.prepend(chart);
    if (chart instanceof SVGSVGElement) {
      // Plot names its groups for screen readers, which hear of one image only.
      for (const group of chart.querySelectorAll("g[aria-label]")) {
        group.setAttribute("data-mark", group.getAttribute("aria-label") ?? "");
        group.removeAttribute("aria-label");
      }
      chart.setAttribute("role", "img");
      chart.setAttribute("aria-label", `${spec.title}. ${drawing.caption}`);
    }
    save = drawing.svg ?? (chart instanceof SVGSVGElement ? () => chart : null);
    download.hidden = save === null;
    caption.textContent = drawing.caption;
    table = drawing.table;
    data.refresh();
  };
  new ResizeObserver(() => {
    const now = Math.floor(frame.clientWidth);
    if (now === width) return;
    width = now;
    draw();
  }).observe(frame);
  store.on(spec.keys, draw);
  theme.onChange(draw);
  return element;
}
