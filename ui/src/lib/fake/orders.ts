// The simulated venue's book of our orders and balances. Invariant: what is locked for orders plus what is free adds up; decimals have no
// zeros at their end.
import type { Balance, Fill, Order, OrderView } from "../../bindings/contract";
import { add, compare, div, exact, fixed, isZero, mul, sub, trimmed } from "../decimal";
import { priceOf, quantityOf, quoteSizeOf } from "../symbols";

const FEE = "0.001";
/** A specification as the desk sends it back. */
const bare = (spec: Order["spec"]): Order["spec"] =>
  JSON.parse(JSON.stringify(spec), (_, value: unknown) => (typeof value === "string" ? trimmed(value) : value)) as Order["spec"];
function withQuantity(spec: Order["spec"], quantity: string): Order["spec"] {
  if ("limit" in spec) return { limit: { ...spec.limit, quantity } };
  return "post_only" in spec ? { post_only: { ...spec.post_only, quantity } } : spec;
}
const LIVE = new Set(["intended", "sent", "ambiguous", "working"]);
export const isLive = (order: OrderView) => LIVE.has(order.fate);

export class FakeOrders {
  all: OrderView[] = [];
  version = 1;
  private serial = 0x0b31;
  private trade = 9_120_001;
  free: Record<string, string> = { USDT: "48210.55", BTC: "0.8", BNB: "2.5" };
  locked: Record<string, string> = { USDT: "0", BTC: "0", BNB: "0" };

  constructor(private now_us: () => number) {}

  private move(asset: string, free: string, locked: string) {
    this.free[asset] = trimmed(add(this.free[asset] ?? "0", free));
    this.locked[asset] = trimmed(add(this.locked[asset] ?? "0", locked));
  }

  create(order: Order, fate: OrderView["fate"], age_ms = 0, name: string | null = null): OrderView {
    this.serial += 1 + (this.serial % 7);
    const at = this.now_us() - age_ms * 1000;
    const view: OrderView = {
      client_order_id: name ?? `sr-01m8c5efpzh8rcfj4eya2${this.serial.toString(36).padStart(5, "0")}`,
      venue_order_id: fate === "ambiguous" ? null : 88_000_000 + this.serial,
      symbol: order.symbol,
      side: order.side,
      spec: bare(order.spec),
      reduce_only: order.reduce_only,
      fate,
      filled: "0",
      filled_notional: "0",
      fills: [],
      note: null,
      protected: false,
      created: at,
      updated: at,
    };
    this.all.unshift(view);
    if (isLive(view)) this.reserve(view, 1);
    this.version += 1;
    return view;
  }

  private rest(order: OrderView): string {
    return sub(quantityOf(order.spec) ?? "0", order.filled);
  }
  private reserve(order: OrderView, sign: 1 | -1) {
    const price = priceOf(order.spec);
    if (price === null) return;
    const amount = order.side === "buy" ? mul(price, this.rest(order)) : this.rest(order);
    const asset = order.side === "buy" ? "USDT" : "BTC";
    const minus = isZero(amount) ? "0" : `-${amount}`;
    this.move(asset, sign === 1 ? minus : amount, sign === 1 ? amount : minus);
  }

  fill(order: OrderView, price: string, wanted?: string) {
    const quote = quoteSizeOf(order.spec);
    const quantity = trimmed(wanted ?? (quote === null ? this.rest(order) : div(quote, price, 5)));
    if (exact(quantity).units <= 0n) return;
    if (isLive(order)) this.reserve(order, -1);
    const notional = mul(price, quantity);
    const buys = order.side === "buy";
    this.move("USDT", buys ? `-${notional}` : notional, "0");
    this.move("BTC", buys ? quantity : `-${quantity}`, "0");
    const fill: Fill = {
      trade_id: this.trade++,
      price,
      quantity,
      commission: trimmed(fixed(mul(buys ? quantity : notional, FEE), 8)),
      commission_asset: buys ? "BTC" : "USDT",
    };
    const filled = trimmed(add(order.filled, quantity));
    const whole = quantityOf(order.spec);
    this.put({
      ...order,
      filled,
      filled_notional: trimmed(add(order.filled_notional, notional)),
      fills: [...order.fills, fill],
      fate: whole === null || compare(filled, whole) >= 0 ? "filled" : "working",
    });
  }

  private put(order: OrderView): OrderView {
    const next = { ...order, updated: this.now_us() };
    this.all = this.all.map((o) => (o.client_order_id === next.client_order_id ? next : o));
    if (next.fate === "working" && next.fills.length > 0) this.reserve(next, 1);
    this.version += 1;
    return next;
  }

  settle(order: OrderView, fate: OrderView["fate"], note: string | null = null): OrderView {
    if (isLive(order) && !LIVE.has(fate)) this.reserve(order, -1);
    const next = { ...order, fate, note, updated: this.now_us(), venue_order_id: order.venue_order_id ?? 88_100_000 };
    this.all = this.all.map((o) => (o.client_order_id === next.client_order_id ? next : o));
    this.version += 1;
    return next;
  }

  /** Makes an order that rests smaller. */
  amend(order: OrderView, quantity: string): OrderView {
    this.reserve(order, -1);
    const spec = bare(withQuantity(order.spec, quantity));
    const next = { ...order, spec, updated: this.now_us() };
    this.all = this.all.map((o) => (o.client_order_id === next.client_order_id ? next : o));
    this.reserve(next, 1);
    this.version += 1;
    return next;
  }
  protect(order: OrderView, on: boolean): OrderView {
    const next = { ...order, protected: on };
    this.all = this.all.map((o) => (o.client_order_id === next.client_order_id ? next : o));
    this.version += 1;
    return next;
  }

  find(id: string): OrderView | undefined {
    return this.all.find((o) => o.client_order_id === id);
  }
  live(): OrderView[] {
    return this.all.filter(isLive);
  }
  /** Fills what the price has reached. */
  reached(best_bid: string, best_ask: string) {
    for (const order of this.live()) {
      const price = priceOf(order.spec);
      if (price === null || order.fate !== "working") continue;
      if (order.side === "buy" ? compare(best_ask, price) <= 0 : compare(best_bid, price) >= 0) this.fill(order, price);
    }
  }
  balances(): Balance[] {
    return Object.keys(this.free).map((asset) => ({ asset, free: this.free[asset]!, locked: this.locked[asset]! }));
  }
}
