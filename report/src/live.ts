// A running experiment is read again, in place: scroll, focus and selections stay. Never
// under the reader's hands.
import type { Store } from "./selections";
import { recall, remember } from "./storage";

const KEY = `imlp-place ${location.pathname}`;
/** How long after the last touch the page stays as it is, in milliseconds. */
const QUIET = 3000;

export function startReloading(store: Store, seconds: number): void {
  let touched = 0;
  const touch = () => (touched = Date.now());
  for (const event of ["pointerdown", "pointermove", "keydown", "wheel", "touchmove", "input"]) {
    addEventListener(event, touch, { passive: true });
  }
  let due = Date.now() + 1000 * seconds;
  setInterval(() => {
    if (Date.now() < due || busy(touched) || store.value.paused) return;
    due = Infinity;
    keepPlace();
    location.reload();
  }, 250);
}

/** Whether the page is unseen, or in use. */
function busy(touched: number): boolean {
  const control = document.activeElement;
  const writing = control instanceof HTMLSelectElement && control.matches(":focus-visible") && Date.now() - touched < 10 * QUIET;
  const pointed = document.querySelector(".frame:hover, .controls:hover, .legend:hover, .scroll:hover, .hover:not([hidden])");
  const selecting = !getSelection()?.isCollapsed;
  return document.hidden || writing || pointed !== null || selecting || Date.now() - touched < QUIET;
}

function keepPlace(): void {
  const inner = [...document.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
  const focus = document.activeElement?.id ?? "";
  remember("session", KEY, JSON.stringify({ x: scrollX, y: scrollY, inner, focus }));
}

/** Takes the reader back to the place before a reload, once charts have their heights. */
export function returnToPlace(): void {
  // Otherwise browsers scroll to a place in the page as it was before its charts.
  history.scrollRestoration = "manual";
  addEventListener("pagehide", keepPlace);
  const stored = recall("session", KEY);
  const reloaded = performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming | undefined;
  if (stored === null || reloaded?.type === "navigate") return;
  // Charts are drawn after the first layout, which tells their widths.
  requestAnimationFrame(() => requestAnimationFrame(() => restore(stored)));
}

function restore(stored: string): void {
  const { x, y, inner, focus } = JSON.parse(stored) as { x: number; y: number; inner: [number, number][]; focus: string };
  document.querySelectorAll(".scroll").forEach((box, i) => box.scrollTo(...(inner[i] ?? [0, 0])));
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  scrollTo({ left: x, top: y, behavior: "instant" });
}
