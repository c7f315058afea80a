// Stories of the open desk, with keyboard and mouse.
import { describe, expect, it } from "vitest";
import type { DoorAction, Order } from "../src/bindings/contract";
import { fixed } from "../src/lib/decimal";
import { all, calls, find, get, gone, openDesk, until } from "./world";

const type = async (world: Awaited<ReturnType<typeof openDesk>>, id: string, text: string) => {
  await world.user.clear(get(id));
  await world.user.type(get(id), text);
};

describe("an order", () => {
  it("goes from ladder to ticket to blotter and is cancelled", async () => {
    const world = await openDesk({ scenario: "empty" });
    const row = all("level-buy")[2]!;
    await world.user.click(row);
    await type(world, "size", "0.05");
    await until(() => expect(get("submit").getAttribute("aria-disabled")).toBe("false"));
    expect(get("submit").textContent).toContain("Buy 0.05 BTC at");
    await world.user.click(get("submit"));
    await find("order-row");
    expect(calls(world, "place")).toEqual(
      [
        {
          order: {
            symbol: "BTCUSDT",
            side: "buy",
            spec: { limit: { price: fixed(row.dataset.price!, 2), quantity: "0.05000", tif: "GTC" } },
            reduce_only: false,
          } satisfies Order,
        },
      ].map(({ order }) => ({ order })),
    );
    await until(() => expect(all("own-mark")).toHaveLength(1));
    await world.user.click(get("cancel"));
    await gone("order-row");
    await world.user.click(get("tab-history"));
    expect((await find("order-row")).dataset.fate).toBe("canceled");
  });

  it("waits for a tick, and for a reason in the person's own words, when a check asks", async () => {
    const world = await openDesk({ scenario: "empty" });
    await world.user.click(get("take-touch"));
    await world.user.click(get("size-50"));
    await find("tick");
    expect(get("submit").getAttribute("aria-disabled")).toBe("true");
    await world.user.click(get("submit"));
    expect(calls(world, "place")).toEqual([]);
    expect(all("order-why")).toEqual([]);
    await world.user.click(get("tick"));
    expect(((await find("order-why")) as HTMLInputElement).value).toBe("");
    expect(get("submit-why").textContent).toContain("Write why first");
    await world.user.click(get("submit"));
    expect(calls(world, "place")).toEqual([]);
    await world.user.type(get("order-why"), "basis");
    expect((get("order-why") as HTMLInputElement).value, "letters of the ticket's keys").toBe("basis");
    expect(get("side-buy").getAttribute("aria-checked")).toBe("true");
    await until(() => expect(get("submit").getAttribute("aria-disabled")).toBe("false"));
    await world.user.click(get("submit"));
    await until(() => expect(calls(world, "place")).toMatchObject([{ reason: "Balance: basis" }]));
  });

  it("is refused beside the button, with the reason", async () => {
    const world = await openDesk({ scenario: "empty" });
    await type(world, "price", "70000");
    await type(world, "size", "0.05");
    await until(() => expect(get("submit-why").textContent).toContain("2\u00a0%"));
    expect(get("submit").getAttribute("aria-disabled")).toBe("true");
  });

  it("that the venue has no room for says when to try again", async () => {
    const world = await openDesk({ scenario: "rate" });
    await world.user.click(get("take-touch"));
    await type(world, "size", "0.05");
    await until(() => expect(get("submit").getAttribute("aria-disabled")).toBe("false"));
    await world.user.click(get("submit"));
    expect((await find("toast")).textContent).toContain("Try again in 4 s");
  });

  it("without an answer is amber, first, and counts its seconds", async () => {
    await openDesk({ scenario: "ambiguous" });
    await until(() => expect(all("order-row")[0]?.dataset.fate).toBe("ambiguous"));
    expect(all("order-state")[0]?.textContent).toMatch(/No answer \d+\.\d\u00a0s, checking/);
  });
});

