// The report: reads the data of the page and puts its panels in the place of the plain
// tables that the page has without a script.
import type { Context } from "./context";
import { h } from "./dom";
import { returnToPlace, startReloading } from "./live";
import { isPackedRow, weights } from "./packed-row";
import { answerPanel } from "./panels/answer";
import { computePanel } from "./panels/compute";
import { curvePanel } from "./panels/curve";
import { layersPanel } from "./panels/layers";
import { learningPanel } from "./panels/learning";
import { reproducePanel } from "./panels/reproduce";
import { statePanel } from "./panels/state";
import { trialsPanel } from "./panels/trials";
import { weightsPanel } from "./panels/weights";
import { Store } from "./selections";
import { seriesOf } from "./series";
import { Theme } from "./theme";
import type { ReportData } from "./view";

const SECTIONS: [string, string, (context: Context) => HTMLElement[]][] = [
  ["answer", "The answer", answerPanel],
  ["curve", "The α-curve", curvePanel],
  ["learning", "Learning curves", learningPanel],
  ["layers", "Layers and schedule", layersPanel],
  ["learned", "What was learned", weightsPanel],
  ["compute", "Compute", computePanel],
  ["trials", "Trials", trialsPanel],
  ["reproduce", "Reproduce", reproducePanel],
];

addEventListener("DOMContentLoaded", () => {
  const root = document.getElementById("report");
  const source = document.getElementById("data");
  if (!root || !source) return;
  try {
    show(root, JSON.parse(source.textContent ?? "", read) as ReportData);
  } catch (error) {
    // What the page has without us stays.
    console.error(error);
    root.prepend(h("p", { class: "note" }, `The charts cannot be shown (${error}); the numbers are in results.csv.`));
  }
});

/** A value of the data: packed rows become weights, text visible. */
function read(_: string, value: unknown): unknown {
  if (isPackedRow(value)) return weights(value);
  return typeof value === "string" ? visible(value) : value;
}

/** Text in which what cannot be seen can: control characters, and those that turn the
 * direction of everything after them. */
function visible(value: string): string {
  return value.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

function show(root: HTMLElement, data: ReportData): void {
  const anchor = location.hash.slice(1);
  const series = seriesOf(data.views);
  const context: Context = { data, series, store: new Store(series), theme: new Theme() };
  const sections = SECTIONS.map(([id, title, panel]) =>
    h("section", { id, "aria-labelledby": `${id}-heading` }, h("h2", { id: `${id}-heading`, tabindex: -1 }, title), ...panel(context)),
  );
  root.replaceChildren(header(context), ...sections);
  root.classList.add("interactive");
  returnToPlace();
  if (SECTIONS.some(([id]) => id === anchor)) requestAnimationFrame(() => document.getElementById(anchor)?.scrollIntoView());
  if (data.refresh_seconds !== null && data.views.some((view) => view.state.running)) {
    startReloading(context.store, data.refresh_seconds);
  }
}

function header(context: Context): HTMLElement {
  const { views } = context.data;
  const [only] = views;
  const one = views.length === 1 && only;
  const title = one ? only.title : `${views.length} experiments compared`;
  const names = one ? only.name : views.map((view) => view.name).join(" · ");
  const links = SECTIONS.map(([id, words]) =>
    h(
      "a",
      {
        href: `#${id}`,
        // The address after # holds the selections.
        onclick: (event) => {
          event.preventDefault();
          document.getElementById(id)?.scrollIntoView();
          document.getElementById(`${id}-heading`)?.focus({ preventScroll: true });
        },
      },
      words,
    ),
  );
  return h(
    "header",
    {},
    h("div", { class: "title" }, h("div", {}, h("h1", {}, title), h("p", { class: "subtitle" }, names)), context.theme.button()),
    ...statePanel(context),
    h("nav", { "aria-label": "Sections" }, ...links),
  );
}
