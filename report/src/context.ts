// What every panel is given.
import { select } from "./controls";
import type { Selections, Store } from "./selections";
import type { Series } from "./series";
import type { Theme } from "./theme";
import type { ReportData } from "./view";

export interface Context {
  data: ReportData;
  series: Series[];
  store: Store;
  theme: Theme;
}

/** The series of the panels that show one. */
export function current({ series, store }: Context): Series | undefined {
  return series[store.value.of] ?? series[0];
}

/** The selection of that series; none where there is one only. */
export function seriesSelect(context: Context, panel: string): HTMLElement | null {
  const { series, store } = context;
  if (series.length < 2) return null;
  const options = series.map((s): [string, string] => [String(s.index), s.label]);
  const element = select(`${panel}-of`, "Configuration", options, String(store.value.of), (value) =>
    store.set({ of: Number(value) }),
  );
  const input = element.querySelector("select");
  store.on(["of"], () => input && (input.value = String(store.value.of)));
  return element;
}

/** Runs `draw` now, and again after a change of one of `keys`. */
export function follow(context: Context, keys: readonly (keyof Selections)[], draw: () => void): void {
  draw();
  context.store.on(keys, draw);
}
