// The ways into the vault. Invariant: nothing secret passes here; every change is asked by the prompt window and read back.
import type { Commands, DoorAction, DoorError, SlotFor, SlotView } from "../bindings/contract";
import { fault, isGivenUp } from "../lib/faults";
import type { Notices } from "./notices.svelte";
import type { Prompt } from "./prompt.svelte";

export class Ways {
  slots: SlotView[] = $state.raw([]);
  trouble: DoorError | null = $state.raw(null);

  constructor(
    private backend: Commands,
    private prompt: Prompt,
    private notices: Notices,
  ) {}

  async refresh(): Promise<void> {
    try {
      this.slots = await this.backend.slots();
      this.trouble = null;
    } catch (reason) {
      this.trouble = fault(reason);
    }
  }

  changePassword = () =>
    this.change("Set a new password.", "The present one is asked first. Old backups still open with it.", { action: "change_password" });
  replaceKit = () =>
    this.change("Print a new recovery kit.", "The old one opens the vault no more. Have paper ready.", { action: "replace_kit" });
  rekey = () =>
    this.change("Give everything new keys.", "Only your password and a new recovery kit open the vault then.", { action: "rekey" });
  backup = () => this.change("Copy the vault's file.", "The copy is as encrypted as the vault itself.", { action: "backup" });
  add = (kind: SlotFor, label: string) =>
    this.change(
      kind === "person" ? `Let “${label}” into the vault.` : `Give “${label}” a code that reads the log.`,
      kind === "person" ? "They type their own password in the prompt." : "The code is shown once. It opens no key.",
      { action: "add_slot", kind, label },
    );
  remove = (slot: SlotView) =>
    this.change(`Close slot ${slot.id}.`, "It opens the vault no more; backups of before still open with it.", {
      action: "remove_slot",
      slot: slot.id,
    });

  private async change(words: string, effect: string, action: DoorAction): Promise<boolean> {
    const answer = await this.prompt.ask({ words, effect }, action);
    if ("error" in answer) this.notices.say(answer.error.message, isGivenUp(answer.error) ? "plain" : "danger");
    else this.notices.say(answer.outcome.words, "ok");
    await this.refresh();
    return "outcome" in answer;
  }
}
