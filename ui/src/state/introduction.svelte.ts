// The four steps of first use. Invariant: each step that changes something is asked by the prompt window, and can be repeated after a refusal.
import type { DoorError } from "../bindings/contract";
import type { Entry } from "./entry.svelte";

export const STEPS = ["What this is", "Vault", "Recovery kit", "Practice"] as const;
export const PRACTICE_LABEL = "practice";

export class Introduction {
  step = $state(0);
  trouble: DoorError | null = $state.raw(null);
  logKey: string | null = $state(null);

  /** Whether there is something to practise on: not where money is real. */
  get practises(): boolean {
    return !this.entry.live;
  }

  constructor(private entry: Entry) {
    this.logKey = entry.vault?.log_key ?? null;
  }

  async createVault(): Promise<void> {
    this.trouble = null;
    this.step = 1;
    const answer = await this.entry.prompt.ask(
      {
        words: "It asks for a password, shows the recovery kit and sets up the codes that confirm what matters.",
        effect: "Have paper or a printer ready, and an authenticator app if you use one.",
      },
      { action: "create_vault", kdf_memory_mib: 0, kdf_passes: 0 },
    );
    if ("error" in answer) {
      this.trouble = answer.error;
      this.step = 0;
      return;
    }
    this.entry.made = true;
    await this.entry.refresh();
    this.logKey = answer.outcome.log_key ?? this.entry.vault?.log_key ?? null;
    this.step = 2;
  }

  async toPractice(): Promise<void> {
    if (this.entry.live) await this.finish();
    else this.step = 3;
  }

  async addPracticeKey(): Promise<void> {
    this.trouble = null;
    const answer = await this.entry.prompt.ask(
      { words: "Add the practice key.", effect: "It belongs to the practice venue on this machine. No real money." },
      { action: "import", label: PRACTICE_LABEL, venue: "binance" },
      "practice",
    );
    if ("error" in answer) this.trouble = answer.error;
    else await this.finish();
  }

  async finish(): Promise<void> {
    await this.entry.refresh();
    this.entry.introducing = false;
  }
}
