// Whose an order is: bots by their tag, persons by their slot. Invariant: what is no tag here is none for the signer, either.
import type { SlotInfo } from "../bindings/contract";

/** Longest name of an account, in bytes. */
export const ACCOUNT_LEN_MAX = 64;
const BOT_TAG = /^[a-z0-9]{1,8}$/;
export const isBotTag = (text: string) => BOT_TAG.test(text);
export const BOT_TAG_RULE = "A bot's tag is 1 to 8 of a-z and 0-9: what its orders' names begin with.";

/** The slots by which somebody signs orders; an auditor's opens no key. */
export const signing = (slots: readonly SlotInfo[]) => slots.filter((slot) => slot.kind !== "auditor");
/** "night shift, slot 3"; without a name, what it opens with. */
export const slotName = ({ id, label, kind }: Pick<SlotInfo, "id" | "label" | "kind">) => `${label || kind}, slot ${id}`;
