// Rows for own orders in the ladder, limits as text, and rotation.
import { describe, expect, it } from "vitest";
import type { KeyView, OrderView } from "../src/bindings/contract";
import { policy } from "../src/lib/fake/scenes";
import { due } from "../src/state/keyring.svelte";
import { beyond, ownRows } from "../src/state/ladder";
import { asText, fromText } from "../src/state/limits.svelte";
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
  it.each([
    [{ notional: "0" }, "notional"],
    [{ notional: "lots" }, "notional"],
    [{ perMinute: "1.5" }, "Orders per minute"],
    [{ collarPercent: "0.001" }, "collar"],
    [{ idleMinutes: "-1" }, "idle"],
    [{ ageHours: "" }, "session"],
  ])("%j is refused", (parts, word) => {
    const read = fromText({ ...asText(policy()), ...parts });
    expect("problem" in read && read.problem).toContain(word);
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
