// The words of audit entries. Invariants: words are built from the payload alone; what is unknown here is shown under its own name, never
// left out; the payload itself stays in the entry's detail.
import type { AuditEntry } from "../bindings/contract";
import { spaced } from "./decimal";
import { offset } from "./format";
import { orderName } from "./symbols";

type Shape = "ok" | "warn" | "danger" | "off" | "accent";
type Payload = Record<string, unknown>;
/** What was ordered, by client order id, as far as its entry was read. */
export type Ordered = ReadonlyMap<string, { words: string; quantity: string | null }>;

const KEY_SHOWN = 8; // characters of a public key that tell it from others

export const kindWords = (kind: string) => {
  const words = kind.replace(/[-_.]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

const object = (value: unknown): Payload =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Payload) : {};
const text = (value: unknown): string => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");
const some = (...parts: (string | false | undefined | null)[]) => parts.filter(Boolean).join(", ");
const brief = (value: unknown, length = KEY_SHOWN) => (text(value).length > length ? `${text(value).slice(0, length)}…` : text(value));
const many = (n: unknown, one: string) => `${text(n)} ${one}${n === 1 ? "" : "s"}`;
const percent = (bps: unknown) => (typeof bps === "number" ? `${bps / 100} %` : "");

/** The orders that these entries intended. */
export function orderedIn(entries: readonly AuditEntry[]): Ordered {
  const known = new Map<string, { words: string; quantity: string | null }>();
  for (const { kind, payload } of entries) {
    const { order, words } = object(payload);
    const id = text(object(order).client_order_id);
    if (kind !== "order-intended" || id === "") continue;
    const spec = Object.values(object(object(order).spec))[0];
    known.set(id, { words: text(words), quantity: text(object(spec).quantity) || text(object(object(spec).size).base) || null });
  }
  return known;
}

const reported = (p: Payload, ordered: Ordered) => {
  const [id, filled] = [text(p.order), text(p.filled)];
  const whole = text(p.quantity) || ordered.get(id)?.quantity;
  const traded = filled !== "" && Number(filled) !== 0;
  return some(
    traded && `filled ${filled}${whole ? ` of ${whole}` : ""}`,
    traded && `notional ${text(p.notional)}`,
    !traded && text(p.fate) && `${FATES[text(p.fate)] ?? text(p.fate)}, nothing filled`,
    text(p.why),
    orderName(id),
  );
};
const key = (p: Payload) => some(text(p.label), text(p.scheme), text(p.api_key) && `key ${brief(p.api_key)}`, text(p.venue));

const SUBJECTS: Record<string, (payload: Payload, ordered: Ordered) => string> = {
  epoch: () => "a new epoch of the log begins",
  "vault-created": (p) => `vault ${brief(p.vault)}`,
  "vault-saved": (p) => `generation ${text(p.generation)}`,
  "backup-restored": (p) => `generation ${text(p.generation)} took the vault's place`,
  unlocked: (p) => some("password accepted", p.signatures !== undefined && `${many(p.signatures, "signature")} so far`),
  recovered: (p) => some("recovery kit accepted", p.signatures !== undefined && `${many(p.signatures, "signature")} so far`),
  "unlock-failed": (p) => some(text(p.why), typeof p.failures === "number" && `${many(p.failures, "failure")} in a row`),
  locked: (p) => (p.live_orders === undefined ? "" : `${many(p.live_orders, "order")} live`),
  sealed: (p) => text(p.because),
  "signer-crashed": (p) => text(p.because),
  "anchor-lost": (p) => text(p.trouble),
  "desk-started": (p) => some(`version ${text(p.version)}`, p.live_orders !== undefined && `${many(p.live_orders, "order")} unfinished`),
  "desk-stopped": () => "in order",
  "key-imported": key,
  "key-deleted": key,
  "key-generated": (p) => some(text(p.label), text(p.scheme), "made in the vault"),
  "key-edited": (p) => some(text(p.label) || `key number ${text(p.id)}`, text(p.api_key) && `key ${brief(p.api_key)}`),
  "key-revoked": (p) => some(text(p.label), text(p.why)),
  "key-suspected": (p) => some(text(p.label), text(p.why)),
  "key-rotated": (p) => some(text(p.label), `key number ${text(p.new)} replaces ${text(p.old)}`),
  "key-tested": (p) => some(text(p.label) || `key number ${text(p.id)}`, p.passed === true ? "passed" : "did not pass", text(p.why)),
  "policy-changed": (p) => {
    const policy = object(p.policy);
    const list = Array.isArray(policy.instruments) ? policy.instruments.map((one) => text(object(one).symbol)).join(" ") : "";
    return some(
      `${text(policy.order_notional_max)} per order`,
      `${text(policy.orders_per_minute)} orders per minute`,
      percent(policy.price_collar_bps) && `within ${percent(policy.price_collar_bps)}`,
      list,
    );
  },
  "managed-policy": (p) =>
    p.managed === null
      ? "no organisation's limits any more"
      : some(text(object(p.managed).organisation), `document ${text(object(p.managed).serial)}`),
  "roles-set": (p) => some(`slot ${text(p.slot)}`, Array.isArray(p.roles) && p.roles.map(text).join(", ")),
  "rule-passed": (p) =>
    some(text(p.rule), text(p.what), text(p.why) && `because ${text(p.why)}`, orderName(text(object(p.order).client_order_id))),
  "rule-overridden": (p) => some(text(p.why), orderName(text(object(p.order).client_order_id))),
  "order-confirmed": (p) => orderName(text(object(p.order).client_order_id)),
  killed: (p) => some(text(p.why), p.scope !== undefined && p.scope !== "everything" && text(p.scope)),
  "kill-ended": (p) => `${many(p.orders, "order")} gone`,
  "order-protected": (p) => some(text(p.order), p.protected === true ? "the kill switch leaves it" : "the kill switch reaches it again"),
  rearmed: () => "orders are signed again",
  "session-closed": (p) => some(text(p.door), text(p.by) && `opened by ${text(p.by)}`),
  "order-intended": (p) => {
    if (p.cancel !== undefined) return `cancel ${orderName(text(p.cancel))}`;
    if (p.amend !== undefined) return `make smaller, to ${text(p.quantity)}, ${orderName(text(p.amend))}`;
    return some(text(p.words), orderName(text(object(p.order).client_order_id)));
  },
  "order-reported": reported,
  "order-reconciled": reported,
  "order-ambiguous": (p) => some(text(p.what), orderName(text(p.order))),
  "order-refused": (p) => {
    const id = text(p.order) || text(object(p.order).client_order_id);
    return some(text(p.why), text(p.by) && `by the ${text(p.by)}`, orderName(id));
  },
  "pin-alarm": (p) => some(text(p.host), `showed ${brief(object(p.seen).spki_sha256 ?? p.seen)}`),
  "pin-accepted": (p) => some(text(p.host), `pinned ${brief(p.spki_sha256)}`),
  "pin-forgotten": (p) => some(text(p.host), `trusts ${brief(p.spki_sha256)} no more`),
  "clock-alarm": (p) => (typeof p.offset_us === "number" ? `venue's clock ${offset(p.offset_us)}` : ""),
};

/** Fields of a payload whose kind is not known, each with its name. */
function listed(payload: Payload): string {
  const flat = (value: unknown): string =>
    typeof value === "object" && value !== null
      ? Object.entries(value)
          .map(([name, part]) => `${name} ${flat(part)}`)
          .join(" ")
      : String(value);
  return Object.entries(payload)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.replace(/_/g, " ")} ${flat(value)}`)
    .join(", ");
}

const NOTHING: Ordered = new Map();
/** One line of what the entry is about. */
export function subjectOf({ kind, payload }: AuditEntry, ordered: Ordered = NOTHING): string {
  if (typeof payload !== "object" || payload === null) return text(payload);
  const words = SUBJECTS[kind]?.(object(payload), ordered) ?? "";
  if (words === "") return spaced(listed(object(payload)));
  const { person } = object(payload);
  return spaced(typeof person === "number" ? `${words}, by slot ${person}` : words);
}

const FATES: Record<string, string> = { canceled: "cancelled", ambiguous: "no answer", refused: "refused", working: "working" };
const BAD = /fail|refus|crash|rolled-back|lost|locked-out|killed|mismatch|alarm/;
const OPEN = /intended|ambiguous|unknown|pin/;

export function resultOf({ kind, payload }: AuditEntry): { shape: Shape; words: string } {
  const { fate } = object(payload);
  if (kind === "order-refused") return { shape: "danger", words: "Refused" };
  if (kind === "order-ambiguous") return { shape: "warn", words: "No answer" };
  if (BAD.test(kind)) return { shape: "danger", words: "Attention" };
  if (typeof fate === "string") {
    const words = FATES[fate] ?? fate;
    return {
      shape: fate === "ambiguous" ? "warn" : fate === "refused" ? "danger" : fate === "canceled" || fate === "expired" ? "off" : "ok",
      words: words.charAt(0).toUpperCase() + words.slice(1),
    };
  }
  if (OPEN.test(kind)) return { shape: "accent", words: "Recorded" };
  return { shape: "ok", words: "Done" };
}
