//! Properties of the engine under random commands, and its agreement with a matcher that is slow and obvious.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::Decimal;
use strongroom_model::{Amount, MarketSize, Notional, OrderSpec, OrderStatus, Price, Quantity, Side, TimeInForce, Timestamp, VenueOrderId};

use super::testing::btcusdt;
use super::*;

#[derive(Clone, Debug)]
enum Command {
    Place { account: usize, side: Side, kind: u8, price: u32, quantity: u32, name: u8 },
    Cancel { account: usize, order: u64 },
}

const ACCOUNTS: usize = 3;
const RATE: (i64, u32) = (1, 3);

fn command() -> impl Strategy<Value = Command> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let place = (0..ACCOUNTS, side, 0u8..6, 9_900u32..10_100, 1u32..400_000, 0u8..12)
        .prop_map(|(account, side, kind, price, quantity, name)| Command::Place { account, side, kind, price, quantity, name });
    prop_oneof![4 => place, 1 => (0..ACCOUNTS, 1u64..40).prop_map(|(account, order)| Command::Cancel { account, order })]
}

fn spec(kind: u8, price: u32, quantity: u32) -> OrderSpec {
    let price = Price::new(Decimal::new(price.into(), 0)).unwrap();
    let quantity = Quantity::new(Decimal::new(quantity.into(), 5)).unwrap();
    match kind {
        0 | 1 => OrderSpec::Limit { price, quantity, tif: TimeInForce::Gtc },
        2 => OrderSpec::Limit { price, quantity, tif: TimeInForce::Ioc },
        3 => OrderSpec::Limit { price, quantity, tif: TimeInForce::Fok },
        4 => OrderSpec::PostOnly { price, quantity },
        _ if quantity.value().mantissa() % 2 == 0 => OrderSpec::Market { size: MarketSize::Base(quantity) },
        _ => OrderSpec::Market { size: MarketSize::Quote(price * quantity) },
    }
}

fn funded() -> (Engine, MarketId, Vec<AccountId>) {
    let mut engine = Engine::new();
    let market = engine.add_market(btcusdt());
    let rate = Decimal::new(RATE.0, RATE.1);
    let accounts: Vec<AccountId> = (0..ACCOUNTS).map(|_| engine.open_account(Fees { maker: rate, taker: rate })).collect();
    for account in &accounts {
        engine.deposit(*account, "BTC", Amount::new(Decimal::new(10, 0)).unwrap());
        engine.deposit(*account, "USDT", Amount::new(Decimal::new(100_000, 0)).unwrap());
    }
    (engine, market, accounts)
}

fn run(engine: &mut Engine, market: MarketId, accounts: &[AccountId], at: i64, command: &Command) -> Option<Order> {
    let now = Timestamp::from_ms(at);
    match *command {
        Command::Place { account, side, kind, price, quantity, name } => {
            let new = NewOrder { client_order_id: format!("n{name}"), side, spec: spec(kind, price, quantity) };
            engine.place(now, accounts[account], market, new).ok().map(|placed| placed.order)
        }
        Command::Cancel { account, order } => engine.cancel(now, accounts[account], market, VenueOrderId(order)).ok(),
    }
}

/// The obvious matcher: a list of open orders, searched from the beginning for every trade.
#[derive(Default)]
struct Slow {
    open: Vec<(u64, usize, Side, Decimal, Decimal)>,
    free: BTreeMap<(usize, &'static str), Decimal>,
    last_id: u64,
}

impl Slow {
    fn free(&mut self, account: usize, asset: &'static str) -> &mut Decimal {
        self.free.entry((account, asset)).or_default()
    }

    fn best(&self, taker: Side) -> Option<usize> {
        let better = |a: Decimal, b: Decimal| if taker == Side::Buy { a < b } else { a > b };
        let mut best: Option<usize> = None;
        for (index, order) in self.open.iter().enumerate().filter(|(_, order)| order.2 != taker) {
            if best.is_none_or(|best| better(order.3, self.open[best].3)) {
                best = Some(index);
            }
        }
        best
    }

    fn trade(&mut self, account: usize, side: Side, price: Decimal, quantity: Decimal) {
        let fee = |received: Decimal| (received * Decimal::new(RATE.0, RATE.1)).trunc_with_scale(8);
        let quote = price * quantity;
        match side {
            Side::Buy => *self.free(account, "BTC") += quantity - fee(quantity),
            Side::Sell => *self.free(account, "USDT") += quote - fee(quote),
        }
    }

