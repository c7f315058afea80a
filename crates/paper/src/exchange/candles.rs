//! Candles of minutes and seconds, and what is computed from them. Invariant: one candle per minute and second, without holes.

use std::collections::VecDeque;

use rust_decimal::Decimal;
use strongroom_model::{MarketTrade, Notional, Price, Quantity, Timestamp};

pub(crate) use super::intervals::MINUTE_MS;
use super::intervals::{DAY_MS, Interval, SECOND_MS};

/// Minutes kept: three days and an hour.
pub(crate) const CANDLES_KEPT_MAX: usize = 3 * 1_440 + 60;
/// Seconds kept: an hour.
const SECONDS_KEPT_MAX: usize = 3_600;

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
    /// Numbers of the first and the last trade, as far as they are known.
    pub trade_ids: Option<(u64, u64)>,
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
            trade_ids: None,
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
        self.trade_ids = Some((self.trade_ids.map_or(trade.trade_id.0, |(first, _)| first), trade.trade_id.0));
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
        self.trade_ids = match (self.trade_ids, later.trade_ids) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (known, None) | (None, known) => known,
        };
        self.taker_volume = self.taker_volume + later.taker_volume;
        self.taker_quote_volume = self.taker_quote_volume + later.taker_quote_volume;
    }
}

/// Candles of one length, oldest first, without holes.
#[derive(Debug)]
struct Series {
    step_ms: i64,
    kept_max: usize,
    candles: VecDeque<CandleStats>,
}

impl Series {
    const fn new(step_ms: i64, kept_max: usize) -> Self {
        Self { step_ms, kept_max, candles: VecDeque::new() }
    }

    fn push(&mut self, candle: CandleStats) {
        self.candles.push_back(candle);
        if self.candles.len() > self.kept_max {
            self.candles.pop_front();
        }
    }

    const fn begin(&self, at: Timestamp) -> i64 {
        at.ms() - at.ms().rem_euclid(self.step_ms)
    }

    fn continue_to(&mut self, now: Timestamp) {
        let last = self.begin(now);
        let Some(newest) = self.candles.back() else { return };
        let (from, price) = (newest.open_time.ms() + self.step_ms, newest.close);
        let kept_ms = i64::try_from(self.kept_max).unwrap_or(i64::MAX).saturating_mul(self.step_ms);
        let mut at = from.max(last - kept_ms);
        if at > from {
            self.candles.clear();
        }
        while at <= last {
            self.push(CandleStats::flat(Timestamp::from_ms(at), price));
            at += self.step_ms;
        }
    }

    fn trade(&mut self, trade: &MarketTrade) {
        self.continue_to(trade.at);
        if self.candles.is_empty() {
            self.push(CandleStats::flat(Timestamp::from_ms(self.begin(trade.at)), trade.price));
        }
        if let Some(candle) = self.candles.back_mut() {
            candle.trade(trade);
        }
    }

    /// Candles that begin at `from` or later.
    fn since(&self, from: Timestamp) -> impl Iterator<Item = &CandleStats> {
        self.candles.range(self.candles.partition_point(|candle| candle.open_time < from)..)
    }
}

/// The minutes of a longer candle that have ended, as one: nothing is summed twice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running {
    begin: Timestamp,
    /// The first minute that is not in `ended`.
    next: Timestamp,
    ended: Option<CandleStats>,
}

/// Candles of one market.
#[derive(Debug)]
pub(crate) struct Candles {
    minutes: Series,
    seconds: Series,
}

impl Default for Candles {
    fn default() -> Self {
        Self { minutes: Series::new(MINUTE_MS, CANDLES_KEPT_MAX), seconds: Series::new(SECOND_MS, SECONDS_KEPT_MAX) }
    }
}

impl Candles {
    /// Takes a minute of the past.
    pub(crate) fn push(&mut self, candle: CandleStats) {
        self.minutes.push(candle);
    }

    /// Continues with flat candles up to the moment `now`.
    pub(crate) fn continue_to(&mut self, now: Timestamp) {
        self.minutes.continue_to(now);
        self.seconds.continue_to(now);
    }

    pub(crate) fn trade(&mut self, trade: &MarketTrade) {
        self.minutes.trade(trade);
        self.seconds.trade(trade);
    }

    /// Candles of `interval_ms`, whose open time lies in `from..=to`, oldest first.
    pub(crate) fn of_interval(&self, interval_ms: i64, from: Timestamp, to: Timestamp) -> Vec<CandleStats> {
        self.rows(Interval::Fixed(interval_ms), 0, from, to)
    }

