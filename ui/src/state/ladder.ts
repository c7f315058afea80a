// Where own orders stand in the ladder. Invariant: an order counts in the row its price falls into: bids down, asks up.
import type { Decimal, OrderView, Row, Side } from "../bindings/contract";
import * as d from "../lib/decimal";
import { priceOf, quantityOf } from "../lib/symbols";

export type Own = { quantity: Decimal; unknown: boolean; ids: string[] };

/** Own open quantity by row price. */
export function ownRows(orders: readonly OrderView[], side: Side, step: Decimal, count: number): Map<string, Own> {
  const rows = new Map<string, Own>();
  for (const order of orders) {
    const price = priceOf(order.spec);
    if (order.side !== side || price === null) continue;
    const row = d.fixed(side === "buy" ? d.floorTo(price, step) : d.ceilTo(price, step), count);
    const open = d.sub(quantityOf(order.spec) ?? "0", order.filled);
    const before = rows.get(row);
    rows.set(row, {
      quantity: before ? d.add(before.quantity, open) : open,
      unknown: (before?.unknown ?? false) || order.fate === "ambiguous",
      ids: [...(before?.ids ?? []), order.client_order_id],
    });
  }
  return rows;
}

/** How many own rows lie beyond the last row shown. */
export function beyond(own: Map<string, Own>, rows: readonly Row[], side: Side): number {
  const last = rows.at(-1)?.[0];
  if (last === undefined) return 0;
  return [...own.keys()].filter((price) => (side === "buy" ? d.compare(price, last) < 0 : d.compare(price, last) > 0)).length;
}
