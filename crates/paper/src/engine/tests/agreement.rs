//! Random commands to the engine and to the obvious one. Invariant: after every command both told the same, and orders,
//! books and balances are equal; money is conserved, the book is not crossed, and the events alone restore the engine.

use std::collections::BTreeMap;

use proptest::prelude::*;
use strongroom_model::{Book, Side, TimeInForce, Timestamp, VenueOrderId};

use super::desk::{btcusdt, told};
use super::slow::{Slow, State};
use crate::engine::*;

/// Commands in one case.
const COMMANDS: usize = 200;
/// Cases of a usual run: 20,000 commands.
const CASES: u32 = 100;
/// Cases of a long run: a million commands.
const LONG_CASES: u32 = 5_000;
const ACCOUNTS: usize = 4;
/// Shares that accounts pay, maker and taker, in 1e-8: none, the usual, and one that never divides.
const RATES: [(u64, u64); ACCOUNTS] = [(0, 0), (100_000, 100_000), (33_333, 77_777), (0, 1_000_000)];
const GROUPS: [Option<u32>; ACCOUNTS] = [None, None, Some(1), Some(1)];
const BASE: u64 = 9 * ONE;
const QUOTE: u64 = 900 * ONE;

#[derive(Clone, Debug)]
enum Command {
    Place(usize, NewOrder),
    List(usize, NewList),
    Cancel { pick: usize, is_own: bool },
    CancelList(usize),
    CancelAll(usize),
    Amend { pick: usize, percent: u64 },
    Halt(bool),
}

fn rules() -> Rules {
    Rules {
        price: Bounds { min: 1, max: 1_000 * ONE, step: 10_000 },
        percent_bid: Band { down: Share(ONE / 2), up: Share(ONE * 3 / 2) },
        percent_ask: Band { down: Share(ONE / 2), up: Share(ONE * 3 / 2) },
        lot: Bounds { min: 100, max: 50 * ONE, step: 100 },
        notional: Worth { min: Money(5 * ONE), min_binds_market: true, max: Money(2_500 * ONE), max_binds_market: true },
        iceberg_parts: 10,
        orders: 20,
        algo_orders: 6,
        iceberg_orders: 5,
        lists: 3,
        amends: 3,
        position: Qty(24 * ONE),
        trailing_above: (10, 2_000),
        trailing_below: (10, 2_000),
        ..Rules::default()
    }
}

/// Mostly whole numbers, so that prices meet; sometimes with all decimals, so that products are truncated.
fn price(around: std::ops::Range<u64>) -> BoxedStrategy<Px> {
    prop_oneof![9 => around.clone().prop_map(|whole| Px(whole * ONE)), 1 => (around, 1u64..10_000).prop_map(|(whole, part)| Px(whole * ONE + part * 10_000))]
    .boxed()
}

fn quantity() -> BoxedStrategy<Qty> {
    prop_oneof![8 => (1u64..30).prop_map(|tenths| Qty(tenths * ONE / 10)), 2 => (1u64..1_000_000).prop_map(|steps| Qty(steps * 100)), 1 => Just(Qty(12 * ONE))]
    .boxed()
}

fn side() -> BoxedStrategy<Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)].boxed()
}

fn tif() -> BoxedStrategy<TimeInForce> {
    prop_oneof![6 => Just(TimeInForce::Gtc), 1 => Just(TimeInForce::Ioc), 1 => Just(TimeInForce::Fok)].boxed()
}

fn self_trade() -> BoxedStrategy<SelfTrade> {
    use SelfTrade::{Decrement, ExpireBoth, ExpireMaker, ExpireTaker, None};
    prop_oneof![4 => Just(None), 1 => Just(ExpireTaker), 1 => Just(ExpireMaker), 1 => Just(ExpireBoth), 1 => Just(Decrement)].boxed()
}

fn kind() -> BoxedStrategy<Kind> {
    use Kind::{Limit, LimitMaker, Market, StopLoss, StopLossLimit, TakeProfit, TakeProfitLimit};
    prop_oneof![
        8 => Just(Limit), 2 => Just(LimitMaker), 3 => Just(Market),
        1 => Just(StopLoss), 2 => Just(StopLossLimit), 1 => Just(TakeProfit), 2 => Just(TakeProfitLimit)
    ]
    .boxed()
}

