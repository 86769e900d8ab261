// Where a value of α stands on a chart. 0 has no place on a logarithm, nor 1 on a logit:
// they stand apart, behind a break of the axis.

export type AxisKind = "log" | "logit" | "rank";

export interface AlphaAxis {
  kind: AxisKind;
  /** The values that stand on it, increasing. */
  alphas: number[];
  place: (alpha: number) => number;
  domain: [number, number];
  /** Places at which the axis is broken. */
  breaks: number[];
}

const logit = (alpha: number) => Math.log10(alpha / (1 - alpha));

export function alphaAxis(kind: AxisKind, values: number[]): AlphaAxis {
  const alphas = [...new Set(values)].sort((a, b) => a - b);
  if (kind === "rank") return axis(kind, alphas, (alpha) => alphas.indexOf(alpha), []);
  const inner = alphas.filter((alpha) => alpha > 0 && (kind === "log" || alpha < 1));
  const scale = kind === "log" ? Math.log10 : logit;
  const low = inner.length ? scale(Math.min(...inner)) : 0;
  const high = inner.length ? scale(Math.max(...inner)) : 0;
  const gap = high > low ? Math.max(0.14 * (high - low), 0.15) : 0.5;
  const breaks: number[] = [];
  if (alphas[0] === 0) breaks.push(low - gap / 2);
  if (kind === "logit" && alphas.at(-1) === 1) breaks.push(high + gap / 2);
  const place = (alpha: number) => {
    if (alpha === 0) return low - gap;
    if (kind === "logit" && alpha === 1) return high + gap;
    return scale(alpha);
  };
  return axis(kind, alphas, place, breaks);
}

function axis(kind: AxisKind, alphas: number[], place: (alpha: number) => number, breaks: number[]): AlphaAxis {
  const places = alphas.map(place);
  const low = Math.min(...places);
  const high = Math.max(...places);
  const margin = high > low ? 0.035 * (high - low) : 0.5;
  return { kind, alphas, place, domain: [low - margin, high + margin], breaks };
}

/** A logit where values crowd before 1, else a logarithm. */
export function defaultScale(values: number[]): AxisKind {
  return values.some((alpha) => alpha > 0.9 && alpha < 1) ? "logit" : "log";
}

/** The values whose labels fit side by side: the ends and `chosen` first, then evenly. */
export function labelled(axis: AlphaAxis, chosen: number | null, width: number, label: (alpha: number) => string): number[] {
  const scale = width / (axis.domain[1] - axis.domain[0]);
  const ends = [axis.alphas[0], axis.alphas.at(-1), chosen];
  const first = ends.filter((alpha): alpha is number => alpha !== undefined && alpha !== null);
  const round = axis.alphas.filter((alpha) => Number.isInteger(Math.round(1e6 * Math.log10(alpha)) / 1e6));
  const kept: number[] = [];
  for (const alpha of [...first, ...round, ...axis.alphas]) {
    const fits = kept.every((other) => {
      const needed = 3.6 * (label(alpha).length + label(other).length) + 8;
      return Math.abs(axis.place(alpha) - axis.place(other)) * scale >= needed;
    });
    if (fits && axis.alphas.includes(alpha)) kept.push(alpha);
  }
  return kept;
}
