// Rows of weights as pixels: a diverging scale around 0 for one channel, colour for three.
import type { Palette } from "./colours";
import type { FirstLayerView } from "./view";

export function largest(rows: number[][]): number {
  return rows.reduce((top, row) => row.reduce((a, w) => Math.max(a, Math.abs(w)), top), 0);
}

/** The mean cosine of rows with those of the same place in `others`; none where one is 0. */
export function similarity(rows: number[][], others: number[][]): number | null {
  const cosines = rows.flatMap((row, i) => {
    const other = others[i] ?? [];
    const dot = (a: number[], b: number[]) => a.reduce((sum, w, j) => sum + w * (b[j] ?? 0), 0);
    const norm = Math.sqrt(dot(row, row) * dot(other, other));
    return norm > 0 ? [dot(row, other) / norm] : [];
  });
  return cosines.length ? cosines.reduce((a, b) => a + b, 0) / cosines.length : null;
}

/** One unit's weights, one pixel each; `top` has the strongest colour. */
export function weightCanvas(row: number[], shape: FirstLayerView["shape"], top: number, colours: Palette): HTMLCanvasElement {
  const [channels, height, width] = shape;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const image = context.createImageData(width, height);
  const area = width * height;
  for (let pixel = 0; pixel < area; pixel++) {
    const value = (channel: number) => (top > 0 ? (row[channel * area + pixel] ?? 0) / top : 0);
    const rgb = channels === 3 ? [0, 1, 2].map((c) => 127.5 + 127.5 * value(c)) : parsed(colours.diverging(value(0)));
    image.data.set([...rgb, 255], 4 * pixel);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** `rgb(1, 2, 3)` or `#010203` as numbers. */
function parsed(colour: string): number[] {
  if (colour.startsWith("#")) return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return (colour.match(/\d+/g) ?? []).slice(0, 3).map(Number);
}

const CELL = 64;
const LEFT = 150;
const TOP = 36;

/** The whole grid as an SVG element, for a file. */
export function weightsAsSvg(
  first: FirstLayerView,
  columns: { name: string; rows: number[][] }[],
  scaleOf: (unit: number) => number,
  colours: Palette,
): SVGSVGElement {
  const make = (name: string, attributes: Record<string, string | number>, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    element.textContent = text;
    return element;
  };
  const [width, height] = [LEFT + CELL * columns.length, TOP + CELL * first.units.length];
  const svg = make("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "font-size": 11, fill: colours.ink }) as SVGSVGElement;
  columns.forEach((c, x) => {
    const words = c.name.endsWith("less prior") ? "difference" : c.name;
    svg.append(make("text", { x: LEFT + CELL * (x + 0.47), y: TOP - 10, "text-anchor": "middle" }, words));
    first.units.forEach((_, y) => {
      const image = make("image", { x: LEFT + CELL * x, y: TOP + CELL * y, width: CELL - 4, height: CELL - 4 }) as SVGImageElement;
      image.style.imageRendering = "pixelated";
      image.setAttribute("href", weightCanvas(c.rows[y] ?? [], first.shape, scaleOf(y), colours).toDataURL());
      svg.append(image);
    });
  });
  first.units.forEach((unit, y) => svg.append(make("text", { x: 8, y: TOP + CELL * (y + 0.5) }, unit)));
  return svg;
}
