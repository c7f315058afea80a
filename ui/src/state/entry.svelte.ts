// What the page knows before a vault is open: the app, the vault, the look. Invariant: nothing of the market is imported here.
import type { Commands, DoorError, Hello, Push, SessionView, VaultView } from "../bindings/contract";
import { fault } from "../lib/faults";
import { Look } from "./look.svelte";
import { Prompt } from "./prompt.svelte";

const LOOK_AGAIN_MS = 2_000;
export class Entry {
  hello: Hello | null = $state.raw(null);
  vault: VaultView | null = $state.raw(null);
  trouble: DoorError | null = $state.raw(null);
  link: { up: boolean; words: string } = $state.raw({ up: true, words: "" });
  /** First use goes on after the vault exists, until it says it is done. */
  introducing = $state(false);
  /** First use made the vault itself; one that appears otherwise ends it. */
  made = false;
  /** Money is real here: there is nothing to practise on. */
  live = $state(false);
  /** What a locked vault trades on, as the desk said last. */
  mode: SessionView["mode"] | null = $state(null);
  /** It was sealed from the kill switch's sheet, and so many orders were left; nothing: that was not known. */
  sealed: { left: number | null } | null = $state.raw(null);
  readonly prompt: Prompt;
  readonly look: Look;
  private listeners = new Set<(push: Push) => void>();
  private attached = false;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(readonly backend: Commands) {
    this.prompt = new Prompt(backend);
    this.look = new Look(backend);
  }

  readonly screen: "starting" | "trouble" | "first-use" | "lock" | "desk" = $derived.by(() => {
    if (!this.vault) return this.trouble ? "trouble" : "starting";
    if (this.vault.state === "missing" || this.introducing) return "first-use";
    return this.vault.state === "unlocked" ? "desk" : "lock";
  });

  async start(): Promise<void> {
    this.timer ??= setInterval(() => this.screen !== "desk" && void this.lookAgain(), LOOK_AGAIN_MS);
    try {
      if (!this.hello) {
        const hello = await this.backend.hello();
        this.look.take(hello.settings);
        this.hello = hello;
      }
      await this.refresh();
      if (this.vault?.state === "missing") {
        this.introducing = true;
        this.live = (await this.backend.session()).mode === "live";
      }
      await this.attach();
    } catch (reason) {
      this.trouble = fault(reason);
    }
  }
  /** A person wants it tried again: a desk that is gone is started anew first. */
  async again(): Promise<void> {
    await this.backend.start().catch(() => undefined);
    await this.start();
  }
  private lookAgain(): Promise<void> {
    return this.hello && this.attached ? this.refresh() : this.start();
  }
  private async attach(): Promise<void> {
    if (this.attached) return;
    this.attached = true;
    try {
      await this.backend.attach({ pushes: (push) => this.receive(push) });
    } catch (reason) {
      this.attached = false;
      this.link = { up: false, words: `Nothing moves here: ${fault(reason).message}` };
    }
  }

  stop(): void {
    clearInterval(this.timer);
  }

  async refresh(): Promise<void> {
    try {
      this.vault = await this.backend.vault();
      if (this.vault.state !== "missing" && !this.made && this.prompt.asking === null) this.introducing = false;
      this.trouble = null;
      if (this.screen === "lock") this.mode = (await this.backend.session()).mode;
    } catch (reason) {
      this.trouble = fault(reason);
    }
  }

  /** Everything the app says unasked goes to whoever listens; a lost link is remembered here. */
  listen(listener: (push: Push) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  private receive(push: Push) {
    if (push.push === "link") this.link = { up: push.up, words: push.words };
    if (push.push === "open" && push.what === "lock") void this.lock();
    for (const listener of this.listeners) listener(push);
  }

  async lock(): Promise<void> {
    try {
      await this.backend.lock();
    } finally {
      await this.refresh();
    }
  }
}
