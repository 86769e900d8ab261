// The page in a browser, for experiments in every state. Data come from synthetic.mjs, and
// with IMLP_EXPERIMENTS=FOLDER (from make-experiments.sh) from reports of real experiments.
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { launch, open, pageFile, settled } from "./page.mjs";
import { PAGES } from "./synthetic.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** Runs `look` on a page, which must have had no trouble. */
async function on(name, options, look, change = (data) => data) {
  const { address, path } = pageFile(name, change(PAGES[name]()));
  const page = await open(browser, address, options);
  try {
    await look(page, path);
    assert.deepEqual(page.troubles, []);
  } finally {
    await page.close();
  }
}

const click = async (page, selector) => {
  await page.$eval(selector, (element) => element.click());
  await settled(page);
};
/** What is drawn: without the words for screen readers and the names that Plot numbers. */
const chart = (page, id = "curve-figure") =>
  page.$eval(`#${id} .frame > svg`, (svg) => svg.innerHTML.replace(/plot-[\w-]+/g, ""));
const text = (page, selector) => page.$eval(selector, (element) => element.textContent);
const column = (page, n) => page.$$eval(`#trials-table tbody tr td:nth-child(${n})`, (cells) => cells.map((c) => c.textContent));

describe("every page", () => {
  for (const name of Object.keys(PAGES)) {
    for (const width of [1280, 375]) {
      test(`${name}, ${width} px`, () => on(name, { width }, (page) => sound(page, width), still));
    }
  }
});

/** What holds for every page: eight panels, nothing beyond the edge, words that make sense,
 * nothing serious found by axe in light and in dark. */
async function sound(page, width) {
  assert.equal(await page.$$eval("main > section", (sections) => sections.length), 8);
  await opened(page);
  assert.deepEqual(await overflowing(page), [], "wider than the screen");
  assert.deepEqual(nonsense(await text(page, "main")), []);
  if (width < 1000) return;
  for (const value of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
    await settled(page);
    assert.deepEqual(await serious(page), [], value);
  }
}

/** The same data, not read again while a test looks. */
function still(data) {
  return { ...data, refresh_seconds: data.refresh_seconds && 3600 };
}

async function opened(page) {
  await page.$$eval("details", (all) => all.forEach((details) => (details.open = true)));
  await settled(page);
}

/** What reaches beyond the right edge, other than within boxes that scroll. */
function overflowing(page) {
  return page.evaluate(() => {
    const edge = document.documentElement.clientWidth;
    const beyond = [...document.body.querySelectorAll("*")].filter(
      (e) => !e.closest(".scroll, pre, [hidden]") && e.getBoundingClientRect().right > edge + 1,
    );
    const names = beyond.map((e) => `${e.tagName} ${e.id} ${e.className.baseVal ?? e.className}`);
    return document.documentElement.scrollWidth > edge ? [...names, "the page scrolls sideways"] : names;
  });
}

