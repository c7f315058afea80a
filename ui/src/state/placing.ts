// Sending an order. Invariant: one that has to be confirmed, or is let pass, goes to the prompt under the name under which it is placed.
import type { Checks, Commands, Order, OrderView } from "../bindings/contract";
import { fault } from "../lib/faults";
import type { Prompt } from "./prompt.svelte";

/** Longest reason that the desk takes. */
export const REASON_LEN_MAX = 200;

/** Whether all that refuses a draft are rules that risk may let it pass. The desk has the last word. */
export function canPass({ checks }: Checks): boolean {
  const refused = checks.filter((check) => check.state === "refuse");
  return refused.length > 0 && refused.every((check) => check.can_pass);
}

/** A name that nobody else makes; the window's origin is not one for which `randomUUID` is there. */
const madeUp = () => `sr-${Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;

/** Places an order; `ticked`: the checks that a person was asked about and went past. */
export async function place(backend: Commands, prompt: Prompt, order: Order, ticked: Iterable<string>): Promise<OrderView> {
  const past = [...ticked].join(", ");
  return named(backend, prompt, order, madeUp(), past === "" ? null : `went past: ${past}`.slice(0, REASON_LEN_MAX));
}

/** Has risk let this one order pass, and places exactly it. */
export async function placePast(backend: Commands, prompt: Prompt, order: Order, why: string): Promise<OrderView> {
  const name = madeUp();
  const answer = await prompt.ask(
    {
      words: "Let this one order pass.",
      effect: "Only risk may, with a code. The prompt shows the order; it passes the desk's rules once, within two minutes.",
    },
    { action: "override_rule", client_order_id: name, ...order, why },
  );
  if ("error" in answer) throw answer.error;
  return named(backend, prompt, order, name, why);
}

async function named(backend: Commands, prompt: Prompt, order: Order, name: string, reason: string | null): Promise<OrderView> {
  try {
    return await backend.place({ order, name, reason });
  } catch (refused) {
    if (fault(refused).code !== "confirm") throw refused;
    const answer = await prompt.ask(
      { words: "Confirm a large order.", effect: "The prompt shows it as the signer understood it." },
      { action: "confirm_order", client_order_id: name, ...order },
    );
    if ("error" in answer) throw answer.error;
    return backend.place({ order, name, reason });
  }
}
