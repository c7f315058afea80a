// The kill switch. Invariants: it fires after HOLD_MS of holding or the word STOP, never by one press; it never waits for anything else.
import type { Commands, DoorError, Killed } from "../bindings/contract";
import { fault } from "../lib/faults";
import type { Prompt } from "./prompt.svelte";
import type { Session } from "./session.svelte";

export const HOLD_MS = 1_200;
export const STOP_WORD = "STOP";
const WATCH_EVERY_MS = 200;

export type Stage =
  | { at: "armed" }
  | { at: "firing"; since_ms: number }
  | { at: "fired"; since_ms: number; result: Killed; done_ms: number | null }
  | { at: "failed"; error: DoorError };

export class Kill {
  open = $state(false);
  stage: Stage = $state.raw({ at: "armed" });
  /** 0 to 1 while held. */
  progress = $state(0);
  rearmTrouble: DoorError | null = $state.raw(null);
  private held_from: number | null = null;
  private handle: number | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private backend: Commands,
    private session: Session,
    private prompt: Prompt,
    private now: () => number = () => performance.now(),
  ) {}

  get holding(): boolean {
    return this.held_from !== null;
  }
  get engaged(): boolean {
    return this.session.view?.killed !== null && this.session.view?.killed !== undefined;
  }

  show(): void {
    if (this.stage.at === "fired" && !this.engaged) this.stage = { at: "armed" };
    this.open = true;
  }
  close(): void {
    this.release();
    this.open = false;
    if (this.stage.at === "failed") this.stage = { at: "armed" };
  }

  press(): void {
    if (this.held_from !== null || this.stage.at === "firing" || (this.stage.at === "fired" && this.engaged)) return;
    this.open = true;
    this.held_from = this.now();
    this.step();
  }
  private step = (): void => {
    if (this.held_from === null) return;
    this.progress = Math.min(1, (this.now() - this.held_from) / HOLD_MS);
    if (this.progress >= 1) {
      this.release();
      void this.fire("held in the window");
      return;
    }
    this.handle = requestAnimationFrame(this.step);
  };
  release(): void {
    if (this.handle !== null) cancelAnimationFrame(this.handle);
    this.handle = null;
    this.held_from = null;
    this.progress = 0;
  }
  typed(text: string): void {
    if (text.trim().toUpperCase() === STOP_WORD && this.stage.at !== "firing") void this.fire("typed in the window");
  }

  async fire(why: string): Promise<void> {
    const since_ms = this.now();
    this.open = true;
    this.stage = { at: "firing", since_ms };
    try {
      this.follow(since_ms, await this.backend.kill({ why }));
    } catch (reason) {
      this.stage = { at: "failed", error: fault(reason) };
    }
  }
  /** The app fired it (a key held with the window hung, another door). */
  heard(engaged: boolean, words: string): void {
    this.open = true;
    if (!engaged) {
      this.stage = { at: "failed", error: { code: "kill", message: words, advice: "ask" } };
      return;
    }
    if (this.stage.at === "firing" || this.stage.at === "fired") return;
    this.follow(this.now(), { words, frozen_us: 0 });
  }

  private follow(since_ms: number, result: Killed) {
    this.stage = { at: "fired", since_ms, result, done_ms: null };
    clearInterval(this.timer);
    const look = async () => {
      await this.session.refresh();
      if (this.stage.at !== "fired" || this.stage.done_ms !== null) return clearInterval(this.timer);
      const view = this.session.view;
      if (view && view.live_orders === view.protected_orders && this.session.trouble === null) {
        this.stage = { ...this.stage, done_ms: this.now() - since_ms };
        clearInterval(this.timer);
      }
    };
    this.timer = setInterval(() => void look(), WATCH_EVERY_MS);
    void look();
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
    this.open = false;
  }
  stop(): void {
    this.release();
    clearInterval(this.timer);
  }
}
