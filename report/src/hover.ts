// A box with the numbers at the place under the pointer. Plot finds the place; the arrow
// keys move it too.
import type { Palette } from "./colours";
import { h, swatch } from "./dom";

export interface Place {
  /** The x value of the chart. */
  x: number;
}

export interface Lines {
  title: string;
  rows: { colour?: string; name: string; value: string }[];
}

const CLEARANCE = 14;

/** Shows `describe(place)` beside the place that the chart points at. */
export function attachHover<T extends Place>(
  chart: SVGSVGElement & { value?: unknown; scale?: (name: string) => unknown },
  frame: HTMLElement,
  places: T[],
  describe: (place: T) => Lines,
): void {
  const box = h("div", { class: "hover", role: "status" });
  box.hidden = true;
  frame.append(box);
  const x = (chart.scale?.("x") as { apply: (x: number) => number } | undefined)?.apply;
  if (!x || places.length === 0) return;

  const show = (place: T | null) => {
    box.hidden = place === null;
    if (place === null) return;
    const { title, rows } = describe(place);
    const lines = rows.map(({ colour, name, value }) =>
      h("div", { class: "hover-row" }, colour ? swatch(colour) : null, h("span", {}, name), h("b", {}, value)),
    );
    box.replaceChildren(h("strong", {}, title), ...lines);
    const at = x(place.x);
    const right = at + CLEARANCE + box.offsetWidth <= frame.clientWidth;
    const left = right ? at + CLEARANCE : at - CLEARANCE - box.offsetWidth;
    box.style.left = `${Math.max(0, Math.min(left, frame.clientWidth - box.offsetWidth))}px`;
  };
  chart.addEventListener("input", () => show((chart.value as T | null | undefined) ?? null));

  // Keyboard: the pointer is moved to the next place.
  chart.setAttribute("tabindex", "0");
  let index = -1;
  const point = (type: string, clientX: number, clientY: number) =>
    chart.dispatchEvent(new PointerEvent(type, { clientX, clientY, pointerType: "mouse", bubbles: true }));
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      index = Math.max(0, Math.min(index + step, places.length - 1));
      const bounds = chart.getBoundingClientRect();
      const place = places[index];
      if (place) point("pointermove", bounds.left + x(place.x), bounds.top + bounds.height / 2);
    } else if (event.key === "Escape") {
      point("pointerleave", 0, 0);
    }
  });
  chart.addEventListener("blur", () => point("pointerleave", 0, 0));
}

/** How a chart looks when nothing else is said. */
export function chartStyle(colours: Palette): Record<string, string> {
  return { color: colours.soft, fontSize: "12px", fontFamily: "inherit", overflow: "visible" };
}
