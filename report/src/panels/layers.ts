// The schedule: how far each layer was pulled in each epoch.
import * as Plot from "@observablehq/plot";
import type { Palette } from "../colours";
import { current, follow, seriesSelect, type Context } from "../context";
import { controls, select } from "../controls";
import { h } from "../dom";
import { figure, type Drawing, type Empty } from "../figure";
import { alphaLabel, count } from "../format";
import { chartStyle } from "../hover";
import { chosenAlpha, type Series } from "../series";
import type { PointView } from "../view";

interface Square {
  layer: string;
  from: number;
  to: number;
  alpha: number;
}

export function layersPanel(context: Context): HTMLElement[] {
  const { store } = context;
  const pick = h("div", { class: "contents" });
  follow(context, ["of"], () => {
    const series = current(context);
    const alphas = series?.alphas.filter((alpha) => alpha > 0) ?? [];
    const value = series ? shownAlpha(series, store.value.scheduleOf) : null;
    pick.replaceChildren(
      select(
        "schedule-alpha",
        "α of the trials",
        alphas.map((alpha) => [String(alpha), alphaLabel(alpha)]),
        String(value ?? ""),
        (text) => store.set({ scheduleOf: Number(text) }),
      ),
    );
  });
  return [
    controls(seriesSelect(context, "layers"), pick),
    figure(context, {
      id: "schedule",
      title: "α by layer and epoch",
      keys: ["of", "scheduleOf"],
      draw: (width, colours) => draw(current(context), store.value.scheduleOf, width, colours),
    }),
  ];
}

/** The reader's α, else the chosen one, else a middle one of those that were interpolated. */
function shownAlpha(series: Series, wanted: number): number | null {
  const alphas = series.alphas.filter((alpha) => alpha > 0);
  if (alphas.includes(wanted)) return wanted;
  const chosen = chosenAlpha(series);
  const { trials } = series.configuration;
  const begun = alphas.filter((alpha) => trials.some((t) => t.alpha === alpha && t.points.some((p) => p.alphas.length > 0)));
  return chosen !== null && alphas.includes(chosen) ? chosen : (middle(begun) ?? middle(alphas) ?? null);
}

function middle(alphas: number[]): number | undefined {
  return alphas[Math.floor(alphas.length / 2)];
}

function draw(series: Series | undefined, wanted: number, width: number, colours: Palette): Drawing | Empty {
  const alpha = series ? shownAlpha(series, wanted) : null;
  if (!series || alpha === null) return { empty: "Only α = 0 was asked for: nothing is interpolated." };
  const { trials, layers } = series.configuration;
  // α_i(t) does not depend on the seed: the trial that is furthest shows most of it.
  const own = trials.filter((t) => t.alpha === alpha);
  const points = own.map((t) => t.points).reduce((a, b) => (b.length > a.length ? b : a), [] as PointView[]);
  const squares = squaresOf(points, layers);
  if (squares.length === 0) {
    return { empty: `No trial with α = ${alphaLabel(alpha)} has been interpolated yet.` };
  }
  const top = Math.max(...squares.map((s) => s.alpha));
  return {
    chart: (frame) => {
      frame.append(legend(top, colours));
      return chart(squares, layers, top, width, colours);
    },
    caption: caption(squares, layers, alpha),
    table: {
      columns: ["layer", "epoch", "α"],
      rows: squares.map((s) => [s.layer, Number(s.to.toFixed(3)), Number(s.alpha.toPrecision(6))]),
    },
  };
}

function squaresOf(points: PointView[], layers: string[]): Square[] {
  const applied = points.filter((p) => p.alphas.length > 0);
  return applied.flatMap((point, i) => {
    const before = points[points.indexOf(point) - 1]?.epoch ?? 0;
    const from = i === 0 ? Math.max(before, point.epoch - 1) : before;
    return point.alphas.map((alpha, layer) => ({ layer: layers[layer] ?? `layer ${layer + 1}`, from, to: point.epoch, alpha }));
  });
}

function chart(squares: Square[], layers: string[], top: number, width: number, colours: Palette) {
  const names = [...new Set(squares.map((s) => s.layer))];
  const room = Math.min(width < 500 ? 96 : 200, 14 + 7 * Math.max(...names.map((n) => n.length)));
  const letters = Math.floor((room - 14) / 7);
  return Plot.plot({
    width,
    height: 56 + Math.max(22, Math.min(34, 300 / layers.length)) * names.length,
    marginLeft: room,
    marginRight: 12,
    marginTop: 8,
    marginBottom: 40,
    style: chartStyle(colours),
    x: {
      domain: [0, Math.max(...squares.map((s) => s.to))],
      label: "epoch",
      labelAnchor: "right",
      labelArrow: "none",
      tickSize: 3,
      ticks: Math.min(10, Math.max(1, ...squares.map((s) => s.to))),
      tickFormat: (t: number) => (Number.isInteger(t) ? String(t) : ""),
    },
    y: {
      domain: names,
      label: null,
      tickSize: 0,
      padding: 0.08,
      tickFormat: (name: string) => (name.length > letters ? `…${name.slice(1 - letters)}` : name),
    },
    marks: [
      Plot.barX(squares, {
        x1: "from",
        x2: "to",
        y: "layer",
        fill: (s: Square) => colours.ramp(top > 0 ? s.alpha / top : 0),
        insetLeft: 0.5,
        insetRight: 0.5,
        title: (s: Square) => `${s.layer}, epoch ${Number(s.to.toFixed(2))}: α = ${alphaLabel(s.alpha)}`,
      }),
    ],
  }) as SVGSVGElement;
}

function legend(top: number, colours: Palette): HTMLElement {
  const bar = h("span", { class: "ramp", "aria-hidden": "true" });
  bar.style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(colours.ramp).join(", ")})`;
  return h("div", { class: "ramp-legend" }, h("span", {}, "α = 0"), bar, h("span", {}, alphaLabel(Number(top.toPrecision(4)))));
}

function caption(squares: Square[], layers: string[], alpha: number): string {
  const values = squares.map((s) => s.alpha);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const times = new Set(squares.map((s) => s.to)).size;
  const when = `${count(times, "interpolation")} of ${count(layers.length, "linear layer")}`;
  const same = low === high ? `α = ${alphaLabel(low)} in every layer, each time` : `α from ${alphaLabel(low)} to ${alphaLabel(high)}`;
  return `Trials with α = ${alphaLabel(alpha)}: ${when}; ${same}.`;
}
