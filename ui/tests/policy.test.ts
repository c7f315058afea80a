// Limits: what differs, in words; what each rule of the desk does; what the log has of earlier ones.
import { describe, expect, it } from "vitest";
import type { AuditEntry, Commands, DeskRule, DeskRules, DoorAction, Policy } from "../src/bindings/contract";
import { policy } from "../src/lib/fake/scenes";
import { DESK_FIELDS, DESK_RULES, elseWords, RULE_ROWS } from "../src/state/desk-rules";
import { asText, fromText, setMode } from "../src/state/limits.svelte";
import { changes, worded } from "../src/state/policy-diff";
import { FOUND_MAX, LOOK_LEN, PolicyHistory } from "../src/state/policy-history.svelte";
import { all, calls, find, get, gone, openDesk, until } from "./world";

const known = {
  currency: "USDT",
  slots: [{ id: 3, kind: "password and device", label: "night shift", kdf: null, kept: null, is_present: false, roles: [] }],
};
const plain = (text: string) => text.replace(/\u00a0/g, " ");
const told = (from: unknown, to: unknown) =>
  worded(changes(from, to), known).map(({ name, from, to }) => plain(`${name}: ${from} → ${to}`));
const other = (parts: Partial<Policy>, desk: Partial<Policy["desk"]> = {}): Policy => {
  const now = policy();
  return { ...now, ...parts, desk: { ...now.desk, ...desk } };
};

describe("what differs", () => {
  it.each<[Policy, string[]]>([
    [other({}), []],
    [other({ order_notional_max: "50000.00" }), []],
    [other({ order_notional_max: "25000" }), ["Notional per order: 50 000 USDT → 25 000 USDT"]],
    [other({ currency: "USDC" }), ["Currency of the limits: USDT → USDC"]],
    [
      other({ currency: "EUR", order_notional_max: "25000" }),
      ["Currency of the limits: USDT → EUR", "Notional per order: 50 000 USDT → 25 000 EUR"],
    ],
    [
      other({ instruments: [{ ...policy().instruments[0]!, quote_worth: "1.05" }] }),
      ["BTCUSDT: a unit paid is worth at most: none → 1.05 USDT"],
    ],
    [other({ confirm_above: "1000" }), ["A code for orders above: none → 1 000 USDT"]],
    [other({ session_idle_ms: 300_000 }), ["Locks when idle for: 10 min → 5 min"]],
    [other({ session_age_max_ms: 3_600_000 }), ["Longest session: 8 h → 1 h"]],
    [other({ price_collar_bps: 50 }), ["Distance from the market: 2 % → 0.5 %"]],
    [
      other({ kdf_floor: { memory_mib: 256, passes: 5 } }),
      ["Passwords at least so hard: memory: none → 256 MiB", "Passwords at least so hard: passes: none → 5"],
    ],
    [other({}, { duplicate_ms: 1500 }), ["Same order again after: none → 1.5 s"]],
    [other({}, { day_loss_max: null }), ["Loss of a day, then stop: 2 000 USDT → none"]],
    [other({}, { restricted: ["ETHUSDT", "BTCUSDT"] }), ["Sold, and not bought: none → ETHUSDT BTCUSDT"]],
    [other({}, { self_trade: true }), ["Into an own order: never → allowed"]],
    [other({}, { modes: {} }), ["Open orders, when not met: asks why → refuses"]],
    [other({}, { modes: { "open-orders": "ask", drawdown: "refuse" } }), []],
    [other({}, { exposure_of: [] }), ["Held at account main: 150 000 USDT → none"]],
    [
      other(
        {},
        {
          exposure_of: [
            { of: { account: "main" }, max: "9" },
            { of: { venue: "binance" }, max: "7" },
          ],
        },
      ),
      ["Held at account main: 150 000 USDT → 9 USDT", "Held at Binance: none → 7 USDT"],
    ],
    [
      other({ thresholds: [{ of: { person: 3 }, day_notional_max: "5" }] }),
      ["Signed in 24 h by bot grid: 200 000 USDT → none", "Signed in 24 h by night shift, slot 3: none → 5 USDT"],
    ],
    [
      other({ instruments: [] }),
      ["BTCUSDT: most per order: 10 → none", "BTCUSDT: lowest price: 10 000 → none", "BTCUSDT: highest price: 250 000 → none"],
    ],
  ])("%#", (next, words) => expect(told(policy(), next)).toEqual(words));

  it("a part that this page does not know is shown under its own name", () => {
    const next = { ...policy(), of_tomorrow: { inner_part: 3 }, desk: { ...policy().desk, next_rule_max: "7" } };
    expect(told(policy(), next)).toEqual(["next rule max: none → 7", "of tomorrow, inner part: none → 3"]);
  });
  it("lists are never in a different order than they were only", () => {
    const [a, b] = [
      { ...policy().instruments[0]!, symbol: "A" },
      { ...policy().instruments[0]!, symbol: "B" },
    ];
    expect(told(other({ instruments: [a, b] }), other({ instruments: [b, a] }))).toEqual([]);
  });
});

