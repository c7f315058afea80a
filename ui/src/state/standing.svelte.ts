// What can be done about an order that stands, besides cancelling it. Invariants: it is only ever made smaller; only the prompt protects.
import type { Commands, DoorError, Instrument, OrderView } from "../bindings/contract";
import * as d from "../lib/decimal";
import { fault } from "../lib/faults";
import { orderName, priceOf, quantityOf } from "../lib/symbols";
import type { Notices } from "./notices.svelte";
import type { Orders } from "./orders.svelte";
import type { Prompt } from "./prompt.svelte";

/** Whether it rests at a price, with a base quantity that can be less. */
export const canShrink = ({ fate, spec }: OrderView) => fate === "working" && priceOf(spec) !== null && quantityOf(spec) !== null;

/** The new quantity that a text means, what is filled included, or what is wrong with it. */
export function smaller(order: OrderView, text: string, instrument: Instrument | null): { quantity: string } | { problem: string } {
  const has = quantityOf(order.spec) ?? "0";
  const read = d.typed(text);
  if (text.trim() === "") return { problem: "Enter the new quantity." };
  if (read === null || !d.isPositive(read)) return { problem: "The quantity is not a number above zero." };
  if (d.compare(read, has) >= 0) return { problem: `It is for ${d.shown(d.trimmed(has))}. It can only be made smaller.` };
  if (d.compare(read, order.filled) <= 0)
    return { problem: `${d.shown(d.trimmed(order.filled))} is filled already. Above that, or cancel what is left.` };
  if (instrument && !d.isMultiple(read, instrument.lot.step))
    return { problem: `The quantity moves in steps of ${d.trimmed(instrument.lot.step)}.` };
  if (instrument && d.compare(read, instrument.lot.min) < 0)
    return { problem: `The smallest quantity is ${d.trimmed(instrument.lot.min)}.` };
  return { quantity: read };
}

export class Standing {
  /** The order that is being made smaller. */
  shrinking: string | null = $state(null);
  busy: ReadonlySet<string> = $state.raw(new Set());

  constructor(
    private backend: Commands,
    private prompt: Prompt,
    private orders: Orders,
    private notices: Notices,
  ) {}

  /** Why it was not done; nothing when it was. */
  async shrink(id: string, quantity: string): Promise<DoorError | null> {
    try {
      await this.backend.amend({ client_order_id: id, quantity });
      this.notices.say(`Order ${orderName(id)} is for ${d.shown(d.trimmed(quantity))} now`, "ok", "", id);
      return null;
    } catch (reason) {
      return fault(reason);
    } finally {
      await this.orders.refresh();
    }
  }

  protect(id: string): Promise<void> {
    return this.alone(id, async () => {
      const asked = {
        words: `Have the kill switch leave order ${orderName(id)}.`,
        effect: "It can still fill, and be cancelled by hand. Only risk may, with a code.",
      };
      this.notices.answered(await this.prompt.ask(asked, { action: "protect_order", client_order_id: id }));
    });
  }
  unprotect(id: string): Promise<void> {
    return this.alone(id, async () => {
      try {
        await this.backend.unprotect({ client_order_id: id });
        this.notices.say(`The kill switch reaches order ${orderName(id)} again`, "ok", "", id);
      } catch (reason) {
        this.notices.fail(reason, "The order stays protected");
      }
    });
  }

  private async alone(id: string, what: () => Promise<void>): Promise<void> {
    if (this.busy.has(id)) return;
    this.busy = new Set([...this.busy, id]);
    await what();
    this.busy = new Set([...this.busy].filter((other) => other !== id));
    await this.orders.refresh();
  }
}
