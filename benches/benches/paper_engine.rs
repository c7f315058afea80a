//! The paper venue's matching engine under a mixed load: adds, cancels and crossing orders, at growing depth. Invariant: the
//! calls are made up beforehand from a seed, and every figure says how many samples stand behind it.
#![expect(clippy::float_arithmetic, reason = "durations and rates, not money")]

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use criterion::Criterion;
use hdrhistogram::Histogram;
use rust_decimal::Decimal;
use strongroom_benches::row::{Peer, Row};
use strongroom_model::{Instrument, LotRule, NotionalRule, Price, Quantity, Side, Symbol, TickRule, TimeInForce, Timestamp, VenueOrderId};
use strongroom_paper::engine::{AccountId, Engine, Event, Fees, Kind, MarketId, Money, NewOrder, ONE, Order, Px, Qty, Rules, Size};

/// Resting orders at which the load is measured.
const DEPTHS: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Calls per replay; the book's depth stays about the same.
const CALLS: usize = 200_000;
const ACCOUNTS: usize = 100;
/// Orders that a level has when the book is built.
const ORDERS_PER_LEVEL: u64 = 25;
/// Of a hundred calls so many cross the spread; the others add and cancel in turns.
const CROSSING_PERCENT: u64 = 10;
/// The middle of the book, in ticks of 0.01.
const MIDDLE_TICKS: u64 = 10_000_000;
const TICK_UNITS: u64 = ONE / 100;
const STEP_UNITS: u64 = ONE / 100_000;
const SAMPLES: usize = 10;
const UNNUMBERED: VenueOrderId = VenueOrderId(0);
/// Orders that the peer's queues have room for from the beginning.
const PEER_QUEUE: usize = 32;
/// The lock file says which version of the peer was measured.
const LOCK: &str = include_str!("../../Cargo.lock");

#[derive(Clone, Copy)]
enum Call {
    /// With the number that the engine gave the order.
    Place(AccountId, NewOrder, VenueOrderId),
    Cancel(AccountId, VenueOrderId),
}

fn main() -> anyhow::Result<()> {
    if !std::env::args().any(|argument| argument == "--bench") {
        // `cargo test --all-targets` starts benchmarks too; nothing is measured in a test.
        return Ok(());
    }
    println!("an order's snapshot has {} bytes, an event {}", size_of::<Order>(), size_of::<Event>());
    let mut rows = Vec::new();
    let instrument = instrument().context("BTCUSDT is a symbol")?;
    for depth in DEPTHS {
        rows.extend(measure(&instrument, depth)?);
    }
    for row in rows {
        println!("{}", row.line());
    }
    Ok(())
}

