// Serves the simulated build under the program's own content policy and drives a browser over its scenes.
// Invariant: any breach of the policy and any error of the page fails the run.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ROOT = fileURLToPath(new URL("../dist-fake", import.meta.url));
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const SECURITY = JSON.parse(readFileSync(new URL("../../src-tauri/tauri.conf.json", import.meta.url), "utf8")).app.security;
/** The program's own policy, word for word. */
export const POLICY = Object.entries(SECURITY.csp)
  .map(([directive, sources]) => `${directive} ${sources}`)
  .join("; ");
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".woff2": "font/woff2",
  ".svg": "image/svg+xml",
};
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

async function serve() {
  if (!existsSync(join(ROOT, "index.html"))) throw new Error("build first: npm run build:fake");
  const server = createServer((request, answer) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname).replace(/^\/+/, "") || "index.html";
    const file = join(ROOT, path);
    if (!file.startsWith(ROOT) || !existsSync(file)) return answer.writeHead(404).end();
    answer.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": POLICY });
    answer.end(readFileSync(file));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { server, address: `http://127.0.0.1:${server.address().port}/` };
}

/** Every scene: a scenario of the simulated backend and what is done before looking. */
/** The kill sheet, open; then what a person does in it. */
const sheet = (name, act, pause) => ({
  name,
  fake: "plain",
  wait: "order-row",
  act: async (p) => {
    await p.getByTestId("kill-open").click();
    await act(p);
  },
  pause,
});

