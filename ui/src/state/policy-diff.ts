// What differs between limits, part by part. Invariants: limits of an earlier or later program are read as they are; a part without a
// name here is shown under its own, never left out.
import type { DeskRule, InstrumentPolicy, Policy, RuleMode, SlotInfo } from "../bindings/contract";
import * as d from "../lib/decimal";
import { slotName } from "../lib/owners";
import { DESK_FIELDS, DESK_RULES, MODES, numberText, OTHER_WORDS, setByWords, type DeskField } from "./desk-rules";

/** One part that differs: the way to it, and what it was and is; nothing: it was not or is not there. */
export type Change = { path: readonly string[]; from: unknown; to: unknown };
/** The same for people. */
export type ChangeWords = { path: string; name: string; from: string; to: string };
/** What names need: the currency of values, and who has which way in. */
export type Known = { currency: string; slots: readonly SlotInfo[] };

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
/** Rows of a list are told apart by what they are about. */
function rowName(row: unknown): string | null {
  if (!isObject(row)) return null;
  if (typeof row.symbol === "string") return row.symbol;
  const of = isObject(row.of) ? Object.entries(row.of)[0] : undefined;
  return of ? `${of[0]} ${String(of[1])}` : null;
}

type Flat = Map<string, { path: readonly string[]; value: unknown }>;
function flatten(path: readonly string[], value: unknown, into: Flat): Flat {
  if (Array.isArray(value) && value.length > 0 && value.every((row) => rowName(row) !== null))
    for (const row of value as Record<string, unknown>[]) {
      const { symbol: _symbol, of: _of, ...rest } = row;
      flatten([...path, rowName(row)!], rest, into);
    }
  else if (isObject(value)) for (const [name, part] of Object.entries(value)) flatten([...path, name], part, into);
  else into.set(path.join("\n"), { path, value });
  return into;
}

/** What a part says when nobody said it: rules refuse, lists are empty. */
function meant(path: readonly string[], value: unknown): unknown {
  if (Array.isArray(value) && value.length === 0) return null;
  return value ?? (path[0] === "desk" && path[1] === "modes" ? "refuse" : null);
}
const PLAIN = /^-?\d+(\.\d+)?$/;
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === "string" && typeof b === "string" && PLAIN.test(a) && PLAIN.test(b)) return d.compare(a, b) === 0;
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What differs, in the order in which limits name their parts. */
export function changes(from: unknown, to: unknown): Change[] {
  const [olds, news] = [flatten([], from, new Map()), flatten([], to, new Map())];
  return [...new Map([...olds, ...news]).entries()].flatMap(([key, { path }]) => {
    const [old, now] = [meant(path, olds.get(key)?.value), meant(path, news.get(key)?.value)];
    return isSame(old, now) ? [] : [{ path, from: old, to: now }];
  });
}

export const FLOOR_WORDS = "Passwords at least so hard";
type Named = Exclude<keyof Policy, "instruments" | "thresholds" | "desk" | "kdf_floor">;
const NAMES: Record<Named, string> = {
  currency: "Currency of the limits",
  order_notional_max: "Notional per order",
  day_notional_max: "Notional signed in 24 h",
  confirm_above: "A code for orders above",
  orders_per_minute: "Orders per minute",
  price_collar_bps: OTHER_WORDS.collar,
  session_idle_ms: "Locks when idle for",
  session_age_max_ms: "Longest session",
};
const OF_INSTRUMENT: Record<Exclude<keyof InstrumentPolicy, "symbol">, string> = {
  quantity_max: "most per order",
  price_low: "lowest price",
  price_high: "highest price",
  position_max: "most held",
  quote_worth: "a unit paid is worth at most",
};
const MONEY = new Set([
  "quote_worth",
  "order_notional_max",
  "day_notional_max",
  "confirm_above",
  "exposure_max",
  "day_loss_max",
  "drawdown_max",
  "max",
]);
const plain = (path: readonly string[]) => path.join(", ").replaceAll("_", " ");
const has = <Key extends string>(names: Record<Key, unknown>, key: string | undefined): key is Key =>
  key !== undefined && Object.hasOwn(names, key);

function nameOf(path: readonly string[], { slots }: Known): string {
  const [first, second, third] = path;
  if (path.length === 1 && has(NAMES, first)) return NAMES[first];
  if (first === "kdf_floor") return `${FLOOR_WORDS}: ${second === "memory_mib" ? "memory" : plain(path.slice(1))}`;
  if (first === "instruments" && second !== undefined)
    return `${second}: ${has(OF_INSTRUMENT, third) ? OF_INSTRUMENT[third] : (third ?? "")}`;
  if (first === "thresholds" && second !== undefined) return `Signed in 24 h by ${ownerName(second, slots)}`;
  if (first !== "desk") return plain(path);
  if (second === "modes" && third !== undefined)
    return `${has(DESK_RULES, third) ? setByWords(DESK_RULES[third as DeskRule]) : third}, when not met`;
  if (second === "exposure_of" && third !== undefined) return `Held at ${third === "venue binance" ? "Binance" : third}`;
  if (second === "restricted") return OTHER_WORDS.restricted;
  if (second === "self_trade") return OTHER_WORDS.selfTrade;
  return DESK_FIELDS.some(([field]) => field === second) ? setByWords(second as DeskField) : plain(path.slice(1));
}
function ownerName(row: string, slots: readonly SlotInfo[]): string {
  const slot = row.startsWith("person ") ? slots.find(({ id }) => `person ${id}` === row) : undefined;
  return slot ? slotName(slot) : row.replace(/^person /, "slot ");
}

function valueWords(path: readonly string[], value: unknown, { currency }: Known): string {
  const last = path.at(-1) ?? "";
  if (value === null) return "none";
  if (path[1] === "modes") return MODES[value as RuleMode] ?? String(value);
  if (last === "self_trade") return value === true ? "allowed" : "never";
  if (Array.isArray(value)) return value.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" ");
  const text = String(value);
  if (!PLAIN.test(text)) return typeof value === "object" ? JSON.stringify(value) : text;
  const count = (factor: string | null, unit: string) => `${d.shown(numberText(text, factor))}${unit ? `\u00a0${unit}` : ""}`;
  if (MONEY.has(last)) return count(null, currency);
  if (last.endsWith("_bps")) return count("100", "%");
  if (last === "session_idle_ms") return count("60000", "min");
  if (last === "session_age_max_ms") return count("3600000", "h");
  if (last.endsWith("_ms")) return count("1000", "s");
  return count(null, last.endsWith("_mib") ? "MiB" : "");
}

export function worded(found: readonly Change[], known: Known): ChangeWords[] {
  // Where the currency changed, what a value was was in the one of before.
  const currency = found.find(({ path }) => path.length === 1 && path[0] === "currency");
  const [before, after] = [String(currency?.from ?? known.currency), String(currency?.to ?? known.currency)];
  return found.map(({ path, from, to }) => ({
    path: path.join("."),
    name: nameOf(path, known),
    from: valueWords(path, from, { ...known, currency: before }),
    to: valueWords(path, to, { ...known, currency: after }),
  }));
}
