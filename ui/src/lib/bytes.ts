/** How long a text is where the vault bounds it: in bytes of UTF-8, not in letters. */
export const bytesOf = (text: string) => new TextEncoder().encode(text).length;
