// Turns whatever a command rejects with into a DoorError. Invariant: nothing is swallowed; an unknown shape is shown as it is.
import type { DoorError } from "../bindings/contract";

export function fault(reason: unknown): DoorError {
  if (typeof reason === "object" && reason !== null && "message" in reason && "code" in reason && "advice" in reason)
    return reason as DoorError;
  const message = reason instanceof Error ? reason.message : String(reason);
  return { code: "unknown", message, advice: "bug" };
}

/** A person closed the prompt: nothing went wrong. */
export const isGivenUp = ({ code }: DoorError) => code === "given-up";

/** Refusals that an unlocked session would not have met. */
const SESSION_CODES = ["sealed", "session", "locked"];

/** What to do next, in one sentence; nothing when a person decided so. */
export function adviceWords(error: DoorError): string {
  const { advice } = error;
  if (isGivenUp(error)) return "";
  if (typeof advice === "object") return `Try again in ${Math.max(1, Math.ceil(advice.retry_after / 1000))} s.`;
  switch (advice) {
    case "reconcile":
      return "It is looked up at the venue before anything else happens to it.";
    case "ask":
      // The message itself says what a person has to do, unless it is only about the session.
      return SESSION_CODES.includes(error.code) ? "Unlock, then try again." : "";
    case "refuse":
      return "Nothing was sent. Change it and try again.";
    case "bug":
      return "Nothing more happens by itself. Copy the details into a report.";
  }
}
