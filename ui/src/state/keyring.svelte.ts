// The keys of the vault, without anything secret. Invariant: a change is asked by the prompt window and read back afterwards.
import type { Commands, DoorError, KeyView } from "../bindings/contract";
import { fault, isGivenUp } from "../lib/faults";
import type { Notices } from "./notices.svelte";
import type { Prompt } from "./prompt.svelte";

export type ImportFrom = "typed" | "dropped";
export type Due = "later" | "soon" | "overdue";
const SOON_MS = 14 * 86_400_000;

export class Keyring {
  keys: KeyView[] = $state.raw([]);
  loaded = $state(false);
  /** The import dialog is open, for this source. */
  importing: ImportFrom | null = $state(null);
  /** A file was dropped on the window and waits, unread. */
  dropped = $state(false);
  trouble: DoorError | null = $state.raw(null);

  constructor(
    private backend: Commands,
    private prompt: Prompt,
    private notices: Notices,
  ) {}

  async refresh(): Promise<void> {
    try {
      this.keys = await this.backend.keys();
      this.trouble = null;
    } catch (reason) {
      this.trouble = fault(reason);
    }
    this.loaded = true;
  }

  import(label: string, source: "typed" | "practice" | "dropped"): Promise<boolean> {
    // The app forgets a dropped file when it hands it on.
    if (source === "dropped") this.dropped = false;
    const words = source === "practice" ? "Add the practice key." : `Hand over the key “${label}”.`;
    return this.change(
      words,
      "It goes to the signer, sealed. This window never sees it.",
      { action: "import", label, venue: "binance" },
      source,
    );
  }
  rotate(view: KeyView): Promise<boolean> {
    return this.change(`Replace the key “${view.key.label}”.`, "The new key signs from then on. Delete the old one at the venue.", {
      action: "rotate",
      id: view.key.id,
    });
  }
  delete(view: KeyView): Promise<boolean> {
    return this.change(
      `Delete the key “${view.key.label}”.`,
      "The vault forgets it. It stays valid at the venue until you delete it there.",
      { action: "delete", id: view.key.id },
    );
  }

  private async change(
    words: string,
    effect: string,
    action: Parameters<Prompt["ask"]>[1],
    source: "typed" | "practice" | "dropped" = "typed",
  ): Promise<boolean> {
    const answer = await this.prompt.ask({ words, effect }, action, source);
    if ("error" in answer) this.notices.say(answer.error.message, isGivenUp(answer.error) ? "plain" : "danger");
    else this.notices.say(answer.outcome.words, "ok");
    await this.refresh();
    return "outcome" in answer;
  }
}

export function due({ rotate_due }: KeyView, now_ms: number): Due {
  const left = rotate_due / 1000 - now_ms;
  return left < 0 ? "overdue" : left < SOON_MS ? "soon" : "later";
}
