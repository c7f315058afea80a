// The market as it is drawn. Invariants: one frame at most per display frame and 60 a second; every frame is acknowledged once, drawn or
// superseded; what is older than a second is never drawn as if it were current; what did not change keeps its identity and is not drawn again.
import type { Candle, Commands, Day, Frame, Interval, Price, Row, TradeRow, Watch } from "../bindings/contract";

/** A display may call back more often than 60 times a second; what comes sooner than this after the last drawing waits. */
const DRAW_GAP_MS = 15;
/** Without a graphics card painting is the cost: half as many drawings leave the processor room, so none of them is late. */
const DRAW_GAP_SOFTWARE_MS = 30;
/** Frames stop for this long: stale. With the look every TICK_MS it shows within a second. */
export const SILENCE_MS_MAX = 750;
/** Ages are drawn this often and no more. */
export const TICK_MS = 250;
export const TRADES_MAX = 60;

export type Drawn = {
  symbol: string;
  best: readonly [Price, Price] | null;
  bids: Row[];
  asks: Row[];
  trades: TradeRow[];
  candle: Candle | null;
  day: Day | null;
  current: boolean;
  age_ms: number;
  book_at: number;
};
export type Freshness = "loading" | "live" | "paused" | "stale" | "down";

export type Time = {
  now: () => number;
  frame: (draw: () => void) => number;
  cancel: (handle: number) => void;
};
export const realTime: Time = {
  now: () => performance.now(),
  frame: (draw) => requestAnimationFrame(draw),
  cancel: (handle) => cancelAnimationFrame(handle),
};

const EMPTY: Drawn = {
  symbol: "",
  best: null,
  bids: [],
  asks: [],
  trades: [],
  candle: null,
  day: null,
  current: false,
  age_ms: 0,
  book_at: 0,
};

export class Market {
  /** Replaced whole, at most once per display frame. */
  drawn: Drawn = $state.raw(EMPTY);
  watch: Watch = $state.raw({ symbol: "", interval: "15m", depth: 20, step: "" });
  paused = $state(false);
  freshness: Freshness = $state("loading");
  /** Age of what is drawn, ms: as told while frames come, counted on when they stop. Set every TICK_MS, not with every frame. */
  shown_age_ms = $state(0);
  linkUp = $state(true);
  onversions: (orders: number, state: number) => void = () => undefined;

