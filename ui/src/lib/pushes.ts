// Checks the shape of what arrives unasked. Invariant: a push that does not fit never reaches a screen.
import * as v from "valibot";
import type { Push } from "../bindings/contract";

const decimal = v.pipe(v.string(), v.regex(/^-?\d+(\.\d+)?$/));
const row = v.tuple([decimal, decimal, decimal]);
const trade = v.object({ id: v.number(), price: decimal, quantity: decimal, side: v.picklist(["buy", "sell"]), at: v.number() });
const candle = v.object({ open_time: v.number(), open: decimal, high: decimal, low: decimal, close: decimal, volume: decimal });
const day = v.object({ last: decimal, change_percent: decimal, high: decimal, low: decimal, volume: decimal });
/** An absent part may come as null: it has not changed. */
const part = <S extends v.GenericSchema>(schema: S) =>
  v.pipe(
    v.nullish(schema),
    v.transform((value) => value ?? undefined),
  );
const frame = v.object({
  seq: v.number(),
  symbol: v.string(),
  current: v.boolean(),
  age_ms: v.number(),
  book_at: v.number(),
  best: part(v.tuple([decimal, decimal])),
  bids: part(v.array(row)),
  asks: part(v.array(row)),
  trades: part(v.array(trade)),
  candle: part(candle),
  day: part(day),
  orders_version: v.number(),
  state_version: v.number(),
});
const push = v.variant("push", [
  v.object({ push: v.literal("frame"), frame }),
  v.object({ push: v.literal("link"), up: v.boolean(), words: v.string() }),
  v.object({ push: v.literal("killed"), engaged: v.boolean(), words: v.string() }),
  v.object({ push: v.literal("verify"), done: v.number(), of: v.number() }),
  v.object({ push: v.literal("open"), what: v.picklist(["kill", "lock", "import"]) }),
]);

export function readPush(raw: unknown): Push | null {
  const read = v.safeParse(push, raw);
  return read.success ? (read.output as Push) : null;
}