export const SCENES = [
  { name: "first-use", fake: "missing", wait: "create-vault" },
  { name: "first-use-asking", fake: "missing", wait: "create-vault", act: async (p) => p.getByTestId("create-vault").click() },
  {
    name: "first-use-keep",
    fake: "missing",
    wait: "create-vault",
    act: async (p) => {
      await p.getByTestId("create-vault").click();
      await p.getByTestId("kept").waitFor();
    },
  },
  {
    name: "first-use-practice",
    fake: "missing",
    wait: "create-vault",
    act: async (p) => {
      await p.getByTestId("create-vault").click();
      await p.getByTestId("kept").click();
      await p.getByTestId("add-practice-key").waitFor();
    },
  },
  { name: "lock", fake: "locked", wait: "unlock" },
  { name: "lock-sealed", fake: "sealed", wait: "unlock", act: async (p) => p.getByTestId("restore-open").click() },
  {
    name: "trade",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await fillTicket(p);
      await p.getByTestId("ladder-step").selectOption("5");
    },
  },
  {
    name: "trade-ask",
    fake: "ambiguous",
    wait: "order-row",
    act: async (p) => {
      await fillTicket(p);
      await p.getByTestId("size-50").click();
      await p.getByTestId("tick").waitFor();
    },
  },
  ...[
    ["trade-why", undefined],
    ["trade-why-small", { width: 1080, height: 700 }],
  ].map(([name, size]) => ({
    name,
    size,
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await fillTicket(p);
      await p.getByTestId("size-50").click();
      await p.getByTestId("tick").check();
      await p.getByTestId("order-why").waitFor();
      if (name === "trade-why-small") await p.getByTestId("order-why").fill("month end, the hedge has to go out");
    },
  })),
  { name: "trade-live", fake: "live", wait: "order-row", act: async (p) => p.getByTestId("tab-fills").click() },
  { name: "trade-venue-down", fake: "venue-down", wait: "order-row", act: async (p) => p.getByTestId("tab-balances").click() },
  { name: "trade-link-down", fake: "link-down", wait: "link-down" },
  { name: "trade-empty", fake: "empty", wait: "trade" },
  { name: "trade-broken", fake: "broken", wait: "orders-trouble" },
  {
    name: "trade-refused",
    fake: "rate",
    wait: "order-row",
    act: async (p) => {
      await fillTicket(p);
      await p.getByTestId("submit").click();
      await p.getByTestId("toast").first().waitFor();
    },
  },
  { name: "trade-compact", fake: "ambiguous", query: "&density=compact&pnl=classic", wait: "order-row", act: fillTicket },
  { name: "trade-relaxed", fake: "plain", query: "&density=relaxed&pnl=classic-east", wait: "order-row", act: fillTicket },
  { name: "trade-small", fake: "plain", size: { width: 1080, height: 700 }, wait: "order-row", act: fillTicket },
  ...["trade-pass", "trade-pass-why"].map((name) => ({
    name,
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await p.getByTestId("price").fill("58000");
      await p.getByTestId("size").fill("0.05");
      await p.getByTestId("let-pass").waitFor();
      if (name === "trade-pass-why") await p.getByTestId("let-pass").click();
    },
  })),
  {
    name: "trade-shrink",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await p.getByTestId("shrink").nth(1).click();
      await p.getByTestId("shrink-quantity").fill("0.02");
    },
  },
  ...[
    ["trade-protected", undefined],
    ["trade-protected-small", { width: 1080, height: 700 }],
  ].map(([name, size]) => ({
    name,
    size,
    fake: "ambiguous",
    wait: "order-row",
    act: async (p) => {
      await p.getByTestId("protect").nth(1).click();
      await p.getByTestId("unprotect").waitFor();
    },
  })),
  { name: "lines-small", fake: "plain", size: { width: 1080, height: 700 }, wait: "order-row", act: (p) => go(p, "lines") },
  { name: "lines", fake: "plain", wait: "order-row", act: (p) => go(p, "lines") },
  { name: "lines-pin", fake: "pin-changed", wait: "order-row", act: (p) => go(p, "lines") },
  {
    name: "lines-detail",
    fake: "rate",
    wait: "order-row",
    act: async (p) => {
      await go(p, "lines");
      await p.getByTestId("line-open").first().click();
    },
  },
  { name: "keys", fake: "plain", wait: "order-row", act: (p) => go(p, "keys") },
  { name: "keys-empty", fake: "empty", wait: "trade", act: (p) => go(p, "keys") },
  {
    name: "keys-import",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "keys");
      await p.getByTestId("import-key").click();
    },
  },
  {
    name: "keys-rotate",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "keys");
      await p.getByTestId("rotate").first().click();
    },
  },
  {
    name: "keys-made",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "keys");
      await p.getByTestId("rotate").first().click();
      await p.getByTestId("make-go").click();
      await p.getByTestId("public-key").waitFor();
    },
  },
  {
    name: "keys-revoke",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "keys");
      await p.getByTestId("rotate").first().click();
      await p.getByTestId("take-go").click();
      await p.getByTestId("go-on").waitFor();
    },
  },
  ...["keys-edit", "keys-narrower"].map((name) => ({
    name,
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "keys");
      await p.getByTestId("edit-key").first().click();
      await p.getByTestId("scope-instruments").fill("BTCUSDT");
      await p.getByTestId("scope-side-buy").click();
      await p.getByTestId("scope-kind-market").uncheck();
      await p.getByTestId("scope-from").fill("08:00");
      if (name === "keys-edit") return;
      await p.getByTestId("scope-until").fill("17:30");
      await p.getByTestId("edit-go").click();
      await p.getByTestId("held-narrower").waitFor();
    },
  })),
  {
    name: "keys-export",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "keys");
      await p.getByTestId("export").first().click();
    },
  },
  {
    name: "keys-delete",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "keys");
      await p.getByTestId("delete").first().click();
    },
  },
  {
    name: "audit",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "audit");
      await p.getByTestId("verify").click();
      await p.getByTestId("audit-row").nth(4).click();
    },
  },
  {
    name: "settings-ways",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "settings");
      await p.getByTestId("add-auditor").click();
    },
  },
  {
    name: "settings-permissions",
    fake: "plain",
    query: "&roles=viewer,trader",
    wait: "order-row",
    act: async (p) => {
      await go(p, "settings");
      await p.getByTestId("permissions").locator("summary").click();
      await p
        .getByTestId("permissions")
        .locator("summary")
        .evaluate((summary) => summary.scrollIntoView({ block: "start" }));
    },
  },
  {
    name: "settings-roles",
    fake: "plain",
    query: "&roles=viewer,trader",
    wait: "order-row",
    act: async (p) => {
      await go(p, "settings");
      await p.getByTestId("add-person").click();
      await p.getByTestId("slot-go").scrollIntoViewIfNeeded();
    },
  },
  ...[
    ["settings-limited", (p) => go(p, "settings")],
    ["keys-limited", (p) => go(p, "keys")],
    ["audit-limited", (p) => go(p, "audit")],
    ["trade-limited", fillTicket],
  ].map(([name, act]) => ({ name, fake: "plain", query: "&roles=viewer", wait: "order-row", act })),
  {
    name: "settings-machine",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "settings");
      await p.getByTestId("add-service").click();
      await p.getByTestId("slot-keeper").selectOption("transit");
      await p.getByTestId("slot-label").fill("gateway");
      await p.getByTestId("slot-go").scrollIntoViewIfNeeded();
    },
  },
  { name: "settings", fake: "plain", wait: "order-row", act: (p) => go(p, "settings") },
  {
    name: "settings-sessions",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "settings");
      await p.getByTestId("session-row").last().scrollIntoViewIfNeeded();
    },
  },
  {
    name: "trade-reduce",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await p.getByTestId("side-sell").click();
      await fillTicket(p);
      await p.getByTestId("reduce-only").check();
    },
  },
  {
    name: "settings-rules",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "settings");
      await p.getByTestId("rules").locator("summary").click();
    },
  },
  {
    name: "settings-policy",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "settings");
      await p.getByTestId("policy-edit").click();
    },
  },
  ...["settings-diff", "settings-modes"].map((name) => ({
    name,
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "settings");
      await p.getByTestId("policy-edit").click();
      await p.getByTestId("policy-notional").fill("25000");
      await p.getByTestId("policy-self-trade").check();
      await p.getByTestId("policy-mode-price-collar").selectOption("ask");
      await p.getByTestId("policy-restricted").fill("ETHUSDT");
      await p.getByTestId("policy-high").fill("200000");
      await p.getByTestId("policy-idleMinutes").fill("5");
      if (name === "settings-modes") await p.getByTestId("policy-mode-drawdown").scrollIntoViewIfNeeded();
      else await p.getByTestId("policy-problem").scrollIntoViewIfNeeded();
    },
  })),
  {
    name: "settings-history",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "settings");
      await p.getByTestId("policy-history-open").click();
      await p.getByTestId("policy-history-further").waitFor();
    },
  },
  {
    name: "settings-limits-of",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "settings");
      await p.getByTestId("policy-edit").click();
      await p.getByTestId("threshold-add").click();
      await p.getByTestId("exposure-add").click();
      await p.getByTestId("exposure-add").scrollIntoViewIfNeeded();
    },
  },
  {
    name: "prompt",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await go(p, "keys");
      await p.getByTestId("rotate").first().click();
    },
  },
  {
    name: "palette",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await p.keyboard.press("Control+k");
      await p.getByTestId("palette-input").waitFor();
    },
  },
  {
    name: "palette-order",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await p.keyboard.press("Control+k");
      await p.getByTestId("palette-input").fill("buy 0.3 btc @60120 post");
      await p.getByTestId("tick").waitFor();
    },
  },
  {
    name: "palette-why",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await p.keyboard.press("Control+k");
      await p.getByTestId("palette-input").fill("buy 0.3 btc @60120 post");
      await p.getByTestId("tick").check();
      await p.getByTestId("order-why").fill("month end");
    },
  },
  {
    name: "kill",
    fake: "plain",
    wait: "order-row",
    act: async (p) => {
      await p.getByTestId("kill-open").click();
      await p.getByTestId("kill-hold").waitFor();
    },
  },
  sheet(
    "kill-holding",
    async (p) => {
      await p.getByTestId("kill-hold").hover();
      await p.mouse.down();
      await p.waitForTimeout(500);
    },
    0,
  ),
  sheet(
    "kill-fired",
    async (p) => {
      await p.getByTestId("kill-word").fill("stop");
      await p.getByTestId("rearm").waitFor();
    },
    1500,
  ),
  sheet("kill-seal-wished", async (p) => {
    await p.getByTestId("kill-seal-wish").check();
  }),
  sheet(
    "kill-seal-waits",
    async (p) => {
      await p.getByTestId("kill-seal-wish").check();
      await p.getByTestId("kill-word").fill("stop");
      await p.getByTestId("kill-left-order").first().waitFor();
    },
    50,
  ),
  sheet(
    "kill-seal-told",
    async (p) => {
      await p.getByTestId("kill-word").fill("stop");
      await p.getByTestId("rearm").waitFor();
      await p.getByTestId("kill-seal-go").click();
    },
    50,
  ),
  sheet(
    "kill-sealed",
    async (p) => {
      await p.getByTestId("kill-seal-wish").check();
      await p.getByTestId("kill-word").fill("stop");
      await p.getByTestId("lock-sealed").waitFor();
    },
    100,
  ),
  sheet("kill-bot", async (p) => {
    await p.getByTestId("kill-far-bot").click();
    await p.getByTestId("kill-bot").fill("Grid");
  }),
  sheet("kill-key", async (p) => {
    await p.getByTestId("kill-far-key").click();
    await p.getByTestId("kill-key").selectOption("1");
  }),
  sheet(
    "kill-key-fired",
    async (p) => {
      await p.getByTestId("kill-far-key").click();
      await p.getByTestId("kill-key").selectOption("1");
      await p.getByTestId("kill-word").fill("stop");
      await p.getByTestId("kill-left-order").first().waitFor();
    },
    100,
  ),
  sheet("kill-drill", async (p) => {
    await p.getByTestId("drill-open").click();
  }),
  sheet("kill-drilled", async (p) => {
    await p.getByTestId("drill-open").click();
    await p.getByTestId("drill-go").click();
    await p.getByTestId("drill-refused").waitFor();
    await p.getByTestId("rearm").waitFor();
  }),
  { name: "killed", fake: "killed", wait: "killed-strip" },
  { name: "idle", fake: "idle", wait: "idle-warning" },
  { name: "shortcuts", fake: "plain", wait: "order-row", act: async (p) => p.keyboard.press("?") },
];

