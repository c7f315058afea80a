// Rows for what may arrive unasked.
import { expect, it } from "vitest";
import { readPush } from "../src/lib/pushes";

const frame = { seq: 1, symbol: "BTCUSDT", current: true, age_ms: 5, book_at: 1, orders_version: 1, state_version: 1 };

it.each([
  ["a bare frame", { push: "frame", frame }],
  ["a frame with rows", { push: "frame", frame: { ...frame, bids: [["1.0", "2.0", "2.0"]] } }],
  ["best prices", { push: "frame", frame: { ...frame, best: ["1.0", "1.1"] } }],
  ["absent parts as null", { push: "frame", frame: { ...frame, asks: null, candle: null } }],
  ["the link", { push: "link", up: false, words: "gone" }],
  ["a kill", { push: "killed", engaged: true, words: "by the keyboard" }],
  ["progress", { push: "verify", done: 1, of: 2 }],
  ["a wish to open", { push: "open", what: "kill" }],
  ["a dropped key file", { push: "open", what: "import" }],
])("%s passes", (_, raw) => expect(readPush(raw)).not.toBeNull());

it.each([
  ["nothing", null],
  ["another word", { push: "news" }],
  ["a float as a price", { push: "frame", frame: { ...frame, bids: [[1.5, "2.0", "2.0"]] } }],
  ["a price with an exponent", { push: "frame", frame: { ...frame, bids: [["1e5", "2.0", "2.0"]] } }],
  ["a frame without a number", { push: "frame", frame: { ...frame, seq: undefined } }],
  ["an unknown sheet", { push: "open", what: "settings" }],
])("%s does not", (_, raw) => expect(readPush(raw)).toBeNull());

it("a part that is null reads as absent", () => {
  const push = readPush({ push: "frame", frame: { ...frame, bids: null } });
  expect(push?.push === "frame" && push.frame.bids).toBeUndefined();
});
