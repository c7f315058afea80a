//! What is held and on its way, against a list of everything that is summed up anew each time. Invariant: the list is never shortened, and
//! nothing of it is reckoned ahead.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

mod common;

use std::collections::BTreeMap;

use common::AT;
use proptest::prelude::*;
use rust_decimal::Decimal;
use strongroom_guard::{DeskRules, Filled, InstrumentPolicy, Pair, Policy, Quote, Reason, RiskState};
use strongroom_model::{Amount, ClientOrderId, MarketSize, Notional, OrderSpec, PlaceOrder, Price, Quantity, Side, Symbol, TimeInForce};

/// Instruments with base, quote, price of now, and one lot. Prices divide without a rest.
const MARKETS: [(&str, &str, &str, &str, &str); 5] = [
    ("BTCUSDT", "BTC", "USDT", "8000", "0.001"),
    ("ETHUSDT", "ETH", "USDT", "500", "0.01"),
    ("ETHBTC", "ETH", "BTC", "0.0625", "0.01"),
    ("BTCEUR", "BTC", "EUR", "10000", "0.001"),
    ("SOLEUR", "SOL", "EUR", "125", "0.1"),
];
const ASSETS: [&str; 5] = ["BTC", "ETH", "SOL", "USDT", "EUR"];
/// The most that a unit of each quote asset is worth in the currency, as the limits say it.
const UNITS: [(&str, &str); 3] = [("USDT", "1"), ("BTC", "9000"), ("EUR", "1.25")];
/// Held at the beginning of each: enough for every sale.
const STARTED: u32 = 100_000;

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn symbol(market: usize) -> Symbol {
    Symbol::parse(MARKETS[market].0).unwrap()
}

fn mark(market: usize) -> Decimal {
    number(MARKETS[market].3)
}

/// Of what that instrument is paid with.
fn unit(market: usize) -> Decimal {
    number(UNITS.iter().find(|(quote, _)| *quote == MARKETS[market].2).unwrap().1)
}

#[derive(Clone, Debug)]
struct Draft {
    market: usize,
    buy: bool,
    kind: u8,
    lots: u32,
    percent: u32,
}

fn drafts() -> impl Strategy<Value = Draft> {
    (0..MARKETS.len(), any::<bool>(), 0_u8..5, 1_u32..500, 50_u32..151).prop_map(|(market, buy, kind, lots, percent)| Draft {
        market,
        buy,
        kind,
        lots,
        percent,
    })
}

