// A page on the simulated backend, for stories. Invariant: every story has its own world.
import { cleanup, render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { fakeBackend, type FakeWorld } from "../src/lib/fake";
import type { FakeOptions } from "../src/lib/fake/scenario";
import Page from "../src/Page.svelte";
import "../src/views/Desk.svelte"; // read before the clock of a story starts
import { Entry } from "../src/state/entry.svelte";

export type World = { backend: FakeWorld; entry: Entry; user: ReturnType<typeof userEvent.setup> };

export function open(options: FakeOptions = {}): World {
  cleanup();
  const backend = fakeBackend({ still: true, prompt_ms: 0, ...options });
  const entry = new Entry(backend);
  render(Page, { entry });
  return { backend, entry, user: userEvent.setup({ delay: null }) };
}

export const get = (id: string) => screen.getByTestId(id);
export const all = (id: string) => screen.queryAllByTestId(id);
export const find = (id: string) => screen.findByTestId(id, undefined, { timeout: 8_000 });
export const gone = (id: string) => waitFor(() => expectNone(id), { timeout: 8_000 });
function expectNone(id: string) {
  if (screen.queryAllByTestId(id).length > 0) throw new Error(`${id} is still there`);
}
export const until = (check: () => void) => waitFor(check, { timeout: 8_000 });

/** The desk with its market loaded. */
export async function openDesk(options: FakeOptions = {}): Promise<World> {
  const world = open(options);
  await find("ticket");
  await until(() => {
    if (all("level-sell").length === 0) throw new Error("no book yet");
  });
  return world;
}
export const calls = (world: World, name: string) => world.backend.calls.filter(([called]) => called === name).map(([, args]) => args);
