//! What the signer remembers across restarts beside the vault: codes used, signatures made, the kill switch.
//!
//! Invariant: the count of signatures and the worth of orders are reserved ahead, so that a restart can skip numbers and count
//! orders that were never signed, but never repeat or forget one.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strongroom_guard::{Freeze, Freezes, KeptRate, OrderRate, Threshold, TotpState, Turnover, Turnovers};
use strongroom_model::Notional;

use crate::clock::Moment;
use crate::managed::Remembered;

/// Signatures reserved with one save.
const BLOCK: u64 = 1_000;
/// Numbers that are skipped at most; more signatures than this are never made.
const RESERVED_MAX: u64 = u64::MAX / 2;
/// A new block is asked for when so few are left.
const BLOCK_LOW: u64 = 500;
/// New orders that a lost ledger is taken to hide: more than any limit allows in a minute.
const ORDERS_LOST: u64 = 1_000_000;
/// New orders are reserved by this part of what a minute may bring: so much of it a restart can cost.
const MINUTES_PART: u64 = 8;
/// The least that is reserved: this part of what a day may bring.
const DAYS_PART: u32 = 500;

/// The content of the sealed state file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ledger {
    /// One-time codes.
    pub(crate) totp: TotpState,
    /// No signature above this number has been made.
    pub(crate) reserved: u64,
    /// What the kill switch stops.
    #[serde(rename = "freeze")]
    pub(crate) freezes: Freezes,
    /// Largest log size whose head was signed.
    pub(crate) log_size: u64,
    /// What was signed in the last day, when this was written.
    #[serde(default)]
    pub(crate) turnover: Turnover,
    /// The same of each person and bot that has a threshold.
    #[serde(default)]
    pub(crate) turnovers: Turnovers,
    /// The worth of everything signed has not gone above this.
    #[serde(default)]
    pub(crate) spent: Notional,
    /// Marks of the recovery codes that were not used, under the key of the one-time codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) codes: Vec<[u8; 32]>,
    /// New orders signed, when this was written.
    #[serde(default)]
    pub(crate) orders: u64,
    /// Orders and amendments that were numbered in all openings, when this was written.
    #[serde(default)]
    pub(crate) numbered: u64,
    /// How often the vault was opened and something saved, this time included.
    #[serde(default)]
    pub(crate) openings: u64,
    /// No more new orders than this have been signed.
    #[serde(default)]
    pub(crate) orders_reserved: u64,
    /// Those of the last minute, when this was written.
    #[serde(default)]
    pub(crate) rate: KeptRate,
    /// What an organisation laid down, once it was seen here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) managed: Option<Remembered>,
}

/// The running worth of what is signed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spending {
    pub(crate) turnover: Turnover,
    /// Of each that has a threshold.
    pub(crate) turnovers: Turnovers,
    on_disk: Notional,
}

impl Spending {
    /// Goes on from what is on disk: all that was reserved counts as signed now, by each that has a threshold.
    pub(crate) fn resume(ledger: &Ledger, thresholds: &[Threshold], now_s: u64) -> Self {
        let (mut turnover, mut turnovers) = (ledger.turnover.clone(), ledger.turnovers.clone());
        let unknown = ledger.spent.checked_sub(turnover.total()).unwrap_or_default();
        // What is reserved could be held, so its sum can.
        let _ = unknown.is_zero() || turnover.count(unknown, now_s);
        turnovers.assume(thresholds, unknown, now_s);
        Self { turnover, turnovers, on_disk: ledger.spent }
    }

    /// Whether so much more is reserved on disk.
    pub(crate) fn covers(&self, more: Notional) -> bool {
        self.turnover.total().checked_add(more).is_some_and(|total| total <= self.on_disk)
    }

    /// The reservation to save now, if there is no room for `more`, the worth of one order, twice over. `day` is what a day may bring.
    pub(crate) fn wants(&self, more: Notional, day: Notional) -> Option<Notional> {
        let twice = more.checked_add(more)?;
        if !self.on_disk.is_zero() && self.covers(twice) {
            return None;
        }
        let share = Notional::new(day.value() / Decimal::from(DAYS_PART)).unwrap_or_default();
        let block = twice.checked_add(twice)?.checked_add(twice)?.max(share);
        self.turnover.total().checked_add(block)
    }

    pub(crate) const fn on_disk(&self) -> Notional {
        self.on_disk
    }

    /// A reservation is on disk.
    pub(crate) fn saved(&mut self, spent: Notional) {
        self.on_disk = self.on_disk.max(spent);
    }
}

/// What one save reserves: signatures, their worth and new orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reserved {
    pub(crate) signatures: u64,
    pub(crate) spent: Notional,
    pub(crate) orders: u64,
}

