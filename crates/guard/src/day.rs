//! What the day's own trades brought. Invariant: only trades count, so what is paid in or out of the account is neither gain nor loss.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use strongroom_model::{Asset, Price, Side, Symbol, Timestamp};

use crate::exposure::Filled;

const MS_PER_DAY: i64 = 86_400_000;

/// One instrument's trades of the day.
#[derive(Clone, Debug, Default)]
struct Trades {
    /// Bought less sold.
    quantity: Decimal,
    /// Received less paid.
    cash: Decimal,
    /// Price of the newest trade.
    last: Decimal,
}

/// The trades of one day (UTC).
#[derive(Clone, Debug, Default)]
pub struct Day {
    number: i64,
    trades: BTreeMap<Symbol, (Asset, Trades)>,
    /// The highest result of the day, by quote asset.
    highest: BTreeMap<Asset, Decimal>,
}

/// A day's result in one quote asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayResult {
    /// Gain, or loss when it is negative.
    pub result: Decimal,
    /// How far it is below the highest of the day.
    pub drawdown: Decimal,
}

impl Day {
    /// The day begins when it is first seen; trades of another day are forgotten.
    pub fn is(&mut self, at: Timestamp) {
        let number = at.ms().div_euclid(MS_PER_DAY);
        if number != self.number {
            *self = Self { number, ..Self::default() };
        }
    }

    /// Whether that moment was of a day before this one.
    pub const fn is_after(&self, at: Timestamp) -> bool {
        at.ms().div_euclid(MS_PER_DAY) < self.number
    }

    /// Something was filled at that moment. `fee` is in the quote asset.
    pub fn traded(&mut self, symbol: &Symbol, quote: &str, side: Side, filled: Filled, fee: Decimal, at: Timestamp) {
        self.is(at);
        let (_, trades) = self.trades.entry(symbol.clone()).or_insert_with(|| (quote.to_owned(), Trades::default()));
        let cash = trades.cash.saturating_sub(fee);
        (trades.quantity, trades.cash) = match side {
            Side::Buy => (trades.quantity.saturating_add(filled.quantity), cash.saturating_sub(filled.notional)),
            Side::Sell => (trades.quantity.saturating_sub(filled.quantity), cash.saturating_add(filled.notional)),
        };
        trades.last = filled.notional.checked_div(filled.quantity).unwrap_or(trades.last);
    }

    /// The result in a quote asset at `marks`; an instrument without a mark counts at its newest trade.
    pub fn result(&mut self, quote: &str, marks: &BTreeMap<Symbol, Price>) -> DayResult {
        let of_quote = self.trades.iter().filter(|(_, (asset, _))| asset == quote);
        let worth = |(symbol, (_, trades)): (&Symbol, &(Asset, Trades))| {
            trades.cash.saturating_add(trades.quantity.saturating_mul(marks.get(symbol).map_or(trades.last, |mark| mark.value())))
        };
        let result = of_quote.map(worth).fold(Decimal::ZERO, Decimal::saturating_add);
        let highest = self.highest.entry(quote.to_owned()).or_default();
        *highest = (*highest).max(result);
        DayResult { result, drawdown: highest.saturating_sub(result) }
    }

    /// The day's number and its highest results, to be kept for a desk that begins anew.
    pub fn highest(&self) -> (i64, &BTreeMap<Asset, Decimal>) {
        (self.number, &self.highest)
    }

    /// What was kept, if it is of the day of that moment: a result that was higher counts on.
    pub fn remember(&mut self, number: i64, highest: &BTreeMap<Asset, Decimal>, at: Timestamp) {
        self.is(at);
        if number == self.number {
            for (quote, kept) in highest {
                let known = self.highest.entry(quote.clone()).or_default();
                *known = (*known).max(*kept);
            }
        }
    }

    /// The quote assets that were traded.
    pub fn quotes(&self) -> Vec<Asset> {
        let mut quotes: Vec<Asset> = self.trades.values().map(|(quote, _)| quote.clone()).collect();
        quotes.sort_unstable();
        quotes.dedup();
        quotes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A desk that begins anew knows the trades of the day, and how high its result was.
    #[test]
    fn a_fall_is_measured_from_what_was_kept_of_the_same_day() {
        let (at, tomorrow) = (Timestamp::from_ms(MS_PER_DAY * 100), Timestamp::from_ms(MS_PER_DAY * 101));
        let symbol = Symbol::parse("BTCUSDT").unwrap();
        let mark = |text: &str| BTreeMap::from([(symbol.clone(), Price::parse(text).unwrap())]);
        let filled = Filled { quantity: Decimal::ONE, notional: Decimal::from(100) };
        let begun = || {
            let mut day = Day::default();
            day.traded(&symbol, "USDT", Side::Buy, filled, Decimal::ZERO, at);
            day
        };
        let mut first = begun();
        assert_eq!(first.result("USDT", &mark("150")).drawdown, Decimal::ZERO);
        let (number, highest) = first.highest();
        for (kept, drawdown) in [(number, 50), (number - 1, 0)] {
            let mut second = begun();
            second.remember(kept, highest, at);
            assert_eq!(second.result("USDT", &mark("100")).drawdown, Decimal::from(drawdown), "{kept}");
        }
        let mut next = Day::default();
        next.remember(number, highest, tomorrow);
        assert!(next.highest().1.is_empty(), "yesterday's is over");
    }

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn filled(quantity: &str, notional: &str) -> Filled {
        Filled { quantity: number(quantity), notional: number(notional) }
    }

    #[test]
    fn gains_losses_and_how_far_they_fell() {
        let btc = Symbol::parse("BTCUSDT").unwrap();
        let at = Timestamp::from_ms(1_800_000_000_000);
        let mut day = Day::default();
        day.traded(&btc, "USDT", Side::Buy, filled("2", "200"), number("0.2"), at);
        let marks = |price: &str| BTreeMap::from([(btc.clone(), Price::parse(price).unwrap())]);
        for (mark, result, drawdown) in [("100", "-0.2", "0.2"), ("110", "19.8", "0"), ("105", "9.8", "10"), ("90", "-20.2", "40")] {
            assert_eq!(day.result("USDT", &marks(mark)), DayResult { result: number(result), drawdown: number(drawdown) }, "at {mark}");
        }
        day.traded(&btc, "USDT", Side::Sell, filled("2", "180"), number("0.2"), at);
        assert_eq!(day.result("USDT", &BTreeMap::new()).result, number("-20.4"), "what is sold does not move with the mark");
        assert_eq!((day.result("EUR", &marks("90")).result, day.quotes()), (Decimal::ZERO, vec!["USDT".to_owned()]));
        day.is(Timestamp::from_ms(at.ms() + MS_PER_DAY));
        assert_eq!(
            day.result("USDT", &marks("90")),
            DayResult { result: Decimal::ZERO, drawdown: Decimal::ZERO },
            "the next day begins anew"
        );
    }
}
