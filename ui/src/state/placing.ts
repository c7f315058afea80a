// Sending an order. Invariant: one that has to be confirmed, or is let pass, goes to the prompt under the name under which it is placed.
import type { Check, Checks, Commands, Order, OrderView } from "../bindings/contract";
import { bytesOf } from "../lib/bytes";
import { fault } from "../lib/faults";
import { intentOf } from "../lib/symbols";
import type { Prompt } from "./prompt.svelte";

/** Longest reason that the desk takes, in bytes. */
export const REASON_LEN_MAX = 200;
/** Fewer characters say nothing. */
export const WHY_LEN_MIN = 3;
/** Longest reason that the signer takes for letting one order pass, in bytes. */
export const PASS_WHY_LEN_MAX = 64;
/** Of a reason, what the names of the rules take at most, in bytes. */
const NAMES_LEN_MAX = 80;

/** The names that a reason begins with: what desk and window ask about. An order that the signer asks about has a code of its own instead. */
export function gonePast(asking: readonly Check[]): string {
  const names = asking.filter(({ by }) => by !== "signer").map(({ name }) => name);
  for (let kept = names.length; kept > 0; kept--) {
    const all = names.slice(0, kept).join(", ") + (kept < names.length ? `, ${names.length - kept} more` : "");
    if (bytesOf(all) <= NAMES_LEN_MAX) return all;
  }
  return names.length === 0 ? "" : `${names.length} rules`;
}
/** How many bytes a person has for a reason beside the names. */
export const roomFor = (past: string) => REASON_LEN_MAX - bytesOf(past) - 2;

/** What is sent as the order's reason: what was gone past, and why, in the person's own words. */
export function reasonFor(asking: readonly Check[], why: string): string | null {
  const past = gonePast(asking);
  return past === "" ? null : `${past}: ${why.trim()}`;
}

/** What a person still has to do about checks that ask; nothing: all is said. */
export function unsaid(asking: readonly Check[], ticked: ReadonlySet<string>, why: string): string | null {
  const open = asking.find(({ name }) => !ticked.has(name));
  if (open) return `Tick “${intentOf(open)}” first.`;
  const past = gonePast(asking);
  if (past === "") return null;
  if ([...why.trim()].length < WHY_LEN_MIN) return "Write why first. It is sent with the order.";
  return bytesOf(why.trim()) > roomFor(past) ? "The reason is too long. Make it shorter." : null;
}

/** What is wrong with a reason for letting one order pass; nothing: the signer takes it. */
export function passProblem(why: string): string | null {
  const length = bytesOf(why.trim());
  if (length === 0) return "Say why. It goes into the log.";
  return length > PASS_WHY_LEN_MAX ? `The reason has ${length} bytes, ${PASS_WHY_LEN_MAX} at most. Make it shorter.` : null;
}

/** Whether all that refuses a draft are rules that risk may let it pass. The desk has the last word. */
export function canPass({ checks }: Checks): boolean {
  const refused = checks.filter((check) => check.state === "refuse");
  return refused.length > 0 && refused.every((check) => check.can_pass);
}

/** A name that nobody else makes; the window's origin is not one for which `randomUUID` is there. */
const madeUp = () => `sr-${Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;

/** Places an order; `reason`: why a person went past what asked, see [`reasonFor`]. */
export async function place(backend: Commands, prompt: Prompt, order: Order, reason: string | null): Promise<OrderView> {
  return named(backend, prompt, order, madeUp(), reason);
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