async function go(page, view) {
  await page.getByTestId(`nav-${view}`).click();
  await page.getByTestId(view).waitFor();
}
async function fillTicket(page) {
  await page.getByTestId("take-touch").click();
  await page.getByTestId("size").fill("0.05");
  await page.getByTestId("notional").getByText("USDT").waitFor();
}

async function reach(page, scene) {
  await page.getByTestId(scene.wait).first().waitFor();
  await page.waitForTimeout(300);
  await scene.act?.(page);
  await page.waitForTimeout(scene.pause ?? 400);
}

/** Calls `look(page, scene, theme)` for every scene and theme; names can be narrowed by words on the command line. */
export async function onEveryScene(look, { only = [], themes = ["dark", "light"], bypassPolicy = false } = {}) {
  const { server, address } = await serve();
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  const faults = [];
  try {
    for (const theme of themes)
      for (const scene of SCENES) {
        if (only.length > 0 && !only.includes(scene.name)) continue;
        const context = await browser.newContext({ viewport: scene.size ?? { width: 1440, height: 900 }, bypassCSP: bypassPolicy });
        const page = await context.newPage();
        if (SECURITY.freezePrototype && !bypassPolicy) await page.addInitScript(() => Object.freeze(Object.prototype));
        page.on("console", (message) => message.type() === "error" && faults.push(`${scene.name} ${theme}: ${message.text()}`));
        page.on("pageerror", (error) => faults.push(`${scene.name} ${theme}: ${error.message}`));
        await page.goto(`${address}?fake=${scene.fake}&theme=${theme}&still${scene.query ?? ""}`);
        page.setDefaultTimeout(10_000);
        try {
          await reach(page, scene);
        } catch (error) {
          faults.push(`${scene.name} ${theme}: ${error.message.split("\n")[0]}`);
        }
        await look(page, scene, theme);
        await context.close();
      }
  } finally {
    await browser.close();
    server.close();
  }
  return faults;
}
