//! Counts requests, weights and orders. Invariant: windows are aligned to the clock, as the venue's are; who goes on after
//! 429 is banned, longer each time.

use std::collections::HashMap;
use std::net::IpAddr;

use strongroom_model::Timestamp;
use strongroom_venues::binance::wire::RateLimit;

use super::refusal::ApiRefusal;

/// Addresses that are counted apart; further ones share one count.
const ADDRESSES_MAX: usize = 1_024;
/// Refused requests of one window after which an address is banned (`rest-api.md`, “IP Limits”: repeatedly violating rate limits).
const STRIKES_MAX: u32 = 10;
/// The first ban and the longest: two minutes to three days (`rest-api.md`, “IP Limits”).
const BAN_MS: i64 = 120_000;
const BAN_MS_MAX: i64 = 3 * 86_400_000;

/// What is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Request weight per minute and address.
    pub weight_per_minute: u32,
    /// Unfilled orders per ten seconds and account.
    pub orders_per_10s: u32,
    /// Unfilled orders per day and account.
    pub orders_per_day: u32,
    /// Requests per five minutes and address.
    pub raw_requests_per_5m: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { weight_per_minute: 6_000, orders_per_10s: 100, orders_per_day: 200_000, raw_requests_per_5m: 300_000 }
    }
}

impl Limits {
    pub(crate) fn announced(&self) -> Vec<RateLimit> {
        let rule = |kind: &str, interval: &str, interval_num, limit| RateLimit {
            rate_limit_type: kind.to_owned(),
            interval: interval.to_owned(),
            interval_num,
            limit,
        };
        vec![
            rule("REQUEST_WEIGHT", "MINUTE", 1, self.weight_per_minute),
            rule("ORDERS", "SECOND", 10, self.orders_per_10s),
            rule("ORDERS", "DAY", 1, self.orders_per_day),
            rule("RAW_REQUESTS", "MINUTE", 5, self.raw_requests_per_5m),
        ]
    }
}

#[derive(Clone, Copy, Debug)]
struct Window {
    length_ms: i64,
    limit: u32,
    index: i64,
    used: u32,
}

impl Window {
    const fn new(length_ms: i64, limit: u32) -> Self {
        Self { length_ms, limit, index: 0, used: 0 }
    }

    fn used(&mut self, now: Timestamp) -> u32 {
        let index = now.ms().div_euclid(self.length_ms);
        if index != self.index {
            (self.index, self.used) = (index, 0);
        }
        self.used
    }

    fn fits(&mut self, now: Timestamp, more: u32) -> bool {
        self.used(now).saturating_add(more) <= self.limit
    }

    fn add(&mut self, now: Timestamp, more: u32) {
        self.used = self.used(now).saturating_add(more);
    }

    /// Whole seconds until the window ends, rounded up.
    fn retry_after_s(&self, now: Timestamp) -> u64 {
        let left_ms = self.length_ms - now.ms().rem_euclid(self.length_ms);
        left_ms.unsigned_abs().div_ceil(1_000)
    }
}

/// Counts of one address.
#[derive(Debug)]
struct AddressQuota {
    weight: Window,
    raw: Window,
    /// Refused requests of the present minute.
    strikes: Window,
    bans: u32,
    banned_until: Option<Timestamp>,
}

impl AddressQuota {
    fn new(limits: &Limits) -> Self {
        Self {
            weight: Window::new(60_000, limits.weight_per_minute),
            raw: Window::new(300_000, limits.raw_requests_per_5m),
            strikes: Window::new(60_000, STRIKES_MAX),
            bans: 0,
            banned_until: None,
        }
    }

    fn admit(&mut self, now: Timestamp, weight: u32) -> Result<(), ApiRefusal> {
        if let Some(until) = self.banned_until.filter(|until| *until > now) {
            return Err(ApiRefusal::banned(until, seconds_between(now, until)));
        }
        self.banned_until = None;
        let refused = if !self.raw.fits(now, 1) {
            ApiRefusal::too_many_requests(self.raw.retry_after_s(now))
        } else if !self.weight.fits(now, weight) {
            self.raw.add(now, 1);
            ApiRefusal::too_much_weight(self.weight.limit, "1 MINUTE", self.weight.retry_after_s(now))
        } else {
            self.raw.add(now, 1);
            return Ok(());
        };
        if self.strikes.fits(now, 1) {
            self.strikes.add(now, 1);
            return Err(refused);
        }
        let length_ms = BAN_MS.saturating_mul(1 << self.bans.min(20)).min(BAN_MS_MAX);
        self.bans += 1;
        self.strikes.used = 0;
        let until = now.plus_ms(length_ms);
        self.banned_until = Some(until);
        Err(ApiRefusal::banned(until, seconds_between(now, until)))
    }
}

