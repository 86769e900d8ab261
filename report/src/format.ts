// Numbers in words.
import type { Interval } from "./view";

const NONE = "–";

/** The digits with a true minus sign. */
function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value < 0 ? "−" : "+"}${text}`;
}

/** A fraction in per cent. */
export function percent(fraction: number | null | undefined, digits = 2): string {
  return fraction === null || fraction === undefined ? NONE : `${(100 * fraction).toFixed(digits)}\u00a0%`;
}

/** A fraction in per cent, with as many decimals as it has, two at least and four at most. */
export function exactPercent(fraction: number): string {
  const text = (100 * fraction).toFixed(4).replace(/0{1,2}$/, "");
  return `${text}\u00a0%`;
}

/** A mean of fractions with half its interval, in per cent. */
export function meanPercent(mean: number | null, interval: Interval | null): string {
  if (mean === null) return NONE;
  if (!interval) return percent(mean);
  return `${(100 * mean).toFixed(2)} ± ${(50 * (interval[1] - interval[0])).toFixed(2)}\u00a0%`;
}

/** A difference of fractions in percentage points. */
export function points(mean: number, interval: Interval | null): string {
  const spread = interval ? ` ± ${(50 * (interval[1] - interval[0])).toFixed(2)}` : "";
  return `${signed(100 * mean, 2)}${spread}`;
}

export function count(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** An integer in groups of three digits. */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** Three significant digits and a prefix: 1.23 G. */
export function scaled(value: number): string {
  const prefixes = ["", "k", "M", "G", "T", "P", "E"];
  const step = value < 1000 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), prefixes.length - 1);
  return `${Number((value / 1000 ** step).toPrecision(3))}\u00a0${prefixes[step]}`.trimEnd();
}

export function duration(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(2)}\u00a0s`;
  if (seconds < 60) return `${seconds.toFixed(1)}\u00a0s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}\u00a0min ${Math.round(seconds % 60)}\u00a0s`;
  return `${Math.floor(minutes / 60)}\u00a0h ${minutes % 60}\u00a0min`;
}

/** A time of minutes or more in one unit. */
export function roughly(seconds: number): string {
  const [unit, length] = ([["day", 86400], ["hour", 3600], ["minute", 60]] as const).find(([, l]) => seconds >= 2 * l) ?? (["minute", 60] as const);
  return count(Math.floor(seconds / length), unit);
}

/** Local date and time of seconds since 1970. */
export function moment(seconds: number): string {
  const date = new Date(1000 * seconds);
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** α as `alpha_label` of curve.rs: as written when short, else four significant digits of
 * its distance from 0 or 1, whichever is smaller. */
export function alphaLabel(alpha: number): string {
  if (alpha !== 0 && alpha < 1e-4) return alpha.toExponential(3).replace(/\.?0*e/, "e");
  const written = String(alpha);
  if (written.length <= 7) return written;
  const distance = Math.max(Math.min(alpha, 1 - alpha), Number.MIN_VALUE);
  const decimals = Math.min(Math.max(3 - Math.floor(Math.log10(distance)), 0), 17);
  return alpha.toFixed(decimals).replace(/\.?0+$/, "");
}

/** The words with true minus signs before numbers. */
export function typeset(words: string): string {
  return words.replace(/(^|[\s([])-(?=\d)/g, "$1−");
}

/** The words with the first letter in upper case; α stays α. */
export function capitalised(words: string): string {
  return words.replace(/^[a-z]/, (letter) => letter.toUpperCase());
}

/** `a, b and c`. */
export function listed(words: string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
