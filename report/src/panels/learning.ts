// How trials learn: loss, accuracy and the prior's share over epochs.
import * as Plot from "@observablehq/plot";
import type { Palette } from "../colours";
import { current, follow, seriesSelect, type Context } from "../context";
import { chip, choice, controls, toggle } from "../controls";
import { h } from "../dom";
import { figure, type Drawing, type Empty } from "../figure";
import { alphaLabel, count, percent } from "../format";
import { attachHover, chartStyle, type Lines } from "../hover";
import type { Selections } from "../selections";
import { chosenAlpha, type Series } from "../series";
import type { ImageSet, PointView, TrialView } from "../view";

const KEYS: (keyof Selections)[] = ["of", "courses", "courseOn", "courseAt", "courseSeeds"];
/** The prior among the courses: no α. */
const PRIOR = -2;

/** What is drawn against the epoch. */
interface Measure {
  id: string;
  title: string;
  unit: string;
  value: (point: PointView, selections: Selections) => number | null;
  words: (value: number) => string;
  /** Whether the prior has it too. */
  ofPrior: boolean;
  absent: string;
}

interface Course {
  alpha: number;
  name: string;
  colour: string;
  /** One list of points per seed. */
  seeds: { seed: number; points: { epoch: number; value: number }[]; ended: boolean }[];
  mean: { epoch: number; value: number; n: number }[];
}

const MEASURES: Measure[] = [
  {
    id: "loss",
    title: "Training loss",
    unit: "nats",
    value: (point) => point.loss,
    words: (value) => value.toFixed(4),
    ofPrior: true,
    absent: "The training loss was not recorded.",
  },
  {
    id: "accuracy",
    title: "Accuracy",
    unit: "%",
    value: (point, { courseOn, courseAt }) => scale(point[courseAt][courseOn]),
    words: (value) => `${value.toFixed(2)}\u00a0%`,
    ofPrior: true,
    absent: "This accuracy was not measured during training.",
  },
  {
    id: "share",
    title: "Effective prior share",
    unit: "%",
    value: (point) => scale(point.prior_share),
    words: (value) => `${value.toFixed(2)}\u00a0%`,
    ofPrior: false,
    absent: "Nothing was interpolated in these trials.",
  },
];

function scale(fraction: number | null): number | null {
  return fraction === null ? null : 100 * fraction;
}

export function learningPanel(context: Context): HTMLElement[] {
  const { store, series } = context;
  const measured = (on: ImageSet) =>
    series.some((s) => s.configuration.trials.some((t) => t.points.some((p) => p.after[on] !== null || p.before[on] !== null)));
  const sets: [ImageSet, string][] = [["validation", "Validation"], ["training", "Training"], ["test", "Test"]];
  const known = sets.filter(([on]) => measured(on));
  const set = known.find(([on]) => on === store.value.courseOn)?.[0] ?? known[0]?.[0];
  if (set && set !== store.value.courseOn) store.set({ courseOn: set });
  return [
    controls(
      seriesSelect(context, "learning"),
      known.length > 1 ? choice(store, "courseOn", "Images", known) : null,
      choice(store, "courseAt", "Interpolation", [["before", "Before"], ["after", "After"]]),
      h("fieldset", { class: "toggles" }, h("legend", {}, "Show"), h("div", {}, toggle(store, "courseSeeds", "Seeds"))),
    ),
    chips(context),
    h(
      "div",
      { class: "trio" },
      ...MEASURES.map((measure) =>
        figure(context, {
          id: `learning-${measure.id}`,
          title: measure.title,
          keys: KEYS,
          draw: (width, colours) => draw(context, measure, width, colours),
        }),
      ),
    ),
  ];
}

function chips(context: Context): HTMLElement {
  const { store, theme } = context;
  const row = h("div", { class: "legend", role: "group", "aria-label": "Courses shown" });
  const fill = () => {
    const series = current(context);
    if (!series) return;
    const focused = document.activeElement?.id;
    const shown = selected(series, store.value);
    const all = [...series.alphas, ...(series.configuration.priors.length ? [PRIOR] : [])];
    const buttons = all.map((alpha) =>
      chip(`course-${alpha}`, name(alpha), colour(series, alpha, theme.colours), shown.includes(alpha), () => {
        const now = selected(series, store.value);
        const others = now.filter((other) => other !== alpha);
        const next = now.includes(alpha) ? others : [...others, alpha];
        // An empty list means our choice: the last one stays.
        if (next.length > 0) store.set({ courses: next });
      }),
    );
    row.replaceChildren(...buttons);
    buttons.find((b) => b.id === focused)?.focus();
  };
  follow(context, ["of", "courses"], fill);
  theme.onChange(fill);
  return row;
}

