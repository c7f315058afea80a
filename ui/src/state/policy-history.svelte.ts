// Earlier limits, read from the log. Invariants: newest first, each as it differs from the one before; it says how much of the log was
// looked through, and looks no further than it was told to.
import type { AuditEntry, Commands, DoorError, Timestamp } from "../bindings/contract";
import { fault } from "../lib/faults";
import { changes, type Change } from "./policy-diff";

/** Entries that the desk gives at once. */
const PAGE_LEN = 50;
/** Entries that one press looks through. */
export const LOOK_LEN = 5_000;
/** Changes that are kept; further ones are read with the terminal. */
export const FOUND_MAX = 200;

type Found = { seq: number; at: Timestamp; person: number | null; policy: unknown };
/** `changes`: against the change before; nothing: that one is not known. */
export type HistoryRow = Omit<Found, "policy"> & { changes: Change[] | null; currency: string | null };

export class PolicyHistory {
  looking = $state(false);
  trouble: DoorError | null = $state.raw(null);
  /** Entries looked through, of how many. */
  looked = $state(0);
  size = $state(0);
  /** The log's first entry was seen, or it gave no more. */
  whole = $state(false);
  private found: Found[] = $state.raw([]);
  private before: number | null = null;
  private turn = 0;

  constructor(private backend: Commands) {}

  readonly rows: HistoryRow[] = $derived(
    this.found.map(({ policy, ...row }, i) => {
      const earlier = this.found[i + 1]?.policy;
      const currency = isReadable(policy) && typeof policy.currency === "string" ? policy.currency : null;
      return { ...row, currency, changes: isReadable(policy) && isReadable(earlier) ? changes(earlier, policy) : null };
    }),
  );
  get full(): boolean {
    return this.found.length >= FOUND_MAX;
  }

  /** From the newest entry on. */
  async begin(): Promise<void> {
    this.stop();
    this.found = [];
    this.before = null;
    this.looked = this.size = 0;
    this.whole = false;
    await this.further();
  }

  /** Goes on where it stopped. */
  async further(): Promise<void> {
    if (this.looking || this.whole || this.full) return;
    this.looking = true;
    this.trouble = null;
    const turn = ++this.turn;
    const until = this.looked + LOOK_LEN;
    try {
      while (turn === this.turn && this.looked < until && !this.whole && !this.full) {
        const page = await this.backend.audit({ before: this.before, last: PAGE_LEN });
        if (turn === this.turn) this.take(page.entries, page.size);
      }
    } catch (reason) {
      if (turn === this.turn) this.trouble = fault(reason);
    }
    if (turn === this.turn) this.looking = false;
  }
  private take(entries: readonly AuditEntry[], size: number): void {
    this.size = size;
    this.looked += entries.length;
    const changed = entries.filter(({ kind }) => kind === "policy-changed").map(foundIn);
    if (changed.length > 0) this.found = [...this.found, ...changed.sort((a, b) => b.seq - a.seq)].slice(0, FOUND_MAX);
    const oldest = entries.reduce<number | null>((least, { seq }) => (least === null || seq < least ? seq : least), this.before);
    this.whole = entries.length === 0 || oldest === null || oldest <= 0 || oldest === this.before;
    this.before = oldest;
  }

  stop(): void {
    this.turn += 1;
    this.looking = false;
  }
}

const isReadable = (policy: unknown): policy is Record<string, unknown> => typeof policy === "object" && policy !== null;
function foundIn({ seq, at, payload }: AuditEntry): Found {
  const { policy = null, person } = isReadable(payload) ? (payload as { policy?: unknown; person?: unknown }) : {};
  return { seq, at, person: typeof person === "number" ? person : null, policy };
}
