//! What is held and on its way, against a list of everything that is summed up anew each time. Invariant: the list is never shortened, and
//! nothing of it is reckoned ahead; no sum of the desk's is ever looser than the venue's truth, and it is the truth where all is told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

mod common;

use std::collections::BTreeMap;

use common::AT;
use common::steps::{ASSETS, Draft, MARKETS, STARTED, Step, UNITS, drafts, mark, number, steps, symbol, unit};
use proptest::prelude::*;
use rust_decimal::Decimal;
use strongroom_guard::{DeskRules, Filled, InstrumentPolicy, Pair, Policy, Quote, Reason, RiskState};
use strongroom_model::{Amount, MarketSize, Notional, OrderSpec, PlaceOrder, Price, Quantity, Side, Symbol, Timestamp};

/// One order with everything that ever became of it.
#[derive(Default)]
struct Known {
    market: usize,
    /// As it was sent, and as it was made smaller since.
    sizes: Vec<PlaceOrder>,
    /// Filled at the venue: quantity, quote amount and second of each trade.
    trades: Vec<(Decimal, Decimal, i64)>,
    /// Told of it: how many of its trades each report knew.
    reports: Vec<usize>,
    is_over: bool,
    /// The venue ended it, and the desk has not heard yet.
    is_over_untold: bool,
    /// So many of its trades were in what the venue told last as held.
    in_held: usize,
    /// It was on its way when the venue told last what is held.
    was_on_way: bool,
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

    fn is_all_told(&self) -> bool {
        self.reports.iter().copied().max().unwrap_or(0) == self.trades.len()
    }

    /// What of it could be known: by the report that knew most, or because it was in what the venue told last as held.
    fn filled(&self) -> (Decimal, Decimal) {
        self.sum(self.reports.iter().copied().max().unwrap_or(0).max(self.in_held))
    }

    /// What may still be bought or sold, in the unit that the order is in.
    fn left(&self) -> Decimal {
        let (quantity, notional) = self.filled();
        match self.order().spec {
            OrderSpec::Market { size: MarketSize::Quote(all) } => all.value() - notional,
            spec => spec.quantity().unwrap().value() - quantity,
        }
    }

    /// More of it can fill.
    fn is_live(&self) -> bool {
        self.is_open() && !self.is_over_untold
    }

    /// As far as the desk heard.
    fn is_open(&self) -> bool {
        !self.is_over && !self.is_nothing
    }
}

