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
/// A clock may be set back by so much without a word.
const BACK_S_MAX: u64 = 60;
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
    /// The newest second that was seen since the password was given.
    #[serde(default)]
    pub seen_s: u64,
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
    #[error("{FAILURES_MAX} wrong codes in a row: every session is locked; unlock with the password first")]
    LockedOut,
    /// The clock was set back: codes of another time would be current.
    #[error(
        "this computer's clock went back by {back_s} s since the vault was unlocked; set it right, or lock and unlock with the password"
    )]
    ClockBack {
        /// By how many seconds.
        back_s: u64,
    },
}

impl TotpRefusal {
    /// What to do next.
    pub const fn advice(self) -> Advice {
        match self {
            Self::Wait { wait_s } | Self::Wrong { wait_s } => Advice::RetryAfter(wait_s.saturating_mul(1_000)),
            Self::Form | Self::LockedOut | Self::ClockBack { .. } => Advice::Ask,
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
        if self.is_locked_out() {
            return (self, Err(TotpRefusal::LockedOut));
        }
        if let Some(back_s) = self.back_s(now_s) {
            return (self, Err(TotpRefusal::ClockBack { back_s }));
        }
        if now_s < self.not_before_s {
            return (self, Err(TotpRefusal::Wait { wait_s: self.not_before_s - now_s }));
        }
        match accepted() {
            Some(step) => (Self { last_step: step, failures: 0, not_before_s: 0, ..self }, Ok(())),
            None => {
                let failures = self.failures + 1;
                let wait_s = (1_u64 << (failures - 1).min(20)).min(WAIT_S_MAX);
                (Self { failures, not_before_s: now_s + wait_s, ..self }, Err(TotpRefusal::Wrong { wait_s }))
            }
        }
    }

    /// Notes what time it is.
    pub fn seen(&mut self, now_s: u64) {
        self.seen_s = self.seen_s.max(now_s);
    }

    /// By how much the clock was set back since the password was given, if by more than clocks are corrected.
    pub fn back_s(self, now_s: u64) -> Option<u64> {
        self.seen_s.checked_sub(now_s).filter(|back_s| *back_s > BACK_S_MAX)
    }

    /// Whether only the password helps.
    pub const fn is_locked_out(self) -> bool {
        self.failures >= FAILURES_MAX
    }

    /// Wrong codes that are still borne before the password is needed.
    pub fn tries_left(self) -> u8 {
        u8::try_from(FAILURES_MAX.saturating_sub(self.failures)).unwrap_or(u8::MAX)
    }

    /// The password was given: codes are looked at again, by the clock as it is now. None counts twice, wherever it is set to.
    #[must_use]
    pub const fn after_password(self) -> Self {
        Self { failures: 0, not_before_s: 0, seen_s: 0, ..self }
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
        let start = TotpState { last_step: STEP, failures: 1, not_before_s: NOW_S, seen_s: 0 };
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

    /// Rows: how far the clock went back, and whether a code is looked at.
    #[test]
    fn a_clock_that_went_back_is_told() {
        for (back_s, expected) in [(0, Ok(())), (60, Ok(())), (61, Err(TotpRefusal::ClockBack { back_s: 61 }))] {
            let mut state = TotpState::default();
            state.seen(NOW_S - 5);
            state.seen(NOW_S);
            state.seen(NOW_S - back_s);
            assert_eq!(state.attempt(b"123456", NOW_S - back_s, |_| true).1, expected, "{back_s}");
            assert_eq!(state.attempt_recovery(NOW_S - back_s, || true).1, expected, "{back_s}");
            assert_eq!(state.attempt(b"123456", NOW_S - back_s, |_| false).0.failures, u32::from(expected.is_ok()), "nothing was tried");
            assert_eq!(state.after_password().attempt(b"123456", NOW_S - back_s, |_| true).1, Ok(()));
        }
        // A code that was used stays used, wherever the clock is set to.
        let (used, _) = TotpState::default().attempt(b"123456", NOW_S, |step| step == STEP);
        assert!(used.after_password().attempt(b"123456", NOW_S - 30, |step| step == STEP - 1).1.is_err());
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
