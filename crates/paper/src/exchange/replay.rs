//! Books that follow a recording, over and over. Invariant: after each step the house's orders are exactly the
//! recorded book, as far as clients did not trade with it.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use serde_json::Value;
use strongroom_model::{
    Book, DepthUpdate, Instrument, Level, LotRule, MarketTrade, NotionalRule, OrderSpec, Price, Quantity, Side, Symbol, TickRule,
    TimeInForce, Timestamp, VenueOrderId,
};
use strongroom_venues::binance::stream::{self, StreamEvent};
use strongroom_venues::binance::wire;
use thiserror::Error;

use super::Listing;
use super::floor::Floor;
use crate::engine::{AccountId, MarketId, NewOrder, Rules};

/// Assets in which recorded symbols may be quoted.
const QUOTES: [&str; 8] = ["USDT", "USDC", "FDUSD", "BTC", "ETH", "BNB", "EUR", "TRY"];
/// Largest price and quantity of a recorded symbol: the recording does not tell its rules.
const LARGEST: u32 = 1_000_000_000;
/// Pause between the end of a recording and its next beginning.
const PAUSE_MS: i64 = 1_000;

/// Why a recording cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecordingError {
    /// A line that is not what recorders write.
    #[error("line {line} of the recording cannot be read: {why}")]
    Line {
        /// Counted from one.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// No order book snapshot.
    #[error("the recording has no snapshot of a book")]
    NoBook,
}

#[derive(Clone, Debug)]
enum Moment {
    Snapshot { symbol: Symbol, book: Book },
    Update { symbol: Symbol, update: DepthUpdate },
    Trade { symbol: Symbol, trade: MarketTrade },
}

/// Recorded snapshots and depth updates of Binance, in the order of their arrival.
#[derive(Clone, Debug)]
pub struct Recording {
    moments: Vec<(i64, Moment)>,
    listings: Vec<Listing>,
}

impl Recording {
    /// Reads JSON lines `{"t":seconds,"kind":"ws"|"http","url":…,"msg":…}`; other messages are passed over.
    pub fn parse(text: &str) -> Result<Self, RecordingError> {
        #[derive(Deserialize)]
        struct Line {
            t: Decimal,
            kind: String,
            #[serde(default)]
            url: String,
            msg: Value,
        }
        let mut moments = Vec::new();
        let mut steps: BTreeMap<Symbol, Steps> = BTreeMap::new();
        let mut begin = None;
        for (index, line) in text.split_inclusive('\n').enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = |why: String| RecordingError::Line { line: index + 1, why };
            let line: Line = match serde_json::from_str(line) {
                // Where a recorder was interrupted.
                Err(error) if error.is_eof() && !line.ends_with('\n') && index > 0 => break,
                line => line.map_err(|error| wrong(error.to_string()))?,
            };
            let at_ms = (line.t * Decimal::ONE_THOUSAND).to_i64().ok_or_else(|| wrong("a time that cannot be held".into()))?;
            let offset_ms = at_ms - *begin.get_or_insert(at_ms);
            match line.kind.as_str() {
                "http" if line.url.contains("/api/v3/depth?") => {
                    let query = line.url.split_once('?').map_or("", |(_, query)| query);
                    let symbol = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "symbol");
                    let symbol = Symbol::parse(&symbol.unwrap_or_default().1).map_err(|error| wrong(error.to_string()))?;
                    let depth: wire::Depth = serde_json::from_value(line.msg).map_err(|error| wrong(error.to_string()))?;
                    let (bids, asks) = (levels(&depth.bids).map_err(wrong)?, levels(&depth.asks).map_err(wrong)?);
                    steps.entry(symbol.clone()).or_default().learn(&bids, &asks);
                    let mut book = Book::from_snapshot(depth.last_update_id, &bids, &asks);
                    catch_up(&mut book, &symbol, &moments);
                    moments.push((offset_ms, Moment::Snapshot { symbol, book }));
                }
                "ws" => match stream::parse(&line.msg.to_string()).map_err(|error| wrong(error.to_string()))? {
                    StreamEvent::Depth { symbol, update, .. } => {
                        steps.entry(symbol.clone()).or_default().learn(&update.bids, &update.asks);
                        moments.push((offset_ms, Moment::Update { symbol, update }));
                    }
                    StreamEvent::Trade { symbol, trade } => {
                        steps.entry(symbol.clone()).or_default().see(trade.price, trade.quantity);
                        moments.push((offset_ms, Moment::Trade { symbol, trade }));
                    }
                    StreamEvent::Candle { .. } | StreamEvent::Day { .. } | StreamEvent::Other => {}
                },
                _ => {}
            }
        }
        let has_book =
            |symbol: &Symbol| moments.iter().any(|(_, moment)| matches!(moment, Moment::Snapshot { symbol: of, .. } if of == symbol));
        let listings: Vec<Listing> =
            steps.iter().filter(|(symbol, _)| has_book(symbol)).map(|(symbol, steps)| steps.listing(symbol)).collect();
        if listings.is_empty() { Err(RecordingError::NoBook) } else { Ok(Self { moments, listings }) }
    }

    /// Instruments of the recording; their steps are the finest that occur in it.
    pub(super) fn listings(&self) -> Vec<Listing> {
        self.listings.clone()
    }

    /// From the first message to the last.
    pub fn length_ms(&self) -> i64 {
        self.moments.last().map_or(0, |(offset_ms, _)| *offset_ms)
    }

    /// From the first message to the last first book.
    pub fn last_snapshot_ms(&self) -> i64 {
        let snapshots = self.moments.iter().rev().find(|(_, moment)| matches!(moment, Moment::Snapshot { .. }));
        snapshots.map_or(0, |(offset_ms, _)| *offset_ms)
    }
}

