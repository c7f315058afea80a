// Rows for own orders in the ladder, limits as text, and rotation.
import { describe, expect, it } from "vitest";
import type { KeyView, OrderView, Policy } from "../src/bindings/contract";
import { policy } from "../src/lib/fake/scenes";
import { due } from "../src/state/keyring.svelte";
import { beyond, ownRows } from "../src/state/ladder";
import { asText, fromText, type PolicyText } from "../src/state/limits.svelte";
import { stepsOf } from "../src/state/shell.svelte";

const order = (side: "buy" | "sell", price: string, quantity: string, parts: Partial<OrderView> = {}) =>
  ({ client_order_id: price, side, spec: { limit: { price, quantity, tif: "GTC" } }, filled: "0", fate: "working", ...parts }) as OrderView;

describe("own rows", () => {
  it("bids fall, asks rise to the step", () => {
    expect([...ownRows([order("buy", "60063.0", "1")], "buy", "5", 1).keys()]).toEqual(["60060.0"]);
    expect([...ownRows([order("sell", "60063.0", "1")], "sell", "5", 1).keys()]).toEqual(["60065.0"]);
  });
  it("adds what is open, exactly, and keeps doubt", () => {
    const rows = ownRows(
      [order("buy", "60061", "0.3", { filled: "0.1" }), order("buy", "60062", "0.1", { fate: "ambiguous" })],
      "buy",
      "5",
      1,
    );
    expect(rows.get("60060.0")).toEqual({ quantity: "0.3", unknown: true, ids: ["60061", "60062"] });
  });
  it("counts what lies beyond the last row", () => {
    const own = ownRows([order("buy", "60000", "1"), order("buy", "60100", "1")], "buy", "5", 1);
    expect(
      beyond(
        own,
        [
          ["60120.0", "1", "1"],
          ["60100.0", "1", "2"],
        ],
        "buy",
      ),
    ).toBe(1);
  });
  it("offers steps from the tick up", () => expect(stepsOf("0.10")).toEqual(["0.1", "1", "5", "10", "50", "100"]));
});

