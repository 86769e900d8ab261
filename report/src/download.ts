// A chart as a file that stands on its own.
import type { Palette } from "./colours";
import { h } from "./dom";

const FONT = 'system-ui, "DejaVu Sans", Helvetica, Arial, sans-serif';

export function downloadSvg(chart: SVGSVGElement, title: string, colours: Palette): void {
  const copy = chart.cloneNode(true) as SVGSVGElement;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.removeAttribute("tabindex");
  copy.style.fontFamily = FONT;
  copy.style.background = colours.paper;
  const name = document.createElementNS("http://www.w3.org/2000/svg", "title");
  name.textContent = title;
  copy.prepend(name);
  const text = new XMLSerializer().serializeToString(copy);
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  h("a", { href: address, download: `${fileName(title)}.svg` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function fileName(title: string): string {
  return title
    .toLowerCase()
    .replaceAll("α", "alpha")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
