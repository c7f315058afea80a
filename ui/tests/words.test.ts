// Rows for times, spans, fingerprints, fates and audit words.
import { describe, expect, it } from "vitest";
import { kindWords, resultOf, subjectOf } from "../src/lib/audit";
import { adviceWords, fault } from "../src/lib/faults";
import * as f from "../src/lib/format";
import { gaugeState, leftForOrders } from "../src/lib/gauge";
import { fateOf } from "../src/state/fate";
import type { OrderView } from "../src/bindings/contract";

const AT = Date.UTC(2026, 10, 23, 9, 31, 2, 418) * 1000;
const plain = (text: string) => text.replace(/\u00a0/g, " ");

describe("times and spans", () => {
  it.each([
    [f.clock(AT), "09:31:02"],
    [f.clockMs(AT), "09:31:02.418"],
    [f.moment(AT, AT / 1000 + 60_000), "09:31:02"],
    [f.moment(AT, AT / 1000 + 86_400_000), "23 Nov 09:31"],
    [f.date(AT), "23 Nov 2026"],
    [f.left(558_000), "9:18"],
    [f.left(3_727_000), "1:02:07"],
    [f.left(-5), "0:00"],
    [f.span(100), "0.1 s"],
    [f.span(48_000), "48 s"],
    [f.span(11_520_000), "3 h 12 m"],
    [f.span(41 * 86_400_000), "41 d"],
    [f.ms(18_000), "18 ms"],
    [f.ms(412), "0.41 ms"],
    [f.ms(3_400), "3.4 ms"],
    [f.offset(3_000), "+3 ms"],
    [f.offset(-400), "\u22120.40 ms"],
    [f.window(60_000), "1 min"],
    [f.window(10_000), "10 s"],
    [f.window(86_400_000), "day"],
    [f.count(18_204), "18 204"],
    [f.brief("9f2c41ab7e10d583ffff"), "9f2c41ab 7e10d583"],
  ])("%s", (got, wanted) => expect(plain(got)).toBe(wanted));
});

describe("budgets", () => {
  const view = (used: number) => ({
    name: "Orders",
    used,
    limit: 100,
    reserved: 10,
    window_ms: 10_000,
    reset_ms: 1,
    source: "venue" as const,
  });
  it.each([
    [0, ""],
    [71, ""],
    [72, "near"],
    [89, "near"],
    [90, "full"],
    [100, "full"],
  ])("%i of 100 with 10 kept for cancels", (used, wanted) => expect(gaugeState(view(used))).toBe(wanted));
  it("counts what is kept for cancels as not left", () => expect(leftForOrders(view(86))).toBe(4));
});

describe("fates", () => {
  const order = (fate: OrderView["fate"], filled = "0") => ({ fate, filled, note: null }) as OrderView;
  it("an order without an answer is amber and counts", () =>
    expect(fateOf(order("ambiguous"), "1.8 s")).toEqual({ shape: "warn", words: "No answer 1.8 s, checking" }));
  it("a partly filled one works", () => expect(fateOf(order("working", "0.04"), "").words).toBe("Partly filled"));
});

describe("faults and advice", () => {
  it("keeps a door's error", () => {
    const error = { code: "rate", message: "used up", advice: { retry_after: 4000 } } as const;
    expect(fault(error)).toBe(error);
    expect(adviceWords(error)).toBe("Try again in 4 s.");
  });
  it("shows anything else as it is", () => expect(fault(new Error("no channel")).message).toBe("no channel"));
});

describe("audit words", () => {
  const entry = (kind: string, payload: unknown) => ({ seq: 1, at: AT, kind, payload });
  it("leads with what it is about", () =>
    expect(subjectOf(entry("order-sent", { weight: 1, client_order_id: "sr-1" }))).toBe("sr-1, weight 1"));
  it("shows an unknown kind under its name", () => expect(kindWords("new_kind-of.thing")).toBe("New kind of thing"));
  it.each([
    [entry("unlock-failed", {}), "danger"],
    [entry("order-reported", { fate: "ambiguous" }), "warn"],
    [entry("checkpoint", {}), "ok"],
  ])("%#", (row, shape) => expect(resultOf(row).shape).toBe(shape));
});
