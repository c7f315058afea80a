// The kill switch, tried with play money. Invariant: it is told what happens before it begins, and it begins with a press of its own.
import type { Commands, DoorError, Drilled, SessionView } from "../bindings/contract";
import { fault } from "../lib/faults";
import type { Session } from "./session.svelte";

export const DRILL_ORDERS = 20;

export type DrillStage =
  { at: "none" } | { at: "told" } | { at: "running" } | { at: "done"; drilled: Drilled } | { at: "failed"; error: DoorError };

export class Drill {
  stage: DrillStage = $state.raw({ at: "none" });

  constructor(
    private backend: Commands,
    private session: Session,
  ) {}

  /** Before anything happens: what would. */
  tell(): void {
    this.stage = { at: "told" };
  }
  /** What it found stays readable as long as everything is stopped. */
  leave(): void {
    if (this.stage.at !== "running") this.stage = { at: "none" };
  }
  async run(): Promise<void> {
    if (this.stage.at !== "told") return;
    this.stage = { at: "running" };
    try {
      this.stage = { at: "done", drilled: await this.backend.drill({ orders: DRILL_ORDERS }) };
    } catch (reason) {
      this.stage = { at: "failed", error: fault(reason) };
    }
    await this.session.refresh();
  }
}

/** Only with play money, an open vault and nothing stopped. */
export const canDrill = (view: SessionView | null) =>
  view !== null && view.mode === "simulation" && view.state === "unlocked" && view.killed === null && view.stopped.length === 0;