describe("what a rule does", () => {
  it("every rule has one row, and every number stands in one", () => {
    const rules = RULE_ROWS.flatMap(({ rule }) => (rule ? [rule] : []));
    expect(rules).toEqual(Object.keys(DESK_RULES));
    for (const [field] of DESK_FIELDS) expect(RULE_ROWS.filter(({ by }) => by === field)).toHaveLength(1);
  });
  it.each(Object.keys(DESK_RULES) as DeskRule[])("%s can ask, note or refuse", (rule) => {
    for (const mode of ["ask", "shadow", "refuse"] as const) {
      const text = asText(policy());
      setMode(text, rule, mode);
      const read = fromText(text);
      if ("problem" in read) throw new Error(read.problem);
      expect(read.policy.desk.modes[rule]).toBe(mode === "refuse" ? undefined : mode);
    }
  });
  it.each<[DeskRules["modes"], string, string]>([
    [{}, "max-notional", "refuses"],
    [{}, "confirm", "asks for a code"],
    [{ drawdown: "shadow" }, "drawdown", "only notes"],
    [{}, "exposure-unknown", "refuses"],
    [{ position: "ask" }, "exposure-unknown", "refuses"],
    [{ exposure: "shadow" }, "exposure-unknown", "refuses"],
    [{ position: "shadow", exposure: "ask" }, "exposure-unknown", "asks why"],
    [{ position: "ask", exposure: "shadow" }, "exposure-unknown", "asks why"],
    [{ position: "shadow", exposure: "shadow" }, "exposure-unknown", "only notes"],
  ])("with %j, %s %s", (modes, rule, words) => expect(elseWords(other({}, { modes }), rule)).toBe(words));
  it.each([true, false])("meeting an own order can be allowed: %s", (selfTrade) =>
    expect(fromText({ ...asText(policy()), selfTrade })).toMatchObject({ policy: { desk: { self_trade: selfTrade } } }),
  );
});

/** A log whose entries of limits are these, by place; oldest first, in pages as asked. */
function log(size: number, limits: Record<number, Policy | null>, refuses = () => false) {
  const asked: (number | null)[] = [];
  const backend = {
    audit: async ({ before, last }: { before: number | null; last: number }) => {
      if (refuses()) throw { code: "role", message: "this session's roles do not include auditor", advice: "refuse" };
      asked.push(before);
      const end = before ?? size;
      const from = Math.max(0, end - last);
      const entries = Array.from({ length: end - from }, (_, i): AuditEntry => {
        const seq = from + i;
        const isLimits = limits[seq] !== undefined;
        return {
          seq,
          at: seq * 1e6,
          kind: isLimits ? "policy-changed" : "epoch",
          payload: isLimits ? { policy: limits[seq], person: 3 } : {},
        };
      });
      return { entries, size };
    },
  } as unknown as Commands;
  return { history: new PolicyHistory(backend), asked };
}

