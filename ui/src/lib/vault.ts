// The vault's name and state as people say them. Invariant: nothing of the market is imported here; the lock screen needs it first.

/** The last folder of a profile's path: what people call it. */
export const profileName = (path: string) => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
/** The desk says "ok" or what is wrong. */
export const anchorWords = (anchor: string) =>
  anchor === "ok" ? { holds: true, words: "file and keychain agree" } : { holds: false, words: anchor };
