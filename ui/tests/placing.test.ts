// Stories of sending: what was gone past is told, and a large order is confirmed under the name under which it is placed.
import { describe, expect, it } from "vitest";
import type { Check, Checks, Commands, DoorAction, Order } from "../src/bindings/contract";
import {
  canPass,
  gonePast,
  passProblem,
  PASS_WHY_LEN_MAX,
  place,
  placePast,
  reasonFor,
  REASON_LEN_MAX,
  roomFor,
  unsaid,
} from "../src/state/placing";
import { Prompt } from "../src/state/prompt.svelte";

const order: Order = { symbol: "BTCUSDT", side: "buy", spec: { limit: { price: "100", quantity: "1", tif: "GTC" } }, reduce_only: false };
const refused = (code: string) => ({ code, message: `${code}; nothing was sent`, advice: "ask" });

/** A desk that refuses until a confirmation of that very name came. */
function desk(confirms: boolean) {
  const seen: { placed: { name: string | null; reason: string | null }[]; acted: DoorAction[] } = { placed: [], acted: [] };
  const backend = {
    place: async ({ name, reason }: { name: string | null; reason: string | null }) => {
      seen.placed.push({ name, reason });
      const confirmed = seen.acted.some((action) => action.action === "confirm_order" && action.client_order_id === name);
      if (!confirmed) throw refused("confirm");
      return { client_order_id: name };
    },
    act: async ({ action }: { action: DoorAction }) => {
      if (!confirms) throw refused("given-up");
      seen.acted.push(action);
      return { words: "Confirmed.", key: null, log_key: null, public_key: null };
    },
  } as unknown as Commands;
  return { backend, prompt: new Prompt(backend), seen };
}

describe("sending", () => {
  it("confirms a large order in the prompt and places it under the same name", async () => {
    const { backend, prompt, seen } = desk(true);
    const view = await place(backend, prompt, order, "Slippage, Balance: the hedge");
    expect(seen.placed).toHaveLength(2);
    expect(seen.placed[0]).toEqual(seen.placed[1]);
    expect(seen.placed[0]!.reason).toBe("Slippage, Balance: the hedge");
    expect(seen.acted).toEqual([{ action: "confirm_order", client_order_id: view.client_order_id, ...order }]);
    expect(view.client_order_id).toMatch(/^sr-[0-9a-f]{32}$/);
  });

  it("sends nothing when the confirmation is given up", async () => {
    const { backend, prompt, seen } = desk(false);
    await expect(place(backend, prompt, order, null)).rejects.toMatchObject({ code: "given-up" });
    expect(seen.placed).toEqual([{ name: seen.placed[0]!.name, reason: null }]);
  });
});

describe("a reason", () => {
  const asks = (name: string, by: Check["by"] = "desk"): Check => ({ name, by, words: "x", detail: "", state: "ask", can_pass: false });
  const bytes = (text: string | null) => new TextEncoder().encode(text ?? "").length;
  const [slippage, balance, limits] = [asks("Slippage"), asks("Balance"), asks("Signer's limits", "signer")];

  it.each<[string, Check[], string[], string, string | null]>([
    ["nothing asks", [], [], "", null],
    ["not ticked", [slippage], [], "the hedge", "Tick “Slippage is intended” first."],
    ["one of two ticked", [slippage, balance], ["Slippage"], "the hedge", "Tick “Size is intended” first."],
    ["ticked, nothing written", [slippage], ["Slippage"], "", "Write why first."],
    ["spaces only", [slippage], ["Slippage"], "      ", "Write why first."],
    ["too little", [slippage], ["Slippage"], " ok ", "Write why first."],
    ["enough", [slippage], ["Slippage"], "fix", null],
    ["the signer's own, which has a code", [limits], ["Signer's limits"], "", null],
    ["too long", [slippage], ["Slippage"], "x".repeat(191), "The reason is too long."],
    ["as long as it may be", [slippage], ["Slippage"], "x".repeat(190), null],
    ["too long in bytes", [slippage], ["Slippage"], "ä".repeat(100), "The reason is too long."],
  ])("%s", (_, checks, ticked, why, wanted) => {
    const said = unsaid(checks, new Set(ticked), why);
    if (wanted === null) expect(said).toBeNull();
    else expect(said).toContain(wanted);
  });

  it("names what was gone past, and then what the person wrote", () => {
    expect(reasonFor([slippage, limits, balance], "  the hedge ")).toBe("Slippage, Balance: the hedge");
    expect(reasonFor([limits], "x")).toBeNull();
  });
  it("leaves room for the person whatever the rules are called, and is never longer than the desk takes", () => {
    for (const names of [["A"], Array.from({ length: 12 }, (_, i) => `Exposure, account number ${i}`), ["ä".repeat(150)]]) {
      const asking = names.map((name) => asks(name));
      const room = roomFor(gonePast(asking));
      expect(room).toBeGreaterThan(110);
      const reason = reasonFor(asking, "x".repeat(room));
      expect(bytes(reason)).toBe(REASON_LEN_MAX);
      expect(unsaid(asking, new Set(names), "x".repeat(room))).toBeNull();
      expect(unsaid(asking, new Set(names), "x".repeat(room + 1))).toContain("too long");
    }
    expect(gonePast(Array.from({ length: 12 }, (_, i) => asks(`Exposure, account number ${i}`)))).toMatch(/number 0, .*, \d+ more$/);
  });
});

