// Where the page's backend comes from while drawing and testing: the simulated one, in the scenario the address names.
import type { Commands } from "./bindings/contract";
import { fakeBackend } from "./lib/fake";
import { isScenario } from "./lib/fake/scenario";
import { ALL_ROLES } from "./lib/permissions";

const DENSITIES = ["compact", "standard", "relaxed"] as const;
const COLOURS = ["blue-orange", "classic", "classic-east"] as const;

export function connect(): Commands {
  const query = new URLSearchParams(location.search);
  const named = query.get("fake") ?? "";
  return fakeBackend({
    scenario: isScenario(named) ? named : "plain",
    theme: query.get("theme") === "light" ? "light" : "dark",
    density: DENSITIES.find((name) => name === query.get("density")) ?? "standard",
    pnl: COLOURS.find((name) => name === query.get("pnl")) ?? "blue-orange",
    still: query.has("still"),
    ...(query.has("roles") ? { roles: ALL_ROLES.filter((role) => query.get("roles")?.split(",").includes(role)) } : {}),
  });
}
