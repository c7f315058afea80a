//! The passphrase of an encrypted file and what may be spent on it. Invariant: no derivation begins whose cost the budget
//! does not cover, whatever the file asks for.

use std::cell::Cell;

use pbkdf2::{Algorithm, Params, pbkdf2_hmac_with_params};

use super::Trouble;

/// Most work for one file: rounds of PBKDF2, or scrypt's `N * r * p`. Hummingbot asks for a million for each field.
pub const WORK_MAX: u64 = 5_000_000;
/// Most memory for scrypt, bytes: 128 * N * r.
const SCRYPT_MEMORY_MAX: u64 = 128 * 1_024 * 1_024;

/// One try at a file.
pub(super) struct Opening<'a> {
    passphrase: Option<&'a [u8]>,
    work_left: Cell<u64>,
    placeholders: Cell<bool>,
}

impl<'a> Opening<'a> {
    pub(super) const fn new(passphrase: Option<&'a [u8]>, work_max: u64) -> Self {
        Self { passphrase, work_left: Cell::new(work_max), placeholders: Cell::new(false) }
    }

    /// The passphrase; without one it has to be asked for.
    pub(super) fn passphrase(&self) -> Result<&'a [u8], Trouble> {
        self.passphrase.ok_or(Trouble::NeedsPassphrase)
    }

    /// Whether PBKDF2 with these rounds may be done.
    pub(super) fn afford_pbkdf2(&self, rounds: u64) -> Result<(), Trouble> {
        if rounds == 0 { Err(Trouble::Damaged) } else { self.spend(rounds) }
    }

    /// Whether scrypt with these parameters may be done.
    pub(super) fn afford_scrypt(&self, n: u64, r: u64, p: u64) -> Result<(), Trouble> {
        let memory = n.checked_mul(r).and_then(|blocks| blocks.checked_mul(128));
        let work = n.checked_mul(r).and_then(|blocks| blocks.checked_mul(p));
        match (memory, work) {
            (Some(memory), Some(work)) if memory <= SCRYPT_MEMORY_MAX => self.spend(work),
            _ => Err(Trouble::Costly),
        }
    }

    /// PBKDF2 with HMAC-SHA-256.
    pub(super) fn pbkdf2(&self, salt: &[u8], rounds: u64, out: &mut [u8; 32]) -> Result<(), Trouble> {
        let passphrase = self.passphrase()?;
        self.afford_pbkdf2(rounds)?;
        let rounds = u32::try_from(rounds).map_err(|_| Trouble::Costly)?;
        // Fewer than a thousand rounds are none of a program that is known.
        let params = Params::new(rounds).map_err(|_| Trouble::OtherCipher)?;
        pbkdf2_hmac_with_params(passphrase, salt, Algorithm::Pbkdf2Sha256, params, out);
        Ok(())
    }

    /// scrypt with N = 2^`log_n`.
    pub(super) fn scrypt(&self, salt: &[u8], (log_n, r, p): (u8, u32, u32), out: &mut [u8; 32]) -> Result<(), Trouble> {
        let passphrase = self.passphrase()?;
        self.afford_scrypt(1_u64.checked_shl(u32::from(log_n)).unwrap_or(u64::MAX), u64::from(r), u64::from(p))?;
        let params = scrypt::Params::new(log_n, r, p).map_err(|_| Trouble::Costly)?;
        scrypt::scrypt(passphrase, salt, &params, out).map_err(|_| Trouble::Damaged)
    }

    fn spend(&self, work: u64) -> Result<(), Trouble> {
        let left = self.work_left.get().checked_sub(work).ok_or(Trouble::Costly)?;
        self.work_left.set(left);
        Ok(())
    }

    /// Remembers that an example stood where a key could be.
    pub(super) fn saw_placeholder(&self) {
        self.placeholders.set(true);
    }

    /// Why a file without keys has none.
    pub(super) fn why_empty(&self) -> Trouble {
        if self.placeholders.get() { Trouble::OnlyPlaceholders } else { Trouble::NoKey }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_weighed_first() {
        let opening = Opening::new(Some(b"p"), WORK_MAX);
        let mut out = [0; 32];
        for rounds in [WORK_MAX + 1, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(opening.pbkdf2(b"salt", rounds, &mut out), Err(Trouble::Costly));
        }
        assert_eq!(opening.pbkdf2(b"salt", 0, &mut out), Err(Trouble::Damaged));
        for params in [(18, 8, 1), (63, 8, 1), (255, 1, 1), (15, u32::MAX, 1), (15, 8, 1_000), (14, 1, u32::MAX)] {
            assert_eq!(opening.scrypt(b"salt", params, &mut out), Err(Trouble::Costly), "{params:?}");
        }
        // The budget is one for all fields of a file.
        assert_eq!(opening.afford_pbkdf2(WORK_MAX - 1_001), Ok(()));
        assert_eq!(opening.pbkdf2(b"salt", 1_002, &mut out), Err(Trouble::Costly));
        assert_eq!(opening.pbkdf2(b"salt", 1, &mut out), Err(Trouble::OtherCipher));
        assert_eq!(opening.pbkdf2(b"salt", 1_000, &mut out), Ok(()));
        assert_eq!(opening.pbkdf2(b"salt", 1_000, &mut out), Err(Trouble::Costly));
        assert_eq!(Opening::new(None, WORK_MAX).pbkdf2(b"salt", 1_000, &mut out), Err(Trouble::NeedsPassphrase));
    }
}
