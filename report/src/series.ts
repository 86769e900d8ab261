// The configurations of all experiments on the page, in one list.
import type { ConfigurationView, Curve, ImageSet, Moment, View } from "./view";

export interface Series {
  index: number;
  /** What sets it apart; empty for one alone. */
  label: string;
  view: View;
  configuration: ConfigurationView;
  /** The values of α that were asked for, increasing. */
  alphas: number[];
}

export function seriesOf(views: View[]): Series[] {
  const all = views.flatMap((view) => view.configurations.map((configuration) => ({ view, configuration })));
  const names = new Map<string, number>();
  return all.map(({ view, configuration }, index) => {
    const parts = [views.length > 1 ? view.name : "", configuration.label];
    let label = parts.filter((part) => part !== "").join(" · ");
    if (all.length > 1) {
      const seen = (names.get(label) ?? 0) + 1;
      names.set(label, seen);
      if (label === "" || seen > 1) label = `${label || "configuration"} (${index + 1})`;
    }
    const alphas = [
      ...configuration.trials.map((trial) => trial.alpha),
      ...configuration.curves.flatMap((curve) => curve.curve.points.map((point) => point.alpha)),
    ];
    return { index, label, view, configuration, alphas: [...new Set(alphas)].sort((a, b) => a - b) };
  });
}

export function curveOf(series: Series, on: ImageSet, at: Moment): Curve | null {
  return series.configuration.curves.find((c) => c.on === on && c.at === at)?.curve ?? null;
}

/** The α that was chosen on validation. */
export function chosenAlpha(series: Series): number | null {
  return series.configuration.answer?.best_alpha ?? curveOf(series, "test", "after")?.chosen_alpha ?? null;
}
