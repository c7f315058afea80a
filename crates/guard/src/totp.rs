//! One-time codes (RFC 6238): each step is accepted once, and guessing is slowed down and stopped.
//!
//! Invariant: the state that [`TotpState::attempt`] returns must be stored before its answer is told; the failure
//! is counted before the code is compared, so that a crash in between never gives a free guess.

use serde::{Deserialize, Serialize};
use strongroom_model::Advice;
use thiserror::Error;

/// Seconds per step (RFC 6238 default, what authenticator apps use).
pub const STEP_S: u64 = 30;
/// Steps accepted before and after the current one.
const DRIFT_STEPS: u64 = 1;
/// After so many failures in a row, codes are refused until the password is given again.
const FAILURES_MAX: u32 = 10;
/// Longest wait between tries: 15 minutes.
const WAIT_S_MAX: u64 = 900;

/// What is remembered about codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpState {
    /// The newest step that was accepted; only ever grows.
    pub last_step: u64,
    /// Failures since the last success.
    pub failures: u32,
    /// No code is looked at before this second (since the epoch).
    pub not_before_s: u64,
}

/// Why a code was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TotpRefusal {
    /// Not exactly six ASCII digits.
    #[error("a code is exactly six digits, or a recovery code of six groups that begins with R1")]
    Form,
    /// Wrong, too old, too new, or used before.
    #[error("the code is wrong, not current, or was used before; wait {wait_s} s and use the next one")]
    Wrong {
        /// Seconds until the next try is looked at.
        wait_s: u64,
    },
    /// Too soon after a failure.
    #[error("too many wrong codes; the next one is looked at in {wait_s} s")]
    Wait {
        /// Seconds until then.
        wait_s: u64,
    },
    /// Too many failures in a row.
    #[error("{FAILURES_MAX} wrong codes in a row; lock and unlock with the password first")]
    LockedOut,
}

impl TotpRefusal {
    /// What to do next.
    pub const fn advice(self) -> Advice {
        match self {
            Self::Wait { wait_s } | Self::Wrong { wait_s } => Advice::RetryAfter(wait_s.saturating_mul(1_000)),
            Self::Form | Self::LockedOut => Advice::Ask,
        }
    }
}

impl TotpState {
    /// Judges `code` at `now_s`; `matches(step)` compares it with the code of a step in constant time.
    pub fn attempt(self, code: &[u8], now_s: u64, matches: impl Fn(u64) -> bool) -> (Self, Result<(), TotpRefusal>) {
        if code.len() != 6 || !code.iter().all(u8::is_ascii_digit) {
            return (self, Err(TotpRefusal::Form));
        }
        let current = now_s / STEP_S;
        let steps = current.saturating_sub(DRIFT_STEPS)..=current + DRIFT_STEPS;
        // Every step is compared, whether or not one matched, and only then judged.
        self.judged(now_s, || steps.filter(|step| matches(*step) & (*step > self.last_step)).last())
    }

    /// Judges a recovery code, which is held to the same waits; `is_one`: it is there and was not used.
    pub fn attempt_recovery(self, now_s: u64, is_one: impl FnOnce() -> bool) -> (Self, Result<(), TotpRefusal>) {
        self.judged(now_s, || is_one().then_some(self.last_step))
    }

    fn judged(self, now_s: u64, accepted: impl FnOnce() -> Option<u64>) -> (Self, Result<(), TotpRefusal>) {
        if self.failures >= FAILURES_MAX {
            return (self, Err(TotpRefusal::LockedOut));
        }
        if now_s < self.not_before_s {
            return (self, Err(TotpRefusal::Wait { wait_s: self.not_before_s - now_s }));
        }
        match accepted() {
            Some(step) => (Self { last_step: step, failures: 0, not_before_s: 0 }, Ok(())),
            None => {
                let failures = self.failures + 1;
                let wait_s = (1_u64 << (failures - 1).min(20)).min(WAIT_S_MAX);
                (Self { failures, not_before_s: now_s + wait_s, ..self }, Err(TotpRefusal::Wrong { wait_s }))
            }
        }
    }

    /// Wrong codes that are still borne before the password is needed.
    pub fn tries_left(self) -> u8 {
        u8::try_from(FAILURES_MAX.saturating_sub(self.failures)).unwrap_or(u8::MAX)
    }

    /// The password was given: codes are looked at again.
    #[must_use]
    pub const fn after_password(self) -> Self {
        Self { failures: 0, not_before_s: 0, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u64 = 1_000_000_020;
    const STEP: u64 = NOW_S / STEP_S;

    #[test]
    fn a_step_is_accepted_once_and_never_an_older_one() {
        let (state, answer) = TotpState::default().attempt(b"123456", NOW_S, |step| step == STEP);
        assert_eq!(answer, Ok(()));
        assert!(state.attempt(b"123456", NOW_S + 1, |step| step == STEP).1.is_err());
        assert!(state.attempt(b"123456", NOW_S + 1, |step| step == STEP - 1).1.is_err());
        assert!(state.attempt(b"123456", NOW_S + 1, |step| step == STEP + 1).1.is_ok());
        assert!(TotpState::default().attempt(b"123456", NOW_S, |step| step == STEP + 2).1.is_err());
    }

    #[test]
    fn a_recovery_code_is_held_to_the_same_waits_and_uses_up_no_step() {
        let start = TotpState { last_step: STEP, failures: 1, not_before_s: NOW_S };
        assert_eq!(start.attempt_recovery(NOW_S, || true), (TotpState { last_step: STEP, ..TotpState::default() }, Ok(())));
        let (wrong, answer) = start.attempt_recovery(NOW_S, || false);
        assert_eq!((wrong.failures, answer), (2, Err(TotpRefusal::Wrong { wait_s: 2 })));
        assert!(matches!(wrong.attempt_recovery(NOW_S + 1, || true).1, Err(TotpRefusal::Wait { wait_s: 1 })));
        assert!(matches!(wrong.attempt(b"123456", NOW_S + 1, |_| true).1, Err(TotpRefusal::Wait { wait_s: 1 })), "both count together");
        let locked = TotpState { failures: 10, ..TotpState::default() };
        assert_eq!(locked.attempt_recovery(NOW_S, || true).1, Err(TotpRefusal::LockedOut));
    }

    #[test]
    fn only_six_ascii_digits() {
        for code in [&b""[..], b"12345", b"1234567", b" 12345", b"12345\n", b"12345a", "１２３".as_bytes()] {
            let (state, answer) = TotpState::default().attempt(code, NOW_S, |_| true);
            assert_eq!((state, answer), (TotpState::default(), Err(TotpRefusal::Form)));
        }
    }

    #[test]
    fn guessing_is_slowed_and_stopped() {
        let mut state = TotpState::default();
        let mut now = NOW_S;
        for failure in 1..=10_u32 {
            let (next, answer) = state.attempt(b"000000", now, |_| false);
            assert_eq!(answer, Err(TotpRefusal::Wrong { wait_s: 1 << (failure - 1) }));
            assert!(matches!(next.attempt(b"000000", now, |_| true).1, Err(TotpRefusal::Wait { .. } | TotpRefusal::LockedOut)));
            state = next;
            now = state.not_before_s;
        }
        assert_eq!(state.attempt(b"000000", now + 10_000, |_| true).1, Err(TotpRefusal::LockedOut));
        assert!(state.after_password().attempt(b"000000", now, |_| true).1.is_ok());
    }
}
