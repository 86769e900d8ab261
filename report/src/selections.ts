// What the reader has chosen. It stands in the address after #, so that a reload and a
// copied link keep it; what has its default value is left out.
import { defaultScale, type AxisKind } from "./alpha-axis";
import type { Series } from "./series";
import type { ImageSet, Moment } from "./view";

export interface Selections {
  axis: AxisKind;
  at: Moment;
  on: ImageSet;
  seeds: boolean;
  band: boolean;
  levels: boolean;
  /** Series that are not drawn. */
  hidden: number[];
  /** The series of the panels that show one. */
  of: number;
  /** Values of α in the learning curves; empty for a choice of ours. */
  courses: number[];
  courseOn: ImageSet;
  courseAt: Moment;
  courseSeeds: boolean;
  scheduleOf: number;
  weightScale: "unit" | "all";
  differenceAt: number;
  sort: string;
  state: string;
  trialAlpha: string;
  trialSeed: string;
  trialOf: string;
  /** Whether a running experiment is not read again. */
  paused: boolean;
  /** Names of the opened details. */
  open: string[];
}

const ALLOWED: { [K in keyof Selections]?: readonly string[] } = {
  axis: ["log", "logit", "rank"],
  at: ["before", "after"],
  on: ["training", "validation", "test"],
  courseOn: ["training", "validation", "test"],
  courseAt: ["before", "after"],
  weightScale: ["unit", "all"],
};

/** An α that is not chosen. */
export const UNCHOSEN = -1;

export function defaults(series: Series[]): Selections {
  const alphas = series.flatMap((s) => s.alphas);
  const trials = Math.max(0, ...series.map((s) => s.configuration.trials.length / (s.alphas.length || 1)));
  return {
    axis: defaultScale(alphas),
    at: "after",
    on: "test",
    seeds: series.length === 1,
    band: series.length <= 3,
    levels: series.length === 1,
    hidden: [],
    of: 0,
    courses: [],
    courseOn: "validation",
    courseAt: "after",
    courseSeeds: trials <= 6,
    scheduleOf: UNCHOSEN,
    weightScale: "all",
    differenceAt: UNCHOSEN,
    sort: series.length > 1 ? "configuration" : "alpha",
    state: "",
    trialAlpha: "",
    trialSeed: "",
    trialOf: "",
    paused: false,
    open: [],
  };
}

export class Store {
  #value: Selections;
  readonly #defaults: Selections;
  readonly #listeners: { keys: readonly (keyof Selections)[]; run: () => void }[] = [];

  constructor(series: Series[]) {
    this.#defaults = defaults(series);
    this.#value = { ...this.#defaults, ...read(location.hash, this.#defaults) };
  }

  get value(): Readonly<Selections> {
    return this.#value;
  }

  set(change: Partial<Selections>): void {
    this.#value = { ...this.#value, ...change };
    const hash = write(this.#value, this.#defaults);
    try {
      history.replaceState(null, "", hash === "" ? location.pathname + location.search : `#${hash}`);
    } catch {
      // Refused for this address: the choice holds until the next reload.
    }
    const changed = Object.keys(change);
    for (const { keys, run } of this.#listeners) {
      if (keys.some((key) => changed.includes(key))) run();
    }
  }

  /** Calls `run` after a change of one of `keys`. */
  on(keys: readonly (keyof Selections)[], run: () => void): void {
    this.#listeners.push({ keys, run });
  }
}

function write(value: Selections, standard: Selections): string {
  const words = new URLSearchParams();
  for (const key of Object.keys(standard) as (keyof Selections)[]) {
    const text = String(value[key]);
    if (text !== String(standard[key])) words.set(key, text);
  }
  return words.toString();
}

/** What the address names; anything in it that makes no sense is left out. */
function read(hash: string, standard: Selections): Partial<Selections> {
  const result: Record<string, unknown> = {};
  for (const [key, text] of new URLSearchParams(hash.slice(1))) {
    if (!Object.hasOwn(standard, key)) continue;
    const name = key as keyof Selections;
    const allowed = ALLOWED[name];
    if (allowed && !allowed.includes(text)) continue;
    const value = parse(text, standard[name], name);
    if (value !== undefined) result[key] = value;
  }
  return result as Partial<Selections>;
}

function parse(text: string, like: unknown, name: keyof Selections): unknown {
  const parts = text === "" ? [] : text.split(",");
  if (name === "open") return parts;
  if (Array.isArray(like)) {
    const numbers = parts.map(Number);
    return numbers.every(Number.isFinite) ? numbers : undefined;
  }
  if (typeof like === "boolean") return text === "true";
  if (typeof like === "number") return Number.isFinite(Number(text)) ? Number(text) : undefined;
  return text;
}
