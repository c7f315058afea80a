// The limits that the signer holds. Invariant: what is shown is what the signer answered; a change goes through the prompt window.
import type { Commands, DoorError, Policy } from "../bindings/contract";
import * as d from "../lib/decimal";
import { fault, isGivenUp } from "../lib/faults";
import type { Notices } from "./notices.svelte";
import type { Prompt } from "./prompt.svelte";

export type PolicyText = {
  notional: string;
  perMinute: string;
  collarPercent: string;
  idleMinutes: string;
  ageHours: string;
  /** Not edited here. */
  kdf_floor: Policy["kdf_floor"];
  instruments: { symbol: string; quantity: string; low: string; high: string }[];
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
    if ("error" in answer) this.notices.say(answer.error.message, isGivenUp(answer.error) ? "plain" : "danger");
    else this.notices.say(answer.outcome.words, "ok");
    await this.refresh();
    if ("outcome" in answer) this.onchange();
    return "outcome" in answer;
  }
}

export function asText(policy: Policy): PolicyText {
  return {
    notional: policy.order_notional_max,
    perMinute: String(policy.orders_per_minute),
    collarPercent: d.fixed(d.div(String(policy.price_collar_bps), "100", 2), 2),
    idleMinutes: d.trimmed(d.div(String(policy.session_idle_ms), "60000", 2)),
    ageHours: d.trimmed(d.div(String(policy.session_age_max_ms), "3600000", 2)),
    kdf_floor: policy.kdf_floor,
    instruments: policy.instruments.map((i) => ({ symbol: i.symbol, quantity: i.quantity_max, low: i.price_low, high: i.price_high })),
  };
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
    instruments.push({ symbol: row.symbol.trim().toUpperCase(), quantity_max, price_low, price_high });
  }
  return {
    policy: {
      instruments,
      order_notional_max,
      orders_per_minute,
      price_collar_bps,
      session_idle_ms,
      session_age_max_ms,
      kdf_floor: text.kdf_floor,
    },
  };
}