/// Brings a snapshot up to the updates that arrived before it and say more: the venue answers slower than it streams.
fn catch_up(book: &mut Book, symbol: &Symbol, moments: &[(i64, Moment)]) {
    let same = |moment: &&(i64, Moment)| matches!(&moment.1, Moment::Snapshot { symbol: of, .. } | Moment::Update { symbol: of, .. } if of == symbol);
    let newer = moments.iter().rev().filter(same).map_while(|(_, moment)| match moment {
        Moment::Update { update, .. } if update.last > book.last_update_id() => Some(update),
        _ => None,
    });
    for update in newer.collect::<Vec<_>>().into_iter().rev() {
        // After a gap the rest cannot be applied either.
        let _ = book.apply(update);
    }
}

fn levels(pairs: &[[String; 2]]) -> Result<Vec<Level>, String> {
    let level = |[price, quantity]: &[String; 2]| {
        let price = Price::parse(price).map_err(|error| error.to_string())?;
        Ok(Level { price, quantity: Quantity::parse(quantity).map_err(|error| error.to_string())? })
    };
    pairs.iter().map(level).collect()
}

/// Decimals seen so far.
#[derive(Clone, Copy, Default)]
struct Steps {
    price: u32,
    quantity: u32,
    reference: Price,
}

impl Steps {
    fn learn(&mut self, bids: &[Level], asks: &[Level]) {
        for level in bids.iter().chain(asks) {
            self.see(level.price, level.quantity);
        }
        self.reference = bids.first().map_or(self.reference, |level| level.price);
    }

    fn see(&mut self, price: Price, quantity: Quantity) {
        self.price = self.price.max(price.value().normalize().scale());
        self.quantity = self.quantity.max(quantity.value().normalize().scale());
    }

    fn listing(&self, symbol: &Symbol) -> Listing {
        let split = QUOTES.iter().find_map(|quote| symbol.as_str().strip_suffix(quote).map(|base| (base, *quote)));
        let (base, quote) = split.unwrap_or((symbol.as_str(), "QUOTE"));
        let tick = Price::new(Decimal::new(1, self.price)).unwrap_or_default();
        let step = Quantity::new(Decimal::new(1, self.quantity)).unwrap_or_default();
        let instrument = Instrument {
            symbol: symbol.clone(),
            base: base.to_owned(),
            quote: quote.to_owned(),
            price: TickRule { min: tick, max: Price::new(Decimal::from(LARGEST)).unwrap_or_default(), tick },
            lot: LotRule { min: step, max: Quantity::new(Decimal::from(LARGEST)).unwrap_or_default(), step },
            notional: NotionalRule::default(),
            orders: Default::default(),
        };
        // Without a band around the average: recorded levels may stand anywhere.
        let rules = Rules::of(&instrument).unwrap_or_default();
        Listing { rules, instrument, reference: self.reference, unit: step }
    }
}

