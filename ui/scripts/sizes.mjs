// Weighs the production build, gzipped, against its budget, and makes sure that the simulated backend is not in it.
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const BUDGETS_KB = { "lock screen": 30, "first use": 34, "initial, to Trade without chart": 130, total: 250 };
const FORBIDDEN = ["strongroom-simulated-backend"];

const assets = `${DIST}assets/`;
const scripts = readdirSync(assets).filter((name) => name.endsWith(".js"));
const text = Object.fromEntries(scripts.map((name) => [name, readFileSync(assets + name, "utf8")]));
const weight = (names) => [...names].reduce((sum, name) => sum + gzipSync(text[name]).length, 0) / 1000;

/** The chunk and everything it imports at once. */
function reach(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const [, other] of text[name].matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g)) if (other in text) reach(other, seen);
  return seen;
}
const html = readFileSync(`${DIST}index.html`, "utf8");
const entry = /src="\.\/assets\/([\w.-]+\.js)"/.exec(html)[1];
const lock = reach(entry);
const upTo = (screen) =>
  reach(
    scripts.find((name) => name.startsWith(`${screen}-`)),
    new Set(lock),
  );
const sizes = {
  "lock screen": weight(lock),
  "first use": weight(upTo("FirstUse")),
  "initial, to Trade without chart": weight(upTo("Desk")),
  total: weight(scripts),
};

let failed = false;
for (const [what, kb] of Object.entries(sizes)) {
  const over = kb > BUDGETS_KB[what];
  failed ||= over;
  console.log(`${over ? "OVER " : "ok   "}${what}: ${kb.toFixed(1)} of ${BUDGETS_KB[what]} kB`);
}
for (const [name, code] of Object.entries(text))
  for (const word of FORBIDDEN)
    if (code.includes(word)) {
      failed = true;
      console.log(`${name} contains ${word}`);
    }
if (/<script>|style=|<style/.test(html)) {
  failed = true;
  console.log("index.html has inline code or styles");
}
process.exitCode = failed ? 1 : 0;
