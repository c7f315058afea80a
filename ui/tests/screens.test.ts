// Every screen through axe, in both themes. Contrast needs a real engine: scripts/axe.mjs.
import axe from "axe-core";
import { describe, expect, it } from "vitest";
import { RULES } from "../src/bindings/contract";
import type { Scenario } from "../src/lib/fake/scenario";
import { all, calls, find, get, open, openDesk, until } from "./world";

async function violations(): Promise<string[]> {
  const result = await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
  return result.violations.flatMap((violation) => violation.nodes.map((node) => `${violation.id} at ${node.target.join(" ")}`));
}

describe.each(["dark", "light"] as const)("%s", (theme) => {
  it.each<[Scenario, string]>([
    ["missing", "create-vault"],
    ["locked", "unlock"],
    ["sealed", "restore-open"],
  ])("%s", async (scenario, id) => {
    open({ scenario, theme });
    await find(id);
    expect(document.documentElement.dataset.theme).toBe(theme);
    expect(await violations()).toEqual([]);
  });

  it.each<[Scenario, string, string]>([
    ["ambiguous", "trade", "order-row"],
    ["empty", "trade", "orders-empty"],
    ["pin-changed", "lines", "pin-choice"],
    ["rate", "lines", "line-row"],
    ["plain", "keys", "key-row"],
    ["empty", "keys", "keys-empty"],
    ["plain", "audit", "audit-row"],
    ["plain", "settings", "policy-row"],
    ["killed", "trade", "killed-strip"],
  ])("%s: %s", async (scenario, view, id) => {
    const world = await openDesk({ scenario, theme });
    await world.user.click(get(`nav-${view}`));
    await until(() => expect(document.querySelector(`[data-testid="${id}"]`)).not.toBeNull());
    expect(await violations()).toEqual([]);
  });
});

describe("what opens over a screen or in it", () => {
  type World = Awaited<ReturnType<typeof openDesk>>;
  const inSettings = async ({ user }: World, id: string) => {
    await user.click(get("nav-settings"));
    await user.click(await find(id));
  };
  it.each<[string, (world: World) => Promise<unknown>]>([
    ["changing limits", async (world) => (await inSettings(world, "policy-edit"), world.user.click(get("policy-self-trade")))],
    ["earlier limits", async (world) => (await inSettings(world, "policy-history-open"), find("policy-history-further"))],
    ["choosing roles", async (world) => (await inSettings(world, "add-person"), find("roles"))],
    [
      "a reason",
      async ({ user }) => {
        await user.click(get("take-touch"));
        await user.click(get("size-50"));
        await user.click(await find("tick"));
        await find("order-why");
      },
    ],
    ["the kill sheet", async ({ user }) => (await user.click(get("kill-open")), user.click(await find("kill-seal-wish")))],
    [
      "the kill sheet, engaged",
      async ({ user }) => {
        await user.click(get("kill-open"));
        await user.type(await find("kill-word"), "STOP");
        await find("rearm");
        await user.click(get("kill-seal-go"));
      },
    ],
  ])("%s", async (_, act) => {
    await act(await openDesk({ scenario: "plain", roles: ["viewer", "trader", "auditor"] }));
    expect(await violations()).toEqual([]);
  });
});

