//! What the tests of the gate speak of.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its own part")]

pub(crate) mod steps;
pub(crate) mod tighter;
pub(crate) mod worlds;

use strongroom_guard::{DeskRules, Pair, Policy, Quote, RiskState};
use strongroom_model::{ClientOrderId, MarketSize, Notional, OrderSpec, PlaceOrder, Price, Quantity, Side, Symbol, TimeInForce, Timestamp};

pub(crate) const AT: Timestamp = Timestamp::from_ms(1_800_000_000_000);

pub(crate) fn btc() -> Symbol {
    Symbol::parse("BTCUSDT").unwrap()
}

pub(crate) fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

pub(crate) fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

pub(crate) fn notional(text: &str) -> Notional {
    Notional::parse(text).unwrap()
}

pub(crate) fn place(id: &str, side: Side, spec: OrderSpec) -> PlaceOrder {
    PlaceOrder { client_order_id: ClientOrderId::parse(id).unwrap(), symbol: btc(), side, spec, reduce_only: false }
}

pub(crate) fn limit(at: &str, size: &str) -> OrderSpec {
    OrderSpec::Limit { price: price(at), quantity: quantity(size), tif: TimeInForce::Gtc }
}

pub(crate) fn market(size: &str) -> OrderSpec {
    OrderSpec::Market { size: MarketSize::Base(quantity(size)) }
}

pub(crate) fn policy(change: impl FnOnce(&mut DeskRules)) -> Policy {
    let mut policy = Policy::initial();
    change(&mut policy.desk);
    policy
}

/// At 100 a piece.
pub(crate) fn quote() -> Quote {
    Quote { mark: Some(price("10000")), average: Some(price("10000")), open_max: 0 }
}

pub(crate) fn state() -> RiskState {
    let mut state = RiskState::default();
    state.pairs([(btc(), Pair { base: "BTC".to_owned(), quote: "USDT".to_owned() })]);
    state
}