    /// Candles of an interval in a time zone, whose open time lies in `from..=to`, oldest first. A candle of which only the
    /// later part is kept is told by that part.
    pub(crate) fn rows(&self, interval: Interval, zone_ms: i64, from: Timestamp, to: Timestamp) -> Vec<CandleStats> {
        let series = if interval == Interval::Fixed(SECOND_MS) { &self.seconds } else { &self.minutes };
        let mut joined: Vec<CandleStats> = Vec::new();
        let mut end = Timestamp::from_us(i64::MIN);
        for part in series.since(from) {
            if part.open_time < end {
                if let Some(last) = joined.last_mut() {
                    last.join(part);
                }
                continue;
            }
            let open = interval.begin(part.open_time, zone_ms);
            if open > to {
                break;
            }
            if open >= from {
                end = interval.end(open, zone_ms);
                joined.push(CandleStats { open_time: open, ..part.clone() });
            }
        }
        joined
    }

    /// Everything since `from` as one candle.
    pub(crate) fn window(&self, from: Timestamp) -> Option<CandleStats> {
        let mut recent = self.minutes.since(from);
        let mut window = recent.next()?.clone();
        recent.for_each(|candle| window.join(candle));
        Some(window)
    }

    /// The last `length_ms` as one candle; it begins with a minute, so it is up to one wider.
    pub(crate) fn latest(&self, now: Timestamp, length_ms: i64) -> Option<CandleStats> {
        self.window(Interval::Fixed(MINUTE_MS).begin(now.plus_ms(-length_ms), 0))
    }

    /// The last 24 hours as one candle.
    pub(crate) fn day(&self, now: Timestamp) -> Option<CandleStats> {
        self.latest(now, DAY_MS)
    }

    /// The present candle of an interval in a time zone. `running` is what the last call for the same two left.
    pub(crate) fn present(&self, interval: Interval, zone_ms: i64, now: Timestamp, running: &mut Running) -> Option<CandleStats> {
        let begin = interval.begin(now, zone_ms);
        if interval == Interval::Fixed(SECOND_MS) {
            return self.rows(interval, zone_ms, begin, begin).pop();
        }
        if running.begin != begin {
            *running = Running { begin, next: begin, ended: None };
        }
        let minute = Interval::Fixed(MINUTE_MS).begin(now, 0);
        let mut present = None;
        for part in self.minutes.since(running.next) {
            let sum = if part.open_time < minute { &mut running.ended } else { present.get_or_insert_with(|| running.ended.clone()) };
            match sum {
                Some(sum) => sum.join(part),
                None => *sum = Some(CandleStats { open_time: begin, ..part.clone() }),
            }
        }
        running.next = minute;
        present.unwrap_or_else(|| running.ended.clone())
    }

    /// The average price of the last minutes, by volume; `None` when nothing traded.
    pub(crate) fn average(&self, now: Timestamp, minutes: i64) -> Option<Decimal> {
        let window = self.window(now.plus_ms(-minutes * MINUTE_MS))?;
        window.quote_volume.value().checked_div(window.volume.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_model::TradeId;

    /// The evening before a Monday that begins a month.
    const EVENING: Timestamp = Timestamp::from_ms(1_780_257_600_000);

    #[test]
    fn the_present_candle_is_the_sum_of_its_minutes_across_every_rollover() {
        let mut candles = Candles::default();
        let zones = [0, 8 * 3_600_000];
        let mut running: Vec<Running> = Vec::new();
        running.resize_with(zones.len() * Interval::all().count(), Default::default);
        for step in 0..70_i64 {
            let at = EVENING.plus_ms(step * 431_000);
            candles.continue_to(at);
            candles.trade(&MarketTrade {
                trade_id: TradeId(step.unsigned_abs()),
                price: Price::new(Decimal::from(100 + step * 7 % 11)).unwrap(),
                quantity: Quantity::new(Decimal::from(1 + step % 3)).unwrap(),
                at,
                buyer_is_maker: step % 2 == 0,
            });
            let mut running = running.iter_mut();
            for (name, interval) in Interval::all() {
                for zone in zones {
                    let begin = interval.begin(at, zone);
                    let summed = candles.rows(interval, zone, begin, begin).pop().map(|candle| CandleStats { open_time: begin, ..candle });
                    assert_eq!(candles.present(interval, zone, at, running.next().unwrap()), summed, "{name} {step}");
                }
            }
        }
    }
}
