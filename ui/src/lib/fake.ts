// A complete simulated backend for drawing and testing. Invariant: it is never part of the production bundle (scripts/sizes.mjs looks for FAKE_MARK).
import type {
  AuditEntry,
  Commands,
  DoorAction,
  DoorError,
  Frame,
  Hello,
  Mode,
  Order,
  OrderView,
  Outcome,
  Policy,
  Push,
  Role,
  Settings,
  VaultState,
  VaultView,
  Watch,
} from "../bindings/contract";
import { compare, div, floorTo, mul, trimmed } from "./decimal";
import { decimal } from "./fake/chance";
import { checks } from "./fake/checks";
import { FakeKill } from "./fake/kill";
import { FakeMarket, TICK_SCALE, instrument } from "./fake/market";
import { FakeOrders } from "./fake/orders";
import type { FakeOptions, Scenario } from "./fake/scenario";
import * as scenes from "./fake/scenes";
import { FakeVault, outcome } from "./fake/vault";
import { ALL_ROLES } from "./permissions";
import { canPass } from "../state/placing";
import { priceOf } from "./symbols";

export const FAKE_MARK = "strongroom-simulated-backend";
const FRAME_MS = 100;
const LOG_KEY = "strongroom-log+MCowBQYDK2VwAyEAsimulatedkeyforpractice";
const HEAD = "7f3a09c15be2d840a91d47c3b85e06f27d3ac91420ebf568e3417bd96c0258fe";
const no = (code: string, message: string, advice: DoorError["advice"] = "refuse"): DoorError => ({ code, message, advice });

export class FakeWorld implements Commands {
  readonly mark = FAKE_MARK;
  state: VaultState = "unlocked";
  mode: Mode = "simulation";
  killed: string | null = null;
  managed: VaultView["managed"] = null;
  because: string | null = null;
  ended: string[] = [];
  /** What the session may do. */
  roles: readonly Role[];
  stateVersion = 1;
  pushes: ((push: Push) => void) | null = null;
  acked: number[] = [];
  calls: [string, unknown][] = [];
  readonly market: FakeMarket;
  readonly book: FakeOrders;
  readonly scenario: Scenario;
  private watched: Watch | null = null;
  private seq = 0;
  private unacked = 0;
  private dirty: Frame["trades"] = [];
  private idle_from: number;
  private used = false;
  private prompt: { answer: (outcome: Outcome) => void; refuse: (error: DoorError) => void } | null = null;
  private limits: Policy = scenes.policy();
  private readonly vaulted: FakeVault;
  private readonly switched: FakeKill;
  private readonly passing = new Set<string>();
  private pinned = false;
  private log_len = 18_319;
  /** Entries of limits that were set here. */
  private readonly changed = new Map<number, Policy>();
  private prefs: Settings;
  private readonly prompt_ms: number;
  private readonly now_ms: () => number;

  constructor({
    scenario = "plain",
    theme = "dark",
    density = "standard",
    pnl = "blue-orange",
    still = false,
    prompt_ms = 1500,
    now_ms = Date.now,
    roles = ALL_ROLES,
  }: FakeOptions = {}) {
    this.scenario = scenario;
    this.roles = roles;
    this.prompt_ms = prompt_ms;
    this.now_ms = now_ms;
    this.idle_from = now_ms();
    this.market = new FakeMarket(now_ms, still);
    this.book = new FakeOrders(() => this.now_us());
    this.vaulted = new FakeVault(() => this.now_us(), scenario === "empty" || scenario === "missing");
    this.switched = new FakeKill(this.book, this.vaulted, () => this.now_us());
    this.prefs = { theme, density, pnl, motion: "system", single_keys: true };
    if (scenario === "missing" || scenario === "locked" || scenario === "sealed") this.state = scenario;
    if (scenario === "locked") this.because = "nobody used it for 10 minutes";
    if (scenario === "sealed") this.because = "it was locked, and nothing was live";
    if (scenario === "live") this.mode = "live";
    if (scenario === "killed") this.killed = "from the window";
    if (!["missing", "empty", "killed"].includes(scenario)) this.fillBook();
    setInterval(() => this.tick(), FRAME_MS);
  }

  private now_us = () => Math.round(this.now_ms() * 1000);

