//! The code generator's seed. Invariant: it is used inside this process and shown once, at its birth.

use strongroom_guard::STEP_S;
use strongroom_vault::SecretBox;
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

/// Bytes of a new seed: RFC 4226 asks for at least 128 bits and recommends 160.
const SEED_LEN: usize = 20;

/// A new seed.
pub(crate) fn make_seed() -> Result<SecretBox, getrandom::Error> {
    let mut seed = SecretBox::zeroed(SEED_LEN);
    seed.expose_mut(getrandom::fill)?;
    Ok(seed)
}

fn generator(seed: &[u8], name: &str) -> Option<Totp> {
    Builder::new()
        .with_secret(seed.to_vec())
        .with_skew(0)
        .with_step_duration(STEP_S)
        .with_account_name(name.to_owned())
        .with_issuer(Some("Strongroom".to_owned()))
        .build()
        .ok()
}

/// The `otpauth://` address for an authenticator app.
pub(crate) fn uri(seed: &[u8], name: &str) -> Option<Zeroizing<String>> {
    generator(seed, name)?.to_url().ok().map(Zeroizing::new)
}

/// Whether `code` is the one of `step`; compared in constant time.
pub(crate) fn is_code_of(seed: &[u8], code: &[u8], step: u64) -> bool {
    let Some(totp) = generator(seed, "vault") else { return false };
    std::str::from_utf8(code).is_ok_and(|code| totp.check(code, step * STEP_S).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, SHA-1, last six of the eight digits.
    #[test]
    fn rfc_6238_vectors() {
        for (time, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"), (2_000_000_000, "279037")]
        {
            assert!(is_code_of(b"12345678901234567890", code.as_bytes(), time / STEP_S), "at {time}");
            assert!(!is_code_of(b"12345678901234567890", code.as_bytes(), time / STEP_S + 1));
        }
    }
}
