// Everything of an open desk. Invariant: made when the vault opens, ended when it locks; nothing of it outlives that.
import type { Instrument, Push } from "../bindings/contract";
import { mul, trimmed } from "../lib/decimal";
import { grainOf, type Grain } from "../lib/grain";
import type { Entry } from "./entry.svelte";
import { Drill } from "./drill.svelte";
import { Keyring, type ImportFrom } from "./keyring.svelte";
import { Kill } from "./kill.svelte";
import { Limits } from "./limits.svelte";
import { Log } from "./log.svelte";
import { Market, type Time } from "./market.svelte";
import { Notices } from "./notices.svelte";
import { Orders } from "./orders.svelte";
import { Session } from "./session.svelte";
import { Standing } from "./standing.svelte";
import { Ticket } from "./ticket.svelte";
import { Ways } from "./ways.svelte";

export const VIEWS = ["trade", "lines", "keys", "audit", "settings"] as const;
export type View = (typeof VIEWS)[number];
export type Overlay = "palette" | "shortcuts" | null;
const FIRST_VERIFY_AFTER_MS = 3_000;
const MARKETS_AGAIN_MS = 1_000;

export class Shell {
  view: View = $state("trade");
  overlay: Overlay = $state(null);
  instruments: Instrument[] = $state.raw([]);
  instrument: Instrument | null = $state.raw(null);
  readonly notices = new Notices();
  readonly session: Session;
  readonly market: Market;
  readonly orders: Orders;
  readonly standing: Standing;
  readonly ticket: Ticket;
  readonly keyring: Keyring;
  readonly ways: Ways;
  readonly limits: Limits;
  readonly log: Log;
  readonly kill: Kill;
  readonly drill: Drill;
  private stateVersion = -1;
  private unlisten: () => void = () => undefined;
  private verifyTimer: ReturnType<typeof setTimeout> | undefined;
  private marketsTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly entry: Entry,
    time?: Time,
  ) {
    const { backend, prompt } = entry;
    this.session = new Session(backend);
    this.market = new Market(backend, time, () => entry.hello?.software_rendering ?? false);
    this.orders = new Orders(backend, this.notices);
    this.standing = new Standing(backend, prompt, this.orders, this.notices);
    this.ticket = new Ticket(backend, this.market, this.orders, this.notices, prompt);
    this.keyring = new Keyring(backend, prompt, this.notices);
    this.ways = new Ways(backend, prompt, this.notices);
    this.limits = new Limits(backend, prompt, this.notices);
    this.limits.onchange = () => void this.learnMarkets();
    this.log = new Log(backend);
    this.kill = new Kill(backend, this.session, prompt);
    this.kill.sealing.onsealed = (left) => (entry.sealed = { left });
    this.drill = new Drill(backend, this.session);
    this.session.onanswer = (unlocked) => !unlocked && void entry.refresh();
    this.market.onversions = (orders, state) => this.versions(orders, state);
  }

  async start(): Promise<void> {
    this.entry.sealed = null;
    this.unlisten = this.entry.listen((push) => this.receive(push));
    this.market.linkUp = this.entry.link.up;
    this.session.start();
    this.market.start();
    void this.orders.refresh();
    void this.keyring.refresh();
    void this.limits.refresh();
    this.verifyTimer = setTimeout(() => void this.log.verify(), FIRST_VERIFY_AFTER_MS);
    await this.learnMarkets();
  }

  /** The desk knows no markets until the venue has answered: it is asked again until it does. */
  private async learnMarkets(): Promise<void> {
    try {
      this.instruments = this.orders.instruments = await this.entry.backend.instruments();
      const [first] = this.instruments;
      const chosen = this.instruments.find((instrument) => instrument.symbol === this.instrument?.symbol);
      if (chosen) return;
      if (first) await this.choose(first);
      else this.marketsTimer = setTimeout(() => void this.learnMarkets(), MARKETS_AGAIN_MS);
    } catch (reason) {
      this.notices.fail(reason, "The markets could not be read");
    }
  }

  stop(): void {
    clearTimeout(this.verifyTimer);
    clearTimeout(this.marketsTimer);
    this.unlisten();
    this.session.stop();
    this.market.stop();
    this.kill.stop();
    void this.entry.backend.watch({ watch: null }).catch(() => undefined);
  }

  async choose(instrument: Instrument): Promise<void> {
    this.instrument = instrument;
    this.ticket.instrument = instrument;
    await this.market.follow({ symbol: instrument.symbol, step: "" });
  }

  /** Decimals of an instrument's prices and quantities. */
  grain(symbol: string): Grain {
    return grainOf(this.instruments.find((instrument) => instrument.symbol === symbol));
  }

  private receive(push: Push): void {
    switch (push.push) {
      case "frame":
        this.market.receive(push.frame);
        break;
      case "link":
        // That it answers is news only after it did not.
        if (push.up && this.market.linkUp) break;
        this.market.link(push.up);
        this.notices.say(push.words || (push.up ? "The desk answers again" : "The desk does not answer"), push.up ? "ok" : "danger");
        break;
      case "killed":
        this.kill.heard(push.engaged, push.words);
        break;
      case "verify":
        this.log.heard(push.done, push.of);
        break;
      case "open":
        if (push.what === "kill") this.kill.show();
        if (push.what === "import") {
          this.keyring.dropped = true;
          this.importKey("dropped");
        }
    }
  }

  /** Opens the dialog that names a key; `from` is where its secret comes from. */
  importKey(from: ImportFrom): void {
    this.view = "keys";
    this.overlay = null;
    this.keyring.importing = from;
  }

  private versions(orders: number, state: number): void {
    this.orders.seen(orders);
    if (state === this.stateVersion) return;
    this.stateVersion = state;
    void this.session.refresh();
    void this.entry.refresh();
    void this.keyring.refresh();
    // Limits, kill switch or keys may have changed: what the draft was told before may not hold any more.
    this.ticket.recheck();
  }

  async lock(): Promise<void> {
    await this.entry.lock().catch((reason: unknown) => this.notices.fail(reason, "The vault was not locked"));
  }
}

/** Steps that the ladder offers: the tick times 1, 10, 50, 100 and so on. */
export function stepsOf(tick: string): string[] {
  return ["1", "10", "50", "100", "500", "1000"].map((factor) => trimmed(mul(tick, factor)));
}