describe("letting one order pass", () => {
  const refused_by = (name: string, can_pass: boolean): Check => ({ name, by: "desk", words: "x", detail: "", state: "refuse", can_pass });
  const passed: Check = { name: "Kill switch", by: "signer", words: "", detail: "", state: "pass", can_pass: false };
  const asked: Check = { ...passed, name: "Slippage", state: "ask" };
  it.each<[string, Check[], boolean]>([
    ["nothing refuses", [passed, asked], false],
    ["one that can pass", [passed, asked, refused_by("Price inside collar", true)], true],
    ["two that can", [refused_by("Position", true), refused_by("Own orders", true)], true],
    ["one that cannot", [refused_by("Balance", false)], false],
    ["one that cannot, too", [refused_by("Position", true), refused_by("Signer's limits", false)], false],
  ])("%s", (_, checks, wanted) => expect(canPass({ checks } as unknown as Checks)).toBe(wanted));

  it.each<[string, string, string | null]>([
    ["no reason", "", "Say why"],
    ["spaces only", "  ", "Say why"],
    ["as long as it may be", ` ${"x".repeat(PASS_WHY_LEN_MAX)} `, null],
    ["too long", "x".repeat(PASS_WHY_LEN_MAX + 1), "65 bytes, 64 at most"],
    ["as long as it may be, in bytes", "\u00e4".repeat(32), null],
    ["too long in bytes", "\u00e4".repeat(33), "66 bytes, 64 at most"],
  ])("a reason: %s", (_, why, wanted) => {
    if (wanted === null) expect(passProblem(why)).toBeNull();
    else expect(passProblem(why)).toContain(wanted);
  });

  /** A desk that refuses what was not let pass by name. */
  function strict(grants: boolean) {
    const seen: { placed: (string | null)[]; acted: DoorAction[] } = { placed: [], acted: [] };
    const backend = {
      place: async ({ name }: { name: string | null }) => {
        seen.placed.push(name);
        return { client_order_id: name };
      },
      act: async ({ action }: { action: DoorAction }) => {
        if (!grants) throw { code: "role", message: "this session's roles do not include risk", advice: "refuse" };
        seen.acted.push(action);
        return { words: "ok", key: null, log_key: null, public_key: null };
      },
    } as unknown as Commands;
    return { backend, prompt: new Prompt(backend), seen };
  }

  it("asks for the very order that is placed, by its name", async () => {
    const { backend, prompt, seen } = strict(true);
    const view = await placePast(backend, prompt, order, "month end");
    expect(seen.acted).toEqual([{ action: "override_rule", client_order_id: view.client_order_id, ...order, why: "month end" }]);
    expect(seen.placed).toEqual([view.client_order_id]);
  });

  it("places nothing when it is refused", async () => {
    const { backend, prompt, seen } = strict(false);
    await expect(placePast(backend, prompt, order, "month end")).rejects.toMatchObject({ code: "role" });
    expect(seen.placed).toEqual([]);
  });
});