/// A trigger on its side of a price of about 100, or trailing, or both.
fn with_trigger(new: NewOrder, distance: u64, how: u8, bps: u32) -> NewOrder {
    let stop = if new.kind.is_above(new.side) { 100 + distance } else { 100 - distance };
    let stop = if how == 1 { Px::ZERO } else { Px(stop * ONE) };
    NewOrder { stop, trailing_bps: if how == 0 { 0 } else { bps }, ..new }
}

fn new_order() -> BoxedStrategy<NewOrder> {
    let numbers = (
        price(92..109),
        quantity(),
        0u64..12,
        prop_oneof![4 => Just(0u8), 1 => Just(1), 1 => Just(2)],
        prop_oneof![9 => 50u32..900, 1 => 0u32..3_000],
    );
    (side(), kind(), tif(), self_trade(), numbers, 0u64..12, any::<bool>())
        .prop_map(|(side, kind, tif, self_trade, (price, quantity, distance, how, bps), parts, in_quote)| {
            let mut new = NewOrder { kind, self_trade, ..NewOrder::limit(side, price, quantity) };
            if !kind.has_price() {
                new.price = Px::ZERO;
            } else if kind != Kind::LimitMaker {
                new.tif = tif;
            }
            if kind.has_price() && new.tif == TimeInForce::Gtc && parts > 6 {
                new.iceberg = Qty((quantity.0 / (parts - 5) / 100 * 100).max(100));
            }
            if kind == Kind::Market && in_quote {
                new.size = Size::Quote(Money(quantity.0 * 97));
            }
            if kind.is_algo() { with_trigger(new, distance, how, bps.max(1)) } else { new }
        })
        .boxed()
}

fn pair() -> BoxedStrategy<(NewOrder, NewOrder)> {
    let legs = (0u8..3, any::<bool>(), prop_oneof![5 => Just(0u8), 1 => Just(1), 1 => Just(2)]);
    (side(), quantity(), self_trade(), legs, (1u64..7, 1u64..7), 100u32..600)
        .prop_map(|(side, quantity, self_trade, (profit, is_limit, how), (up, down), bps)| {
            let (over, under) = if side == Side::Sell { (100 + up, 100 - down) } else { (100 - down, 100 + up) };
            let leg = |kind, price| NewOrder { kind, self_trade, ..NewOrder::limit(side, Px(price * ONE), quantity) };
            let takes = match profit {
                0 => leg(Kind::LimitMaker, over),
                1 => with_trigger(NewOrder { price: Px::ZERO, ..leg(Kind::TakeProfit, over) }, up.max(down), 0, bps),
                _ => with_trigger(leg(Kind::TakeProfitLimit, over), up, 0, bps),
            };
            let stops = if is_limit { leg(Kind::StopLossLimit, under) } else { NewOrder { price: Px::ZERO, ..leg(Kind::StopLoss, under) } };
            let stops = with_trigger(stops, if side == Side::Sell { down } else { up }, how, bps);
            if side == Side::Sell { (takes, stops) } else { (stops, takes) }
        })
        .boxed()
}

fn new_list() -> BoxedStrategy<NewList> {
    let working = || {
        new_order().prop_map(|new| NewOrder {
            kind: Kind::Limit,
            stop: Px::ZERO,
            trailing_bps: 0,
            size: Size::Base(new.quantity().max(Qty(ONE / 10))),
            price: new.price.max(Px(97 * ONE)),
            ..new
        })
    };
    let pending = new_order().prop_map(|new| NewOrder { size: Size::Base(new.quantity().max(Qty(ONE / 10))), ..new });
    prop_oneof![
        2 => pair().prop_map(|(above, below)| NewList::Oco { above, below }),
        1 => (working(), pending).prop_map(|(working, pending)| NewList::Oto { working, pending }),
        1 => (working(), pair()).prop_map(|(working, (above, below))| NewList::Otoco { working, above, below }),
    ]
    .boxed()
}

