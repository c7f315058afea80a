// The simulated desk's checks of a drafted order. Invariant: they only read; nothing is reserved by asking.
import type { Check, Checks, Order, Policy } from "../../bindings/contract";
import { compare, fixed, isMultiple, mul, permille, shown, sub } from "../decimal";
import { orderWords, priceOf, quantityOf, quoteSizeOf } from "../symbols";
import { instrument } from "./market";

export type Books = { bid: string; ask: string; free: Record<string, string>; policy: Policy; killed: boolean };

export function checks(order: Order, { bid, ask, free, policy, killed }: Books): Checks {
  const market = order.side === "buy" ? ask : bid;
  const price = priceOf(order.spec) ?? market;
  const quantity = quantityOf(order.spec);
  const notional = fixed(quantity === null ? (quoteSizeOf(order.spec) ?? "0") : mul(price, quantity), 2);
  const asset = order.side === "buy" ? "USDT" : "BTC";
  const spends = order.side === "buy" ? notional : (quantity ?? "0");
  const after = fixed(sub(free[asset] ?? "0", spends), asset === "USDT" ? 2 : 4);
  const away = permille(compare(price, market) >= 0 ? sub(price, market) : sub(market, price), market);
  const share = permille(spends, free[asset] ?? "1");
  const list: Check[] = [];
  const rule = (name: string, by: Check["by"], ok: boolean, detail: string, words: string, otherwise: Check["state"] = "refuse") =>
    list.push({ name, by, state: ok ? "pass" : otherwise, detail, words: ok ? "" : words });
  if (killed) rule("Kill switch", "signer", false, "engaged", "The kill switch is engaged. Re-arm it first.");
  rule(
    "Price inside collar",
    "signer",
    away * 10 <= policy.price_collar_bps,
    `${(away / 10).toFixed(2)} of 2.00 %`,
    "The price is more than 2.00 % away from the market.",
  );
  rule(
    "Notional per order",
    "signer",
    compare(notional, policy.order_notional_max) <= 0,
    `${shown(notional, 0)} of ${shown(policy.order_notional_max, 0)}`,
    `The order is above ${shown(policy.order_notional_max, 0)} USDT.`,
  );
  rule("Orders per minute", "signer", true, `4 of ${policy.orders_per_minute}`, "");
  const steps = quantity === null || (isMultiple(quantity, instrument.lot.step) && isMultiple(price, instrument.price.tick));
  rule("Tick and lot", "desk", steps, "0.1, 0.0001", "Price or quantity is not a multiple of its step.");
  rule("Balance", "desk", !after.startsWith("-"), `${shown(after)} ${asset} after`, `There is not enough ${asset}.`);
  if (!after.startsWith("-"))
    rule(
      "Share of balance",
      "desk",
      share <= 250,
      `${(share / 10).toFixed(1)} of 25.0 %`,
      `Above your guide: ${(share / 10).toFixed(1)} % of ${asset}, guide 25.0 %. The order is allowed.`,
      "ask",
    );
  return {
    checks: list,
    words: orderWords(order, instrument),
    notional,
    fee: fixed(mul(notional, "0.001"), 2),
    fee_asset: "USDT",
    balance_after: after,
    balance_asset: asset,
  };
}