describe("the keyboard alone", () => {
  it("moves in the ladder, takes a price, cancels an own order", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.selectOptions(get("ladder-step"), "5");
    await until(() => expect(all("own-mark").length).toBeGreaterThan(0));
    get("ladder").focus();
    await world.user.keyboard("{ArrowDown}{ArrowDown}{Enter}");
    const bids = all("level-buy");
    expect((get("price") as HTMLInputElement).value.replace(/\u00a0/g, "")).toBe(fixed(bids[2]!.dataset.price!, 2));
    const own = bids.findIndex((row) => row.querySelector('[data-testid="own-mark"]'));
    expect(own).toBeGreaterThan(0);
    await world.user.keyboard(" " + "{ArrowDown}".repeat(own) + "{Delete}");
    await until(() => expect(calls(world, "cancel")).toHaveLength(1));
  });

  it("steps prices, sizes by Alt, sides by letter", async () => {
    const world = await openDesk({ scenario: "empty" });
    get("price").focus();
    await world.user.keyboard("60120.09{ArrowUp}");
    expect((get("price") as HTMLInputElement).value).toBe("60120.10");
    await world.user.keyboard("{Shift>}{ArrowDown}{/Shift}");
    expect((get("price") as HTMLInputElement).value).toBe("60120.00");
    await world.user.keyboard("s");
    expect(get("side-sell").getAttribute("aria-checked")).toBe("true");
    await world.user.keyboard("{Alt>}[Digit2]{/Alt}");
    await until(() => expect(calls(world, "size")).toMatchObject([{ side: "sell", percent: 25 }]));
  });

  it("ticks what asks, writes why, and sends", async () => {
    const world = await openDesk({ scenario: "empty" });
    get("price").focus();
    await world.user.keyboard("60000{Alt>}[Digit3]{/Alt}");
    const tick = await find("tick");
    for (let i = 0; i < 20 && document.activeElement !== tick; i++) await world.user.tab();
    expect(document.activeElement).toBe(tick);
    await world.user.keyboard(" ");
    await find("order-why");
    await world.user.tab();
    expect(document.activeElement, "one step from the tick").toBe(get("order-why"));
    await world.user.keyboard("{Control>}{Enter}{/Control}");
    expect(calls(world, "place")).toEqual([]);
    await world.user.keyboard("short ? basis");
    expect(all("shortcuts")).toEqual([]);
    await world.user.keyboard("{Control>}{Enter}{/Control}");
    await until(() => expect(calls(world, "place")).toMatchObject([{ order: { side: "buy" }, reason: "Balance: short ? basis" }]));
  });

  it("reaches every screen, the list of keys and the panels", async () => {
    const world = await openDesk({ scenario: "plain" });
    for (const [digit, view] of [
      ["2", "lines"],
      ["3", "keys"],
      ["4", "audit"],
      ["5", "settings"],
      ["1", "trade"],
    ] as const) {
      await world.user.keyboard(`{Control>}[Digit${digit}]{/Control}`);
      await find(view);
    }
    await find("ticket");
    await world.user.keyboard("{F6}");
    const first = document.activeElement?.closest("[data-panel]");
    await world.user.keyboard("{F6}");
    expect(first).not.toBeNull();
    expect(document.activeElement?.closest("[data-panel]")).not.toBe(first);
    (document.activeElement as HTMLElement).blur();
    await world.user.keyboard("?");
    await find("shortcuts");
    await world.user.keyboard("{Escape}");
    await gone("shortcuts");
  });

  it("goes round the screens with Ctrl Tab, and back, but not under a dialog", async () => {
    const world = await openDesk({ scenario: "plain" });
    for (const view of ["lines", "keys", "audit", "settings", "trade"]) {
      await world.user.keyboard("{Control>}{Tab}{/Control}");
      await find(view);
    }
    for (const view of ["settings", "audit"]) {
      await world.user.keyboard("{Control>}{Shift>}{Tab}{/Shift}{/Control}");
      await find(view);
    }
    await world.user.keyboard("{Control>}k{/Control}");
    await find("palette");
    await world.user.keyboard("{Control>}{Tab}{/Control}");
    get("audit");
  });

  it("moves by arrows among tabs and within a group, which is one stop for Tab", async () => {
    const world = await openDesk({ scenario: "plain" });
    get("tab-open").focus();
    await world.user.keyboard("{ArrowRight}");
    expect(get("tab-history").getAttribute("aria-selected")).toBe("true");
    expect(document.activeElement).toBe(get("tab-history"));
    await world.user.keyboard("{ArrowLeft}{ArrowLeft}");
    expect(document.activeElement).toBe(get("tab-balances"));
    expect(["open", "history", "fills", "balances"].map((name) => get(`tab-${name}`).tabIndex)).toEqual([-1, -1, -1, 0]);
    get("side-buy").focus();
    await world.user.keyboard("{ArrowRight}");
    expect(get("side-sell").getAttribute("aria-checked")).toBe("true");
    expect(document.activeElement).toBe(get("side-sell"));
    expect([get("side-buy").tabIndex, get("side-sell").tabIndex]).toEqual([-1, 0]);
    get("interval-1m").focus();
    await world.user.click(get("interval-1h"));
    expect(get("interval-1h").getAttribute("aria-checked")).toBe("true");
  });

  it("locks with Ctrl L from inside a dialog", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.keyboard("{Control>}k{/Control}");
    await find("palette");
    await world.user.keyboard("{Control>}l{/Control}");
    await find("lock-screen");
    await gone("palette");
  });

  it("a dialog keeps the focus and gives it back", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.keyboard("{Control>}3{/Control}");
    const opener = await find("import-key");
    await world.user.click(opener);
    const dialog = await find("import-dialog");
    for (let i = 0; i < 12; i++) {
      await world.user.tab();
      expect(dialog.contains(document.activeElement)).toBe(true);
    }
    await world.user.keyboard("{Escape}");
    await gone("import-dialog");
    expect(document.activeElement).toBe(opener);
  });
});

