// Pictures of every page, light and dark, wide and narrow, into test/screenshots: for people
// to look at; with IMLP_EXPERIMENTS=FOLDER those of real experiments too. Names as arguments
// take some pages only.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { here, launch, open, pageFile, settled } from "./page.mjs";
import { PAGES } from "./synthetic.mjs";

const folder = process.env.SCREENSHOTS ?? join(here, "screenshots");
mkdirSync(folder, { recursive: true });
const wanted = process.argv.slice(2);
const made = Object.entries(PAGES).map(([name, data]) => [
  name,
  () => pageFile(name, { ...data(), refresh_seconds: name === "running" ? 60 : null }).address,
]);
const browser = await launch();
for (const [name, address] of [...made, ...real(process.env.IMLP_EXPERIMENTS)]) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const width of [1280, 375]) {
    for (const dark of [false, true]) {
      const page = await open(browser, address(), { width, dark });
      await settled(page);
      await page.screenshot({ path: join(folder, `${name}-${width}-${dark ? "dark" : "light"}.png`), fullPage: true });
      await page.close();
    }
  }
}
await browser.close();

function real(experiments) {
  if (!experiments) return [];
  const reports = readdirSync(experiments).map((name) => [name, resolve(experiments, name, "report.html")]);
  return reports.filter(([, path]) => existsSync(path)).map(([name, path]) => [`real-${name}`, () => pathToFileURL(path).href]);
}
