// Sending an order. Invariant: one that has to be confirmed goes to the prompt under the name under which it is placed.
import type { Commands, Order, OrderView } from "../bindings/contract";
import { fault } from "../lib/faults";
import type { Prompt } from "./prompt.svelte";

/** Longest reason that the desk takes. */
const REASON_LEN_MAX = 200;

/** A name that nobody else makes; the window's origin is not one for which `randomUUID` is there. */
const madeUp = () => `sr-${Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;

/** Places an order; `ticked`: the checks that a person was asked about and went past. */
export async function place(backend: Commands, prompt: Prompt, order: Order, ticked: Iterable<string>): Promise<OrderView> {
  const name = madeUp();
  const past = [...ticked].join(", ");
  const reason = past === "" ? null : `went past: ${past}`.slice(0, REASON_LEN_MAX);
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
