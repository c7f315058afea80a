// Names and orders as people write them. Invariant: words never hide a part of an order that changes what it does.
import type { Check, Instrument, Order, OrderSpec } from "../bindings/contract";
import { shown, trimmed } from "./decimal";

export const pair = (instrument: Pick<Instrument, "base" | "quote"> | null, symbol: string) =>
  instrument ? `${instrument.base}/${instrument.quote}` : symbol;

const ID_TAIL = 6;
/** "sr-…2ynzsz": ids of one day begin alike, their ends tell them apart. */
export const orderName = (id: string) => (id.length > ID_TAIL + 6 ? `${id.slice(0, 3)}…${id.slice(-ID_TAIL)}` : id);

/** What a person ticks when a check asks. The check of the balance asks about the order's size. */
export const intentOf = ({ name }: Pick<Check, "name">) => `${name === "Balance" ? "Size" : name} is intended`;

export function kindOf(spec: OrderSpec): "limit" | "post_only" | "market" {
  return "limit" in spec ? "limit" : "post_only" in spec ? "post_only" : "market";
}
export function typeWords(spec: OrderSpec): string {
  if ("limit" in spec) return `Limit, ${spec.limit.tif}`;
  return "post_only" in spec ? "Limit, post" : "Market";
}
export const priceOf = (spec: OrderSpec) => ("limit" in spec ? spec.limit.price : "post_only" in spec ? spec.post_only.price : null);
export function quantityOf(spec: OrderSpec) {
  if ("limit" in spec) return spec.limit.quantity;
  if ("post_only" in spec) return spec.post_only.quantity;
  return "base" in spec.market.size ? spec.market.size.base : null;
}
export const quoteSizeOf = (spec: OrderSpec) => ("market" in spec && "quote" in spec.market.size ? spec.market.size.quote : null);

/** "Buy 0.0500 BTC at 60 120.0", in the words of the button that sends it. */
export function orderWords(order: Order, instrument: Instrument): string {
  const verb = order.side === "buy" ? "Buy" : "Sell";
  const { spec } = order;
  const price = priceOf(spec);
  const quantity = quantityOf(spec);
  const size =
    quantity !== null
      ? `${shown(trimmed(quantity))} ${instrument.base}`
      : `for ${shown(trimmed(quoteSizeOf(spec) ?? "0"))} ${instrument.quote}`;
  const only = order.reduce_only ? ", reduce only" : "";
  return price === null ? `${verb} ${size} at market${only}` : `${verb} ${size} at ${shown(price)}${only}`;
}
