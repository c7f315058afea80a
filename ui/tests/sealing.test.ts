// Stories of the kill switch's last stage: sealed only after everything was stopped, and only as it was asked for.
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Commands, SessionView } from "../src/bindings/contract";
import { Kill } from "../src/state/kill.svelte";
import { Prompt } from "../src/state/prompt.svelte";
import { Session } from "../src/state/session.svelte";
import { all, calls, find, get, gone, openDesk, until } from "./world";

/** A desk with so many live orders, which somebody makes fewer. */
function stage({ live = 2, spared = 0 } = {}) {
  const desk = { live, spared, killed: null as string | null, seals: 0, refuses: false, silent: false };
  const backend = {
    kill: async ({ why, scope }: { why: string; scope: unknown }) => {
      if (scope === "everything") desk.killed = why;
      return { words: "frozen", frozen_us: 412 };
    },
    kill_report: async () => null,
    session: async () => {
      if (desk.silent) throw { code: "gone", message: "no desk", advice: "bug" };
      const { killed, live: live_orders, spared: protected_orders } = desk;
      return { killed, live_orders, protected_orders, stopped: [], lines: [], ambiguous_orders: 0 } as unknown as SessionView;
    },
    seal: async () => {
      if (desk.refuses) throw { code: "supervisor", message: "the supervisor cannot be reached", advice: "bug" };
      desk.seals += 1;
      return "Sealed. Nothing can be signed until you unlock.";
    },
    act: async () => {
      desk.killed = null;
      return { words: "ok", key: null, log_key: null, public_key: null };
    },
  } as unknown as Commands;
  const session = new Session(backend);
  const kill = new Kill(backend, session, new Prompt(backend));
  const told: (number | null)[] = [];
  kill.sealing.onsealed = (left) => told.push(left);
  return { desk, kill, sealing: kill.sealing, session, told };
}
const later = (ms = 500) => vi.advanceTimersByTimeAsync(ms);

describe("the class", () => {
  beforeEach(() => void vi.useFakeTimers());

  it("before everything is stopped, the button seals nothing", async () => {
    const { desk, sealing, session } = stage({ live: 0 });
    await session.refresh();
    await sealing.press();
    await sealing.press();
    expect([desk.seals, sealing.stage.at]).toEqual([0, "open"]);
  });

  it("with nothing left, one press seals", async () => {
    const { desk, kill, sealing, told } = stage({ live: 0 });
    await kill.fire("test");
    await later();
    await sealing.press();
    expect([desk.seals, told]).toEqual([1, [0]]);
    expect(sealing.stage).toMatchObject({ at: "sealed", words: expect.stringContaining("Sealed") });
  });

  it.each([
    [{ live: 2 }, 2],
    [{ live: 1, spared: 1 }, 1],
  ])("with orders left it says so, and wants a second press: %j", async (world, left) => {
    const { desk, kill, sealing, told } = stage(world);
    await kill.fire("test");
    await later();
    await sealing.press();
    expect([desk.seals, sealing.stage]).toEqual([0, { at: "told", left }]);
    await sealing.press();
    expect([desk.seals, told]).toEqual([1, [left]]);
  });

  it("what is left and not known is no nothing", async () => {
    const { desk, kill, sealing, session } = stage({ live: 0 });
    await kill.fire("test");
    await later();
    desk.silent = true;
    await session.refresh();
    await sealing.press();
    expect([desk.seals, sealing.stage]).toEqual([0, { at: "told", left: null }]);
  });

  it("wished beforehand, it seals by itself once the last order is gone, and once only", async () => {
    const { desk, kill, sealing } = stage({ live: 3, spared: 1 });
    kill.show();
    sealing.wish(true);
    await later();
    expect([desk.seals, sealing.waits]).toEqual([0, false]);
    await kill.fire("test");
    await later();
    expect([desk.seals, sealing.waits]).toEqual([0, true]);
    desk.live = 2;
    await later();
    expect(desk.seals).toBe(0);
    desk.live = 1; // the protected one
    await later();
    await later(2_000);
    expect([desk.seals, sealing.stage.at]).toEqual([1, "sealed"]);
  });

  it("wished, it goes on when the sheet is closed, and not while the desk does not answer", async () => {
    const { desk, kill, sealing } = stage({ live: 1 });
    await kill.fire("test");
    sealing.wish(true);
    await later();
    kill.close();
    desk.silent = true;
    desk.live = 0;
    await later(1_000);
    expect(desk.seals).toBe(0);
    desk.silent = false;
    await later();
    expect(desk.seals).toBe(1);
  });

  it.each<[string, (kill: Kill) => void | Promise<void>]>([
    ["not wished any more", (kill) => kill.sealing.wish(false)],
    ["the sheet was closed before anything was stopped", (kill) => kill.close()],
    ["less than everything was chosen", (kill) => kill.choose("venue")],
    ["the sheet was opened anew", (kill) => kill.show()],
  ])("a wish is over: %s", async (_, ends) => {
    const { desk, kill, sealing } = stage({ live: 0 });
    kill.show();
    sealing.wish(true);
    await ends(kill);
    await kill.fire("test");
    await later(1_000);
    expect([desk.seals, sealing.wished]).toEqual([0, false]);
  });

  it("a stop of less never seals, whatever is left", async () => {
    const { desk, kill, sealing } = stage({ live: 0 });
    kill.show();
    sealing.wish(true);
    await kill.fire("test", { bot: "grid" });
    await later(1_000);
    await sealing.press();
    expect([desk.seals, sealing.stage.at]).toEqual([0, "open"]);
  });

  it.each(["here", "elsewhere"])("a wish is over when it was re-armed %s", async (where) => {
    const { desk, kill, sealing, session } = stage({ live: 1 });
    await kill.fire("test");
    sealing.wish(true);
    await later();
    if (where === "here") await kill.rearm();
    else desk.killed = null;
    await session.refresh();
    await later();
    desk.live = 0;
    desk.killed = "again";
    await session.refresh();
    await later(1_000);
    expect([desk.seals, sealing.wished]).toEqual([0, false]);
  });

  it("says in words that it did not seal, and can be pressed again", async () => {
    const { desk, kill, sealing } = stage({ live: 0 });
    await kill.fire("test");
    desk.refuses = true;
    sealing.wish(true);
    await later(1_000);
    expect(sealing.stage).toMatchObject({ at: "failed", error: { message: "the supervisor cannot be reached" } });
    expect(sealing.wished).toBe(false);
    desk.refuses = false;
    await sealing.press();
    expect([desk.seals, sealing.stage.at]).toEqual([1, "sealed"]);
  });
});

