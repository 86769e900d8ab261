// A page as the Rust side writes it, and a browser that looks at it.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

export const here = dirname(fileURLToPath(import.meta.url));
const assets = join(here, "../../crates/imlp-lab/assets");
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/** The page of `data`. Text within a script element may hold no `<`. */
export function shell(data) {
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  const asset = (name) => readFileSync(join(assets, name), "utf8");
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}"><title>Report</title>
<style>${asset("report.css")}</style></head>
<body><main id="report"><h1>Report</h1><p>The numbers are in results.csv.</p></main>
<script type="application/json" id="data">${json}</script><script>${asset("report.js")}</script></body></html>`;
}

const scratch = mkdtempSync(join(tmpdir(), "imlp-report-"));

/** The address of a file with the page of `data`. */
export function pageFile(name, data) {
  const path = join(scratch, name, "report.html");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, shell(data));
  return { path, address: pathToFileURL(path).href };
}

export function launch() {
  const path = process.env.CHROME_PATH ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  if (!path) throw new Error("no Chromium: install Debian's chromium, or name one in CHROME_PATH");
  return puppeteer.launch({ executablePath: path, args: ["--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"] });
}

/** A page at `address`, drawn, with everything that went wrong in `page.troubles`. */
export async function open(browser, address, { width = 1280, dark = false } = {}) {
  const page = await browser.newPage();
  page.troubles = [];
  page.on("pageerror", (error) => page.troubles.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) page.troubles.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    // Anything beyond the file itself; what a file holds within it is no request.
    if (!/^(data|blob):/.test(request.url()) && request.url().split("#")[0] !== address) page.troubles.push(`request: ${request.url()}`);
  });
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
  await page.goto(address);
  await settled(page);
  return page;
}

/** Waits until charts are drawn for the width of the page. */
export async function settled(page) {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)))));
}
