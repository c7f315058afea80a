// The session as the desk last told it. Invariant: time left is counted on from the answer, never guessed beyond it.
import type { Commands, DoorError, LineView, SessionView } from "../bindings/contract";
import { fault } from "../lib/faults";

const ASK_EVERY_MS = 1_000;
export const WARN_MS = 20_000;

export class Session {
  view: SessionView | null = $state.raw(null);
  trouble: DoorError | null = $state.raw(null);
  endTrouble: DoorError | null = $state.raw(null);
  now_ms = $state(Date.now());
  /** Told after every answer, also a failed one: the vault may have been locked elsewhere. */
  onanswer: (unlocked: boolean) => void = () => undefined;
  private received_ms = 0;
  private timer: ReturnType<typeof setInterval> | undefined;
  private asking = false;

  constructor(private backend: Commands) {}

  start(): void {
    void this.refresh();
    this.timer ??= setInterval(() => {
      this.now_ms = Date.now();
      void this.refresh();
    }, ASK_EVERY_MS);
  }
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Ends one session, wherever it is. */
  async end(door: string): Promise<void> {
    this.endTrouble = null;
    try {
      await this.backend.end_session({ door });
    } catch (reason) {
      this.endTrouble = fault(reason);
    }
    await this.refresh();
  }

  async refresh(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      this.view = await this.backend.session();
      this.received_ms = this.now_ms = Date.now();
      this.trouble = null;
    } catch (reason) {
      this.trouble = fault(reason);
    } finally {
      this.asking = false;
    }
    this.onanswer(this.trouble === null && this.view?.state === "unlocked");
  }

  readonly idle_left_ms = $derived.by(() => {
    const left = this.view?.idle_left_ms;
    return left === null || left === undefined ? null : Math.max(0, left - (this.now_ms - this.received_ms));
  });
  readonly warns = $derived(this.idle_left_ms !== null && this.idle_left_ms <= WARN_MS);
  readonly rest: LineView | null = $derived(this.view?.lines.find((line) => line.kind === "rest") ?? null);
  /** Hosts that showed a key which no person has confirmed. */
  readonly blocked = $derived(new Set(this.view?.lines.filter((line) => line.waiting !== null).map((line) => line.host) ?? []).size);
}