function nonsense(words) {
  const wrong = words.match(/\b(NaN|undefined|null|Infinity)\b|\(s\)|\[object|\b1 (seeds|trials|units|layers|epochs)\b/g);
  return wrong ?? [];
}

async function serious(page) {
  await page.evaluate(AXE);
  // A table's first rows stand for all of it.
  const { violations } = await page.evaluate(() => {
    document.querySelectorAll("tbody tr:nth-child(n + 12)").forEach((row) => row.remove());
    return axe.run({ resultTypes: ["violations"] });
  });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.slice(0, 3).map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`));
}

describe("the answer", () => {
  test("numbers in sentences have a true minus sign", () =>
    on("finished", {}, async (page) => assert.match(await text(page, ".answer"), /\(−7\.36 ± 2\.11 points to the plain MLP, −7\.05/)));
});

describe("the α-curve", () => {
  test("the box at the pointer has the numbers of the data", () =>
    on("finished", {}, async (page) => {
      const { curve } = PAGES.finished().views[0].configurations[0].curves.find((c) => c.on === "test" && c.at === "after");
      const shown = await pointedAt(page);
      assert.equal(shown.length, curve.points.length);
      for (const [i, point] of curve.points.entries()) {
        assert.equal(shown[i].title, `α = ${point.alpha}`);
        assert.equal(shown[i][`mean, ${point.n} seeds`].split(" ")[0], (100 * point.mean).toFixed(2));
        for (const { seed, value } of point.values) close(shown[i][`seed ${seed}`], value);
      }
      await page.mouse.move(0, 0);
      await settled(page);
      assert.ok(await page.$eval("#curve-figure .hover", (box) => box.hidden));
    }));

  test("the arrow keys go from point to point", () =>
    on("finished", {}, async (page) => {
      await page.$eval("#curve-figure .frame > svg", (svg) => svg.focus());
      await page.keyboard.press("ArrowRight");
      await settled(page);
      assert.equal((await hovered(page)).title, "α = 0");
      await page.keyboard.press("ArrowRight");
      await settled(page);
      assert.equal((await hovered(page)).title, "α = 0.01");
      await page.keyboard.press("Escape");
      await settled(page);
      assert.ok(await page.$eval("#curve-figure .hover", (box) => box.hidden));
    }));

  test("every switch changes it, and back", () =>
    on("finished", {}, async (page) => {
      const first = await chart(page);
      const pairs = [
        ["#axis-logit", "#axis-log"],
        ["#axis-rank", "#axis-log"],
        ["#at-before", "#at-after"],
        ["#on-validation", "#on-test"],
        ["#on-training", "#on-test"],
        ["#seeds", "#seeds"],
        ["#band", "#band"],
        ["#levels", "#levels"],
      ];
      for (const [there, back] of pairs) {
        await click(page, there);
        assert.notEqual(await chart(page), first, there);
        await click(page, back);
        assert.equal(await chart(page), first, back);
      }
    }));

  test("0 and 1 have a place on every axis", () =>
    on("two-sided", {}, async (page) => {
      for (const axis of ["log", "logit", "rank"]) {
        await click(page, `#axis-${axis}`);
        const labels = await page.$$eval("#curve-figure [data-mark='x-axis tick label'] text", (all) => all.map((t) => t.textContent));
        assert.equal(labels.at(0), "0", axis);
        assert.equal(labels.at(-1), "1", axis);
      }
    }));

  test("a legend hides and shows configurations", () =>
    on("configurations", {}, async (page) => {
      const first = await chart(page);
      await click(page, "#series-1");
      assert.notEqual(await chart(page), first);
      assert.equal(await page.$eval("#series-1", (b) => b.getAttribute("aria-pressed")), "false");
      await click(page, "#series-0");
      await click(page, "#series-2");
      assert.match(await text(page, "#curve-figure .frame"), /Every configuration is hidden/);
      await click(page, "#series-1");
      assert.match(await text(page, "#curve-figure figcaption"), /allocation = first/);
    }));

  test("what diverged is counted and has no value", () =>
    on("diverged", {}, async (page) => {
      const marks = await page.$$eval("#curve-figure .frame > svg text", (all) => all.map((t) => t.textContent).filter((t) => t.startsWith("×")));
      assert.deepEqual(marks, ["× 2", "× 2", "× 5"]);
      assert.match(await text(page, "#curve-figure figcaption"), /diverged \(9\)/);
    }));

  test("the data table has the values as they are in the data", () =>
    on("finished", {}, async (page) => {
      await page.$eval("#curve-figure-data", (details) => (details.open = true));
      await settled(page);
      const cells = await page.$$eval("#curve-figure-data tbody tr:first-child td", (all) => all.map((c) => c.textContent));
      const { points } = PAGES.finished().views[0].configurations[0].curves[1].curve;
      assert.equal(cells.at(-1), points[0].values.map((v) => `${v.seed}: ${v.value}`).join(", "));
    }));
});