    /// Follows an order that the engine accepted; returns what it filled.
    fn place(&mut self, account: usize, side: Side, spec: OrderSpec) -> (Decimal, Decimal) {
        self.last_id += 1;
        let step = Decimal::new(1, 5);
        let limit = spec.price().map(Price::value);
        let (mut filled, mut spent) = (Decimal::ZERO, Decimal::ZERO);
        let good = |price: Decimal| limit.is_none_or(|limit| if side == Side::Buy { price <= limit } else { price >= limit });
        if let OrderSpec::Limit { tif: TimeInForce::Fok, quantity, .. } = spec {
            let there: Decimal = self.open.iter().filter(|order| order.2 != side && good(order.3)).map(|order| order.4).sum();
            if there < quantity.value() {
                return (filled, spent);
            }
        }
        while let Some(best) = self.best(side) {
            let (id, maker, maker_side, price, there) = self.open[best];
            let wanted = match spec {
                OrderSpec::Market { size: MarketSize::Quote(budget) } => {
                    let affordable = (budget.value() - spent) / price;
                    affordable - affordable % step
                }
                _ => spec.quantity().unwrap().value() - filled,
            };
            let quantity = wanted.min(there);
            if quantity.is_zero() || !good(price) {
                break;
            }
            self.trade(account, side, price, quantity);
            self.trade(maker, maker_side, price, quantity);
            match side {
                Side::Buy => *self.free(account, "USDT") -= price * quantity,
                Side::Sell => *self.free(account, "BTC") -= quantity,
            }
            filled += quantity;
            spent += price * quantity;
            if quantity == there {
                self.open.remove(best);
            } else {
                self.open[best] = (id, maker, maker_side, price, there - quantity);
            }
        }
        let rests = matches!(spec, OrderSpec::PostOnly { .. } | OrderSpec::Limit { tif: TimeInForce::Gtc, .. });
        if let (true, Some(price), Some(quantity)) = (rests, limit, spec.quantity()) {
            let left = quantity.value() - filled;
            if !left.is_zero() {
                self.hold(account, side, price, left, -1);
                self.open.push((self.last_id, account, side, price, left));
            }
        }
        (filled, spent)
    }

    fn hold(&mut self, account: usize, side: Side, price: Decimal, quantity: Decimal, sign: i32) {
        match side {
            Side::Buy => *self.free(account, "USDT") += Decimal::from(sign) * price * quantity,
            Side::Sell => *self.free(account, "BTC") += Decimal::from(sign) * quantity,
        }
    }

