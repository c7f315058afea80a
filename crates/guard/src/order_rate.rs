//! New orders of the last minute. Invariant: one that was counted stays for a minute at least, over restarts too, wherever the clock is
//! set to.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::policy::ORDERS_PER_MINUTE_MAX;

const MINUTE_S: u64 = 60;
const MINUTE_MS: u64 = MINUTE_S * 1_000;
/// Most seconds that are kept.
const SECONDS_MAX: usize = 128;

/// When each of the newest orders leaves: an exact sliding window, never longer than the largest limit.
#[derive(Clone, Debug, Default)]
pub struct OrderRate {
    leaves_ms: VecDeque<u64>,
}

/// The same for a disk: how many orders in which second (since the epoch), in the order in which they were counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeptRate(VecDeque<(u64, u32)>);

impl KeptRate {
    /// Counts so many orders; what is over a minute old is forgotten.
    pub fn count(&mut self, orders: u32, now_s: u64) {
        while self.0.front().is_some_and(|(second, _)| age_s(*second, now_s) >= MINUTE_S) {
            self.0.pop_front();
        }
        match self.0.back_mut().filter(|(last, _)| *last == now_s) {
            Some((_, counted)) => *counted = counted.saturating_add(orders),
            None if orders > 0 => self.0.push_back((now_s, orders)),
            None => {}
        }
        // A clock that is set again and again: what is oldest counts as long as what comes next.
        if self.0.len() > SECONDS_MAX
            && let Some((_, orders)) = self.0.pop_front()
            && let Some((_, next)) = self.0.front_mut()
        {
            *next = next.saturating_add(orders);
        }
    }
}

/// How long ago a second ended.
const fn age_s(second: u64, now_s: u64) -> u64 {
    now_s.saturating_sub(second.saturating_add(1))
}

impl OrderRate {
    /// Goes on from what was kept: each stays for what is left of its minute; where the clock was set back, for a whole one from now.
    pub fn resume(kept: &KeptRate, now_ms: u64, now_s: u64) -> Self {
        let left_ms = |second: u64| MINUTE_MS.checked_sub(age_s(second, now_s).saturating_mul(1_000)).filter(|left_ms| *left_ms > 0);
        let mut left: Vec<(u64, u32)> = kept.0.iter().filter_map(|(second, orders)| Some((left_ms(*second)?, *orders))).collect();
        left.sort_unstable();
        let mut rate = Self::default();
        for (left_ms, orders) in left {
            (0..orders.min(ORDERS_PER_MINUTE_MAX)).for_each(|_| rate.push(now_ms + left_ms));
        }
        rate
    }

    /// Counts one order.
    pub fn count(&mut self, now_ms: u64) {
        self.push(now_ms + MINUTE_MS);
    }

    fn push(&mut self, leaves_ms: u64) {
        if self.leaves_ms.len() >= ORDERS_PER_MINUTE_MAX as usize {
            self.leaves_ms.pop_front();
        }
        self.leaves_ms.push_back(leaves_ms);
    }

    /// `None` when one more fits into the last minute, else how long until it does.
    pub fn wait_ms(&mut self, limit: u32, now_ms: u64) -> Option<u64> {
        while self.leaves_ms.front().is_some_and(|leaves| *leaves <= now_ms) {
            self.leaves_ms.pop_front();
        }
        let over = (self.leaves_ms.len() + 1).checked_sub(limit as usize).filter(|over| *over > 0)?;
        let leaves = self.leaves_ms.get(over - 1).copied().unwrap_or(now_ms + MINUTE_MS);
        Some(leaves.saturating_sub(now_ms).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u64 = 1_800_000_000;

    /// Rows: how long after three orders it is resumed, with how many more unknown ones; how many still count.
    #[test]
    fn what_was_counted_counts_after_a_restart() {
        for (after_s, unknown, counts) in
            [(0, 0, 3), (0, 4, 7), (59, 0, 3), (60, 0, 3), (61, 0, 0), (61, 2, 2), (3_600, u32::MAX, ORDERS_PER_MINUTE_MAX)]
        {
            let mut kept = KeptRate::default();
            (0..3).for_each(|_| kept.count(1, NOW_S));
            let now_s = NOW_S + after_s;
            kept.count(unknown, now_s);
            // Another clock that never goes back: of a machine which may have been started anew.
            for now_ms in [5, 700_000] {
                let mut resumed = OrderRate::resume(&kept, now_ms, now_s);
                let mut fits = |limit: u32| resumed.wait_ms(limit, now_ms).is_none();
                assert!(!fits(counts) && (counts == ORDERS_PER_MINUTE_MAX || fits(counts + 1)), "{after_s} {unknown}");
            }
        }
    }

    #[test]
    fn a_clock_that_was_set_back_frees_nothing() {
        let mut kept = KeptRate::default();
        kept.count(1, NOW_S);
        let mut resumed = OrderRate::resume(&kept, 900_000, NOW_S - 100_000);
        assert_eq!(resumed.wait_ms(1, 900_000), Some(60_000));
        assert_eq!(resumed.wait_ms(1, 960_000), None);
    }

    #[test]
    fn restarts_again_and_again_free_nothing() {
        let mut kept = KeptRate::default();
        let mut passed = 0;
        for restart in 0..30_u64 {
            let (now_ms, now_s) = (restart * 2_000, NOW_S + restart * 2);
            let mut rate = OrderRate::resume(&kept, now_ms, now_s);
            while rate.wait_ms(10, now_ms).is_none() {
                rate.count(now_ms);
                kept.count(1, now_s);
                passed += 1;
            }
        }
        assert_eq!(passed, 10, "ten within a minute, however often it began anew");
        // Each counts for what is left of its minute, on a clock that began anew, too.
        let mut rate = OrderRate::resume(&kept, 5, NOW_S + 40);
        assert_eq!(rate.wait_ms(10, 5), Some(21_000));
    }

    #[test]
    fn a_clock_that_jumps_about_fills_no_memory_and_forgets_nothing() {
        let mut kept = KeptRate::default();
        (0..1_000_u64).for_each(|at| kept.count(1, NOW_S - at));
        assert!(kept.0.len() <= SECONDS_MAX);
        assert_eq!(kept.0.iter().map(|(_, orders)| orders).sum::<u32>(), 1_000);
    }
}
