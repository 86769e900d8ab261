// Bundles src/ into the assets that the Rust side embeds. The same sources give the same
// bytes: CI builds again and compares. `npm ci` first.
import { build } from "esbuild";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const assets = join(here, "../crates/imlp-lab/assets");

const options = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  charset: "ascii",
  // light-dark() in CSS, and all of the language that we use.
  target: ["chrome123", "firefox120", "safari17.5"],
  legalComments: "none",
  write: false,
  metafile: true,
};
const script = await build({ ...options, entryPoints: ["src/main.ts"], format: "iife" });
const style = await build({ ...options, entryPoints: ["src/report.css"], charset: "utf8" });
const code = script.outputFiles[0].text;

// The script stands inline in a page; nothing in it may end or confuse its element.
for (const mark of ["</script", "<script", "<!--"]) {
  if (code.toLowerCase().includes(mark)) throw new Error(`the bundle contains ${mark}`);
}

writeFileSync(join(assets, "report.js"), code);
writeFileSync(join(assets, "report.css"), style.outputFiles[0].text);
writeFileSync(join(assets, "report.js.LICENSES.txt"), licences(script.metafile));
console.log(`report.js: ${code.length} bytes`);

/** The licence of every package from which something is in the bundle. */
function licences({ outputs }) {
  const used = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput ? [path] : [])),
  );
  const packages = new Set(used.flatMap((path) => path.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []));
  const entries = [...packages].sort().map((path) => {
    const { name, version, license } = JSON.parse(readFileSync(join(here, path, "package.json"), "utf8"));
    const file = readdirSync(join(here, path)).find((entry) => /^licen[sc]e/i.test(entry));
    if (!license || !file || !existsSync(join(here, path, file))) {
      throw new Error(`${name} ${version} states no licence`);
    }
    if (!["ISC", "MIT", "BSD-3-Clause"].includes(license)) {
      throw new Error(`${name} ${version} is under ${license}; look at it, then name it here`);
    }
    return `${name} ${version} (${license})\n\n${readFileSync(join(here, path, file), "utf8").trim()}\n`;
  });
  return `report.js contains code of these packages.\n\n${entries.join(`\n${"-".repeat(72)}\n\n`)}`;
}