fn measure(instrument: &Instrument, depth: usize) -> anyhow::Result<Vec<Row>> {
    let (build, calls) = make_up(instrument, depth)?;
    let (mut per_event_ns, mut per_call_ns) = (Vec::new(), Vec::new());
    let name = format!("paper engine, {depth} resting orders");
    let mut criterion = Criterion::default().sample_size(SAMPLES).warm_up_time(Duration::from_millis(1)).without_plots();
    criterion.bench_function(&name, |bencher| {
        bencher.iter_custom(|replays| {
            let replay = |_| {
                let (took, events) = replay(instrument, &build, &calls);
                per_event_ns.push(took.as_nanos() as f64 / events as f64);
                per_call_ns.push(took.as_nanos() as f64 / calls.len() as f64);
                took
            };
            (0..replays).map(replay).sum()
        });
    });
    let median_ns = median(&mut per_event_ns)?;
    let call_ns = median(&mut per_call_ns)?;
    let mut peer_ns: Vec<f64> = (0..SAMPLES).map(|_| peer(&build, &calls).as_nanos() as f64 / calls.len() as f64).collect();
    let peer_ns = median(&mut peer_ns)?;
    let version = LOCK.split_once("name = \"lobster\"\nversion = \"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or("unknown");
    let peer = Peer { name: "lobster", version: version.to_owned(), ns: peer_ns };
    let took = single_calls(instrument, &build, &calls)?;
    let bytes = {
        let (engine, market) = built(instrument, &build);
        engine.market(market).bytes() / engine.market(market).open_count()
    };
    println!(
        "{name}: {:.2} M order events/s (median of {} replays of {CALLS} calls); one call p50 {} p99 {} p99.9 {} ns; {bytes} bytes per resting order",
        1_000.0 / median_ns,
        per_event_ns.len(),
        took.value_at_quantile(0.5),
        took.value_at_quantile(0.99),
        took.value_at_quantile(0.999),
    );
    let row = |what: &str, ns: f64, samples| Row { name: format!("{name}, {what}"), ns, samples, target_us: None, peer: None };
    Ok(vec![
        Row { peer: Some(peer), ..row("per call, median", call_ns, per_call_ns.len()) },
        row("per order event, median", median_ns, per_event_ns.len()),
        row("one call with all its events, p99", took.value_at_quantile(0.99) as f64, CALLS),
    ])
}

/// Runs all calls on a fresh book; the time without building it, and the order events told.
fn replay(instrument: &Instrument, build: &[Call], calls: &[Call]) -> (Duration, usize) {
    let (mut engine, market) = built(instrument, build);
    let (mut out, mut events) = (Vec::new(), 0);
    let begin = Instant::now();
    for (at, call) in (0..).zip(calls) {
        run(&mut engine, market, at, call, &mut out);
        events += out.iter().filter(|event| matches!(event, Event::Order(..))).count();
        black_box(&out);
    }
    (begin.elapsed(), events)
}

fn median(samples: &mut [f64]) -> anyhow::Result<f64> {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().context("nothing was measured")
}

/// The same calls for the peer, a book of one market without accounts, money, fees and rules; the time without building its book.
fn peer(build: &[Call], calls: &[Call]) -> Duration {
    let mut book = lobster::OrderBook::new(build.len(), PEER_QUEUE, false);
    build.iter().for_each(|call| drop(black_box(book.execute(for_peer(call)))));
    let begin = Instant::now();
    for call in calls {
        black_box(book.execute(for_peer(call)));
    }
    begin.elapsed()
}

fn for_peer(call: &Call) -> lobster::OrderType {
    let (new, id) = match call {
        Call::Place(_, new, id) => (new, u128::from(id.0)),
        Call::Cancel(_, id) => return lobster::OrderType::Cancel { id: u128::from(id.0) },
    };
    let side = if new.side == Side::Buy { lobster::Side::Bid } else { lobster::Side::Ask };
    let (Size::Base(Qty(qty)) | Size::Quote(Money(qty))) = new.size;
    match (new.kind, new.tif) {
        (Kind::Limit, TimeInForce::Gtc) => lobster::OrderType::Limit { id, side, qty, price: new.price.0 },
        // It has no immediate-or-cancel: those, whose prices reach through the whole book, are market orders too.
        _ => lobster::OrderType::Market { id, side, qty },
    }
}

fn single_calls(instrument: &Instrument, build: &[Call], calls: &[Call]) -> anyhow::Result<Histogram<u64>> {
    let (mut engine, market) = built(instrument, build);
    let mut took = Histogram::new_with_bounds(1, 10_000_000_000, 3)?;
    let mut out = Vec::new();
    for (at, call) in (0..).zip(calls) {
        let begin = Instant::now();
        run(&mut engine, market, at, call, &mut out);
        took.saturating_record(u64::try_from(begin.elapsed().as_nanos())?);
    }
    Ok(took)
}

fn built(instrument: &Instrument, build: &[Call]) -> (Engine, MarketId) {
    let (mut engine, market, _) = empty(instrument);
    let mut out = Vec::new();
    for (at, call) in (0..).zip(build) {
        run(&mut engine, market, at, call, &mut out);
    }
    (engine, market)
}

fn run(engine: &mut Engine, market: MarketId, at: i64, call: &Call, out: &mut Vec<Event>) {
    out.clear();
    let now = Timestamp::from_ms(at);
    // The calls were made up with an engine that took them.
    let _ = match *call {
        Call::Place(account, ref new, _) => engine.place(now, account, market, new, out).map(drop),
        Call::Cancel(account, id) => engine.cancel(now, account, market, id, out),
    };
}

fn instrument() -> Option<Instrument> {
    let price = |value| Price::new(value).unwrap_or_default();
    let step = Quantity::new(Decimal::new(1, 5))?;
    Some(Instrument {
        symbol: Symbol::parse("BTCUSDT").ok()?,
        base: "BTC".into(),
        quote: "USDT".into(),
        price: TickRule { min: price(Decimal::new(1, 2)), max: price(Decimal::from(1_000_000)), tick: price(Decimal::new(1, 2)) },
        lot: LotRule { min: step, max: Quantity::default(), step },
        notional: NotionalRule::default(),
        orders: Default::default(),
    })
}

fn empty(instrument: &Instrument) -> (Engine, MarketId, Vec<AccountId>) {
    let mut engine = Engine::new();
    // Without a limit of open orders; the other rules as usual.
    let rules = Rules { orders: 0, ..Rules::of(instrument).unwrap_or_default() };
    let market = engine.add_market(instrument.clone(), rules);
    let fee = Decimal::new(1, 3);
    let assets = [engine.asset("BTC"), engine.asset("USDT")];
    let accounts: Vec<AccountId> = (0..ACCOUNTS).map(|_| engine.open_account(Fees { maker: fee, taker: fee })).collect();
    for account in &accounts {
        for (asset, amount) in assets.into_iter().zip([1_000_000, 100_000_000]) {
            // A fresh engine counts this.
            let _ = engine.deposit(*account, asset, Money(amount * ONE), &mut Vec::new());
        }
    }
    (engine, market, accounts)
}

/// A small generator (xorshift) for loads that repeat.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % count
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        let at = self.below(u64::try_from(of.len()).ok()?.max(1));
        of.get(usize::try_from(at).ok()?).copied()
    }

    fn side(&mut self) -> Side {
        if self.below(2) == 0 { Side::Buy } else { Side::Sell }
    }

    /// An order that rests, on a random level.
    fn resting(&mut self, levels: u64) -> NewOrder {
        let (away, quantity) = (1 + self.below(levels), Qty((1 + self.below(100)) * STEP_UNITS * 100));
        let side = self.side();
        let ticks = if side == Side::Buy { MIDDLE_TICKS - away } else { MIDDLE_TICKS + away };
        NewOrder::limit(side, Px(ticks * TICK_UNITS), quantity)
    }

    /// An order that takes about three resting ones: market, or immediate-or-cancel.
    fn crossing(&mut self, levels: u64) -> NewOrder {
        let (side, quantity) = (self.side(), Qty((1 + self.below(300)) * STEP_UNITS * 100));
        let ticks = if side == Side::Buy { MIDDLE_TICKS + levels } else { MIDDLE_TICKS - levels };
        match self.below(2) {
            0 => NewOrder::market(side, Size::Base(quantity)),
            _ => NewOrder { kind: Kind::Limit, tif: TimeInForce::Ioc, ..NewOrder::limit(side, Px(ticks * TICK_UNITS), quantity) },
        }
    }
}