/** What the box says at every α, in order, when the pointer goes there. */
async function pointedAt(page) {
  const middle = await page.$eval("#curve-figure .frame > svg", (svg) => {
    svg.scrollIntoView({ block: "center", behavior: "instant" });
    const { top, height } = svg.getBoundingClientRect();
    return top + height / 2;
  });
  const places = await page.$$eval("#curve-figure [data-mark='x-axis tick'] path", (ticks) =>
    ticks.map((tick) => tick.getBoundingClientRect().left + tick.getBoundingClientRect().width / 2),
  );
  const boxes = [];
  for (const place of places) {
    await page.mouse.move(place, middle);
    await settled(page);
    boxes.push(await hovered(page));
  }
  return boxes;
}

/** Per cent as shown, with four decimals at most, of a fraction. */
function close(shown, fraction) {
  assert.ok(Math.abs(Number.parseFloat(shown) / 100 - fraction) <= 5.1e-7, `${shown} for ${fraction}`);
}

/** The first chart's box as names and values. */
function hovered(page) {
  return page.$eval("#curve-figure .hover", (box) => {
    const rows = [...box.querySelectorAll(".hover-row")].map((row) => [row.querySelector("span:not(.swatch)").textContent, row.querySelector("b").textContent]);
    return { title: box.querySelector("strong")?.textContent, ...Object.fromEntries(rows) };
  });
}