fn command() -> BoxedStrategy<Command> {
    prop_oneof![
        60 => (0..ACCOUNTS, new_order()).prop_map(|(account, new)| Command::Place(account, new)),
        14 => (0..ACCOUNTS, new_list()).prop_map(|(account, new)| Command::List(account, new)),
        14 => (any::<usize>(), prop::bool::weighted(0.95)).prop_map(|(pick, is_own)| Command::Cancel { pick, is_own }),
        2 => any::<usize>().prop_map(Command::CancelList),
        1 => (0..ACCOUNTS).prop_map(Command::CancelAll),
        8 => (any::<usize>(), 1u64..120).prop_map(|(pick, percent)| Command::Amend { pick, percent }),
        1 => prop::bool::weighted(0.2).prop_map(Command::Halt),
    ]
    .boxed()
}

/// The engine with what a layer above would keep of its events.
struct Kept {
    engine: Engine,
    market: MarketId,
    accounts: Vec<AccountId>,
    assets: [AssetId; 2],
    events: Vec<Event>,
    orders: BTreeMap<VenueOrderId, Order>,
    lists: BTreeMap<ListId, OrderList>,
    holdings: BTreeMap<(AccountId, AssetId), Holding>,
    book: Book,
    update_id: u64,
}

impl Kept {
    fn empty() -> (Engine, MarketId, Vec<AccountId>, [AssetId; 2]) {
        let mut engine = Engine::new();
        let market = engine.add_market(btcusdt(), rules());
        let assets = [engine.asset("BTC"), engine.asset("USDT")];
        let fee = |units: u64| rust_decimal::Decimal::new(i64::try_from(units).unwrap(), 8);
        let accounts: Vec<AccountId> =
            RATES.iter().map(|(maker, taker)| engine.open_account(Fees { maker: fee(*maker), taker: fee(*taker) })).collect();
        for (account, group) in accounts.iter().zip(GROUPS) {
            engine.set_trade_group(*account, group);
        }
        (engine, market, accounts, assets)
    }

    fn new() -> Self {
        let (engine, market, accounts, assets) = Self::empty();
        let book = Book::from_snapshot(0, &[], &[]);
        let mut kept = Self {
            engine,
            market,
            accounts,
            assets,
            events: Vec::new(),
            orders: BTreeMap::new(),
            lists: BTreeMap::new(),
            holdings: BTreeMap::new(),
            book,
            update_id: 0,
        };
        for account in kept.accounts.clone() {
            for (asset, amount) in kept.assets.into_iter().zip([BASE, QUOTE]) {
                kept.engine.deposit(account, asset, Money(amount), &mut kept.events).unwrap();
            }
        }
        kept.keep();
        kept
    }

    fn keep(&mut self) {
        for event in &self.events {
            match *event {
                Event::Order(_, order) if order.status.is_final() => drop(self.orders.remove(&order.id)),
                Event::Order(_, order) => drop(self.orders.insert(order.id, order)),
                Event::List(list) if list.is_done => drop(self.lists.remove(&list.id)),
                Event::List(list) => drop(self.lists.insert(list.id, list)),
                Event::Balance(account, asset, holding) => drop(self.holdings.insert((account, asset), holding)),
            }
        }
    }

    /// The same state from what was kept alone, as after a crash.
    fn restore(&mut self) {
        let (mut engine, market, ..) = Self::empty();
        let (numbers, status) = (self.engine.market(self.market).numbers(), self.engine.market(self.market).status());
        engine.restore_numbers(market, numbers, status);
        for ((account, asset), holding) in &self.holdings {
            engine.restore_holding(*account, *asset, *holding).unwrap();
        }
        for asset in self.assets {
            engine.restore_fees(asset, self.engine.fee_pot(asset)).unwrap();
        }
        engine.restore_last_list(self.engine.last_list());
        self.lists.values().for_each(|list| engine.restore_list(*list));
        self.orders.values().for_each(|order| engine.restore(*order));
        self.engine = engine;
    }

