// The palette: commands by name, or an order as a line. Invariant: an order goes out only after its checks were shown, by a second press.
import type { Check, Checks, Order } from "../bindings/contract";
import { fault } from "../lib/faults";
import { BINDINGS, type Action } from "../lib/keys";
import { looksLikeOrder, readOrder, type Reading } from "../lib/order-line";
import { orderWords, priceOf, quantityOf, quoteSizeOf, kindOf } from "../lib/symbols";
import { place, reasonFor, unsaid } from "./placing";
import type { Shell } from "./shell.svelte";

const CHECK_AFTER_MS = 100;
export type Command = { action: Action; words: string; chord: string };
export const COMMANDS: readonly Command[] = BINDINGS.filter(
  (binding, i) => !["palette", "submit"].includes(binding.action) && BINDINGS.findIndex((b) => b.words === binding.words) === i,
);

export class Palette {
  line = $state("");
  checks: Checks | null = $state.raw(null);
  trouble: string | null = $state(null);
  ticked: ReadonlySet<string> = $state.raw(new Set());
  /** Why what asks is gone past. */
  why = $state("");
  sending = $state(false);
  /** The command that Enter runs. */
  at = $state(0);
  private asked = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private shell: Shell) {}

  readonly found: readonly Command[] = $derived.by(() => {
    const wanted = this.line.trim().replace(/^>/, "").trim().toLowerCase();
    return COMMANDS.filter((command) =>
      wanted.split(/\s+/).every((word) => `${command.words} ${command.action}`.toLowerCase().includes(word)),
    );
  });
  readonly isOrder = $derived(looksLikeOrder(this.line));
  readonly reading: Reading | null = $derived.by(() => (this.isOrder ? readOrder(this.line, this.shell.instruments) : null));
  readonly order: Order | null = $derived(this.reading && "order" in this.reading ? this.reading.order : null);
  readonly words = $derived.by(() => {
    const instrument = this.shell.instruments.find((i) => i.symbol === this.order?.symbol);
    return this.order && instrument ? orderWords(this.order, instrument) : "";
  });
  readonly asking: readonly Check[] = $derived(this.checks?.checks.filter((check) => check.state === "ask") ?? []);
  readonly blocked: string | null = $derived.by(() => {
    if (this.reading && "problem" in this.reading) return this.reading.problem;
    if (this.sending) return "The order is on its way.";
    if (this.trouble !== null) return this.trouble;
    if (this.shell.market.freshness === "stale" || this.shell.market.freshness === "down") return "The prices are not current.";
    if (!this.checks) return "The checks are being made.";
    const refused = this.checks.checks.find((check) => check.state === "refuse");
    if (refused) return refused.words;
    return unsaid(this.asking, this.ticked, this.why);
  });

  move(step: 1 | -1): void {
    const count = this.found.length;
    if (count > 0) this.at = (this.at + step + count) % count;
  }

  recheck(): void {
    this.at = 0;
    clearTimeout(this.timer);
    this.asked += 1;
    this.checks = null;
    this.trouble = null;
    this.ticked = new Set();
    this.why = "";
    const [order, turn] = [this.order, this.asked];
    if (order) this.timer = setTimeout(() => void this.ask(order, turn), CHECK_AFTER_MS);
  }
  private async ask(order: Order, turn: number): Promise<void> {
    try {
      const checks = await this.shell.entry.backend.check({ order });
      if (turn === this.asked) this.checks = checks;
    } catch (reason) {
      if (turn === this.asked) this.trouble = fault(reason).message;
    }
  }
  tick(name: string, on: boolean): void {
    this.ticked = new Set(on ? [...this.ticked, name] : [...this.ticked].filter((other) => other !== name));
  }

  async send(): Promise<void> {
    if (!this.order || this.blocked !== null) return;
    this.sending = true;
    try {
      const reason = reasonFor(this.asking, this.why);
      const placed = await place(this.shell.entry.backend, this.shell.entry.prompt, this.order, reason);
      this.shell.orders.tellPlaced(placed, this.words);
      this.shell.overlay = null;
    } catch (reason) {
      this.shell.notices.fail(reason, "The order was not sent");
    } finally {
      this.sending = false;
      await this.shell.orders.refresh();
    }
  }

  async toTicket(): Promise<void> {
    const order = this.order;
    if (!order) return;
    const { shell } = this;
    const instrument = shell.instruments.find((i) => i.symbol === order.symbol);
    if (instrument && instrument.symbol !== shell.instrument?.symbol) await shell.choose(instrument);
    const { ticket } = shell;
    ticket.side = order.side;
    ticket.kind = kindOf(order.spec);
    if ("limit" in order.spec) ticket.tif = order.spec.limit.tif;
    ticket.price = priceOf(order.spec) ?? ticket.price;
    ticket.sizeIn = quantityOf(order.spec) === null ? "quote" : "base";
    ticket.size = quantityOf(order.spec) ?? quoteSizeOf(order.spec) ?? "";
    shell.view = "trade";
    shell.overlay = null;
  }
}
