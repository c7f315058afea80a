// The desk's rules as people set them. Invariant: the table is total; a rule that the contract gains does not compile until it stands here.
import { RULES as ALL_RULES, type DeskRule, type Policy, type RuleMode } from "../bindings/contract";
import * as d from "../lib/decimal";

/** The rules' numbers: field of the policy, name, unit, what the number is multiplied by (nothing: it is a decimal), whether
 * zero can be typed: nothing at all. */
export const DESK_FIELDS = [
  ["drift_bps", "Off the best of ten minutes", "%", "100", false],
  ["slippage_bps", "Market orders fill within", "%", "100", false],
  ["open_orders_max", "Open orders", "orders", "1", true],
  ["exposure_max", "All that is held", "currency", null, true],
  ["day_loss_max", "Loss of a day, then stop", "currency", null, true],
  ["drawdown_max", "Fall from the day's best, then stop", "currency", null, true],
  ["duplicate_ms", "Same order again after", "s", "1000", false],
  ["fills_per_minute", "Same side fills a minute, then stop", "orders", "1", false],
  ["cancels_percent", "Cancels for 100 orders", "cancels", "1", false],
] as const;
export type DeskField = (typeof DESK_FIELDS)[number][0];
/** What is set otherwise than by one number: in percent, as a list, per instrument, by a switch. */
export const OTHER_WORDS = {
  collar: "Distance from the market",
  restricted: "Sold, and not bought",
  position: "Most held of one instrument",
  selfTrade: "Into an own order",
} as const;
export type SetBy = DeskField | keyof typeof OTHER_WORDS;

/** Each rule, and by what it is set. */
export const DESK_RULES: Record<DeskRule, SetBy> = {
  "price-collar": "collar",
  "price-drift": "drift_bps",
  slippage: "slippage_bps",
  restricted: "restricted",
  "open-orders": "open_orders_max",
  position: "position",
  exposure: "exposure_max",
  duplicate: "duplicate_ms",
  "cancel-ratio": "cancels_percent",
  "self-trade": "selfTrade",
  "day-loss": "day_loss_max",
  drawdown: "drawdown_max",
  "repeated-execution": "fills_per_minute",
};
const RULES = Object.entries(DESK_RULES) as [DeskRule, SetBy][];

/** One row of the form and of the limits in force; without a rule, what it does cannot be chosen. */
export type RuleRow = { by: SetBy; words: string; rule: DeskRule | null };
export const RULE_ROWS: readonly RuleRow[] = [
  ...RULES.map(([rule, by]) => ({ rule, by, words: setByWords(by) })),
  ...DESK_FIELDS.filter(([field]) => !RULES.some(([, by]) => by === field)).map(([by, words]) => ({ rule: null, by, words })),
];

export function fieldOf(by: SetBy) {
  return DESK_FIELDS.find(([field]) => field === by);
}
export function setByWords(by: SetBy): string {
  return by in OTHER_WORDS ? OTHER_WORDS[by as keyof typeof OTHER_WORDS] : (fieldOf(by)?.[1] ?? by);
}

/** What a rule does, in a word. */
export const MODES: Record<RuleMode, string> = { refuse: "refuses", ask: "asks why", shadow: "only notes" };
export const modeOf = (policy: Policy, rule: DeskRule | null): RuleMode => (rule && policy.desk.modes[rule]) || "refuse";
const RULES_OF_WINDOW: ReadonlySet<string> = new Set(ALL_RULES.filter(({ enforcer }) => enforcer === "window").map(({ name }) => name));
const HARDEST_FIRST: readonly RuleMode[] = ["refuse", "ask", "shadow"];
/** What any rule of the gate does when it is not met, in words. */
export function elseWords(policy: Policy, rule: string): string {
  if (rule === "confirm") return "asks for a code";
  if (RULES_OF_WINDOW.has(rule)) return "asks, in the window";
  // It has no choice of its own: it stands for the rules that need to know what is held.
  if (rule === "exposure-unknown") {
    const modes = [modeOf(policy, "position"), modeOf(policy, "exposure")];
    return MODES[HARDEST_FIRST.find((mode) => modes.includes(mode)) ?? "refuse"];
  }
  return MODES[modeOf(policy, rule as DeskRule)];
}

/** A rule's number as it is typed; empty: it is not set. */
export function deskText(policy: Policy, field: DeskField): string {
  const value = policy.desk[field];
  return value === null ? "" : numberText(String(value), fieldOf(field)?.[3] ?? null);
}
/** A number of the policy as people count it. */
export const numberText = (value: string, factor: string | null) => (factor === null ? value : d.trimmed(d.div(value, factor, 3)));

/** What a rule is set to, for people; nothing: it is not set. */
export function setTo(policy: Policy, by: SetBy, currency: string): string | null {
  const { desk, price_collar_bps, instruments } = policy;
  if (by === "collar") return `${d.shown(d.div(String(price_collar_bps), "100", 2))} %`;
  if (by === "restricted") return desk.restricted.join(" ") || null;
  if (by === "position") return instruments.some((each) => each.position_max !== null) ? "per instrument" : null;
  if (by === "selfTrade") return desk.self_trade ? "allowed" : "never";
  const [text, unit] = [deskText(policy, by), fieldOf(by)?.[2]];
  return text === "" ? null : `${d.shown(text)} ${unit === "currency" ? currency : unit}`;
}
