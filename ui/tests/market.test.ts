// Stories of frames: conflation, acknowledgement, bounds, staleness. Time is an argument.
import { describe, expect, it, vi } from "vitest";
import type { Commands, Frame, TradeRow } from "../src/bindings/contract";
import { Market, SILENCE_MS_MAX, TICK_MS, TRADES_MAX } from "../src/state/market.svelte";

function stage() {
  let now = 1000;
  let queue: (() => void)[] = [];
  const acked: number[] = [];
  const backend = { ack: async ({ seq }: { seq: number }) => void acked.push(seq), watch: async () => undefined } as unknown as Commands;
  const market = new Market(backend, { now: () => now, frame: (draw) => queue.push(draw), cancel: () => (queue = []) });
  return {
    market,
    acked,
    pass: (ms: number) => (now += ms),
    /** The display calls back. */
    display: () => {
      const due = queue;
      queue = [];
      for (const draw of due) draw();
    },
    waiting: () => queue.length,
  };
}
const trade = (id: number): TradeRow => ({ id, price: "1.0", quantity: "1.0", side: "buy", at: id });
const frame = (seq: number, parts: Partial<Frame> = {}): Frame => ({
  seq,
  symbol: "X",
  current: true,
  age_ms: 1,
  book_at: 0,
  orders_version: 1,
  state_version: 1,
  ...parts,
});

describe("drawing", () => {
  it("draws only the newest of frames that came together and acknowledges each once", () => {
    const s = stage();
    for (const seq of [1, 2, 3]) s.market.receive(frame(seq, { bids: [[`${seq}.0`, "1", "1"]] }));
    expect(s.acked).toEqual([1, 2]);
    expect(s.market.drawn.bids).toEqual([]);
    s.display();
    expect(s.market.drawn.bids).toEqual([["3.0", "1", "1"]]);
    expect(s.acked).toEqual([1, 2, 3]);
  });

  it("asks the display once, however many frames wait", () => {
    const s = stage();
    for (const seq of [1, 2, 3, 4]) s.market.receive(frame(seq));
    expect(s.waiting()).toBe(1);
  });

  it("draws at most 60 times a second on a faster display", () => {
    const s = stage();
    s.market.receive(frame(1));
    s.display();
    const first = s.market.drawn;
    s.market.receive(frame(2));
    s.pass(4);
    s.display();
    expect(s.market.drawn).toBe(first);
    s.pass(12);
    s.display();
    expect(s.market.drawn).not.toBe(first);
    expect(s.acked).toEqual([1, 2]);
  });

  it("keeps parts that a frame leaves out", () => {
    const s = stage();
    s.market.receive(frame(1, { bids: [["1.0", "1", "1"]], day: { last: "1", change_percent: "0", high: "1", low: "1", volume: "1" } }));
    s.market.receive(frame(2, { asks: [["2.0", "1", "1"]] }));
    s.display();
    expect(s.market.bid).toBe("1.0");
    expect(s.market.ask).toBe("2.0");
    expect(s.market.drawn.day?.last).toBe("1");
  });

  it("names best prices though the rows are grouped, and none of a book with one side", async () => {
    const s = stage();
    await s.market.follow({ symbol: "X", step: "10" });
    s.market.receive(frame(1, { best: ["98.7", "98.9"], bids: [["90", "1", "1"]], asks: [["100", "1", "1"]] }));
    s.display();
    expect([s.market.bid, s.market.ask]).toEqual(["98.7", "98.9"]);
    s.market.receive(frame(2, { day: { last: "1", change_percent: "0", high: "1", low: "1", volume: "1" } }));
    s.pass(20);
    s.display();
    expect(s.market.bid).toBe("98.7");
    s.market.receive(frame(3, { bids: [["90", "1", "1"]], asks: [] }));
    s.pass(20);
    s.display();
    expect([s.market.bid, s.market.ask]).toEqual([null, null]);
  });

  it("keeps what did not change the same object, so that nothing of it is drawn again", () => {
    const s = stage();
    s.market.receive(frame(1, { bids: [["2", "1", "1"], ["1", "1", "2"]] })); // prettier-ignore
    s.display();
    const [first, second] = s.market.drawn.bids;
    s.market.receive(frame(2, { bids: [["2", "1", "1"], ["1", "3", "4"]] })); // prettier-ignore
    s.pass(20);
    s.display();
    expect(s.market.drawn.bids[0]).toBe(first);
    expect(s.market.drawn.bids[1]).not.toBe(second);
    const all = s.market.drawn.bids;
    s.market.receive(frame(3, { bids: all.map((row) => [...row] as typeof row) }));
    s.pass(20);
    s.display();
    expect(s.market.drawn.bids).toBe(all);
  });

  it("tells ages four times a second, not with every frame", () => {
    const s = stage();
    s.market.receive(frame(1, { age_ms: 10 }));
    s.display();
    const told = s.market.shown_age_ms;
    s.market.receive(frame(2, { age_ms: 90 }));
    s.pass(20);
    s.display();
    expect(s.market.shown_age_ms).toBe(told);
  });

  it("drops what it knew when the market changes", () => {
    const s = stage();
    s.market.receive(frame(1, { bids: [["1.0", "1", "1"]] }));
    s.market.receive(frame(2, { symbol: "Y" }));
    s.display();
    expect(s.market.drawn.bids).toEqual([]);
  });

  it("collects the trades of skipped frames, newest first, each once, up to the bound", () => {
    const s = stage();
    s.market.receive(frame(1, { trades: [trade(1)] }));
    s.market.receive(frame(2, { trades: [trade(3), trade(2)] }));
    s.market.receive(frame(3, { trades: [trade(3)] }));
    s.display();
    expect(s.market.drawn.trades.map((t) => t.id)).toEqual([3, 2, 1]);
    s.market.receive(frame(4, { trades: Array.from({ length: 100 }, (_, i) => trade(10 + i)) }));
    s.pass(20);
    s.display();
    expect(s.market.drawn.trades).toHaveLength(TRADES_MAX);
    expect(s.market.drawn.trades[0]?.id).toBe(109);
  });

  it("tells of new versions at once, drawn or not", () => {
    const s = stage();
    const told = vi.fn();
    s.market.onversions = told;
    s.market.receive(frame(1, { orders_version: 7, state_version: 3 }));
    expect(told).toHaveBeenCalledWith(7, 3);
  });
});