/// A desk's state beside the list of everything.
struct Both {
    state: RiskState,
    known: Vec<Known>,
    is_held_known: bool,
    /// Nothing that was on its way when the venue told what is held has filled, or was told as filled, since.
    is_exact: bool,
    /// Seconds, by the venue's clock.
    clock: i64,
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
        let mut both = Self { state: fresh(), known: Vec::new(), is_held_known: false, is_exact: true, clock: 0 };
        both.tell_held();
        both
    }

    fn at(&self) -> Timestamp {
        AT.plus_ms(self.clock * 1_000)
    }

    fn tell_held(&mut self) {
        let truth = |asset| Amount::new(self.held(asset, |one| one.sum(one.trades.len()))).unwrap();
        let held: BTreeMap<String, Amount> = ASSETS.map(|asset| (asset.to_owned(), truth(asset))).into();
        self.state.held(held, self.at(), self.at());
        self.is_held_known = true;
        self.is_exact = self.known.iter().all(|one| one.is_nothing || one.is_all_told());
        for one in &mut self.known {
            (one.in_held, one.was_on_way) = (one.trades.len(), one.is_open());
        }
    }

    /// Tells of an order what that report knew, when it was of that size.
    fn tell(&mut self, which: usize, trades: usize, size: usize) {
        let one = &self.known[which];
        let (quantity, notional) = one.sum(trades);
        let filled = (Quantity::new(quantity).unwrap(), Notional::new(notional).unwrap());
        // Of the moment in which the last of its trades was, or of its end.
        let as_of = AT.plus_ms(1_000 * if one.is_over { self.clock } else { one.trades[..trades].last().map_or(0, |trade| trade.2) });
        self.state.stands(&one.sizes[size], filled, &[], one.is_over, (AT, Some(as_of)));
    }

    /// A new report: of all that there is.
    fn tell_all(&mut self, which: usize) {
        let (trades, size) = (self.known[which].trades.len(), self.known[which].sizes.len() - 1);
        self.known[which].reports.push(trades);
        self.known[which].is_over |= std::mem::take(&mut self.known[which].is_over_untold);
        self.tell(which, trades, size);
    }

    fn catch_up(&mut self) {
        for which in 0..self.known.len() {
            if self.known[which].is_open() {
                self.tell_all(which);
            }
        }
    }

    fn step(&mut self, step: Step) {
        self.clock += 2;
        let is_live = |both: &Self, which: usize| both.known.get(which).is_some_and(Known::is_live);
        match step {
            Step::Send(draft) => {
                let order = draft.order(&format!("o{}", self.known.len()));
                self.state.sent(&order, 0);
                let (market, sizes) = (draft.market, vec![order]);
                self.known.push(Known { market, sizes, trades: Vec::new(), reports: Vec::new(), ..Known::default() });
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
                one.trades.push((trade.0, trade.1, self.clock));
                self.is_exact &= !one.was_on_way;
                if is_told {
                    self.tell_all(which);
                }
            }
            Step::Again { which, report } if self.known.get(which).is_some_and(|one| !one.is_nothing && !one.reports.is_empty()) => {
                let one = &self.known[which];
                let trades = one.reports[report % one.reports.len()];
                self.tell(which, trades, report % self.known[which].sizes.len());
            }
            Step::Catch { which } if self.known.get(which).is_some_and(Known::is_open) => self.tell_all(which),
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
            Step::Cancel { which, is_told } if is_live(self, which) => {
                self.state.cancelled(0);
                self.known[which].is_over_untold = true;
                if is_told {
                    self.tell_all(which);
                }
            }
            Step::Reject(which) if is_live(self, which) && self.known[which].trades.is_empty() => {
                self.known[which].is_over_untold = true;
                self.tell_all(which);
            }
            Step::Told => self.tell_held(),
            Step::Settle => {
                self.catch_up();
                self.tell_held();
            }
            Step::Forget => {
                self.state.forget_held();
                self.is_held_known = false;
            }
            Step::Restart { is_held_first } => {
                self.state = fresh();
                self.is_held_known = false;
                if is_held_first {
                    self.tell_held();
                }
                for one in self.known.iter().filter(|one| one.is_open()) {
                    let (quantity, notional) = one.told();
                    self.state.found(one.order(), Filled { quantity, notional });
                }
                if !is_held_first {
                    self.tell_held();
                }
            }
            _ => {}
        }
    }

    /// At the beginning, and what was filled of every order since, as `filled` has it.
    fn held(&self, asset: &str, filled: impl Fn(&Known) -> (Decimal, Decimal)) -> Decimal {
        let mut held = Decimal::from(STARTED);
        for one in &self.known {
            let (_, base, quote, ..) = MARKETS[one.market];
            let (quantity, notional) = filled(one);
            let sign = if one.order().side == Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
            held += sign * if asset == base { quantity } else { Decimal::ZERO };
            held -= sign * if asset == quote { notional } else { Decimal::ZERO };
        }
        held
    }

    /// Held, and brought by all that is open and by one more, in whatever market.
    fn position(&self, market: usize, more: Option<&Draft>) -> Decimal {
        let base = MARKETS[market].1;
        // What an order brings of that asset, of which so much (or of one for an amount, so much of that) is left.
        let brings = |order: &PlaceOrder, of: usize, left: Decimal, bought: Decimal| match (order.side, order.spec) {
            (Side::Buy, OrderSpec::Market { size: MarketSize::Quote(all) }) if MARKETS[of].1 == base => {
                (all.value() / mark(of) - bought).max(Decimal::ZERO)
            }
            (Side::Buy, _) if MARKETS[of].1 == base => left,
            (Side::Sell, OrderSpec::Market { size: MarketSize::Quote(_) }) if MARKETS[of].2 == base => left,
            (Side::Sell, spec) if MARKETS[of].2 == base => left * spec.price().map_or(mark(of), |price| price.value().max(mark(of))),
            _ => Decimal::ZERO,
        };
        let open = self.known.iter().filter(|one| one.is_open());
        let open: Decimal = open.map(|one| brings(one.order(), one.market, one.left(), one.filled().0)).sum();
        let more = more.map_or(Decimal::ZERO, |draft| {
            let order = draft.order("more");
            let all = order.spec.quantity().map_or_else(|| order.spec.notional().unwrap().value(), Quantity::value);
            brings(&order, draft.market, all, Decimal::ZERO)
        });
        self.held(base, Known::filled) + open + more
    }

    /// Worth of what is held of all that is traded, each where it is worth most, and of all that is bought.
    fn worth(&self, more: Option<&Draft>) -> Decimal {
        let mut worth = Decimal::ZERO;
        for base in ASSETS {
            let each = (0..MARKETS.len()).filter(|at| MARKETS[*at].1 == base).map(|at| mark(at) * unit(at)).max();
            worth += self.held(base, Known::filled) * each.unwrap_or_default();
        }
        let value = |order: &PlaceOrder, market: usize, left: Decimal| match order.spec {
            OrderSpec::Market { size: MarketSize::Quote(_) } => left,
            spec => left * spec.price().map_or_else(|| mark(market), Price::value),
        };
        for one in self.known.iter().filter(|one| one.is_open() && one.order().side == Side::Buy) {
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
        let mut left = self.held(base, Known::filled);
        for one in self.known.iter().filter(|one| one.is_open() && one.order().side == Side::Sell && MARKETS[one.market].1 == base) {
            left -= match one.order().spec {
                OrderSpec::Market { size: MarketSize::Quote(_) } => self.held(base, Known::filled),
                _ => one.left(),
            };
        }
        // What is paid with it.
        for one in self.known.iter().filter(|one| one.is_open() && one.order().side == Side::Buy && MARKETS[one.market].2 == base) {
            left -= match one.order().spec {
                OrderSpec::Market { size: MarketSize::Quote(_) } => one.left(),
                spec => spec.price().map_or(Decimal::ZERO, |price| one.left() * price.value()),
            };
        }
        left
    }

    /// Every sum as the list has it.
    fn agree(&self) -> Result<(), TestCaseError> {
        let exposure = &self.state.exposure;
        let live = self.known.iter().filter(|one| one.is_open()).count();
        prop_assert_eq!(exposure.open().count(), live, "open orders");
        // Exact, or stricter; nothing where it is not known.
        let fits = |told: Option<Decimal>, sum: Decimal, stricter: fn(&Decimal, &Decimal) -> bool| match told {
            None => !self.is_held_known,
            Some(told) => self.is_held_known && (told == sum || (!self.is_exact && stricter(&told, &sum))),
        };
        for (market, (name, ..)) in MARKETS.into_iter().enumerate() {
            let position = exposure.position(&symbol(market), None, |of| (0..MARKETS.len()).find(|at| symbol(*at) == *of).map(mark));
            let sum = self.position(market, None);
            prop_assert!(fits(position, sum, Decimal::gt), "position of {}: {:?}, and {}", name, position, sum);
            // Less than nothing is nothing: each that sells for an amount may take all.
            let none = |left: Decimal| left.max(Decimal::ZERO);
            let (left, sum) = (exposure.left_to_sell(&symbol(market)).map(none), none(self.left_to_sell(market)));
            prop_assert!(fits(left, sum, Decimal::lt), "left of {}: {:?}, and {}", name, left, sum);
        }
        let listed: Vec<Symbol> = (0..MARKETS.len()).map(symbol).collect();
        let price = |of: &Symbol| (0..MARKETS.len()).find(|at| symbol(*at) == *of).map(mark).unwrap();
        let unit = |quote: &String| UNITS.iter().find(|(name, _)| name == quote).map(|(_, unit)| number(unit));
        let (worth, sum) = (exposure.worth(listed.iter(), None, price, unit), self.worth(None));
        prop_assert!(fits(worth, sum, Decimal::gt), "worth of all: {:?}, and {}", worth, sum);
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
        if both.is_held_known {
            both.step(Step::Settle);
        }
        both.one_more(&Draft { buy: true, ..draft })?;
    }
}
