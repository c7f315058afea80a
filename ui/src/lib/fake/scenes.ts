// What the simulated backend shows besides the market: lines, limits, keys, log. Invariant: addresses are documentation ranges, hashes are chance.
import type { AuditEntry, KeyView, LimitView, LineView, Policy, SessionRow } from "../../bindings/contract";
import { chance, hex } from "./chance";

const rand = chance(23);
const PIN = "9f2c41ab7e10d583c07d52e819a46b3f8245fd0cb76e139a50d8c4e2fa913b67";
const BACKUP = "8d60f3a7c415be9207d8364cf1a95e2b3c76d08e94b1e7f560c2a83dd917450b";
const SHOWN = "51e8b0c40d7f92a6e3417bd96c0258fea91d47c3b85e06f27d3ac91420ebf568";
const recent = (base: number) =>
  Array.from({ length: 60 }, () => Math.round((base * (0.85 + rand() * 0.3) + (rand() < 0.07 ? base * 2.2 : 0)) * 1000));

const GLOBAL = "C=US, O=DigiCert Inc, CN=DigiCert Global G2 TLS RSA SHA256 2020 CA1";
const PRACTICE = "CN=Strongroom paper venue, O=Strongroom practice";

export type LineScene = { now_us: number; down: boolean; changed: boolean; live: boolean };

export function lines({ now_us, down, changed, live }: LineScene): LineView[] {
  const host = live ? "binance.com" : "localhost";
  const line = (part: Partial<LineView> & Pick<LineView, "host" | "kind">, base: number, days: number): LineView => ({
    up: !down,
    trouble: down ? "The venue did not answer: connection refused. Trying again in 2 s." : null,
    tls: "TLSv1_3",
    cipher: "TLS13_AES_256_GCM_SHA384",
    group: "X25519MLKEM768",
    pin_state: "match",
    pins: [PIN, BACKUP],
    waiting: null,
    chain: [
      {
        subject: `CN=${part.host}`,
        issuer: live ? GLOBAL : PRACTICE,
        not_after: now_us + days * 86_400e6,
        spki_sha256: PIN,
      },
      {
        subject: live ? GLOBAL : PRACTICE,
        issuer: live ? "C=US, O=DigiCert Inc, OU=www.digicert.com, CN=DigiCert Global Root G2" : PRACTICE,
        not_after: now_us + 2100 * 86_400e6,
        spki_sha256: BACKUP,
      },
    ],
    handshake_at: now_us - 11_520e6,
    peer: live ? "203.0.113.41:443" : "127.0.0.1:46011",
    open_since: now_us - 11_520e6,
    latency: { p50_us: base * 1000, p99_us: base * 3550, count: 1842, recent_us: recent(base), at: now_us - 1e6 },
    clock_offset_us: 3000,
    clock_error_us: 8000,
    clock_at: now_us - 2e6,
    stream_age_ms: part.kind === "stream" ? 100 : null,
    resyncs: 0,
    at: now_us,
    ...part,
  });
  const made = [
    line({ host: live ? `api.${host}:443` : "127.0.0.1:46619", kind: "rest" }, 18, 63),
    line(
      {
        host: live ? `stream.${host}:9443` : "127.0.0.1:46619",
        kind: "stream",
        resyncs: 2,
        peer: live ? "203.0.113.52:9443" : "127.0.0.1:46012",
      },
      14,
      63,
    ),
  ];
  if (live) made.push(line({ host: `ws-api.${host}:443`, kind: "stream", peer: "203.0.113.44:443" }, 16, 12));
  if (changed)
    made[0] = {
      ...made[0]!,
      up: false,
      pin_state: "changed",
      trouble: "The venue showed a key that is not pinned. The line is closed and nothing was sent over it.",
      waiting: {
        spki_sha256: SHOWN,
        chain: [
          {
            subject: `CN=api.${host}`,
            issuer: "C=XX, O=Another Authority, CN=Another CA",
            not_after: now_us + 80 * 86_400e6,
            spki_sha256: SHOWN,
          },
        ],
        at: now_us - 380e6,
      },
      cipher: "TLS13_AES_128_GCM_SHA256",
      group: "X25519",
      open_since: null,
    };
  return made;
}

export function limits(busy: boolean, now_ms: number): LimitView[] {
  const reset = (window_ms: number) => window_ms - (now_ms % window_ms);
  const venue = (name: string, used: number, limit: number, reserved: number, window_ms: number): LimitView => ({
    name: `${name} per ${window_ms / 1000} s`,
    used,
    limit,
    reserved,
    window_ms,
    reset_ms: reset(window_ms),
    source: "venue",
  });
  return [
    venue("weight", busy ? 5_980 : 842, 6_000, 200, 60_000),
    venue("orders", busy ? 86 : 31, 100, 10, 10_000),
    venue("orders", 214, 200_000, 2_000, 86_400_000),
    { ...venue("raw", 1_204, 300_000, 30_000, 300_000), source: "here" },
  ];
}

