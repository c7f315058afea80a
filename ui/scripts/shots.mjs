// Leaves a picture of every scene in both themes: node scripts/shots.mjs DIR [scene...].
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { onEveryScene } from "./stage.mjs";

const [directory = "shots", ...words] = process.argv.slice(2);
const themes = words.filter((word) => word === "dark" || word === "light");
const only = words.filter((word) => !themes.includes(word));
mkdirSync(directory, { recursive: true });
const faults = await onEveryScene((page, scene, theme) => page.screenshot({ path: join(directory, `${scene.name}-${theme}.png`) }), {
  only,
  themes: themes.length > 0 ? themes : ["dark", "light"],
});
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
