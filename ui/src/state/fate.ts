// An order's fate as a shape and words. Invariant: unknown is amber and counts its seconds.
import type { OrderView } from "../bindings/contract";
import { isPositive } from "../lib/decimal";

type Shape = "ok" | "warn" | "danger" | "off" | "accent";

export function fateOf(order: OrderView, since: string): { shape: Shape; words: string } {
  const note = order.note ? `: ${order.note}` : "";
  switch (order.fate) {
    case "intended":
      return { shape: "accent", words: "Recorded, not sent yet" };
    case "sent":
      return { shape: "accent", words: `Sent, waiting ${since}` };
    case "ambiguous":
      return { shape: "warn", words: `No answer ${since}, checking` };
    case "working":
      return { shape: "ok", words: isPositive(order.filled) ? "Partly filled" : "Working" };
    case "filled":
      return { shape: "ok", words: "Filled" };
    case "canceled":
      return { shape: "off", words: `Cancelled${note}` };
    case "expired":
      return { shape: "off", words: `Expired${note}` };
    case "refused":
      return { shape: "danger", words: `Refused${note}` };
  }
}
