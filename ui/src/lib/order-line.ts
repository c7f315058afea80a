// Reads an order typed as one line: `buy 0.05 btc @60120 post`. Invariant: what it does not understand it refuses; it never guesses a side, size or price.
import type { Instrument, MarketSize, Order, Side, TimeInForce } from "../bindings/contract";
import * as d from "./decimal";

export type Reading = { order: Order } | { problem: string };
const TIFS: Record<string, TimeInForce> = { gtc: "GTC", ioc: "IOC", fok: "FOK" };

export const looksLikeOrder = (line: string) => /^\s*\/?\s*(buy|sell)\b/i.test(line);

export function readOrder(line: string, instruments: readonly Instrument[]): Reading {
  const words = line.trim().replace(/^\//, "").replace(/@\s*/g, " @").trim().toLowerCase().split(/\s+/);
  const side = words.shift();
  if (side !== "buy" && side !== "sell") return { problem: "Begin with buy or sell." };
  const size = d.typed(words.shift() ?? "");
  if (size === null || !d.isPositive(size)) return { problem: "Then a quantity, such as 0.05." };
  const named = words.shift();
  const found = named === undefined ? undefined : marketOf(named, instruments);
  if (!found)
    return { problem: named === undefined ? "Then what: an asset or a market, such as btc." : `There is no market for ${named}.` };
  return readRest(side, size, found, words);
}

type Found = { instrument: Instrument; counts: "base" | "quote" };

function marketOf(name: string, instruments: readonly Instrument[]): Found | undefined {
  const bare = name.replace(/[/-]/, "").toUpperCase();
  const byBase = instruments.filter((i) => i.base.toUpperCase() === bare);
  const whole = instruments.find((i) => i.symbol.toUpperCase() === bare) ?? (byBase.length === 1 ? byBase[0] : undefined);
  if (whole) return { instrument: whole, counts: "base" };
  const byQuote = instruments.filter((i) => i.quote.toUpperCase() === bare);
  return byQuote.length === 1 ? { instrument: byQuote[0]!, counts: "quote" } : undefined;
}

function readRest(side: Side, size: string, { instrument, counts }: Found, words: string[]): Reading {
  let price: string | null = null;
  let post = false;
  let reduce = false;
  let market = false;
  let tif: TimeInForce | null = null;
  while (words.length > 0) {
    const word = words.shift()!;
    if (word.startsWith("@") || word === "at" || word === "limit") {
      const text = word.startsWith("@") ? word.slice(1) : (words.shift() ?? "").replace(/^@/, "");
      if (price !== null) return { problem: "There are two prices." };
      if (text === "market" || text === "mkt") market = true;
      else {
        price = d.typed(text);
        if (price === null || !d.isPositive(price))
          return { problem: `${text === "" ? "After @ comes a price" : `${text} is not a price`}.` };
      }
    } else if (word === "market" || word === "mkt") market = true;
    else if (word === "post") post = true;
    else if (word === "reduce") reduce = true;
    else if (TIFS[word]) tif = TIFS[word]!;
    else return { problem: `“${word}” is not understood.` };
  }
  if (price !== null && market) return { problem: "Either a price or market, not both." };
  if (price === null && !market) return { problem: "Then a price such as @60120, or market." };
  if (market && (post || tif)) return { problem: "A market order takes neither post nor a time in force." };
  if (post && tif && tif !== "GTC") return { problem: "Post only rests in the book; it cannot be IOC or FOK." };
  if (reduce && (side === "buy" || counts === "quote"))
    return { problem: `Only a sale by a quantity of ${instrument.base} reduces what is held.` };
  if (price !== null && counts === "quote")
    return { problem: `Give the quantity in ${instrument.base}. Only market orders count in ${instrument.quote}.` };
  if (price !== null && !d.isMultiple(price, instrument.price.tick))
    return { problem: `The price moves in steps of ${d.trimmed(instrument.price.tick)}.` };
  if (counts === "base" && !d.isMultiple(size, instrument.lot.step))
    return { problem: `The quantity moves in steps of ${d.trimmed(instrument.lot.step)}.` };
  return { order: { symbol: instrument.symbol, side, spec: specOf(instrument, { size, price, counts, post, tif }), reduce_only: reduce } };
}

type Parts = { size: string; price: string | null; counts: "base" | "quote"; post: boolean; tif: TimeInForce | null };

function specOf(instrument: Instrument, { size, price, counts, post, tif }: Parts): Order["spec"] {
  if (price === null) {
    const amount: MarketSize = counts === "quote" ? { quote: size } : { base: d.fixed(size, d.places(instrument.lot.step)) };
    return { market: { size: amount } };
  }
  const quantity = d.fixed(size, d.places(instrument.lot.step));
  const at = d.fixed(price, d.places(instrument.price.tick));
  return post ? { post_only: { price: at, quantity } } : { limit: { price: at, quantity, tif: tif ?? "GTC" } };
}
