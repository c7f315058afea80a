// Stories of the kill sheet on the page: what it reads for less than everything, and the drill.
import { describe, expect, it } from "vitest";
import type { DoorAction, Order } from "../src/bindings/contract";
import { all, calls, find, get, gone, openDesk, until } from "./world";

const order: Order = {
  symbol: "BTCUSDT",
  side: "buy",
  spec: { limit: { price: "50000", quantity: "0.01", tif: "GTC" } },
  reduce_only: false,
};

describe("less than everything", () => {
  it("one bot is stopped, the rest goes on, and everything can still follow", async () => {
    const world = await openDesk({ scenario: "plain" });
    world.backend.book.create(order, "working", 0, "grid-1");
    await world.user.click(get("kill-open"));
    await find("kill-sheet");
    expect(get("kill-far-everything").getAttribute("aria-checked")).toBe("true");
    await world.user.click(get("kill-far-bot"));
    await world.user.type(get("kill-bot"), "Grid");
    expect(get("kill-hold").getAttribute("aria-disabled")).toBe("true");
    expect(get("kill-reach-why").textContent).toContain("1 to 8");
    await world.user.type(get("kill-word"), "STOP");
    expect(calls(world, "kill")).toEqual([]);
    await world.user.clear(get("kill-bot"));
    await world.user.type(get("kill-bot"), "grid");
    expect(get("kill-hold").textContent).toContain("Hold to stop bot grid");
    expect(get("kill-sheet").textContent).not.toContain("Signer frozen");
    await world.user.clear(get("kill-word"));
    await world.user.type(get("kill-word"), "STOP");
    expect(calls(world, "kill")).toEqual([{ why: "typed in the window", scope: { bot: "grid" } }]);
    expect((await find("kill-left-order")).dataset.id).toBe("grid-1");
    await gone("kill-left-order");
    await until(() => expect(get("kill-left").dataset.left).toBe("0"));
    expect(get("kill-frozen").textContent).toContain("bot grid stopped");
    expect(get("kill-stopped").textContent).toContain("bot grid: typed in the window");
    expect(world.backend.book.live().length, "orders of others stay").toBeGreaterThan(0);
    expect(get("kill-hold").textContent).toContain("Hold to cancel everything");
    await world.user.type(get("kill-word"), "STOP");
    await until(() => expect(calls(world, "kill")).toHaveLength(2));
    expect(calls(world, "kill")[1]).toMatchObject({ scope: "everything" });
    await until(() => expect(all("kill-hold")).toEqual([]));
  });

  it("a narrower stop stands in the strip and is taken back by the prompt", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("kill-open"));
    await world.user.click(await find("kill-far-person"));
    await until(() => expect(get("kill-person").textContent).toContain("slot 2"));
    await world.user.selectOptions(get("kill-person"), "2");
    await world.user.type(get("kill-word"), "STOP");
    await until(() => expect(get("kill-left").dataset.left).toBe("0"));
    await world.user.click(get("kill-close"));
    expect((await find("stopped-strip")).textContent).toContain("slot 2");
    await world.user.click(get("stopped-rearm"));
    world.backend.answerPrompt((calls(world, "act").at(-1) as { action: DoorAction }).action);
    await gone("stopped-strip");
  });

  it("that nothing else is stopped is not said while everything is", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.backend.kill({ why: "a test", scope: { bot: "grid" } });
    expect((await find("stopped-strip")).textContent).toContain("bot grid: a test. Everything else is signed as before.");
    await world.backend.kill({ why: "a test", scope: "everything" });
    expect((await find("killed-strip")).textContent).toContain("No order can be signed.");
    expect(get("stopped-strip").textContent).toContain("bot grid: a test.");
    expect(get("stopped-strip").textContent).not.toContain("Everything else");
  });
});

describe("the drill", () => {
  it("says what it does, is begun by a press of its own, and shows what it found", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("kill-open"));
    await world.user.click(await find("drill-open"));
    expect(get("drill").textContent).toMatch(/20 small orders.*a tenth below the market.*needs a code/s);
    expect(calls(world, "drill")).toEqual([]);
    await world.user.click(get("drill-go"));
    expect((await find("drill-refused")).textContent).toBe("kill-switch");
    expect(calls(world, "drill")).toEqual([{ orders: 20 }]);
    expect(get("drill-orders").textContent).toBe("20");
    expect(get("drill-left").textContent).toBe("none");
    await world.user.click(await find("rearm"));
    world.backend.answerPrompt((calls(world, "act").at(-1) as { action: DoorAction }).action);
    await gone("kill-sheet");
    await world.user.click(get("kill-open"));
    await find("drill-open");
  });

  it("is not offered where money is real, nor while something is stopped", async () => {
    const live = await openDesk({ scenario: "live" });
    await live.user.click(get("kill-open"));
    await find("kill-hold");
    expect(all("drill-open")).toEqual([]);
    const stopped = await openDesk({ scenario: "plain" });
    await stopped.backend.kill({ why: "a test", scope: { bot: "grid" } });
    await find("stopped-strip");
    await stopped.user.click(get("kill-open"));
    await find("kill-hold");
    expect(all("drill-open")).toEqual([]);
  });

  it("tells in words why it did not end well", async () => {
    const world = await openDesk({ scenario: "plain" });
    world.backend.drill = () => Promise.reject({ code: "drill", message: "the vault is not unlocked; nothing was done", advice: "refuse" });
    await world.user.click(get("kill-open"));
    await world.user.click(await find("drill-open"));
    await world.user.click(get("drill-go"));
    expect((await find("drill-trouble")).textContent).toContain("the vault is not unlocked");
  });
});
