// The order being drafted. Invariant: it is sent only when it parses, no check refuses, and every check that asks was ticked, with a
// reason that the person wrote for this very order.
import type { Check, Checks, Commands, Decimal, Instrument, MarketSize, Order, OrderView, Side, TimeInForce } from "../bindings/contract";
import * as d from "../lib/decimal";
import { orderWords } from "../lib/symbols";
import { fault } from "../lib/faults";
import type { Market } from "./market.svelte";
import type { Notices } from "./notices.svelte";
import type { Orders } from "./orders.svelte";
import { canPass, place, placePast, reasonFor, unsaid } from "./placing";
import type { Prompt } from "./prompt.svelte";

export const CHECK_AFTER_MS = 100;
export type Kind = "limit" | "market" | "post_only";
export const PERCENTS = [10, 25, 50, 100] as const;

export class Ticket {
  instrument: Instrument | null = $state.raw(null);
  side: Side = $state("buy");
  kind: Kind = $state("limit");
  tif: TimeInForce = $state("GTC");
  price = $state("");
  size = $state("");
  /** Market orders only: what the size counts. */
  sizeIn: "base" | "quote" = $state("base");
  /** Sales by a base quantity only: never more than what is held. */
  reduceOnly = $state(false);
  ticked: ReadonlySet<string> = $state.raw(new Set());
  /** Why what asks is gone past. */
  why = $state("");
  checks: Checks | null = $state.raw(null);
  checking = $state(false);
  checkTrouble: string | null = $state(null);
  sending = $state(false);
  private asked = 0;
  /** The order for which a reason may be written. */
  private about = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private backend: Commands,
    private market: Market,
    private orders: Orders,
    private notices: Notices,
    private prompt: Prompt,
  ) {}

  /** What keeps the text from being an order, or the order. */
  readonly draft: { order: Order } | { problem: string; field: "price" | "size" } = $derived.by(() => {
    const it = this.instrument;
    if (!it) return { problem: "The market is not known yet.", field: "price" };
    const inQuote = this.kind === "market" && this.sizeIn === "quote";
    let price: Decimal | null = null;
    if (this.kind !== "market") {
      price = d.typed(this.price);
      if (this.price.trim() === "") return { problem: "Enter a price.", field: "price" };
      if (price === null || !d.isPositive(price)) return { problem: "The price is not a number.", field: "price" };
      if (!d.isMultiple(price, it.price.tick))
        return { problem: `The price moves in steps of ${d.trimmed(it.price.tick)}.`, field: "price" };
      price = d.fixed(price, d.places(it.price.tick));
    }
    const size = d.typed(this.size);
    if (this.size.trim() === "") return { problem: "Enter a quantity.", field: "size" };
    if (size === null || !d.isPositive(size)) return { problem: "The quantity is not a number above zero.", field: "size" };
    if (!inQuote && !d.isMultiple(size, it.lot.step))
      return { problem: `The quantity moves in steps of ${d.trimmed(it.lot.step)}.`, field: "size" };
    if (!inQuote && d.compare(size, it.lot.min) < 0)
      return { problem: `The smallest quantity is ${d.trimmed(it.lot.min)}.`, field: "size" };
    const quantity = inQuote ? size : d.fixed(size, d.places(it.lot.step));
    return {
      order: {
        symbol: it.symbol,
        side: this.side,
        spec: this.specOf(price, quantity),
        reduce_only: this.reduceOnly && this.canReduce,
      },
    };
  });

  /** Whether the order could be one that only reduces. */
  get canReduce(): boolean {
    return this.side === "sell" && !(this.kind === "market" && this.sizeIn === "quote");
  }

  private specOf(price: Decimal | null, quantity: Decimal): Order["spec"] {
    if (price === null) {
      const size: MarketSize = this.sizeIn === "quote" ? { quote: quantity } : { base: quantity };
      return { market: { size } };
    }
    return this.kind === "post_only" ? { post_only: { price, quantity } } : { limit: { price, quantity, tif: this.tif } };
  }

  readonly words = $derived(
    "order" in this.draft && this.instrument ? orderWords(this.draft.order, this.instrument) : this.side === "buy" ? "Buy" : "Sell",
  );
  readonly asking: Check[] = $derived(this.checks?.checks.filter((check) => check.state === "ask") ?? []);
  /** Why the button does not send; null when it does. */
  readonly blocked: string | null = $derived.by(() => {
    if (this.sending) return "The order is on its way.";
    if ("problem" in this.draft) return this.draft.problem;
    if (this.market.freshness === "down") return "The desk does not answer. Orders wait until it does.";
    if (this.market.freshness === "stale") return "The prices are not current. Orders wait until they are.";
    if (this.checkTrouble !== null) return this.checkTrouble;
    if (!this.checks || this.checking) return "The checks are being made.";
    const refused = this.checks.checks.find((check) => check.state === "refuse");
    if (refused) return refused.words;
    return unsaid(this.asking, this.ticked, this.why);
  });

  /** The order, where only rules of the desk refuse it that risk may let one order pass. */
  readonly passable: Order | null = $derived.by(() => {
    const isKnown = this.market.freshness === "live" && this.checkTrouble === null && !this.checking && !this.sending;
    return isKnown && "order" in this.draft && this.checks !== null && canPass(this.checks) ? this.draft.order : null;
  });

  /** Asks the desk about the draft, a moment after the last change. Call whenever the draft changed. */
  recheck(): void {
    clearTimeout(this.timer);
    this.asked += 1;
    this.ticked = new Set();
    const about = "order" in this.draft ? JSON.stringify(this.draft.order) : "";
    if (about !== this.about) this.why = "";
    this.about = about;
    if ("problem" in this.draft) {
      this.checks = null;
      this.checking = false;
      this.checkTrouble = null;
      return;
    }
    const { order } = this.draft;
    const turn = this.asked;
    this.checking = true;
    this.timer = setTimeout(() => void this.ask(order, turn), CHECK_AFTER_MS);
  }

  private async ask(order: Order, turn: number): Promise<void> {
    try {
      const checks = await this.backend.check({ order });
      if (turn !== this.asked) return;
      this.checks = checks;
      this.checkTrouble = null;
    } catch (reason) {
      if (turn !== this.asked) return;
      this.checks = null;
      this.checkTrouble = fault(reason).message;
    }
    this.checking = false;
  }

  tick(name: string, on: boolean): void {
    this.ticked = new Set(on ? [...this.ticked, name] : [...this.ticked].filter((other) => other !== name));
  }

  take(price: Decimal): void {
    const it = this.instrument;
    if (this.kind === "market") this.kind = "limit";
    this.price = it ? d.fixed(price, d.places(it.price.tick)) : price;
  }

  stepPrice(steps: number): void {
    const it = this.instrument;
    if (!it) return;
    const now = d.typed(this.price) ?? (this.side === "buy" ? this.market.bid : this.market.ask) ?? it.price.min;
    this.price = this.stepped(now, it.price.tick, steps, it.price.min);
  }
  stepSize(steps: number): void {
    const it = this.instrument;
    if (!it) return;
    const inQuote = this.kind === "market" && this.sizeIn === "quote";
    const step = inQuote ? "1" : it.lot.step;
    this.size = this.stepped(d.typed(this.size) ?? "0", step, steps, inQuote ? "0" : it.lot.min);
  }
  private stepped(now: Decimal, step: Decimal, steps: number, min: Decimal): Decimal {
    const moved = d.add(d.floorTo(now, step), d.mul(step, String(steps)));
    return d.fixed(d.compare(moved, min) < 0 ? min : moved, d.places(step));
  }

  async part(percent: number): Promise<void> {
    const it = this.instrument;
    if (!it) return;
    try {
      const price = this.kind === "market" ? null : d.typed(this.price);
      const size = await this.backend.size({ symbol: it.symbol, side: this.side, price, percent });
      this.sizeIn = "base";
      this.size = d.fixed(size, d.places(it.lot.step));
    } catch (reason) {
      this.notices.fail(reason, "The size was not worked out");
    }
  }

  async submit(): Promise<void> {
    if (this.blocked !== null || "problem" in this.draft) return;
    const reason = reasonFor(this.asking, this.why);
    await this.send(place(this.backend, this.prompt, this.draft.order, reason), this.words);
  }
  /** Sends this one order although rules of the desk refuse it, once risk gave a code. */
  async letPass(order: Order, words: string, why: string): Promise<void> {
    if (this.sending) return;
    await this.send(placePast(this.backend, this.prompt, order, why), words);
  }

  private async send(placing: Promise<OrderView>, words: string): Promise<void> {
    this.sending = true;
    try {
      this.orders.tellPlaced(await placing, words);
      this.why = "";
    } catch (reason) {
      this.notices.fail(reason, "The order was not sent");
    } finally {
      this.sending = false;
      this.recheck();
      await this.orders.refresh();
    }
  }
}
