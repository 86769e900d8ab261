// What training costs, and what it buys.
import * as Plot from "@observablehq/plot";
import type { Palette } from "../colours";
import { seriesColour } from "../colours";
import type { Context } from "../context";
import { h, swatch } from "../dom";
import { figure, type Drawing, type Empty } from "../figure";
import { alphaLabel, duration, grouped, listed, percent, scaled } from "../format";
import { attachHover, chartStyle } from "../hover";
import { chosenAlpha, type Series } from "../series";
import { tableElement, type Cell } from "../table";
import type { PointView } from "../view";

interface Line {
  name: string;
  colour: string;
  dash?: string;
  points: { flops: number; accuracy: number }[];
}

export function computePanel(context: Context): HTMLElement[] {
  return [
    costTable(context),
    figure(context, {
      id: "accuracy-flops",
      title: "Validation accuracy against training FLOPs",
      keys: ["hidden"],
      draw: (width, colours) => draw(context, width, colours),
    }),
  ];
}

function costTable({ series }: Context): HTMLElement {
  const several = series.length > 1;
  const rows = series.flatMap((s): Cell[][] => {
    const { cost, trials } = s.configuration;
    const own = several ? [s.label] : [];
    const timed = trials.filter((t) => t.train_seconds !== null);
    const mean = (values: (number | null)[]) => {
      const known = values.filter((v): v is number => v !== null);
      return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
    };
    const seconds = mean(timed.map((t) => t.train_seconds));
    const speed = mean(timed.map((t) => t.images_per_second));
    const time = seconds === null ? null : duration(seconds);
    const rate = speed === null ? null : grouped(Math.round(speed));
    if (!cost) return timed.length ? [[...own, "dense twin", null, null, null, time, rate]] : [];
    return [
      [...own, "prior", grouped(cost.prior_parameters), scaled(cost.prior_macs), scaled(cost.prior_flops), null, null],
      [...own, "dense twin", grouped(cost.twin_parameters), scaled(cost.twin_macs), scaled(cost.twin_flops), time, rate],
    ];
  });
  if (rows.length === 0) return h("p", { class: "empty card" }, "What training costs was not recorded in this folder.");
  const columns = ["network", "parameters", "MACs per image", "FLOPs per training image", "time per trial", "images/s"];
  const table = tableElement({ columns: several ? ["configuration", ...columns] : columns, rows }, "Cost of training");
  return h(
    "div",
    { class: "card cost" },
    h("h3", {}, "Cost"),
    table,
    h("p", { class: "caption" }, "MACs: multiply-adds of a forward pass. FLOPs: forward and backward, two per multiply-add. Times: means over trials."),
  );
}

function draw({ series, store }: Context, width: number, colours: Palette): Drawing | Empty {
  const shown = series.filter((s) => !store.value.hidden.includes(s.index));
  const lines = shown.flatMap((s) => linesOf(s, series.length > 1, colours)).filter((l) => l.points.length > 0);
  if (lines.length === 0) {
    return { empty: "There is no accuracy during training together with a cost yet." };
  }
  const ends = lines.map((l) => {
    const last = l.points.at(-1) ?? { flops: 0, accuracy: 0 };
    return `${l.name} ${percent(last.accuracy, 1)} after ${scaled(last.flops)}FLOP`;
  });
  return {
    chart: (frame) => {
      frame.append(h("div", { class: "key" }, ...lines.map((l) => h("span", {}, swatch(l.colour), l.name))));
      return chart(frame, lines, width, colours);
    },
    caption: `${listed(ends)}. Means over seeds at the end of each epoch; with α > 0 the prior’s training counts too.`,
    table: {
      columns: ["network", "FLOPs", "validation accuracy"],
      rows: lines.flatMap((l) => l.points.map((p) => [l.name, p.flops.toExponential(4), Number(p.accuracy.toFixed(6))])),
    },
  };
}