fn seconds_between(now: Timestamp, until: Timestamp) -> u64 {
    until.ms_since(now).max(0).unsigned_abs().div_ceil(1_000)
}

/// Counts of all addresses.
#[derive(Debug)]
pub(crate) struct AddressQuotas {
    limits: Limits,
    known: HashMap<IpAddr, AddressQuota>,
    others: AddressQuota,
}

impl AddressQuotas {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { limits: *limits, known: HashMap::new(), others: AddressQuota::new(limits) }
    }

    fn of(&mut self, address: IpAddr) -> &mut AddressQuota {
        if self.known.len() >= ADDRESSES_MAX && !self.known.contains_key(&address) {
            return &mut self.others;
        }
        self.known.entry(address).or_insert_with(|| AddressQuota::new(&self.limits))
    }

    /// Counts one request; refuses it when it does not fit.
    pub(crate) fn admit(&mut self, now: Timestamp, address: IpAddr, weight: u32) -> Result<(), ApiRefusal> {
        self.of(address).admit(now, weight)
    }

    pub(crate) fn charge(&mut self, now: Timestamp, address: IpAddr, weight: u32) {
        self.of(address).weight.add(now, weight);
    }

    pub(crate) fn used_weight(&mut self, now: Timestamp, address: IpAddr) -> u32 {
        self.of(address).weight.used(now)
    }
}

/// Unfilled orders of one account.
#[derive(Debug)]
pub(crate) struct OrderQuota {
    short: Window,
    day: Window,
}

impl OrderQuota {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { short: Window::new(10_000, limits.orders_per_10s), day: Window::new(86_400_000, limits.orders_per_day) }
    }

    pub(crate) fn admit(&mut self, now: Timestamp) -> Result<(), ApiRefusal> {
        self.admit_many(now, 1)
    }

    /// Whether so many orders at once fit, as the orders of a list do.
    pub(crate) fn admit_many(&mut self, now: Timestamp, count: u32) -> Result<(), ApiRefusal> {
        for (window, words) in [(&mut self.short, "10 SECOND"), (&mut self.day, "1 DAY")] {
            if !window.fits(now, count) {
                return Err(ApiRefusal::too_many_orders(window.limit, words, window.retry_after_s(now)));
            }
        }
        Ok(())
    }

    pub(crate) fn placed(&mut self, now: Timestamp) {
        self.placed_many(now, 1);
    }

    pub(crate) fn placed_many(&mut self, now: Timestamp, count: u32) {
        self.short.add(now, count);
        self.day.add(now, count);
    }

    /// An order that trades no longer counts (`faqs/order_count_decrement.md`).
    pub(crate) fn first_filled(&mut self, now: Timestamp) {
        for window in [&mut self.short, &mut self.day] {
            window.used = window.used(now).saturating_sub(1);
        }
    }

    pub(crate) fn used(&mut self, now: Timestamp) -> [u32; 2] {
        [self.short.used(now), self.day.used(now)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::LOOPBACK;

    #[test]
    fn who_goes_on_after_429_is_banned_longer_each_time() {
        let mut quotas = AddressQuotas::new(&Limits { weight_per_minute: 10, ..Limits::default() });
        let mut now = Timestamp::from_ms(60_000);
        quotas.charge(now, LOOPBACK, 10);
        for minutes in [2, 4, 8] {
            let refused: Vec<u16> = (0..12).map(|_| quotas.admit(now, LOOPBACK, 1).unwrap_err().status).collect();
            assert_eq!(refused, [vec![429; 10], vec![418; 2]].concat());
            assert_eq!(quotas.admit(now, LOOPBACK, 1).unwrap_err().retry_after_s, Some(minutes * 60));
            assert!(quotas.admit(now, IpAddr::from([127, 0, 0, 2]), 1).is_ok(), "another address is not concerned");
            now = now.plus_ms(i64::try_from(minutes).unwrap() * 60_000);
            assert!(quotas.admit(now, LOOPBACK, 1).is_ok());
            quotas.charge(now, LOOPBACK, 10);
        }
    }
}
