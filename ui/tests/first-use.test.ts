// Stories of the first start.
import { render } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { fakeBackend } from "../src/lib/fake";
import Page from "../src/Page.svelte";
import { Entry } from "../src/state/entry.svelte";
import { calls, find, get, gone, open, until } from "./world";

describe("first use", () => {
  it("creates a vault, shows the log's key, adds the practice key, lands on Trade in simulation", async () => {
    const world = open({ scenario: "missing" });
    await world.user.click(await find("create-vault"));
    const create = { action: "create_vault", kdf_memory_mib: 0, kdf_passes: 0 } as const;
    expect(calls(world, "act")).toEqual([{ action: create, source: "typed" }]);
    expect(get("asking").textContent).toContain("The prompt window asks you now");
    world.backend.answerPrompt(create);
    expect((await find("log-key")).textContent).toMatch(/^strongroom-log\+/);
    await world.user.click(get("kept"));
    await world.user.click(await find("add-practice-key"));
    const practice = { action: "import", label: "practice", venue: "binance" } as const;
    expect(calls(world, "act").at(-1)).toEqual({ action: practice, source: "practice" });
    world.backend.answerPrompt(practice);
    await find("ticket");
    await until(() => expect(get("mode").dataset.mode).toBe("simulation"));
    expect(document.querySelector(".app.sim")).not.toBeNull();
  });

  it("a prompt that is given up leads back, and says so", async () => {
    const world = open({ scenario: "missing" });
    await world.user.click(await find("create-vault"));
    await world.user.click(await find("prompt-cancel"));
    expect((await find("first-use-trouble")).textContent).toContain("Nothing was changed");
    expect(get("create-vault")).toBeTruthy();
  });

  it("says what it is not", async () => {
    open({ scenario: "missing" });
    const page = (await find("first-use")).textContent;
    for (const words of ["Spot only", "No withdrawals, no transfers", "Stays here", "Leaves", "What this cannot stop"])
      expect(page).toContain(words);
  });

  it("no field of it takes anything", async () => {
    open({ scenario: "missing" });
    expect((await find("first-use")).querySelectorAll("input, textarea")).toHaveLength(0);
  });
});

describe("lock screen", () => {
  it("takes the desk out of the document and says why", async () => {
    const world = open({ scenario: "plain" });
    await find("ticket");
    await world.user.click(get("lock"));
    await find("lock-screen");
    await gone("desk");
    expect(document.body.textContent).not.toMatch(/BTC|60.124|practice/);
    expect(get("lock-because").textContent).toContain("you locked it");
  });

  it("appears when the vault is locked elsewhere, frames or none", async () => {
    const world = open({ scenario: "plain" });
    await find("ticket");
    world.backend.state = "locked";
    await find("lock-screen");
    await gone("desk");
  });

  it("Enter on the focused button unlocks through the prompt", async () => {
    const world = open({ scenario: "locked" });
    await until(() => expect(document.activeElement).toBe(get("unlock")));
    await world.user.keyboard("{Enter}");
    await find("prompt-cover");
    world.backend.answerPrompt({ action: "unlock" });
    await find("desk");
  });

  it("Esc closes the prompt window and the vault stays shut", async () => {
    const world = open({ scenario: "sealed" });
    await world.user.click(await find("unlock"));
    await find("prompt-cover");
    await world.user.keyboard("{Escape}");
    await gone("prompt-cover");
    expect((await find("lock-trouble")).textContent).toContain("Nothing was changed");
  });

  it("restores a backup through the prompt only, with the kit", async () => {
    const world = open({ scenario: "sealed" });
    await world.user.click(await find("restore-13"));
    await until(() => expect(calls(world, "act").at(-1)).toMatchObject({ action: { action: "recover", generation: 13 } }));
  });

  it("offers no backup while it is only locked", async () => {
    open({ scenario: "locked" });
    await find("unlock");
    expect(document.body.textContent).not.toContain("Restore");
  });
});

it("a backend that cannot be reached is shown with what to do, and asked again", async () => {
  const backend = fakeBackend({ still: true });
  let answers = false;
  const hello = backend.hello;
  backend.hello = () => (answers ? hello() : Promise.reject({ code: "no-desk", message: "The desk could not be started.", advice: "bug" }));
  const entry = new Entry(backend);
  render(Page, { entry });
  expect((await find("trouble-message")).textContent).toBe("The desk could not be started.");
  answers = true;
  await userEvent.setup({ delay: null }).click(get("trouble-again"));
  await find("ticket");
});
