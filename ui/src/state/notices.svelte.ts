// What just happened, said once to eyes and ears. Invariants: at most NOTICES_MAX are shown; errors stay until they are closed; of one order
// only the newest is shown.
import type { Outcome } from "../bindings/contract";
import { adviceWords, fault, isGivenUp } from "../lib/faults";
import type { Answer } from "./prompt.svelte";

export type Tone = "ok" | "warn" | "danger" | "plain";
export type Notice = { id: number; tone: Tone; words: string; more: string; at: number; about: string };

export const NOTICES_MAX = 3;
const SHOWN_MS = 5_000;

export class Notices {
  shown: Notice[] = $state.raw([]);
  /** The newest event, for the status bar; it stays after its notice went. */
  last: Notice | null = $state.raw(null);
  private next = 1;

  /** `about`: the order that it tells of; what was told of it before is replaced. */
  say(words: string, tone: Tone = "plain", more = "", about = ""): void {
    const notice = { id: this.next++, tone, words, more, at: Date.now() * 1000, about };
    this.last = notice;
    const others = this.shown.filter((other) => about === "" || other.about !== about);
    this.shown = [...others, notice].slice(-NOTICES_MAX);
    if (tone !== "danger") setTimeout(() => this.close(notice.id), SHOWN_MS);
  }
  /** Remembers an event without a notice over the page. */
  note(words: string, tone: Tone = "plain"): void {
    this.last = { id: this.next++, tone, words, more: "", at: Date.now() * 1000, about: "" };
  }
  /** What became of an order. A notice that told something else of it is closed; without one it is only remembered. */
  became(words: string, about: string): void {
    this.shown = this.shown.filter((other) => other.about !== about);
    this.note(words);
  }
  /** What came of a prompt: its words, or calmly that the person gave up. Whether it was done. */
  answered(answer: Answer): answer is { outcome: Outcome } {
    if ("outcome" in answer) {
      this.say(answer.outcome.words, "ok");
      return true;
    }
    this.say(answer.error.message, isGivenUp(answer.error) ? "plain" : "danger");
    return false;
  }
  /** What came of a request that answers with words. */
  async told(words: Promise<string>): Promise<void> {
    try {
      this.say(await words, "ok");
    } catch (reason) {
      this.say(fault(reason).message, "danger");
    }
  }
  fail(reason: unknown, what: string): void {
    const error = fault(reason);
    if (isGivenUp(error)) return this.say(error.message);
    this.say(`${what}: ${error.message}`, "danger", adviceWords(error));
  }
  close(id: number): void {
    this.shown = this.shown.filter((notice) => notice.id !== id);
  }
}
