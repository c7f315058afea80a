//! What can happen to orders in several instruments, at the venue or on the way from it.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its own part")]

use proptest::prelude::*;
use rust_decimal::Decimal;
use strongroom_model::{ClientOrderId, MarketSize, OrderSpec, PlaceOrder, Price, Quantity, Side, Symbol, TimeInForce};

/// Instruments with base, quote, price of now, and one lot. Prices divide without a rest.
pub(crate) const MARKETS: [(&str, &str, &str, &str, &str); 5] = [
    ("BTCUSDT", "BTC", "USDT", "8000", "0.001"),
    ("ETHUSDT", "ETH", "USDT", "500", "0.01"),
    ("ETHBTC", "ETH", "BTC", "0.0625", "0.01"),
    ("BTCEUR", "BTC", "EUR", "10000", "0.001"),
    ("SOLEUR", "SOL", "EUR", "125", "0.1"),
];
pub(crate) const ASSETS: [&str; 5] = ["BTC", "ETH", "SOL", "USDT", "EUR"];
/// The most that a unit of each quote asset is worth in the currency, as the limits say it.
pub(crate) const UNITS: [(&str, &str); 3] = [("USDT", "1"), ("BTC", "9000"), ("EUR", "1.25")];
/// Held at the beginning of each: enough for every sale.
pub(crate) const STARTED: u32 = 100_000;

pub(crate) fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn symbol(market: usize) -> Symbol {
    Symbol::parse(MARKETS[market].0).unwrap()
}

pub(crate) fn mark(market: usize) -> Decimal {
    number(MARKETS[market].3)
}

/// Of what that instrument is paid with.
pub(crate) fn unit(market: usize) -> Decimal {
    number(UNITS.iter().find(|(quote, _)| *quote == MARKETS[market].2).unwrap().1)
}

#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) market: usize,
    pub(crate) buy: bool,
    pub(crate) kind: u8,
    pub(crate) lots: u32,
    pub(crate) percent: u32,
}

pub(crate) fn drafts() -> impl Strategy<Value = Draft> {
    (0..MARKETS.len(), any::<bool>(), 0_u8..5, 1_u32..500, 50_u32..151).prop_map(|(market, buy, kind, lots, percent)| Draft {
        market,
        buy,
        kind,
        lots,
        percent,
    })
}

impl Draft {
    pub(crate) fn order(&self, id: &str) -> PlaceOrder {
        let price = Price::new(mark(self.market) * Decimal::from(self.percent) / Decimal::ONE_HUNDRED).unwrap();
        let quantity = Quantity::new(number(MARKETS[self.market].4) * Decimal::from(self.lots)).unwrap();
        let spec = match self.kind {
            0 => OrderSpec::Market { size: MarketSize::Base(quantity) },
            1 => OrderSpec::Market { size: MarketSize::Quote(price * quantity) },
            2 => OrderSpec::PostOnly { price, quantity },
            _ => OrderSpec::Limit { price, quantity, tif: TimeInForce::Gtc },
        };
        let side = if self.buy { Side::Buy } else { Side::Sell };
        PlaceOrder { client_order_id: ClientOrderId::parse(id).unwrap(), symbol: symbol(self.market), side, spec, reduce_only: false }
    }
}

/// What happens, at the venue or on the way from it.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send(Draft),
    /// It did not leave after all.
    NeverSent(usize),
    /// A part of what is left is filled, at so many percent of the price; it is told at once, or not yet.
    Fill {
        which: usize,
        percent: u32,
        at: u32,
        is_told: bool,
    },
    /// A report of before comes once more, or late.
    Again {
        which: usize,
        report: usize,
    },
    /// What was not told yet is told.
    Catch {
        which: usize,
    },
    /// Made smaller: so much of what is left goes.
    Amend {
        which: usize,
        percent: u32,
    },
    /// The venue took it back for us; what was filled of it is told, at once or later.
    Cancel {
        which: usize,
        is_told: bool,
    },
    /// The venue refused it.
    Reject(usize),
    /// The venue told what is held, whatever else it did not tell yet.
    Told,
    /// It told everything, and then what is held.
    Settle,
    /// Another account may be in use.
    Forget,
    /// A new desk: it knows what was recorded. The venue tells what is held before or after the rest.
    Restart {
        is_held_first: bool,
    },
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = || 0_usize..12;
    let step = prop_oneof![
        5 => drafts().prop_map(Step::Send),
        1 => which().prop_map(Step::NeverSent),
        6 => (which(), 1_u32..101, 80_u32..121, any::<bool>())
            .prop_map(|(which, percent, at, is_told)| Step::Fill { which, percent, at, is_told }),
        3 => (which(), 0_usize..9).prop_map(|(which, report)| Step::Again { which, report }),
        2 => which().prop_map(|which| Step::Catch { which }),
        2 => (which(), 1_u32..100).prop_map(|(which, percent)| Step::Amend { which, percent }),
        2 => (which(), any::<bool>()).prop_map(|(which, is_told)| Step::Cancel { which, is_told }),
        1 => which().prop_map(Step::Reject),
        2 => Just(Step::Told),
        2 => Just(Step::Settle),
        1 => Just(Step::Forget),
        1 => any::<bool>().prop_map(|is_held_first| Step::Restart { is_held_first }),
    ];
    proptest::collection::vec(step, 1..60)
}