describe("pausing", () => {
  it("stands still, keeps acknowledging, and shows the newest on resuming", () => {
    const s = stage();
    s.market.receive(frame(1, { bids: [["1.0", "1", "1"]] }));
    s.display();
    s.market.pause();
    s.pass(20);
    s.market.receive(frame(2, { bids: [["2.0", "1", "1"]] }));
    s.display();
    expect(s.market.bid).toBe("1.0");
    expect(s.acked).toEqual([1, 2]);
    expect(s.market.freshness).toBe("paused");
    s.market.pause();
    expect(s.market.bid).toBe("2.0");
    expect(s.market.freshness).toBe("live");
  });
});

describe("freshness", () => {
  it("is stale within a second after frames stop", () => {
    expect(SILENCE_MS_MAX + TICK_MS).toBeLessThanOrEqual(1000);
    const s = stage();
    s.market.receive(frame(1));
    s.display();
    expect(s.market.freshness).toBe("live");
    s.pass(SILENCE_MS_MAX);
    s.market.look();
    expect(s.market.freshness).toBe("live");
    s.pass(TICK_MS);
    s.market.look();
    expect(s.market.freshness).toBe("stale");
  });

  it("looks by itself while nothing comes", () => {
    vi.useFakeTimers();
    const s = stage();
    s.market.start();
    s.market.receive(frame(1));
    s.display();
    s.pass(1000);
    vi.advanceTimersByTime(TICK_MS);
    expect(s.market.freshness).toBe("stale");
    s.market.stop();
    vi.useRealTimers();
  });

  it("is stale at once when the book is not current, and live again when it is", () => {
    const s = stage();
    s.market.receive(frame(1, { current: false, age_ms: 4200 }));
    s.display();
    expect(s.market.freshness).toBe("stale");
    expect(s.market.shown_age_ms).toBe(4200);
    s.market.receive(frame(2));
    s.pass(20);
    s.display();
    expect(s.market.freshness).toBe("live");
  });

  it("is down while the link is", () => {
    const s = stage();
    s.market.receive(frame(1));
    s.display();
    s.market.link(false);
    expect(s.market.freshness).toBe("down");
    s.market.link(true);
    expect(s.market.freshness).toBe("live");
  });

  it("is loading before anything came", () => {
    const s = stage();
    s.market.look();
    expect(s.market.freshness).toBe("loading");
  });
});
