// Who may do what: the page's words are those of the program's table, and a session that may not is told so beside the button.
import { describe, expect, it } from "vitest";
import { PERMISSIONS, type Role } from "../src/bindings/contract";
import { ALL_ROLES, ANY_ROLE_WORDS, ANYBODY_WORDS, forbidden, grantedBy, PERMISSION_ROWS, type Permission } from "../src/lib/permissions";
import { ROLES } from "../src/state/ways.svelte";
import { all, calls, find, get, openDesk, until } from "./world";

const row = (permission: Permission) => PERMISSIONS.find((each) => each.permission === permission)!;

describe("the words of roles", () => {
  it("every row stands in the words of each of its roles, or of every role, or of anybody", () => {
    for (const { roles, what } of PERMISSIONS as readonly { roles: readonly Role[]; what: string }[]) {
      if (roles.length === 0) expect(ANYBODY_WORDS).toContain(what);
      else if (roles.length === ALL_ROLES.length) expect(ANY_ROLE_WORDS).toContain(what);
      for (const role of ALL_ROLES) {
        const isOwn = roles.includes(role) && roles.length < ALL_ROLES.length;
        expect(grantedBy(role).includes(what), `${role}: ${what}`).toBe(isOwn);
      }
    }
  });
  it("every role is told once, with words", () => {
    expect(ROLES.map(([role]) => role)).toEqual(["viewer", "trader", "risk", "key-admin", "auditor"]);
    expect(ROLES.find(([role]) => role === "auditor")?.[1]).toBe(row("read-log").what);
    expect(ROLES.find(([role]) => role === "viewer")?.[1]).toBe(row("read-account").what);
  });
  it.each<[Permission, string, string]>([
    ["see", "anyone", "none"],
    ["set-policy", "risk", "a code, to loosen"],
    ["change-password", "any role", "a code and the password"],
    ["open", "anyone", "what the way in asks for"],
  ])("%s: %s, with %s", (permission, who, proof) =>
    expect(PERMISSION_ROWS.find((each) => each.permission === permission)).toMatchObject({ who, proof, by: row(permission).enforcer }),
  );
  it.each<[Role[] | undefined, Permission, boolean]>([
    [["viewer", "risk"], "set-policy", false],
    [["viewer", "trader"], "set-policy", true],
    [[], "set-policy", true],
    [[], "kill", false],
    [["auditor"], "change-password", false],
    [undefined, "set-policy", false],
  ])("%j, %s: forbidden %s", (roles, permission, is) => expect(forbidden(roles, permission) !== null).toBe(is));
});

describe("on the page", () => {
  it("the settings have the whole table", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("nav-settings"));
    await find("permissions");
    expect(all("permission").map(({ dataset }) => dataset.permission)).toEqual(PERMISSIONS.map(({ permission }) => permission));
    const rearm = all("permission").find(({ dataset }) => dataset.permission === "rearm")!;
    for (const words of ["take the kill switch back", "risk", "a code", "signer"]) expect(rearm.textContent).toContain(words);
    expect(rearm.textContent).not.toContain("not this session");
    expect(all("not-allowed")).toEqual([]);
  });

  it("what the session may not is said beside the button, which stays", async () => {
    const world = await openDesk({ scenario: "plain", roles: ["viewer", "trader"] });
    await world.user.click(get("nav-settings"));
    await find("permissions");
    const hints = () => all("not-allowed").map(({ dataset }) => dataset.permission);
    expect(hints()).toEqual(["set-policy", "manage-ways"]);
    expect(all("not-allowed")[0]!.textContent).toBe("This session may not change the limits. That needs the role risk.");
    expect(all("permission").find(({ dataset }) => dataset.permission === "rearm")!.textContent).toContain("not this session");
    await world.user.click(get("policy-edit"));
    get("policy-form");
    await world.user.click(get("nav-keys"));
    await find("import-key");
    expect(hints()).toEqual(["manage-keys"]);
    await world.user.click(get("nav-audit"));
    expect((await find("audit-trouble")).textContent).toContain("may not read the log. That needs the role auditor");
    await world.user.click(get("kill-open"));
    await world.user.type(await find("kill-word"), "STOP");
    await until(() => expect(get("rearm")).toBeTruthy());
    await until(() => expect(hints()).toContain("rearm"));
    await world.user.click(get("rearm"));
    expect(calls(world, "act")).toMatchObject([{ action: { action: "rearm" } }]);
  });

  it("a session that may not trade reads so at the ticket", async () => {
    const world = await openDesk({ scenario: "empty", roles: ["auditor"] });
    await until(() => expect(get("not-allowed").dataset.permission).toBe("place-order"));
    world.backend.roles = ["trader"];
    await until(() => expect(all("not-allowed")).toEqual([]));
  });

  it("roles are chosen with what each grants beside it", async () => {
    const world = await openDesk({ scenario: "plain" });
    await world.user.click(get("nav-settings"));
    await world.user.click(await find("add-person"));
    const roles = (await find("roles")).textContent;
    for (const role of ALL_ROLES) expect(roles).toContain(grantedBy(role));
    expect(roles).toContain(ANYBODY_WORDS);
  });
});
