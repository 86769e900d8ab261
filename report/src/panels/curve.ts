// Accuracy against α.
import * as Plot from "@observablehq/plot";
import { alphaAxis, labelled, type AlphaAxis } from "../alpha-axis";
import type { Palette } from "../colours";
import { seriesColour } from "../colours";
import type { Context } from "../context";
import { choice, chip, controls, toggle } from "../controls";
import { h } from "../dom";
import { figure, type Drawing, type Empty } from "../figure";
import { alphaLabel, capitalised, count, exactPercent, listed, meanPercent, percent } from "../format";
import { attachHover, chartStyle, type Lines } from "../hover";
import { chosenAlpha, curveOf, type Series } from "../series";
import type { Curve, CurvePoint, ImageSet, Moment } from "../view";

const SETS: [ImageSet, string][] = [
  ["test", "Test"],
  ["validation", "Validation"],
  ["training", "Training"],
];
/** Seeds listed one by one in the box at the pointer. */
const LISTED = 10;

interface Drawn {
  series: Series;
  curve: Curve;
  colour: string;
}

interface Place {
  x: number;
  alpha: number;
}

export function curvePanel(context: Context): HTMLElement[] {
  const { series, store } = context;
  const measured = (on: ImageSet) => series.some((s) => s.configuration.curves.some((c) => c.on === on));
  const head = controls(
    choice(store, "axis", "α axis", [["log", "Log"], ["logit", "Logit"], ["rank", "Rank"]]),
    choice(store, "on", "Images", SETS.filter(([on]) => on === "test" || measured(on))),
    choice(store, "at", "Interpolation", [["before", "Before"], ["after", "After"]]),
    h(
      "fieldset",
      { class: "toggles" },
      h("legend", {}, "Show"),
      h("div", {}, toggle(store, "seeds", "Seeds"), toggle(store, "band", "95 % interval"), toggle(store, "levels", "Prior and MLP")),
    ),
  );
  const element = figure(context, {
    id: "curve-figure",
    title: "Accuracy against α",
    keys: ["axis", "on", "at", "seeds", "band", "levels", "hidden"],
    draw: (width, colours) => draw(context, width, colours),
  });
  return series.length > 1 ? [head, legend(context), element] : [head, element];
}

/** A button for each series, which hides and shows it. */
function legend({ series, store, theme }: Context): HTMLElement {
  const row = h("div", { class: "legend", role: "group", "aria-label": "Configurations shown" });
  const fill = () => {
    const focused = document.activeElement?.id;
    const chips = series.map((s) => {
      const shown = !store.value.hidden.includes(s.index);
      return chip(`series-${s.index}`, s.label, seriesColour(theme.colours, s.index), shown, () => {
        const others = store.value.hidden.filter((index) => index !== s.index);
        store.set({ hidden: shown ? [...others, s.index] : others });
      });
    });
    row.replaceChildren(...chips);
    chips.find((c) => c.id === focused)?.focus();
  };
  fill();
  store.on(["hidden"], fill);
  theme.onChange(fill);
  return row;
}

function draw({ series, store }: Context, width: number, colours: Palette): Drawing | Empty {
  const { axis: kind, on, at, seeds, band, levels, hidden } = store.value;
  const shown = series.filter((s) => !hidden.includes(s.index));
  if (shown.length === 0) return { empty: "Every configuration is hidden." };
  const drawn = shown.flatMap((s): Drawn[] => {
    const curve = curveOf(s, on, at);
    const colour = series.length > 1 ? seriesColour(colours, s.index) : colours.accent;
    return curve && curve.points.length > 0 ? [{ series: s, curve, colour }] : [];
  });
  if (drawn.length === 0) {
    const finished = series.some((s) => s.configuration.curves.some((c) => c.curve.points.length > 0));
    return {
      empty: finished
        ? `Accuracy on ${setName(on)} ${at} the interpolation was not measured.`
        : "No trial has finished yet; the curve appears with the first.",
    };
  }
  const axis = alphaAxis(kind, drawn.flatMap((d) => d.curve.points.map((p) => p.alpha)));
  return {
    chart: (frame) => chart(frame, drawn, axis, width, colours, { seeds, band, levels }),
    caption: caption(drawn, on, at, { seeds, band, levels }),
    table: table(drawn, series.length > 1),
  };
}

interface Shown {
  seeds: boolean;
  band: boolean;
  levels: boolean;
}

