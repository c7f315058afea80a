//! What market streams tell. Invariant: depth updates of one speed follow each other without a gap.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use strongroom_model::{DepthUpdate, Level, MarketTrade, Side, Symbol, Timestamp};

use super::candles::CandleStats;
use super::intervals::{DAY_MS, HOUR_MS, Interval, SECOND_MS};
use super::market_data::{average, change, change_percent, pair, weighted};
use super::{Exchange, TICK_MS, Venue, eight};

/// Levels of the deepest partial book stream.
const PARTIAL_LEVELS_MAX: usize = 20;
/// Rhythm of tickers and of the slow depth streams.
const SLOW_MS: i64 = 1_000;
/// Rhythm of candles longer than a second.
const CANDLE_MS: i64 = 2_000;
/// Time zones of candle streams: how their names end, and how far they are ahead of UTC.
const ZONES: [(&str, i64); 2] = [("", 0), ("@+08:00", 8 * HOUR_MS)];
/// Lengths of the rolling windows, by name.
const WINDOWS: [(&str, i64); 3] = [("1h", HOUR_MS), ("4h", 4 * HOUR_MS), ("1d", DAY_MS)];

/// How often a depth stream tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// Every 100 ms.
    Fast,
    /// Every second.
    Slow,
}

impl Speed {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Fast => "@100ms",
            Self::Slow => "",
        }
    }
}

/// Something that streams tell.
#[derive(Clone, Debug, PartialEq)]
pub enum MarketEvent {
    /// A trade.
    Trade {
        /// Of what.
        symbol: Symbol,
        /// Which.
        trade: MarketTrade,
    },
    /// Trades of one taker at one price, as one.
    AggregateTrade {
        /// Of what.
        symbol: Symbol,
        /// Number of its first trade, which is its own number too.
        first: u64,
        /// Its last trade, with the quantity of all.
        trade: MarketTrade,
    },
    /// The book changed.
    Depth {
        /// Whose book.
        symbol: Symbol,
        /// How often this is told.
        speed: Speed,
        /// What changed.
        update: DepthUpdate,
        /// When it is told.
        at: Timestamp,
    },
    /// The best twenty levels.
    Ladder {
        /// Whose book.
        symbol: Symbol,
        /// How often this is told.
        speed: Speed,
        /// Number of the last change.
        last_update_id: u64,
        /// Best first.
        bids: Vec<Level>,
        /// Best first.
        asks: Vec<Level>,
    },
    /// The best bid or ask changed.
    Top {
        /// Whose book.
        symbol: Symbol,
        /// Number of the last change.
        update_id: u64,
        /// Best bid.
        bid: Level,
        /// Best ask.
        ask: Level,
    },
    /// The last 24 hours.
    Day {
        /// Of what.
        symbol: Symbol,
        /// The hours as one candle.
        day: CandleStats,
        /// Best bid and ask.
        top: [Level; 2],
        /// The last trade.
        last: Option<MarketTrade>,
        /// When it is told.
        at: Timestamp,
    },
    /// The average price of the last minutes.
    Average {
        /// Of what.
        symbol: Symbol,
        /// Weighted by quantity.
        price: Decimal,
        /// When the last trade was.
        last: Option<Timestamp>,
        /// When it is told.
        at: Timestamp,
    },
    /// The last 24 hours of all markets.
    Days {
        /// The hours as one candle.
        days: Vec<(Symbol, CandleStats)>,
        /// When it is told.
        at: Timestamp,
    },
    /// A rolling window of all markets.
    Windows {
        /// Its length, as clients name it.
        length: &'static str,
        /// The windows as one candle each.
        windows: Vec<(Symbol, CandleStats)>,
        /// When it is told.
        at: Timestamp,
    },
    /// The present candle of an interval, or the one that ended.
    Candle {
        /// Of what.
        symbol: Symbol,
        /// Its interval, as clients name it.
        interval: &'static str,
        /// How the stream of its time zone ends.
        zone: &'static str,
        /// The moment after it.
        end: Timestamp,
        /// Its state.
        candle: CandleStats,
        /// Whether it ended.
        is_closed: bool,
        /// When it is told.
        at: Timestamp,
    },
}