describe("the palette", () => {
  it("reads an order back and sends it only when told to", async () => {
    const world = await openDesk({ scenario: "empty" });
    await world.user.keyboard("{Control>}k{/Control}");
    await world.user.type(await find("palette-input"), "buy 0.05 btc @60000 post");
    expect((await find("preview-words")).textContent).toContain("Buy 0.05 BTC at 60\u00a0000.00");
    await until(() => expect(get("preview-why").textContent).toBe("Nothing is sent yet"));
    expect(calls(world, "place")).toEqual([]);
    await world.user.keyboard("{Control>}{Enter}{/Control}");
    await until(() => expect(calls(world, "place")).toHaveLength(1));
    await gone("palette");
    await find("order-row");
  });

  it("asks why, too, before an order goes past what asks", async () => {
    const world = await openDesk({ scenario: "empty" });
    await world.user.keyboard("{Control>}k{/Control}");
    await world.user.type(await find("palette-input"), "buy 0.5 btc @60000 post");
    await world.user.click(await find("tick"));
    await until(() => expect(get("preview-why").textContent).toContain("Write why first"));
    await world.user.click(get("preview-send"));
    expect(calls(world, "place")).toEqual([]);
    await world.user.type(get("order-why"), "month end{Control>}{Enter}{/Control}");
    await until(() => expect(calls(world, "place")).toMatchObject([{ reason: "Balance: month end" }]));
  });

  it("Enter puts it into the ticket instead", async () => {
    const world = await openDesk({ scenario: "empty" });
    await world.user.keyboard("{Control>}k{/Control}");
    await world.user.type(await find("palette-input"), "sell 0.1 btc @61000");
    await world.user.keyboard("{Enter}");
    await gone("palette");
    expect(get("side-sell").getAttribute("aria-checked")).toBe("true");
    expect((get("size") as HTMLInputElement).value).toBe("0.10000");
    expect(calls(world, "place")).toEqual([]);
  });

  it("finds and runs a command", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.keyboard("{Control>}k{/Control}");
    await world.user.type(await find("palette-input"), "audit");
    await world.user.keyboard("{Enter}");
    await find("audit");
    await gone("palette");
  });
});

