// Stories of the kill switch: it fires after a whole hold and never before, and for everything unless less was chosen.
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Commands, KillReport, KillScope, LeftOrder, SessionView } from "../src/bindings/contract";
import { HOLD_MS, Kill } from "../src/state/kill.svelte";
import { scopeName } from "../src/state/reach.svelte";
import { Prompt } from "../src/state/prompt.svelte";
import { Session } from "../src/state/session.svelte";

type Stopped = { why: string; scope: KillScope };

function stage(orders_left: number[] = [0], reports: LeftOrder[][] = [[]]) {
  const fired: string[] = [];
  const stops: Stopped[] = [];
  let killed: string | null = null;
  let stopped: string[] = [];
  const left = [...orders_left];
  const told = [...reports];
  const backend = {
    kill: async ({ why, scope }: Stopped) => {
      fired.push(why);
      stops.push({ why, scope });
      if (scope === "everything") killed = why;
      else stopped = [...stopped, `${scopeName(scope)}: ${why}`];
      return { words: "frozen", frozen_us: 412 };
    },
    kill_report: async () => ({ left: told.length > 1 ? told.shift()! : told[0]!, protected: [] as string[] }) as KillReport,
    session: async () =>
      ({
        killed,
        stopped,
        live_orders: left.length > 1 ? left.shift()! : left[0]!,
        protected_orders: 0,
        ambiguous_orders: 0,
        idle_left_ms: null,
        lines: [],
        limits: [],
      }) as unknown as SessionView,
    act: async () => {
      killed = null;
      stopped = [];
      return { words: "ok", key: null, log_key: null };
    },
  } as unknown as Commands;
  const session = new Session(backend);
  return { kill: new Kill(backend, session, new Prompt(backend)), session, fired, stops };
}

beforeEach(() => void vi.useFakeTimers());

describe("holding", () => {
  it("fires once after the whole time", async () => {
    const { kill, fired } = stage();
    kill.press();
    await vi.advanceTimersByTimeAsync(HOLD_MS - 100);
    expect(fired).toEqual([]);
    expect(kill.progress).toBeGreaterThan(0.5);
    await vi.advanceTimersByTimeAsync(200);
    expect(fired).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(HOLD_MS * 2);
    expect(fired).toHaveLength(1);
  });

  it("letting go starts anew", async () => {
    const { kill, fired } = stage();
    for (let i = 0; i < 4; i++) {
      kill.press();
      await vi.advanceTimersByTimeAsync(HOLD_MS - 100);
      kill.release();
      expect(kill.progress).toBe(0);
    }
    expect(fired).toEqual([]);
  });

  it("pressing again while held changes nothing", async () => {
    const { kill, fired } = stage();
    kill.press();
    await vi.advanceTimersByTimeAsync(HOLD_MS - 200);
    kill.press();
    await vi.advanceTimersByTimeAsync(300);
    expect(fired).toHaveLength(1);
  });
});

describe("typing", () => {
  it.each([
    ["STO", 0],
    ["stopp", 0],
    [" stop ", 1],
    ["STOP", 1],
  ])("%j fires %i times", (text, times) => {
    const { kill, fired } = stage();
    kill.typed(text);
    expect(fired).toHaveLength(times);
  });
});

describe("afterwards", () => {
  it("watches until no order is left, then says how long it took", async () => {
    const { kill, session } = stage([3, 2, 1, 0]);
    await kill.fire("test");
    await vi.advanceTimersByTimeAsync(250);
    expect(kill.stage).toMatchObject({ at: "fired", done_ms: null });
    await vi.advanceTimersByTimeAsync(1000);
    expect(session.view?.live_orders).toBe(0);
    expect(kill.stage).toMatchObject({ at: "fired", result: { frozen_us: 412 } });
    expect(kill.stage.at === "fired" && kill.stage.done_ms).not.toBeNull();
  });

  it("shows a kill that another door fired", async () => {
    const { kill, fired } = stage();
    kill.heard(true, "by the keyboard");
    expect([kill.open, kill.stage.at, fired.length]).toEqual([true, "fired", 0]);
  });

  it("never shows a kill that was not confirmed as done", () => {
    const { kill } = stage();
    kill.heard(false, "The kill switch was not confirmed. Revoke the key at the venue.");
    expect([kill.open, kill.stage.at]).toEqual([true, "failed"]);
  });

  it("re-arms through the prompt only", async () => {
    const { kill, session } = stage();
    await kill.fire("test");
    await session.refresh();
    expect(kill.engaged).toBe(true);
    await kill.rearm();
    expect(kill.engaged).toBe(false);
    expect(kill.stage.at).toBe("armed");
  });

  it("says when it did not get through", async () => {
    const { session } = stage();
    const backend = { kill: () => Promise.reject({ code: "gone", message: "no desk", advice: "bug" }) } as unknown as Commands;
    const kill = new Kill(backend, session, new Prompt(backend));
    await kill.fire("test");
    expect(kill.stage).toMatchObject({ at: "failed", error: { message: "no desk" } });
  });
});

