// Stories of the ticket: what keeps an order from being sent.
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Check, Checks, Commands, Order } from "../src/bindings/contract";
import { instrument as fine } from "../src/lib/fake/market";
import { Market } from "../src/state/market.svelte";
import { Notices } from "../src/state/notices.svelte";
import { Orders } from "../src/state/orders.svelte";
import { Prompt } from "../src/state/prompt.svelte";
import { CHECK_AFTER_MS, Ticket } from "../src/state/ticket.svelte";

const instrument = {
  ...fine,
  price: { min: "0.1", max: "1000000", tick: "0.1" },
  lot: { min: "0.0001", max: "100", step: "0.0001" },
};

const check = (state: Check["state"], name = "Size"): Check => ({
  name,
  state,
  words: `${name} ${state}`,
  detail: "",
  by: "desk",
  can_pass: false,
});
let answer: Check[] = [];
let asked: Order[] = [];
let placed: Order[] = [];
let reasons: (string | null)[] = [];
let refuses = false;

function stage() {
  const backend = {
    check: async ({ order }: { order: Order }): Promise<Checks> => {
      asked.push(order);
      return { checks: answer, words: "", notional: "1", fee: "0", fee_asset: "USDT", balance_after: "1", balance_asset: "USDT" };
    },
    place: async ({ order, reason }: { order: Order; reason: string | null }) => {
      if (refuses) throw { code: "rate", message: "later", advice: "ask" };
      placed.push(order);
      reasons.push(reason);
      return { fate: "working", client_order_id: "sr-1", fills: [], note: null };
    },
    size: async () => "0.123456",
    orders: async () => [],
    balances: async () => [],
    ack: async () => undefined,
  } as unknown as Commands;
  const notices = new Notices();
  const market = new Market(backend);
  market.freshness = "live";
  const ticket = new Ticket(backend, market, new Orders(backend, notices), notices, new Prompt(backend));
  ticket.instrument = instrument;
  return { ticket, market, notices };
}
const settle = () => vi.advanceTimersByTimeAsync(CHECK_AFTER_MS + 1);

beforeEach(() => {
  vi.useFakeTimers();
  answer = [check("pass")];
  asked = [];
  placed = [];
  reasons = [];
  refuses = false;
});

describe("what is not an order yet", () => {
  it.each([
    ["", "0.05", "price"],
    ["abc", "0.05", "price"],
    ["60120.05", "0.05", "price"],
    ["-1", "0.05", "price"],
    ["60120", "", "size"],
    ["60120", "0", "size"],
    ["60120", "0.00005", "size"],
    ["60120", "0,05", "size"],
  ])("price %j size %j: the %s is wrong", (price, size, field) => {
    const { ticket } = stage();
    Object.assign(ticket, { price, size });
    expect(ticket.draft).toMatchObject({ field });
    expect(ticket.blocked).not.toBeNull();
  });
});

describe("what is drafted", () => {
  it.each([
    [{ kind: "limit", tif: "IOC" }, { limit: { price: "60120.0", quantity: "0.0500", tif: "IOC" } }],
    [{ kind: "post_only" }, { post_only: { price: "60120.0", quantity: "0.0500" } }],
    [{ kind: "market" }, { market: { size: { base: "0.0500" } } }],
    [{ kind: "market", sizeIn: "quote" }, { market: { size: { quote: "0.05" } } }],
  ])("%#", (parts, spec) => {
    const { ticket } = stage();
    Object.assign(ticket, { price: "60 120", size: "0.05", ...parts });
    expect(ticket.draft).toEqual({ order: { symbol: "BTCUSDT", side: "buy", spec, reduce_only: false } });
  });
  it("only a sale by a base quantity can be one that only reduces", () => {
    const { ticket } = stage();
    Object.assign(ticket, { price: "60120", size: "0.05", kind: "market", reduceOnly: true });
    for (const [side, sizeIn, reduces] of [
      ["buy", "base", false],
      ["sell", "quote", false],
      ["sell", "base", true],
    ] as const) {
      Object.assign(ticket, { side, sizeIn });
      expect(ticket.draft).toMatchObject({ order: { reduce_only: reduces } });
      expect(ticket.words.endsWith(", reduce only")).toBe(reduces);
    }
  });
  it("the button reads it back", () => {
    const { ticket } = stage();
    Object.assign(ticket, { price: "60120", size: "0.05", side: "sell" });
    expect(ticket.words).toBe("Sell 0.05 BTC at 60\u00a0120.0");
  });
});

