// Sealing the vault, the kill switch's last stage. Invariants: only after everything was stopped; with orders left only by a second press
// after that was said; by itself only where it was asked for, and once the venue confirmed the last order as gone.
import type { Commands, DoorError } from "../bindings/contract";
import { fault } from "../lib/faults";
import type { Session } from "./session.svelte";

const LOOK_EVERY_MS = 200;

export type SealStage =
  | { at: "open" }
  /** Asked for, and orders are left: it wants a second press. */
  | { at: "told"; left: number | null }
  | { at: "sealing" }
  | { at: "sealed"; words: string; left: number | null }
  | { at: "failed"; error: DoorError };

export class Sealing {
  stage: SealStage = $state.raw({ at: "open" });
  /** To be sealed once nothing is left. */
  wished = $state(false);
  /** Told once, when it is sealed: the desk's page is gone soon after. */
  onsealed: (left: number | null) => void = () => undefined;
  private timer: ReturnType<typeof setInterval> | undefined;
  private looks = false;
  private seen = false;

  constructor(
    private backend: Commands,
    private session: Session,
  ) {}

  /** Everything is stopped, as the desk says. */
  get allowed(): boolean {
    return typeof this.session.view?.killed === "string";
  }
  /** Orders at the venue whose cancels could not be signed any more, protected ones too; nothing: it is not known. */
  get left(): number | null {
    return this.session.trouble === null ? (this.session.view?.live_orders ?? null) : null;
  }
  private get isDone(): boolean {
    const view = this.session.view;
    return this.allowed && this.session.trouble === null && view !== null && view.live_orders === view.protected_orders;
  }
  get waits(): boolean {
    return this.wished && this.allowed && this.stage.at === "open";
  }

  wish(on: boolean): void {
    this.wished = on;
    this.seen = false;
    clearInterval(this.timer);
    this.timer = undefined;
    if (!on) return;
    if (this.stage.at === "failed" || this.stage.at === "told") this.stage = { at: "open" };
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
  }
  private async look(): Promise<void> {
    // Somebody re-armed elsewhere: what was wished was wished for that stop.
    if (this.seen && !this.allowed) return this.wish(false);
    if (!this.allowed || this.looks) return;
    this.looks = this.seen = true;
    await this.session.refresh();
    this.looks = false;
    if (this.wished && this.isDone) await this.seal();
  }

  /** The button: at once when nothing is left, else the first press is told what follows. */
  async press(): Promise<void> {
    if (!this.allowed) return;
    const { left } = this;
    if (left !== 0 && this.stage.at !== "told") this.stage = { at: "told", left };
    else await this.seal();
  }
  private async seal(): Promise<void> {
    if (this.stage.at === "sealing" || this.stage.at === "sealed") return;
    this.wish(false);
    this.stage = { at: "sealing" };
    const { left } = this;
    try {
      const words = await this.backend.seal();
      this.stage = { at: "sealed", words, left };
      this.onsealed(left);
    } catch (reason) {
      this.stage = { at: "failed", error: fault(reason) };
    }
    await this.session.refresh();
  }

  /** Nothing of it was asked for. What is on its way goes on. */
  reset(): void {
    this.wish(false);
    if (this.stage.at !== "sealing" && this.stage.at !== "sealed") this.stage = { at: "open" };
  }
}
