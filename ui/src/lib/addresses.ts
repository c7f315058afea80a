// IP addresses by their shape. Invariant: what the vault would refuse is refused here; a name, a port or a network is no address.
const OCTET = /^(0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])$/;
const GROUP = /^[0-9a-f]{1,4}$/i;

const isV4 = (text: string) => {
  const octets = text.split(".");
  return octets.length === 4 && octets.every((octet) => OCTET.test(octet));
};

/** How many groups a side of "::" has; nothing when it has none of the right shape. */
function groupsOf(side: string, isLast: boolean): number | null {
  if (side === "") return 0;
  const groups = side.split(":");
  const tail = isLast && isV4(groups.at(-1)!) ? 2 : GROUP.test(groups.at(-1)!) ? 1 : null;
  return tail !== null && groups.slice(0, -1).every((group) => GROUP.test(group)) ? groups.length - 1 + tail : null;
}

function isV6(text: string): boolean {
  const sides = text.split("::");
  if (sides.length > 2) return false;
  const counts = sides.map((side, i) => groupsOf(side, i === sides.length - 1));
  if (counts.includes(null)) return false;
  const count = counts.reduce<number>((sum, n) => sum + (n ?? 0), 0);
  return sides.length === 2 ? count <= 7 : count === 8;
}

export const isAddress = (text: string) => isV4(text) || (text.includes(":") && isV6(text));
