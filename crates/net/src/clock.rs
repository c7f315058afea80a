//! How far a venue's clock is from ours. Invariant: the true offset lies within the error bound as long as clocks
//! drift less than [`DRIFT_PPM`] and the answer's time stamp was made between sending and receiving.

use std::collections::VecDeque;

use strongroom_model::Timestamp;

/// Samples that are kept.
pub const SAMPLES_MAX: usize = 16;
/// Largest drift between two clocks, microseconds per second: five times a common crystal's.
pub const DRIFT_PPM: u64 = 100;
/// A venue tells whole milliseconds, rounded down or to the nearest.
const GRANULARITY_US: u64 = 1_000;

/// One question for the time and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// By our clock.
    pub sent_at: Timestamp,
    /// By the venue's clock, milliseconds since the epoch.
    pub server_ms: i64,
    /// By our clock.
    pub received_at: Timestamp,
}

/// The venue's clock minus ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockEstimate {
    /// Positive when the venue is ahead, microseconds.
    pub offset_us: i64,
    /// The true offset is at most so far away, microseconds.
    pub error_us: u64,
}

impl ClockEstimate {
    /// The venue's time at a moment of ours.
    pub const fn venue_time(&self, ours: Timestamp) -> Timestamp {
        Timestamp::from_us(ours.us().saturating_add(self.offset_us))
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.offset_us.abs_diff(other.offset_us) <= self.error_us.saturating_add(other.error_us)
    }
}

impl Sample {
    /// What this sample alone says at the moment `now`. `None`: it was received before it was sent.
    pub fn estimate(&self, now: Timestamp) -> Option<ClockEstimate> {
        let (sent, received) = (self.sent_at.us(), self.received_at.us());
        let round_trip_us = u64::try_from(received.checked_sub(sent)?).ok()?;
        let half = round_trip_us / 2;
        let middle = sent.checked_add_unsigned(half)?;
        let server_us = self.server_ms.checked_mul(1_000)?;
        let age_us = now.us().abs_diff(received);
        let drift_us = age_us.div_ceil(1_000_000).saturating_mul(DRIFT_PPM);
        let error_us = half.saturating_add(1).saturating_add(GRANULARITY_US).saturating_add(drift_us);
        Some(ClockEstimate { offset_us: server_us.checked_sub(middle)?, error_us })
    }
}

/// The last samples of one venue.
#[derive(Clone, Debug, Default)]
pub struct VenueClock {
    samples: VecDeque<Sample>,
}

impl VenueClock {
    /// Takes a sample. One that contradicts all before says that a clock was set: the ones before are dropped.
    pub fn add(&mut self, sample: Sample) {
        let Some(new) = sample.estimate(sample.received_at) else { return };
        if self.estimate(sample.received_at).is_some_and(|known| !known.overlaps(&new)) {
            self.samples.clear();
        }
        self.samples.push_back(sample);
        if self.samples.len() > SAMPLES_MAX {
            self.samples.pop_front();
        }
    }

    /// When the newest sample was received.
    pub fn asked_at(&self) -> Option<Timestamp> {
        self.samples.back().map(|sample| sample.received_at)
    }

    /// The best that is known at `now`; `None` before the first sample.
    pub fn estimate(&self, now: Timestamp) -> Option<ClockEstimate> {
        best(self.samples.iter().copied(), now)
    }
}

/// The estimate with the smallest error.
pub fn best(samples: impl IntoIterator<Item = Sample>, now: Timestamp) -> Option<ClockEstimate> {
    samples.into_iter().filter_map(|sample| sample.estimate(now)).min_by_key(|estimate| estimate.error_us)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(sent_us: i64, server_ms: i64, received_us: i64) -> Sample {
        Sample { sent_at: Timestamp::from_us(sent_us), server_ms, received_at: Timestamp::from_us(received_us) }
    }

    #[test]
    fn half_the_round_trip_and_a_millisecond() {
        let now = Timestamp::from_us(1_010_000);
        let estimate = sample(1_000_000, 2_005, 1_010_000).estimate(now).unwrap();
        assert_eq!(estimate, ClockEstimate { offset_us: 1_000_000, error_us: 6_001 });
        assert_eq!(estimate.venue_time(now), Timestamp::from_us(2_010_000));
        let an_hour_later = sample(1_000_000, 2_005, 1_010_000).estimate(now.plus_ms(3_600_000)).unwrap();
        assert_eq!(an_hour_later.error_us, 6_001 + 360_000);
    }

    #[test]
    fn what_cannot_be_is_not_taken() {
        let mut clock = VenueClock::default();
        clock.add(sample(10, 0, 9));
        clock.add(sample(0, i64::MAX, 9));
        clock.add(sample(i64::MIN, 0, i64::MAX));
        assert_eq!(clock.estimate(Timestamp::from_us(10)), None);
    }

    #[test]
    fn a_clock_that_was_set_makes_old_samples_void() {
        let mut clock = VenueClock::default();
        clock.add(sample(0, 5, 10_000));
        clock.add(sample(20_000, 3_600_040, 60_000));
        assert_eq!(clock.estimate(Timestamp::from_us(60_000)).unwrap().offset_us, 3_600_000_000);
    }

    #[test]
    fn only_the_last_samples_are_kept() {
        let mut clock = VenueClock::default();
        for n in 0..100 {
            clock.add(sample(n * 1_000, n, n * 1_000 + 10));
        }
        assert_eq!(clock.samples.len(), SAMPLES_MAX);
    }

    proptest! {
        /// The promise of the module: whatever the network does, the truth is inside the bound.
        #[test]
        fn the_true_offset_is_inside_the_bound(
            true_offset_us in -10_000_000_000_i64..10_000_000_000,
            drift_ppm in -90_i64..=90,
            journeys in prop::collection::vec((0_i64..60_000_000, 0_i64..500_000, 0_i64..500_000), 1..40),
        ) {
            let venue_at = |ours: i64| ours + true_offset_us + ours * drift_ppm / 1_000_000;
            let mut clock = VenueClock::default();
            let mut now = 1_000_000_000_i64;
            for (pause, there, back) in journeys {
                now += pause;
                let sent = now;
                now += there;
                let server_ms = venue_at(now).div_euclid(1_000);
                now += back;
                clock.add(sample(sent, server_ms, now));
                let estimate = clock.estimate(Timestamp::from_us(now)).unwrap();
                let wrong_by = (venue_at(now) - now).abs_diff(estimate.offset_us);
                prop_assert!(wrong_by <= estimate.error_us, "{wrong_by} us off, {estimate:?}");
            }
        }
    }
}
