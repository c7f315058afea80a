// The question that the prompt window asks a person right now. Invariant: one at a time; the page never sees the answer, only the outcome.
import type { Commands, DoorAction, DoorError, Outcome } from "../bindings/contract";
import { fault } from "../lib/faults";

type Source = Parameters<Commands["act"]>[0]["source"];
export type Asked = { words: string; effect: string };
export type Answer = { outcome: Outcome } | { error: DoorError };

export class Prompt {
  asking: Asked | null = $state.raw(null);

  constructor(private backend: Commands) {}

  async ask(asked: Asked, action: DoorAction, source: Source = "typed"): Promise<Answer> {
    this.asking = asked;
    try {
      return { outcome: await this.backend.act({ action, source }) };
    } catch (reason) {
      return { error: fault(reason) };
    } finally {
      this.asking = null;
    }
  }

  async giveUp(): Promise<void> {
    await this.backend.give_up().catch(() => undefined);
  }
}
