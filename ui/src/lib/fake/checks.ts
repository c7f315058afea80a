// The simulated desk's checks of a drafted order. Invariant: they only read; nothing is reserved by asking.
import type { Check, Checks, Order, Policy } from "../../bindings/contract";
import { compare, fixed, isMultiple, mul, permille, rounded, sub, trimmed } from "../decimal";
import { orderWords, priceOf, quantityOf, quoteSizeOf } from "../symbols";
import { instrument } from "./market";

export type Books = { bid: string; ask: string; free: Record<string, string>; policy: Policy; killed: boolean };

export function checks(order: Order, { bid, ask, free, policy, killed }: Books): Checks {
  const market = order.side === "buy" ? ask : bid;
  const price = priceOf(order.spec) ?? market;
  const quantity = quantityOf(order.spec);
  const notional = trimmed(quantity === null ? (quoteSizeOf(order.spec) ?? "0") : mul(price, quantity));
  const asset = order.side === "buy" ? "USDT" : "BTC";
  const spends = order.side === "buy" ? notional : (quantity ?? "0");
  const after = trimmed(sub(free[asset] ?? "0", spends));
  const away = permille(compare(price, market) >= 0 ? sub(price, market) : sub(market, price), market);
  const share = permille(spends, free[asset] ?? "1");
  const list: Check[] = [];
  const rule = (name: string, by: Check["by"], ok: boolean, detail: string, words: string, otherwise: Check["state"] = "refuse") =>
    list.push({
      name,
      by,
      state: ok ? "pass" : otherwise,
      detail,
      words: ok ? "" : words,
      can_pass: !ok && name === "Price inside collar",
    });
  rule("Kill switch", "signer", !killed, killed ? "engaged" : "not engaged", "The kill switch is engaged (from the window). Re-arm first.");
  const most = policy.instruments.find((allowed) => allowed.symbol === order.symbol)?.quantity_max ?? "0";
  rule(
    "Signer's limits",
    "signer",
    quantity === null || compare(quantity, most) <= 0,
    `at most ${most} each`,
    `${trimmed(quantity ?? "0")} is above the maximum quantity ${most} for one order.`,
  );
  rule(
    "Price inside collar",
    "desk",
    away * 10 <= policy.price_collar_bps,
    `${(away / 10).toFixed(2)} of 2 %`,
    "The price is more than 2 % away from the market.",
    policy.desk.modes["price-collar"] === "ask" ? "ask" : "refuse",
  );
  rule(
    "Notional per order",
    "signer",
    compare(notional, policy.order_notional_max) <= 0,
    `${rounded(notional, 2)} of ${policy.order_notional_max}`,
    `Above the limit of ${policy.order_notional_max} per order. Make it smaller.`,
  );
  const steps = quantity === null || (isMultiple(quantity, instrument.lot.step) && isMultiple(price, instrument.price.tick));
  rule("Tick, lot, venue's bounds", "desk", steps, "0.01, 0.00001", "Price or quantity is not a multiple of its step.");
  if (after.startsWith("-")) {
    const words = `More ${asset} than is free (${free[asset]}). The venue will refuse it.`;
    rule("Balance", "window", false, `${trimmed(spends)} of ${free[asset]} ${asset}`, words);
  } else {
    const part = (share / 10).toFixed(1);
    const words = `Above the guide: ${part} % of free ${asset}, guide 25 %. The order is allowed.`;
    rule("Balance", "window", share <= 250, `${part} % of ${asset}`, words, "ask");
  }
  return {
    checks: list,
    words: orderWords(order, instrument),
    notional,
    fee: trimmed(fixed(mul(notional, "0.001"), 8)),
    fee_asset: "USDT",
    balance_after: after,
    balance_asset: asset,
  };
}
