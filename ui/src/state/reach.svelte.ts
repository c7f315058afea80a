// How far the kill switch is to reach. Invariant: everything, unless a person chose less in the open sheet.
import type { KeyView, KillScope, SlotInfo } from "../bindings/contract";
import { BOT_TAG_RULE, isBotTag, slotName } from "../lib/owners";

export type Far = "everything" | "venue" | "account" | "key" | "bot" | "person";
export const FARS: readonly (readonly [Far, string])[] = [
  ["everything", "Everything"],
  ["venue", "A venue"],
  ["account", "An account"],
  ["key", "A key"],
  ["bot", "A bot"],
  ["person", "A person"],
];

export class Reach {
  far: Far = $state("everything");
  account = $state("");
  key: number | null = $state(null);
  bot = $state("");
  person: number | null = $state(null);

  /** What would be stopped, or why it cannot be said yet. */
  readonly aim: { scope: KillScope } | { problem: string } = $derived.by(() => {
    switch (this.far) {
      case "everything":
        return { scope: "everything" };
      case "venue":
        return { scope: { venue: "binance" } };
      case "account":
        return this.account === "" ? { problem: "Choose the account." } : { scope: { account: this.account } };
      case "key":
        return this.key === null ? { problem: "Choose the key." } : { scope: { credential: this.key } };
      case "bot": {
        const bot = this.bot.trim();
        return isBotTag(bot) ? { scope: { bot } } : { problem: BOT_TAG_RULE };
      }
      case "person":
        return this.person === null ? { problem: "Choose the person." } : { scope: { person: this.person } };
    }
  });

  reset(): void {
    this.far = "everything";
    this.account = this.bot = "";
    this.key = this.person = null;
  }
}

/** A scope as the desk's words begin with it: "bot grid: from the window". */
export function scopeName(scope: KillScope): string {
  if (scope === "everything") return scope;
  if ("venue" in scope) return `venue ${scope.venue}`;
  if ("account" in scope) return `account ${scope.account}`;
  if ("credential" in scope) return `key ${scope.credential}`;
  return "bot" in scope ? `bot ${scope.bot}` : `slot ${scope.person}`;
}

/** The same for people, who know keys and slots by their labels. */
export function reachWords(scope: KillScope, keys: readonly KeyView[], slots: readonly SlotInfo[]): string {
  if (scope === "everything") return "everything";
  if ("venue" in scope) return "Binance";
  if ("credential" in scope) return `key ${keys.find(({ key }) => key.id === scope.credential)?.key.label ?? scope.credential}`;
  const slot = "person" in scope ? slots.find(({ id }) => id === scope.person) : undefined;
  return slot ? slotName(slot) : scopeName(scope);
}
