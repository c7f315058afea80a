// The limits that the signer holds. Invariant: what is shown is what the signer answered; a change goes through the prompt window.
import type { Actor, Commands, DeskRule, DoorError, ExposureScope, Policy, RuleMode, SlotInfo } from "../bindings/contract";
import * as d from "../lib/decimal";
import { fault } from "../lib/faults";
import { slotName } from "../lib/owners";
import {
  exposuresText,
  most,
  positive,
  readExposures,
  readThresholds,
  thresholdsText,
  type ExposureText,
  type ThresholdText,
} from "./limits-of";
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
  currency: string;
  notional: string;
  day: string;
  confirm: string;
  perMinute: string;
  collarPercent: string;
  idleMinutes: string;
  ageHours: string;
  kdfMemory: string;
  kdfPasses: string;
  desk: Record<DeskField, string>;
  modes: Partial<Record<DeskRule, RuleMode>>;
  restricted: string;
  selfTrade: boolean;
  thresholds: ThresholdText[];
  exposures: ExposureText[];
  /** Where what is not edited here comes from. */
  old: Policy;
  instruments: { symbol: string; quantity: string; low: string; high: string; position: string; worth: string }[];
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
    currency: policy.currency,
    notional: policy.order_notional_max,
    day: policy.day_notional_max,
    confirm: policy.confirm_above ?? "",
    perMinute: String(policy.orders_per_minute),
    collarPercent: d.fixed(d.div(String(policy.price_collar_bps), "100", 2), 2),
    idleMinutes: d.trimmed(d.div(String(policy.session_idle_ms), "60000", 2)),
    ageHours: d.trimmed(d.div(String(policy.session_age_max_ms), "3600000", 2)),
    kdfMemory: policy.kdf_floor ? String(policy.kdf_floor.memory_mib) : "",
    kdfPasses: policy.kdf_floor ? String(policy.kdf_floor.passes) : "",
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
      worth: i.quote_worth ?? "",
    })),
  };
}

/** What a rule does from now on. Refusing is what it does without a word. */
export function setMode(text: PolicyText, rule: DeskRule, mode: RuleMode): void {
  if (mode === "refuse") delete text.modes[rule];
  else text.modes[rule] = mode;
}

/** What a field means: what nobody changed stays exactly as it was, also where the form would not take it anew. */
const kept = <Value>(now: string, before: string | undefined, was: Value | undefined, read: (text: string) => Value): Value =>
  now === before && was !== undefined ? was : read(now);

/** A number in other units, if that is a whole one. */
function whole(read: string | null, factor: string): number | null {
  if (read === null) return null;
  const product = d.mul(read, factor);
  return d.isMultiple(product, "1") ? Number(d.fixed(product, 0)) : null;
}

/** What a floor under how hard passwords are to try can be, as the signer takes it. */
const MEMORY_MIB = [64, 4_096] as const;
const PASSES = [3, 32] as const;
function readFloor({ kdfMemory, kdfPasses }: PolicyText): Pick<Policy, "kdf_floor"> | { problem: string } {
  const [has_memory, has_passes] = [kdfMemory.trim() !== "", kdfPasses.trim() !== ""];
  if (!has_memory && !has_passes) return { kdf_floor: null };
  if (!has_memory || !has_passes) return { problem: "Passwords: fill in the least memory and the least passes, or neither." };
  const within = (typed: string, [least, greatest]: readonly [number, number]) => {
    const read = whole(positive(typed), "1");
    return read !== null && read >= least && read <= greatest ? read : null;
  };
  const [memory_mib, passes] = [within(kdfMemory, MEMORY_MIB), within(kdfPasses, PASSES)];
  if (memory_mib === null) return { problem: `Passwords: the least memory is a whole number of MiB, ${MEMORY_MIB.join(" to ")}.` };
  if (passes === null) return { problem: `Passwords: the least passes are a whole number, ${PASSES.join(" to ")}.` };
  return { kdf_floor: { memory_mib, passes } };
}

/** As the signer takes it: fewer letters would end too many names of instruments. */
const CURRENCY = /^[A-Z0-9]{3,12}$/;
const currencyOf = (text: PolicyText) => text.currency.trim().toUpperCase();