function chart(frame: HTMLElement, drawn: Drawn[], axis: AlphaAxis, width: number, colours: Palette, shown: Shown) {
  const several = drawn.length > 1;
  const wide = width >= 640;
  const levels = shown.levels ? levelLines(drawn, colours) : [];
  const named = !several && levels.length > 0;
  const marginRight = named && wide ? 112 : 16;
  const marginLeft = 46;
  const height = Math.round(Math.max(300, Math.min(440, 0.5 * width)));
  const points = drawn.flatMap((d) => d.curve.points.map((point) => ({ ...d, point, x: axis.place(point.alpha) })));
  const means = points.filter((p) => p.point.mean !== null);
  const dots = shown.seeds ? points.flatMap((p) => p.point.values.map((v) => ({ ...p, value: v.value }))) : [];
  const lost = points.filter((p) => p.point.diverged.length > 0);
  const banded = shown.band ? means.filter((p) => p.point.ci95) : [];
  const domain = valueDomain(
    [
      ...means.map((p) => p.point.mean ?? 0),
      ...dots.map((d) => d.value),
      ...banded.flatMap((p) => p.point.ci95 ?? []),
      ...levels.map((l) => l.value),
    ],
    lost.length > 0 ? 0.04 + 0.05 * drawn.length : 0,
  );
  const labels = labelled(axis, drawn.length === 1 ? (drawn[0]?.curve.chosen_alpha ?? null) : null, width - marginLeft - marginRight, alphaLabel);
  const places: Place[] = axis.alphas.map((alpha) => ({ alpha, x: axis.place(alpha) }));
  const base = domain[0];
  const clip = (value: number) => Math.max(domain[0], Math.min(domain[1], 100 * value));

  const svg = Plot.plot({
    width,
    height,
    marginLeft,
    marginRight,
    marginTop: 24,
    marginBottom: 44,
    style: chartStyle(colours),
    x: { domain: axis.domain, axis: null },
    y: { domain, label: "accuracy (%)", labelArrow: "none", ticks: 6, tickSize: 0, grid: false },
    marks: [
      Plot.gridY({ stroke: colours.grid, strokeOpacity: 1, ticks: 6 }),
      ...baseline(axis, base, colours),
      Plot.axisX(axis.alphas.map(axis.place), {
        tickSize: 4,
        tickFormat: (_: number, i: number) => (labels.includes(axis.alphas[i] ?? NaN) ? alphaLabel(axis.alphas[i] ?? 0) : ""),
        label: `interpolation weight α (${{ log: "log", logit: "logit", rank: "by rank" }[axis.kind]}${axis.kind === "rank" ? "" : " scale"})`,
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 38,
      }),
      ...levels.map((l) => Plot.ruleY([100 * l.value], { stroke: l.colour, strokeDasharray: l.dash, strokeWidth: 1.5 })),
      ...drawn.map((d) =>
        Plot.areaY(
          banded.filter((p) => p.series === d.series && !apart(axis, p.point)),
          {
            x: "x",
            y1: (p) => clip(p.point.ci95?.[0] ?? 0),
            y2: (p) => clip(p.point.ci95?.[1] ?? 0),
            fill: d.colour,
            fillOpacity: several ? 0.12 : 0.18,
          },
        ),
      ),
      // Beyond a break there is no line to fill between: a bar.
      Plot.ruleX(
        banded.filter((p) => apart(axis, p.point)),
        {
          x: "x",
          y1: (p) => clip(p.point.ci95?.[0] ?? 0),
          y2: (p) => clip(p.point.ci95?.[1] ?? 0),
          stroke: (p) => p.colour,
          strokeOpacity: several ? 0.35 : 0.5,
          strokeWidth: 3,
        },
      ),
      ...drawn.flatMap((d) => {
        const own = means.filter((p) => p.series === d.series);
        const line = { x: "x", y: (p: (typeof own)[number]) => 100 * (p.point.mean ?? NaN), stroke: d.colour };
        const inner = own.filter((p) => !apart(axis, p.point));
        const left = own.filter((p) => axis.breaks.length > 0 && p.point.alpha === 0);
        const right = own.filter((p) => apart(axis, p.point) && p.point.alpha === 1);
        return [
          Plot.line(inner, { ...line, strokeWidth: 2.25 }),
          Plot.line([...left, ...inner.slice(0, 1)], { ...line, strokeWidth: 1.5, strokeDasharray: "3,4" }),
          Plot.line([...inner.slice(-1), ...right], { ...line, strokeWidth: 1.5, strokeDasharray: "3,4" }),
        ];
      }),
      Plot.dot(dots, { x: "x", y: (d) => 100 * d.value, r: 2.75, fill: (d) => d.colour, fillOpacity: 0.45, stroke: null }),
      Plot.dot(means, {
        x: "x",
        y: (p) => 100 * (p.point.mean ?? NaN),
        r: (p) => (p.point.alpha === p.curve.chosen_alpha ? 6 : 4),
        fill: (p) => (p.point.alpha === p.curve.chosen_alpha ? p.colour : colours.paper),
        stroke: (p) => p.colour,
        strokeWidth: 2,
      }),
      ...drawn.map((d, i) =>
        Plot.text(
          lost.filter((p) => p.series === d.series),
          {
            x: "x",
            y: base,
            dy: -10 - 14 * i,
            text: (p) => `× ${p.point.diverged.length}`,
            fill: several ? d.colour : colours.diverged,
            fontWeight: 600,
          },
        ),
      ),
      ...(named ? levelLabels(levels, domain, height, wide, colours) : []),
      Plot.ruleX(places, Plot.pointerX({ x: "x", stroke: colours.soft, strokeOpacity: 0.5, maxRadius: Infinity })),
    ],
  }) as SVGSVGElement;
  // The first pointer mark decides the chart's value.
  attachHover(svg, frame, places, (place) => lines(drawn, place, colours));
  return svg;
}