impl Exchange {
    /// Collects what streams tell at the tick `at`.
    pub(super) fn tell(&mut self, at: Timestamp, events: &mut Vec<MarketEvent>) {
        let mut venues = std::mem::take(&mut self.venues);
        for (symbol, venue) in &mut venues {
            self.tell_market(at, symbol, venue, events);
        }
        if at.ms().rem_euclid(SLOW_MS) < TICK_MS {
            let day = |(symbol, venue): (&Symbol, &Venue)| Some((symbol.clone(), venue.candles.day(at)?));
            events.push(MarketEvent::Days { days: venues.iter().filter_map(day).collect(), at });
            for (length, ms) in WINDOWS {
                let window = |(symbol, venue): (&Symbol, &Venue)| Some((symbol.clone(), venue.candles.latest(at, ms)?));
                events.push(MarketEvent::Windows { length, windows: venues.iter().filter_map(window).collect(), at });
            }
        }
        self.venues = venues;
    }

    fn tell_market(&mut self, at: Timestamp, symbol: &Symbol, venue: &mut Venue, events: &mut Vec<MarketEvent>) {
        self.tell_trades(symbol, venue, events);
        let is_slow = at.ms().rem_euclid(SLOW_MS) < TICK_MS;
        if let Some(update) = self.floor.take_update(venue.id) {
            venue.slow = Some(match venue.slow.take() {
                Some(earlier) => joined(earlier, &update),
                None => update.clone(),
            });
            events.push(MarketEvent::Depth { symbol: symbol.clone(), speed: Speed::Fast, update, at });
            events.push(self.ladder(symbol, venue, Speed::Fast));
        }
        if is_slow && let Some(update) = venue.slow.take() {
            events.push(MarketEvent::Depth { symbol: symbol.clone(), speed: Speed::Slow, update, at });
            events.push(self.ladder(symbol, venue, Speed::Slow));
        }
        let [bid, ask] = self.best(venue);
        if venue.top != Some((bid, ask)) {
            venue.top = Some((bid, ask));
            let update_id = self.floor.market(venue.id).update_id();
            events.push(MarketEvent::Top { symbol: symbol.clone(), update_id, bid, ask });
        }
        self.tell_candles(at, symbol, venue, events);
        if is_slow {
            let last = self.floor.tape(venue.id).back().map(|trade| trade.at);
            events.push(MarketEvent::Average { symbol: symbol.clone(), price: average(venue, at), last, at });
        }
        if is_slow && let Some(day) = venue.candles.day(at) {
            let last = self.floor.tape(venue.id).back().cloned();
            events.push(MarketEvent::Day { symbol: symbol.clone(), day, top: [bid, ask], last, at });
        }
    }

    fn tell_trades(&self, symbol: &Symbol, venue: &mut Venue, events: &mut Vec<MarketEvent>) {
        let tape = self.floor.tape(venue.id);
        let fresh = tape.iter().rev().take_while(|trade| trade.trade_id > venue.told).count();
        let fresh = || tape.iter().skip(tape.len() - fresh);
        venue.told = tape.back().map_or(venue.told, |trade| trade.trade_id);
        events.extend(fresh().map(|trade| MarketEvent::Trade { symbol: symbol.clone(), trade: trade.clone() }));
        let aggregates = aggregates(fresh());
        events.extend(aggregates.into_iter().map(|(first, trade)| MarketEvent::AggregateTrade { symbol: symbol.clone(), first, trade }));
    }

    fn tell_candles(&self, at: Timestamp, symbol: &Symbol, venue: &mut Venue, events: &mut Vec<MarketEvent>) {
        venue.candles.continue_to(at);
        // By what was told, not by what the candles know: a trade that came first in this second has brought them there already.
        let second = Timestamp::from_ms(at.ms().div_euclid(SECOND_MS) * SECOND_MS);
        let before = venue.candles_told.replace(second);
        let Some(before) = before.filter(|before| *before < second) else { return };
        let is_time = before.ms().div_euclid(CANDLE_MS) != at.ms().div_euclid(CANDLE_MS);
        let zoned = Interval::all().flat_map(|named| ZONES.map(|zone| (named, zone)));
        for (at_index, ((name, interval), (zone, zone_ms))) in zoned.enumerate() {
            let mut tell = |from: Timestamp, candle: Option<CandleStats>, is_closed| {
                let (symbol, end) = (symbol.clone(), interval.end(from, zone_ms));
                events.extend(candle.map(|candle| MarketEvent::Candle { symbol, interval: name, zone, end, candle, is_closed, at }));
            };
            let (ended, now) = (interval.begin(before, zone_ms), interval.begin(at, zone_ms));
            if ended != now {
                tell(ended, venue.candles.rows(interval, zone_ms, ended, ended).pop(), true);
            }
            if ended != now || is_time {
                if venue.running.len() <= at_index {
                    venue.running.resize_with(at_index + 1, Default::default);
                }
                tell(now, venue.candles.present(interval, zone_ms, at, &mut venue.running[at_index]), false);
            }
        }
    }

