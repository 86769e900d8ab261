// What is needed to run it again.
import type { Context } from "../context";
import { details } from "../details";
import { h, link } from "../dom";
import type { Fact, View } from "../view";

export function reproducePanel(context: Context): HTMLElement[] {
  return context.data.views.map((view, index) => experiment(context, view, index));
}

function experiment({ data, series, store }: Context, view: View, index: number): HTMLElement {
  const own = series.filter((s) => s.view === view);
  const several = own.length > 1;
  return h(
    "article",
    { class: "card" },
    data.views.length > 1 ? h("h3", {}, view.name) : null,
    command(view.command, index),
    facts(view.facts),
    ...own.flatMap((s, i): (HTMLElement | null)[] => {
      const { facts: values, config_toml: toml, label } = s.configuration;
      const name = several ? `Configuration: ${label}` : "Configuration";
      return [
        several && values.length > 0 ? h("h4", {}, label) : null,
        facts(values),
        details(store, `config-${index}-${i}`, name, () => code(toml, name)).element,
      ];
    }),
    view.files.length > 0 ? h("h4", {}, "Files") : null,
    view.files.length > 0 ? h("ul", { class: "files" }, ...view.files.map((file) => h("li", {}, link(file)))) : null,
  );
}

function command(text: string, index: number): HTMLElement {
  const box = code(text, "Command");
  const button: HTMLButtonElement = h("button", { type: "button", id: `copy-${index}` }, "Copy");
  button.addEventListener("click", async () => {
    button.textContent = (await copied(text)) ? "Copied" : "Select and copy";
    setTimeout(() => (button.textContent = "Copy"), 2000);
    if (button.textContent !== "Copied") getSelection()?.selectAllChildren(box);
  });
  return h("div", { class: "command" }, box, button);
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Refused: the reader copies what is selected.
    return false;
  }
}

function code(text: string, name: string): HTMLElement {
  return h("pre", { tabindex: 0, role: "region", "aria-label": name }, h("code", {}, text));
}

function facts(values: Fact[]): HTMLElement | null {
  if (values.length === 0) return null;
  return h("dl", { class: "facts" }, ...values.map(({ name, value }) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}