describe("the sheet", () => {
  beforeEach(() => void vi.useRealTimers());

  it("ticked beforehand: waits for the last cancel, seals, and the lock screen tells so", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("kill-open"));
    expect((await find("kill-seal")).dataset.at).toBe("open");
    expect(get("kill-seal-go").getAttribute("aria-disabled")).toBe("true");
    expect(get("kill-seal-why").textContent).toContain("once everything is stopped");
    await world.user.click(get("kill-seal-wish"));
    await world.user.type(get("kill-word"), "STOP");
    await until(() => expect(get("kill-seal-why").textContent).toMatch(/waiting for the last cancel, \d left/));
    expect(calls(world, "seal")).toEqual([]);
    await find("lock-sealed");
    expect(get("vault-state").textContent).toBe("The vault is sealed");
    expect(calls(world, "seal")).toHaveLength(1);
    expect(world.backend.book.live()).toEqual([]);
    expect(get("lock-sealed").textContent).toMatch(/from the kill switch.*No order was left/s);
    expect(get("lock-killed").textContent).toContain("typed in the window");
  });

  it("by the button, with orders left: the sheet says what that means, and asks again", async () => {
    const world = await openDesk({ scenario: "plain" });
    world.backend.book.protect(world.backend.book.live()[0]!, true);
    await world.user.click(get("kill-open"));
    await world.user.type(await find("kill-word"), "STOP");
    await until(() => expect(get("kill-left").dataset.left).toBe("0"));
    await world.user.click(get("kill-seal-go"));
    expect(calls(world, "seal")).toEqual([]);
    expect(get("kill-seal-why").textContent).toMatch(/One order is still left.*cancels can no longer be signed/s);
    expect(get("kill-seal-go").textContent).toBe("Seal all the same");
    await world.user.click(get("kill-seal-go"));
    expect((await find("lock-sealed")).textContent).toContain("One order was left at the venue");
    await world.user.click(get("unlock"));
    world.backend.answerPrompt({ action: "unlock" });
    await find("desk");
    await world.backend.lock();
    expect(all("lock-sealed")).toEqual([]);
  });

  it("for less than everything there is nothing to seal", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("kill-open"));
    await world.user.click(await find("kill-seal-wish"));
    await world.user.click(get("kill-far-venue"));
    expect(get("kill-seal").dataset.at).toBe("not-here");
    expect(get("kill-seal").textContent).toContain("Vault stays open");
    expect([...all("kill-seal-go"), ...all("kill-seal-wish")]).toEqual([]);
    await world.user.type(get("kill-word"), "STOP");
    await until(() => expect(get("kill-left").dataset.left).toBe("0"));
    expect(get("kill-seal").dataset.at).toBe("not-here");
    await world.user.click(get("kill-close"));
    await world.user.click(get("kill-open"));
    expect(((await find("kill-seal-wish")) as HTMLInputElement).checked, "what was wished before is over").toBe(false);
    expect(calls(world, "seal")).toEqual([]);
  });

  it("closed while it waits, the strip says so; a drill seals nothing", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("kill-open"));
    await world.user.click(await find("kill-seal-wish"));
    await world.user.click(get("drill-open"));
    expect(all("kill-seal-wish")).toEqual([]);
    await world.user.click(get("drill-go"));
    await find("drill-refused");
    await until(() => expect(world.backend.book.live()).toEqual([]));
    await new Promise((done) => setTimeout(done, 600));
    expect(calls(world, "seal")).toEqual([]);

    const other = await openDesk({ scenario: "plain" });
    await other.user.click(get("kill-open"));
    await other.user.click(await find("kill-seal-wish"));
    await other.user.type(get("kill-word"), "STOP");
    await until(() => expect(get("kill-seal").dataset.at).toBe("waits"));
    await other.user.click(get("kill-close"));
    expect((await find("killed-strip")).textContent).toContain("sealed once nothing is left");
    await find("lock-sealed");
  });

  it("a refusal is told in words", async () => {
    const world = await openDesk({ scenario: "empty" });
    world.backend.seal = () => Promise.reject({ code: "supervisor", message: "the supervisor cannot be reached", advice: "bug" });
    await world.user.click(get("kill-open"));
    await world.user.type(await find("kill-word"), "STOP");
    await until(() => expect(get("kill-seal-go").getAttribute("aria-disabled")).toBe("false"));
    await world.user.click(get("kill-seal-go"));
    await until(() => expect(get("kill-seal-why").textContent).toContain("not sealed: the supervisor cannot be reached"));
    await world.user.click(get("kill-close"));
    expect(get("killed-strip").textContent).toContain("The vault was not sealed");
    await gone("kill-sheet");
  });
});
