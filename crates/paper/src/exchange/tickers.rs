//! Prices and statistics of many symbols at once (`rest-api.md`, tickers). Invariant: what is asked for by one symbol is told
//! alone, everything else in a list.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use strongroom_model::{Symbol, Timestamp};

use super::candles::CandleStats;
use super::intervals::{DAY_MS, Interval, MINUTE_MS, window_ms};
use super::market_data::{change, change_percent, pair, weighted, zone_ms};
use super::params::Params;
use super::refusal::ApiRefusal;
use super::routes::{Answer, json as answer};
use super::{Exchange, Venue, eight};

/// Symbols of one request for a window of statistics.
const SYMBOLS_MAX: usize = 100;

/// Statistics are told from and until these moments.
struct Span {
    open: Timestamp,
    close: Timestamp,
}

impl Exchange {
    pub(super) fn ticker_price(&self, _: Timestamp, params: &mut Params) -> Answer {
        self.tickers(params, |exchange, symbol, venue| {
            let price = exchange.floor.market(venue.id).last_price().unwrap_or_default();
            json!({"symbol": symbol, "price": price.to_string()})
        })
    }

    pub(super) fn ticker_book(&self, _: Timestamp, params: &mut Params) -> Answer {
        self.tickers(params, |exchange, symbol, venue| {
            let [[bid, bid_qty], [ask, ask_qty]] = exchange.best(venue).map(pair);
            json!({"symbol": symbol, "bidPrice": bid, "bidQty": bid_qty, "askPrice": ask, "askQty": ask_qty})
        })
    }

    pub(super) fn ticker_day(&self, now: Timestamp, params: &mut Params) -> Answer {
        let is_mini = is_mini(params)?;
        self.tickers(params, |exchange, symbol, venue| {
            let span = Span { open: now.plus_ms(-DAY_MS), close: now };
            let mut row = exchange.statistics(symbol, venue, &span, is_mini);
            if !is_mini {
                let [[bid, bid_qty], [ask, ask_qty]] = exchange.best(venue).map(pair);
                let last = exchange.floor.tape(venue.id).back().map_or(Decimal::ZERO, |trade| trade.quantity.value());
                for (name, value) in
                    [("bidPrice", bid), ("bidQty", bid_qty), ("askPrice", ask), ("askQty", ask_qty), ("lastQty", eight(last))]
                {
                    row.insert(name.to_owned(), value.into());
                }
                let before = row.get("openPrice").cloned().unwrap_or_default();
                row.insert("prevClosePrice".to_owned(), before);
            }
            Value::Object(row)
        })
    }

    /// Statistics of a window that begins on a minute.
    pub(super) fn ticker_window(&self, now: Timestamp, params: &mut Params) -> Answer {
        let is_mini = is_mini(params)?;
        let length_ms = match params.optional("windowSize")? {
            None => DAY_MS,
            Some(text) => window_ms(text).ok_or_else(|| ApiRefusal::invalid("windowSize"))?,
        };
        check_symbols(params)?;
        let open = Interval::Fixed(MINUTE_MS).begin(now.plus_ms(-length_ms), 0);
        let span = Span { open, close: now };
        self.tickers(params, |exchange, symbol, venue| Value::Object(exchange.statistics(symbol, venue, &span, is_mini)))
    }

    /// Statistics of the present day of a time zone.
    pub(super) fn ticker_trading_day(&self, now: Timestamp, params: &mut Params) -> Answer {
        let is_mini = is_mini(params)?;
        let zone_ms = zone_ms(params)?;
        check_symbols(params)?;
        let day = Interval::Fixed(DAY_MS);
        let open = day.begin(now, zone_ms);
        let span = Span { open, close: Timestamp::from_ms(day.end(open, zone_ms).ms() - 1) };
        self.tickers(params, |exchange, symbol, venue| Value::Object(exchange.statistics(symbol, venue, &span, is_mini)))
    }

    /// One row per symbol that was asked for; all of them when none was.
    fn tickers(&self, params: &mut Params, row: impl Fn(&Self, &Symbol, &Venue) -> Value) -> Answer {
        let wanted = params.symbols()?;
        let status = params.symbol_status()?;
        params.finish()?;
        let has_status = |venue: &Venue| status.is_none_or(|status| status == self.floor.market(venue.id).status());
        let Some(wanted) = wanted else {
            let told = self.venues.iter().filter(|(_, venue)| has_status(venue));
            return answer(&told.map(|(symbol, venue)| row(self, symbol, venue)).collect::<Vec<Value>>());
        };
        let mut rows = Vec::with_capacity(wanted.names.len());
        for name in &wanted.names {
            let (symbol, venue) = self.venue(name)?;
            if has_status(venue) {
                rows.push(row(self, symbol, venue));
            }
        }
        match (wanted.is_single, rows.first()) {
            (true, Some(row)) => answer(row),
            (true, None) => Err(ApiRefusal::other_symbol_status()),
            (false, _) => answer(&rows),
        }
    }

    fn statistics(&self, symbol: &Symbol, venue: &Venue, span: &Span, is_mini: bool) -> Map<String, Value> {
        let nothing = || CandleStats::flat(span.open, self.floor.market(venue.id).last_price().unwrap_or_default().model());
        let window = venue.candles.window(span.open).unwrap_or_else(nothing);
        let (first, last) = window.trade_ids.map_or((-1, -1), |(first, last)| (number(first), number(last)));
        let row = json!({
            "symbol": symbol, "openPrice": eight(window.open.value()), "highPrice": eight(window.high.value()),
            "lowPrice": eight(window.low.value()), "lastPrice": eight(window.close.value()),
            "volume": eight(window.volume.value()), "quoteVolume": eight(window.quote_volume.value()),
            "openTime": span.open.ms(), "closeTime": span.close.ms(), "firstId": first, "lastId": last, "count": window.trades,
        });
        let Value::Object(mut row) = row else { return Map::new() };
        if !is_mini {
            row.insert("priceChange".to_owned(), eight(change(&window)).into());
            row.insert("priceChangePercent".to_owned(), change_percent(&window).into());
            row.insert("weightedAvgPrice".to_owned(), eight(weighted(&window)).into());
        }
        row
    }
}

fn number(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

fn is_mini(params: &mut Params) -> Result<bool, ApiRefusal> {
    match params.optional("type")? {
        None | Some("FULL") => Ok(false),
        Some("MINI") => Ok(true),
        Some(_) => Err(ApiRefusal::ticker_type()),
    }
}

/// Symbols have to be named, and not too many of them.
fn check_symbols(params: &mut Params) -> Result<(), ApiRefusal> {
    match params.symbols()? {
        None => Err(ApiRefusal::either_missing("symbol", "symbols")),
        Some(wanted) if wanted.names.len() > SYMBOLS_MAX => Err(ApiRefusal::too_many_parameters(SYMBOLS_MAX, wanted.names.len())),
        Some(_) => Ok(()),
    }
}
