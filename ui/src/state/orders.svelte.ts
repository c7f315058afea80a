// Orders, fills and balances as the desk last told them. Invariant: an order changes here only because the desk said so.
import type { Balance, Commands, DoorError, Fill, Instrument, OrderView } from "../bindings/contract";
import { div, isPositive, shown, trimmed } from "../lib/decimal";
import { fault } from "../lib/faults";
import { grainOf } from "../lib/grain";
import { orderName } from "../lib/symbols";
import type { Notices } from "./notices.svelte";

export const LIVE_FATES = ["intended", "sent", "ambiguous", "working"] as const;
export const isLive = (order: OrderView) => (LIVE_FATES as readonly string[]).includes(order.fate);
/** Looking up balances needs a session with a role that may; orders are shown without. */
const NOT_FOR_US = ["session", "role", "sealed"];
export type OwnFill = Fill & { order: OrderView };

export class Orders {
  all: OrderView[] = $state.raw([]);
  balances: Balance[] = $state.raw([]);
  loaded = $state(false);
  trouble: DoorError | null = $state.raw(null);
  instruments: readonly Instrument[] = [];
  canceling: ReadonlySet<string> = $state.raw(new Set());
  private version = -1;
  private loading = false;
  private again = false;

  constructor(
    private backend: Commands,
    private notices: Notices,
  ) {}

  readonly live: OrderView[] = $derived(
    this.all.filter(isLive).sort((a, b) => Number(b.fate === "ambiguous") - Number(a.fate === "ambiguous") || b.created - a.created),
  );
  readonly past: OrderView[] = $derived(this.all.filter((order) => !isLive(order)).sort((a, b) => b.updated - a.updated));
  readonly fills: OwnFill[] = $derived(
    this.all
      .flatMap((order) => order.fills.map((fill) => ({ ...fill, order })))
      .sort((a, b) => b.order.updated - a.order.updated || b.trade_id - a.trade_id),
  );

  /** Called with every frame; asks only when something changed. */
  seen(version: number): void {
    if (version === this.version) return;
    this.version = version;
    void this.refresh();
  }

  async refresh(): Promise<void> {
    if (this.loading) {
      this.again = true;
      return;
    }
    this.loading = true;
    try {
      do {
        this.again = false;
        const [all, balances] = await Promise.all([this.backend.orders({ live: false }), this.held()]);
        if (this.loaded) this.tell(all);
        this.all = all;
        this.balances = balances;
        this.loaded = true;
        this.trouble = null;
      } while (this.again);
    } catch (reason) {
      this.trouble = fault(reason);
    } finally {
      this.loading = false;
    }
  }

  /** What is held, as far as this session may know it. */
  private async held(): Promise<Balance[]> {
    try {
      return await this.backend.balances();
    } catch (reason) {
      if (NOT_FOR_US.includes(fault(reason).code)) return [];
      throw reason;
    }
  }

  private tell(fresh: OrderView[]) {
    const before = new Map(this.all.map((order) => [order.client_order_id, order]));
    for (const order of fresh) {
      const old = before.get(order.client_order_id);
      const id = order.client_order_id;
      if (order.fills.length > (old?.fills.length ?? 0)) this.notices.say(this.boughtWords(order), "ok", id, id);
      if (!old || old.fate === order.fate) continue;
      if (order.fate === "refused") this.tellRefused(order);
      else if (order.fate === "ambiguous")
        this.notices.say("An order has no answer yet", "warn", "It is looked up by its client order id, never sent again.", id);
      else this.notices.became(`Order ${orderName(order.client_order_id)} ${FATE_WORDS[order.fate]}`, id);
    }
  }

  /** By whom, the note says: the signer, the desk or the venue. */
  private tellRefused({ note, client_order_id: id }: Pick<OrderView, "note" | "client_order_id">) {
    this.notices.say(`Order refused: ${note ?? "no reason given"}`, "danger", "It does not rest in the book.", id);
  }

  /** "Bought 0.01 BTC at 96 754.53", for several fills at their average. */
  private boughtWords({ symbol, side, fills, filled, filled_notional }: OrderView): string {
    const instrument = this.instruments.find((one) => one.symbol === symbol);
    const several = fills.length > 1 && isPositive(filled);
    const places = grainOf(instrument).price;
    const price = several ? div(filled_notional, filled, places) : (fills[0]?.price ?? "0");
    const size = `${shown(trimmed(filled))}${instrument ? `\u00a0${instrument.base}` : ""}`;
    return `${side === "buy" ? "Bought" : "Sold"} ${size} at ${several ? "an average of " : ""}${shown(price, places)}`;
  }

  /** Says what became of an order that was placed from here; `words` are the order's. */
  tellPlaced({ fate, client_order_id: id, note, fills }: OrderView, words: string): void {
    const known = this.all.find((order) => order.client_order_id === id);
    // Fills are told by themselves, and what was read meanwhile is newer than this answer.
    if (fate === "filled" || fills.length > 0 || (known && (known.fills.length > 0 || !isLive(known)))) return;
    if (fate === "refused") this.tellRefused({ note, client_order_id: id });
    else if (fate === "ambiguous") this.notices.say(`${words}: no answer yet, being looked up`, "warn", id, id);
    else this.notices.say(`${words}: ${FATE_WORDS[fate]}`, fate === "working" ? "ok" : "plain", id, id);
  }

  async cancel(id: string): Promise<void> {
    if (this.canceling.has(id)) return;
    this.canceling = new Set([...this.canceling, id]);
    try {
      await this.backend.cancel({ client_order_id: id });
      this.notices.note(`Cancel of ${orderName(id)} was accepted`);
    } catch (reason) {
      this.notices.fail(reason, "The cancel did not get through");
    } finally {
      this.canceling = new Set([...this.canceling].filter((other) => other !== id));
      await this.refresh();
    }
  }
  async cancelAll(symbol?: string): Promise<void> {
    const open = this.live.filter((order) => symbol === undefined || order.symbol === symbol);
    await Promise.all(open.map((order) => this.cancel(order.client_order_id)));
  }
  async cancelLast(): Promise<void> {
    const newest = [...this.live].sort((a, b) => b.created - a.created)[0];
    if (newest) await this.cancel(newest.client_order_id);
  }
}

export const FATE_WORDS: Record<OrderView["fate"], string> = {
  intended: "recorded, not sent yet",
  sent: "sent",
  ambiguous: "has no answer yet",
  working: "working",
  filled: "filled",
  canceled: "cancelled",
  expired: "expired unfilled",
  refused: "refused",
};
