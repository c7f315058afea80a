//! One-minute candles and what is computed from them. Invariant: one candle per minute, without holes.

use std::collections::VecDeque;

use strongroom_model::{MarketTrade, Notional, Price, Quantity, Timestamp};

/// Length of the candles that are kept.
pub(crate) const MINUTE_MS: i64 = 60_000;
/// Candles kept: a day for the 24-hour statistics, and an hour more.
pub(crate) const CANDLES_KEPT_MAX: usize = 1_500;

/// One interval of trading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandleStats {
    /// Begin.
    pub open_time: Timestamp,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Base quantity traded.
    pub volume: Quantity,
    /// Quote amount traded.
    pub quote_volume: Notional,
    /// Number of trades.
    pub trades: u64,
    /// Base quantity bought by takers.
    pub taker_volume: Quantity,
    /// Quote amount paid by takers who bought.
    pub taker_quote_volume: Notional,
}

impl CandleStats {
    /// A candle in which nothing traded.
    pub(crate) fn flat(open_time: Timestamp, price: Price) -> Self {
        Self {
            open_time,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: Quantity::ZERO,
            quote_volume: Notional::ZERO,
            trades: 0,
            taker_volume: Quantity::ZERO,
            taker_quote_volume: Notional::ZERO,
        }
    }

    fn trade(&mut self, trade: &MarketTrade) {
        let notional = trade.price * trade.quantity;
        if self.trades == 0 {
            (self.open, self.high, self.low) = (trade.price, trade.price, trade.price);
        }
        self.high = self.high.max(trade.price);
        self.low = self.low.min(trade.price);
        self.close = trade.price;
        self.volume = self.volume + trade.quantity;
        self.quote_volume = self.quote_volume + notional;
        self.trades += 1;
        if !trade.buyer_is_maker {
            self.taker_volume = self.taker_volume + trade.quantity;
            self.taker_quote_volume = self.taker_quote_volume + notional;
        }
    }

    fn join(&mut self, later: &Self) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume = self.volume + later.volume;
        self.quote_volume = self.quote_volume + later.quote_volume;
        self.trades += later.trades;
        self.taker_volume = self.taker_volume + later.taker_volume;
        self.taker_quote_volume = self.taker_quote_volume + later.taker_quote_volume;
    }
}

/// Candles of one market, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Candles(VecDeque<CandleStats>);

impl Candles {
    pub(crate) fn push(&mut self, candle: CandleStats) {
        self.0.push_back(candle);
        if self.0.len() > CANDLES_KEPT_MAX {
            self.0.pop_front();
        }
    }

    pub(crate) fn last(&self) -> Option<&CandleStats> {
        self.0.back()
    }

    /// Continues with flat candles up to the minute of `now`.
    pub(crate) fn continue_to(&mut self, now: Timestamp) {
        let minute = minute_of(now);
        let Some(last) = self.last() else { return };
        let (from, price) = (last.open_time.ms() + MINUTE_MS, last.close);
        let kept_ms = i64::try_from(CANDLES_KEPT_MAX).unwrap_or(i64::MAX).saturating_mul(MINUTE_MS);
        let mut at = from.max(minute.ms() - kept_ms);
        if at > from {
            self.0.clear();
        }
        while at <= minute.ms() {
            self.push(CandleStats::flat(Timestamp::from_ms(at), price));
            at += MINUTE_MS;
        }
    }

    pub(crate) fn trade(&mut self, trade: &MarketTrade) {
        self.continue_to(trade.at);
        if self.0.is_empty() {
            self.push(CandleStats::flat(minute_of(trade.at), trade.price));
        }
        if let Some(candle) = self.0.back_mut() {
            candle.trade(trade);
        }
    }

    /// Candles of `interval_ms`, whose open time lies in `from..=to`, oldest first.
    pub(crate) fn of_interval(&self, interval_ms: i64, from: Timestamp, to: Timestamp) -> Vec<CandleStats> {
        let mut joined: Vec<CandleStats> = Vec::new();
        for minute in &self.0 {
            let open = Timestamp::from_ms(minute.open_time.ms() - minute.open_time.ms().rem_euclid(interval_ms));
            if open < from || open > to {
                continue;
            }
            match joined.last_mut() {
                Some(last) if last.open_time == open => last.join(minute),
                _ => joined.push(CandleStats { open_time: open, ..minute.clone() }),
            }
        }
        joined
    }

    /// The last 24 hours as one candle.
    pub(crate) fn day(&self, now: Timestamp) -> Option<CandleStats> {
        let from = now.plus_ms(-86_400_000);
        let mut recent = self.0.iter().filter(|candle| candle.open_time >= from);
        let mut day = recent.next()?.clone();
        recent.for_each(|candle| day.join(candle));
        Some(day)
    }
}

fn minute_of(at: Timestamp) -> Timestamp {
    Timestamp::from_ms(at.ms() - at.ms().rem_euclid(MINUTE_MS))
}

/// Intervals that begin at fixed multiples of UTC time, and their lengths in milliseconds.
pub(crate) const INTERVALS: [(&str, i64); 12] = [
    ("1m", MINUTE_MS),
    ("3m", 3 * MINUTE_MS),
    ("5m", 5 * MINUTE_MS),
    ("15m", 15 * MINUTE_MS),
    ("30m", 30 * MINUTE_MS),
    ("1h", 60 * MINUTE_MS),
    ("2h", 120 * MINUTE_MS),
    ("4h", 240 * MINUTE_MS),
    ("6h", 360 * MINUTE_MS),
    ("8h", 480 * MINUTE_MS),
    ("12h", 720 * MINUTE_MS),
    ("1d", 1_440 * MINUTE_MS),
];

/// Milliseconds of an interval's name.
pub(crate) fn interval_ms(name: &str) -> Option<i64> {
    INTERVALS.iter().find(|(known, _)| *known == name).map(|(_, ms)| *ms)
}