describe("screens at work", () => {
  it("audit: a row opens its payload as text, the log is verified, older pages come", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("nav-audit"));
    const rows = await until(() => {
      const found = document.querySelectorAll<HTMLElement>('[data-testid="audit-row"]');
      expect(found.length).toBe(100);
    }).then(() => document.querySelectorAll<HTMLElement>('[data-testid="audit-row"]'));
    await world.user.click(rows[3]!);
    expect(JSON.parse((await find("audit-payload")).textContent ?? "")).toBeTypeOf("object");
    await world.user.click(get("verify"));
    await until(() => expect(get("integrity").dataset.intact).toBe("true"));
    expect(get("verify-key").textContent).toBe("with the key this computer names");
    await world.user.type(get("kept-key"), " strongroom-log+kept ");
    await world.user.click(get("verify"));
    await until(() => expect(calls(world, "verify").at(-1)).toEqual({ key: "strongroom-log+kept" }));
    await until(() => expect(get("verify-key").textContent).toBe("with the key you kept"));
    expect(get("offline-command").textContent).toMatch(/^strongroom-audit verify .* --key strongroom-log\+/);
    await world.user.type(get("audit-filter"), "epoch");
    await until(() => expect(document.querySelectorAll('[data-testid="audit-row"]').length).toBeLessThan(5));
  });

  it("keys: a key that can withdraw is called out; import names only a label", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("nav-keys"));
    expect((await find("withdraw-warning")).textContent).toContain("can withdraw funds");
    await world.user.click(get("import-key"));
    await world.user.type(await find("import-label"), "main");
    await world.user.click(get("import-go"));
    await until(() =>
      expect(calls(world, "act")).toEqual([{ action: { action: "import", label: "main", venue: "binance" }, source: "typed" }]),
    );
    world.backend.answerPrompt({ action: "import", label: "main", venue: "binance" });
    await until(() => expect(document.querySelector('[data-label="main"]')).not.toBeNull());
  });

  it("settings: look changes at once and is kept; limits go through the prompt", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("nav-settings"));
    await world.user.click(await find("theme-light"));
    expect(document.documentElement.dataset.theme).toBe("light");
    await world.user.click(get("density-compact"));
    expect(document.documentElement.dataset.density).toBe("compact");
    expect(calls(world, "settings").at(-1)).toMatchObject({ settings: { theme: "light", density: "compact" } });
    expect(all("policy-managed")).toEqual([]);
    expect(all("rule").map((row) => row.dataset.rule)).toEqual(RULES.map(({ name }) => name));
    const rule = (name: string) => all("rule").find((row) => row.dataset.rule === name)?.textContent;
    expect(rule("price-collar")).toContain("desk");
    expect(rule("day-notional")).toContain("signer");
    await world.user.click(await find("policy-edit"));
    await world.user.clear(get("policy-notional"));
    await world.user.type(get("policy-notional"), "1000");
    await world.user.click(get("policy-save"));
    await until(() =>
      expect(calls(world, "act").at(-1)).toMatchObject({ action: { action: "set_policy", policy: { order_notional_max: "1000" } } }),
    );
  });

  it("settings: a person and an account get limits of their own, and two of one are a problem", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("nav-settings"));
    await world.user.click(await find("policy-edit"));
    await until(() => expect(all("slot-row").length).toBe(2));
    await world.user.click(get("threshold-add"));
    expect(get("policy-problem").textContent).toContain("Choose whose");
    await world.user.selectOptions(get("threshold-person"), "1");
    await world.user.type(all("threshold-most")[1]!, "50000");
    await world.user.click(get("exposure-add"));
    await world.user.type(all("exposure-account")[1]!, "main");
    await world.user.type(all("exposure-most")[1]!, "20000");
    expect(get("policy-problem").textContent).toContain("Account main has two limits");
    await world.user.type(all("exposure-account")[1]!, " 2");
    await world.user.click(all("threshold-most-remove")[0]!);
    await world.user.click(get("policy-save"));
    await until(() =>
      expect(calls(world, "act").at(-1)).toMatchObject({
        action: {
          action: "set_policy",
          policy: {
            thresholds: [{ of: { person: 1 }, day_notional_max: "50000" }],
            desk: {
              exposure_of: [
                { of: { account: "main" }, max: "150000" },
                { of: { account: "main 2" }, max: "20000" },
              ],
            },
          },
        },
      }),
    );
  });

  it("settings: limits of an organisation are named", async () => {
    const world = await openDesk({ scenario: "plain" });
    world.backend.managed = { organisation: "Example", serial: 3, source: "as it lies", limits: [["orders_per_minute", "5"]] };
    await world.user.click(get("nav-settings"));
    expect((await find("policy-managed")).textContent).toContain("Limits of Example hold here");
    expect(get("policy-managed").title).toBe("orders_per_minute 5");
  });
});
