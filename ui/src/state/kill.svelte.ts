// The kill switch. Invariants: it fires after HOLD_MS of holding or the word STOP, never by one press; it never waits for anything else;
// less than everything is stopped only where a person chose it in the open sheet.
import type { Commands, DoorError, KillReport, KillScope, Killed } from "../bindings/contract";
import { fault } from "../lib/faults";
import type { Prompt } from "./prompt.svelte";
import { Reach, scopeName, type Far } from "./reach.svelte";
import { Sealing } from "./sealing.svelte";
import type { Session } from "./session.svelte";

export const HOLD_MS = 1_200;
export const STOP_WORD = "STOP";
const WATCH_EVERY_MS = 200;

type Fired = { at: "fired"; since_ms: number; scope: KillScope; result: Killed; report: KillReport | null; done_ms: number | null };
export type Stage = { at: "armed" } | { at: "firing"; since_ms: number; scope: KillScope } | Fired | { at: "failed"; error: DoorError };

export class Kill {
  open = $state(false);
  stage: Stage = $state.raw({ at: "armed" });
  /** 0 to 1 while held. */
  progress = $state(0);
  rearmTrouble: DoorError | null = $state.raw(null);
  /** How far the sheet's button and the word STOP reach; keys and the top bar always mean everything. */
  readonly reach = new Reach();
  /** The last stage, for everything only. */
  readonly sealing: Sealing;
  private held: { from_ms: number; scope: KillScope } | null = null;
  private handle: number | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private backend: Commands,
    private session: Session,
    private prompt: Prompt,
    private now: () => number = () => performance.now(),
  ) {
    this.sealing = new Sealing(backend, session);
  }

  get holding(): boolean {
    return this.held !== null;
  }
  /** Everything is stopped, as the desk says. */
  get engaged(): boolean {
    return this.session.view?.killed !== null && this.session.view?.killed !== undefined;
  }

  /** Everything is being stopped, or is. */
  private get underWay(): boolean {
    const { stage } = this;
    return this.engaged || ((stage.at === "firing" || stage.at === "fired") && stage.scope === "everything");
  }

  show(): void {
    if (this.stage.at === "fired" && !this.lasts(this.stage)) this.stage = { at: "armed" };
    if (this.held?.scope !== "everything") this.release();
    this.reach.reset();
    if (!this.underWay) this.sealing.reset();
    this.open = true;
  }
  close(): void {
    this.release();
    this.open = false;
    // What was wished for a stop that never came is not kept for another one.
    if (!this.underWay) this.sealing.reset();
    if (this.stage.at === "failed") this.stage = { at: "armed" };
  }
  /** Another reach is chosen; what was told of the last stop makes room. */
  choose(far: Far): void {
    this.release();
    this.reach.far = far;
    if (far !== "everything" && !this.underWay) this.sealing.reset();
    if (this.stage.at !== "firing") this.stage = { at: "armed" };
  }

  /** A kill key is held: everything, whatever the sheet had chosen. */
  press(): void {
    this.reach.reset();
    if (this.held !== null && this.held.scope !== "everything") this.release();
    this.hold("everything");
  }
  /** The sheet's button is held. */
  pressHere(): void {
    const { aim } = this.reach;
    if ("scope" in aim) this.hold(aim.scope);
  }
  private hold(scope: KillScope): void {
    const stage = this.stage;
    const isStopping = stage.at === "firing" || (stage.at === "fired" && this.engaged);
    if (this.held !== null || (isStopping && stage.scope === "everything")) return;
    this.open = true;
    this.held = { from_ms: this.now(), scope };
    this.step();
  }
  private step = (): void => {
    if (this.held === null) return;
    const { from_ms, scope } = this.held;
    this.progress = Math.min(1, (this.now() - from_ms) / HOLD_MS);
    if (this.progress >= 1) {
      this.release();
      void this.fire("held in the window", scope);
      return;
    }
    this.handle = requestAnimationFrame(this.step);
  };
  release(): void {
    if (this.handle !== null) cancelAnimationFrame(this.handle);
    this.handle = null;
    this.held = null;
    this.progress = 0;
  }
  /** Whether the word was it, and something can be stopped. */
  typed(text: string): boolean {
    const { aim } = this.reach;
    if (text.trim().toUpperCase() !== STOP_WORD || this.stage.at === "firing" || !("scope" in aim)) return false;
    void this.fire("typed in the window", aim.scope);
    return true;
  }

  async fire(why: string, scope: KillScope = "everything"): Promise<void> {
    const since_ms = this.now();
    this.open = true;
    const firing: Stage = { at: "firing", since_ms, scope };
    this.stage = firing;
    try {
      const result = await this.backend.kill({ why, scope });
      // A further one, of everything, may have been fired meanwhile.
      if (this.stage === firing) this.follow(since_ms, scope, result);
    } catch (reason) {
      if (this.stage === firing) this.stage = { at: "failed", error: fault(reason) };
    }
  }
  /** The app fired it (a key held with the window hung, another door). */
  heard(engaged: boolean, words: string): void {
    this.open = true;
    if (!engaged) {
      this.stage = { at: "failed", error: { code: "kill", message: words, advice: "ask" } };
      return;
    }
    if ((this.stage.at === "firing" || this.stage.at === "fired") && this.stage.scope === "everything") return;
    this.follow(this.now(), "everything", { words, frozen_us: 0 });
  }

  /** What was chosen is done; the next hold of the sheet's button is for everything again. */
  private follow(since_ms: number, scope: KillScope, result: Killed) {
    this.reach.reset();
    this.stage = { at: "fired", since_ms, scope, result, report: null, done_ms: null };
    clearInterval(this.timer);
    const mine = () => (this.stage.at === "fired" && this.stage.since_ms === since_ms && this.stage.done_ms === null ? this.stage : null);
    let looks = false;
    const look = async () => {
      if (looks) return;
      looks = true;
      await this.session.refresh();
      const report = await this.backend.kill_report().catch(() => null);
      looks = false;
      const stage = mine();
      if (stage === null) return clearInterval(timer);
      const done_ms = this.isDone({ ...stage, report }) ? this.now() - since_ms : null;
      this.stage = { ...stage, report, done_ms };
      if (done_ms !== null) clearInterval(timer);
    };
    const timer = setInterval(() => void look(), WATCH_EVERY_MS);
    this.timer = timer;
    void look();
  }
  /** Whether the venue said of every order inside that it is gone. */
  private isDone({ scope, report }: Fired): boolean {
    const view = this.session.view;
    if (!view || this.session.trouble !== null) return false;
    if (scope === "everything") return view.live_orders === view.protected_orders;
    // A report counts once the desk itself has heard of this stop.
    return report !== null && report.left.length === 0 && (this.engaged || this.isStopped(scope));
  }
  private isStopped(scope: KillScope): boolean {
    return this.session.view?.stopped.some((words) => words.startsWith(`${scopeName(scope)}:`)) ?? false;
  }
  /** Whether what was told of a stop is still so. */
  private lasts({ scope, done_ms }: Fired): boolean {
    return scope === "everything" ? this.engaged : done_ms === null && this.isStopped(scope);
  }

  async rearm(): Promise<void> {
    this.rearmTrouble = null;
    const answer = await this.prompt.ask(
      { words: "Allow trading again.", effect: "The signer signs orders within your limits from then on." },
      { action: "rearm" },
    );
    await this.session.refresh();
    if ("error" in answer) {
      this.rearmTrouble = answer.error;
      return;
    }
    this.stage = { at: "armed" };
    this.sealing.reset();
    this.open = false;
  }
  stop(): void {
    this.sealing.wish(false);
    this.release();
    clearInterval(this.timer);
  }
}
