// Light or dark: as the system has it, until the reader chooses.
import { palette, type Palette } from "./colours";
import { h } from "./dom";
import { recall, remember } from "./storage";

type Choice = "auto" | "light" | "dark";
const KEY = "imlp-theme";

export class Theme {
  #choice: Choice = "auto";
  #printing = false;
  readonly #system = matchMedia("(prefers-color-scheme: dark)");
  readonly #listeners = new Set<() => void>();

  constructor() {
    const stored = recall("local", KEY);
    if (stored === "light" || stored === "dark") this.#choice = stored;
    this.#apply();
    this.#system.addEventListener("change", () => this.#apply());
    // Paper is white.
    addEventListener("beforeprint", () => this.#print(true));
    addEventListener("afterprint", () => this.#print(false));
  }

  get colours(): Palette {
    return palette(this.#dark && !this.#printing);
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** The button that switches. */
  button(): HTMLElement {
    const words = () => (this.#dark ? "Light theme" : "Dark theme");
    const button: HTMLButtonElement = h("button", {
      type: "button",
      id: "theme",
      class: "quiet",
      onclick: () => {
        this.#choice = this.#dark ? "light" : "dark";
        remember("local", KEY, this.#choice);
        this.#apply();
      },
    });
    button.textContent = words();
    this.onChange(() => (button.textContent = words()));
    return button;
  }

  get #dark(): boolean {
    return this.#choice === "auto" ? this.#system.matches : this.#choice === "dark";
  }

  #print(printing: boolean): void {
    this.#printing = printing;
    this.#apply();
  }

  #apply(): void {
    const root = document.documentElement;
    if (this.#printing) root.dataset.theme = "light";
    else if (this.#choice === "auto") delete root.dataset.theme;
    else root.dataset.theme = this.#choice;
    for (const listener of this.#listeners) listener();
  }
}
