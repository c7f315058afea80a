// The keys of the vault, without anything secret. Invariant: a change is asked by the prompt window and read back afterwards.
import type { Commands, DoorError, DueReason, KeyEdit, KeyStage, KeyView, Scheme } from "../bindings/contract";
import { fault } from "../lib/faults";
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
  /** The dialog for another key is open: in place of this one, or of none. */
  replacing: { old: KeyView | null } | null = $state.raw(null);
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
    return this.change(`Replace the key “${view.key.label}”.`, "The new key is tried first. The old one stays until you revoked it.", {
      action: "rotate",
      id: view.key.id,
    });
  }
  /** A key pair made in the vault, in place of `replaced` or of none. */
  generate(label: string, scheme: Scheme, replaced: KeyView | null): Promise<boolean> {
    return this.change(`Make a key pair, “${label}”.`, "Only its public half leaves the vault.", {
      action: "generate",
      label,
      venue: "binance",
      scheme,
      replaces: replaced?.key.id ?? null,
    });
  }
  /** The venue's name of a key that was made in the vault. */
  name(view: KeyView, api_key: string): Promise<boolean> {
    return this.change(`Name the key “${view.key.label}”.`, "It is tried at the venue at once.", {
      action: "edit_key",
      id: view.key.id,
      edit: { label: null, api_key, details: null },
    });
  }
  /** What is noted of a key, and for what it may be used here. */
  edit(view: KeyView, edit: KeyEdit): Promise<boolean> {
    return this.change(
      `Change what is noted of “${view.key.label}”.`,
      "The prompt shows all of it in the signer's words. What it may be used for bounds new orders only.",
      { action: "edit_key", id: view.key.id, edit },
    );
  }
  publicKey(view: KeyView): Promise<string> {
    return this.backend.public_key({ id: view.key.id });
  }
  /** Does what can be done of a rotation now. */
  async goOn(view: KeyView): Promise<void> {
    await this.notices.told(this.backend.go_on({ id: view.key.id }).then((outcome) => outcome.words));
    await this.refresh();
  }
  async suspect(view: KeyView, why: string): Promise<void> {
    await this.notices.told(this.backend.suspect({ id: view.key.id, why }));
    await this.refresh();
  }
  export(view: KeyView, recipient: string): Promise<boolean> {
    return this.change(`Encrypt the key “${view.key.label}”.`, "It leaves as an age file for this one recipient.", {
      action: "export_key",
      id: view.key.id,
      recipient,
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
    const done = this.notices.answered(await this.prompt.ask({ words, effect }, action, source));
    await this.refresh();
    return done;
  }
}

export function due({ rotate_due, due }: KeyView, now_ms: number): Due {
  const left = rotate_due / 1000 - now_ms;
  return due.length > 0 || left < 0 ? "overdue" : left < SOON_MS ? "soon" : "later";
}

const STAGES: Record<KeyStage, string> = {
  new: "not tried yet",
  active: "signs orders now",
  spare: "in reserve, signs nothing",
  retiring: "replaced, looks after its orders",
};
export const stageWords = ({ key }: KeyView): string => (key.api_key === "" ? "has no name at the venue yet" : STAGES[key.stage]);

/** Why a key should be replaced now, the gravest reason first. */
export function dueWords({ due }: KeyView): string {
  const [first] = [...due].sort((a, b) => GRAVITY.indexOf(a.due) - GRAVITY.indexOf(b.due));
  if (first?.due === "suspect") return first.why;
  if (first?.due === "exposed") return "exposed: was in a plain file";
  return "";
}
const GRAVITY: DueReason["due"][] = ["suspect", "exposed", "age"];
