// The keyboard map: which chord does what. Invariants: no bare letter outside a focused panel; a chord means one thing per place.
export type Chord = string; // "Ctrl+Shift+D", "F6", "?"
export type Action =
  | "palette"
  | "lock"
  | "kill-hold"
  | "view-1"
  | "view-2"
  | "view-3"
  | "view-4"
  | "view-5"
  | "view-next"
  | "view-previous"
  | "panel-next"
  | "panel-previous"
  | "cancel-last"
  | "cancel-all"
  | "pause"
  | "filter"
  | "shortcuts"
  | "density"
  | "settings"
  | "submit";

export type Binding = { chord: Chord; action: Action; words: string; group: "Everywhere" | "Orders" };

export const BINDINGS: readonly Binding[] = [
  { chord: "Ctrl+K", action: "palette", words: "Find a command or type an order", group: "Everywhere" },
  { chord: "Ctrl+L", action: "lock", words: "Lock now", group: "Everywhere" },
  { chord: "F12", action: "kill-hold", words: "Kill switch, hold 1.2 s", group: "Everywhere" },
  { chord: "Ctrl+Shift+Backspace", action: "kill-hold", words: "Kill switch, hold 1.2 s", group: "Everywhere" },
  { chord: "Ctrl+1", action: "view-1", words: "Trade", group: "Everywhere" },
  { chord: "Ctrl+2", action: "view-2", words: "Lines and limits", group: "Everywhere" },
  { chord: "Ctrl+3", action: "view-3", words: "Keys", group: "Everywhere" },
  { chord: "Ctrl+4", action: "view-4", words: "Audit log", group: "Everywhere" },
  { chord: "Ctrl+5", action: "view-5", words: "Settings", group: "Everywhere" },
  { chord: "Ctrl+,", action: "settings", words: "Settings", group: "Everywhere" },
  { chord: "Ctrl+Tab", action: "view-next", words: "Next screen", group: "Everywhere" },
  { chord: "Ctrl+Shift+Tab", action: "view-previous", words: "Previous screen", group: "Everywhere" },
  { chord: "F6", action: "panel-next", words: "Next panel", group: "Everywhere" },
  { chord: "Shift+F6", action: "panel-previous", words: "Previous panel", group: "Everywhere" },
  { chord: "Ctrl+F", action: "filter", words: "Filter in this panel", group: "Everywhere" },
  { chord: "Ctrl+.", action: "pause", words: "Pause moving data", group: "Everywhere" },
  { chord: "Ctrl+Shift+D", action: "density", words: "Next density", group: "Everywhere" },
  { chord: "?", action: "shortcuts", words: "Keyboard shortcuts", group: "Everywhere" },
  { chord: "Ctrl+Enter", action: "submit", words: "Send the order in the ticket", group: "Orders" },
  { chord: "Ctrl+Backspace", action: "cancel-last", words: "Cancel the newest order", group: "Orders" },
  { chord: "Ctrl+Shift+Delete", action: "cancel-all", words: "Cancel all on this market", group: "Orders" },
];

/** Keys that only a focused panel knows; the sheet lists them, the panels act. */
export const PANEL_KEYS: readonly { chord: string; words: string; group: "Ticket" | "Ladder" }[] = [
  { chord: "B or S", words: "Buy, sell", group: "Ticket" },
  { chord: "↑ ↓", words: "One step of price or quantity", group: "Ticket" },
  { chord: "Shift+↑ ↓", words: "Ten steps", group: "Ticket" },
  { chord: "Alt+1 to 4", words: "10, 25, 50, 100 % of the balance", group: "Ticket" },
  { chord: "↑ ↓", words: "Move", group: "Ladder" },
  { chord: "Enter", words: "Price into the ticket", group: "Ladder" },
  { chord: "Delete", words: "Cancel the own order in this row", group: "Ladder" },
  { chord: "Space", words: "Back to the middle", group: "Ladder" },
];

type Press = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">;

export function chordOf(event: Press): Chord {
  const ctrl = event.ctrlKey || event.metaKey;
  const digit = /^Digit(\d)$/.exec(event.code ?? "")?.[1];
  let key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  if (ctrl && digit) key = digit; // layouts whose digits need Shift
  if (event.code === "Tab") key = "Tab"; // WebKitGTK gives it no name with Shift
  if (event.key === "?") return ctrl ? "Ctrl+?" : "?";
  return [ctrl ? "Ctrl" : "", event.altKey ? "Alt" : "", event.shiftKey ? "Shift" : "", key].filter(Boolean).join("+");
}

export const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName)) &&
  !(target instanceof HTMLInputElement && target.type === "checkbox");

/** What a key press means here; null when it is the page's own affair. */
export function actionOf(event: Press & { target?: EventTarget | null }, singleKeys: boolean): Action | null {
  const chord = chordOf(event);
  const found = BINDINGS.find((binding) => binding.chord === chord);
  if (!found) return null;
  if (chord.length === 1 && (!singleKeys || isTyping(event.target ?? null))) return null;
  // In a text field Ctrl+Backspace deletes a word.
  if (chord === "Ctrl+Backspace" && isTyping(event.target ?? null)) return null;
  return found.action;
}
