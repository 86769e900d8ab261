// Every trial: a table that sorts and filters.
import { follow, type Context } from "../context";
import { controls, select } from "../controls";
import { h, link } from "../dom";
import { alphaLabel, count, duration, grouped, percent } from "../format";
import type { Series } from "../series";
import type { TrialView } from "../view";

interface Row {
  series: Series;
  trial: TrialView;
}

interface Column {
  key: string;
  name: string;
  /** What it is sorted by; none stands last. */
  order: (row: Row) => number | string | null;
  cell: (row: Row) => Node | string;
  text?: boolean;
  /** Whether it may take several lines. */
  long?: boolean;
}

const COLUMNS: Column[] = [
  number("alpha", "α", (t) => t.alpha, alphaLabel),
  number("seed", "seed", (t) => t.seed, String),
  { key: "state", name: "state", text: true, order: ({ trial }) => trial.state, cell: ({ trial }) => badge(trial.state) },
  number("test", "test", (t) => t.after.test, (v) => percent(v)),
  number("validation", "validation", (t) => t.after.validation, (v) => percent(v)),
  number("before", "test before", (t) => t.before.test, (v) => percent(v)),
  number("share", "prior share", (t) => t.prior_share, (v) => percent(v, 1)),
  number("epochs", "epochs", (t) => t.epochs, String),
  number("time", "time", (t) => t.train_seconds, duration),
  number("speed", "images/s", (t) => t.images_per_second, (v) => grouped(Math.round(v))),
  { key: "reason", name: "reason", text: true, order: ({ trial }) => trial.reason, cell: ({ trial }) => reason(trial) },
  {
    key: "record",
    name: "record",
    text: true,
    order: ({ trial }) => trial.id,
    cell: ({ trial }) => (trial.record === null ? "–" : link(trial.record, trial.id.slice(0, 12))),
  },
];

function number(key: string, name: string, value: (trial: TrialView) => number | null, words: (value: number) => string): Column {
  return {
    key,
    name,
    order: ({ trial }) => value(trial),
    cell: ({ trial }) => {
      const number = value(trial);
      return number === null ? "–" : words(number);
    },
  };
}

export function trialsPanel(context: Context): HTMLElement[] {
  const { series, store } = context;
  const rows = series.flatMap((s) => s.configuration.trials.map((trial): Row => ({ series: s, trial })));
  if (rows.length === 0) return [h("p", { class: "empty card" }, "No trial was asked for.")];
  const several = series.length > 1;
  const configuration: Column = {
    key: "configuration",
    name: "configuration",
    text: true,
    long: true,
    order: (row) => row.series.index,
    cell: (row) => row.series.label,
  };
  const columns = (several ? [configuration, ...COLUMNS] : COLUMNS).filter(
    ({ key, order }) => key !== "reason" || rows.some((row) => order(row) !== null),
  );
  const distinct = <T extends string | number>(of: (row: Row) => T) => [...new Set(rows.map(of))];
  const increasing = (values: number[]) => values.sort((a, b) => a - b);
  const { value } = store;
  const shown = h("p", { class: "shown", role: "status" });
  const body = h("tbody", {});
  const heads = columns.map((column) => head(context, column));
  const filters = controls(
    several &&
      select("trial-of", "Configuration", [["", "All"], ...series.map((s): [string, string] => [String(s.index), s.label])], value.trialOf, (trialOf) =>
        store.set({ trialOf }),
      ),
    select("trial-state", "State", [["", "All"], ...distinct((r) => r.trial.state).sort().map((s): [string, string] => [s, s])], value.state, (state) =>
      store.set({ state }),
    ),
    select(
      "trial-alpha",
      "α",
      [["", "All"], ...increasing(distinct((r) => r.trial.alpha)).map((a): [string, string] => [String(a), alphaLabel(a)])],
      value.trialAlpha,
      (trialAlpha) => store.set({ trialAlpha }),
    ),
    select(
      "trial-seed",
      "Seed",
      [["", "All"], ...increasing(distinct((r) => r.trial.seed)).map((s): [string, string] => [String(s), String(s)])],
      value.trialSeed,
      (trialSeed) => store.set({ trialSeed }),
    ),
    shown,
  );
  follow(context, ["sort", "state", "trialAlpha", "trialSeed", "trialOf"], () => {
    const { sort, state, trialAlpha, trialSeed, trialOf } = store.value;
    const kept = rows.filter(
      ({ series, trial }) =>
        (state === "" || trial.state === state) &&
        (trialAlpha === "" || trial.alpha === Number(trialAlpha)) &&
        (trialSeed === "" || trial.seed === Number(trialSeed)) &&
        (trialOf === "" || series.index === Number(trialOf)),
    );
    const key = sort.replace(/^-/, "");
    const column = columns.find((c) => c.key === key);
    if (column) kept.sort(ordering(column, sort.startsWith("-")));
    body.replaceChildren(...kept.map((row) => h("tr", {}, ...columns.map((c) => cell(c, row)))));
    if (kept.length === 0) body.append(h("tr", {}, h("td", { colspan: columns.length, class: "words" }, "No trial matches the filters.")));
    shown.textContent = kept.length === rows.length ? count(rows.length, "trial") : `${grouped(kept.length)} of ${count(rows.length, "trial")}`;
  });
  const table = h("table", { id: "trials-table" }, h("thead", {}, h("tr", {}, ...heads)), body);
  return [filters, h("div", { class: "card" }, h("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Trials" }, table))];
}

function head({ store }: Context, { key, name, text }: Column): HTMLElement {
  const cell = h("th", { scope: "col", class: text ? "words" : null });
  const arrow = h("span", { class: "arrow", "aria-hidden": "true" });
  const button = h(
    "button",
    {
      type: "button",
      id: `sort-${key}`,
      onclick: () => store.set({ sort: store.value.sort === key ? `-${key}` : key }),
    },
    name,
    arrow,
  );
  cell.append(button);
  const mark = () => {
    const { sort } = store.value;
    const direction = sort === key ? "ascending" : sort === `-${key}` ? "descending" : "none";
    cell.setAttribute("aria-sort", direction);
    arrow.textContent = { ascending: " ↑", descending: " ↓", none: "" }[direction];
  };
  mark();
  store.on(["sort"], mark);
  return cell;
}

function cell(column: Column, row: Row): HTMLElement {
  return h("td", { class: column.long ? "words long" : column.text ? "words" : null }, column.cell(row));
}

/** By the column, then by α and seed; what has no value stands last either way. */
function ordering({ order }: Column, descending: boolean): (a: Row, b: Row) => number {
  return (a, b) => {
    const [x, y] = [order(a), order(b)];
    const same = a.trial.alpha - b.trial.alpha || a.trial.seed - b.trial.seed;
    if (x === y) return same;
    if (x === null) return 1;
    if (y === null) return -1;
    const less = typeof x === "string" ? x.localeCompare(String(y)) : x - Number(y);
    return (descending ? -less : less) || same;
  };
}

function badge(state: string): HTMLElement {
  const kinds: Record<string, string> = {
    done: "good",
    running: "busy",
    failed: "bad",
    diverged: "odd",
    "prior-diverged": "odd",
  };
  return h("span", { class: `badge ${kinds[state] ?? ""}` }, state);
}

function reason({ reason }: TrialView): Node | string {
  return reason === null ? "–" : h("span", { class: "reason" }, reason);
}