  private fillBook() {
    const bid = this.market.bid;
    const limit = (side: "buy" | "sell", ticks: number, quantity: string): Order => ({
      symbol: "BTCUSDT",
      side,
      spec: { limit: { price: decimal(bid + ticks, TICK_SCALE), quantity, tif: "GTC" } },
      reduce_only: false,
    });
    for (const [side, ticks, quantity, age] of [
      ["buy", -400, "0.05", 61e6],
      ["sell", 650, "0.04", 44e6],
      ["buy", -900, "0.1", 21e6],
    ] as const) {
      const made = this.book.create(limit(side, ticks, quantity), "working", age);
      this.book.fill(
        made,
        this.market.candles("15m").findLast((c) => c.open_time <= this.now_us() - age * 1000)?.close ?? priceOf(made.spec)!,
      );
      const done = this.book.find(made.client_order_id)!;
      this.book.all = this.book.all.map((o) => (o === done ? { ...o, updated: this.now_us() - age * 1000 } : o));
    }
    this.book.create(limit("sell", 17_560, "0.2"), "working", 2.1e6);
    const partly = this.book.create(limit("sell", 6_500, "0.12"), "working", 140_000);
    this.book.fill(partly, priceOf(partly.spec)!, "0.04");
    this.book.create(
      {
        symbol: "BTCUSDT",
        side: "buy",
        spec: { post_only: { price: decimal(bid - 6_440, TICK_SCALE), quantity: "0.05" } },
        reduce_only: false,
      },
      "working",
      26_000,
    );
    if (this.scenario === "ambiguous") this.book.create(limit("buy", -9_440, "0.1"), "ambiguous", 1800);
  }

  private tick() {
    if (this.scenario === "quiet" || !this.pushes) return;
    const stopped = this.scenario === "venue-down";
    if (!stopped) {
      this.dirty = [...this.market.step(), ...(this.dirty ?? [])];
      this.book.reached(decimal(this.market.bid, TICK_SCALE), decimal(this.market.bid + 1, TICK_SCALE));
    }
    const idle = this.idleLeft();
    if (this.state === "unlocked" && idle !== null && idle <= 0)
      void this.lock().then(() => (this.because = "nobody used it for 10 minutes"));
    if (this.watched && this.unacked < 2 && this.state === "unlocked" && this.scenario !== "link-down") this.frame(stopped);
  }

  private frame(stopped: boolean) {
    const watch = this.watched!;
    this.seq += 1;
    this.unacked += 1;
    this.pushes?.({
      push: "frame",
      frame: {
        seq: this.seq,
        symbol: watch.symbol,
        current: !stopped,
        age_ms: stopped ? 4200 : 90,
        book_at: this.now_us() - 90_000,
        best: this.market.best,
        bids: this.market.rows("bid", watch),
        asks: this.market.rows("ask", watch),
        ...(this.seq === 1 ? { trades: this.market.trades } : this.dirty?.length ? { trades: this.dirty } : {}),
        ...(this.market.candles(watch.interval).at(-1) ? { candle: { ...this.market.candles(watch.interval).at(-1)! } } : {}),
        day: this.market.day(),
        orders_version: this.book.version,
        state_version: this.stateVersion,
      },
    });
    this.dirty = [];
  }

  private idleLeft(): number | null {
    if (this.state !== "unlocked") return null;
    return (this.scenario === "idle" && !this.used ? 15_000 : this.limits.session_idle_ms - 42_000) - (this.now_ms() - this.idle_from);
  }

  private async called<T>(name: string, args: unknown, answer: () => T): Promise<T> {
    this.calls.push([name, args]);
    if (this.scenario === "slow") await new Promise((done) => setTimeout(done, 2500));
    if (this.scenario === "broken" && ["keys", "audit", "orders", "candles", "policy", "session", "balances"].includes(name))
      throw no("desk-gone", "The desk did not answer within 2 s.", { retry_after: 1000 });
    return answer();
  }

  private open() {
    if (this.state !== "unlocked") throw no("locked", "The vault is locked.", "ask");
  }