describe("limits as text", () => {
  it("come back as they were", () => expect(fromText(asText(policy()))).toEqual({ policy: policy() }));
  const other = (parts: Partial<Policy>, desk: Partial<Policy["desk"]> = {}): Policy => ({
    ...policy(),
    ...parts,
    desk: { ...policy().desk, ...desk },
  });
  it.each<[string, Policy]>([
    ["nothing per order", other({ order_notional_max: "0" })],
    ["nothing in a day", other({ day_notional_max: "0" })],
    ["no order a minute", other({ orders_per_minute: 0 })],
    ["a code for every order", other({ confirm_above: "0" })],
    ["nothing for a bot", other({ thresholds: [{ of: { bot: "grid" }, day_notional_max: "0" }] })],
    ["nothing at an account", other({}, { exposure_of: [{ of: { account: "main" }, max: "0" }] })],
    ["nothing held, lost or open", other({}, { exposure_max: "0", day_loss_max: "0", drawdown_max: "0", open_orders_max: 0 })],
    ["what the form takes above zero only", other({ price_collar_bps: 0 }, { slippage_bps: 0, duplicate_ms: 0, fills_per_minute: 0 })],
    ["times that are no whole hundredths", other({ session_idle_ms: 61_001, session_age_max_ms: 300_001 })],
    ["a band from zero, and nothing held", other({ instruments: [{ ...policy().instruments[0]!, price_low: "0", position_max: "0" }] })],
    ["a floor of passwords", other({ kdf_floor: { memory_mib: 64, passes: 32 } })],
  ])("come back as they were: %s", (_, set) => expect(fromText(asText(set))).toEqual({ policy: set }));
  it("zero can be typed where it means nothing at all", () => {
    const text = asText(policy());
    for (const field of ["exposure_max", "day_loss_max", "drawdown_max", "open_orders_max"] as const) text.desk[field] = "0";
    Object.assign(text, { notional: "0", day: "0", confirm: "0", perMinute: "0" });
    [text.thresholds[0]!.most, text.exposures[0]!.most] = ["0", "0"];
    expect(fromText(text)).toMatchObject({
      policy: {
        order_notional_max: "0",
        day_notional_max: "0",
        confirm_above: "0",
        orders_per_minute: 0,
        thresholds: [{ day_notional_max: "0" }],
        desk: { exposure_max: "0", day_loss_max: "0", drawdown_max: "0", open_orders_max: 0, exposure_of: [{ max: "0" }] },
      },
    });
  });
  it.each([
    ["slippage_bps", "0", "above zero"],
    ["cancels_percent", "0", "above zero"],
    ["exposure_max", "-1", "zero or more"],
    ["day_loss_max", "-0", "zero or more"],
    ["open_orders_max", "0.5", "zero or more"],
  ] as const)("%s of %s is refused", (field, typed, words) => {
    const text = asText(policy());
    text.desk[field] = typed;
    expect(fromText(text)).toMatchObject({ problem: expect.stringContaining(words) });
  });
  it.each<[string, string, string, string | null]>([
    ["BTCUSDT", "USDT", "", null],
    ["BTCUSDT", " usdt ", "1.05", null],
    ["ETHBTC", "USDT", "100000", null],
    ["ETHBTC", "BTC", "", null],
    ["ETHBTC", "USDT", "", "the most USDT that a unit of it is ever worth"],
    ["ETHBTC", "USDT", "0", "above zero"],
    ["ETHBTC", "USDT", "much", "above zero"],
    ["BTCUSDT", "DT", "1", "3 to 12 letters or digits"],
    ["BTCUSDT", "", "1", "3 to 12 letters or digits"],
  ])("%s under limits in %j, with a worth of %j: %s", (symbol, currency, worth, words) => {
    const text = asText(policy());
    Object.assign(text.instruments[0]!, { symbol, worth });
    const read = fromText({ ...text, currency });
    const instruments = [{ symbol, quote_worth: worth || null }];
    if (words === null) expect(read).toMatchObject({ policy: { currency: currency.trim().toUpperCase(), instruments } });
    else expect(read).toMatchObject({ problem: expect.stringContaining(words) });
  });
  it.each(["quantity", "low", "high", "position"] as const)("a new zero of an instrument is refused: %s", (field) => {
    const text = asText(policy());
    text.instruments[0]![field] = "0";
    expect(fromText(text)).toHaveProperty("problem");
  });
  it.each<[string, string, string | null]>([
    ["", "", null],
    ["64", "3", null],
    ["4096", "32", null],
    ["512", "", "or neither"],
    ["", "5", "or neither"],
    ["63", "3", "64 to 4096"],
    ["4097", "3", "64 to 4096"],
    ["64.5", "3", "64 to 4096"],
    ["64", "2", "3 to 32"],
    ["64", "33", "3 to 32"],
    ["64", "much", "3 to 32"],
  ])("passwords of %j MiB and %j passes at least: %s", (kdfMemory, kdfPasses, words) => {
    const read = fromText({ ...asText(policy()), kdfMemory, kdfPasses });
    const kdf_floor = kdfMemory === "" ? null : { memory_mib: Number(kdfMemory), passes: Number(kdfPasses) };
    if (words === null) expect(read).toMatchObject({ policy: { kdf_floor } });
    else expect(read).toMatchObject({ problem: expect.stringContaining(words) });
  });
  it.each([
    [{ notional: "-1" }, "notional"],
    [{ notional: "lots" }, "notional"],
    [{ perMinute: "1.5" }, "Orders per minute"],
    [{ collarPercent: "0.001" }, "collar"],
    [{ idleMinutes: "-1" }, "idle"],
    [{ ageHours: "" }, "session"],
  ])("%j is refused", (parts, word) => {
    const read = fromText({ ...asText(policy()), ...parts });
    expect("problem" in read && read.problem).toContain(word);
  });
  it.each<[Partial<Pick<PolicyText, "thresholds" | "exposures">>, string]>([
    [{ thresholds: [{ kind: "bot", who: "Grid", most: "1" }] }, "1 to 8 of a-z"],
    [{ thresholds: [{ kind: "person", who: "", most: "1" }] }, "Choose whose"],
    [{ thresholds: [{ kind: "person", who: "3", most: "-0" }] }, "Slot 3: a number, zero or more"],
    [{ thresholds: ["1", "2"].map((most) => ({ kind: "person", who: "3", most })) }, "Slot 3 has two limits"],
    [{ thresholds: ["grid", " grid"].map((who) => ({ kind: "bot", who, most: "1" })) }, "Bot grid has two limits"],
    [{ thresholds: Array.from({ length: 17 }, (_, i) => ({ kind: "person", who: String(i), most: "1" })) }, "At most 16"],
    [{ exposures: [{ kind: "account", where: " ", most: "1" }] }, "Name the account"],
    [{ exposures: [{ kind: "venue", where: "", most: "much" }] }, "Most held at Binance"],
    [{ exposures: ["", "binance"].map((where) => ({ kind: "venue", where, most: "1" })) }, "Binance has two limits"],
    [{ exposures: ["a", "a "].map((where) => ({ kind: "account", where, most: "1" })) }, "Account a has two limits"],
  ])("%j is refused in words", (parts, words) => {
    expect(fromText({ ...asText(policy()), ...parts })).toMatchObject({ problem: expect.stringContaining(words) });
  });
  it("sixteen persons and bots are taken, and one number can be a person and a bot", () => {
    const thresholds = Array.from(
      { length: 16 },
      (_, i) => ({ kind: i % 2 ? "bot" : "person", who: String(i - (i % 2)), most: "1" }) as const,
    );
    expect(fromText({ ...asText(policy()), thresholds: [...thresholds] })).toMatchObject({
      policy: {
        thresholds: expect.arrayContaining([
          { of: { person: 2 }, day_notional_max: "1" },
          { of: { bot: "2" }, day_notional_max: "1" },
        ]),
      },
    });
  });
  it("refuses a band upside down", () => {
    const text = asText(policy());
    text.instruments[0]!.low = "300000";
    expect(fromText(text)).toHaveProperty("problem");
  });
});

describe("rotation", () => {
  const now_ms = 1_000 * 86_400_000;
  const view = (days: number, due: KeyView["due"] = []) => ({ rotate_due: (now_ms + days * 86_400_000) * 1000, due }) as KeyView;
  it.each([
    [-1, "overdue"],
    [0, "soon"],
    [13, "soon"],
    [15, "later"],
  ])("due in %i days is %s", (days, wanted) => expect(due(view(days), now_ms)).toBe(wanted));
  it("with a reason is overdue at once", () => expect(due(view(40, [{ due: "exposed" }]), now_ms)).toBe("overdue"));
});
