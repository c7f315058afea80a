// Who may do what, as the program's own table says. Invariant: nothing is known here of a role or an operation that is not in the table.
import { PERMISSIONS, type Role } from "../bindings/contract";

type Row = (typeof PERMISSIONS)[number];
export type Permission = Row["permission"];
type Proof = Row["proof"];

/** Every role, in the order in which they are told. Total: a role that the contract gains does not compile until it stands here. */
const EACH: Record<Role, true> = { viewer: true, trader: true, risk: true, "key-admin": true, auditor: true };
export const ALL_ROLES = Object.keys(EACH) as Role[];

const rolesOf = (row: Row): readonly Role[] => row.roles;
const isForAnyRole = (row: Row) => ALL_ROLES.every((role) => rolesOf(row).includes(role));
const wordsOf = (rows: readonly Row[]) => rows.map(({ what }) => what).join("; ");

/** What a role grants beside what every role does; what every role does, where it grants no more. */
export function grantedBy(role: Role): string {
  const rows = PERMISSIONS.filter((row) => rolesOf(row).includes(role));
  const own = rows.filter((row) => !isForAnyRole(row));
  return wordsOf(own.length > 0 ? own : rows);
}
/** What every role may, and what needs none. */
export const ANY_ROLE_WORDS = wordsOf(PERMISSIONS.filter(isForAnyRole));
export const ANYBODY_WORDS = wordsOf(PERMISSIONS.filter((row) => rolesOf(row).length === 0));

const PROOFS: Record<Proof, string> = {
  none: "none",
  code: "a code",
  "code-to-loosen": "a code, to loosen",
  "code-and-password": "a code and the password",
  factors: "what the way in asks for",
};
/** The table, in words. */
export const PERMISSION_ROWS = PERMISSIONS.map((row) => ({
  permission: row.permission,
  what: row.what,
  who: rolesOf(row).length === 0 ? "anyone" : isForAnyRole(row) ? "any role" : rolesOf(row).join(", "),
  proof: PROOFS[row.proof],
  by: row.enforcer,
}));

/** Why a session with these roles may not; nothing: it may, or its roles are not known. */
export function forbidden(roles: readonly Role[] | undefined, permission: Permission): string | null {
  const row = PERMISSIONS.find((each) => each.permission === permission);
  if (!row || roles === undefined || rolesOf(row).length === 0 || rolesOf(row).some((role) => roles.includes(role))) return null;
  return `This session may not ${row.what}. That needs the role ${rolesOf(row).join(" or ")}.`;
}
