// Which keys a server may have. Invariant: a change goes through the prompt window, where the signer names server and key again.
import type { Shell } from "./shell.svelte";

export async function changePin(shell: Shell, action: "accept_pin" | "forget_pin", host: string, spki_sha256: string): Promise<void> {
  const asked =
    action === "accept_pin"
      ? { words: `Trust another key of ${host}.`, effect: "Compare the key in the prompt with the one that the venue publishes." }
      : { words: `Trust a key of ${host} no more.`, effect: "A server with this key is sent nothing from then on." };
  shell.notices.answered(await shell.entry.prompt.ask(asked, { action, host, spki_sha256 }));
  await shell.session.refresh();
}
