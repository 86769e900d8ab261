// The answer: which α, how good, better than what.
import type { Context } from "../context";
import { h } from "../dom";
import { alphaLabel, capitalised, count, listed, meanPercent, points, typeset } from "../format";
import { curveOf, type Series } from "../series";
import type { Gain } from "../view";

export function answerPanel({ series, data }: Context): HTMLElement[] {
  const compact = series.length > 1;
  const comparison = data.views.flatMap((view) => view.comparison);
  return [
    compact ? h("div", { class: "answers" }, ...series.map((s) => answer(s, true))) : h("div", {}, ...series.map((s) => answer(s, false))),
    ...comparison.map((sentence) => h("p", { class: "sentence" }, typeset(sentence))),
  ];
}

function answer(series: Series, compact: boolean): HTMLElement {
  const { answer, notes, subtitle } = series.configuration;
  const head = compact ? h("h3", {}, series.label) : null;
  const remarks = [
    ...notes.map((note) => h("p", { class: "note" }, ended(capitalised(note)))),
    subtitle ? h("p", { class: "trained" }, ended(capitalised(subtitle))) : null,
  ];
  if (!answer || answer.best_alpha === null) {
    const words = answer ? [answer.shape, answer.diagnosis] : [];
    const why = answer ? "No α could be chosen: no trial has a validation accuracy." : unanswered(series);
    return h("article", { class: "card answer" }, head, h("p", { class: "empty" }, why), ...sentences(words), ...remarks);
  }
  const seeds = curveOf(series, "test", "after")?.points.find((p) => p.alpha === answer.best_alpha)?.n;
  const tiles = h(
    "dl",
    { class: "tiles" },
    tile("Best α on validation", alphaLabel(answer.best_alpha), answer.best_alpha === 0 ? "the plain MLP" : null, true),
    tile("Its test accuracy", meanPercent(answer.accuracy, answer.interval), seeds ? count(seeds, "seed") : null),
    gain("Over the plain MLP", answer.gain_over_plain_mlp, answer.best_alpha === 0 ? "it is the plain MLP" : "not measured"),
    gain("Over the prior", answer.gain_over_prior, "not measured"),
  );
  return h("article", { class: "card answer" }, head, tiles, ...sentences([answer.shape, answer.diagnosis]), ...remarks);
}

function unanswered({ configuration: { trials } }: Series): string {
  const ended = (state: string) => trials.filter((trial) => trial.state.endsWith(state)).length;
  const [diverged, failed] = [ended("diverged"), ended("failed")];
  if (trials.length === 0 || diverged + failed < trials.length) return "No trial has finished yet.";
  const parts = [diverged > 0 && `${count(diverged, "trial")} diverged`, failed > 0 && `${count(failed, "trial")} failed`];
  return `There is no accuracy: ${listed(parts.filter((part): part is string => part !== false))}.`;
}

function gain(name: string, gain: Gain | null, absent: string): HTMLElement {
  if (!gain) return tile(name, "–", absent);
  return tile(name, points(gain.mean, gain.interval), `points, paired over ${count(gain.seeds, "seed")}`);
}

function tile(name: string, value: string, under: string | null, main = false): HTMLElement {
  return h(
    "div",
    { class: main ? "tile main" : "tile" },
    h("dt", {}, name),
    h("dd", {}, h("span", { class: "value" }, value), under ? h("span", { class: "under" }, under) : null),
  );
}

function sentences(words: string[]): HTMLElement[] {
  return words.filter((text) => text !== "").map((text) => h("p", { class: "sentence" }, ended(capitalised(typeset(text)))));
}

function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
