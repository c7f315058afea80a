// What is noted of a key, as text and back. Invariant: only what the vault keeps is sent; what nobody changed stays as it was.
import type { CredentialInfo, KeyEdit, KeyOperation, KeyScope, OrderKind, Side } from "../bindings/contract";
import * as d from "../lib/decimal";
import { isAddress } from "../lib/addresses";
import { bytesOf } from "../lib/bytes";
import { ACCOUNT_LEN_MAX } from "../lib/owners";

export const LABEL_LEN_MAX = 32;
const ADDRESSES_MAX = 16;
const ROTATE_DAYS_MAX = 3_650;
const INSTRUMENTS_MAX = 50;

export const KINDS: [OrderKind, string][] = [
  ["limit", "limit"],
  ["post_only", "post only"],
  ["market", "market"],
];

export const OPERATIONS: [KeyOperation, string][] = [
  ["place", "new orders"],
  ["amend", "smaller orders"],
  ["read", "balances"],
  ["stream", "the account's stream"],
];

export type NotesText = {
  label: string;
  account: string;
  addresses: string;
  days: string;
  services: boolean;
  operations: KeyOperation[];
  instruments: string;
  side: Side | "both";
  kinds: OrderKind[];
  notional: string;
  from: string;
  until: string;
};

const clock = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

export function notesText({ label, details }: CredentialInfo): NotesText {
  const { scope } = details;
  return {
    label,
    account: details.account,
    addresses: details.addresses.join(" "),
    days: String(details.rotate_days),
    services: details.services,
    operations: scope.operations.length === 0 ? OPERATIONS.map(([operation]) => operation) : [...scope.operations],
    instruments: scope.instruments.join(" "),
    side: scope.side ?? "both",
    kinds: scope.kinds.length === 0 ? KINDS.map(([kind]) => kind) : [...scope.kinds],
    notional: scope.notional_max ?? "",
    from: scope.hours ? clock(scope.hours.from_minute) : "",
    until: scope.hours ? clock(scope.hours.until_minute) : "",
  };
}

const listed = (text: string) => text.split(/[\s,]+/).filter(Boolean);
/** A minute of the day; 24:00 is its end. */
function minuteOf(text: string): number | null {
  const [, h, m] = /^(\d{1,2}):(\d{2})$/.exec(text.trim()) ?? [];
  const minute = Number(h) * 60 + Number(m);
  return h === undefined || Number(m) > 59 || minute > 1_440 ? null : minute;
}

function readScope(text: NotesText): { scope: KeyScope } | { problem: string } {
  const instruments = listed(text.instruments.toUpperCase());
  if (instruments.length > INSTRUMENTS_MAX) return { problem: `At most ${INSTRUMENTS_MAX} instruments can be named.` };
  if (text.operations.length === 0) return { problem: "Tick something that the key is for." };
  if (text.kinds.length === 0) return { problem: "Tick a kind of order, or leave new orders unticked." };
  const most = d.typed(text.notional);
  if (text.notional.trim() !== "" && (most === null || !d.isPositive(most)))
    return { problem: "Most of one order: a number above zero, or nothing." };
  let hours: KeyScope["hours"] = null;
  if (text.from.trim() !== "" || text.until.trim() !== "") {
    const [from_minute, until_minute] = [minuteOf(text.from), minuteOf(text.until)];
    if (from_minute === null || until_minute === null || from_minute === 1_440)
      return { problem: "Hours are like 08:00 to 17:30, both of them or none." };
    if (from_minute === until_minute) return { problem: "The hours begin and end at different minutes." };
    hours = { from_minute, until_minute };
  }
  return {
    scope: {
      operations:
        text.operations.length === OPERATIONS.length
          ? []
          : OPERATIONS.map(([operation]) => operation).filter((operation) => text.operations.includes(operation)),
      instruments,
      side: text.side === "both" ? null : text.side,
      kinds: text.kinds.length === KINDS.length ? [] : KINDS.map(([kind]) => kind).filter((kind) => text.kinds.includes(kind)),
      notional_max: text.notional.trim() === "" ? null : most,
      hours,
    },
  };
}

/** The change that the texts mean, or what is wrong with them; `others`: labels that are taken. */
export function readNotes(text: NotesText, key: CredentialInfo, others: readonly string[]): { edit: KeyEdit } | { problem: string } {
  const label = text.label.trim();
  if (label === "") return { problem: "Give the key a label." };
  if (label !== key.label && others.includes(label)) return { problem: "There is a key with this label." };
  const account = text.account.trim();
  if (bytesOf(account) > ACCOUNT_LEN_MAX) return { problem: "The account's name is too long." };
  const addresses = listed(text.addresses);
  const wrong = addresses.find((address) => !isAddress(address));
  if (wrong !== undefined) return { problem: `${wrong} is not an address like 203.0.113.7 or 2001:db8::7.` };
  if (addresses.length > ADDRESSES_MAX) return { problem: `At most ${ADDRESSES_MAX} addresses can be named.` };
  const rotate_days = /^\d+$/.test(text.days.trim()) ? Number(text.days) : 0;
  if (rotate_days < 1 || rotate_days > ROTATE_DAYS_MAX) return { problem: `It is replaced after 1 to ${ROTATE_DAYS_MAX} days.` };
  const read = readScope(text);
  if ("problem" in read) return read;
  const details = { ...key.details, account, addresses, rotate_days, services: text.services, scope: read.scope };
  const isSame = JSON.stringify(notesText({ ...key, details })) === JSON.stringify(notesText(key));
  if (isSame && label === key.label) return { problem: "Nothing is changed yet." };
  return { edit: { label: label === key.label ? null : label, api_key: null, details: isSame ? null : details } };
}

/** For what a key is held narrower here than its venue granted it; empty: for nothing. */
export function scopeWords({ operations, instruments, side, kinds, notional_max, hours }: KeyScope): string {
  const words = [
    operations.length === 0
      ? ""
      : `for ${operations.map((one) => OPERATIONS.find(([name]) => name === one)?.[1] ?? one).join(" and ")} only`,
    instruments.join(" "),
    side === null ? "" : `only ${side}s`,
    kinds.length === 0 ? "" : `only ${kinds.map((kind) => KINDS.find(([one]) => one === kind)?.[1] ?? kind).join(" and ")} orders`,
    notional_max === null ? "" : `at most ${d.shown(notional_max)} an order`,
    hours === null ? "" : `${clock(hours.from_minute)} to ${clock(hours.until_minute)} UTC`,
  ];
  return words.filter(Boolean).join("; ");
}
