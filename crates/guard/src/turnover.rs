//! What was signed in the last 24 hours, valued at the most that it can be worth.
//!
//! Invariant: what is counted stays for 24 hours at least, whatever was filled, cancelled or reported, and wherever the clock is
//! set to.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use strongroom_model::Notional;

/// Counted in quarters of an hour: a value leaves up to one later than after 24 hours, never earlier.
const QUARTER_S: u64 = 900;
const QUARTERS: u64 = 96;

/// A rolling sum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turnover {
    /// Everything that was ever counted.
    total: Notional,
    /// For each quarter in which something was counted, oldest first: its number, and the total before it.
    quarters: VecDeque<(u64, Notional)>,
}

impl Turnover {
    /// Everything that was ever counted: only grows.
    pub const fn total(&self) -> Notional {
        self.total
    }

    /// What counts at this second (since the epoch).
    pub fn of_day(&mut self, now_s: u64) -> Notional {
        let quarter = self.quarter(now_s);
        while self.quarters.front().is_some_and(|(oldest, _)| oldest + QUARTERS < quarter) {
            self.quarters.pop_front();
        }
        self.quarters.front().and_then(|(_, before)| self.total.checked_sub(*before)).unwrap_or(Notional::ZERO)
    }

    /// When the oldest part leaves, in milliseconds from then.
    pub fn eases_in_ms(&self, now_s: u64) -> u64 {
        let leaves_s = self.quarters.front().map_or(now_s, |(oldest, _)| (oldest + QUARTERS + 1) * QUARTER_S);
        leaves_s.saturating_sub(now_s).max(1) * 1_000
    }

    /// When the oldest part was counted, in seconds since the epoch.
    pub(crate) fn oldest_s(&self) -> Option<u64> {
        self.quarters.front().map(|(quarter, _)| quarter * QUARTER_S)
    }

    /// Counts a value. `false`: so large a total cannot be held, and nothing was counted.
    #[must_use]
    pub fn count(&mut self, value: Notional, now_s: u64) -> bool {
        let Some(total) = self.total.checked_add(value) else { return false };
        let quarter = self.quarter(now_s);
        if self.quarters.back().is_none_or(|(newest, _)| *newest < quarter) {
            self.quarters.push_back((quarter, self.total));
        }
        self.total = total;
        true
    }

    /// The quarter of this second. When the clock was set back, what is counted moves with it: nothing leaves early, and nothing
    /// stays until a time that may never come.
    fn quarter(&mut self, now_s: u64) -> u64 {
        let quarter = now_s / QUARTER_S;
        if self.quarters.back().is_some_and(|(newest, _)| *newest > quarter) {
            let before = self.quarters.front().map(|(_, before)| *before);
            self.quarters.clear();
            self.quarters.extend(before.map(|before| (quarter, before)));
        }
        quarter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: u64 = 86_400;
    const NOW_S: u64 = 1_800_000_000;

    fn value(text: &str) -> Notional {
        Notional::parse(text).unwrap()
    }

    #[test]
    fn a_value_stays_a_day_and_at_most_a_quarter_longer() {
        for at in [NOW_S, NOW_S + 899, NOW_S + 450] {
            let mut turnover = Turnover::default();
            assert!(turnover.count(value("5"), at));
            assert_eq!(turnover.of_day(at + DAY_S), value("5"));
            let leaves_s = turnover.eases_in_ms(at) / 1_000;
            assert!((DAY_S..=DAY_S + 900).contains(&leaves_s), "{leaves_s}");
            assert_eq!(turnover.of_day(at + leaves_s - 1), value("5"));
            assert_eq!(turnover.of_day(at + leaves_s), Notional::ZERO);
            assert_eq!(turnover.total(), value("5"), "the total only grows");
        }
    }

    #[test]
    fn a_clock_that_is_set_forgets_nothing_early() {
        let mut turnover = Turnover::default();
        for (amount, at) in [("1", NOW_S), ("2", NOW_S + 40_000), ("4", NOW_S + 80_000)] {
            assert!(turnover.count(value(amount), at));
        }
        // Set back: all of it counts from then on.
        assert_eq!(turnover.of_day(NOW_S - 1_000_000), value("7"));
        assert_eq!(turnover.of_day(NOW_S - 1_000_000 + DAY_S), value("7"));
        assert_eq!(turnover.of_day(NOW_S - 1_000_000 + DAY_S + 900), Notional::ZERO);
    }

    #[test]
    fn it_is_the_sum_of_a_slow_list() {
        let mut turnover = Turnover::default();
        let mut list: Vec<(u64, u64)> = Vec::new();
        let mut state = 7_u64;
        let mut now = NOW_S;
        for _ in 0..5_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            now += state >> 52;
            let amount = (state >> 40) & 0xff;
            assert!(turnover.count(value(&amount.to_string()), now));
            list.push((now / 900, amount));
            let slow: u64 = list.iter().filter(|(quarter, _)| quarter + 96 >= now / 900).map(|(_, amount)| amount).sum();
            assert_eq!(turnover.of_day(now), value(&slow.to_string()));
            assert!(turnover.quarters.len() <= 97);
        }
    }

    #[test]
    fn what_cannot_be_held_is_not_counted() {
        let mut turnover = Turnover { total: Notional::new(rust_decimal::Decimal::MAX).unwrap(), quarters: VecDeque::new() };
        assert!(!turnover.count(value("1"), NOW_S));
    }
}
