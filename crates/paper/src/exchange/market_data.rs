//! Public market data. Invariant: it is read from the book, the tape and the candles; nothing here changes them.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use strongroom_model::{Level, Side, Symbol, Timestamp};
use strongroom_venues::binance::wire;

use super::candles::{CandleStats, interval_ms};
use super::events::aggregates;
use super::params::Params;
use super::refusal::ApiRefusal;
use super::routes::{Answer, json as answer};
use super::{Exchange, Venue, eight};

/// Levels told per side at once, and when not said otherwise.
const LEVELS_TOLD_MAX: usize = 5_000;
const LEVELS_TOLD: usize = 100;
/// Trades and candles told at once, and when not said otherwise.
const ROWS_TOLD_MAX: usize = 1_000;
const ROWS_TOLD: usize = 500;
/// Span of `avgPrice`.
const AVERAGE_MINS: i64 = 5;

/// Price and quantity as the venue writes a level.
pub(super) fn pair(level: Level) -> [String; 2] {
    [eight(level.price.value()), eight(level.quantity.value())]
}

impl Exchange {
    pub(super) fn depth(&self, _: Timestamp, params: &mut Params) -> Answer {
        let market = self.floor.market(self.venue(params.needed("symbol")?)?.1.id);
        let limit = params.limit(LEVELS_TOLD, LEVELS_TOLD_MAX)?;
        params.finish()?;
        let side = |side| market.levels(side).take(limit).map(pair).collect();
        answer(&wire::Depth { last_update_id: market.update_id(), bids: side(Side::Buy), asks: side(Side::Sell) })
    }

    pub(super) fn trades(&self, _: Timestamp, params: &mut Params) -> Answer {
        let tape = self.floor.tape(self.venue(params.needed("symbol")?)?.1.id);
        let limit = params.limit(ROWS_TOLD, ROWS_TOLD_MAX)?;
        params.finish()?;
        let skipped = tape.len().saturating_sub(limit);
        let row = |trade: &strongroom_model::MarketTrade| {
            json!({
                "id": trade.trade_id, "price": eight(trade.price.value()), "qty": eight(trade.quantity.value()),
                "quoteQty": eight((trade.price * trade.quantity).value()), "time": trade.at.ms(),
                "isBuyerMaker": trade.buyer_is_maker, "isBestMatch": true,
            })
        };
        answer(&tape.iter().skip(skipped).map(row).collect::<Vec<Value>>())
    }

    pub(super) fn aggregate_trades(&self, _: Timestamp, params: &mut Params) -> Answer {
        let tape = self.floor.tape(self.venue(params.needed("symbol")?)?.1.id);
        let from = params.integer("fromId")?;
        let (start, end) = (params.moment("startTime")?, params.moment("endTime")?);
        let limit = params.limit(ROWS_TOLD, ROWS_TOLD_MAX)?;
        params.finish()?;
        let mut trades = aggregates(tape.iter());
        trades.retain(|(first, trade)| {
            from.is_none_or(|from| *first >= from) && start.is_none_or(|start| trade.at >= start) && end.is_none_or(|end| trade.at <= end)
        });
        if from.is_some() || start.is_some() {
            trades.truncate(limit);
        } else {
            trades.drain(..trades.len().saturating_sub(limit));
        }
        let row = |(first, trade): &(u64, strongroom_model::MarketTrade)| {
            json!({
                "a": first, "p": eight(trade.price.value()), "q": eight(trade.quantity.value()), "f": first, "l": trade.trade_id,
                "T": trade.at.ms(), "m": trade.buyer_is_maker, "M": true,
            })
        };
        answer(&trades.iter().map(row).collect::<Vec<Value>>())
    }

    pub(super) fn klines(&self, _: Timestamp, params: &mut Params) -> Answer {
        let venue = self.venue(params.needed("symbol")?)?.1;
        let interval_ms = interval_ms(params.needed("interval")?).ok_or_else(ApiRefusal::interval)?;
        let (start, end) = (params.moment("startTime")?, params.moment("endTime")?);
        if params.optional("timeZone")?.is_some_and(|zone| zone != "0") {
            return Err(ApiRefusal::illegal("timeZone", "0"));
        }
        let limit = params.limit(ROWS_TOLD, ROWS_TOLD_MAX)?;
        params.finish()?;
        let mut candles = venue.candles.of_interval(interval_ms, start.unwrap_or_default(), end.unwrap_or(Timestamp::from_us(i64::MAX)));
        if start.is_some() {
            candles.truncate(limit);
        } else {
            candles.drain(..candles.len().saturating_sub(limit));
        }
        answer(&candles.iter().map(|candle| kline_row(candle, interval_ms)).collect::<Vec<Value>>())
    }

