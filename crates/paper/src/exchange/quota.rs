//! Counts requests, weights and orders. Invariant: windows are aligned to the clock, as the venue's are.

use strongroom_model::Timestamp;
use strongroom_venues::binance::wire::RateLimit;

use super::refusal::ApiRefusal;

/// What is allowed. Weight and raw requests are counted over all clients, for they all come from one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Request weight per minute.
    pub weight_per_minute: u32,
    /// Unfilled orders per ten seconds and account.
    pub orders_per_10s: u32,
    /// Unfilled orders per day and account.
    pub orders_per_day: u32,
    /// Requests per five minutes.
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
pub(crate) struct AddressQuota {
    weight: Window,
    raw: Window,
}

impl AddressQuota {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { weight: Window::new(60_000, limits.weight_per_minute), raw: Window::new(300_000, limits.raw_requests_per_5m) }
    }

    /// Counts one request; refuses it when it does not fit.
    pub(crate) fn admit(&mut self, now: Timestamp, weight: u32) -> Result<(), ApiRefusal> {
        if !self.raw.fits(now, 1) {
            return Err(ApiRefusal::too_many_requests(self.raw.retry_after_s(now)));
        }
        self.raw.add(now, 1);
        if !self.weight.fits(now, weight) {
            return Err(ApiRefusal::too_much_weight(self.weight.limit, "1 MINUTE", self.weight.retry_after_s(now)));
        }
        Ok(())
    }

    pub(crate) fn charge(&mut self, now: Timestamp, weight: u32) {
        self.weight.add(now, weight);
    }

    pub(crate) fn used_weight(&mut self, now: Timestamp) -> u32 {
        self.weight.used(now)
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
        for (window, words) in [(&mut self.short, "10 SECOND"), (&mut self.day, "1 DAY")] {
            if !window.fits(now, 1) {
                return Err(ApiRefusal::too_many_orders(window.limit, words, window.retry_after_s(now)));
            }
        }
        Ok(())
    }

    pub(crate) fn placed(&mut self, now: Timestamp) {
        self.short.add(now, 1);
        self.day.add(now, 1);
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
