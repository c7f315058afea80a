// The one seam between page and app: every command by its name, every push checked. Invariant: only this file names the app's API.
import { Channel, invoke } from "@tauri-apps/api/core";
import type { Commands, Push } from "../bindings/contract";

type Name = keyof Commands;

const ask =
  <N extends Exclude<Name, "attach">>(name: N) =>
  (args?: Parameters<Commands[N]>[0]) =>
    invoke(name, args as Record<string, unknown> | undefined) as ReturnType<Commands[N]>;

export function connect(): Commands {
  return {
    async attach({ pushes }) {
      // The checks are not needed before something arrives: they come after the first screen.
      const { readPush } = await import("./pushes");
      const channel = new Channel<unknown>();
      channel.onmessage = (raw) => {
        const push: Push | null = readPush(raw);
        if (push) pushes(push);
        else pushes({ push: "link", up: false, words: "The app sent something this window does not understand. Restart Strongroom." });
      };
      await invoke("attach", { pushes: channel });
    },
    hello: ask("hello"),
    ready: ask("ready"),
    watch: ask("watch"),
    ack: ask("ack"),
    vault: ask("vault"),
    session: ask("session"),
    act: ask("act"),
    give_up: ask("give_up"),
    lock: ask("lock"),
    seal: ask("seal"),
    keys: ask("keys"),
    public_key: ask("public_key"),
    go_on: ask("go_on"),
    suspect: ask("suspect"),
    end_session: ask("end_session"),
    slots: ask("slots"),
    policy: ask("policy"),
    instruments: ask("instruments"),
    candles: ask("candles"),
    check: ask("check"),
    size: ask("size"),
    place: ask("place"),
    cancel: ask("cancel"),
    amend: ask("amend"),
    unprotect: ask("unprotect"),
    orders: ask("orders"),
    balances: ask("balances"),
    kill: ask("kill"),
    kill_report: ask("kill_report"),
    drill: ask("drill"),
    audit: ask("audit"),
    verify: ask("verify"),
    start: ask("start"),
    settings: ask("settings"),
  };
}
