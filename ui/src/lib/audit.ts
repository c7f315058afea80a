// The words of audit entries. Invariant: what is unknown here is shown under its own name, never left out.
import type { AuditEntry } from "../bindings/contract";
import { shown, typed } from "./decimal";

type Shape = "ok" | "warn" | "danger" | "off" | "accent";

export const kindWords = (kind: string) => {
  const words = kind.replace(/[-_.]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

const LEADING = ["words", "label", "client_order_id", "symbol", "host", "reason"];
const text = (value: unknown): string => {
  if (typeof value === "string") return typed(value) !== null && value.includes(".") ? shown(value) : value;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
};

/** One line of the payload: what it is about first, then the rest. */
export function subjectOf({ payload }: AuditEntry): string {
  if (typeof payload !== "object" || payload === null) return payload === null || payload === undefined ? "" : String(payload);
  const fields = Object.entries(payload as Record<string, unknown>).filter(([, value]) => value !== null);
  const rank = (name: string) => (LEADING.includes(name) ? LEADING.indexOf(name) : LEADING.length);
  return fields
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([name, value]) => (rank(name) < LEADING.length ? text(value) : `${name} ${text(value)}`))
    .join(", ");
}

const BAD = /fail|refus|crash|rolled-back|lost|locked-out|killed|mismatch/;
const OPEN = /intended|ambiguous|unknown|pin/;

export function resultOf({ kind, payload }: AuditEntry): { shape: Shape; words: string } {
  const fate = typeof payload === "object" && payload !== null ? (payload as Record<string, unknown>).fate : undefined;
  if (BAD.test(kind)) return { shape: "danger", words: "Attention" };
  if (typeof fate === "string")
    return {
      shape: fate === "ambiguous" ? "warn" : fate === "refused" ? "danger" : "ok",
      words: fate.charAt(0).toUpperCase() + fate.slice(1),
    };
  if (OPEN.test(kind)) return { shape: "accent", words: "Recorded" };
  return { shape: "ok", words: kind === "checkpoint" ? "Sealed" : "Done" };
}
