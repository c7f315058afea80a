//! Private keys in PEM. Invariant: what comes out has one begin line, one end line and base64 between them; whether it is
//! a key is for the signer to find out.

use zeroize::Zeroizing;

use super::Trouble;

/// How every PEM begins.
pub(super) const BEGIN: &str = "-----BEGIN ";
const HEAD: &str = "-----BEGIN PRIVATE KEY-----";
const TAIL: &str = "-----END PRIVATE KEY-----";

/// With line breaks, whether the file has them or spells them `\n`.
pub(super) fn normal(text: &str) -> Result<Zeroizing<String>, Trouble> {
    let text = Zeroizing::new(text.trim().replace("\\r", "").replace("\\n", "\n").replace('\r', ""));
    if text.starts_with("-----BEGIN ENCRYPTED") || text.contains("\nProc-Type: 4,ENCRYPTED") {
        return Err(Trouble::Encrypted);
    }
    if text.starts_with("-----BEGIN RSA") || text.starts_with("-----BEGIN EC ") {
        return Err(Trouble::OtherKind);
    }
    let mut whole = Zeroizing::new(String::with_capacity(text.len() + 1));
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        whole.push_str(line);
        whole.push('\n');
    }
    if is_whole(&whole) { Ok(whole) } else { Err(Trouble::NoKey) }
}

/// Whether it is the normal form.
pub(super) fn is_whole(text: &str) -> bool {
    let body = text.strip_prefix(HEAD).and_then(|rest| rest.strip_prefix('\n')).and_then(|rest| rest.trim_end().strip_suffix(TAIL));
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\n".contains(&byte);
    body.is_some_and(|body| body.len() > 1 && body.ends_with('\n') && body.bytes().all(base64))
}
