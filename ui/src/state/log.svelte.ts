// The audit log, page by page, and its verification. Invariant: "verified" is a result with its time, never a promise.
import type { AuditEntry, Commands, DoorError, Verified } from "../bindings/contract";
import { fault } from "../lib/faults";

export const PAGE_LEN = 100;
const ENTRIES_MAX = 2_000; // older pages are asked for again rather than kept

export class Log {
  /** Newest first. */
  entries: AuditEntry[] = $state.raw([]);
  size = $state(0);
  loaded = $state(false);
  loading = $state(false);
  trouble: DoorError | null = $state.raw(null);
  verified: Verified | null = $state.raw(null);
  verifyTrouble: DoorError | null = $state.raw(null);
  /** The log's public key as a person kept it elsewhere; empty: the one that this computer names. */
  keptKey = $state("");
  progress: { done: number; of: number } | null = $state.raw(null);

  constructor(private backend: Commands) {}

  get full(): boolean {
    return this.entries.length >= ENTRIES_MAX || (this.entries.at(-1)?.seq ?? 0) <= 0;
  }

  async newest(): Promise<void> {
    await this.page(null);
  }
  async older(): Promise<void> {
    const oldest = this.entries.at(-1);
    if (oldest && !this.full) await this.page(oldest.seq);
  }
  private async page(before: number | null): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    try {
      const page = await this.backend.audit({ before, last: PAGE_LEN });
      const fresh = [...page.entries].reverse();
      this.entries = before === null ? fresh : [...this.entries, ...fresh];
      this.size = page.size;
      this.loaded = true;
      this.trouble = null;
    } catch (reason) {
      this.trouble = fault(reason);
    } finally {
      this.loading = false;
    }
  }

  async verify(): Promise<void> {
    if (this.progress) return;
    this.progress = { done: 0, of: this.size };
    this.verifyTrouble = null;
    try {
      this.verified = await this.backend.verify({ key: this.keptKey.trim() === "" ? null : this.keptKey.trim() });
    } catch (reason) {
      // What an earlier check found says nothing of this one.
      this.verified = null;
      this.verifyTrouble = fault(reason);
    } finally {
      this.progress = null;
    }
  }
  heard(done: number, of: number): void {
    if (this.progress) this.progress = { done, of };
  }
}
