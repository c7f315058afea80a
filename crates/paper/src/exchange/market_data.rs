//! Public market data: books, trades, candles. Invariant: it is read from the book, the tape and the candles; nothing here
//! changes them.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use strongroom_model::{Level, MarketTrade, Side, Timestamp};
use strongroom_venues::binance::wire;

use super::candles::CandleStats;
use super::events::aggregates;
use super::intervals::{self, Interval};
use super::params::Params;
use super::refusal::ApiRefusal;
use super::routes::{Answer, json as answer};
use super::{AVERAGE_MINS, Exchange, Venue, eight};

/// Levels told per side at once, and when not said otherwise.
const LEVELS_TOLD_MAX: usize = 5_000;
const LEVELS_TOLD: usize = 100;
/// Trades and candles told at once, and when not said otherwise.
const ROWS_TOLD_MAX: usize = 1_000;
const ROWS_TOLD: usize = 500;

/// Price and quantity as the venue writes a level.
pub(super) fn pair(level: Level) -> [String; 2] {
    [eight(level.price.value()), eight(level.quantity.value())]
}

impl Exchange {
    pub(super) fn depth(&self, _: Timestamp, params: &mut Params) -> Answer {
        let market = self.floor.market(self.venue(params.needed("symbol")?)?.1.id);
        let limit = params.limit(LEVELS_TOLD, LEVELS_TOLD_MAX)?;
        let status = params.symbol_status()?;
        params.finish()?;
        if status.is_some_and(|status| status != market.status()) {
            return Err(ApiRefusal::other_symbol_status());
        }
        let side = |side| market.levels(side).take(limit).map(pair).collect();
        answer(&wire::Depth { last_update_id: market.update_id(), bids: side(Side::Buy), asks: side(Side::Sell) })
    }

    pub(super) fn trades(&self, _: Timestamp, params: &mut Params) -> Answer {
        let tape = self.floor.tape(self.venue(params.needed("symbol")?)?.1.id);
        let limit = params.limit(ROWS_TOLD, ROWS_TOLD_MAX)?;
        params.finish()?;
        let skipped = tape.len().saturating_sub(limit);
        answer(&tape.iter().skip(skipped).map(trade_row).collect::<Vec<Value>>())
    }

    /// Trades from a number on; the newest when none was given. Clients still send their key with it, as was needed once.
    pub(super) fn historical_trades(&self, _: Timestamp, params: &mut Params) -> Answer {
        let tape = self.floor.tape(self.venue(params.needed("symbol")?)?.1.id);
        let limit = params.limit(ROWS_TOLD, ROWS_TOLD_MAX)?;
        let from = params.integer("fromId")?;
        params.pass_over("apiKey");
        params.finish()?;
        let skipped = match from {
            Some(from) => tape.partition_point(|trade| trade.trade_id.0 < from),
            None => tape.len().saturating_sub(limit),
        };
        answer(&tape.iter().skip(skipped).take(limit).map(trade_row).collect::<Vec<Value>>())
    }

    pub(super) fn aggregate_trades(&self, _: Timestamp, params: &mut Params) -> Answer {
        let tape = self.floor.tape(self.venue(params.needed("symbol")?)?.1.id);
        let from = params.integer("fromId")?;
        let (start, end) = (params.moment("startTime")?, params.moment("endTime")?);
        let limit = params.limit(ROWS_TOLD, ROWS_TOLD_MAX)?;
        params.finish()?;
        if from.is_some() && (start.is_some() || end.is_some()) {
            return Err(ApiRefusal::combination());
        }
        let mut trades = aggregates(tape.iter());
        trades.retain(|(first, trade)| {
            from.is_none_or(|from| *first >= from) && start.is_none_or(|start| trade.at >= start) && end.is_none_or(|end| trade.at <= end)
        });
        if from.is_some() || start.is_some() {
            trades.truncate(limit);
        } else {
            trades.drain(..trades.len().saturating_sub(limit));
        }
        let row = |(first, trade): &(u64, MarketTrade)| {
            json!({
                "a": first, "p": eight(trade.price.value()), "q": eight(trade.quantity.value()), "f": first, "l": trade.trade_id,
                "T": trade.at.ms(), "m": trade.buyer_is_maker, "M": true,
            })
        };
        answer(&trades.iter().map(row).collect::<Vec<Value>>())
    }

    pub(super) fn klines(&self, _: Timestamp, params: &mut Params) -> Answer {
        let venue = self.venue(params.needed("symbol")?)?.1;
        let interval = Interval::parse(params.needed("interval")?).ok_or_else(ApiRefusal::interval)?;
        let (start, end) = (params.moment("startTime")?, params.moment("endTime")?);
        let zone_ms = zone_ms(params)?;
        let limit = params.limit(ROWS_TOLD, ROWS_TOLD_MAX)?;
        params.finish()?;
        let (from, to) = (start.unwrap_or_default(), end.unwrap_or(Timestamp::from_us(i64::MAX)));
        let mut candles = venue.candles.rows(interval, zone_ms, from, to);
        if start.is_some() {
            candles.truncate(limit);
        } else {
            candles.drain(..candles.len().saturating_sub(limit));
        }
        let row = |candle: &CandleStats| kline_row(candle, interval.end(candle.open_time, zone_ms).ms() - 1);
        answer(&candles.iter().map(row).collect::<Vec<Value>>())
    }

    /// The average that filters use (`rest-api.md`, “Current average price”).
    pub(super) fn average_price(&self, now: Timestamp, params: &mut Params) -> Answer {
        let venue = self.venue(params.needed("symbol")?)?.1;
        params.finish()?;
        let last = || self.floor.market(venue.id).last_price().unwrap_or_default().value();
        let price = venue.candles.average(now, AVERAGE_MINS).unwrap_or_else(last);
        let traded = self.floor.tape(venue.id).back().map_or(now, |trade| trade.at);
        answer(&json!({"mins": AVERAGE_MINS, "price": eight(price), "closeTime": traded.ms()}))
    }

    /// Best bid and ask; zero where a side is empty.
    pub(super) fn best(&self, venue: &Venue) -> [Level; 2] {
        let market = self.floor.market(venue.id);
        [Side::Buy, Side::Sell]
            .map(|side| market.levels(side).next().unwrap_or(Level { price: Default::default(), quantity: Default::default() }))
    }
}

/// The time zone in which candles and trading days begin, in milliseconds ahead of UTC.
pub(super) fn zone_ms(params: &mut Params) -> Result<i64, ApiRefusal> {
    match params.optional("timeZone")? {
        None => Ok(0),
        Some(zone) => intervals::zone_ms(zone).ok_or_else(|| ApiRefusal::invalid("timeZone")),
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

fn trade_row(trade: &MarketTrade) -> Value {
    json!({
        "id": trade.trade_id, "price": eight(trade.price.value()), "qty": eight(trade.quantity.value()),
        "quoteQty": eight((trade.price * trade.quantity).value()), "time": trade.at.ms(),
        "isBuyerMaker": trade.buyer_is_maker, "isBestMatch": true,
    })
}

fn kline_row(candle: &CandleStats, close_ms: i64) -> Value {
    json!([
        candle.open_time.ms(),
        eight(candle.open.value()),
        eight(candle.high.value()),
        eight(candle.low.value()),
        eight(candle.close.value()),
        eight(candle.volume.value()),
        close_ms,
        eight(candle.quote_volume.value()),
        candle.trades,
        eight(candle.taker_volume.value()),
        eight(candle.taker_quote_volume.value()),
        "0",
    ])
}
