// Stories of the kill switch: it fires after a whole hold and never before.
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Commands, SessionView } from "../src/bindings/contract";
import { HOLD_MS, Kill } from "../src/state/kill.svelte";
import { Prompt } from "../src/state/prompt.svelte";
import { Session } from "../src/state/session.svelte";

function stage(orders_left: number[] = [0]) {
  const fired: string[] = [];
  let killed: string | null = null;
  const left = [...orders_left];
  const backend = {
    kill: async ({ why }: { why: string }) => {
      fired.push(why);
      killed = why;
      return { words: "frozen", frozen_us: 412 };
    },
    session: async () =>
      ({
        killed,
        live_orders: left.length > 1 ? left.shift()! : left[0]!,
        protected_orders: 0,
        ambiguous_orders: 0,
        idle_left_ms: null,
        lines: [],
        limits: [],
      }) as unknown as SessionView,
    act: async () => {
      killed = null;
      return { words: "ok", key: null, log_key: null };
    },
  } as unknown as Commands;
  const session = new Session(backend);
  return { kill: new Kill(backend, session, new Prompt(backend)), session, fired };
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