impl Draft {
    fn order(&self, id: &str) -> PlaceOrder {
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
enum Step {
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
    /// The venue took it back for us; what was filled of it is told.
    Cancel(usize),
    /// The venue refused it.
    Reject(usize),
    /// The venue told what is held, when it had told everything else.
    Told,
    /// Another account may be in use.
    Forget,
    /// A new desk: the venue tells what is held, and which orders are open.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = || 0_usize..12;
    let step = prop_oneof![
        5 => drafts().prop_map(Step::Send),
        1 => which().prop_map(Step::NeverSent),
        6 => (which(), 1_u32..101, 80_u32..121, any::<bool>())
            .prop_map(|(which, percent, at, is_told)| Step::Fill { which, percent, at, is_told }),
        3 => (which(), 0_usize..9).prop_map(|(which, report)| Step::Again { which, report }),
        2 => which().prop_map(|which| Step::Catch { which }),
        2 => (which(), 1_u32..100).prop_map(|(which, percent)| Step::Amend { which, percent }),
        2 => which().prop_map(Step::Cancel),
        1 => which().prop_map(Step::Reject),
        1 => Just(Step::Told),
        1 => Just(Step::Forget),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..60)
}

/// One order with everything that ever became of it.
struct Known {
    market: usize,
    /// As it was sent, and as it was made smaller since.
    sizes: Vec<PlaceOrder>,
    /// Filled at the venue: quantity and quote amount of each trade.
    trades: Vec<(Decimal, Decimal)>,
    /// Told of it: how many of its trades each report knew.
    reports: Vec<usize>,
    is_over: bool,
    /// It counts neither as sent nor as over.
    is_nothing: bool,
}

impl Known {
    fn order(&self) -> &PlaceOrder {
        self.sizes.last().unwrap()
    }

    /// The sum of its first trades.
    fn sum(&self, trades: usize) -> (Decimal, Decimal) {
        self.trades[..trades].iter().fold((Decimal::ZERO, Decimal::ZERO), |sum, trade| (sum.0 + trade.0, sum.1 + trade.1))
    }

    /// What is known to be filled: by the report that knew most.
    fn told(&self) -> (Decimal, Decimal) {
        self.sum(self.reports.iter().copied().max().unwrap_or(0))
    }

    /// What may still be bought or sold, in the unit that the order is in.
    fn left(&self) -> Decimal {
        let (quantity, notional) = self.told();
        match self.order().spec {
            OrderSpec::Market { size: MarketSize::Quote(all) } => all.value() - notional,
            spec => spec.quantity().unwrap().value() - quantity,
        }
    }

    fn is_live(&self) -> bool {
        !self.is_over && !self.is_nothing
    }
}

/// A desk's state beside the list of everything.
struct Both {
    state: RiskState,
    known: Vec<Known>,
    is_held_known: bool,
}

fn fresh() -> RiskState {
    let mut state = RiskState::default();
    state.pairs((0..MARKETS.len()).map(|at| {
        let (_, base, quote, ..) = MARKETS[at];
        (symbol(at), Pair { base: base.to_owned(), quote: quote.to_owned() })
    }));
    state.marks((0..MARKETS.len()).map(|at| (symbol(at), Price::new(mark(at)).unwrap())).collect(), 0);
    state
}

impl Both {
    fn new() -> Self {
        let mut both = Self { state: fresh(), known: Vec::new(), is_held_known: false };
        both.tell_held();
        both
    }

    fn tell_held(&mut self) {
        let held: BTreeMap<String, Amount> = ASSETS.map(|asset| (asset.to_owned(), Amount::new(self.held(asset)).unwrap())).into();
        self.state.held(held);
        self.is_held_known = true;
    }

    /// Tells of an order what that report knew, when it was of that size.
    fn tell(&mut self, which: usize, trades: usize, size: usize) {
        let one = &self.known[which];
        let (quantity, notional) = one.sum(trades);
        let filled = (Quantity::new(quantity).unwrap(), Notional::new(notional).unwrap());
        self.state.stands(&one.sizes[size], filled, &[], one.is_over, AT);
    }

    /// A new report: of all that there is.
    fn tell_all(&mut self, which: usize) {
        let (trades, size) = (self.known[which].trades.len(), self.known[which].sizes.len() - 1);
        self.known[which].reports.push(trades);
        self.tell(which, trades, size);
    }

    fn catch_up(&mut self) {
        for which in 0..self.known.len() {
            if self.known[which].is_live() {
                self.tell_all(which);
            }
        }
    }

    fn step(&mut self, step: Step) {
        let is_live = |both: &Self, which: usize| both.known.get(which).is_some_and(Known::is_live);
        match step {
            Step::Send(draft) => {
                let order = draft.order(&format!("o{}", self.known.len()));
                self.state.sent(&order, 0);
                let (market, sizes) = (draft.market, vec![order]);
                self.known.push(Known { market, sizes, trades: Vec::new(), reports: Vec::new(), is_over: false, is_nothing: false });
            }
            Step::NeverSent(which) if is_live(self, which) && self.known[which].trades.is_empty() => {
                self.known[which].is_nothing = true;
                self.state.never_sent(self.known[which].order());
            }
            Step::Fill { which, percent, at, is_told } if is_live(self, which) => {
                let one = &mut self.known[which];
                let price = mark(one.market) * Decimal::from(at) / Decimal::ONE_HUNDRED;
                let (quantity, notional) = one.sum(one.trades.len());
                let part = Decimal::from(percent) / Decimal::ONE_HUNDRED;
                let trade = match one.order().spec {
                    // Bought for an amount: in whole lots, as a venue does it.
                    OrderSpec::Market { size: MarketSize::Quote(all) } => {
                        let lot = number(MARKETS[one.market].4);
                        let quantity = ((all.value() - notional) * part / price / lot).floor() * lot;
                        (quantity, quantity * price)
                    }
                    spec => {
                        let quantity = (spec.quantity().unwrap().value() - quantity) * part;
                        (quantity, quantity * price)
                    }
                };
                one.trades.push(trade);
                if is_told {
                    self.tell_all(which);
                }
            }
            Step::Again { which, report } if self.known.get(which).is_some_and(|one| !one.is_nothing && !one.reports.is_empty()) => {
                let one = &self.known[which];
                let trades = one.reports[report % one.reports.len()];
                self.tell(which, trades, report % self.known[which].sizes.len());
            }
            Step::Catch { which } if is_live(self, which) => self.tell_all(which),
            Step::Amend { which, percent } if is_live(self, which) => {
                let one = &mut self.known[which];
                let (filled, _) = one.sum(one.trades.len());
                let mut smaller = one.order().clone();
                let all = smaller.spec.quantity().unwrap_or_default().value();
                let quantity = filled + (all - filled) * Decimal::from(percent) / Decimal::ONE_HUNDRED;
                // Orders without a price, and what is filled to its end, are not made smaller.
                if smaller.spec.shrink(Quantity::new(quantity).unwrap()) {
                    one.sizes.push(smaller);
                    self.tell_all(which);
                }
            }
            Step::Cancel(which) if is_live(self, which) => {
                self.state.cancelled(0);
                self.known[which].is_over = true;
                self.tell_all(which);
            }
            Step::Reject(which) if is_live(self, which) && self.known[which].trades.is_empty() => {
                self.known[which].is_over = true;
                self.tell_all(which);
            }
            Step::Told => {
                self.catch_up();
                self.tell_held();
            }
            Step::Forget => {
                self.state.forget_held();
                self.is_held_known = false;
            }
            Step::Restart => {
                self.catch_up();
                self.state = fresh();
                self.tell_held();
                for one in self.known.iter().filter(|one| one.is_live()) {
                    let (quantity, notional) = one.told();
                    self.state.found(one.order(), Filled { quantity, notional });
                }
            }
            _ => {}
        }
    }

    /// At the beginning, and every trade that was told since.
    fn held(&self, asset: &str) -> Decimal {
        let mut held = Decimal::from(STARTED);
        for one in &self.known {
            let (_, base, quote, ..) = MARKETS[one.market];
            let (quantity, notional) = one.told();
            let sign = if one.order().side == Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
            held += sign * if asset == base { quantity } else { Decimal::ZERO };
            held -= sign * if asset == quote { notional } else { Decimal::ZERO };
        }
        held
    }

    /// Held, and bought by all that is open and by one more.
    fn position(&self, market: usize, more: Option<&Draft>) -> Decimal {
        let mut position = self.held(MARKETS[market].1);
        for one in self.known.iter().filter(|one| one.is_live() && one.market == market && one.order().side == Side::Buy) {
            position += match one.order().spec {
                OrderSpec::Market { size: MarketSize::Quote(all) } => (all.value() / mark(market) - one.told().0).max(Decimal::ZERO),
                _ => one.left(),
            };
        }
        match more.map(|draft| draft.order("more").spec) {
            Some(OrderSpec::Market { size: MarketSize::Quote(all) }) => position + all.value() / mark(market),
            Some(spec) => position + spec.quantity().unwrap().value(),
            None => position,
        }
    }

    /// Worth of what is held of all that is traded, each where it is worth most, and of all that is bought.
    fn worth(&self, more: Option<&Draft>) -> Decimal {
        let mut worth = Decimal::ZERO;
        for base in ASSETS {
            let each = (0..MARKETS.len()).filter(|at| MARKETS[*at].1 == base).map(|at| mark(at) * unit(at)).max();
            worth += self.held(base) * each.unwrap_or_default();
        }
        let value = |order: &PlaceOrder, market: usize, left: Decimal| match order.spec {
            OrderSpec::Market { size: MarketSize::Quote(_) } => left,
            spec => left * spec.price().map_or_else(|| mark(market), Price::value),
        };
        for one in self.known.iter().filter(|one| one.is_live() && one.order().side == Side::Buy) {
            worth += value(one.order(), one.market, one.left()) * unit(one.market);
        }
        if let Some(draft) = more {
            let order = draft.order("more");
            let all = order.spec.quantity().map_or_else(|| order.spec.notional().unwrap().value(), Quantity::value);
            worth += value(&order, draft.market, all) * unit(draft.market);
        }
        worth
    }

    /// Held, less what open orders sell: one that sells for an amount may take all of it.
    fn left_to_sell(&self, market: usize) -> Decimal {
        let base = MARKETS[market].1;
        let mut left = self.held(base);
        for one in self.known.iter().filter(|one| one.is_live() && one.order().side == Side::Sell && MARKETS[one.market].1 == base) {
            left -= match one.order().spec {
                OrderSpec::Market { size: MarketSize::Quote(_) } => self.held(base),
                _ => one.left(),
            };
        }
        left
    }

    /// Every sum as the list has it.
    fn agree(&self) -> Result<(), TestCaseError> {
        let exposure = &self.state.exposure;
        let live = self.known.iter().filter(|one| one.is_live()).count();
        prop_assert_eq!(exposure.open().count(), live, "open orders");
        let when_known = |value: Decimal| self.is_held_known.then_some(value);
        for (market, (name, ..)) in MARKETS.into_iter().enumerate() {
            let position = exposure.position(&symbol(market), None, Price::new(mark(market)).unwrap());
            prop_assert_eq!(position, when_known(self.position(market, None)), "position of {}", name);
            prop_assert_eq!(exposure.left_to_sell(&symbol(market)), when_known(self.left_to_sell(market)), "left of {}", name);
        }
        let listed: Vec<Symbol> = (0..MARKETS.len()).map(symbol).collect();
        let price = |of: &Symbol| (0..MARKETS.len()).find(|at| symbol(*at) == *of).map(mark).unwrap();
        let unit = |quote: &String| UNITS.iter().find(|(name, _)| name == quote).map(|(_, unit)| number(unit));
        prop_assert_eq!(exposure.worth(listed.iter(), None, price, unit), when_known(self.worth(None)), "worth of all");
        Ok(())
    }

    /// With a limit at what the list says, one more order passes; with a limit that is a little lower it does not.
    fn one_more(&mut self, draft: &Draft) -> Result<(), TestCaseError> {
        let quote = Quote { mark: Price::new(mark(draft.market)), average: Price::new(mark(draft.market)), open_max: 0 };
        let order = draft.order("more");
        let little = Decimal::new(1, 8);
        for (rule, sum) in [("position", self.position(draft.market, Some(draft))), ("exposure", self.worth(Some(draft)))] {
            for (max, is_refused) in [(sum, false), (sum - little, true)] {
                let mut policy = unlimited();
                match rule {
                    "position" => policy.instruments[draft.market].position_max = Quantity::new(max),
                    _ => policy.desk.exposure_max = Notional::new(max),
                }
                let refused = self.state.judge(&policy, &order, quote, 0).refused;
                let expected: &[&str] = match (self.is_held_known, is_refused) {
                    (false, _) => &["exposure-unknown"],
                    (true, true) => &[rule],
                    (true, false) => &[],
                };
                prop_assert_eq!(refused.iter().map(Reason::rule).collect::<Vec<_>>(), expected, "{:?} of {}", order, max);
            }
        }
        Ok(())
    }
}

/// All instruments, and no rule of the desk but those that are set.
fn unlimited() -> Policy {
    let listed = |market| InstrumentPolicy {
        symbol: symbol(market),
        quantity_max: Quantity::new(Decimal::from(1_000_000)).unwrap(),
        price_low: Price::new(mark(market) / Decimal::TEN).unwrap(),
        price_high: Price::new(mark(market) * Decimal::TEN).unwrap(),
        position_max: None,
        quote_worth: Price::new(unit(market)),
        counted: None,
    };
    Policy {
        instruments: (0..MARKETS.len()).map(listed).collect(),
        order_notional_max: Notional::new(Decimal::from(1_000_000_000)).unwrap(),
        price_collar_bps: 10_000,
        desk: DeskRules { slippage_bps: None, open_orders_max: None, self_trade: true, ..DeskRules::default() },
        ..Policy::initial()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_sum_is_that_of_a_list_of_everything(steps in steps(), draft in drafts()) {
        let mut both = Both::new();
        for step in steps {
            let told = format!("{step:?}");
            both.step(step);
            both.agree().map_err(|broken| TestCaseError::fail(format!("after {told}: {broken}")))?;
        }
        both.one_more(&Draft { buy: true, ..draft })?;
    }
}