describe("the kill sheet", () => {
  it("typed: cancels everything, counts to zero, re-arms by prompt", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("kill-open"));
    await world.user.type(await find("kill-word"), "STOP");
    await until(() => expect(get("kill-frozen").textContent).toContain("0.41"));
    await until(() => expect(get("kill-left").dataset.left).toBe("0"));
    expect(world.backend.book.live()).toEqual([]);
    await world.user.click(get("rearm"));
    await find("prompt-cover");
    await world.user.keyboard("{Escape}");
    await gone("prompt-cover");
    get("kill-sheet"); // Esc is for the dialog on top only
    await world.user.click(get("rearm"));
    await find("prompt-cover");
    world.backend.answerPrompt({ action: "rearm" });
    await gone("kill-sheet");
    await gone("killed-strip");
  });

  it("opens when the app says that it fired", async () => {
    const world = await openDesk({ scenario: "plain" });
    world.backend.pushes?.({ push: "killed", engaged: true, words: "Held F12." });
    expect((await find("kill-words")).textContent).toContain("Held F12.");
  });
});

describe("what goes wrong", () => {
  it("prices that are not current stop orders and say since when", async () => {
    const world = await openDesk({ scenario: "venue-down" });
    await find("stale-strip");
    await type(world, "price", "60000");
    await type(world, "size", "0.05");
    await until(() => expect(get("submit-why").textContent).toContain("not current"));
    expect(get("stream-state").dataset.state).toBe("stale");
  });

  it("a lost link is shown on every screen and announced", async () => {
    const world = await openDesk({ scenario: "plain" });
    world.backend.pushes?.({ push: "link", up: false, words: "The desk does not answer." });
    await find("link-down");
    await until(() => expect(get("stream-state").dataset.state).toBe("down"));
    const announced = all("toast")[0]!;
    expect(announced.closest("[aria-live]")?.getAttribute("aria-live")).toBe("assertive");
    world.backend.pushes?.({ push: "link", up: true, words: "The desk answers again." });
    await gone("link-down");
  });

  it("a changed key is compared in place and pinned through the prompt only", async () => {
    const world = await openDesk({ scenario: "pin-changed" });
    await find("pin-strip");
    await world.user.keyboard("{Control>}2{/Control}");
    expect((await find("pin-shown")).textContent).toContain("51e8b0c4");
    await world.user.click(get("pin-accept"));
    await until(() => expect(calls(world, "act").at(-1)).toMatchObject({ action: { action: "accept_pin" } }));
    get("pin-choice");
    world.backend.answerPrompt((calls(world, "act").at(-1) as { action: DoorAction }).action);
    await gone("pin-choice");
  });

  it("a desk that does not answer leaves nothing that looks known", async () => {
    await openDesk({ scenario: "broken" });
    await find("orders-trouble");
    await find("orders-unknown");
    await until(() => expect(get("mode").dataset.mode).toBe("unknown"));
  });

  it("idle: warns, and a press that the app heard ends the warning", async () => {
    const world = await openDesk({ scenario: "idle" });
    await find("idle-warning");
    await world.user.click(get("stay"));
    get("idle-warning");
    world.backend.present();
    await world.user.click(get("stay"));
    await gone("idle-warning");
  });
});

it("a vault without a key says so on every screen, and offers the practice key", async () => {
  const world = await openDesk({ scenario: "empty" });
  await world.user.click(await find("strip-practice-key"));
  expect(calls(world, "act").at(-1)).toEqual({ action: { action: "import", label: "practice", venue: "binance" }, source: "practice" });
});

