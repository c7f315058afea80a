//! What the signer remembers across restarts beside the vault: codes used, signatures made, the kill switch.
//!
//! Invariant: the count of signatures is reserved ahead in blocks, so that a restart can skip numbers but never
//! repeat one.

use serde::{Deserialize, Serialize};
use strongroom_guard::{Freeze, TotpState};

/// Signatures reserved with one save.
const BLOCK: u64 = 1_000;
/// Numbers that are skipped at most; more signatures than this are never made.
const RESERVED_MAX: u64 = u64::MAX / 2;
/// A new block is asked for when so few are left.
const BLOCK_LOW: u64 = 500;

/// The content of the sealed state file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ledger {
    /// One-time codes.
    pub(crate) totp: TotpState,
    /// No signature above this number has been made.
    pub(crate) reserved: u64,
    /// The kill switch.
    pub(crate) freeze: Option<Freeze>,
    /// Largest log size whose head was signed.
    pub(crate) log_size: u64,
}

impl Ledger {
    /// What a ledger that is lost may have remembered, at the worst: it was saved at least `saves` times, and each save reserved at most
    /// one block; every code up to `step` was used; the kill switch was engaged.
    pub(crate) fn lost(saves: u64, step: u64) -> Self {
        Self {
            totp: TotpState { last_step: step, ..TotpState::default() },
            reserved: saves.saturating_mul(BLOCK).min(RESERVED_MAX),
            freeze: Some(Freeze { why: "the state file was lost: whether the kill switch was engaged is not known".to_owned() }),
            log_size: 0,
        }
    }
}

/// The running count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    made: u64,
    on_disk: u64,
}

impl Count {
    /// Goes on from what is on disk: numbers reserved before are never given again.
    pub(crate) const fn resume(ledger: &Ledger) -> Self {
        Self { made: ledger.reserved, on_disk: ledger.reserved }
    }

    pub(crate) const fn made(self) -> u64 {
        self.made
    }

    /// The next number, if it is reserved on disk.
    pub(crate) fn next(&mut self) -> Option<u64> {
        if self.made >= self.on_disk {
            return None;
        }
        self.made += 1;
        Some(self.made)
    }

    /// A number for something that must not wait (a cancel), reserved or not.
    pub(crate) fn next_unreserved(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// The reservation to save now, if the block runs low.
    pub(crate) fn wants(&self) -> Option<u64> {
        (self.made + BLOCK_LOW >= self.on_disk).then_some(self.made + BLOCK)
    }

    /// A reservation is on disk.
    pub(crate) fn saved(&mut self, reserved: u64) {
        self.on_disk = self.on_disk.max(reserved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_ledger_is_taken_for_the_worst() {
        let mut kept = Ledger::default();
        for saves in 1..=50 {
            let mut count = Count::resume(&kept);
            kept.reserved = count.wants().unwrap();
            count.saved(kept.reserved);
            // As many as a block allows before the next one is asked for.
            while count.wants().is_none() {
                count.next().unwrap();
            }
            kept.reserved = kept.reserved.max(count.made());
            let lost = Ledger::lost(saves, 7);
            assert!(lost.reserved >= kept.reserved, "{saves} saves: {} after {}", lost.reserved, kept.reserved);
            assert!(lost.freeze.is_some() && lost.totp.last_step == 7);
        }
        let mut count = Count::resume(&Ledger::lost(u64::MAX, 7));
        count.saved(count.wants().unwrap());
        assert!(count.next().is_some(), "whatever the keychain says");
    }

    #[test]
    fn no_number_twice_across_a_restart() {
        let mut ledger = Ledger::default();
        let mut count = Count::resume(&ledger);
        assert_eq!(count.next(), None);
        ledger.reserved = count.wants().unwrap();
        count.saved(ledger.reserved);
        assert_eq!((count.next(), count.next()), (Some(1), Some(2)));
        let restarted = Count::resume(&ledger);
        assert_eq!(restarted.made(), 1_000);
        assert_eq!(restarted.wants(), Some(2_000));
    }
}
