//! What the desk said is coming to be signed. Invariant: it decides how long the signer stays awake, at most [`AWAITED_MAX`] after the
//! last word of it, and nothing else.

use std::time::{Duration, Instant};

/// So long at most a request is awaited: most disks have its record by then.
pub const AWAITED_MAX: Duration = Duration::from_millis(10);

/// How many are awaited, and until when.
#[derive(Clone, Copy, Debug, Default)]
pub struct Awaited {
    count: u32,
    until: Option<Instant>,
}

impl Awaited {
    /// One more is coming.
    pub fn announced(&mut self, now: Instant) {
        let still = if self.is_on(now) { self.count } else { 0 };
        *self = Self { count: still.saturating_add(1), until: now.checked_add(AWAITED_MAX) };
    }

    /// One has come.
    pub const fn came(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    /// Whether it is too early to sleep.
    pub fn is_on(&self, now: Instant) -> bool {
        self.count > 0 && self.until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_awaited_as_were_announced_and_none_too_long() {
        let start = Instant::now();
        let mut awaited = Awaited::default();
        assert!(!awaited.is_on(start));
        awaited.came();
        awaited.announced(start);
        awaited.announced(start + AWAITED_MAX / 2);
        for is_one_left in [true, false] {
            awaited.came();
            assert_eq!(awaited.is_on(start + AWAITED_MAX), is_one_left);
        }
        awaited.announced(start);
        assert!(awaited.is_on(start + AWAITED_MAX - Duration::from_nanos(1)));
        assert!(!awaited.is_on(start + AWAITED_MAX), "it never came");
        // What never came is not awaited with the next one.
        let later = start + AWAITED_MAX * 3;
        awaited.announced(later);
        awaited.came();
        assert!(!awaited.is_on(later));
    }
}