/** The courses that are drawn: the reader's, or the ends, the chosen α and two between. */
function selected(series: Series, { courses }: Readonly<Selections>): number[] {
  const known = courses.filter((alpha) => alpha === PRIOR || series.alphas.includes(alpha));
  if (known.length > 0) return known;
  const { alphas } = series;
  const at = (share: number) => alphas[Math.round(share * (alphas.length - 1))];
  const ours = [at(0), at(1 / 3), at(2 / 3), at(1), chosenAlpha(series)];
  return [...new Set(ours.filter((alpha): alpha is number => alpha !== undefined && alpha !== null)), PRIOR];
}

function name(alpha: number): string {
  return alpha === PRIOR ? "prior" : `α = ${alphaLabel(alpha)}`;
}

function colour(series: Series, alpha: number, colours: Palette): string {
  if (alpha === PRIOR) return colours.soft;
  return colours.ramp(series.alphas.indexOf(alpha) / Math.max(series.alphas.length - 1, 1));
}

function draw(context: Context, measure: Measure, width: number, colours: Palette): Drawing | Empty {
  const series = current(context);
  const { value: selections } = context.store;
  if (!series) return { empty: "There is no configuration." };
  const shown = selected(series, selections);
  const courses = [...shown]
    .sort((a, b) => a - b)
    .filter((alpha) => alpha !== PRIOR || measure.ofPrior)
    .map((alpha) => course(series, alpha, measure, selections, colour(series, alpha, colours)))
    .filter((c) => c.seeds.some((s) => s.points.length > 0));
  if (courses.length === 0) {
    const { trials } = series.configuration;
    const started = trials.some((t) => t.points.length > 0);
    const lost = trials.every((t) => t.state.endsWith("diverged"));
    const absent = lost ? "Every trial diverged before a value was measured." : measure.absent;
    return { empty: started ? absent : "No trial has a recorded epoch yet." };
  }
  return {
    chart: (frame) => chart(frame, courses, measure, width, colours, selections.courseSeeds),
    caption: caption(courses, measure),
    table: {
      columns: ["course", "epoch", `mean (${measure.unit})`, "seeds"],
      rows: courses.flatMap((c) => c.mean.map((m) => [c.name, Number(m.epoch.toFixed(3)), Number(m.value.toFixed(4)), m.n])),
    },
  };
}

function course(series: Series, alpha: number, measure: Measure, selections: Selections, colour: string): Course {
  const { trials, priors } = series.configuration;
  const own: { seed: number; points: PointView[]; lost: boolean }[] =
    alpha === PRIOR
      ? priors.map((p) => ({ seed: p.seed, points: p.points, lost: p.diverged_epoch !== null }))
      : trials.filter((t) => t.alpha === alpha).map((t) => ({ seed: t.seed, points: t.points, lost: lost(t) }));
  const seeds = own.map(({ seed, points, lost }) => ({
    seed,
    ended: lost,
    points: points.flatMap((p) => {
      const value = measure.value(p, selections);
      return value === null ? [] : [{ epoch: p.epoch, value }];
    }),
  }));
  // A mean over other seeds at every epoch would jump: those that did not end early.
  const whole = seeds.filter((s) => !s.ended);
  const epochs = new Map<number, number[]>();
  for (const { epoch, value } of whole.flatMap((s) => s.points)) {
    epochs.set(epoch, [...(epochs.get(epoch) ?? []), value]);
  }
  const mean = [...epochs]
    .sort(([a], [b]) => a - b)
    .map(([epoch, values]) => ({ epoch, n: values.length, value: values.reduce((a, b) => a + b, 0) / values.length }));
  return { alpha, name: name(alpha), colour, seeds, mean };
}

