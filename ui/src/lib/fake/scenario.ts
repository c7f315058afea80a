// What the simulated backend can be asked to be.
import type { Role, Settings } from "../../bindings/contract";

const SCENARIOS = [
  "plain",
  "live",
  "missing",
  "locked",
  "sealed",
  "killed",
  "venue-down",
  "pin-changed",
  "rate",
  "ambiguous",
  "slow",
  "link-down",
  "empty",
  "quiet",
  "broken",
  "idle",
] as const;
export type Scenario = (typeof SCENARIOS)[number];
export const isScenario = (name: string): name is Scenario => (SCENARIOS as readonly string[]).includes(name);

export type FakeOptions = {
  scenario?: Scenario;
  theme?: Settings["theme"];
  density?: Settings["density"];
  pnl?: Settings["pnl"];
  still?: boolean;
  prompt_ms?: number;
  now_ms?: () => number;
  /** What the session may do; nothing: everything. */
  roles?: readonly Role[];
};
