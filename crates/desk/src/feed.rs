//! Markets that follow the venue's streams. Invariant: a book with a gap is marked as not current until it was fetched
//! anew; nobody takes a price from it meanwhile. Frames are made from what is true now, never from a queue.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rust_decimal::Decimal;
use strongroom_desk_api::market::{FRAME_DEPTH_MAX, FRAME_TRADES_MAX};
use strongroom_desk_api::{BookView, Day, Frame, Interval, Row, TradeRow, Watch};
use strongroom_model::{Book, Candle, DepthUpdate, Level, MarketTrade, Price, Quantity, Side, Symbol, Timestamp};
use tokio::sync::watch;

use crate::hall::{lock, wall};

/// Levels per side of a book that is followed; one that grew beyond is fetched anew.
const LEVELS_MAX: usize = 50_000;
/// A book that did not change for so long is not current any more.
const STALE: Duration = Duration::from_secs(5);
/// A stream that said nothing at all for so long is not live: the books that are followed change many times a second.
const SILENCE_MAX: Duration = Duration::from_millis(700);
/// Most levels per side in one view.
const VIEW_DEPTH_MAX: usize = 200;
/// Trades that are remembered per market.
const TRADES_KEPT: usize = 100;

struct Market {
    book: Book,
    current: bool,
    changed: Instant,
    changed_at: Timestamp,
    book_version: u64,
    trades: VecDeque<TradeRow>,
    candles: HashMap<Interval, Candle>,
    day: Option<Day>,
}

/// All followed markets.
pub(crate) struct Feed {
    markets: Mutex<HashMap<Symbol, Market>>,
    resyncs: Mutex<u64>,
    heard: Mutex<Option<Instant>>,
    news: watch::Sender<()>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { markets: Mutex::default(), resyncs: Mutex::default(), heard: Mutex::default(), news: watch::Sender::new(()) }
    }
}

/// What a watcher has been told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    seq: u64,
    book_version: Option<u64>,
    trade_id: Option<u64>,
    candle: Option<Candle>,
    day: Option<Day>,
}

impl Feed {
    /// A snapshot came: the book is followed from here.
    pub(crate) fn reset(&self, symbol: Symbol, book: Book) {
        let mut markets = lock(&self.markets);
        let market = markets.entry(symbol).or_insert_with(Market::new);
        market.book = book;
        market.current = true;
        market.touch();
        drop(markets);
        self.news.send_replace(());
    }

    /// An update came. `false`: updates are missing, or the book grew beyond its bound; fetch a snapshot.
    pub(crate) fn apply(&self, symbol: &Symbol, update: &DepthUpdate) -> bool {
        self.heard();
        let mut markets = lock(&self.markets);
        let Some(market) = markets.get_mut(symbol) else { return true };
        let follows = match market.book.apply(update) {
            Ok(_) if market.book.levels_len() <= LEVELS_MAX => {
                market.touch();
                true
            }
            _ => {
                market.current = false;
                *lock(&self.resyncs) += 1;
                false
            }
        };
        drop(markets);
        self.news.send_replace(());
        follows
    }

    /// A trade happened.
    pub(crate) fn trade(&self, symbol: &Symbol, trade: &MarketTrade) {
        self.heard();
        let mut markets = lock(&self.markets);
        if let Some(market) = markets.get_mut(symbol) {
            market.trade(trade);
        }
        drop(markets);
        self.news.send_replace(());
    }

    /// A candle as the venue has it.
    pub(crate) fn candle(&self, symbol: &Symbol, interval: Interval, candle: Candle) {
        self.heard();
        if let Some(market) = lock(&self.markets).get_mut(symbol) {
            market.candles.insert(interval, candle);
        }
    }

    /// The last 24 hours as the venue has them.
    pub(crate) fn day(&self, symbol: &Symbol, day: Day) {
        self.heard();
        if let Some(market) = lock(&self.markets).get_mut(symbol) {
            market.day = Some(day);
        }
    }

    /// Something came over the stream.
    pub(crate) fn heard(&self) {
        *lock(&self.heard) = Some(Instant::now());
    }

    /// The stream is gone: no book is current.
    pub(crate) fn lost(&self) {
        lock(&self.markets).values_mut().for_each(|market| market.current = false);
        self.news.send_replace(());
    }

    /// Other markets than these are not followed any more.
    pub(crate) fn keep_only(&self, followed: &[Symbol]) {
        lock(&self.markets).retain(|symbol, _| followed.contains(symbol));
    }

    /// Wakes whenever a market changed.
    pub(crate) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Wakes watchers for another reason.
    pub(crate) fn wake(&self) {
        self.news.send_replace(());
    }

    /// Halfway between best bid and ask of a current book.
    pub(crate) fn mark(&self, symbol: &Symbol) -> Option<Price> {
        let markets = lock(&self.markets);
        markets.get(symbol).filter(|market| market.is_current(Instant::now())).and_then(|market| market.book.mid())
    }