    pub(super) fn average_price(&self, now: Timestamp, params: &mut Params) -> Answer {
        let venue = self.venue(params.needed("symbol")?)?.1;
        params.finish()?;
        let price = average(venue, now);
        answer(&json!({"mins": AVERAGE_MINS, "price": eight(price), "closeTime": now.ms()}))
    }

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
        let is_mini = match params.optional("type")? {
            None | Some("FULL") => false,
            Some("MINI") => true,
            Some(_) => return Err(ApiRefusal::new(400, -1139, "Invalid ticker type.")),
        };
        self.tickers(params, |exchange, symbol, venue| exchange.day(now, symbol, venue, is_mini))
    }

    fn tickers(&self, params: &mut Params, row: impl Fn(&Self, &Symbol, &Venue) -> Value) -> Answer {
        let is_single = params.has("symbol");
        let wanted = params.symbols()?;
        params.optional("symbolStatus")?;
        params.finish()?;
        match wanted {
            Some(names) => {
                let mut rows = Vec::with_capacity(names.len());
                for name in &names {
                    let (symbol, venue) = self.venue(name)?;
                    rows.push(row(self, symbol, venue));
                }
                if is_single { answer(&rows.first()) } else { answer(&rows) }
            }
            None => answer(&self.venues.iter().map(|(symbol, venue)| row(self, symbol, venue)).collect::<Vec<Value>>()),
        }
    }

    /// Best bid and ask; zero where a side is empty.
    pub(super) fn best(&self, venue: &Venue) -> [Level; 2] {
        let market = self.floor.market(venue.id);
        [Side::Buy, Side::Sell]
            .map(|side| market.levels(side).next().unwrap_or(Level { price: Default::default(), quantity: Default::default() }))
    }

    fn day(&self, now: Timestamp, symbol: &Symbol, venue: &Venue, is_mini: bool) -> Value {
        let Some(day) = venue.candles.day(now) else { return json!({"symbol": symbol}) };
        let tape = self.floor.tape(venue.id);
        let last_id = tape.back().map_or(0, |trade| trade.trade_id.0);
        let mut row = json!({
            "symbol": symbol, "lastPrice": eight(day.close.value()), "openPrice": eight(day.open.value()),
            "highPrice": eight(day.high.value()), "lowPrice": eight(day.low.value()),
            "volume": eight(day.volume.value()), "quoteVolume": eight(day.quote_volume.value()),
            "openTime": now.ms() - 86_400_000, "closeTime": now.ms(),
            "firstId": 0, "lastId": last_id, "count": day.trades,
        });
        if let (false, Value::Object(row)) = (is_mini, &mut row) {
            let [[bid, bid_qty], [ask, ask_qty]] = self.best(venue).map(pair);
            let more = json!({
                "priceChange": eight(change(&day)), "priceChangePercent": change_percent(&day), "weightedAvgPrice": eight(weighted(&day)),
                "prevClosePrice": eight(day.open.value()), "lastQty": eight(tape.back().map_or(Decimal::ZERO, |trade| trade.quantity.value())),
                "bidPrice": bid, "bidQty": bid_qty, "askPrice": ask, "askQty": ask_qty,
            });
            if let Value::Object(more) = more {
                row.extend(more);
            }
        }
        row
    }
}

/// Price of the last minutes, weighted by quantity; the last price where nothing traded.
pub(super) fn average(venue: &Venue, now: Timestamp) -> Decimal {
    let recent = venue.candles.of_interval(60_000, now.plus_ms(-AVERAGE_MINS * 60_000), now);
    let volume: Decimal = recent.iter().map(|candle| candle.volume.value()).sum();
    let quote: Decimal = recent.iter().map(|candle| candle.quote_volume.value()).sum();
    let last = recent.last().map_or(Decimal::ZERO, |candle| candle.close.value());
    quote.checked_div(volume).unwrap_or(last)
}

pub(super) fn change(day: &CandleStats) -> Decimal {
    day.close.value() - day.open.value()
}

pub(super) fn change_percent(day: &CandleStats) -> String {
    let mut percent = change(day).checked_div(day.open.value()).unwrap_or_default() * Decimal::ONE_HUNDRED;
    percent.rescale(3);
    percent.to_string()
}

pub(super) fn weighted(day: &CandleStats) -> Decimal {
    day.quote_volume.value().checked_div(day.volume.value()).unwrap_or_default()
}

fn kline_row(candle: &CandleStats, interval_ms: i64) -> Value {
    json!([
        candle.open_time.ms(),
        eight(candle.open.value()),
        eight(candle.high.value()),
        eight(candle.low.value()),
        eight(candle.close.value()),
        eight(candle.volume.value()),
        candle.open_time.ms() + interval_ms - 1,
        eight(candle.quote_volume.value()),
        candle.trades,
        eight(candle.taker_volume.value()),
        eight(candle.taker_quote_volume.value()),
        "0",
    ])
}