  hello = (): Promise<Hello> =>
    this.called("hello", null, () => ({
      version: "0.1.0",
      profile: "/srv/.local/share/strongroom/main",
      locale: "en-GB",
      software_rendering: true,
      capture_protected: false,
      dev_build: true,
      kill_keys: "Ctrl+Alt+Shift+F12",
      settings: this.prefs,
    }));
  ready = (args: { screen: string }) => this.called("ready", args, () => undefined);
  attach = async ({ pushes }: { pushes: (push: Push) => void }) => {
    this.pushes = pushes;
    if (this.scenario === "link-down")
      setTimeout(() => pushes({ push: "link", up: false, words: "The desk does not answer. It is being started again." }), 300);
  };
  watch = async ({ watch }: { watch: Watch | null }) => {
    this.watched = watch;
    this.seq = 0;
    this.unacked = 0;
  };
  ack = async ({ seq }: { seq: number }) => {
    this.acked.push(seq);
    this.unacked = Math.max(0, this.unacked - 1);
  };
  vault = () =>
    this.called("vault", null, () => ({
      state: this.state,
      vault_id: this.state === "missing" ? null : "3e1c90ab5f6ca7acf1e978603c1fd59a",
      generation: this.state === "missing" ? null : 14,
      because: this.because,
      anchor: this.state === "missing" ? "no vault yet" : "ok",
      walls: (this.state === "sealed"
        ? []
        : [
            ["nothing inherited", true],
            ["not dumpable", true],
            ["no core files", true],
            ["no new privileges", true],
            ["no memory becomes executable", true],
            ["no files, no TCP (landlock)", true],
            ["system calls filtered", true],
            ["keys in locked memory", false],
          ]) as [string, boolean][],
      watched: [
        ["sleep waits until the vault is locked", true],
        ["screen lock is followed", true],
        ["input to the whole desktop, watched by: X11 screen saver extension", true],
      ] as [string, boolean][],
      log_key: this.state === "missing" ? null : LOG_KEY,
      killed: this.killed,
      stopped: this.switched.stopped,
      backups: this.state === "missing" ? [] : [14, 13, 12, 11],
      codes_left: this.state === "missing" || this.state === "sealed" ? null : 10,
      managed: this.managed,
    }));
  session = () =>
    this.called("session", null, () => ({
      state: this.state,
      mode: this.mode,
      venue: this.mode === "live" ? "Binance" : "Paper",
      account: this.mode === "live" ? "main" : "practice",
      is_service: false,
      idle_left_ms: this.idleLeft(),
      age_left_ms: 6 * 3_600_000,
      signatures: 1204,
      day_notional: ["1284320.5", "5000000"] as [string, string],
      roles: [...this.roles],
      sessions: this.state === "unlocked" ? scenes.sessions().filter((row) => !this.ended.includes(row.door)) : [],
      killed: this.killed,
      stopped: this.switched.stopped,
      lines: scenes.lines({
        now_us: this.now_us(),
        down: this.scenario === "venue-down",
        changed: this.scenario === "pin-changed" && !this.pinned,
        live: this.mode === "live" || this.scenario === "pin-changed",
      }),
      limits: scenes.limits(this.scenario === "rate", this.now_ms()),
      live_orders: this.book.live().length,
      protected_orders: this.book.live().filter((o) => o.protected).length,
      ambiguous_orders: this.book.live().filter((o) => o.fate === "ambiguous").length,
      at: this.now_us(),
    }));
  /** A person used the window: the app hears it itself, the page does not say it. */
  present() {
    this.used = true;
    this.idle_from = this.now_ms();
  }

