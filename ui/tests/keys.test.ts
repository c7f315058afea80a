// Rows for the keyboard map.
import { describe, expect, it } from "vitest";
import { BINDINGS, actionOf, chordOf } from "../src/lib/keys";

type Parts = Partial<{ ctrlKey: boolean; shiftKey: boolean; altKey: boolean; metaKey: boolean; code: string; target: EventTarget }>;
const press = (key: string, parts: Parts = {}) => ({
  key,
  code: "",
  ctrlKey: false,
  shiftKey: false,
  altKey: false,
  metaKey: false,
  ...parts,
});

describe("chords", () => {
  it.each([
    [press("k", { ctrlKey: true }), "Ctrl+K"],
    [press("k", { metaKey: true }), "Ctrl+K"],
    [press("D", { ctrlKey: true, shiftKey: true }), "Ctrl+Shift+D"],
    [press("&", { ctrlKey: true, code: "Digit1" }), "Ctrl+1"],
    [press("F6", { shiftKey: true }), "Shift+F6"],
    [press("?", { shiftKey: true }), "?"],
  ])("%#", (event, wanted) => expect(chordOf(event)).toBe(wanted));
});

describe("actions", () => {
  const field = document.createElement("input");
  it.each([
    [press("k", { ctrlKey: true }), "palette"],
    [press("l", { ctrlKey: true }), "lock"],
    [press("F12"), "kill-hold"],
    [press("Backspace", { ctrlKey: true, shiftKey: true }), "kill-hold"],
    [press("3", { ctrlKey: true, code: "Digit3" }), "view-3"],
    [press("Tab", { ctrlKey: true }), "view-next"],
    [press("Tab", { ctrlKey: true, shiftKey: true }), "view-previous"],
    [press("Unidentified", { ctrlKey: true, shiftKey: true, code: "Tab" }), "view-previous"],
    [press("Tab"), null],
    [press(".", { ctrlKey: true }), "pause"],
    [press("Delete", { ctrlKey: true, shiftKey: true }), "cancel-all"],
    [press("Backspace", { ctrlKey: true }), "cancel-last"],
    [press("?", { shiftKey: true }), "shortcuts"],
    [press("k"), null],
    [press("a"), null],
    [press("?", { shiftKey: true, target: field }), null],
    [press("Backspace", { ctrlKey: true, target: field }), null],
    [press("Backspace", { ctrlKey: true, shiftKey: true, target: field }), "kill-hold"],
  ])("%#", (event, wanted) => expect(actionOf(event, true)).toBe(wanted));
  it("single keys can be turned off", () => expect(actionOf(press("?"), false)).toBeNull());
  it("no chord means two things", () => expect(new Set(BINDINGS.map((b) => b.chord)).size).toBe(BINDINGS.length));
  it("no letter or digit stands alone", () => expect(BINDINGS.filter((b) => /^[a-z0-9]$/i.test(b.chord))).toEqual([]));
});
