// A small simulated market: a mid price that walks, a book around it, trades and candles. Invariant: prices are multiples of the tick.
import type { Candle, Day, Instrument, Interval, Row, TradeRow, Watch } from "../../bindings/contract";
import { chance, decimal, unitsOf } from "./chance";

export const TICK_SCALE = 2;
export const LOT_SCALE = 5;
const CANDLES = 120;
export const MINUTES: Record<Interval, number> = { "1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": 1440 };

export const instrument: Instrument = {
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  price: { min: "0.01", max: "1000000", tick: "0.01" },
  lot: { min: "0.00001", max: "100", step: "0.00001" },
  notional: { min: "5", max: "1000000" },
  orders: {
    market_lot: { min: "0", max: "0", step: "0" },
    percent: { bid_low: "0", bid_high: "0", ask_low: "0", ask_high: "0" },
    open_max: 200,
  },
};

export class FakeMarket {
  /** Best bid in ticks; the best ask is one tick above. */
  bid = 6_012_443;
  private rand = chance(7);
  private trade_id = 4_200_000;
  private tape: TradeRow[] = [];
  private series = new Map<Interval, Candle[]>();
  readonly volume_units = 1_248_020_000;

  constructor(
    private now_ms: () => number,
    private still: boolean,
  ) {
    for (let i = 0; i < 40; i++) this.tape.unshift(this.trade(now_ms() - (40 - i) * 340));
  }

  private trade(at_ms: number): TradeRow {
    const side = this.rand() < 0.52 ? "buy" : "sell";
    const size = this.rand() < 0.85 ? 1 + Math.floor(this.rand() * 8_000) : 10_000 + Math.floor(this.rand() * 120_000);
    const price = this.bid + (side === "buy" ? 1 : 0) + Math.floor((this.rand() - 0.5) * 60);
    this.trade_id += 1;
    return { id: this.trade_id, price: decimal(price, TICK_SCALE), quantity: decimal(size, LOT_SCALE), side, at: Math.round(at_ms * 1000) };
  }

  /** One step of time; the trades that happened in it, newest first. */
  step(): TradeRow[] {
    if (this.still) return [];
    const drift = this.rand();
    if (drift < 0.18) this.bid -= 1 + Math.floor(this.rand() * 50);
    else if (drift > 0.82) this.bid += 1 + Math.floor(this.rand() * 50);
    if (this.rand() > 0.3) return [];
    const trade = this.trade(this.now_ms());
    this.tape = [trade, ...this.tape].slice(0, 60);
    for (const [interval, candles] of this.series) this.extend(interval, candles, trade);
    return [trade];
  }

  private extend(interval: Interval, candles: Candle[], trade: TradeRow) {
    const width_us = MINUTES[interval] * 60_000_000;
    const open_time = Math.floor(trade.at / width_us) * width_us;
    const last = candles.at(-1);
    if (!last || last.open_time !== open_time) {
      candles.push({ open_time, open: trade.price, high: trade.price, low: trade.price, close: trade.price, volume: trade.quantity });
      return;
    }
    const p = Number(trade.price);
    last.close = trade.price;
    if (p > Number(last.high)) last.high = trade.price;
    if (p < Number(last.low)) last.low = trade.price;
    last.volume = decimal(unitsOf(last.volume, LOT_SCALE) + unitsOf(trade.quantity, LOT_SCALE), LOT_SCALE);
  }

  get last(): string {
    return this.tape[0]?.price ?? decimal(this.bid, TICK_SCALE);
  }
  get trades(): TradeRow[] {
    return this.tape;
  }

  private size(level: number, salt: number): number {
    const r = chance(Math.imul(level, 2654435761) ^ (this.still ? 0 : Math.floor(this.now_ms() / 900 + level * 0.37)) ^ salt)();
    return r < 0.08 ? 900_000 + Math.floor(r * 12_000_000) : 20_000 + Math.floor(r * 620_000);
  }

  /** Best bid and ask, never grouped. */
  get best(): [string, string] {
    return [decimal(this.bid, TICK_SCALE), decimal(this.bid + 1, TICK_SCALE)];
  }

  rows(side: "bid" | "ask", watch: Watch): Row[] {
    const step = watch.step === "" ? 1 : Math.max(1, unitsOf(watch.step, TICK_SCALE));
    const first = side === "bid" ? Math.floor(this.bid / step) : Math.ceil((this.bid + 1) / step);
    const rows: Row[] = [];
    let total = 0;
    for (let i = 0; i < watch.depth; i++) {
      const level = (side === "bid" ? first - i : first + i) * step;
      const size = Math.round(this.size(level, side === "bid" ? 1 : 2) * Math.min(1, 0.05 + step / 600));
      total += size;
      rows.push([decimal(level, TICK_SCALE), decimal(size, LOT_SCALE), decimal(total, LOT_SCALE)]);
    }
    return rows;
  }

  candles(interval: Interval): Candle[] {
    const known = this.series.get(interval);
    if (known) return known;
    const rand = chance(MINUTES[interval] * 31 + 5);
    const width_us = MINUTES[interval] * 60_000_000;
    const newest = Math.floor((this.now_ms() * 1000) / width_us) * width_us;
    const scale = 120 * Math.sqrt(MINUTES[interval] * 60);
    const closes = [this.bid];
    for (let i = 1; i < CANDLES + 1; i++)
      closes.push(Math.round(closes[i - 1]! - (rand() - 0.5 + 0.16 * Math.sin(i / 13)) * scale * (i % 17 < 6 ? 3 : 1.6)));
    const made: Candle[] = [];
    for (let i = CANDLES - 1; i >= 0; i--) {
      const [open, close] = [closes[i + 1]!, closes[i]!];
      const high = Math.max(open, close) + Math.floor(rand() * scale * 0.6);
      const low = Math.min(open, close) - Math.floor(rand() * scale * 0.6);
      const volume = decimal(2_000_000 + Math.floor(rand() * rand() * 26_000_000), LOT_SCALE);
      const [o, h, l, c] = [open, high, low, close].map((p) => decimal(p, TICK_SCALE)) as [string, string, string, string];
      made.push({ open_time: newest - i * width_us, open: o, high: h, low: l, close: c, volume });
    }
    this.series.set(interval, made);
    return made;
  }

  day(): Day {
    return {
      last: this.last,
      change_percent: decimal(Math.round(((this.bid - 5_938_700) / 5_938_700) * 10_000), 2),
      high: decimal(Math.max(6_030_160, this.bid), TICK_SCALE),
      low: "59388.4",
      volume: decimal(this.volume_units, LOT_SCALE),
    };
  }
}
