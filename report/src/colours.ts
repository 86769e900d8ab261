// Colours of charts, by theme. They are written into the SVG as values, not as CSS
// variables, so that a downloaded figure has them.
import { interpolateLab } from "d3-interpolate";
import { interpolateViridis } from "d3-scale-chromatic";

export interface Palette {
  paper: string;
  ink: string;
  soft: string;
  grid: string;
  accent: string;
  prior: string;
  mlp: string;
  diverged: string;
  /** Okabe and Ito's colours, which people with any colour vision tell apart. */
  series: string[];
  /** 0 … 1 → colour, ordered by lightness. */
  ramp: (share: number) => string;
  /** −1 … 1 → colour; 0 is the paper. */
  diverging: (value: number) => string;
}

const LIGHT: Palette = {
  paper: "#ffffff",
  ink: "#1f2328",
  soft: "#59636e",
  grid: "#e6e8eb",
  accent: "#0072b2",
  prior: "#009e73",
  mlp: "#e69f00",
  diverged: "#b84a00",
  series: ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d"],
  ramp: (share) => interpolateViridis(0.9 * share),
  diverging: around("#2166ac", "#ffffff", "#b35806"),
};

const DARK: Palette = {
  paper: "#1a1d21",
  ink: "#e6e8eb",
  soft: "#a3abb5",
  grid: "#30353b",
  accent: "#56b4e9",
  prior: "#2cc295",
  mlp: "#e69f00",
  diverged: "#ff9a57",
  series: ["#56b4e9", "#f0803c", "#2cc295", "#dd99bf", "#e6b800", "#3b8fd0", "#c0c0c0"],
  ramp: (share) => interpolateViridis(0.25 + 0.75 * share),
  diverging: around("#7cc0ff", "#1a1d21", "#ffae66"),
};

export function palette(dark: boolean): Palette {
  return dark ? DARK : LIGHT;
}

/** The colour of the `index`th of several series; they repeat after seven. */
export function seriesColour(colours: Palette, index: number): string {
  return colours.series[index % colours.series.length] ?? colours.accent;
}

function around(negative: string, zero: string, positive: string): (value: number) => string {
  const below = interpolateLab(zero, negative);
  const above = interpolateLab(zero, positive);
  return (value) => (value < 0 ? below(Math.min(-value, 1)) : above(Math.min(value, 1)));
}