    fn ladder(&self, symbol: &Symbol, venue: &Venue, speed: Speed) -> MarketEvent {
        let market = self.floor.market(venue.id);
        let side = |side| market.levels(side).take(PARTIAL_LEVELS_MAX).collect();
        let (bids, asks) = (side(Side::Buy), side(Side::Sell));
        MarketEvent::Ladder { symbol: symbol.clone(), speed, last_update_id: market.update_id(), bids, asks }
    }
}

/// Trades of one taker at one price and moment as one: the number of the first, and the last with the sum.
pub(super) fn aggregates<'a>(trades: impl Iterator<Item = &'a MarketTrade>) -> Vec<(u64, MarketTrade)> {
    let mut joined: Vec<(u64, MarketTrade)> = Vec::new();
    for trade in trades {
        let key = |trade: &MarketTrade| (trade.price, trade.at, trade.buyer_is_maker);
        match joined.last_mut() {
            Some((_, sum)) if key(sum) == key(trade) => *sum = MarketTrade { quantity: sum.quantity + trade.quantity, ..trade.clone() },
            _ => joined.push((trade.trade_id.0, trade.clone())),
        }
    }
    joined
}

fn joined(earlier: DepthUpdate, later: &DepthUpdate) -> DepthUpdate {
    let side = |mut levels: Vec<Level>, later: &[Level]| {
        levels.retain(|level| later.iter().all(|newer| newer.price != level.price));
        levels.extend_from_slice(later);
        levels
    };
    DepthUpdate { first: earlier.first, last: later.last, bids: side(earlier.bids, &later.bids), asks: side(earlier.asks, &later.asks) }
}

impl MarketEvent {
    /// The messages: name of the stream, and the payload that it carries.
    pub fn messages(&self) -> Vec<(String, Value)> {
        match self {
            Self::Trade { symbol, trade } => vec![(stream(symbol, "trade"), trade_json(symbol, trade))],
            Self::AggregateTrade { symbol, first, trade } => vec![(stream(symbol, "aggTrade"), aggregate_json(symbol, *first, trade))],
            Self::Depth { symbol, speed, update, at } => {
                let pairs = |levels: &[Level]| levels.iter().copied().map(pair).collect::<Vec<_>>();
                let payload = json!({
                    "e": "depthUpdate", "E": at.ms(), "s": symbol, "U": update.first, "u": update.last,
                    "b": pairs(&update.bids), "a": pairs(&update.asks),
                });
                vec![(stream(symbol, &format!("depth{}", speed.suffix())), payload)]
            }
            Self::Ladder { symbol, speed, last_update_id, bids, asks } => {
                let some = |levels: &[Level], count: usize| levels.iter().copied().take(count).map(pair).collect::<Vec<_>>();
                let partial = |count: usize| {
                    let payload = json!({"lastUpdateId": last_update_id, "bids": some(bids, count), "asks": some(asks, count)});
                    (stream(symbol, &format!("depth{count}{}", speed.suffix())), payload)
                };
                [5, 10, PARTIAL_LEVELS_MAX].map(partial).to_vec()
            }
            Self::Top { symbol, update_id, bid, ask } => {
                let ([b, b_qty], [a, a_qty]) = (pair(*bid), pair(*ask));
                let payload = json!({"u": update_id, "s": symbol, "b": b, "B": b_qty, "a": a, "A": a_qty});
                vec![(stream(symbol, "bookTicker"), payload)]
            }
            Self::Average { symbol, price, last, at } => {
                let payload = json!({
                    "e": "avgPrice", "E": at.ms(), "s": symbol, "i": "5m", "w": eight(*price), "T": last.map_or(0, Timestamp::ms),
                });
                vec![(stream(symbol, "avgPrice"), payload)]
            }
            Self::Days { days, at } => {
                let minis: Vec<Value> = days.iter().map(|(symbol, day)| mini_json(symbol, day, *at)).collect();
                vec![("!miniTicker@arr".to_owned(), Value::Array(minis))]
            }
            Self::Day { symbol, day, top, last, at } => vec![
                (stream(symbol, "miniTicker"), mini_json(symbol, day, *at)),
                (stream(symbol, "ticker"), day_json(symbol, day, *top, last.as_ref(), *at)),
            ],
            Self::Windows { length, windows, at } => {
                let payload = |(symbol, window): &(Symbol, CandleStats)| window_json(symbol, length, window, *at);
                let all = ("!ticker_".to_owned() + length + "@arr", Value::Array(windows.iter().map(payload).collect()));
                let kind = format!("ticker_{length}");
                windows.iter().map(|of| (stream(&of.0, &kind), payload(of))).chain([all]).collect()
            }
            Self::Candle { symbol, interval, zone, end, candle, is_closed, at } => {
                let payload = candle_json(symbol, interval, candle, *end, *is_closed, *at);
                vec![(stream(symbol, &format!("kline_{interval}{zone}")), payload)]
            }
        }
    }
}