  private next: Drawn = EMPTY;
  private waiting: number | null = null; // the frame received and not yet drawn
  private handle: number | null = null;
  private drawn_at = -Infinity;
  private heard_at = -Infinity; // a frame came
  private current_at = -Infinity; // a frame came that was current
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private backend: Commands,
    private time: Time = realTime,
    private software = () => false,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => {
      this.look();
      this.tellAge();
    }, TICK_MS);
  }
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    if (this.handle !== null) this.time.cancel(this.handle);
    this.handle = null;
  }

  async follow(part: Partial<Watch>): Promise<void> {
    const watch = { ...this.watch, ...part };
    if (watch.symbol !== this.watch.symbol) this.drawn = this.next = EMPTY;
    this.watch = watch;
    await this.backend.watch({ watch });
  }

  receive(frame: Frame): void {
    const now = this.time.now();
    this.heard_at = now;
    if (frame.current) this.current_at = now;
    if (this.waiting !== null) this.acknowledge(this.waiting);
    this.next = merged(this.next, frame);
    this.waiting = frame.seq;
    this.onversions(frame.orders_version, frame.state_version);
    if (this.paused) {
      this.acknowledge(frame.seq);
      this.waiting = null;
      return;
    }
    this.handle ??= this.time.frame(() => this.draw());
  }

  private draw(): void {
    this.handle = null;
    if (this.waiting === null || this.paused) return;
    const now = this.time.now();
    if (now - this.drawn_at < (this.software() ? DRAW_GAP_SOFTWARE_MS : DRAW_GAP_MS)) {
      this.handle = this.time.frame(() => this.draw());
      return;
    }
    this.drawn_at = now;
    this.drawn = this.next;
    const seq = this.waiting;
    this.waiting = null;
    this.acknowledge(seq);
    this.look();
  }

  private acknowledge(seq: number): void {
    this.backend.ack({ seq }).catch(() => undefined);
  }

  link(up: boolean): void {
    this.linkUp = up;
    this.look();
  }

  pause(on = !this.paused): void {
    this.paused = on;
    if (!on) this.drawn = this.next;
    this.look();
  }

  /** Says how fresh the drawing is; runs on a timer, because silence sends no event. */
  look(): void {
    const now = this.time.now();
    const before = this.freshness;
    if (!this.linkUp) this.freshness = "down";
    else if (this.heard_at === -Infinity) this.freshness = "loading";
    else if (now - this.current_at > SILENCE_MS_MAX || !this.next.current) this.freshness = "stale";
    else this.freshness = this.paused ? "paused" : "live";
    if (this.freshness !== before) this.tellAge();
  }
  private tellAge(): void {
    const silent_ms = this.current_at === -Infinity ? 0 : this.time.now() - this.current_at;
    this.shown_age_ms = this.freshness === "live" ? this.drawn.age_ms : Math.max(this.drawn.age_ms, silent_ms);
  }

  /** The rows are coarser than the tick: their prices are not the best ones. */
  get grouped(): boolean {
    return this.watch.step !== "";
  }
  readonly bid: Price | null = $derived(this.drawn.best?.[0] ?? (this.grouped ? null : (this.drawn.bids[0]?.[0] ?? null)));
  readonly ask: Price | null = $derived(this.drawn.best?.[1] ?? (this.grouped ? null : (this.drawn.asks[0]?.[0] ?? null)));
  setInterval(interval: Interval): Promise<void> {
    return this.follow({ interval });
  }
}

/** The frame laid over what was known: absent parts stay, trades collect up to the bound. */
function merged(before: Drawn, frame: Frame): Drawn {
  const fresh = frame.symbol === before.symbol ? before : EMPTY;
  return {
    symbol: frame.symbol,
    // Rows that come without best prices belong to a book with one side.
    best: frame.best ?? (frame.bids || frame.asks ? null : fresh.best),
    bids: kept(fresh.bids, frame.bids),
    asks: kept(fresh.asks, frame.asks),
    trades: frame.trades ? collect(fresh.trades, frame.trades) : fresh.trades,
    candle: same(fresh.candle, frame.candle),
    day: same(fresh.day, frame.day),
    current: frame.current,
    age_ms: frame.age_ms,
    book_at: frame.book_at,
  };
}

/** The fresh rows; each that says the same as before is the same object, and so is a list without a change. */
function kept(before: Row[], fresh: Row[] | undefined): Row[] {
  if (!fresh) return before;
  let changed = fresh.length !== before.length;
  const rows = fresh.map((row, i) => {
    const old = before[i];
    if (old && old[0] === row[0] && old[1] === row[1] && old[2] === row[2]) return old;
    changed = true;
    return row;
  });
  return changed ? rows : before;
}

/** The object from before when the fresh one says the same, or nothing came. */
function same<T extends Candle | Day>(before: T | null, fresh: T | undefined): T | null {
  if (!fresh || !before) return fresh ?? before;
  return (Object.keys(fresh) as (keyof T)[]).every((name) => fresh[name] === before[name]) ? before : fresh;
}

/** Newest first, each trade once. */
function collect(before: TradeRow[], fresh: TradeRow[]): TradeRow[] {
  const known = new Set(before.map((trade) => trade.id));
  const added = fresh.filter((trade) => !known.has(trade.id));
  if (added.length === 0) return before;
  return [...added, ...before].sort((a, b) => b.at - a.at || b.id - a.id).slice(0, TRADES_MAX);
}
