// Limits of one actor or one place, as text and back. Invariant: each actor and each place has one limit at most.
import type { ExposureLimit, Threshold } from "../bindings/contract";
import { bytesOf } from "../lib/bytes";
import * as d from "../lib/decimal";
import { ACCOUNT_LEN_MAX, BOT_TAG_RULE, isBotTag } from "../lib/owners";

export const THRESHOLDS_MAX = 16;
export const EXPOSURES_MAX = 32;

/** `who`: the slot's number or the bot's tag. */
export type ThresholdText = { kind: "person" | "bot"; who: string; most: string };
/** `where`: the account; of a venue there is one only. */
export type ExposureText = { kind: "venue" | "account"; where: string; most: string };

export const thresholdsText = (thresholds: readonly Threshold[]): ThresholdText[] =>
  thresholds.map(({ of, day_notional_max: most }) =>
    "bot" in of ? { kind: "bot", who: of.bot, most } : { kind: "person", who: String(of.person), most },
  );
export const exposuresText = (exposures: readonly ExposureLimit[]): ExposureText[] =>
  exposures.map(({ of, max: most }) =>
    "venue" in of ? { kind: "venue", where: of.venue, most } : { kind: "account", where: of.account, most },
  );

export const positive = (text: string) => {
  const read = d.typed(text);
  return read !== null && d.isPositive(read) ? read : null;
};
/** Zero is a limit, too: nothing at all. */
export const most = (text: string) => {
  const read = d.typed(text);
  return read === null || read.startsWith("-") ? null : read;
};

export function readThresholds(rows: readonly ThresholdText[]): { thresholds: Threshold[] } | { problem: string } {
  if (rows.length > THRESHOLDS_MAX) return { problem: `At most ${THRESHOLDS_MAX} persons and bots can have a limit of their own.` };
  const seen = new Set<string>();
  const thresholds: Threshold[] = [];
  for (const { kind, who, most: typed } of rows) {
    const name = who.trim();
    if (kind === "bot" && !isBotTag(name)) return { problem: BOT_TAG_RULE };
    if (kind === "person" && !/^\d+$/.test(name)) return { problem: "Choose whose 24 hours have a limit of their own." };
    const words = kind === "bot" ? `Bot ${name}` : `Slot ${name}`;
    if (seen.has(words)) return { problem: `${words} has two limits. Keep one.` };
    seen.add(words);
    const day_notional_max = most(typed);
    if (day_notional_max === null) return { problem: `${words}: a number, zero or more.` };
    thresholds.push({ of: kind === "bot" ? { bot: name } : { person: Number(name) }, day_notional_max });
  }
  return { thresholds };
}

export function readExposures(rows: readonly ExposureText[]): { exposure_of: ExposureLimit[] } | { problem: string } {
  if (rows.length > EXPOSURES_MAX) return { problem: `At most ${EXPOSURES_MAX} venues and accounts can have a limit of their own.` };
  const seen = new Set<string>();
  const exposure_of: ExposureLimit[] = [];
  for (const { kind, where, most: typed } of rows) {
    const account = where.trim();
    if (kind === "account" && account === "") return { problem: "Name the account, as it is noted of its keys." };
    if (bytesOf(account) > ACCOUNT_LEN_MAX) return { problem: "The account's name is too long." };
    const words = kind === "venue" ? "Binance" : `Account ${account}`;
    if (seen.has(words)) return { problem: `${words} has two limits. Keep one.` };
    seen.add(words);
    const max = most(typed);
    if (max === null) return { problem: `Most held at ${words}: a number, zero or more.` };
    exposure_of.push({ of: kind === "venue" ? { venue: "binance" } : { account }, max });
  }
  return { exposure_of };
}