describe("earlier limits", () => {
  it("are newest first, each against the one before, and the first against nothing", async () => {
    const { history } = log(180, { 20: other({}), 90: other({ orders_per_minute: 5 }), 170: other({ orders_per_minute: 7 }) });
    await history.begin();
    expect(history.rows.map(({ seq }) => seq)).toEqual([170, 90, 20]);
    expect(history.rows.map((row) => row.changes?.map(({ path, from, to }) => [path.join("."), from, to]))).toEqual([
      [["orders_per_minute", 5, 7]],
      [["orders_per_minute", 60, 5]],
      undefined,
    ]);
    expect([history.whole, history.looked, history.size, history.rows[0]!.person]).toEqual([true, 180, 180, 3]);
  });

  it("are looked for in a bounded part of the log, and further on when told so", async () => {
    const { history, asked } = log(LOOK_LEN + 120, { 10: other({}), [LOOK_LEN]: other({ orders_per_minute: 5 }) });
    await history.begin();
    expect([history.whole, history.looked, history.rows.length]).toEqual([false, LOOK_LEN, 1]);
    expect(history.rows[0]!.changes).toBeNull();
    const pages = asked.length;
    await history.further();
    expect(asked[pages]).toBe(120);
    expect([history.whole, history.looked, history.rows.length]).toEqual([true, LOOK_LEN + 120, 2]);
    expect(history.rows[0]!.changes).toHaveLength(1);
    await history.further();
    expect(asked).toHaveLength(pages + 3);
  });

  it("are not more than can be shown", async () => {
    const { history } = log(
      FOUND_MAX + 60,
      Object.fromEntries(Array.from({ length: FOUND_MAX + 60 }, (_, i) => [i, other({ orders_per_minute: i + 1 })])),
    );
    await history.begin();
    expect([history.rows.length, history.full, history.whole]).toEqual([FOUND_MAX, true, false]);
  });

  it("that cannot be read are not told as unchanged", async () => {
    const { history } = log(30, { 5: other({}), 15: null, 25: other({ orders_per_minute: 7 }) });
    await history.begin();
    expect(history.rows.map(({ changes }) => changes)).toEqual([null, null, null]);
  });

  it("are read on where a refusal stopped it", async () => {
    let refused = 0;
    const { history } = log(200, { 20: other({}) }, () => ++refused === 3);
    await history.begin();
    expect([history.trouble?.code, history.looked, history.looking]).toEqual(["role", 100, false]);
    await history.further();
    expect([history.trouble, history.whole, history.rows.length]).toEqual([null, true, 1]);
  });

  it("are not looked for any more when nobody looks", async () => {
    const { history, asked } = log(20_000, {});
    const began = history.begin();
    history.stop();
    await began;
    expect(asked.length).toBeLessThan(3);
    expect(history.looking).toBe(false);
  });
});