/** Public names of keys are long at this venue. */
const API_KEY = "mRjLZAdLFeMIjdnlWzNPKoY2Pi5dT1Qll0pVxiYm41yj4FY5AFddoeIVYfVAUPan";
const DAY = 86_400e6;
/** Made of the seed 09 09 …; nobody uses it. */
export const PUBLIC_KEY = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA/RckOFqgx1tk+3jNYC+h2ZH96/drE8WO1wLqyDXp9hg=
-----END PUBLIC KEY-----
`;
export function keys(now_us: number): KeyView[] {
  const key = (
    id: number,
    label: string,
    scheme: "ed25519" | "hmac-sha256",
    days: number,
    last: number | null,
    active: boolean,
    withdraw: boolean | null,
    account = "",
  ): KeyView => ({
    key: {
      id,
      label,
      venue: "binance",
      scheme,
      api_key: scheme === "hmac-sha256" ? API_KEY : hex(rand, 12),
      created: now_us - days * DAY,
      origin: "typed",
      source: "",
      stage: active ? "active" : "spare",
      replaces: null,
      granted: null,
      details: {
        account,
        addresses: [],
        rotate_days: 90,
        services: false,
        notes: "",
        scope: { operations: [], instruments: [], side: null, kinds: [], notional_max: null, hours: null },
      },
    },
    age_days: days,
    last_used: last === null ? null : now_us - last,
    rotate_due: now_us + (90 - days) * DAY,
    rights: withdraw === null ? null : { trade: true, withdraw, transfer: false, bound: !withdraw, until: null, at: now_us - 94e6 },
    due: days > 90 ? [{ due: "age" }] : [],
    step: null,
    address_trouble: null,
  });
  return [
    key(1, "practice", "ed25519", 41, 6e6, true, false, "main"),
    key(2, "desk-a", "ed25519", 84, 3_600e6, false, null, "desk 2"),
    key(3, "old-bot", "hmac-sha256", 203, 88 * DAY, false, true),
  ];
}

export const policy = (): Policy => ({
  instruments: [{ symbol: "BTCUSDT", quantity_max: "10", price_low: "10000", price_high: "250000", position_max: null, quote_worth: null }],
  currency: "USDT",
  order_notional_max: "50000",
  orders_per_minute: 60,
  price_collar_bps: 200,
  session_idle_ms: 600_000,
  session_age_max_ms: 28_800_000,
  kdf_floor: null,
  day_notional_max: "5000000",
  confirm_above: null,
  thresholds: [{ of: { bot: "grid" }, day_notional_max: "200000" }],
  desk: {
    modes: { "open-orders": "ask" },
    restricted: [],
    drift_bps: null,
    slippage_bps: 500,
    open_orders_max: 500,
    exposure_max: "250000",
    exposure_of: [{ of: { account: "main" }, max: "150000" }],
    day_loss_max: "2000",
    drawdown_max: null,
    duplicate_ms: null,
    fills_per_minute: null,
    cancels_percent: null,
    self_trade: false,
  },
});

const LIMITS_EVERY = 1_400;
/** Earlier limits: each differs from the one before, and the newest are those in force. */
function policyOf(seq: number, size: number): Policy {
  const [turn, newest] = [Math.floor(seq / LIMITS_EVERY), Math.floor((size - 8) / LIMITS_EVERY)];
  const now = policy();
  if (turn === newest) return now;
  return {
    ...now,
    order_notional_max: String(20_000 + turn * 2_500),
    orders_per_minute: turn % 2 === 0 ? 60 : 90,
    thresholds: turn % 3 === 0 ? [] : now.thresholds,
    desk: { ...now.desk, modes: turn % 2 === 0 ? now.desk.modes : {}, day_loss_max: turn % 3 === 0 ? null : "2000" },
  };
}

const idOf = (turn: number) => `sr-01m8c5efpzh8rcfj4ey${(46_656 + turn).toString(36)}`;
/** A turn of four entries: an order, its fill, another one, its cancel. */
function turn(n: number, at: number): { kind: string; payload: unknown } {
  const id = idOf(n * 2 + (at < 2 ? 0 : 1));
  const side = n % 2 ? "buy" : "sell";
  const order = { client_order_id: id, symbol: "BTCUSDT", side, spec: { limit: { price: "60118.2", quantity: "0.02", tif: "GTC" } } };
  const report = { order: id, venue_order: 500 + n, fate: "filled", filled: "0.02", notional: "1202.364", trades: [60 + n] };
  switch (at) {
    case 0:
    case 2:
      return { kind: "order-intended", payload: { order, words: `${side} 0.02 BTCUSDT at 60118.2 or better` } };
    case 1:
      return { kind: "order-reported", payload: report };
    default:
      return n % 3
        ? { kind: "order-intended", payload: { cancel: id } }
        : { kind: "order-reported", payload: { ...report, fate: "working", filled: "0", notional: "0", trades: [] } };
  }
}

export function entry(seq: number, size: number, now_us: number): AuditEntry {
  const at = now_us - (size - seq) * 1_740_000 - ((seq * 7919) % 900_000);
  if (seq % 64 === 0) return { seq, at, kind: "epoch", payload: {} };
  if (seq % 97 === 0) return { seq, at, kind: "unlocked", payload: { signatures: 1_204 } };
  if (seq % 53 === 0)
    return {
      seq,
      at,
      kind: "key-imported",
      payload: { label: "practice", id: 4, venue: "binance", scheme: "hmac-sha256", api_key: API_KEY },
    };
  if (seq % 41 === 0)
    return {
      seq,
      at,
      kind: "order-refused",
      payload: { order: idOf(seq), rule: "notional-limit", why: "62140 is above the limit of 50000 per order", by: "signer" },
    };
  if (seq % LIMITS_EVERY === 7) return { seq, at, kind: "policy-changed", payload: { policy: policyOf(seq, size), person: 1 } };
  return { seq, at, ...turn(Math.floor(seq / 4), seq % 4) };
}

export function sessions(): SessionRow[] {
  const row = (part: Partial<SessionRow>): SessionRow => ({
    door: "1",
    place: "strongroom-app, process session 4525",
    is_here: true,
    by: "first",
    roles: ["viewer", "trader", "risk", "key-admin", "auditor"],
    is_service: false,
    idle_left_ms: 214_000,
    age_left_ms: 26_100_000,
    ...part,
  });
  return [row({}), row({ door: "2", place: "bash, process session 5188", is_here: false, by: "night shift", roles: ["viewer", "trader"] })];
}
