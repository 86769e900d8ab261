// What was learned: the weights of some units of the first layer, as images.
import type { Palette } from "../colours";
import { current, follow, seriesSelect, type Context } from "../context";
import { choice, controls, select } from "../controls";
import { h } from "../dom";
import { figure, type Drawing, type Empty } from "../figure";
import { alphaLabel, count, percent } from "../format";
import { chosenAlpha } from "../series";
import type { FirstLayerView } from "../view";
import { largest, similarity, weightCanvas, weightsAsSvg } from "../weight-image";

interface Column {
  name: string;
  rows: number[][];
  /** Mean cosine of its rows with the prior's. */
  cosine: number | null;
}

export function weightsPanel(context: Context): HTMLElement[] {
  const { store, series } = context;
  if (series.every((s) => s.configuration.first_layer === null)) {
    return [
      h("p", { class: "empty card" }, "No first layer was kept: no trial has finished without diverging, or the trials ran before first layers were kept."),
    ];
  }
  const pick = h("div", { class: "contents" });
  follow(context, ["of"], () => {
    const first = current(context)?.configuration.first_layer;
    const options = (first?.twins ?? []).map(({ alpha }): [string, string] => [String(alpha), alphaLabel(alpha)]);
    const value = first ? differenceAlpha(context, first) : null;
    pick.replaceChildren(
      select("difference-alpha", "Difference at α", options, String(value ?? ""), (text) => store.set({ differenceAt: Number(text) })),
    );
  });
  return [
    controls(
      seriesSelect(context, "weights"),
      choice(store, "weightScale", "One colour scale", [["all", "For all"], ["unit", "Per unit"]]),
      pick,
    ),
    figure(context, {
      id: "weights",
      title: "First-layer weights",
      keys: ["of", "weightScale", "differenceAt"],
      draw: (width, colours) => draw(context, width, colours),
    }),
  ];
}

function differenceAlpha({ store, series }: Context, first: FirstLayerView): number | null {
  const alphas = first.twins.map((twin) => twin.alpha);
  if (alphas.includes(store.value.differenceAt)) return store.value.differenceAt;
  const owner = series.find((s) => s.configuration.first_layer === first);
  const chosen = owner ? chosenAlpha(owner) : null;
  // At the ends the difference is all of the prior, or nothing.
  const between = alphas[Math.floor(alphas.length / 2)] ?? null;
  return chosen !== null && chosen > 0 && alphas.includes(chosen) ? chosen : between;
}

function draw(context: Context, width: number, colours: Palette): Drawing | Empty {
  const first = current(context)?.configuration.first_layer;
  if (!first) return { empty: "No first layer was kept for this configuration." };
  const at = differenceAlpha(context, first);
  const twin = first.twins.find((t) => t.alpha === at);
  const columns: Column[] = [
    { name: "prior", rows: first.prior, cosine: null },
    ...first.twins.map((t) => ({ name: `α = ${alphaLabel(t.alpha)}`, rows: t.rows, cosine: similarity(t.rows, first.prior) })),
  ];
  if (twin) columns.push({ name: `α = ${alphaLabel(twin.alpha)} less prior`, rows: less(twin.rows, first.prior), cosine: null });
  const all = largest(columns.flatMap((c) => c.rows));
  const scaleOf = (unit: number) =>
    context.store.value.weightScale === "all" ? all : largest(columns.map((c) => c.rows[unit] ?? []));
  // Whole pixels, near a size that fits a phone or a desk.
  const pixels = first.shape[2];
  const size = pixels * Math.max(1, Math.round((width < 500 ? 48 : 60) / pixels));
  return {
    chart: () => grid(first, columns, scaleOf, size, colours),
    caption: caption(first, columns),
    table: {
      columns: ["unit", "network", "smallest", "largest", "root mean square"],
      rows: first.units.flatMap((unit, i) =>
        columns.map((c) => {
          const row = c.rows[i] ?? [];
          const norm = Math.sqrt(row.reduce((sum, w) => sum + w * w, 0) / Math.max(row.length, 1));
          return [unit, c.name, ...[Math.min(...row), Math.max(...row), norm].map((w) => Number(w.toPrecision(4)))];
        }),
      ),
    },
    svg: () => weightsAsSvg(first, columns, scaleOf, colours),
  };
}

function grid(first: FirstLayerView, columns: Column[], scaleOf: (unit: number) => number, size: number, colours: Palette): HTMLElement {
  const cosine = (c: Column) =>
    c.cosine === null ? null : h("span", { class: "under", title: "mean cosine with the prior" }, `cos ${c.cosine.toFixed(2).replace("-", "−")}`);
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "unit"),
    ...columns.map((c) => h("th", { scope: "col" }, c.name, cosine(c))),
  );
  const body = first.units.map((unit, i) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, unit, h("span", { class: "under" }, `± ${scaleOf(i).toPrecision(2)}`)),
      ...columns.map((c) => {
        const canvas = weightCanvas(c.rows[i] ?? [], first.shape, scaleOf(i), colours);
        canvas.style.width = `${size}px`;
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", `${unit}, ${c.name}: ${range(c.rows[i] ?? [])}`);
        return h("td", {}, canvas);
      }),
    ),
  );
  return h(
    "div",
    { class: "scroll weights", tabindex: 0, role: "region", "aria-label": "Images of first-layer weights" },
    h("table", {}, h("thead", {}, head), h("tbody", {}, ...body)),
  );
}

function range(row: number[]): string {
  return `weights from ${Math.min(...row).toPrecision(2)} to ${Math.max(...row).toPrecision(2)}`.replaceAll("-", "−");
}

function less(rows: number[][], from: number[][]): number[][] {
  return rows.map((row, i) => row.map((w, j) => w - (from[i]?.[j] ?? 0)));
}

function caption(first: FirstLayerView, columns: Column[]): string {
  const [channels, height, width] = first.shape;
  const key =
    channels === 3
      ? "Red, green and blue are the weights of the three channels; grey is 0."
      : "Blue is negative, orange positive, the background 0.";
  const twins = columns.filter((c) => c.cosine !== null);
  const [low, high] = [twins[0], twins.at(-1)];
  const found =
    low && high && low !== high
      ? ` Mean cosine with the prior’s weights: ${(low.cosine ?? 0).toFixed(2)} at ${low.name}, ${(high.cosine ?? 0).toFixed(2)} at ${high.name}.`
      : "";
  const prior = first.prior.flat();
  const zeros = prior.length ? percent(prior.filter((w) => w === 0).length / prior.length, 0) : "–";
  return (
    `${count(first.units.length, "unit")} of ${first.layer}, seed ${first.seed}, ${height} × ${width} pixels; one image per unit: what it ` +
    `adds up over the input. Of the prior’s weights ${zeros} are 0 by its structure. ${key}${found.replaceAll("-", "−")}`
  );
}