    /// Best levels of a book.
    pub(crate) fn view(&self, symbol: &Symbol, depth: u32) -> Option<BookView> {
        let markets = lock(&self.markets);
        let market = markets.get(symbol)?;
        let depth = usize::try_from(depth).unwrap_or(VIEW_DEPTH_MAX).min(VIEW_DEPTH_MAX);
        Some(BookView {
            symbol: symbol.clone(),
            bids: market.book.bids().take(depth).collect(),
            asks: market.book.asks().take(depth).collect(),
            current: market.is_current(Instant::now()),
            age_ms: market.age_ms(),
        })
    }

    /// The market as it is now, without what the watcher has been told already.
    pub(crate) fn frame(&self, watch: &Watch, told: &mut Told, (orders_version, state_version): (u64, u64)) -> Frame {
        let markets = lock(&self.markets);
        told.seq += 1;
        let mut frame = Frame {
            seq: told.seq,
            symbol: watch.symbol.clone(),
            current: false,
            age_ms: 0,
            book_at: Timestamp::default(),
            best: None,
            bids: None,
            asks: None,
            trades: None,
            candle: None,
            day: None,
            orders_version,
            state_version,
        };
        let Some(market) = markets.get(&watch.symbol) else { return frame };
        let is_heard = lock(&self.heard).is_none_or(|heard| heard.elapsed() < SILENCE_MAX);
        (frame.current, frame.age_ms, frame.book_at) = (market.is_current(Instant::now()) && is_heard, market.age_ms(), market.changed_at);
        if told.book_version.replace(market.book_version) != Some(market.book_version) {
            let depth = watch.depth.clamp(1, FRAME_DEPTH_MAX) as usize;
            frame.best = market.book.bids().next().zip(market.book.asks().next()).map(|(bid, ask)| (bid.price, ask.price));
            frame.bids = Some(rows(market.book.bids(), watch.step, Side::Buy, depth));
            frame.asks = Some(rows(market.book.asks(), watch.step, Side::Sell, depth));
        }
        let known = told.trade_id.unwrap_or_default();
        let fresh: Vec<&TradeRow> = market.trades.iter().rev().take_while(|trade| trade.id > known).take(FRAME_TRADES_MAX).collect();
        if let Some(newest) = fresh.first() {
            told.trade_id = Some(newest.id);
            frame.trades = Some(fresh.into_iter().rev().cloned().collect());
        }
        let candle = market.candles.get(&watch.interval);
        if candle != told.candle.as_ref() {
            told.candle = candle.cloned();
            frame.candle = candle.cloned();
        }
        if market.day != told.day {
            told.day.clone_from(&market.day);
            frame.day.clone_from(&market.day);
        }
        frame
    }

    /// Age of the newest message in milliseconds, and how often a book was fetched anew.
    pub(crate) fn health(&self) -> (Option<u64>, u64) {
        let age = lock(&self.heard).map(|heard| u64::try_from(heard.elapsed().as_millis()).unwrap_or(u64::MAX));
        (age, *lock(&self.resyncs))
    }
}

/// Levels grouped to a step, with their running total: bids to the lower multiple, asks to the upper.
fn rows(levels: impl Iterator<Item = Level>, step: Option<Price>, side: Side, depth: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::with_capacity(depth);
    let mut total = Quantity::ZERO;
    for level in levels {
        let price = step.map_or(level.price, |step| grouped(level.price, step, side));
        if rows.last().is_none_or(|row| row.0 != price) {
            if rows.len() == depth {
                break;
            }
            rows.push(Row(price, Quantity::ZERO, total));
        }
        total = total.checked_add(level.quantity).unwrap_or(total);
        if let Some(row) = rows.last_mut() {
            row.1 = row.1.checked_add(level.quantity).unwrap_or(row.1);
            row.2 = total;
        }
    }
    rows
}

fn grouped(price: Price, step: Price, side: Side) -> Price {
    let over = price.value().checked_rem(step.value()).unwrap_or(Decimal::ZERO);
    let floor = price.value() - over;
    let value = if side == Side::Sell && !over.is_zero() { floor + step.value() } else { floor };
    Price::new(value).unwrap_or(price)
}

impl Market {
    fn new() -> Self {
        Self {
            book: Book::default(),
            current: false,
            changed: Instant::now(),
            changed_at: wall(),
            book_version: 0,
            trades: VecDeque::new(),
            candles: HashMap::new(),
            day: None,
        }
    }

    fn touch(&mut self) {
        self.changed = Instant::now();
        self.changed_at = wall();
        self.book_version += 1;
    }

    fn trade(&mut self, trade: &MarketTrade) {
        let side = if trade.buyer_is_maker { Side::Sell } else { Side::Buy };
        self.trades.push_back(TradeRow { id: trade.trade_id.0, price: trade.price, quantity: trade.quantity, side, at: trade.at });
        if self.trades.len() > TRADES_KEPT {
            self.trades.pop_front();
        }
        // Between the venue's own candles the newest trade moves the close; the volume waits for the venue.
        for (interval, candle) in &mut self.candles {
            let age_ms = trade.at.ms_since(candle.open_time);
            if (0..interval.ms()).contains(&age_ms) {
                candle.close = trade.price;
                candle.high = candle.high.max(trade.price);
                candle.low = candle.low.min(trade.price);
            }
        }
    }