fn stream(symbol: &Symbol, kind: &str) -> String {
    format!("{}@{kind}", symbol.as_str().to_lowercase())
}

fn trade_json(symbol: &Symbol, trade: &MarketTrade) -> Value {
    json!({
        "e": "trade", "E": trade.at.ms(), "s": symbol, "t": trade.trade_id, "p": eight(trade.price.value()),
        "q": eight(trade.quantity.value()), "T": trade.at.ms(), "m": trade.buyer_is_maker, "M": true,
    })
}

fn aggregate_json(symbol: &Symbol, first: u64, trade: &MarketTrade) -> Value {
    json!({
        "e": "aggTrade", "E": trade.at.ms(), "s": symbol, "a": first, "p": eight(trade.price.value()),
        "q": eight(trade.quantity.value()), "f": first, "l": trade.trade_id, "T": trade.at.ms(), "m": trade.buyer_is_maker, "M": true,
    })
}

fn mini_json(symbol: &Symbol, day: &CandleStats, at: Timestamp) -> Value {
    json!({
        "e": "24hrMiniTicker", "E": at.ms(), "s": symbol, "c": eight(day.close.value()), "o": eight(day.open.value()),
        "h": eight(day.high.value()), "l": eight(day.low.value()), "v": eight(day.volume.value()), "q": eight(day.quote_volume.value()),
    })
}

fn day_json(symbol: &Symbol, day: &CandleStats, [bid, ask]: [Level; 2], last: Option<&MarketTrade>, at: Timestamp) -> Value {
    let ([b, b_qty], [a, a_qty]) = (pair(bid), pair(ask));
    json!({
        "e": "24hrTicker", "E": at.ms(), "s": symbol, "p": eight(change(day)), "P": change_percent(day), "w": eight(weighted(day)),
        "x": eight(day.open.value()), "c": eight(day.close.value()),
        "Q": eight(last.map(|trade| trade.quantity.value()).unwrap_or_default()), "b": b, "B": b_qty, "a": a, "A": a_qty,
        "o": eight(day.open.value()), "h": eight(day.high.value()), "l": eight(day.low.value()),
        "v": eight(day.volume.value()), "q": eight(day.quote_volume.value()),
        "O": at.ms() - 86_400_000, "C": at.ms(), "F": 0, "L": last.map_or(0, |trade| trade.trade_id.0), "n": day.trades,
    })
}

fn window_json(symbol: &Symbol, length: &str, window: &CandleStats, at: Timestamp) -> Value {
    let (first, last) = window.trade_ids.unwrap_or_default();
    json!({
        "e": format!("{length}Ticker"), "E": at.ms(), "s": symbol, "p": eight(change(window)), "P": change_percent(window),
        "o": eight(window.open.value()), "h": eight(window.high.value()), "l": eight(window.low.value()),
        "c": eight(window.close.value()), "w": eight(weighted(window)), "v": eight(window.volume.value()),
        "q": eight(window.quote_volume.value()), "O": window.open_time.ms(), "C": at.ms(), "F": first, "L": last, "n": window.trades,
    })
}

fn candle_json(symbol: &Symbol, interval: &str, candle: &CandleStats, end: Timestamp, is_closed: bool, at: Timestamp) -> Value {
    let (first, last) = candle.trade_ids.map_or((json!(-1), json!(-1)), |(first, last)| (json!(first), json!(last)));
    json!({
        "e": "kline", "E": at.ms(), "s": symbol,
        "k": {
            "t": candle.open_time.ms(), "T": end.ms() - 1, "s": symbol, "i": interval, "f": first, "L": last,
            "o": eight(candle.open.value()), "c": eight(candle.close.value()), "h": eight(candle.high.value()), "l": eight(candle.low.value()),
            "v": eight(candle.volume.value()), "n": candle.trades, "x": is_closed, "q": eight(candle.quote_volume.value()),
            "V": eight(candle.taker_volume.value()), "Q": eight(candle.taker_quote_volume.value()), "B": "0",
        },
    })
}