    fn run(&mut self, now: Timestamp, command: &Command, slow: &Slow) -> Result<(), Refusal> {
        self.events.clear();
        let (engine, market, out) = (&mut self.engine, self.market, &mut self.events);
        let done = match *command {
            Command::Place(account, ref new) => engine.place(now, self.accounts[account], market, new, out).map(drop),
            Command::List(account, ref new) => engine.place_list(now, self.accounts[account], market, new, out).map(drop),
            Command::Cancel { pick, is_own } => match picked(slow, pick) {
                Some((id, owner)) => {
                    let account = if is_own { owner } else { (owner + 1) % ACCOUNTS };
                    engine.cancel(now, self.accounts[account], market, VenueOrderId(id), out)
                }
                None => engine.cancel(now, self.accounts[0], market, VenueOrderId(u64::MAX), out),
            },
            Command::CancelList(pick) => match slow.lists.get(pick % slow.lists.len().max(1)) {
                Some(list) => engine.cancel_list(now, self.accounts[list.account], market, ListId(list.id), out),
                None => Ok(()),
            },
            Command::CancelAll(account) => {
                engine.cancel_all(now, self.accounts[account], market, out);
                Ok(())
            }
            Command::Amend { pick, percent } => match picked(slow, pick) {
                Some((id, owner)) => {
                    let quantity = Qty(amended(slow, id, percent));
                    engine.amend(now, self.accounts[owner], market, VenueOrderId(id), quantity, out)
                }
                None => Ok(()),
            },
            Command::Halt(is_halted) => {
                engine.set_status(market, if is_halted { MarketStatus::Halt } else { MarketStatus::Trading });
                Ok(())
            }
        };
        self.keep();
        done
    }
}

fn picked(slow: &Slow, pick: usize) -> Option<(u64, usize)> {
    slow.orders.get(pick % slow.orders.len().max(1)).map(|order| (order.id, order.account))
}

fn amended(slow: &Slow, id: u64, percent: u64) -> u64 {
    let order = slow.orders.iter().find(|order| order.id == id).unwrap();
    u64::try_from(order.quantity).unwrap() * percent / 100 / 100 * 100
}

fn run_slow(slow: &mut Slow, command: &Command) -> Result<(), Refusal> {
    slow.told.clear();
    match *command {
        Command::Place(account, ref new) => slow.place(account, new),
        Command::List(account, ref new) => slow.place_list(account, new),
        Command::Cancel { pick, is_own } => match picked(slow, pick) {
            Some((id, owner)) => slow.cancel(if is_own { owner } else { (owner + 1) % ACCOUNTS }, id),
            None => Err(Refusal::UnknownOrder),
        },
        Command::CancelList(pick) => {
            if let Some(list) = slow.lists.get(pick % slow.lists.len().max(1)).map(|list| list.id) {
                slow.cancel_list(list);
            }
            Ok(())
        }
        Command::CancelAll(account) => {
            slow.cancel_all(account);
            Ok(())
        }
        Command::Amend { pick, percent } => match picked(slow, pick) {
            Some((id, owner)) => slow.amend(owner, id, i128::from(amended(slow, id, percent))),
            None => Ok(()),
        },
        Command::Halt(is_halted) => {
            slow.is_halted = is_halted;
            Ok(())
        }
    }
}

fn int(units: u64) -> i128 {
    i128::from(units)
}

/// Orders, balances, fees and books of both are equal, and what must always hold holds.
fn compare(kept: &mut Kept, slow: &Slow) -> Result<(), TestCaseError> {
    let market = kept.engine.market(kept.market);
    prop_assert_eq!(market.open_count(), slow.orders.len());
    prop_assert_eq!(market.last_price().map(|price| int(price.0)), slow.last);
    for expected in &slow.orders {
        let order = market.order(VenueOrderId(expected.id)).unwrap();
        let state = (int(order.quantity.0), int(order.filled.0), int(order.prevented.0), int(order.tracked.0), order.status);
        prop_assert_eq!(state, (expected.quantity, expected.filled, expected.prevented, expected.tracked, expected.status), "{:?}", order);
        if expected.state == State::Resting {
            prop_assert_eq!(int(order.visible.0), expected.visible, "{:?}", order);
        }
        prop_assert_eq!(kept.orders.get(&order.id), Some(&order), "the last event is the state");
    }
    for (index, account) in kept.accounts.iter().enumerate() {
        let mut locked = [Money::ZERO; 2];
        for order in market.open_orders(*account) {
            let asset = &mut locked[usize::from(order.side == Side::Buy)];
            *asset = asset.plus(order.locked);
        }
        for (asset, locked) in locked.into_iter().enumerate() {
            let held = kept.engine.holding(*account, kept.assets[asset]);
            let expected = slow.locked(index, asset);
            prop_assert_eq!(
                (int(held.free.0), int(held.locked.0)),
                (slow.totals[index][asset] - expected, expected),
                "{} of {}",
                asset,
                index
            );
            prop_assert_eq!(held.locked, locked, "orders hold what is locked");
        }
    }
    for (asset, fees) in kept.assets.iter().zip(slow.fees) {
        prop_assert_eq!(int(kept.engine.fee_pot(*asset).0), fees);
    }
    for row in kept.engine.audit() {
        prop_assert_eq!(u128::from(row.deposited.0), row.held, "{} was made or lost", row.asset);
    }
    compare_books(kept, slow)
}