    fn age_ms(&self) -> u64 {
        u64::try_from(self.changed.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn is_current(&self, now: Instant) -> bool {
        self.current && now.saturating_duration_since(self.changed) < STALE
    }
}

#[cfg(test)]
mod tests {
    use strongroom_model::TradeId;

    use super::*;

    fn level(price: &str, quantity: &str) -> Level {
        Level { price: Price::parse(price).unwrap(), quantity: Quantity::parse(quantity).unwrap() }
    }

    fn shown(rows: &[Row]) -> Vec<String> {
        rows.iter().map(|Row(price, quantity, total)| format!("{price} {quantity} {total}")).collect()
    }

    fn feed() -> (Feed, Symbol, Watch) {
        let (feed, symbol) = (Feed::default(), Symbol::parse("X").unwrap());
        let book =
            Book::from_snapshot(7, &[level("9.9", "1"), level("9.4", "2"), level("8.1", "4")], &[level("10.1", "1"), level("10.6", "3")]);
        feed.reset(symbol.clone(), book);
        let watch = Watch { symbol: symbol.clone(), interval: Interval::Minute, depth: 2, step: None };
        (feed, symbol, watch)
    }

    #[test]
    fn levels_are_grouped_away_from_the_middle() {
        let bids = [level("9.9", "1"), level("9.4", "2"), level("8.1", "4")];
        let asks = [level("10.1", "1"), level("10.6", "3"), level("11", "2")];
        let step = Some(Price::parse("0.5").unwrap());
        assert_eq!(shown(&rows(bids.into_iter(), step, Side::Buy, 2)), ["9.5 1 1", "9 2 3"]);
        assert_eq!(shown(&rows(asks.into_iter(), step, Side::Sell, 5)), ["10.5 1 1", "11 5 6"]);
        assert_eq!(shown(&rows(bids.into_iter(), None, Side::Buy, 2)), ["9.9 1 1", "9.4 2 3"]);
    }

    #[test]
    fn a_frame_tells_what_is_new_and_only_once() {
        let (feed, symbol, watch) = feed();
        let mut told = Told::default();
        let first = feed.frame(&watch, &mut told, (1, 1));
        assert_eq!(first.best.map(|(bid, ask)| format!("{bid} {ask}")), Some("9.9 10.1".to_owned()));
        assert!(first.current && first.bids.as_ref().is_some_and(|bids| bids.len() == 2));
        let again = feed.frame(&watch, &mut told, (1, 1));
        assert_eq!((again.seq, again.bids, again.trades), (2, None, None));
        let trade = |id| MarketTrade {
            trade_id: TradeId(id),
            price: Price::parse("10").unwrap(),
            quantity: Quantity::parse("1").unwrap(),
            buyer_is_maker: id % 2 == 0,
            at: Timestamp::from_ms(1),
        };
        (1..=60).for_each(|id| feed.trade(&symbol, &trade(id)));
        let trades = feed.frame(&watch, &mut told, (1, 1)).trades.unwrap();
        assert_eq!((trades.len(), trades.last().unwrap().id), (FRAME_TRADES_MAX, 60));
        assert_eq!(feed.frame(&watch, &mut told, (1, 1)).trades, None);
    }

    #[test]
    fn a_lost_stream_makes_frames_not_current() {
        let (feed, symbol, watch) = feed();
        feed.lost();
        assert!(!feed.frame(&watch, &mut Told::default(), (1, 1)).current);
        assert_eq!(feed.mark(&symbol), None);
    }

    /// The limit and one step beyond: a mark is that of a book that is not older.
    #[test]
    fn a_book_is_current_up_to_its_age() {
        let (feed, symbol, _) = feed();
        let markets = lock(&feed.markets);
        let market = &markets[&symbol];
        for (age, is_current) in [(Duration::ZERO, true), (STALE - Duration::from_nanos(1), true), (STALE, false), (STALE * 9, false)] {
            assert_eq!(market.is_current(market.changed + age), is_current, "{age:?}");
        }
        drop(markets);
        assert_eq!(feed.mark(&symbol), Price::parse("10").ok(), "of now");
    }

    #[test]
    fn trades_move_the_candle_that_they_lie_in() {
        let (feed, symbol, watch) = feed();
        let at = |ms| Timestamp::from_ms(ms);
        let price = |text| Price::parse(text).unwrap();
        let candle = Candle {
            open_time: at(60_000),
            open: price("10"),
            high: price("11"),
            low: price("9"),
            close: price("10"),
            volume: Quantity::ZERO,
        };
        feed.candle(&symbol, Interval::Minute, candle);
        for (ms, text) in [(59_999, "1"), (61_000, "12"), (120_000, "99")] {
            let trade =
                MarketTrade { trade_id: TradeId(1), price: price(text), quantity: Quantity::ZERO, buyer_is_maker: true, at: at(ms) };
            feed.trade(&symbol, &trade);
        }
        let candle = feed.frame(&watch, &mut Told::default(), (1, 1)).candle.unwrap();
        assert_eq!((candle.close, candle.high, candle.low), (price("12"), price("12"), price("9")));
    }
}
