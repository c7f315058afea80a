// Rows for the decimals of columns: numbers arrive without zeros at their end.
import { describe, expect, it } from "vitest";
import { spaced } from "../src/lib/decimal";
import { instrument } from "../src/lib/fake/market";
import { assetPlaces, costWords, feeWords, grainOf } from "../src/lib/grain";
import { all, get, openDesk, until } from "./world";

const plain = (text: string | null | undefined) => (text ?? "").replace(/\u00a0/g, " ");
const instruments = [instrument];

it("an instrument gives its decimals", () => expect(grainOf(instrument)).toEqual({ price: 2, lot: 5 }));

describe("amounts", () => {
  it.each([
    ["USDT", 2],
    ["BTC", 5],
    ["BNB", 8],
  ])("%s", (asset, wanted) => expect(assetPlaces(asset, instruments)).toBe(wanted));
  it.each([
    ["1.8769468", "USDT", "1.8769 USDT"],
    ["0.00001", "BTC", "0.00001000 BTC"],
  ])("a fee of %s %s", (fee, asset, wanted) => expect(plain(feeWords(fee, asset, instruments))).toBe(wanted));
  it("what an order costs", () => {
    const checks = { checks: [], words: "", notional: "1876.9", fee: null, fee_asset: "USDT", balance_after: "0.5", balance_asset: "BTC" };
    const cost = costWords(checks, "USDT", instruments);
    expect([cost.notional, cost.fee, cost.after].map(plain)).toEqual(["1 876.90 USDT", "–", "0.50000 BTC"]);
  });
});

describe("numbers in words of the desk", () => {
  it.each([
    ["1877.62 of 25000", "1 877.62 of 25 000"],
    [
      "More USDT than is free (99032.45470000). The venue will refuse it.",
      "More USDT than is free (99 032.4547). The venue will refuse it.",
    ],
    ["0.01, 0.00001", "0.01, 0.00001"],
    ["127.0.0.1:46619", "127.0.0.1:46619"],
    ["sr-20261123 of 2026-11-23", "sr-20261123 of 2026-11-23"],
    ["Above the limit of 25000.", "Above the limit of 25 000."],
  ])("%s", (words, wanted) => expect(plain(spaced(words))).toBe(wanted));
});

it("every column of the open desk has one count of decimals", async () => {
  const world = await openDesk({ scenario: "plain" });
  await until(() => expect(all("order-row").length).toBeGreaterThan(0));
  const counts = (texts: (string | null | undefined)[]) => new Set(texts.map((text) => (text ?? "").split(".")[1]?.length ?? 0));
  const cells = (rows: HTMLElement[], at: number) =>
    rows.map((row) => row.querySelectorAll("td, span[role=gridcell], .tr > span")[at]?.textContent);
  const levels = [...all("level-sell"), ...all("level-buy")];
  expect(levels.some((row) => !row.dataset.price!.includes(".") || row.dataset.price!.split(".")[1]!.length < 2)).toBe(true);
  for (const at of [1, 2, 3]) expect(counts(cells(levels, at))).toEqual(new Set([at === 1 ? 2 : 5]));
  expect(counts(cells(all("order-row"), 3))).toEqual(new Set([2]));
  for (const at of [4, 5]) expect(counts(cells(all("order-row"), at))).toEqual(new Set([5]));
  await world.user.click(get("take-touch"));
  expect((get("price") as HTMLInputElement).value).toMatch(/\.\d\d$/);
});

it("a frame that changes nothing touches nothing on the screen", async () => {
  const world = await openDesk({ scenario: "plain" });
  await until(() => expect(all("order-row").length).toBeGreaterThan(0));
  const frames = world.backend.acked.length;
  const touched: MutationRecord[] = [];
  const watcher = new MutationObserver((records) => touched.push(...records));
  for (const id of ["ladder", "tape", "ticket", "last-price"])
    watcher.observe(get(id), { subtree: true, childList: true, characterData: true, attributes: true });
  await until(() => expect(world.backend.acked.length).toBeGreaterThan(frames + 6));
  watcher.disconnect();
  // How old the prices are is told anew when a busy machine was late; that is no change of them.
  const texts = touched.map((record) => record.target.textContent ?? "");
  expect(texts.filter((text) => !/^\s*\d+\.\d\ss$/.test(text))).toEqual([]);
});