describe("other charts", () => {
  test("courses are chosen by chips", () =>
    on("finished", {}, async (page) => {
      const first = await chart(page, "learning-loss");
      await click(page, "[id='course-0.3']");
      assert.notEqual(await chart(page, "learning-loss"), first);
      assert.match(await text(page, "#learning-loss figcaption"), /α = 0\.3:/);
      const accuracy = await chart(page, "learning-accuracy");
      await click(page, "#courseAt-before");
      assert.notEqual(await chart(page, "learning-accuracy"), accuracy);
    }));

  test("the schedule follows α and the configuration", () =>
    on("configurations", {}, async (page) => {
      const first = await text(page, "#schedule figcaption");
      await page.select("#schedule-alpha", "0.3");
      await settled(page);
      const second = await text(page, "#schedule figcaption");
      assert.notEqual(second, first);
      await page.select("#layers-of", "2");
      await settled(page);
      assert.match(await text(page, "#schedule figcaption"), /α from 0 to 0\.3/);
      assert.equal(await page.$eval("#weights-of", (s) => s.value), "2");
    }));

  test("weights are images with words, and the scale changes them", () =>
    on("finished", {}, async (page) => {
      const images = () => page.$$eval("#weights canvas", (all) => all.map((c) => c.toDataURL()));
      const first = await images();
      assert.equal(first.length, 6 * (1 + 9 + 1));
      assert.ok(new Set(first).size > 40);
      assert.match(await page.$eval("#weights canvas", (c) => c.getAttribute("aria-label")), /channel 0 at \(6, 6\), prior: weights from −/);
      await click(page, "#weightScale-unit");
      assert.notDeepEqual(await images(), first);
      assert.match(await text(page, "#weights figcaption"), /cosine .* 1\.00 at α = 1/);
    }));

  test("a downloaded chart stands on its own", () =>
    on("finished", {}, async (page) => {
      const file = await page.evaluate(() => {
        return new Promise((done) => {
          const make = URL.createObjectURL;
          URL.createObjectURL = (blob) => (blob.text().then(done), make.call(URL, blob));
          HTMLAnchorElement.prototype.click = () => {};
          document.getElementById("curve-figure-svg").click();
        });
      });
      assert.match(file, /^<svg[^>]+xmlns="http:\/\/www.w3.org\/2000\/svg"/);
      assert.match(file, /<title>Accuracy against α<\/title>/);
      assert.doesNotMatch(file, /var\(--/);
    }));
});

describe("the table of trials", () => {
  test("sorts both ways, what has no value last", () =>
    on("partly-failed", {}, async (page) => {
      await click(page, "#sort-test");
      const values = (await column(page, 4)).map(Number.parseFloat);
      const known = values.filter((v) => !Number.isNaN(v));
      assert.deepEqual(known, [...known].sort((a, b) => a - b));
      assert.deepEqual(values.slice(known.length).filter((v) => !Number.isNaN(v)), []);
      await click(page, "#sort-test");
      const down = (await column(page, 4)).map(Number.parseFloat).slice(0, known.length);
      assert.deepEqual(down, [...known].reverse());
      assert.equal(await page.$eval("#trials-table th:nth-child(4)", (th) => th.getAttribute("aria-sort")), "descending");
    }));

  test("filters by state, α and seed", () =>
    on("partly-failed", {}, async (page) => {
      await page.select("#trial-state", "failed");
      await settled(page);
      assert.equal((await column(page, 3)).length, 6);
      assert.match(await text(page, "#trials .shown"), /^6 of 45 trials$/);
      assert.match((await column(page, 11))[0], /No space left/);
      await page.select("#trial-alpha", "0.3");
      await page.select("#trial-seed", "102");
      await settled(page);
      assert.deepEqual(await column(page, 2), ["102"]);
      await page.select("#trial-state", "done");
      await settled(page);
      assert.match(await text(page, "#trials-table tbody"), /No trial matches/);
    }));

  test("200 trials are all there, in less than 3 MB", () =>
    on("many-trials", {}, async (page, path) => {
      assert.equal((await column(page, 1)).length, 200);
      assert.ok(statSync(path).size < 3e6, `${statSync(path).size} bytes`);
    }));
});

describe("text from outside", () => {
  test("is inert, and only paths within the folder are links", () =>
    on("hostile", {}, async (page) => {
      await opened(page);
      assert.equal(await page.evaluate(() => window.hacked), undefined);
      assert.equal(await page.$$eval("img, iframe, object, script:not([id]):not(:last-of-type)", (all) => all.length), 0);
      const links = await page.$$eval("main a", (all) => all.map((a) => a.getAttribute("href")));
      assert.doesNotMatch(await text(page, "main"), /[\u202e\u0007]/);
      const strange = links.filter((href) => !/^#[a-z]+$|^trials\/[0-9a-f]+\/result\.json$|^results\.csv$|^50%25%20sure%3F\.txt$/.test(href));
      assert.deepEqual(strange, []);
    }));

  test("in the address is checked", async () => {
    const { address } = pageFile("finished", PAGES.finished());
    const page = await open(browser, address);
    await page.goto("about:blank");
    await page.goto(`${address}#axis=%3Cb%3E&of=99&courses=x,y&sort=nothing&hidden=NaN&open=__proto__&scheduleOf=7&zzz=1`);
    await settled(page);
    assert.ok(await page.$("#curve-figure .frame > svg"));
    assert.ok(await page.$eval("#axis-log", (input) => input.checked));
    assert.deepEqual(page.troubles, []);
    await page.close();
  });
});

describe("while it runs", () => {
  const quick = (data) => ({ ...data, refresh_seconds: 1 });

  test("the page is read again, with its place and selections", () =>
    on("running", {}, async (page) => {
      await click(page, "#axis-rank");
      await click(page, "#seeds");
      await page.select("#trial-state", "waiting");
      await page.$eval("#curve-figure-data", (details) => (details.open = true));
      await settled(page);
      await page.focus("#seeds");
      await page.evaluate(() => scrollTo({ top: 1200, behavior: "instant" }));
      await settled(page);
      const again = page.waitForNavigation({ timeout: 15000 });
      await again;
      await settled(page);
      await settled(page);
      assert.ok(Math.abs((await page.evaluate(() => scrollY)) - 1200) <= 2);
      assert.ok(await page.$eval("#axis-rank", (input) => input.checked));
      assert.ok(!(await page.$eval("#seeds", (input) => input.checked)));
      assert.equal(await page.$eval("#trial-state", (s) => s.value), "waiting");
      assert.ok(await page.$eval("#curve-figure-data", (details) => details.open));
      assert.equal(await page.evaluate(() => document.activeElement.id), "seeds");
    }, quick));

  test("not under a pointer that reads a chart, nor when paused", () =>
    on("running", {}, async (page) => {
      await page.evaluate(() => (window.same = true));
      await page.hover("#curve-figure .frame");
      await new Promise((done) => setTimeout(done, 5000));
      assert.ok(await page.evaluate(() => window.same));
      await click(page, "#pause");
      await page.mouse.move(0, 0);
      await new Promise((done) => setTimeout(done, 5000));
      assert.ok(await page.evaluate(() => window.same));
      assert.match(await text(page, ".refresh"), /stays as it is/);
    }, quick));

  test("a run without news for long may have been killed", () =>
    on("running", {}, async (page) => assert.match(await text(page, ".silence"), /for 3 hours.*imlp report/), (data) => {
      data.views[0].read_at -= 3 * 3600 + 60;
      return quick(data);
    }));

  test("a run with news says nothing of it", () =>
    on("running", {}, async (page) => assert.equal(await page.$(".silence"), null), quick));

  test("a final page is left alone", () =>
    on("finished", {}, async (page) => {
      assert.equal(await page.$(".refresh"), null);
    }));
});

describe("theme", () => {
  test("the button changes it, and it outlives a reload", () =>
    on("finished", {}, async (page) => {
      const paper = () => page.$eval("body", (body) => getComputedStyle(body).backgroundColor);
      const light = await paper();
      const drawn = await chart(page);
      await click(page, "#theme");
      assert.notEqual(await paper(), light);
      assert.notEqual(await chart(page), drawn);
      await page.reload();
      await settled(page);
      assert.notEqual(await paper(), light);
      await click(page, "#theme");
    }));
});

const FOLDER = process.env.IMLP_EXPERIMENTS;

describe("reports of real experiments", { skip: FOLDER ? false : "IMLP_EXPERIMENTS names none" }, () => {
  const NAMES = ["finished", "running", "diverged", "one-seed", "many-trials", "configurations", "compared"];
  const report = (name) => join(FOLDER, name, "report.html");

  /** Runs `look` on a report, which must have had no trouble; it is not read again. */
  async function at(name, options, look) {
    const page = await open(browser, `${pathToFileURL(resolve(report(name))).href}`, options);
    try {
      if (await page.$("#pause")) await click(page, "#pause");
      await look(page);
      assert.deepEqual(page.troubles, []);
    } finally {
      await page.close();
    }
  }

  for (const name of NAMES) {
    for (const width of [1280, 375]) test(`${name}, ${width} px`, () => at(name, { width }, (page) => sound(page, width)));
    test(`${name} has less than 3 MB`, () => assert.ok(statSync(report(name)).size < 3e6, `${statSync(report(name)).size} bytes`));
  }

  for (const name of ["finished", "running", "diverged", "one-seed", "many-trials"]) {
    test(`${name}: the box at the pointer has the numbers of results.csv`, () =>
      at(name, {}, async (page) => {
        const rows = results(name).filter((row) => row.status === "done" || row.status === "diverged");
        const alphas = [...new Set(rows.map((row) => Number(row.alpha)))].sort((a, b) => a - b);
        const shown = await pointedAt(page);
        assert.equal(shown.length, alphas.length);
        let compared = 0;
        for (const [i, alpha] of alphas.entries()) {
          for (const { seed, status, test_accuracy_after: value } of rows.filter((row) => Number(row.alpha) === alpha)) {
            if (status !== "done") continue;
            close(shown[i][`seed ${seed}`], Number(value));
            compared++;
          }
        }
        assert.ok(compared > 0);
      }));
  }

  function results(name) {
    const [head, ...lines] = readFileSync(join(FOLDER, name, "results.csv"), "utf8").trim().split("\n");
    const columns = head.split(",");
    return lines.map((line) => Object.fromEntries(line.split(",").map((cell, i) => [columns[i], cell])));
  }
});