/// A recording being replayed.
pub(super) struct Replay {
    recording: Recording,
    begin: Timestamp,
    next: usize,
    books: HashMap<Symbol, Book>,
    orders: HashMap<(Symbol, Side, Price), VenueOrderId>,
}

impl Replay {
    pub(super) fn new(recording: Recording, begin: Timestamp) -> Self {
        // The venue opens with the first books in place: the recording begins before the venue does.
        let begin = begin.plus_ms(-recording.last_snapshot_ms());
        Self { recording, begin, next: 0, books: HashMap::new(), orders: HashMap::new() }
    }

    /// Plays at `at` what is due at `market_time`.
    pub(super) fn step(&mut self, at: Timestamp, market_time: Timestamp, floor: &mut Floor, house: AccountId) {
        while let Some((offset_ms, moment)) = self.recording.moments.get(self.next).cloned() {
            if self.begin.plus_ms(offset_ms) > market_time {
                return;
            }
            self.next += 1;
            self.play(at, moment, floor, house);
        }
        if market_time > self.begin.plus_ms(self.recording.length_ms() + PAUSE_MS) {
            (self.begin, self.next) = (market_time, 0);
        }
    }

    fn play(&mut self, at: Timestamp, moment: Moment, floor: &mut Floor, house: AccountId) {
        let (symbol, changes) = match moment {
            Moment::Snapshot { symbol, book } => {
                let before = self.books.insert(symbol.clone(), book.clone());
                let gone =
                    before.iter().flat_map(|before| sides(before).map(|(side, level)| (side, Level { quantity: Quantity::ZERO, ..level })));
                (symbol, gone.chain(sides(&book)).collect::<Vec<_>>())
            }
            Moment::Update { symbol, update } => {
                // Before its first snapshot a symbol has no book; older updates and gaps change nothing.
                let Some(true) = self.books.get_mut(&symbol).map(|book| book.apply(&update) == Ok(true)) else { return };
                let bids = update.bids.iter().map(|level| (Side::Buy, *level));
                (symbol, bids.chain(update.asks.iter().map(|level| (Side::Sell, *level))).collect())
            }
            // It happened elsewhere: the tape, the candles and whoever waits for a price hear of it; books follow their updates.
            Moment::Trade { symbol, trade } => {
                if let (Some(market), true) = (market_of(floor, &symbol), self.books.contains_key(&symbol)) {
                    floor.print(at, market, &trade);
                }
                return;
            }
        };
        if let Some(market) = market_of(floor, &symbol) {
            self.mirror(at, &symbol, &changes, market, floor, house);
        }
    }

    /// Takes all changed levels out before any comes in, so that the house never meets itself.
    fn mirror(&mut self, at: Timestamp, symbol: &Symbol, changes: &[(Side, Level)], market: MarketId, floor: &mut Floor, house: AccountId) {
        for (side, level) in changes {
            if let Some(id) = self.orders.remove(&(symbol.clone(), *side, level.price)) {
                // An order that is gone already was filled by a client.
                let _ = floor.cancel(at, house, market, id, None);
            }
        }
        for (side, level) in changes.iter().filter(|(_, level)| !level.quantity.is_zero()) {
            let spec = OrderSpec::Limit { price: level.price, quantity: level.quantity, tif: TimeInForce::Gtc };
            let placed = NewOrder::of(*side, &spec).and_then(|new| floor.place(at, house, market, String::new(), &new));
            if let Ok(id) = placed {
                self.orders.insert((symbol.clone(), *side, level.price), id);
            }
        }
    }
}

fn market_of(floor: &Floor, symbol: &Symbol) -> Option<MarketId> {
    floor.engine().markets().find(|(_, market)| market.instrument.symbol == *symbol).map(|(id, _)| id)
}

fn sides(book: &Book) -> impl Iterator<Item = (Side, Level)> {
    let bids: Vec<(Side, Level)> = book.bids().map(|level| (Side::Buy, level)).collect();
    bids.into_iter().chain(book.asks().map(|level| (Side::Sell, level)).collect::<Vec<_>>())
}
