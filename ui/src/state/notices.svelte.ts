// What just happened, said once to eyes and ears. Invariant: at most NOTICES_MAX are shown; errors stay until they are closed.
import { adviceWords, fault } from "../lib/faults";

export type Tone = "ok" | "warn" | "danger" | "plain";
export type Notice = { id: number; tone: Tone; words: string; more: string; at: number };

const NOTICES_MAX = 4;
const SHOWN_MS = 5_000;

export class Notices {
  shown: Notice[] = $state.raw([]);
  /** The newest event, for the status bar; it stays after its notice went. */
  last: Notice | null = $state.raw(null);
  private next = 1;

  say(words: string, tone: Tone = "plain", more = ""): void {
    const notice = { id: this.next++, tone, words, more, at: Date.now() * 1000 };
    this.last = notice;
    this.shown = [...this.shown, notice].slice(-NOTICES_MAX);
    if (tone !== "danger") setTimeout(() => this.close(notice.id), SHOWN_MS);
  }
  /** Remembers an event without a notice over the page. */
  note(words: string, tone: Tone = "plain"): void {
    this.last = { id: this.next++, tone, words, more: "", at: Date.now() * 1000 };
  }
  fail(reason: unknown, what: string): void {
    const error = fault(reason);
    this.say(`${what}: ${error.message}`, "danger", adviceWords(error));
  }
  close(id: number): void {
    this.shown = this.shown.filter((notice) => notice.id !== id);
  }
}