/** Prior, plain MLP and chosen α; of several series the chosen α only. */
function linesOf(series: Series, several: boolean, colours: Palette): Line[] {
  const { trials, priors, cost } = series.configuration;
  const chosen = chosenAlpha(series);
  // Operations and epochs of one trial give those per epoch; the prior sees as many images.
  const known = trials.find((t) => t.flops !== null && t.epochs);
  if (!cost || !known?.flops || !known.epochs || cost.twin_flops === 0) return [];
  const twin = known.flops / known.epochs;
  const prior = (twin * cost.prior_flops) / cost.twin_flops;
  const of = (alpha: number) =>
    means(trials.filter((t) => t.alpha === alpha && t.state === "done").map((t) => t.points), alpha > 0 ? twin + prior : twin);
  const best = chosen === null ? [] : [{ alpha: chosen, points: of(chosen) }];
  if (several) {
    return best.map(({ alpha, points }) => ({
      name: `${series.label}, α = ${alphaLabel(alpha)}`,
      colour: seriesColour(colours, series.index),
      points,
    }));
  }
  const lines: Line[] = [
    { name: "prior", colour: colours.prior, dash: "7,3", points: means(priors.map((p) => p.points), prior) },
    { name: "plain MLP", colour: colours.mlp, dash: "2,3", points: of(0) },
  ];
  const others = best.filter(({ alpha }) => alpha > 0);
  return [...lines, ...others.map(({ alpha, points }) => ({ name: `α = ${alphaLabel(alpha)}`, colour: colours.accent, points }))];
}

function means(courses: PointView[][], flopsPerEpoch: number): Line["points"] {
  const epochs = new Map<number, number[]>();
  for (const point of courses.flat()) {
    if (point.after.validation === null) continue;
    epochs.set(point.epoch, [...(epochs.get(point.epoch) ?? []), point.after.validation]);
  }
  return [...epochs]
    .filter(([epoch, values]) => epoch > 0 && values.length === courses.length)
    .sort(([a], [b]) => a - b)
    .map(([epoch, values]) => ({ flops: epoch * flopsPerEpoch, accuracy: values.reduce((a, b) => a + b, 0) / values.length }));
}

function chart(frame: HTMLElement, lines: Line[], width: number, colours: Palette) {
  const places = [...new Set(lines.flatMap((l) => l.points.map((p) => p.flops)))].sort((a, b) => a - b).map((x) => ({ x }));
  const svg = Plot.plot({
    width,
    height: Math.round(Math.max(260, Math.min(340, 0.4 * width))),
    marginLeft: 46,
    marginRight: 20,
    marginTop: 24,
    marginBottom: 42,
    style: chartStyle(colours),
    x: {
      type: "log",
      label: "training FLOPs (log scale)",
      labelAnchor: "center",
      labelArrow: "none",
      tickSize: 3,
      ticks: width < 500 ? 3 : 6,
      tickFormat: (value: number) => (/^[125]/.test(value.toExponential()) ? scaled(value) : ""),
    },
    y: { label: "accuracy (%)", labelArrow: "none", ticks: 5, tickSize: 0, nice: true },
    marks: [
      Plot.gridY({ stroke: colours.grid, strokeOpacity: 1, ticks: 5 }),
      Plot.ruleX(places, Plot.pointerX({ x: "x", stroke: colours.soft, strokeOpacity: 0.5, maxRadius: Infinity })),
      ...lines.flatMap((l) => [
        Plot.line(l.points, { x: "flops", y: (p) => 100 * p.accuracy, stroke: l.colour, strokeWidth: 2, strokeDasharray: l.dash }),
        Plot.dot(l.points, { x: "flops", y: (p) => 100 * p.accuracy, r: 3, fill: colours.paper, stroke: l.colour, strokeWidth: 1.75 }),
      ]),
    ],
  }) as SVGSVGElement;
  attachHover(svg, frame, places, ({ x }) => ({
    title: `${scaled(x)}FLOP`,
    rows: lines.flatMap((l) => {
      const at = l.points.find((p) => p.flops === x);
      return at ? [{ colour: l.colour, name: l.name, value: percent(at.accuracy) }] : [];
    }),
  }));
  return svg;
}