it("a dropped file is imported by name only, unread by the page", async () => {
  const world = await openDesk({ scenario: "plain" });
  await world.user.click(get("nav-keys"));
  await find("import-key");
  expect(all("import-file"), "nothing was dropped").toHaveLength(0);
  world.backend.pushes?.({ push: "open", what: "import" });
  await find("import-dialog");
  await world.user.keyboard("{Escape}");
  await world.user.click(await find("import-file"));
  await world.user.type(await find("import-label"), "bot");
  await world.user.click(get("import-go"));
  await until(() => expect(calls(world, "act")).toMatchObject([{ action: { action: "import", label: "bot" }, source: "dropped" }]));
  expect(all("import-file"), "a file is handed on once").toHaveLength(0);
});

it("a key file that the app took opens the import with it chosen", async () => {
  const world = await openDesk({ scenario: "plain" });
  world.backend.pushes?.({ push: "open", what: "import" });
  await find("import-dialog");
  expect((get("import-dropped") as HTMLInputElement).checked).toBe(true);
});

it("an order's notice is replaced by what became of it", async () => {
  const world = await openDesk({ scenario: "empty" });
  await type(world, "price", "60130");
  await type(world, "size", "0.01");
  await until(() => expect(get("submit").getAttribute("aria-disabled")).toBe("false"));
  await world.user.click(get("submit"));
  await until(() =>
    expect(all("toast").map((toast) => toast.textContent)).toEqual([expect.stringMatching(/^\s*Bought 0\.01\u00a0BTC at /)]),
  );
});

it("a prompt that is closed is told calmly", async () => {
  const world = await openDesk({ scenario: "plain" });
  await world.user.click(get("nav-keys"));
  await until(() => expect(all("rotate").length).toBeGreaterThan(0));
  await world.user.click(all("rotate")[0]!);
  await world.user.click(await find("take-go"));
  await world.user.click(await find("prompt-cancel"));
  expect((await find("toast")).dataset.tone).toBe("plain");
});

it("a key made in the vault shows its public half, is named, and takes over", async () => {
  const world = await openDesk({ scenario: "plain", prompt_ms: 1 });
  await world.user.click(get("nav-keys"));
  await until(() => expect(all("rotate").length).toBeGreaterThan(0));
  await world.user.click(all("rotate")[0]!);
  await find("new-key-dialog");
  await type(world, "new-key-why", "orders that are not mine");
  await world.user.click(get("make-go"));
  const waiting = await find("rotation-step");
  expect(waiting.dataset.step).toBe("name");
  expect(world.backend.calls).toContainEqual(["suspect", { id: 1, why: "orders that are not mine" }]);
  expect((await find("public-key")).textContent).toContain("BEGIN PUBLIC KEY");
  expect(get("name-go").getAttribute("aria-disabled")).toBe("true");
  await type(world, "venue-name", "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A");
  await world.user.click(get("name-go"));
  await until(() => expect(all("rotation-step")).toEqual([]));
});

it("a replaced key is checked until its venue refuses it", async () => {
  const world = await openDesk({ scenario: "plain", prompt_ms: 1 });
  await world.user.click(get("nav-keys"));
  await until(() => expect(all("rotate").length).toBeGreaterThan(0));
  await world.user.click(all("rotate")[0]!);
  await world.user.click(await find("take-go"));
  const waiting = await find("rotation-step");
  expect(waiting.dataset.step).toBe("revoke");
  expect(waiting.textContent).toContain("API Management");
  await world.user.click(get("go-on"));
  await until(() => expect(all("rotation-step")).toEqual([]));
  expect(world.backend.calls.some(([name]) => name === "go_on")).toBe(true);
});