  act = (args: { action: DoorAction; source: "typed" | "practice" | "dropped" }): Promise<Outcome> => {
    this.calls.push(["act", args]);
    if (this.prompt) return Promise.reject(no("busy", "Another question is already open. Answer or cancel it first."));
    return new Promise((resolve, reject) => {
      this.prompt = { answer: resolve, refuse: reject };
      if (this.prompt_ms > 0) setTimeout(() => this.answerPrompt(args.action), this.prompt_ms);
    });
  };
  /** What happens when the person has answered in the prompt window. */
  answerPrompt(action: DoorAction) {
    const prompt = this.prompt;
    this.prompt = null;
    prompt?.answer(this.carryOut(action));
  }
  private carryOut(action: DoorAction): Outcome {
    this.stateVersion += 1;
    const ofVault = this.vaulted.carryOut(action);
    if (ofVault !== null) return ofVault;
    switch (action.action) {
      case "create_vault":
        this.state = "unlocked";
        return outcome("The vault was created and is open.", { log_key: LOG_KEY });
      case "unlock":
      case "recover":
        this.state = "unlocked";
        this.idle_from = this.now_ms();
        return outcome("The vault is open.");
      case "rearm":
        this.killed = null;
        this.switched.rearm();
        return outcome("Trading is allowed again.");
      case "set_policy":
        this.limits = action.policy;
        this.changed.set(this.log_len, action.policy);
        this.log_len += 1;
        return outcome("The new limits are in force.");
      case "override_rule":
        this.passing.add(action.client_order_id);
        return outcome("This order passes the desk's rules once.");
      case "protect_order":
        this.book.protect(this.known(action.client_order_id), true);
        return outcome("The kill switch leaves this order.");
      case "accept_pin":
        this.pinned = true;
        return outcome(`${action.host} is pinned to ${action.spki_sha256}.`);
      case "forget_pin":
        return outcome(`${action.host} may not have the key ${action.spki_sha256} any more.`);
      default:
        return outcome("Done.");
    }
  }
  public_key = () => this.called("public_key", null, () => scenes.PUBLIC_KEY);
  go_on = (args: { id: number }) => this.called("go_on", args, () => this.vaulted.goOn(args.id));
  end_session = (args: { door: string }) =>
    this.called("end_session", args, () => {
      this.ended.push(args.door);
      return "The session is ended.";
    });
  suspect = (args: { id: number; why: string }) => this.called("suspect", args, () => this.vaulted.suspect(args.id, args.why));
  give_up = async () => {
    this.prompt?.refuse(no("given-up", "The prompt was closed. Nothing was changed.", "ask"));
    this.prompt = null;
  };
  lock = async () => {
    this.calls.push(["lock", null]);
    this.state = "locked";
    this.because = "you locked it";
    this.stateVersion += 1;
    return "Locked. 3 orders stay live at the venue.";
  };
  seal = () =>
    this.called("seal", null, () => {
      this.state = "sealed";
      this.because = "a person sealed it";
      this.stateVersion += 1;
      return "Sealed. Nothing can be signed until you unlock.";
    });
  keys = () => this.called("keys", null, () => this.vaulted.keys);
  slots = () => this.called("slots", null, () => this.vaulted.slots);
  policy = () => this.called("policy", null, () => this.limits);
  instruments = () => this.called("instruments", null, () => [instrument]);
  candles = (args: { symbol: string; interval: Watch["interval"] }) =>
    this.called("candles", args, () => this.market.candles(args.interval).map((c) => ({ ...c })));

  private books = () => ({
    bid: decimal(this.market.bid, TICK_SCALE),
    ask: decimal(this.market.bid + 1, TICK_SCALE),
    free: this.book.free,
    policy: this.limits,
    killed: this.killed !== null,
  });
  check = ({ order }: { order: Order }) => this.called("check", { order }, () => checks(order, this.books()));
  size: Commands["size"] = (args) =>
    this.called("size", args, () => {
      const price = args.price ?? this.books().ask;
      const part =
        args.side === "sell"
          ? mul(this.book.free.BTC!, `0.${String(args.percent).padStart(2, "0")}`)
          : div(mul(this.book.free.USDT!, String(args.percent)), mul(price, "100"), 8);
      const whole = args.percent === 100 && args.side === "sell" ? this.book.free.BTC! : part;
      return trimmed(floorTo(whole, instrument.lot.step));
    });
  place: Commands["place"] = ({ order, name, reason }) =>
    this.called("place", reason === null ? { order } : { order, reason }, () => {
      this.open();
      const stop = this.switched.stopOf(name ?? "sr-");
      if (stop) throw no("kill-switch", `The kill switch is engaged (${stop}). Nothing was sent.`, "ask");
      if (this.killed) throw no("killed", "The kill switch is engaged. Nothing was sent.", "ask");
      if (this.scenario === "rate") throw no("rate", "The venue's order budget is used up (429). Nothing was sent.", { retry_after: 4000 });
      if (this.scenario === "venue-down") throw no("not-sent", "There is no line to the venue. Nothing was sent.", { retry_after: 2000 });
      const checked = checks(order, this.books());
      const refused = checked.checks.find((c) => c.state === "refuse");
      const asking = checked.checks.find((c) => c.state === "ask" && c.can_pass);
      if (asking && reason === null) throw no("reason-needed", `${asking.words} It passes if you give a reason; nothing was sent.`, "ask");
      const passes = name !== null && canPass(checked) && this.passing.delete(name);
      if (refused && !passes) throw no("refused", refused.words);
      return this.send(order, passes ? name : null);
    });

