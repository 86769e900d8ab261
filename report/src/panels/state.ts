// How far the experiments are, under the title.
import type { Context } from "../context";
import { h } from "../dom";
import { count, grouped, listed, moment, roughly } from "../format";
import type { View } from "../view";

export function statePanel(context: Context): HTMLElement[] {
  const { data, store } = context;
  const running = data.views.some((view) => view.state.running);
  const pause = running && data.refresh_seconds !== null ? pauseButton(context, data.refresh_seconds) : null;
  if (pause) store.on(["paused"], () => pause.replaceChildren(...pauseWords(context)));
  return [...data.views.map((view) => banner(view, data.views.length > 1)), ...(pause ? [pause] : [])];
}

/** Without news for as long, in seconds, a run may have been killed: it could not say so. */
const SILENT_AFTER = 900;

function banner({ name, state, read_at }: View, several: boolean): HTMLElement {
  const ended = state.done + state.diverged + state.failed;
  const open = state.trials - ended;
  const parts = [
    state.diverged > 0 && `${grouped(state.diverged)} diverged`,
    state.failed > 0 && `${grouped(state.failed)} failed`,
    open > 0 && `${grouped(open)} ${state.running ? "to come" : "not run"}`,
  ].filter((part): part is string => part !== false);
  const all = state.done === state.trials ? `${count(state.trials, "trial")} finished` : `${grouped(state.done)} of ${count(state.trials, "trial")} finished`;
  const words = `${[all, ...(parts.length ? [listed(parts)] : [])].join(": ")}; read ${moment(read_at)}`;
  // A trial that diverged has its result.
  const kind = state.running ? "running" : open + state.failed > 0 ? "partly" : "finished";
  const bar = state.running
    ? h("progress", { max: Math.max(state.trials, 1), value: ended, "aria-label": `Trials of ${name}` })
    : null;
  return h(
    "div",
    { class: `state ${kind}` },
    h("span", { class: "dot", "aria-hidden": "true" }),
    h("strong", {}, `${several ? `${name}: ` : ""}${{ running: "Running", partly: "Incomplete", finished: "Finished" }[kind]}`),
    h("span", {}, words),
    bar,
    state.running ? silence(read_at) : null,
  );
}

function silence(since: number): HTMLElement | null {
  const seconds = Date.now() / 1000 - since;
  if (seconds < SILENT_AFTER) return null;
  const words = `No trial has started or ended since, for ${roughly(seconds)}. If the run was killed, `;
  return h("span", { class: "silence" }, words, h("code", {}, "imlp report"), " writes this page as it stands.");
}

function pauseButton(context: Context, seconds: number): HTMLElement {
  const element = h("p", { class: "refresh" });
  element.dataset.seconds = String(seconds);
  element.append(...pauseWords(context));
  return element;
}

function pauseWords({ store, data }: Context): Node[] {
  const { paused } = store.value;
  const words = paused ? "This page stays as it is." : `This page is read again every ${count(data.refresh_seconds ?? 0, "second")}.`;
  const button = h(
    "button",
    { type: "button", id: "pause", class: "quiet", onclick: () => {
      store.set({ paused: !paused });
      document.getElementById("pause")?.focus();
    } },
    paused ? "Resume" : "Pause",
  );
  return [h("span", {}, words), button];
}
