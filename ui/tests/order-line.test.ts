// Rows for orders typed as a line.
import { describe, expect, it } from "vitest";
import type { OrderSpec } from "../src/bindings/contract";
import { instrument as fine } from "../src/lib/fake/market";
import { looksLikeOrder, readOrder } from "../src/lib/order-line";
import { orderWords } from "../src/lib/symbols";

const instrument = {
  ...fine,
  price: { min: "0.1", max: "1000000", tick: "0.1" },
  lot: { min: "0.0001", max: "100", step: "0.0001" },
};

const read = (line: string) => readOrder(line, [instrument]);
const limit = (price: string, quantity: string, tif: "GTC" | "IOC" | "FOK" = "GTC"): OrderSpec => ({ limit: { price, quantity, tif } });

describe("what is understood", () => {
  it.each<[string, "buy" | "sell", OrderSpec]>([
    ["buy 0.05 btc @60120 post", "buy", { post_only: { price: "60120.0", quantity: "0.0500" } }],
    ["/ buy 0.05 btc @ 60120 post", "buy", { post_only: { price: "60120.0", quantity: "0.0500" } }],
    ["sell 1 BTC/USDT at 60300.5", "sell", limit("60300.5", "1.0000")],
    ["sell 1 btcusdt @60300 ioc", "sell", limit("60300.0", "1.0000", "IOC")],
    ["SELL 1 btc-usdt limit 60300 FOK", "sell", limit("60300.0", "1.0000", "FOK")],
    ["buy 0.1 btc market", "buy", { market: { size: { base: "0.1000" } } }],
    ["buy 0.1 btc @market", "buy", { market: { size: { base: "0.1000" } } }],
    ["sell 0.1 btc market reduce", "sell", { market: { size: { base: "0.1000" } } }],
    ["buy 250 usdt mkt", "buy", { market: { size: { quote: "250" } } }],
  ])("%s", (line, side, spec) =>
    expect(read(line)).toEqual({ order: { symbol: "BTCUSDT", side, spec, reduce_only: line.includes("reduce") } }),
  );
});

describe("what is refused", () => {
  it.each([
    "buy",
    "buy btc",
    "buy 0.05",
    "buy 0 btc @60120",
    "buy -1 btc @60120",
    "buy 0,05 btc @60120",
    "buy 0.05 doge @60120",
    "buy 0.05 btc",
    "buy 0.05 btc @",
    "buy 0.05 btc @60120.05",
    "buy 0.00001 btc @60120",
    "buy 0.05 btc @60120 @60121",
    "buy 0.05 btc @60120 market",
    "buy 0.05 btc market post",
    "buy 0.05 btc market ioc",
    "buy 0.05 btc @60120 post ioc",
    "buy 0.05 btc @60120 tomorrow",
    "buy 250 usdt @60120",
  ])("%s", (line) => expect(read(line)).toHaveProperty("problem"));
});

it("a market named by an asset of two markets is refused", () => {
  const other = { ...instrument, symbol: "BTCEUR", quote: "EUR" };
  expect(readOrder("buy 1 btc market", [instrument, other])).toHaveProperty("problem");
  expect(readOrder("buy 1 btceur market", [instrument, other])).toHaveProperty("order");
});

it.each([
  ["buy 1", true],
  [" /sell", true],
  ["buyer", false],
  ["lock", false],
])("%s looks like an order: %s", (line, wanted) => expect(looksLikeOrder(line)).toBe(wanted));

it("is read back in words", () => {
  const reading = read("buy 0.05 btc @60120 post");
  expect("order" in reading && orderWords(reading.order, instrument)).toBe("Buy 0.05 BTC at 60\u00a0120.0");
});