  private send(order: Order, name: string | null): OrderView {
    this.log_len += 4;
    const { bid, ask } = this.books();
    const price = priceOf(order.spec);
    const meets = price !== null && (order.side === "buy" ? compare(price, ask) >= 0 : compare(price, bid) <= 0);
    if ("post_only" in order.spec && meets)
      return this.book.settle(this.book.create(order, "sent"), "refused", "Order would immediately match and take.");
    if (this.scenario === "ambiguous") {
      const sent = this.book.create(order, "ambiguous");
      setTimeout(() => this.book.settle(this.book.find(sent.client_order_id)!, "working"), 5000);
      return sent;
    }
    const made = this.book.create(order, "working", 0, name);
    if (price === null || meets) this.book.fill(made, order.side === "buy" ? ask : bid);
    else if ("limit" in order.spec && order.spec.limit.tif !== "GTC") return this.book.settle(made, "expired");
    return this.book.find(made.client_order_id)!;
  }

  cancel = (args: { client_order_id: string }) =>
    this.called("cancel", args, () => {
      return this.book.settle(this.known(args.client_order_id), "canceled");
    });
  amend: Commands["amend"] = (args) => this.called("amend", args, () => this.book.amend(this.known(args.client_order_id), args.quantity));
  unprotect: Commands["unprotect"] = (args) =>
    this.called("unprotect", args, () => this.book.protect(this.known(args.client_order_id), false));
  private known(id: string): OrderView {
    const order = this.book.find(id);
    if (!order) throw no("unknown-order", "There is no such order.");
    return order;
  }
  orders = (args: { live: boolean }) => this.called("orders", args, () => (args.live ? this.book.live() : [...this.book.all]));
  balances = () => this.called("balances", null, () => this.book.balances());
  kill: Commands["kill"] = (args) =>
    this.called("kill", args, () => {
      if (args.scope === "everything") this.killed = args.why;
      this.stateVersion += 1;
      return this.switched.engage(args.why, args.scope);
    });
  kill_report = () => this.called("kill_report", null, () => this.switched.told());
  drill: Commands["drill"] = async (args) => {
    this.calls.push(["drill", args]);
    await new Promise((done) => setTimeout(done, 400));
    this.killed = "a drill";
    this.stateVersion += 1;
    this.switched.engage("a drill", "everything");
    return this.switched.drilled(args.orders);
  };
  private entry(seq: number): AuditEntry {
    const policy = this.changed.get(seq);
    if (policy) return { seq, at: this.now_us(), kind: "policy-changed", payload: { policy, person: 1 } };
    return scenes.entry(seq, this.log_len, this.now_us());
  }
  audit = (args: { before: number | null; last: number }) =>
    this.called("audit", args, () => {
      if (!this.roles.includes("auditor")) throw no("role", "This session has no auditor role.");
      const end = args.before ?? this.log_len;
      const from = Math.max(0, end - args.last);
      return {
        entries: Array.from({ length: end - from }, (_, i) => this.entry(from + i)),
        size: this.log_len,
      };
    });
  start = () => this.called("start", null, () => undefined);
  verify: Commands["verify"] = async (args) => {
    this.calls.push(["verify", args]);
    for (let done = 1; done <= 12; done++) {
      await new Promise((next) => setTimeout(next, 60));
      this.pushes?.({ push: "verify", done: Math.floor((this.log_len * done) / 12), of: this.log_len });
    }
    return {
      intact: true,
      words: "Every entry follows from the one before it, and every checkpoint is signed.",
      by_kept_key: args.key !== null,
      entries: this.log_len,
      sealed_entries: this.log_len - 51,
      checkpoints: 287,
      head: HEAD,
      at: this.now_us(),
      took_ms: 720,
    };
  };
  settings = (args: { settings: Settings }) =>
    this.called("settings", args, () => {
      this.prefs = args.settings;
    });
}

export const fakeBackend = (options: FakeOptions = {}) => new FakeWorld(options);
