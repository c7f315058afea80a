// TLS and certificates in words. Invariant: only the spelling changes; a name that is not known is shown as it came.

/** "TLSv1_3" and "TLSv1.3" are TLS 1.3. */
export const tlsWords = (tls: string) => tls.replace(/^TLSv?(\d)[._](\d)$/, "TLS $1.$2");
/** "TLS13_AES_256_GCM_SHA384" names its version twice: the column beside says it. */
export const cipherWords = (cipher: string) => cipher.replace(/^TLS(?:13)?_/, "");

/** The common name of "CN=…, O=…"; the whole text when there is none. */
export function commonName(subject: string): string {
  const found = /(?:^|[,+/]\s*)CN\s*=\s*((?:\\.|[^,+/\\])+)/i.exec(subject)?.[1];
  return found?.replace(/\\(.)/g, "$1").trim() ?? subject;
}
