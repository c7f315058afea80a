// Stories of an order that is let pass, on the page.
import { describe, expect, it } from "vitest";
import type { DoorAction } from "../src/bindings/contract";
import { all, calls, find, get, openDesk, until } from "./world";

const draft = async (price: string, size = "0.05") => {
  const world = await openDesk({ scenario: "empty" });
  await world.user.type(get("price"), price);
  await world.user.type(get("size"), size);
  return world;
};
type Override = DoorAction & { action: "override_rule" };

describe("an order that the desk's rules refuse", () => {
  it("is let pass with a reason, placed exactly as named, and told like any other", async () => {
    const world = await draft("58000");
    await world.user.click(await find("let-pass"));
    expect((await find("pass-order")).textContent).toBe("Buy 0.05 BTC at 58\u00a0000.00");
    expect(get("pass-rule").textContent).toContain("2\u00a0% away from the market");
    await world.user.click(get("pass-go"));
    expect(get("pass-problem").textContent).toContain("Say why");
    expect(calls(world, "act")).toEqual([]);
    await world.user.type(get("pass-why"), "month end");
    await world.user.click(get("pass-go"));
    const { action } = calls(world, "act").at(-1) as { action: Override };
    expect(action).toMatchObject({ action: "override_rule", symbol: "BTCUSDT", side: "buy", reduce_only: false, why: "month end" });
    expect(calls(world, "place"), "nothing before the code").toEqual([]);
    expect((await find("prompt-cover")).textContent).toContain("Only risk may");
    world.backend.answerPrompt(action);
    await until(() => expect(all("order-row")[0]?.dataset.id).toBe(action.client_order_id));
    const { symbol, side, spec, reduce_only } = action;
    expect(calls(world, "place")).toEqual([{ order: { symbol, side, spec, reduce_only }, reason: "month end" }]);
    expect(spec).toEqual({ limit: { price: "58000.00", quantity: "0.05000", tif: "GTC" } });
    await until(() =>
      expect(
        all("toast")
          .map((toast) => toast.textContent)
          .join(),
      ).toContain("working"),
    );
  });

  it("has a reason that may have the letters of the ticket's keys", async () => {
    const world = await draft("58000");
    await world.user.click(await find("let-pass"));
    await world.user.type(await find("pass-why"), "basis");
    expect((get("pass-why") as HTMLInputElement).value).toBe("basis");
    await world.user.click(get("pass-go"));
    expect(calls(world, "act").at(-1)).toMatchObject({ action: { side: "buy", why: "basis" } });
  });

  it("has a reason that the signer takes: too long a one is said, and the dialog stays", async () => {
    const world = await draft("58000");
    await world.user.click(await find("let-pass"));
    await world.user.type(await find("pass-why"), "month end, ".repeat(6));
    expect(get("pass-problem").textContent).toContain("The reason has 65 bytes, 64 at most.");
    await world.user.click(get("pass-go"));
    expect(calls(world, "act")).toEqual([]);
    await world.user.type(get("pass-why"), "{Backspace}{Backspace}");
    expect(get("pass-problem").textContent).toBe("");
    await world.user.click(get("pass-go"));
    expect(calls(world, "act")).toMatchObject([{ action: { action: "override_rule", why: "month end, ".repeat(6).slice(0, 64) } }]);
  });

  it("is not sent when the prompt is closed or refuses, and that is said in words", async () => {
    const world = await draft("58000");
    world.backend.act = () => Promise.reject({ code: "role", message: "This needs the role risk.", advice: "ask" });
    await world.user.click(await find("let-pass"));
    await world.user.type(await find("pass-why"), "month end");
    await world.user.click(get("pass-go"));
    expect((await find("toast")).textContent).toContain("The order was not sent: This needs the role risk.");
    expect(calls(world, "place")).toEqual([]);
  });

  it("is not offered to pass where the signer refuses", async () => {
    const world = await draft("60120", "11");
    await until(() => expect(get("submit-why").textContent).toContain("above the maximum"));
    expect(all("let-pass")).toEqual([]);
    expect(calls(world, "act")).toEqual([]);
  });
});