it("ways into the vault are added and closed by the prompt", async () => {
  const world = await openDesk({ scenario: "plain", prompt_ms: 1 });
  await world.user.click(get("nav-settings"));
  await until(() => expect(all("slot-row").length).toBe(2));
  await world.user.click(get("add-auditor"));
  // As many letters as there may be, and more bytes than the vault takes.
  await type(world, "slot-label", "ü".repeat(33));
  expect(get("slot-label-long").textContent).toContain("64 bytes");
  expect(get("slot-go").getAttribute("aria-disabled")).toBe("true");
  await world.user.click(get("slot-go"));
  expect(all("slot-row").length).toBe(2);
  await world.user.clear(get("slot-label"));
  await type(world, "slot-label", "audit");
  expect(all("slot-label-long")).toEqual([]);
  await world.user.click(get("slot-go"));
  await until(() => expect(all("slot-row").length).toBe(3));
  await world.user.click(all("slot-remove")[0]!);
  await until(() => expect(all("slot-row").length).toBe(2));
  await world.user.click(get("change-password"));
  await until(() => expect(all("toast").at(-1)?.dataset.tone).toBe("ok"));
});

it("a machine gets a way of its own, and the keys that are marked for it", async () => {
  const world = await openDesk({ scenario: "plain", prompt_ms: 1 });
  await world.user.click(get("nav-settings"));
  await until(() => expect(all("slot-row").length).toBe(2));
  await world.user.click(get("add-service"));
  await type(world, "slot-label", "gateway");
  await world.user.selectOptions(get("slot-keeper"), "transit");
  await type(world, "slot-address", "https://vault.example:8200");
  expect(get("slot-go").getAttribute("aria-disabled")).toBe("true");
  await type(world, "slot-ca", "/etc/vault/ca.pem");
  await world.user.click(get("slot-go"));
  await until(() => expect(all("slot-row").at(-1)?.textContent).toContain("service"));
  expect(world.backend.calls.findLast(([name]) => name === "act")?.[1]).toMatchObject({
    action: {
      kind: {
        shared: {
          keeper: { transit: { address: "https://vault.example:8200", mount: "transit", key: "strongroom" } },
          machine: "keychain",
        },
      },
    },
  });
  await world.user.click(get("add-service"));
  await type(world, "slot-label", "rack 7");
  await world.user.selectOptions(get("slot-own"), "tpm");
  await type(world, "slot-module", "/usr/lib/softhsm/libsofthsm2.so");
  await type(world, "slot-token", "rack");
  await world.user.clear(get("slot-tcti"));
  expect(get("slot-go").getAttribute("aria-disabled")).toBe("true");
  await type(world, "slot-tcti", "device:/dev/tpmrm1");
  await world.user.click(get("slot-go"));
  await until(() => expect(all("slot-row").at(-1)?.textContent).toContain("service with TPM"));
  expect(world.backend.calls.findLast(([name]) => name === "act")?.[1]).toMatchObject({
    action: { kind: { shared: { keeper: { token: { token: "rack" } }, machine: { tpm: { tcti: "device:/dev/tpmrm1" } } } } },
  });
  await world.user.click(get("nav-keys"));
  await until(() => expect(all("edit-key").length).toBeGreaterThan(0));
  await world.user.click(all("edit-key")[0]!);
  await world.user.click(await find("for-machines"));
  await world.user.click(get("edit-go"));
  await until(() => expect(all("key-row")[0]!.textContent).toContain("for machines too"));
});

it("a key is exported for an age recipient only", async () => {
  const world = await openDesk({ scenario: "plain", prompt_ms: 1 });
  await world.user.click(get("nav-keys"));
  await until(() => expect(all("export").length).toBeGreaterThan(0));
  await world.user.click(all("export")[0]!);
  await type(world, "recipient", "age1");
  expect(get("export-go").getAttribute("aria-disabled")).toBe("true");
  await type(world, "recipient", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p");
  expect(get("export-go").getAttribute("aria-disabled")).toBe("false");
  await world.user.click(get("export-go"));
  await until(() => expect(all("export-dialog")).toEqual([]));
});

it("Ctrl F goes to the filter of the screen", async () => {
  const world = await openDesk({ scenario: "plain" });
  await world.user.click(get("nav-audit"));
  await find("audit-filter");
  await world.user.keyboard("{Control>}f{/Control}");
  expect(document.activeElement).toBe(get("audit-filter"));
});