function readInstruments(text: PolicyText, before: PolicyText): Pick<Policy, "instruments"> | { problem: string } {
  const instruments: Policy["instruments"] = [];
  for (const row of text.instruments) {
    const symbol = row.symbol.trim().toUpperCase();
    const at = text.old.instruments.findIndex((old) => old.symbol === symbol);
    const [was, old] = [before.instruments[at], text.old.instruments[at]];
    const quantity_max = kept(row.quantity, was?.quantity, old?.quantity_max, positive);
    const price_low = kept(row.low, was?.low, old?.price_low, positive);
    const price_high = kept(row.high, was?.high, old?.price_high, positive);
    if (symbol === "" || !quantity_max || !price_low || !price_high)
      return { problem: `Fill in every field of ${row.symbol || "the new instrument"}.` };
    if (d.compare(price_low, price_high) >= 0) return { problem: `The lowest price of ${row.symbol} must be below its highest.` };
    const position_max = row.position.trim() === "" ? null : kept(row.position, was?.position, old?.position_max, positive);
    if (position_max === null && row.position.trim() !== "")
      return { problem: `Most held of ${row.symbol}: a number above zero, or nothing.` };
    const quote_worth = row.worth.trim() === "" ? null : kept(row.worth, was?.worth, old?.quote_worth, positive);
    const [currency, no_worth] = [currencyOf(text), quote_worth === null];
    if (no_worth && (row.worth.trim() !== "" || !symbol.endsWith(currency)))
      return { problem: `Worth of what ${symbol} is paid with: the most ${currency} that a unit of it is ever worth, above zero.` };
    instruments.push({ symbol, quantity_max, price_low, price_high, position_max, quote_worth });
  }
  return { instruments };
}

function readDesk(text: PolicyText, before: PolicyText): { desk: Policy["desk"] } | { problem: string } {
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
  for (const [field, name, , factor, can_be_zero] of DESK_FIELDS) {
    const typed = text.desk[field];
    const value = kept<string | number | null>(typed, before.desk[field], text.old.desk[field], (now) => {
      const read = can_be_zero ? most(now) : positive(now);
      return factor === null ? read : whole(read, factor);
    });
    if (value === null && typed.trim() !== "")
      return { problem: can_be_zero ? `${name}: a number, zero or more, or nothing.` : `${name}: a number above zero, or nothing.` };
    Object.assign(desk, { [field]: value });
  }
  return { desk };
}

/** The policy that the texts mean, or what is wrong with them. */
export function fromText(text: PolicyText): { policy: Policy } | { problem: string } {
  const { old } = text;
  const before = asText(old);
  const currency = currencyOf(text);
  if (!CURRENCY.test(currency)) return { problem: "The currency of the limits has 3 to 12 letters or digits." };
  const order_notional_max = most(text.notional);
  if (order_notional_max === null) return { problem: "The notional per order is a number, zero or more." };
  const day_notional_max = most(text.day);
  if (day_notional_max === null) return { problem: "The notional of a day is a number, zero or more." };
  const confirm_above = text.confirm.trim() === "" ? null : most(text.confirm);
  if (confirm_above === null && text.confirm.trim() !== "")
    return { problem: "Orders to confirm start at a number, zero or more, or nowhere." };
  const of_actors = readThresholds(text.thresholds);
  if ("problem" in of_actors) return of_actors;
  const of_desk = readDesk(text, before);
  if ("problem" in of_desk) return of_desk;
  const orders_per_minute = whole(most(text.perMinute), "1");
  if (orders_per_minute === null) return { problem: "Orders per minute is a whole number, zero or more." };
  const counted = (factor: string) => (now: string) => whole(positive(now), factor);
  const price_collar_bps = kept(text.collarPercent, before.collarPercent, old.price_collar_bps, counted("100"));
  if (price_collar_bps === null) return { problem: "The price collar is a percentage with two decimals at most." };
  const session_idle_ms = kept(text.idleMinutes, before.idleMinutes, old.session_idle_ms, counted("60000"));
  if (session_idle_ms === null) return { problem: "The idle time is a number of minutes above zero." };
  const session_age_max_ms = kept(text.ageHours, before.ageHours, old.session_age_max_ms, counted("3600000"));
  if (session_age_max_ms === null) return { problem: "The longest session is a number of hours above zero." };
  const of_passwords = readFloor(text);
  if ("problem" in of_passwords) return of_passwords;
  const of_instruments = readInstruments(text, before);
  if ("problem" in of_instruments) return of_instruments;
  return {
    policy: {
      ...old,
      ...of_instruments,
      currency,
      order_notional_max,
      day_notional_max,
      confirm_above,
      ...of_actors,
      ...of_desk,
      orders_per_minute,
      price_collar_bps,
      session_idle_ms,
      session_age_max_ms,
      ...of_passwords,
    },
  };
}