function lost({ state }: TrialView): boolean {
  return state === "diverged" || state === "prior-diverged" || state === "failed";
}

function chart(frame: HTMLElement, courses: Course[], measure: Measure, width: number, colours: Palette, seeds: boolean) {
  const one = courses.every((c) => c.seeds.length < 2);
  const thin = courses.flatMap((c) =>
    c.seeds
      .filter((s) => s.ended || (seeds && !one))
      .flatMap((s) => s.points.map((p) => ({ ...p, course: c, line: `${c.alpha} ${s.seed}` }))),
  );
  const ends = courses.flatMap((c) =>
    c.seeds.filter((s) => s.ended && s.points.length > 0).map((s) => ({ ...(s.points.at(-1) ?? { epoch: 0, value: 0 }), course: c })),
  );
  const means = courses.flatMap((c) => c.mean.map((p) => ({ ...p, course: c })));
  const epochs = [...new Set(means.map((m) => m.epoch).concat(thin.map((t) => t.epoch)))].sort((a, b) => a - b);
  const places = epochs.map((x) => ({ x }));
  const single = epochs.length < 2;
  const flat = [...means, ...ends].every((p) => p.value === 0);
  const whole = Math.max(...epochs);
  const dash = (alpha: number) => (alpha === PRIOR ? "5,3" : undefined);
  const svg = Plot.plot({
    width,
    height: 240,
    marginLeft: 40,
    marginRight: 12,
    marginTop: 24,
    marginBottom: 36,
    style: chartStyle(colours),
    x: {
      domain: [Math.min(...epochs, 0), Math.max(whole, 1)],
      label: "epoch",
      labelAnchor: "right",
      labelArrow: "none",
      ticks: Math.min(5, Math.max(whole, 1)),
      tickFormat: (t: number) => (Number.isInteger(t) ? String(t) : ""),
      tickSize: 3,
    },
    y: {
      label: measure.unit,
      labelArrow: "none",
      ticks: 5,
      tickSize: 0,
      nice: true,
      zero: measure.id === "share",
      // One value has no range of its own.
      ...(flat ? { domain: [0, 1] } : {}),
    },
    marks: [
      Plot.gridY({ stroke: colours.grid, strokeOpacity: 1, ticks: 5 }),
      Plot.ruleX(places, Plot.pointerX({ x: "x", stroke: colours.soft, strokeOpacity: 0.5, maxRadius: Infinity })),
      Plot.line(thin, { x: "epoch", y: "value", z: "line", stroke: (t) => t.course.colour, strokeWidth: 1, strokeOpacity: 0.35 }),
      ...courses.map((c) =>
        Plot.line(c.mean, { x: "epoch", y: "value", stroke: c.colour, strokeWidth: 2, strokeDasharray: dash(c.alpha) }),
      ),
      Plot.dot(single ? means : [], { x: "epoch", y: "value", fill: (m) => m.course.colour, r: 4 }),
      Plot.text(ends, { x: "epoch", y: "value", text: () => "×", fill: colours.diverged, fontSize: 16, fontWeight: 700 }),
    ],
  }) as SVGSVGElement;
  attachHover(svg, frame, places, ({ x }) => lines(courses, measure, x));
  return svg;
}

function lines(courses: Course[], measure: Measure, epoch: number): Lines {
  const rows = courses.flatMap((c) => {
    const at = c.mean.find((m) => m.epoch === epoch);
    return at ? [{ colour: c.colour, name: c.name, value: measure.words(at.value) }] : [];
  });
  return { title: `epoch ${Number(epoch.toFixed(2))}`, rows };
}

function caption(courses: Course[], measure: Measure): string {
  const ends = courses.flatMap((c) => {
    const last = c.mean.at(-1);
    return last ? [`${c.name}: ${measure.id === "loss" ? last.value.toFixed(3) : percent(last.value / 100, 1)}`] : [];
  });
  const lost = courses.reduce((n, c) => n + c.seeds.filter((s) => s.ended && s.points.length > 0).length, 0);
  const note = lost > 0 ? ` ${count(lost, "trial")} ended early (×) and ${lost === 1 ? "enters" : "enter"} no mean.` : "";
  return ends.length ? `At the end: ${ends.join(", ")}.${note}` : `No trial came to its end.${note}`;
}