describe("how far", () => {
  it("everything is chosen whenever the sheet opens", () => {
    const { kill } = stage();
    kill.show();
    kill.choose("bot");
    kill.reach.bot = "grid";
    kill.close();
    kill.show();
    expect(kill.reach.aim).toEqual({ scope: "everything" });
  });

  it("the top bar's button says everything again, and lets go of less", async () => {
    const { kill, fired } = stage();
    kill.show();
    kill.choose("venue");
    kill.pressHere();
    await vi.advanceTimersByTimeAsync(HOLD_MS - 200);
    kill.show();
    await vi.advanceTimersByTimeAsync(HOLD_MS * 2);
    expect(fired).toEqual([]);
    expect(kill.reach.aim).toEqual({ scope: "everything" });
  });

  it.each<[string, (kill: Kill) => void, KillScope]>([
    ["venue", (kill) => kill.choose("venue"), { venue: "binance" }],
    ["account", (kill) => (kill.choose("account"), (kill.reach.account = "desk 2")), { account: "desk 2" }],
    ["key", (kill) => (kill.choose("key"), (kill.reach.key = 4)), { credential: 4 }],
    ["bot", (kill) => (kill.choose("bot"), (kill.reach.bot = " grid ")), { bot: "grid" }],
    ["person", (kill) => (kill.choose("person"), (kill.reach.person = 3)), { person: 3 }],
  ])("the sheet's button and the word stop a %s", async (_, choose, scope) => {
    for (const way of ["hold", "type"]) {
      const { kill, stops } = stage();
      kill.show();
      choose(kill);
      if (way === "hold") {
        kill.pressHere();
        await vi.advanceTimersByTimeAsync(HOLD_MS + 100);
      } else kill.typed("STOP");
      expect(stops.map((stop) => stop.scope)).toEqual([scope]);
    }
  });

  it.each(["", "Grid", "grid-1", "ninechars", "gr id"])("a tag like %j fires nothing and says why", async (tag) => {
    const { kill, fired } = stage();
    kill.show();
    kill.choose("bot");
    kill.reach.bot = tag;
    expect(kill.typed("STOP")).toBe(false);
    kill.pressHere();
    await vi.advanceTimersByTimeAsync(HOLD_MS * 2);
    expect(fired).toEqual([]);
    expect(kill.reach.aim).toMatchObject({ problem: expect.stringContaining("1 to 8 of a-z and 0-9") });
  });

  it.each(["account", "key", "person"] as const)("a %s that was not chosen fires nothing", (far) => {
    const { kill, fired } = stage();
    kill.choose(far);
    expect(kill.typed("STOP")).toBe(false);
    expect(fired).toEqual([]);
  });

  it("a kill key means everything, whatever the sheet had chosen, also while less is held", async () => {
    const { kill, stops } = stage();
    kill.show();
    kill.choose("venue");
    kill.pressHere();
    await vi.advanceTimersByTimeAsync(HOLD_MS - 200);
    kill.press();
    await vi.advanceTimersByTimeAsync(HOLD_MS - 100);
    expect(stops).toEqual([]);
    await vi.advanceTimersByTimeAsync(300);
    expect(stops.map((stop) => stop.scope)).toEqual(["everything"]);
  });

  it("after less, what is left is named until nothing is, and everything can still be stopped", async () => {
    const order = { client_order_id: "grid-1", symbol: "BTCUSDT", state: "open; its cancel is not confirmed" };
    const { kill, stops } = stage([3], [[order], [order], []]);
    await kill.fire("test", { bot: "grid" });
    await vi.advanceTimersByTimeAsync(10);
    expect(kill.stage).toMatchObject({ at: "fired", scope: { bot: "grid" }, report: { left: [order] }, done_ms: null });
    await vi.advanceTimersByTimeAsync(1000);
    expect(kill.stage).toMatchObject({ report: { left: [] } });
    expect(kill.stage.at === "fired" && kill.stage.done_ms, "three orders outside are none of its business").not.toBeNull();
    expect(kill.engaged).toBe(false);
    kill.pressHere();
    await vi.advanceTimersByTimeAsync(HOLD_MS + 100);
    expect(stops.map((stop) => stop.scope)).toEqual([{ bot: "grid" }, "everything"]);
    expect(kill.engaged).toBe(true);
  });

  it("the app's own kill of everything takes the place of less", async () => {
    const { kill } = stage();
    await kill.fire("test", { venue: "binance" });
    kill.heard(true, "by the keyboard");
    expect(kill.stage).toMatchObject({ at: "fired", scope: "everything", result: { words: "by the keyboard" } });
  });

  it("closing the sheet fires nothing and takes nothing back", async () => {
    const { kill, stops, session } = stage();
    await kill.fire("test", { venue: "binance" });
    await session.refresh();
    kill.choose("bot");
    kill.pressHere();
    kill.close();
    await vi.advanceTimersByTimeAsync(HOLD_MS * 2);
    await session.refresh();
    expect(stops).toHaveLength(1);
    expect(session.view?.stopped).toEqual(["venue binance: test"]);
  });
});