/// New orders of the last minute, reserved ahead.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rate {
    pub(crate) window: OrderRate,
    kept: KeptRate,
    made: u64,
    on_disk: u64,
}

impl Rate {
    /// Goes on from what is on disk: orders that were reserved count as signed just now.
    pub(crate) fn resume(ledger: &Ledger, now: Moment) -> Self {
        let mut kept = ledger.rate.clone();
        let unknown = ledger.orders_reserved.saturating_sub(ledger.orders);
        kept.count(u32::try_from(unknown).unwrap_or(u32::MAX), now.wall_s());
        let window = OrderRate::resume(&kept, now.mono_ms, now.wall_s());
        Self { window, kept, made: ledger.orders_reserved, on_disk: ledger.orders_reserved }
    }

    /// Whether one more is reserved on disk.
    pub(crate) const fn has_next(&self) -> bool {
        self.made < self.on_disk
    }

    /// One more was signed.
    pub(crate) fn count(&mut self, now: Moment) {
        self.made += 1;
        self.window.count(now.mono_ms);
        self.kept.count(1, now.wall_s());
    }

    /// Those of the last minute, for the disk.
    pub(crate) const fn kept(&self) -> &KeptRate {
        &self.kept
    }

    pub(crate) const fn made(&self) -> u64 {
        self.made
    }

    /// The reservation to save now, if so few are left that a minute's part does not fit.
    pub(crate) fn wants(&self, per_minute: u32) -> Option<u64> {
        let block = (u64::from(per_minute) / MINUTES_PART).max(1);
        (self.made + block / 2 >= self.on_disk).then_some(self.made + block)
    }

    pub(crate) const fn on_disk(&self) -> u64 {
        self.on_disk
    }

    /// A reservation is on disk.
    pub(crate) fn saved(&mut self, orders: u64) {
        self.on_disk = self.on_disk.max(orders);
    }
}

impl Ledger {
    /// What it reserves.
    pub(crate) const fn reserves(&self) -> Reserved {
        Reserved { signatures: self.reserved, spent: self.spent, orders: self.orders_reserved }
    }

    /// What a ledger that is lost may have remembered, at the worst: it was saved at least `saves` times, and each save reserved at most
    /// one block; every code up to `step` was used; the kill switch was engaged. Whoever re-arms lets the day's worth begin anew.
    pub(crate) fn lost(saves: u64, step: u64) -> Self {
        let mut freezes = Freezes::default();
        freezes.engage(Freeze::everything("the state file was lost: whether the kill switch was engaged is not known"));
        Self {
            totp: TotpState { last_step: step, ..TotpState::default() },
            reserved: saves.saturating_mul(BLOCK).min(RESERVED_MAX),
            freezes,
            log_size: 0,
            // Re-arming, with a code, lets the day begin anew.
            turnover: Turnover::default(),
            turnovers: Turnovers::default(),
            spent: Notional::ZERO,
            codes: Vec::new(),
            orders: 0,
            numbered: 0,
            openings: 0,
            // As many in the last minute as any limit allows.
            orders_reserved: ORDERS_LOST,
            rate: KeptRate::default(),
            managed: None,
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

    pub(crate) const fn on_disk(self) -> u64 {
        self.on_disk
    }

    pub(crate) const fn made(self) -> u64 {
        self.made
    }

    /// Whether the next number is reserved on disk.
    pub(crate) const fn has_next(self) -> bool {
        self.made < self.on_disk
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
    fn what_was_reserved_counts_after_a_restart() {
        let of = |text| Notional::parse(text).unwrap();
        let (order, day, now_s) = (of("10"), of("100"), 1_800_000_000);
        let mut ledger = Ledger::default();
        let mut spending = Spending::resume(&ledger, &[], now_s);
        assert!(!spending.covers(order), "nothing is signed before anything is reserved");
        ledger.spent = spending.wants(order, day).unwrap();
        spending.saved(ledger.spent);
        assert_eq!((ledger.spent, spending.wants(order, day)), (of("60"), None));
        assert!(spending.turnover.count(order, now_s));
        let mut restarted = Spending::resume(&ledger, &[], now_s + 5);
        assert_eq!(restarted.turnover.of_day(now_s + 5), of("60"), "ten were signed, sixty are assumed");
        assert_eq!(restarted.turnover.of_day(now_s + 90_000), Notional::ZERO);
        // The smallest reservation is a part of the day's.
        assert_eq!(Spending::default().wants(Notional::ZERO, of("500000")), Some(of("1000")));
    }

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
            assert!(lost.freezes.everything().is_some() && lost.totp.last_step == 7);
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