/** Whether the point stands behind a break of the axis. */
function apart(axis: AlphaAxis, point: CurvePoint): boolean {
  return axis.breaks.length > 0 && (point.alpha === 0 || (axis.kind === "logit" && point.alpha === 1));
}

/** The line under the chart, with gaps and strokes where the axis is broken. */
function baseline(axis: AlphaAxis, y: number, colours: Palette): Plot.Markish[] {
  const gap = 0.006 * (axis.domain[1] - axis.domain[0]);
  const ends = [axis.domain[0], ...axis.breaks.flatMap((at) => [at - gap, at + gap]), axis.domain[1]];
  const pieces = Array.from({ length: ends.length / 2 }, (_, i) => ({ x1: ends[2 * i], x2: ends[2 * i + 1] }));
  return [
    Plot.link(pieces, { x1: "x1", x2: "x2", y1: y, y2: y, stroke: colours.soft }),
    Plot.text(axis.breaks, { x: (at) => at, y, text: () => "//", fill: colours.soft, fontSize: 12 }),
  ];
}

interface Level {
  name: string;
  value: number;
  colour: string;
  dash: string;
}

function levelLines(drawn: Drawn[], colours: Palette): Level[] {
  const several = drawn.length > 1;
  const lines = drawn.flatMap(({ curve, colour }): Level[] => [
    ...(curve.prior?.mean != null ? [{ name: "prior", value: curve.prior.mean, colour: several ? colour : colours.prior, dash: "7,3" }] : []),
    ...(curve.plain_mlp?.mean != null
      ? [{ name: "plain MLP", value: curve.plain_mlp.mean, colour: several ? colour : colours.mlp, dash: "2,3" }]
      : []),
  ]);
  const seen = new Set<string>();
  return lines.filter(({ name, value }) => !seen.has(`${name} ${value}`) && seen.add(`${name} ${value}`));
}

/** The names of the levels: in the margin, moved apart; in a narrow chart over and under
 * their lines. */
function levelLabels(levels: Level[], domain: [number, number], height: number, wide: boolean, colours: Palette): Plot.Markish[] {
  const sorted = [...levels].sort((a, b) => b.value - a.value);
  const pixels = (height - 68) / (domain[1] - domain[0]);
  const [upper, lower] = sorted;
  const gap = upper && lower ? 100 * (upper.value - lower.value) * pixels : Infinity;
  return sorted.map((level, i) => {
    const push = i === 0 ? -1 : 1;
    const dy = wide ? (gap < 34 ? (push * (34 - gap)) / 2 : 0) : push * 10;
    return Plot.text([level], {
      y: (l) => 100 * l.value,
      frameAnchor: "right",
      textAnchor: wide ? "start" : "end",
      dx: wide ? 10 : 0,
      dy,
      text: (l) => (wide ? `${l.name}\n${percent(l.value)}` : `${l.name} ${percent(l.value)}`),
      fill: colours.ink,
      stroke: colours.paper,
      strokeWidth: 4,
      lineHeight: 1.2,
    });
  });
}

/** Per cent, a little wider than the values but not beyond 0 and 100 (an interval may go
 * there), with a share `below` of room for what has no value. */