/// Open orders, of which any can be drawn.
#[derive(Default)]
struct Drawn {
    open: Vec<(AccountId, VenueOrderId)>,
    places: HashMap<VenueOrderId, usize>,
}

impl Drawn {
    fn follow(&mut self, order: &Order) {
        if !order.status.is_final() {
            self.places.entry(order.id).or_insert_with(|| {
                self.open.push((order.account, order.id));
                self.open.len() - 1
            });
        } else if let Some(place) = self.places.remove(&order.id) {
            self.open.swap_remove(place);
            if let Some((_, moved)) = self.open.get(place) {
                self.places.insert(*moved, place);
            }
        }
    }
}

/// The calls that build a book of `depth` orders, and the load on it.
fn make_up(instrument: &Instrument, depth: usize) -> anyhow::Result<(Vec<Call>, Vec<Call>)> {
    let levels = (u64::try_from(depth)? / ORDERS_PER_LEVEL / 2).max(1);
    let mut dice = Dice(88_172_645_463_325_252);
    let (mut engine, market, accounts) = empty(instrument);
    let (mut drawn, mut out) = (Drawn::default(), Vec::new());
    let (mut build, mut calls) = (Vec::new(), Vec::new());
    for at in 0..depth + CALLS {
        let account = dice.pick(&accounts).context("there are accounts")?;
        let is_building = at < depth;
        let mut call = if !is_building && dice.below(100) < CROSSING_PERCENT {
            Call::Place(account, dice.crossing(levels), UNNUMBERED)
        } else if !is_building && drawn.open.len() > depth {
            dice.pick(&drawn.open).map(|(account, id)| Call::Cancel(account, id)).context("there are open orders")?
        } else {
            Call::Place(account, dice.resting(levels), UNNUMBERED)
        };
        run(&mut engine, market, i64::try_from(at)?, &call, &mut out);
        for event in &out {
            if let Event::Order(_, order) = event {
                drawn.follow(order);
                // The newest order of a call is its own.
                if let Call::Place(_, _, id) = &mut call {
                    *id = (*id).max(order.id);
                }
            }
        }
        if is_building { build.push(call) } else { calls.push(call) }
    }
    Ok((build, calls))
}
