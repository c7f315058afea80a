// Runs axe over every scene in both themes in a real engine, contrast included, and looks for cells that their buttons do not fit
// into. Invariant: any violation fails.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { onEveryScene } from "./stage.mjs";

const source = readFileSync(fileURLToPath(new URL("../node_modules/axe-core/axe.min.js", import.meta.url)), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const violations = [];
const faults = await onEveryScene(
  async (page, scene, theme) => {
    await page.evaluate(source);
    const result = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: { type: "tag", values: tags } }), TAGS);
    for (const violation of result.violations)
      for (const node of violation.nodes)
        violations.push(
          `${scene.name} ${theme}: ${violation.id} at ${node.target.join(" ")}: ${node.any
            .concat(node.all, node.none)
            .map((check) => check.message)
            .join("; ")}`,
        );
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll("td:has(button)")]
        .filter((cell) => cell.scrollWidth > cell.clientWidth)
        .map((cell) => cell.textContent),
    );
    for (const name of cut) violations.push(`${scene.name} ${theme}: “${name}” is cut off`);
  },
  { only: process.argv.slice(2), bypassPolicy: true },
);
for (const line of [...violations, ...faults]) console.error(line);
console.log(`${violations.length} violations, ${faults.length} errors of the page`);
process.exitCode = violations.length + faults.length > 0 ? 1 : 0;
