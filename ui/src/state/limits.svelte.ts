// The limits that the signer holds. Invariant: what is shown is what the signer answered; a change goes through the prompt window.
import type { Actor, Commands, DeskRule, DoorError, ExposureScope, Policy, RuleMode, SlotInfo } from "../bindings/contract";
import * as d from "../lib/decimal";
import { fault } from "../lib/faults";
import { slotName } from "../lib/owners";
import { exposuresText, readExposures, readThresholds, thresholdsText, type ExposureText, type ThresholdText } from "./limits-of";
import { DESK_FIELDS, deskText, type DeskField } from "./desk-rules";
import type { Notices } from "./notices.svelte";
import type { Prompt } from "./prompt.svelte";

/** Whose day has a limit of its own. */
export function actorWords(of: Actor, slots: readonly SlotInfo[]): string {
  if ("bot" in of) return `bot ${of.bot}`;
  const slot = slots.find(({ id }) => id === of.person);
  return slot ? slotName(slot) : `slot ${of.person}`;
}
/** Where what is held has a limit of its own. */
export const scopeWords = (of: ExposureScope) => ("venue" in of ? of.venue : `account ${of.account}`);

export type PolicyText = {
  notional: string;
  day: string;
  confirm: string;
  perMinute: string;
  collarPercent: string;
  idleMinutes: string;
  ageHours: string;
  desk: Record<DeskField, string>;
  modes: Partial<Record<DeskRule, RuleMode>>;
  restricted: string;
  selfTrade: boolean;
  thresholds: ThresholdText[];
  exposures: ExposureText[];
  /** Where what is not edited here comes from. */
  old: Policy;
  instruments: { symbol: string; quantity: string; low: string; high: string; position: string }[];
};

export class Limits {
  policy: Policy | null = $state.raw(null);
  trouble: DoorError | null = $state.raw(null);

  /** Other limits are in force: other markets may be followed. */
  onchange: () => void = () => undefined;

  constructor(
    private backend: Commands,
    private prompt: Prompt,
    private notices: Notices,
  ) {}

  async refresh(): Promise<void> {
    try {
      this.policy = await this.backend.policy();
      this.trouble = null;
    } catch (reason) {
      this.trouble = fault(reason);
    }
  }

  async change(policy: Policy): Promise<boolean> {
    const answer = await this.prompt.ask(
      { words: "Put new limits in force.", effect: "The prompt shows every limit as the signer understood it." },
      { action: "set_policy", policy },
    );
    const done = this.notices.answered(answer);
    await this.refresh();
    if (done) this.onchange();
    return done;
  }
}

export function asText(policy: Policy): PolicyText {
  return {
    notional: policy.order_notional_max,
    day: policy.day_notional_max,
    confirm: policy.confirm_above ?? "",
    perMinute: String(policy.orders_per_minute),
    collarPercent: d.fixed(d.div(String(policy.price_collar_bps), "100", 2), 2),
    idleMinutes: d.trimmed(d.div(String(policy.session_idle_ms), "60000", 2)),
    ageHours: d.trimmed(d.div(String(policy.session_age_max_ms), "3600000", 2)),
    desk: Object.fromEntries(DESK_FIELDS.map(([field]) => [field, deskText(policy, field)])) as Record<DeskField, string>,
    modes: { ...policy.desk.modes },
    restricted: policy.desk.restricted.join(" "),
    selfTrade: policy.desk.self_trade,
    thresholds: thresholdsText(policy.thresholds),
    exposures: exposuresText(policy.desk.exposure_of),
    old: policy,
    instruments: policy.instruments.map((i) => ({
      symbol: i.symbol,
      quantity: i.quantity_max,
      low: i.price_low,
      high: i.price_high,
      position: i.position_max ?? "",
    })),
  };
}

/** What a rule does from now on. Refusing is what it does without a word. */
export function setMode(text: PolicyText, rule: DeskRule, mode: RuleMode): void {
  if (mode === "refuse") delete text.modes[rule];
  else text.modes[rule] = mode;
}

/** The policy that the texts mean, or what is wrong with them. */
export function fromText(text: PolicyText): { policy: Policy } | { problem: string } {
  const positive = (value: string) => {
    const read = d.typed(value);
    return read !== null && d.isPositive(read) ? read : null;
  };
  const whole = (value: string, factor: string) => {
    const read = positive(value);
    if (read === null) return null;
    const product = d.mul(read, factor);
    return d.isMultiple(product, "1") ? Number(d.fixed(product, 0)) : null;
  };
  const order_notional_max = positive(text.notional);
  if (order_notional_max === null) return { problem: "The notional per order is not a number above zero." };
  const day_notional_max = positive(text.day);
  if (day_notional_max === null) return { problem: "The notional of a day is not a number above zero." };
  const confirm_above = text.confirm.trim() === "" ? null : positive(text.confirm);
  if (confirm_above === null && text.confirm.trim() !== "")
    return { problem: "Orders to confirm start at a number above zero, or nowhere." };
  const of_actors = readThresholds(text.thresholds);
  if ("problem" in of_actors) return of_actors;
  const of_places = readExposures(text.exposures);
  if ("problem" in of_places) return of_places;
  const desk: Policy["desk"] = {
    ...text.old.desk,
    ...of_places,
    modes: { ...text.modes },
    self_trade: text.selfTrade,
    restricted: text.restricted
      .toUpperCase()
      .split(/[\s,]+/)
      .filter(Boolean),
  };
  for (const [field, name, , factor] of DESK_FIELDS) {
    const typed = text.desk[field];
    const value = typed.trim() === "" ? null : factor === null ? positive(typed) : whole(typed, factor);
    if (value === null && typed.trim() !== "") return { problem: `${name}: a number above zero, or nothing.` };
    Object.assign(desk, { [field]: value });
  }
  const orders_per_minute = whole(text.perMinute, "1");
  if (orders_per_minute === null) return { problem: "Orders per minute is a whole number above zero." };
  const price_collar_bps = whole(text.collarPercent, "100");
  if (price_collar_bps === null) return { problem: "The price collar is a percentage with two decimals at most." };
  const session_idle_ms = whole(text.idleMinutes, "60000");
  if (session_idle_ms === null) return { problem: "The idle time is a number of minutes above zero." };
  const session_age_max_ms = whole(text.ageHours, "3600000");
  if (session_age_max_ms === null) return { problem: "The longest session is a number of hours above zero." };
  const instruments: Policy["instruments"] = [];
  for (const row of text.instruments) {
    const [quantity_max, price_low, price_high] = [positive(row.quantity), positive(row.low), positive(row.high)];
    if (row.symbol.trim() === "" || !quantity_max || !price_low || !price_high)
      return { problem: `Fill in every field of ${row.symbol || "the new instrument"}.` };
    if (d.compare(price_low, price_high) >= 0) return { problem: `The lowest price of ${row.symbol} must be below its highest.` };
    const position_max = row.position.trim() === "" ? null : positive(row.position);
    if (position_max === null && row.position.trim() !== "")
      return { problem: `Most held of ${row.symbol}: a number above zero, or nothing.` };
    instruments.push({ symbol: row.symbol.trim().toUpperCase(), quantity_max, price_low, price_high, position_max });
  }
  return {
    policy: {
      ...text.old,
      instruments,
      order_notional_max,
      day_notional_max,
      confirm_above,
      ...of_actors,
      desk,
      orders_per_minute,
      price_collar_bps,
      session_idle_ms,
      session_age_max_ms,
    },
  };
}
