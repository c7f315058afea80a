//! Marks of the last minutes, for the collar over time. Invariant: what was told within them is remembered.

use std::collections::{BTreeMap, VecDeque};

use strongroom_model::{Price, Side, Symbol};

/// So far the collar over time looks back.
pub const DRIFT_MINUTES: u64 = 10;
const MINUTE_MS: u64 = 60_000;

/// Lowest and highest mark of one minute.
#[derive(Clone, Copy, Debug)]
struct Minute {
    number: u64,
    low: Price,
    high: Price,
}

/// The last minutes of each instrument that is followed, newest last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drift(BTreeMap<Symbol, VecDeque<Minute>>);

impl Drift {
    /// A mark of now.
    pub(crate) fn mark(&mut self, symbol: &Symbol, mark: Price, now_ms: u64) {
        let number = now_ms / MINUTE_MS;
        let minutes = self.0.entry(symbol.clone()).or_default();
        match minutes.back_mut() {
            Some(last) if last.number >= number => {
                last.low = last.low.min(mark);
                last.high = last.high.max(mark);
            }
            _ => minutes.push_back(Minute { number, low: mark, high: mark }),
        }
        minutes.retain(|minute| is_recent(minute, number));
    }

    /// The best mark of the last minutes for that side, this one of now included.
    pub(crate) fn best(&self, symbol: &Symbol, side: Side, mark: Price, now_ms: u64) -> Price {
        let recent = self.0.get(symbol).into_iter().flatten().filter(|minute| is_recent(minute, now_ms / MINUTE_MS));
        match side {
            Side::Buy => recent.map(|minute| minute.low).fold(mark, Ord::min),
            Side::Sell => recent.map(|minute| minute.high).fold(mark, Ord::max),
        }
    }
}

/// The minute that is not over counts besides.
fn is_recent(minute: &Minute, now: u64) -> bool {
    minute.number + DRIFT_MINUTES >= now
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows: when it was marked at 90 and at 110, and what is best for a buyer and a seller at minute 20 and a half, at 100.
    #[test]
    fn it_reaches_back_ten_minutes_and_forgets_the_eleventh() {
        let (symbol, price) = (Symbol::parse("BTCUSDT").unwrap(), |text: &str| Price::parse(text).unwrap());
        for (minute, low, high) in [(9, "100", "100"), (10, "90", "110"), (20, "90", "110")] {
            let mut drift = Drift::default();
            for mark in ["90", "110", "95"] {
                drift.mark(&symbol, price(mark), minute * MINUTE_MS + 59_999);
            }
            let best = |side| drift.best(&symbol, side, price("100"), 20 * MINUTE_MS + 30_000);
            assert_eq!((best(Side::Buy), best(Side::Sell)), (price(low), price(high)), "minute {minute}");
        }
        let mut drift = Drift::default();
        for minute in 0..100 {
            drift.mark(&symbol, price("1"), minute * MINUTE_MS);
        }
        assert_eq!(drift.0[&symbol].len(), 11, "no more is kept");
        assert_eq!(drift.best(&Symbol::parse("ETHUSDT").unwrap(), Side::Buy, price("7"), 0), price("7"), "nothing is known of another");
    }
}
