//! How hard a new vault's password is to try on this machine. Invariant: never below the default of the format unless the machine
//! is too slow or too small for it, and never outside the bounds.

use std::time::{Duration, Instant};

use strongroom_vault::{KdfParams, measure_kdf};

/// What unlocking may take: long for a guesser, bearable for a person.
const GOAL: Duration = Duration::from_millis(850);
/// Longer than this nobody should wait.
const MOST: Duration = Duration::from_millis(1_000);

/// The least that a real one is: of fewer passes the first, which also fetches the memory, would count too much.
const PROBE: KdfParams = KdfParams::FLOOR;
const KIB_PER_GIB: u64 = 1_024 * 1_024;

/// Measures this machine: costs about two derivations.
pub(crate) fn calibrate() -> KdfParams {
    settle(|params| {
        let start = Instant::now();
        measure_kdf(params).ok().map(|()| start.elapsed())
    })
}

/// Lowers memory while it is too slow or cannot be had; then raises passes, then memory, as far as the goal allows.
fn settle(mut measure: impl FnMut(KdfParams) -> Option<Duration>) -> KdfParams {
    let mut params = KdfParams::default();
    let mut took = measure(params);
    while took.is_none_or(|took| took > MOST) && params.memory_kib > KdfParams::FLOOR.memory_kib {
        params.memory_kib = (params.memory_kib / 2).max(KdfParams::FLOOR.memory_kib);
        took = measure(params);
    }
    let Some(took) = took.filter(|took| !took.is_zero()) else { return params };
    let per_pass_us = (took.as_micros() / u128::from(params.passes)).max(1);
    let passes = u32::try_from(GOAL.as_micros() / per_pass_us).unwrap_or(u32::MAX);
    params.passes = passes.clamp(KdfParams::FLOOR.passes, KdfParams::CEILING.passes);
    // A machine that is fast with all passes can bear more memory: time grows with both.
    let spare = u32::try_from(GOAL.as_micros() / (per_pass_us * u128::from(params.passes))).unwrap_or(1);
    if params.passes < KdfParams::CEILING.passes || spare < 2 {
        return params;
    }
    let memory_kib = params.memory_kib.saturating_mul(spare).min(KdfParams::CEILING.memory_kib);
    let more = KdfParams { memory_kib, ..params };
    if measure(more).is_some_and(|took| took <= MOST) { more } else { params }
}

/// How fast this machine derives, from one small derivation in this process. An estimate: other programs take their share later.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    us_per_gib: Option<u64>,
}

impl Pace {
    /// What all of `kdfs`, one after another, will probably take; measures first if that was not done yet. Nothing: it cannot be said.
    pub(crate) fn takes_ms(&mut self, kdfs: &[KdfParams]) -> Option<u32> {
        if self.us_per_gib.is_none() {
            let start = Instant::now();
            measure_kdf(PROBE).ok()?;
            self.learn(start.elapsed());
        }
        let us = self.us_per_gib?.saturating_mul(kdfs.iter().map(work_kib).sum()) / KIB_PER_GIB;
        (us > 0).then(|| u32::try_from(us.div_ceil(1_000)).unwrap_or(u32::MAX))
    }

    fn learn(&mut self, probe: Duration) {
        let us = u64::try_from(probe.as_micros()).unwrap_or(u64::MAX);
        self.us_per_gib = Some(us.saturating_mul(KIB_PER_GIB) / work_kib(&PROBE));
    }
}

/// Argon2 goes over all of its memory in each pass.
fn work_kib(kdf: &KdfParams) -> u64 {
    u64::from(kdf.memory_kib) * u64::from(kdf.passes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine that takes so many microseconds for a MiB and a pass, and has so much memory.
    fn machine(us_per_mib: u64, memory_mib: u32) -> KdfParams {
        settle(|params| {
            let mib = params.memory_kib / 1_024;
            (mib <= memory_mib).then(|| Duration::from_micros(u64::from(mib) * u64::from(params.passes) * us_per_mib))
        })
    }

    #[test]
    fn estimates_grow_with_the_work() {
        let takes = |kdfs: &[KdfParams]| {
            let mut pace = Pace::default();
            pace.learn(Duration::from_millis(120));
            pace.takes_ms(kdfs)
        };
        let three = KdfParams::FLOOR;
        assert_eq!(takes(&[three]), Some(120), "the probe itself");
        assert_eq!(takes(&[three, three]), Some(240), "two people");
        assert_eq!(takes(&[KdfParams { memory_kib: 4 * three.memory_kib, ..three }]), Some(480));
        assert_eq!(takes(&[]), None, "nothing to wait for");
        assert!(Pace::default().takes_ms(&[three]).is_some_and(|ms| ms > 0), "and it measures by itself");
    }

    #[test]
    fn as_hard_as_the_machine_can() {
        let seconds = |params: KdfParams, us_per_mib: u64| u64::from(params.memory_kib / 1_024) * u64::from(params.passes) * us_per_mib;
        for us_per_mib in [20, 100, 300, 600, 1_000] {
            let params = machine(us_per_mib, 16_384);
            let took = seconds(params, us_per_mib);
            assert!(params.is_within_bounds() && (600_000..=1_000_000).contains(&took), "{params}: {took} us");
        }
        // A slow machine gets less memory before it waits for more than a second, and never less than the floor.
        assert_eq!(machine(2_000, 16_384).memory_kib, 128 * 1_024);
        assert_eq!(machine(60_000, 16_384), KdfParams::FLOOR);
        // Memory that cannot be had is not asked for.
        assert_eq!(machine(100, 100), KdfParams { passes: 32, ..KdfParams::FLOOR });
        assert_eq!(machine(100, 1).memory_kib, 64 * 1_024);
    }
}