describe("in the settings", () => {
  const settings = async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("nav-settings"));
    await find("policy-edit");
    return world;
  };
  const change = (path: string) =>
    all("policy-change")
      .find((row) => row.dataset.path === path)
      ?.textContent?.replace(/\s+/g, " ");

  it("the form says what would change, and that nothing does", async () => {
    const world = await settings();
    await world.user.click(get("policy-edit"));
    expect(get("policy-problem").textContent).toContain("Nothing differs");
    expect(get("policy-save").getAttribute("aria-disabled")).toBe("true");
    await world.user.click(get("policy-save"));
    expect(calls(world, "act")).toEqual([]);
    await world.user.clear(get("policy-perMinute"));
    await world.user.type(get("policy-perMinute"), "7");
    await world.user.selectOptions(get("policy-mode-self-trade"), "shadow");
    await world.user.selectOptions(get("policy-mode-restricted"), "ask");
    await world.user.selectOptions(get("policy-mode-open-orders"), "refuse");
    await world.user.click(get("policy-self-trade"));
    expect(change("orders_per_minute")).toContain("Orders per minute from 60 → to 7");
    expect(change("desk.modes.open-orders")).toContain("from asks why → to refuses");
    expect(all("policy-change")).toHaveLength(5);
    await world.user.click(get("policy-save"));
    await until(() =>
      expect(calls(world, "act").at(-1)).toMatchObject({
        action: { action: "set_policy", policy: { orders_per_minute: 7, desk: { self_trade: true } } },
      }),
    );
    const { action } = calls(world, "act").at(-1) as { action: { policy: Policy } };
    expect(action.policy.desk.modes).toEqual({ "self-trade": "shadow", restricted: "ask" });
  });

  it("a floor under how hard passwords are is shown, set, and taken away", async () => {
    const floor = () => all("policy-row").find((row) => row.textContent?.includes("Passwords at least so hard"))?.textContent;
    const world = await settings();
    expect(floor()).toContain("no floor");
    await world.user.click(get("policy-edit"));
    await world.user.type(get("policy-kdfMemory"), "512");
    expect(get("policy-problem").textContent).toContain("or neither");
    await world.user.type(get("policy-kdfPasses"), "5");
    expect(change("kdf_floor.memory_mib")?.replace(/\u00a0/g, " ")).toContain("from none → to 512 MiB");
    expect(get("policy-diff").textContent).toMatch(/A code is asked where more would pass.*floor of passwords.*leaves\s+the list/s);
    await world.user.click(get("policy-save"));
    await until(() =>
      expect(calls(world, "act").at(-1)).toMatchObject({ action: { policy: { kdf_floor: { memory_mib: 512, passes: 5 } } } }),
    );
    const { action } = calls(world, "act").at(-1) as { action: DoorAction };
    world.backend.answerPrompt(action);
    await until(() => expect(floor()).toContain("512 MiB, 5 passes"));
    await world.user.click(get("policy-edit"));
    for (const field of ["policy-kdfMemory", "policy-kdfPasses"]) await world.user.clear(get(field));
    await world.user.click(get("policy-save"));
    await until(() => expect(calls(world, "act").at(-1)).toMatchObject({ action: { policy: { kdf_floor: null } } }));
  });

  it("the table of all rules says what each does", async () => {
    await settings();
    const rule = (name: string) => all("rule").find((row) => row.dataset.rule === name)?.lastElementChild?.textContent;
    expect(["confirm", "exposure-unknown", "open-orders", "price-band"].map(rule)).toEqual([
      "asks for a code",
      "refuses",
      "asks why",
      "refuses",
    ]);
  });

  it("every rule of the desk has a choice of what it does", async () => {
    const world = await settings();
    await world.user.click(get("policy-edit"));
    for (const rule of Object.keys(DESK_RULES)) get(`policy-mode-${rule}`);
    expect(all("policy-rule").flatMap((row) => row.dataset.rule ?? [])).toEqual(Object.keys(DESK_RULES));
  });

  it("earlier limits: how they differ, by whom, and how far it looked", async () => {
    const world = await settings();
    await world.user.click(get("policy-history-open"));
    await find("policy-history-further");
    expect(get("policy-history-looked").textContent).toMatch(/The newest 5\u00a0000 of 18\u00a0319 entries were looked through/);
    const rows = all("policy-history-row");
    expect(rows.length).toBeGreaterThan(2);
    expect(rows[0]!.textContent?.replace(/\s+/g, " ")).toContain("Loss of a day, then stop from none → to 2 000 USDT");
    expect(rows[0]!.textContent).toContain("slot 1");
    expect(rows.at(-1)!.textContent).toContain("earliest change found so far");
    for (let press = 0; press < 3; press++) await world.user.click(await find("policy-history-further"));
    await until(() => expect(get("policy-history-looked").textContent).toContain("The whole log was looked through"));
    expect(all("policy-history-row").at(-1)!.textContent).toContain("those of a new vault");
    expect(all("policy-history-further")).toEqual([]);
    await world.user.click(get("policy-history-close"));
    await gone("policy-history");
  });

  it("earlier limits: a session that may not read the log is told so", async () => {
    const world = await settings();
    world.backend.roles = ["viewer", "trader"];
    await until(() => expect(all("not-allowed")[0]?.dataset.permission).toBe("set-policy"));
    await world.user.click(get("policy-history-open"));
    expect((await find("policy-history-trouble")).textContent).toMatch(/has no auditor role.*That needs the role auditor/s);
    expect(all("policy-history-none")).toEqual([]);
  });
});
