// Stories and rows of orders that stand: made smaller, protected, unprotected.
import { describe, expect, it } from "vitest";
import type { DoorAction, OrderView } from "../src/bindings/contract";
import { instrument } from "../src/lib/fake/market";
import { canShrink, smaller } from "../src/state/standing.svelte";
import { all, calls, find, get, gone, openDesk, until } from "./world";

const order = (parts: Partial<OrderView> = {}) =>
  ({
    client_order_id: "sr-1",
    spec: { limit: { price: "60000", quantity: "0.12", tif: "GTC" } },
    filled: "0.04",
    fate: "working",
    ...parts,
  }) as OrderView;

describe("a new quantity", () => {
  it.each<[string, string]>([
    ["", "Enter"],
    ["lots", "not a number"],
    ["0", "above zero"],
    ["0.12", "only be made smaller"],
    ["0.5", "only be made smaller"],
    ["0.04", "filled already"],
    ["0.01", "filled already"],
    ["0.0500001", "steps of"],
  ])("%j is refused", (text, words) =>
    expect(smaller(order(), text, instrument)).toMatchObject({ problem: expect.stringContaining(words) }),
  );
  it.each(["0.11999", "0.04001", " 0.08 "])("%j is taken", (text) => expect(smaller(order(), text, instrument)).toHaveProperty("quantity"));
  it.each<[Partial<OrderView>, boolean]>([
    [{}, true],
    [{ spec: { post_only: { price: "1", quantity: "1" } } }, true],
    [{ fate: "ambiguous" }, false],
    [{ spec: { market: { size: { base: "1" } } } }, false],
    [{ spec: { market: { size: { quote: "1" } } } }, false],
  ])("%j can be made smaller: %s", (parts, wanted) => expect(canShrink(order(parts))).toBe(wanted));
});

const row = (id: string) => all("order-row").find((one) => one.dataset.id === id)!;
const inside = (id: string, name: string) => row(id).querySelector<HTMLElement>(`[data-testid="${name}"]`)!;

describe("a row", () => {
  it("is made smaller, by what is above the filled part only", async () => {
    const world = await openDesk({ scenario: "plain" });
    await until(() => expect(all("order-row").length).toBeGreaterThan(0));
    const partly = world.backend.book.live().find((one) => one.filled !== "0")!;
    inside(partly.client_order_id, "shrink").focus();
    await world.user.keyboard("{Enter}");
    await find("shrink-dialog");
    await world.user.type(get("shrink-quantity"), "0.03");
    expect(get("shrink-go").getAttribute("aria-disabled")).toBe("true");
    expect(get("shrink-why").textContent).toContain("filled already");
    await world.user.click(get("shrink-go"));
    expect(calls(world, "amend")).toEqual([]);
    await world.user.clear(get("shrink-quantity"));
    await world.user.type(get("shrink-quantity"), "0.08");
    await world.user.click(get("shrink-go"));
    await gone("shrink-dialog");
    expect(calls(world, "amend")).toEqual([{ client_order_id: partly.client_order_id, quantity: "0.08" }]);
    await until(() => expect(row(partly.client_order_id).textContent).toContain("0.08000"));
  });

  it("keeps the question open and says why it was not made smaller", async () => {
    const world = await openDesk({ scenario: "plain" });
    world.backend.amend = () =>
      Promise.reject({ code: "venue", message: "the venue refused it; the order was not made smaller", advice: "refuse" });
    await until(() => expect(all("shrink").length).toBeGreaterThan(0));
    await world.user.click(all("shrink")[0]!);
    await world.user.type(await find("shrink-quantity"), "0.041");
    await world.user.click(get("shrink-go"));
    expect((await find("shrink-trouble")).textContent).toContain("was not made smaller");
  });

  it("is protected through the prompt, marked, and unprotected at once", async () => {
    const world = await openDesk({ scenario: "plain" });
    await until(() => expect(all("order-row").length).toBeGreaterThan(0));
    const id = all("order-row")[0]!.dataset.id!;
    await world.user.click(inside(id, "protect"));
    const { action } = calls(world, "act").at(-1) as { action: DoorAction };
    expect(action).toEqual({ action: "protect_order", client_order_id: id });
    expect(row(id).dataset.protected, "nothing before the code").toBe("false");
    world.backend.answerPrompt(action);
    await until(() => expect(row(id).dataset.protected).toBe("true"));
    expect(inside(id, "order-state").textContent).toContain("protected");
    await world.user.click(inside(id, "unprotect"));
    await until(() => expect(row(id).dataset.protected).toBe("false"));
    expect(calls(world, "unprotect")).toEqual([{ client_order_id: id }]);
  });

  it("that is protected is left by the kill switch", async () => {
    const world = await openDesk({ scenario: "plain" });
    const [first] = world.backend.book.live();
    world.backend.book.protect(first!, true);
    await world.user.click(get("kill-open"));
    await world.user.type(await find("kill-word"), "STOP");
    expect((await find("kill-spared")).textContent).toContain("1 protected");
    await until(() => expect(get("kill-left").dataset.left).toBe("0"));
    expect(world.backend.book.live().map((one) => one.client_order_id)).toEqual([first!.client_order_id]);
  });
});
