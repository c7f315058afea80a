// The simulated vault: keys and ways into it, and what prompts do to them. Invariant: for drawing and testing only.
import type { DoorAction, KeyView, Outcome, SlotFor, SlotInfo } from "../../bindings/contract";
import { ALL_ROLES } from "../permissions";
import * as scenes from "./scenes";

export const outcome = (words: string, more: Partial<Outcome> = {}): Outcome => ({
  words,
  key: null,
  log_key: null,
  public_key: null,
  ...more,
});

export class FakeVault {
  keys: KeyView[];
  slots: SlotInfo[] = [
    { id: 1, kind: "password and device", label: "", kdf: [256, 5], kept: null, is_present: true, roles: ALL_ROLES },
    { id: 2, kind: "recovery kit", label: "", kdf: null, kept: null, is_present: false, roles: ALL_ROLES },
  ];

  constructor(
    private now_us: () => number,
    empty: boolean,
  ) {
    this.keys = empty ? [] : scenes.keys(now_us());
  }

  /** What an action that a person confirmed changes here; null: it is not the vault's. */
  carryOut(action: DoorAction): Outcome | null {
    switch (action.action) {
      case "import": {
        const made = { ...scenes.keys(this.now_us())[0]! };
        made.key = { ...made.key, id: this.nextId(), label: action.label, created: this.now_us() };
        this.keys = [...this.keys, { ...made, age_days: 0, last_used: null, rotate_due: this.now_us() + 90 * 86_400e6 }];
        return outcome(`The key ${action.label} is in the vault.`, { key: made.key });
      }
      case "rotate":
        this.replace(action.id, "revoke");
        return outcome("Switched to the new key. The old one signs no order any more.");
      case "generate": {
        const made = this.replace(action.replaces, "name", action.label);
        return outcome("Made; nobody ever saw its private half.", { key: made.key, public_key: scenes.PUBLIC_KEY });
      }
      case "edit_key": {
        const { id, edit } = action;
        this.change(id, (view) => ({
          ...view,
          step: null,
          key: {
            ...view.key,
            stage: view.key.stage === "new" ? "active" : view.key.stage,
            label: edit.label ?? view.key.label,
            api_key: edit.api_key ?? view.key.api_key,
            details: edit.details ?? view.key.details,
          },
        }));
        return outcome(edit.api_key ? "The key is accepted and in use." : "Changed.");
      }
      case "delete":
        this.keys = this.keys.filter((view) => view.key.id !== action.id);
        return outcome("The key was removed from the vault.");
      case "change_password":
      case "replace_kit":
      case "print_codes":
      case "new_phone":
      case "backup":
      case "export_key":
        return outcome("Done.");
      case "add_slot": {
        const kind = nameOf(action.kind);
        const id = Math.max(0, ...this.slots.map((slot) => slot.id)) + 1;
        this.slots = [
          ...this.slots,
          {
            id,
            kind,
            label: action.label,
            kdf: null,
            kept: null,
            is_present: false,
            roles: action.roles.length > 0 ? action.roles : ALL_ROLES,
          },
        ];
        return outcome("The slot is added.");
      }
      case "set_roles":
        this.slots = this.slots.map((slot) => (slot.id === action.slot ? { ...slot, roles: action.roles } : slot));
        return outcome("The roles count from now on.");
      case "remove_slot":
        this.slots = this.slots.filter((slot) => slot.id !== action.slot);
        return outcome("The slot is closed.");
      case "rekey":
        this.slots = this.slots.slice(0, 2);
        return outcome("Everything in the vault has new keys.");
      default:
        return null;
    }
  }

  goOn(id: number): Outcome {
    const old = this.keys.find((view) => view.key.id === id)?.key.replaces;
    this.keys = this.keys.filter((view) => view.key.id !== old);
    this.change(id, (view) => ({ ...view, step: null }));
    return outcome("It is revoked, and gone from the vault.");
  }

  suspect(id: number, why: string): string {
    const since = this.now_us();
    this.change(id, (view) => ({ ...view, due: [{ due: "suspect", why, since }], rotate_due: since }));
    return "Noted. The key is due for rotation.";
  }

  private nextId = () => this.keys.length + 10;

  private change(id: number, how: (view: KeyView) => KeyView): void {
    this.keys = this.keys.map((view) => (view.key.id === id ? how(view) : view));
  }

  /** A new key beside the old one. */
  private replace(old: number | null, step: "name" | "revoke", label?: string): KeyView {
    const taken = this.keys.find((view) => view.key.id === old) ?? scenes.keys(this.now_us())[0]!;
    const key = { ...taken.key, id: this.nextId(), label: label ?? taken.key.label, replaces: old, created: this.now_us() };
    const made: KeyView =
      step === "name"
        ? { ...taken, key: { ...key, api_key: "", origin: "generated", stage: "new" }, rights: null, last_used: null, step: { step } }
        : { ...taken, key, step: { step, how: ["Log in at Binance and open Account, then API Management."] } };
    if (step === "revoke" && old !== null) this.change(old, (view) => ({ ...view, key: { ...view.key, stage: "retiring" } }));
    this.keys = [...this.keys, { ...made, age_days: 0, due: [] }];
    return made;
  }
}

function nameOf(kind: SlotFor): string {
  if (typeof kind === "string") return kind === "person" ? "password and device" : "auditor";
  const { machine } = kind.shared;
  if (machine === null) return "password, device and a kept share";
  return machine === "keychain" ? "service" : "service with TPM";
}
