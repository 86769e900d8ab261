// The README's picture of a report: picture.mjs REPORT.html OUT.png. Its data are shown by the
// script as it is built now.
import { readFileSync } from "node:fs";
import { launch, open, pageFile, settled } from "./page.mjs";

const [report, out] = process.argv.slice(2);
const [, json] = readFileSync(report, "utf8").match(/id="data">(.*?)<\/script>/s);
const browser = await launch();
const page = await open(browser, pageFile("picture", JSON.parse(json)).address, { width: 1200 });
const height = await page.$eval("#learning", (next) => Math.floor(next.getBoundingClientRect().top - 24));
await page.setViewport({ width: 1200, height });
await settled(page);
await page.screenshot({ path: out });
await browser.close();