describe("checks", () => {
  const ready = () => {
    const made = stage();
    Object.assign(made.ticket, { price: "60120", size: "0.05" });
    return made;
  };

  it("asks once, a moment after the last change", async () => {
    const { ticket } = ready();
    ticket.recheck();
    ticket.size = "0.06";
    ticket.recheck();
    expect(ticket.blocked).not.toBeNull();
    await settle();
    expect(asked).toHaveLength(1);
    expect(ticket.blocked).toBeNull();
  });

  it("a check that refuses blocks, with its words", async () => {
    answer = [check("pass", "A"), check("refuse", "B")];
    const { ticket } = ready();
    ticket.recheck();
    await settle();
    expect(ticket.blocked).toBe("B refuse");
    await ticket.submit();
    expect(placed).toEqual([]);
  });

  it("a check that asks wants its tick and a reason; a change takes both back", async () => {
    answer = [check("ask", "Share")];
    const { ticket } = ready();
    ticket.recheck();
    await settle();
    await ticket.submit();
    expect(placed).toEqual([]);
    ticket.tick("Share", true);
    expect(ticket.blocked).toContain("Write why");
    await ticket.submit();
    expect(placed).toEqual([]);
    ticket.why = "month end";
    expect(ticket.blocked).toBeNull();
    ticket.size = "0.07";
    ticket.recheck();
    await settle();
    expect(ticket.blocked).toContain("Tick");
    ticket.tick("Share", true);
    expect(ticket.blocked, "a reason is for one order").toContain("Write why");
    ticket.why = "the rest of it";
    await ticket.submit();
    expect(reasons).toEqual(["Share: the rest of it"]);
    expect(ticket.why).toBe("");
  });

  it("what was written stays when the same order is looked at again, or did not get through", async () => {
    answer = [check("ask", "Share")];
    const { ticket } = ready();
    ticket.recheck();
    await settle();
    ticket.why = "month end";
    ticket.recheck();
    await settle();
    expect(ticket.blocked).toContain("Tick");
    ticket.tick("Share", true);
    refuses = true;
    await ticket.submit();
    expect([ticket.why, placed.length]).toEqual(["month end", 0]);
  });

  it("an order that nothing asks about has no reason", async () => {
    const { ticket } = ready();
    ticket.recheck();
    await settle();
    ticket.why = "left over";
    await ticket.submit();
    expect(reasons).toEqual([null]);
  });

  it("an old answer never speaks for a new draft", async () => {
    const { ticket } = ready();
    ticket.recheck();
    await settle();
    ticket.size = "x";
    ticket.recheck();
    await settle();
    expect(ticket.checks).toBeNull();
    expect(ticket.blocked).not.toBeNull();
  });

  it.each(["stale", "down"] as const)("nothing is sent while prices are %s", async (freshness) => {
    const { ticket, market } = ready();
    ticket.recheck();
    await settle();
    market.freshness = freshness;
    await ticket.submit();
    expect(placed).toEqual([]);
    expect(ticket.blocked).not.toBeNull();
  });

  it("two presses send once", async () => {
    const { ticket } = ready();
    ticket.recheck();
    await settle();
    await Promise.all([ticket.submit(), ticket.submit()]);
    expect(placed).toHaveLength(1);
  });
});

describe("steps and parts", () => {
  it.each([
    ["60120.0", 1, "60120.1"],
    ["60120.0", -10, "60119.0"],
    ["0.1", -5, "0.1"],
  ])("price %s by %i", (price, steps, wanted) => {
    const { ticket } = stage();
    ticket.price = price;
    ticket.stepPrice(steps);
    expect(ticket.price).toBe(wanted);
  });
  it("a part of the balance comes from the desk and fits the lot", async () => {
    const { ticket } = stage();
    await ticket.part(25);
    expect(ticket.size).toBe("0.1234");
  });
  it("a price from the ladder turns a market order into a limit", () => {
    const { ticket } = stage();
    ticket.kind = "market";
    ticket.take("60120");
    expect([ticket.kind, ticket.price]).toEqual(["limit", "60120.0"]);
  });
});
