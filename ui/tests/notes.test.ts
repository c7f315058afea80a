// Rows and a story of what is noted of a key.
import { describe, expect, it } from "vitest";
import type { DoorAction } from "../src/bindings/contract";
import { isAddress } from "../src/lib/addresses";
import { keys } from "../src/lib/fake/scenes";
import { notesText, readNotes, scopeWords, type NotesText } from "../src/state/key-notes";
import { all, calls, find, get, openDesk, until } from "./world";

describe("addresses", () => {
  it.each(["203.0.113.7", "0.0.0.0", "255.255.255.255", "2001:db8::7", "::1", "::", "1:2:3:4:5:6:7:8", "::ffff:203.0.113.7", "1::8"])(
    "%s is one",
    (text) => expect(isAddress(text)).toBe(true),
  );
  it.each([
    "203.0.113",
    "203.0.113.256",
    "203.0.113.07",
    "203.0.113.0/24",
    "203.0.113.7:443",
    "localhost",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4::5:6:7:8",
    "1::2::3",
    "fe80::1%eth0",
    "12345::1",
    ":1::2",
    "",
  ])("%j is none", (text) => expect(isAddress(text)).toBe(false));
});

const key = keys(0)[0]!.key;
const read = (parts: Partial<NotesText>) => readNotes({ ...notesText(key), ...parts }, key, ["practice", "old-bot"]);

describe("notes", () => {
  it("nothing changed is nothing to send", () => expect(read({})).toEqual({ problem: "Nothing is changed yet." }));
  it("a label alone leaves the details", () =>
    expect(read({ label: " main " })).toEqual({ edit: { label: "main", api_key: null, details: null } }));
  it("details alone leave the label, and what is not asked for here", () =>
    expect(read({ addresses: "203.0.113.7, 2001:db8::7", services: true })).toEqual({
      edit: { label: null, api_key: null, details: { ...key.details, addresses: ["203.0.113.7", "2001:db8::7"], services: true } },
    }));
  it("a whole scope, over midnight", () =>
    expect(
      read({
        operations: ["read", "place"],
        instruments: "btcusdt,ethusdt",
        side: "sell",
        kinds: ["post_only", "limit"],
        notional: "500",
        from: "22:00",
        until: "6:30",
      }),
    ).toMatchObject({
      edit: {
        details: {
          scope: {
            operations: ["place", "read"],
            instruments: ["BTCUSDT", "ETHUSDT"],
            side: "sell",
            kinds: ["limit", "post_only"],
            notional_max: "500",
            hours: { from_minute: 1320, until_minute: 390 },
          },
        },
      },
    }));
  it("the day's end is 24:00", () =>
    expect(read({ from: "00:00", until: "24:00" })).toMatchObject({
      edit: { details: { scope: { hours: { from_minute: 0, until_minute: 1440 } } } },
    }));
  it.each<[Partial<NotesText>, string]>([
    [{ label: " " }, "label"],
    [{ label: "old-bot" }, "with this label"],
    [{ account: "é".repeat(33) }, "too long"],
    [{ addresses: "203.0.113.7 here" }, "here is not an address"],
    [{ addresses: Array.from({ length: 17 }, (_, i) => `203.0.113.${i}`).join(" ") }, "At most 16"],
    [{ days: "0" }, "1 to 3650"],
    [{ days: "3651" }, "1 to 3650"],
    [{ days: "1.5" }, "1 to 3650"],
    [{ kinds: [] }, "Tick a kind"],
    [{ notional: "0" }, "above zero"],
    [{ from: "08:00" }, "both of them"],
    [{ from: "08:00", until: "25:00" }, "like 08:00"],
    [{ from: "24:00", until: "08:00" }, "like 08:00"],
    [{ from: "08:00", until: "8:00" }, "different minutes"],
    [{ from: "08:75", until: "9:00" }, "like 08:00"],
  ])("%j is refused in words", (parts, words) => expect(read(parts)).toMatchObject({ problem: expect.stringContaining(words) }));
  it("what is not restricted has no words", () => expect(scopeWords(key.details.scope)).toBe(""));
});

describe("the dialog", () => {
  it("sends what changed through the prompt, and the table says that the key is held narrower", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("nav-keys"));
    await until(() => expect(all("edit-key").length).toBe(3));
    await world.user.click(all("edit-key")[0]!);
    await find("edit-key-dialog");
    await world.user.click(get("edit-go"));
    expect(calls(world, "act")).toEqual([]);
    await world.user.clear(get("edit-account"));
    await world.user.type(get("edit-account"), "desk 3");
    await world.user.type(get("edit-addresses"), "203.0.113");
    expect(get("edit-problem").textContent).toContain("203.0.113 is not an address");
    await world.user.type(get("edit-addresses"), ".7");
    await world.user.click(get("scope-side-buy"));
    await world.user.click(get("scope-kind-market"));
    await world.user.click(get("edit-go"));
    const { action } = calls(world, "act").at(-1) as { action: DoorAction };
    expect(action).toMatchObject({
      action: "edit_key",
      id: 1,
      edit: {
        label: null,
        api_key: null,
        details: { account: "desk 3", addresses: ["203.0.113.7"], rotate_days: 90, scope: { side: "buy", kinds: ["limit", "post_only"] } },
      },
    });
    expect(all("held-narrower")).toEqual([]);
    world.backend.answerPrompt(action);
    expect((await find("held-narrower")).title).toContain("only buys; only limit and post only orders");
  });
});
