// The ways into the vault. Invariant: nothing secret passes here; every change is asked by the prompt window and read back.
import type { Commands, DoorAction, DoorError, Role, SlotFor, SlotInfo } from "../bindings/contract";
import { fault } from "../lib/faults";
import { ALL_ROLES, grantedBy } from "../lib/permissions";
import type { Notices } from "./notices.svelte";
import type { Prompt } from "./prompt.svelte";

/** Every role, with what it grants. */
export const ROLES: [Role, string][] = ALL_ROLES.map((role) => [role, grantedBy(role)]);

export class Ways {
  slots: SlotInfo[] = $state.raw([]);
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
    this.change("Set a new password.", "The present one is asked first. Old backups still open with it.", {
      action: "change_password",
      slot: null,
    });
  replaceKit = () =>
    this.change("Print a new recovery kit.", "The old one opens the vault no more. Have paper ready.", { action: "replace_kit" });
  printCodes = () =>
    this.change("Print recovery codes.", "Each stands in for one code of the phone. Earlier ones count no more. Have paper ready.", {
      action: "print_codes",
    });
  newPhone = () =>
    this.change(
      "Put the codes onto a new phone.",
      "A code of the old one, or a recovery code, is asked first. The old one's count no more.",
      {
        action: "new_phone",
      },
    );
  rekey = () =>
    this.change("Give everything new keys.", "Only your password and a new recovery kit open the vault then.", { action: "rekey" });
  backup = () => this.change("Copy the vault's file.", "The copy is as encrypted as the vault itself.", { action: "backup" });
  add = (kind: SlotFor, label: string, roles: Role[]) => this.change(...wordsOf(kind, label), { action: "add_slot", kind, label, roles });
  setRoles = (slot: SlotInfo, roles: Role[]) =>
    this.change(`Say anew what the owner of slot ${slot.id} may do.`, `From now on: ${roles.join(", ")}.`, {
      action: "set_roles",
      slot: slot.id,
      roles,
    });
  remove = (slot: SlotInfo) =>
    this.change(`Close slot ${slot.id}.`, "It opens the vault no more; backups of before still open with it.", {
      action: "remove_slot",
      slot: slot.id,
    });

  private async change(words: string, effect: string, action: DoorAction): Promise<boolean> {
    const done = this.notices.answered(await this.prompt.ask({ words, effect }, action));
    await this.refresh();
    return done;
  }
}

/** What adding such a way does, and what follows from it. */
function wordsOf(kind: SlotFor, label: string): [string, string] {
  if (kind === "auditor") return [`Give “${label}” a code that reads the log.`, "The code is shown once. It opens no key."];
  const person = `Let “${label}” into the vault.`;
  if (kind === "person") return [person, "They type their own password in the prompt."];
  if (kind.shared.machine === null) return [person, "They type their own password, and the PIN or token of whoever keeps the share."];
  return [`Let “${label}” open the vault without a person.`, "It signs with the keys that are marked for machines, and changes nothing."];
}
