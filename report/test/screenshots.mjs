// Pictures of every page, light and dark, wide and narrow, into test/screenshots: for people
// to look at. Names as arguments take some pages only.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { here, launch, open, pageFile, settled } from "./page.mjs";
import { PAGES } from "./synthetic.mjs";

const folder = process.env.SCREENSHOTS ?? join(here, "screenshots");
mkdirSync(folder, { recursive: true });
const wanted = process.argv.slice(2);
const browser = await launch();
for (const [name, data] of Object.entries(PAGES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { address } = pageFile(name, { ...data(), refresh_seconds: name === "running" ? 60 : null });
  for (const width of [1280, 375]) {
    for (const dark of [false, true]) {
      const page = await open(browser, address, { width, dark });
      await settled(page);
      await page.screenshot({ path: join(folder, `${name}-${width}-${dark ? "dark" : "light"}.png`), fullPage: true });
      await page.close();
    }
  }
}
await browser.close();
