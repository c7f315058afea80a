// The simulated kill switch: what it stops, takes back and reports. Invariant: what is protected is left, and what is outside goes on.
import type { Drilled, KillReport, KillScope, Killed, OrderView } from "../../bindings/contract";
import { scopeName } from "../../state/reach.svelte";
import type { FakeOrders } from "./orders";
import type { FakeVault } from "./vault";

const FIRST_GONE_MS = 150;
const GONE_EVERY_MS = 180;

export class FakeKill {
  /** What is stopped beside everything. */
  stops: { scope: KillScope; why: string }[] = [];
  report: KillReport | null = null;
  private open = new Set<string>();

  constructor(
    private book: FakeOrders,
    private vault: FakeVault,
    private now_us: () => number,
  ) {}

  get stopped(): string[] {
    return this.stops.map(({ scope, why }) => `${scopeName(scope)}: ${why}`);
  }
  /** What stops an order of that name, if anything does. */
  stopOf(id: string): string | undefined {
    return this.stopped[this.stops.findIndex(({ scope }) => this.covers(scope, id))];
  }

  private covers(scope: KillScope, id: string): boolean {
    if (scope === "everything" || "venue" in scope) return true;
    if ("bot" in scope) return id.startsWith(`${scope.bot}-`);
    if ("person" in scope) return this.vault.slots.find((slot) => slot.id === scope.person)?.is_present ?? false;
    const active = this.vault.keys.find(({ key }) => key.stage === "active")?.key;
    return "credential" in scope ? active?.id === scope.credential : active?.details.account === scope.account;
  }

  /** Notes a stop and takes back what is inside of it, one order after the other. */
  engage(why: string, scope: KillScope): Killed {
    if (scope !== "everything") this.stops = [...this.stops, { scope, why }];
    const inside = this.book.live().filter((order) => this.covers(scope, order.client_order_id));
    const caught = inside.filter((order) => !order.protected);
    const at = this.now_us();
    this.open = new Set(caught.map((order) => order.client_order_id));
    this.report = {
      why: scope === "everything" ? why : `${scopeName(scope)}: ${why}`,
      began: at,
      first_cancel: caught.length > 0 ? at + 900 : null,
      last_gone: null,
      orders: caught.length,
      left: [],
      protected: inside.filter((order) => order.protected).map((order) => order.client_order_id),
    };
    caught.forEach((order, i) => setTimeout(() => this.gone(order), FIRST_GONE_MS + i * GONE_EVERY_MS));
    const reach = scope === "everything" ? "" : ` for ${scopeName(scope)}`;
    return { words: `The kill switch is engaged${reach}. Open orders are being cancelled.`, frozen_us: 412 };
  }

  private gone({ client_order_id: id }: OrderView) {
    const order = this.book.find(id);
    if (order) this.book.settle(order, "canceled", "kill switch");
    this.open.delete(id);
    if (this.report) this.report = { ...this.report, last_gone: this.now_us() };
  }

  told(): KillReport | null {
    const left = this.book.live().filter((order) => this.open.has(order.client_order_id));
    return this.report === null
      ? null
      : {
          ...this.report,
          left: left.map(({ client_order_id, symbol, fate }) => ({
            client_order_id,
            symbol,
            state: fate === "ambiguous" ? "nobody knows whether the venue has it; it is looked up" : "open; its cancel is not confirmed",
          })),
        };
  }

  drilled(orders: number): Drilled {
    return {
      profile: "/srv/.local/share/strongroom/main",
      venue: "Paper",
      orders,
      frozen_us: 640,
      first_cancel_us: 1_900,
      last_gone_us: 61_400,
      left: [],
      protected: this.book
        .live()
        .filter((order) => order.protected)
        .map((order) => order.client_order_id),
      refused_by: "kill-switch",
    };
  }

  rearm() {
    this.stops = [];
  }
}