    fn cancel(&mut self, id: u64) {
        let at = self.open.iter().position(|order| order.0 == id).unwrap();
        let (_, account, side, price, left) = self.open.remove(at);
        self.hold(account, side, price, left, 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn agrees_with_the_obvious_matcher(commands in prop::collection::vec(command(), 1..60)) {
        let (mut engine, market, accounts) = funded();
        let mut slow = Slow::default();
        for account in 0..ACCOUNTS {
            *slow.free(account, "BTC") = Decimal::new(10, 0);
            *slow.free(account, "USDT") = Decimal::new(100_000, 0);
        }
        for (at, command) in (0..).zip(&commands) {
            let Some(order) = run(&mut engine, market, &accounts, at, command) else { continue };
            match *command {
                Command::Place { account, side, kind, price, quantity, .. } => {
                    let (filled, spent) = slow.place(account, side, spec(kind, price, quantity));
                    prop_assert_eq!(order.id.0, slow.last_id);
                    prop_assert_eq!((order.filled.value(), order.filled_notional.value()), (filled, spent));
                }
                Command::Cancel { order, .. } => slow.cancel(order),
            }
            for (index, account) in accounts.iter().enumerate() {
                for asset in ["BTC", "USDT"] {
                    prop_assert_eq!(engine.holding(*account, asset).free.value(), *slow.free(index, asset), "{} of {}", asset, index);
                }
            }
        }
        let mut open: Vec<u64> = accounts.iter().flat_map(|account| engine.market(market).open_orders(*account)).map(|order| order.id.0).collect();
        open.sort_unstable();
        prop_assert_eq!(open, slow.open.iter().map(|order| order.0).collect::<Vec<_>>());
    }

    #[test]
    fn money_is_conserved_and_the_book_is_sound(commands in prop::collection::vec(command(), 1..80)) {
        let (mut engine, market, accounts) = funded();
        let mut told: Option<u64> = None;
        for (at, command) in (0..).zip(&commands) {
            run(&mut engine, market, &accounts, at, command);
            for (asset, deposited, held) in engine.audit() {
                prop_assert_eq!(deposited, held, "{} was made or lost", asset);
            }
            let [bid, ask] = [Side::Buy, Side::Sell].map(|side| engine.market(market).levels(side).next().map(|level| level.price));
            prop_assert!(bid.zip(ask).is_none_or(|(bid, ask)| bid < ask), "crossed: {:?} {:?}", bid, ask);
            for account in &accounts {
                for (side, asset) in [(Side::Buy, "USDT"), (Side::Sell, "BTC")] {
                    let open = engine.market(market).open_orders(*account).filter(|order| order.side == side);
                    let sum = open.fold(Amount::ZERO, |sum, order| sum + order.locked);
                    prop_assert_eq!(engine.holding(*account, asset).locked, sum);
                }
            }
            for side in [Side::Buy, Side::Sell] {
                let mut levels: BTreeMap<Price, Quantity> = BTreeMap::new();
                for order in accounts.iter().flat_map(|account| engine.market(market).open_orders(*account)).filter(|order| order.side == side) {
                    let level = levels.entry(order.spec.price().unwrap()).or_default();
                    *level = *level + order.remaining();
                }
                let book: BTreeMap<Price, Quantity> = engine.market(market).levels(side).map(|level| (level.price, level.quantity)).collect();
                prop_assert_eq!(book, levels);
            }
            if let Some(update) = engine.market_mut(market).take_update() {
                prop_assert_eq!(update.first, told.map_or(1, |told| told + 1), "depth updates have a gap");
                told = Some(update.last);
            }
        }
    }

    #[test]
    fn final_orders_hold_nothing_and_fills_add_up(commands in prop::collection::vec(command(), 1..60)) {
        let (mut engine, market, accounts) = funded();
        for (at, command) in (0..).zip(&commands) {
            run(&mut engine, market, &accounts, at, command);
        }
        for order in accounts.iter().flat_map(|account| engine.market(market).all_orders(*account, VenueOrderId(0))) {
            let filled = order.executions.iter().fold(Quantity::ZERO, |sum, execution| sum + execution.quantity);
            let notional = order.executions.iter().fold(Notional::ZERO, |sum, execution| sum + execution.price * execution.quantity);
            prop_assert_eq!((filled, notional), (order.filled, order.filled_notional));
            prop_assert!(!order.status.is_final() || order.locked.is_zero());
            prop_assert_eq!(order.status == OrderStatus::Filled, !order.filled.is_zero() && order.remaining().is_zero());
        }
    }
}

#[test]
fn orders_by_example() {
    let rows = [
        ("sell 1 @ 101", "buy 2 @ 101", "PartiallyFilled 1, rests"),
        ("sell 1 @ 101", "buy 1 @ 102", "Filled 1, gone"),
        ("sell 1 @ 101", "buy 2 @ 101 ioc", "Expired 1, gone"),
        ("sell 1 @ 101", "buy 2 @ 101 fok", "Expired 0, gone"),
        ("sell 1 @ 101", "buy 1 @ 101 fok", "Filled 1, gone"),
        ("sell 1 @ 101", "buy 1 @ 101 post", "refused: a post-only order would trade at once"),
        ("sell 1 @ 101", "buy 1 @ 100 post", "New 0, rests"),
        ("sell 1 @ 101", "buy 2 @ 0 market", "Expired 1, gone"),
        ("sell 1 @ 101", "buy 5000 @ 101", "refused: the account has too little"),
        ("buy 1 @ 99", "sell 11 @ 99", "refused: the account has too little"),
        ("buy 1 @ 99", "sell 1 @ 98", "Filled 1, gone"),
    ];
    for (first, second, expected) in rows {
        let (mut engine, market, accounts) = funded();
        engine.place(Timestamp::from_ms(0), accounts[0], market, parsed(first)).unwrap();
        let said = match engine.place(Timestamp::from_ms(1), accounts[1], market, parsed(second)) {
            Err(refusal) => format!("refused: {refusal}"),
            Ok(Placed { order, .. }) => {
                format!("{:?} {}, {}", order.status, order.filled, if order.status.is_final() { "gone" } else { "rests" })
            }
        };
        assert_eq!(said, expected, "{second} into {first}");
    }
}

fn parsed(words: &str) -> NewOrder {
    let words: Vec<&str> = words.split_whitespace().collect();
    let side = if words[0] == "buy" { Side::Buy } else { Side::Sell };
    let (quantity, price) = (words[1].parse().unwrap(), words[3].parse().unwrap());
    let spec = match words.get(4) {
        None => OrderSpec::Limit { price, quantity, tif: TimeInForce::Gtc },
        Some(&"ioc") => OrderSpec::Limit { price, quantity, tif: TimeInForce::Ioc },
        Some(&"fok") => OrderSpec::Limit { price, quantity, tif: TimeInForce::Fok },
        Some(&"post") => OrderSpec::PostOnly { price, quantity },
        Some(_) => OrderSpec::Market { size: MarketSize::Base(quantity) },
    };
    NewOrder { client_order_id: "example".into(), side, spec }
}

#[test]
fn older_orders_at_a_price_fill_first() {
    let (mut engine, market, accounts) = funded();
    let at = Timestamp::from_ms;
    for (time, (account, words)) in (0..).zip([(0, "sell 1 @ 101"), (1, "sell 1 @ 100"), (2, "sell 1 @ 100")]) {
        engine.place(at(time), accounts[account], market, parsed(words)).unwrap();
    }
    let taken = engine.place(at(9), accounts[0], market, NewOrder { client_order_id: "t".into(), ..parsed("buy 1.5 @ 101") }).unwrap();
    assert_eq!(taken.order.filled_notional.to_string(), "150");
    let status = |id| engine.market(market).order(VenueOrderId(id)).unwrap().status;
    assert_eq!((status(1), status(2), status(3)), (OrderStatus::New, OrderStatus::Filled, OrderStatus::PartiallyFilled));
    assert_eq!(taken.first_filled.len(), 3, "two makers and the taker filled for the first time");
}