fn compare_books(kept: &mut Kept, slow: &Slow) -> Result<(), TestCaseError> {
    if let Some(update) = kept.engine.take_update(kept.market) {
        prop_assert_eq!(update.first, kept.update_id + 1, "depth updates have a gap");
        kept.update_id = update.last;
        kept.book.apply(&update).unwrap();
    }
    for side in [Side::Buy, Side::Sell] {
        let levels: Vec<(Px, Qty)> = kept
            .engine
            .market(kept.market)
            .levels(side)
            .map(|level| (Px::of(level.price).unwrap(), Qty::of(level.quantity).unwrap()))
            .collect();
        let mut expected: BTreeMap<Px, u64> = BTreeMap::new();
        for order in slow.orders.iter().filter(|order| order.state == State::Resting && order.new.side == side) {
            *expected.entry(order.new.price).or_default() += u64::try_from(order.visible).unwrap();
        }
        let mut expected: Vec<(Px, Qty)> = expected.into_iter().map(|(price, quantity)| (price, Qty(quantity))).collect();
        if side == Side::Buy {
            expected.reverse();
        }
        prop_assert_eq!(&levels, &expected);
        let followed: Vec<(Px, Qty)> = match side {
            Side::Buy => kept.book.bids().map(|level| (Px::of(level.price).unwrap(), Qty::of(level.quantity).unwrap())).collect(),
            Side::Sell => kept.book.asks().map(|level| (Px::of(level.price).unwrap(), Qty::of(level.quantity).unwrap())).collect(),
        };
        prop_assert_eq!(&followed, &expected, "a book kept from updates");
    }
    let [bid, ask] = [Side::Buy, Side::Sell].map(|side| kept.engine.market(kept.market).best(side).map(|(price, _)| price));
    prop_assert!(bid.zip(ask).is_none_or(|(bid, ask)| bid < ask), "crossed: {:?} {:?}", bid, ask);
    Ok(())
}

fn config() -> ProptestConfig {
    let is_long = std::env::var_os("STRONGROOM_LONG").is_some();
    ProptestConfig {
        max_shrink_iters: 400,
        failure_persistence: None,
        ..ProptestConfig::with_cases(if is_long { LONG_CASES } else { CASES })
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn agrees_with_the_obvious_engine(commands in prop::collection::vec(command(), COMMANDS), crash in 0..COMMANDS) {
        let mut kept = Kept::new();
        let totals = vec![[int(BASE), int(QUOTE)]; ACCOUNTS];
        let rates = RATES.iter().map(|(maker, taker)| (int(*maker), int(*taker))).collect();
        let mut slow = Slow::new(rules(), totals, rates, GROUPS.to_vec());
        for (at, command) in commands.iter().enumerate() {
            let done = kept.run(Timestamp::from_ms(i64::try_from(at).unwrap()), command, &slow);
            let expected = run_slow(&mut slow, command);
            let said: Vec<String> = kept.events.iter().filter_map(told).collect();
            prop_assert_eq!((done, &said), (expected, &slow.told), "{}: {:?}", at, command);
            compare(&mut kept, &slow).map_err(|error| TestCaseError::fail(format!("after {at}, {command:?}: {error}")))?;
            if at == crash {
                kept.restore();
                compare(&mut kept, &slow).map_err(|error| TestCaseError::fail(format!("restored after {at}: {error}")))?;
            }
        }
    }
}