function valueDomain(values: number[], below: number): [number, number] {
  const low = 100 * Math.min(...values);
  const high = 100 * Math.max(...values);
  if (!Number.isFinite(low)) return [0, 100];
  const span = Math.max(high - low, 0.5);
  return [Math.max(low - 0.06 * span, 0) - below * span, Math.min(high + 0.06 * span, 100)];
}

function lines(drawn: Drawn[], { alpha }: Place, colours: Palette): Lines {
  const rows = drawn.flatMap((d): Lines["rows"] => {
    const point = d.curve.points.find((p) => p.alpha === alpha);
    if (!point) return [];
    const name = d.series.label || "mean";
    const mean = { colour: d.colour, name: `${name}, ${count(point.n, "seed")}`, value: meanPercent(point.mean, point.ci95) };
    const diverged = point.diverged.length
      ? [{ name: `diverged: ${count(point.diverged.length, "seed")}`, value: point.diverged.slice(0, LISTED).join(", ") }]
      : [];
    if (drawn.length > 1) return [mean, ...diverged];
    const seeds = point.values.slice(0, LISTED).map((v) => ({ name: `seed ${v.seed}`, value: exactPercent(v.value) }));
    const more = point.values.length > LISTED ? [{ name: `${point.values.length - LISTED} more in the data`, value: "" }] : [];
    return [mean, ...seeds, ...more, ...diverged];
  });
  const level = drawn.length === 1 ? drawn[0]?.curve : undefined;
  const prior = level?.prior?.mean != null ? [{ colour: colours.prior, name: "prior", value: meanPercent(level.prior.mean, level.prior.ci95) }] : [];
  return { title: `α = ${alphaLabel(alpha)}`, rows: [...rows, ...prior] };
}

function caption(drawn: Drawn[], on: ImageSet, at: Moment, shown: Shown): string {
  const where = `${capitalised(setName(on))}, ${at} the last interpolation.`;
  const found = drawn.slice(0, 4).map(({ series, curve }) => {
    const means = curve.points.filter((p) => p.mean !== null);
    const who = series.label ? `${series.label}: ` : "";
    if (means.length === 0) return `${who}every trial diverged.`;
    const by = (sign: number) => means.reduce((a, b) => (sign * (b.mean ?? 0) > sign * (a.mean ?? 0) ? b : a));
    const [top, low] = [by(1), by(-1)];
    const chosen = chosenAlpha(series);
    const choice = chosen === null ? "" : `; α = ${alphaLabel(chosen)} was chosen on validation (filled)`;
    return `${who}${percent(low.mean)} at α = ${alphaLabel(low.alpha)} to ${percent(top.mean)} at α = ${alphaLabel(top.alpha)}${choice}.`;
  });
  const diverged = drawn.reduce((sum, d) => sum + d.curve.points.reduce((n, p) => n + p.diverged.length, 0), 0);
  const lost = diverged > 0 ? ` × counts trials that diverged (${diverged}); they have no value and enter no mean.` : "";
  const marks = ["line: mean over seeds", shown.band && "band: Student’s 95 % interval of the mean", shown.seeds && "dots: seeds"];
  const levels = shown.levels && drawn.length > 1 ? " Dashed: the priors; dotted: the plain MLPs." : "";
  const key = listed(marks.filter((m): m is string => m !== false));
  return `${where} ${found.join(" ")}${lost} ${capitalised(key)}.${levels}`;
}

function table(drawn: Drawn[], several: boolean) {
  const rows = drawn.flatMap(({ series, curve }) => [
    ...curve.points.map((p) => row(several ? series.label : null, alphaLabel(p.alpha), p)),
    ...(curve.prior ? [row(several ? series.label : null, "prior", curve.prior)] : []),
  ]);
  const columns = ["α", "mean", "95 % from", "to", "seeds", "diverged", "values by seed"];
  return { columns: several ? ["configuration", ...columns] : columns, rows };
}

function row(label: string | null, alpha: string, p: Curve["prior"] & object) {
  const cells = [
    alpha,
    p.mean === null ? null : Number(p.mean.toFixed(6)),
    p.ci95 ? Number(p.ci95[0].toFixed(6)) : null,
    p.ci95 ? Number(p.ci95[1].toFixed(6)) : null,
    p.n,
    p.diverged.join(", ") || null,
    p.values.map((v) => `${v.seed}: ${v.value}`).join(", "),
  ];
  return label === null ? cells : [label, ...cells];
}

function setName(on: ImageSet): string {
  return { test: "test images", validation: "validation images", training: "a sample of the training images" }[on];
}
