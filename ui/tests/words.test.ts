// Rows for times, spans, fingerprints, fates and audit words.
import { describe, expect, it } from "vitest";
import { kindWords, orderedIn, resultOf, subjectOf } from "../src/lib/audit";
import { adviceWords, fault } from "../src/lib/faults";
import * as f from "../src/lib/format";
import { gaugeState, leftForOrders, limitWords } from "../src/lib/gauge";
import { cipherWords, commonName, tlsWords } from "../src/lib/lines";
import { anchorWords, profileName } from "../src/lib/vault";
import { Notices } from "../src/state/notices.svelte";
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
  const ID = "sr-01m8c5efpzh8rcfj4eya2ynzsz";
  const order = {
    client_order_id: ID,
    symbol: "BTCUSDT",
    side: "buy",
    spec: { limit: { price: "93879.43", quantity: "0.02", tif: "GTC" } },
    reduce_only: false,
  };
  const report = { order: ID, venue_order: 506, fate: "filled", filled: "0.01", notional: "967.5453", trades: [68] };
  const intended = entry("order-intended", { order, words: "buy 0.02 BTCUSDT at 93879.43 or better" });
  const ordered = orderedIn([intended]);
  it.each([
    [intended, "buy 0.02 BTCUSDT at 93 879.43 or better, sr-…2ynzsz"],
    [entry("order-intended", { cancel: ID }), "cancel sr-…2ynzsz"],
    [entry("order-intended", { amend: ID, quantity: "0.015" }), "make smaller, to 0.015, sr-…2ynzsz"],
    [entry("order-reported", report), "filled 0.01 of 0.02, notional 967.5453, sr-…2ynzsz"],
    [entry("order-reported", { ...report, fate: "canceled", filled: "0", notional: "0" }), "cancelled, nothing filled, sr-…2ynzsz"],
    [
      entry("order-refused", { order: ID, rule: "x", why: "62140 is above 25000", by: "signer" }),
      "62 140 is above 25 000, by the signer, sr-…2ynzsz",
    ],
    [
      entry("key-imported", { label: "practice", id: 4, venue: "binance", scheme: "hmac-sha256", api_key: "mRjLZAdLFeMIjdnl" }),
      "practice, hmac-sha256, key mRjLZAdL…, binance",
    ],
    [entry("vault-saved", { generation: 3 }), "generation 3"],
    [entry("rearmed", { person: 3 }), "orders are signed again, by slot 3"],
    [entry("unlock-failed", { why: "wrong password", failures: 2 }), "wrong password, 2 failures in a row"],
    [
      entry("policy-changed", {
        policy: { order_notional_max: "25000", orders_per_minute: 120, price_collar_bps: 500, instruments: [{ symbol: "BTCUSDT" }] },
      }),
      "25 000 per order, 120 orders per minute, within 5 %, BTCUSDT",
    ],
    [
      entry("pin-alarm", { host: "api.binance.com:443", seen: { spki_sha256: "16HEr4CUXlqca5gk" } }),
      "api.binance.com:443, showed 16HEr4CU…",
    ],
    [entry("of-tomorrow", { some_part: { inner: 1 }, other: "x" }), "some part inner 1, other x"],
    [entry("rearmed", {}), "orders are signed again"],
  ])("$0.kind: %#", (row, wanted) => {
    expect(plain(subjectOf(row, ordered))).toBe(wanted);
    expect(subjectOf(row, ordered)).not.toMatch(/[{}[\]"]/);
  });
  it("shows an unknown kind under its name", () => expect(kindWords("new_kind-of.thing")).toBe("New kind of thing"));
  it.each([
    [entry("unlock-failed", {}), "danger"],
    [entry("order-reported", { fate: "ambiguous" }), "warn"],
    [entry("epoch", {}), "ok"],
    [entry("order-reported", { fate: "canceled" }), "off"],
  ])("%#", (row, shape) => expect(resultOf(row).shape).toBe(shape));
});

describe("lines, budgets and names as they arrive", () => {
  it.each([
    [tlsWords("TLSv1_3"), "TLS 1.3"],
    [tlsWords("TLSv1.2"), "TLS 1.2"],
    [tlsWords("QUIC"), "QUIC"],
    [cipherWords("TLS13_AES_256_GCM_SHA384"), "AES_256_GCM_SHA384"],
    [commonName("CN=Strongroom paper venue, O=Strongroom practice"), "Strongroom paper venue"],
    [commonName("C=US, O=DigiCert Inc, CN=DigiCert Global Root G2"), "DigiCert Global Root G2"],
    [commonName("itself"), "itself"],
    [limitWords({ name: "weight per 60 s" }).whole, "Request weight"],
    [limitWords({ name: "weight per minute (until the venue tells)" }).brief, "Weight"],
    [limitWords({ name: "orders per 86400 s" }).whole, "Orders"],
    [limitWords({ name: "raw per 300 s" }).whole, "Raw requests"],
    [limitWords({ name: "pings per 1 s" }).whole, "Pings"],
    [plain(f.window(300_000)), "5 min"],
    [profileName("/srv/.local/share/strongroom/main/"), "main"],
    [profileName("C:\\Users\\me\\main"), "main"],
    [anchorWords("ok").words, "file and keychain agree"],
    [anchorWords("the keychain knows nothing of this vault").holds, false],
  ])("%#", (got, wanted) => expect(got).toBe(wanted));
});

describe("notices", () => {
  it("of one order only the newest is shown, three at most", () => {
    const notices = new Notices();
    notices.say("Buy: sent", "plain", "", "sr-1");
    notices.say("Bought", "ok", "", "sr-1");
    expect(notices.shown.map((notice) => notice.words)).toEqual(["Bought"]);
    for (const words of ["a", "b", "c"]) notices.say(words);
    expect(notices.shown.map((notice) => notice.words)).toEqual(["a", "b", "c"]);
  });
  it("a prompt that was closed is no error", () => {
    const notices = new Notices();
    const error = { code: "given-up", message: "The prompt was closed. Nothing was changed.", advice: "ask" } as const;
    notices.fail(error, "It was not done");
    expect(notices.shown[0]).toMatchObject({ tone: "plain", words: error.message });
    expect(adviceWords(error)).toBe("");
  });
});
