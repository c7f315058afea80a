//! Moments in which an order is asked for: what is open, filled, held, signed and said before, over several instruments. Invariant: a world
//! does not depend on the limits that are asked of it, so two answers differ by limits alone.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its own part")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::Decimal;
use strongroom_guard::{
    Actor, DeskRules, ExposureLimit, ExposureScope, Freeze, InstrumentPolicy, Judgement, OrderRate, Pair, Policy, Quote, RiskState, Role,
    RuleMode, Session, SessionEnd, SignerFacts, Threshold, Turnover, Turnovers, Verdict, signer_gate,
};
use strongroom_model::{
    Amount, Asset, ClientOrderId, DayWindow, Intent, KeyOperation, KeyScope, MarketSize, Notional, OrderKind, OrderSpec, OwnerTag,
    PlaceOrder, Price, Quantity, Side, Symbol, TimeInForce, Venue,
};

use super::tighter::{Turn, desk_rules};
use super::{AT, notional};

/// Instruments with base, quote, a usual price, and how much of one is a small order.
const MARKETS: [(&str, &str, &str, &str, &str); 3] =
    [("BTCUSDT", "BTC", "USDT", "10000", "0.01"), ("ETHUSDT", "ETH", "USDT", "500", "0.2"), ("ETHBTC", "ETH", "BTC", "0.05", "0.2")];
const NOW_MS: u64 = 600_000;
const ACCOUNT: &str = "desk 2";

pub(crate) fn symbols() -> Vec<Symbol> {
    MARKETS.iter().map(|market| Symbol::parse(market.0).unwrap()).collect()
}

pub(crate) fn pairs() -> Vec<(Symbol, Pair)> {
    symbols()
        .into_iter()
        .zip(MARKETS)
        .map(|(symbol, market)| (symbol, Pair { base: market.1.to_owned(), quote: market.2.to_owned() }))
        .collect()
}

/// A part of the usual price.
fn price(market: usize, percent: u32) -> Price {
    let usual: Decimal = MARKETS[market].3.parse().unwrap();
    Price::new(usual * Decimal::from(percent) / Decimal::ONE_HUNDRED).unwrap()
}

/// So many small orders in one.
fn size(market: usize, small: u32) -> Quantity {
    let one: Decimal = MARKETS[market].4.parse().unwrap();
    Quantity::new(one * Decimal::from(small)).unwrap()
}

fn markets() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(0_usize), 2 => Just(1), 1 => Just(2)]
}

/// Orders of every kind.
pub(crate) fn orders() -> impl Strategy<Value = PlaceOrder> {
    (markets(), any::<bool>(), 0_u8..6, 80_u32..121, 1_u32..300, 0_u8..4, proptest::bool::weighted(0.2)).prop_map(
        |(market, buy, kind, percent, small, owner, reduce_only)| {
            let (price, quantity) = (price(market, percent), size(market, small));
            let spec = match kind {
                0 => OrderSpec::Market { size: MarketSize::Base(quantity) },
                1 => OrderSpec::Market { size: MarketSize::Quote(price * quantity) },
                2 => OrderSpec::PostOnly { price, quantity },
                _ => OrderSpec::Limit { price, quantity, tif: TimeInForce::Gtc },
            };
            let client_order_id = ClientOrderId::parse(["o", "sr-o", "grid-o", "grid-o"][usize::from(owner)]).unwrap();
            let side = if buy { Side::Buy } else { Side::Sell };
            PlaceOrder { client_order_id, symbol: symbols().swap_remove(market), side, spec, reduce_only }
        },
    )
}

fn worth(range: std::ops::Range<u32>) -> impl Strategy<Value = Notional> {
    range.prop_map(|units| Notional::new(units.into()).unwrap())
}

fn instruments() -> impl Strategy<Value = Vec<InstrumentPolicy>> {
    let worth = proptest::option::weighted(0.3, 50_u32..200);
    let one = (20_u32..300, 50_u32..96, 105_u32..200, proptest::option::of(50_u32..600), (proptest::bool::weighted(0.2), worth));
    proptest::array::uniform3(one).prop_map(|each| {
        type One = (u32, u32, u32, Option<u32>, (bool, Option<u32>));
        let listed = |(market, (most, low, high, position, (is_counted, worth))): (usize, One)| InstrumentPolicy {
            symbol: symbols().swap_remove(market),
            quantity_max: size(market, most),
            price_low: price(market, low),
            price_high: price(market, high),
            position_max: position.map(|most| size(market, most)),
            quote_worth: quote_worth(market, worth),
            counted: is_counted.then(|| (price(market, low - 10), price(market, high + 10))),
        };
        each.into_iter().enumerate().map(listed).collect()
    })
}

/// What is not paid in the currency of the limits has to have one: the usual price of its quote asset, or a part of it.
fn quote_worth(market: usize, percent: Option<u32>) -> Option<Price> {
    let (_, _, quote, ..) = MARKETS[market];
    let paid = MARKETS.iter().position(|other| (other.1, other.2) == (quote, "USDT"));
    paid.map_or_else(
        || percent.and_then(|percent| Price::new(Decimal::new(percent.into(), 2))),
        |paid| Some(price(paid, percent.unwrap_or(100))),
    )
}

fn modes() -> impl Strategy<Value = Vec<RuleMode>> {
    let mode = prop_oneof![4 => Just(RuleMode::Refuse), 1 => Just(RuleMode::Ask), 1 => Just(RuleMode::Shadow)];
    proptest::collection::vec(mode, desk_rules().len())
}

fn desk() -> impl Strategy<Value = DeskRules> {
    use proptest::option::of;
    let numbers = (of(0_u32..800), of(0_u32..800), of(0_u32..8), of(1_u64..400_000), of(0_u32..4), of(1_u32..150), any::<bool>());
    let worths =
        (of(worth(1_000..120_000)), of(worth(1..3_000)), of(worth(1..3_000)), of(worth(1_000..120_000)), of(worth(1_000..120_000)));
    (modes(), 0_u8..8, numbers, worths).prop_map(
        |(
            modes,
            restricted,
            (drift_bps, slippage_bps, open_orders_max, duplicate_ms, fills_per_minute, cancels_percent, self_trade),
            (exposure_max, day_loss_max, drawdown_max, venue, account),
        )| DeskRules {
            modes: desk_rules().into_iter().zip(modes).collect(),
            restricted: symbols().into_iter().enumerate().filter(|(at, _)| restricted == 1 << at).map(|(_, symbol)| symbol).collect(),
            drift_bps,
            slippage_bps,
            open_orders_max,
            exposure_max,
            exposure_of: [(ExposureScope::Venue(Venue::Binance), venue), (ExposureScope::Account(ACCOUNT.to_owned()), account)]
                .into_iter()
                .filter_map(|(of, max)| Some(ExposureLimit { of, max: max? }))
                .collect(),
            day_loss_max,
            drawdown_max,
            duplicate_ms,
            fills_per_minute,
            cancels_percent,
            self_trade,
            fixed: Vec::new(),
        },
    )
}

fn actors() -> [Actor; 3] {
    [Actor::Person(0), Actor::Person(1), Actor::Bot(OwnerTag::parse("grid").unwrap())]
}

/// Limits, each of which can be there or not.
pub(crate) fn policies() -> impl Strategy<Value = Policy> {
    use proptest::option::of;
    let worths = (worth(1_000..40_000), worth(2_000..200_000), of(worth(1_000..40_000)));
    let numbers = (1_u32..9, 0_u32..2_000, 60_000_u64..900_000, 300_000_u64..900_000);
    let thresholds = proptest::array::uniform3(of(worth(500..30_000)));
    (instruments(), worths, numbers, thresholds, desk()).prop_map(
        |(instruments, (order, day, confirm_above), (rate, collar, idle, age), thresholds, desk)| Policy {
            instruments,
            unlisted: Vec::new(),
            currency: "USDT".to_owned(),
            order_notional_max: order,
            day_notional_max: day,
            confirm_above,
            orders_per_minute: rate,
            price_collar_bps: collar,
            session_idle_ms: idle,
            session_age_max_ms: age,
            kdf_floor: None,
            thresholds: actors()
                .into_iter()
                .zip(thresholds)
                .filter_map(|(of, most)| Some(Threshold { of, day_notional_max: most? }))
                .collect(),
            desk,
        },
    )
}

pub(crate) fn turns() -> impl Strategy<Value = Turn> {
    (0_u32..100, 1_u32..60_000).prop_map(|(percent, units)| Turn { percent, units })
}

pub(crate) fn scopes() -> impl Strategy<Value = KeyScope> {
    use proptest::option::weighted;
    let side = weighted(0.3, any::<bool>().prop_map(|buy| if buy { Side::Buy } else { Side::Sell }));
    let hours = weighted(0.4, (0_u16..720, 721_u16..1_441));
    let few = || prop_oneof![3 => Just(0_usize), 2 => 1_usize..4];
    (prop_oneof![19 => Just(0_usize), 1 => 1_usize..5], few(), side, few(), weighted(0.4, worth(1_000..60_000)), hours).prop_map(
        |(operations, instruments, side, kinds, notional_max, hours)| KeyScope {
            operations: KeyOperation::ALL.into_iter().cycle().skip(operations).take(operations % 4).collect(),
            instruments: symbols().into_iter().take(instruments).collect(),
            side,
            kinds: [OrderKind::Limit, OrderKind::Market, OrderKind::PostOnly].into_iter().take(kinds).collect(),
            notional_max,
            hours: hours.map(|(from_minute, until_minute)| DayWindow { from_minute, until_minute }),
        },
    )
}

pub(crate) fn sessions() -> impl Strategy<Value = Session> {
    (0_u64..NOW_MS, 0_u64..NOW_MS, 0_u8..8, proptest::bool::weighted(0.3)).prop_map(|(opened, used, roles, is_service)| Session {
        opened_ms: opened.max(NOW_MS / 3),
        used_ms: used.max(NOW_MS / 4 * 3),
        roles: match roles {
            0 => vec![Role::Viewer, Role::Risk],
            1 => vec![Role::Trader],
            _ => Role::ALL.to_vec(),
        },
        is_service,
    })
}

/// What happened before, told to the desk.
#[derive(Clone, Debug)]
enum Step {
    Send(PlaceOrder, u64),
    Fill(usize, u32),
    Over(usize),
    /// Many small orders that are over, so that the ratio of cancels counts.
    Burst(u32),
    Cancels(u32),
    Mark(usize, u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (orders(), 0_u64..NOW_MS).prop_map(|(order, at)| Step::Send(order, at)),
        4 => (0_usize..8, 1_u32..101).prop_map(|(which, percent)| Step::Fill(which, percent)),
        1 => (0_usize..8).prop_map(Step::Over),
        1 => (50_u32..60).prop_map(Step::Burst),
        1 => (1_u32..60).prop_map(Step::Cancels),
        3 => (markets(), 80_u32..121).prop_map(|(market, percent)| Step::Mark(market, percent)),
    ];
    proptest::collection::vec(step, 0..14)
}

/// A moment.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) order: PlaceOrder,
    pub(crate) quote: Quote,
    pub(crate) state: RiskState,
    /// Of which instruments a price is known.
    pub(crate) marked: BTreeMap<Symbol, Price>,
    pub(crate) session: Session,
    pub(crate) scope: KeyScope,
    pub(crate) slot: Option<u16>,
    pub(crate) is_confirmed: bool,
    pub(crate) rate: OrderRate,
    pub(crate) turnover: Turnover,
    pub(crate) turnovers: Turnovers,
}

pub(crate) fn worlds() -> impl Strategy<Value = World> {
    let quote = (0_u32..20, proptest::option::weighted(0.9, 90_u32..112));
    let held = (proptest::option::weighted(0.9, (0_u32..400, 0_u32..400)), 0_u8..3);
    let signed = proptest::collection::vec((0_u32..30_000, 0_u16..2, any::<bool>()), 0..4);
    // Often the signer has nothing against it so far.
    let by = (proptest::option::weighted(0.8, 0_u16..2), proptest::bool::weighted(0.2), proptest::bool::weighted(0.4));
    // Once the same order was sent already, and now and then every price is known.
    let steps = (steps(), proptest::option::weighted(0.2, NOW_MS - 60_000..NOW_MS), proptest::option::weighted(0.3, 80_u32..121));
    (orders(), quote, steps, held, signed, by, sessions(), scopes()).prop_map(
        |(order, (mark, average), (mut steps, again, known), (held, place), signed, (slot, is_confirmed, is_easy), session, scope)| {
            steps.extend(again.map(|at_ms| Step::Send(order.clone(), at_ms)));
            steps.extend(known.into_iter().flat_map(|percent| (0..MARKETS.len()).map(move |market| Step::Mark(market, percent))));
            let signed = if is_easy { Vec::new() } else { signed };
            let scope = if is_easy { KeyScope::default() } else { scope };
            let session = if is_easy {
                Session { opened_ms: NOW_MS - 200_000, used_ms: NOW_MS - 59_999, roles: vec![Role::Trader], is_service: false }
            } else {
                session
            };
            let mut state = RiskState::default();
            state.pairs(pairs());
            let held = held.map(|(btc, eth)| {
                let told = [("BTC", size(0, btc)), ("ETH", size(1, eth)), ("USDT", Quantity::parse("99999").unwrap())];
                told.into_iter().map(|(asset, amount)| (asset.to_owned(), amount.value())).collect::<BTreeMap<_, _>>()
            });
            if let Some(held) = &held {
                state.held(held.iter().map(|(asset, amount)| (asset.clone(), Amount::new(*amount).unwrap())), AT, AT);
            }
            match place {
                0 => {}
                1 => state.held_at(Venue::Binance, None),
                _ => state.held_at(Venue::Binance, Some(ACCOUNT.to_owned())),
            }
            let marked = tell(&mut state, steps, held.unwrap_or_default());
            let market = symbols().iter().position(|symbol| *symbol == order.symbol).unwrap();
            let quote = Quote {
                mark: (mark > 0).then(|| price(market, 90 + mark)),
                average: average.map(|percent| price(market, percent)),
                open_max: 0,
            };
            let (mut rate, mut turnover, mut turnovers) = (OrderRate::default(), Turnover::default(), Turnovers::default());
            let all = actors().map(|of| Threshold { of, day_notional_max: notional("1000000") });
            for (units, slot, is_of_bot) in signed {
                let (worth, name) =
                    (Notional::new(units.into()).unwrap(), ClientOrderId::parse(if is_of_bot { "grid-1" } else { "x" }).unwrap());
                rate.count(NOW_MS - 1);
                assert!(turnover.count(worth, now_s()));
                assert!(turnovers.count(&all, strongroom_guard::By { slot: Some(slot), order: &name }, worth, now_s()));
            }
            World { order, quote, state, marked, session, scope, slot, is_confirmed, rate, turnover, turnovers }
        },
    )
}

fn now_s() -> u64 {
    u64::try_from(AT.ms() / 1_000).unwrap()
}

/// Nobody gives more than there is.
fn tell(state: &mut RiskState, steps: Vec<Step>, mut held: BTreeMap<Asset, Decimal>) -> BTreeMap<Symbol, Price> {
    let mut sent: Vec<(PlaceOrder, u32)> = Vec::new();
    let mut marked = BTreeMap::new();
    for step in steps {
        match step {
            Step::Send(order, at_ms) => {
                let name = format!("{}-{}", order.client_order_id, sent.len());
                let order = PlaceOrder { client_order_id: ClientOrderId::parse(&name).unwrap(), ..order };
                state.sent(&order, at_ms);
                sent.push((order, 0));
            }
            Step::Fill(which, percent) => {
                let count = sent.len().max(1);
                if let Some((order, filled)) = sent.get_mut(which % count) {
                    let (before, after) = (filled_to(order, *filled), filled_to(order, percent.max(*filled)));
                    if !exchange(&mut held, order, after.0.value() - before.0.value(), after.1.value() - before.1.value()) {
                        continue;
                    }
                    *filled = percent.max(*filled);
                    let (quantity, notional) = after;
                    if state.stands(order, (quantity, notional), &[], *filled == 100, (AT, None)) {
                        state.executed(order, Some(0), NOW_MS - 1);
                    }
                }
            }
            Step::Over(which) => {
                if let Some((order, filled)) = sent.get(which) {
                    let (quantity, notional) = filled_to(order, *filled);
                    state.stands(order, (quantity, notional), &[], true, (AT, None));
                }
            }
            Step::Burst(count) => {
                for number in 0..count {
                    let id = ClientOrderId::parse(&format!("b-{number}")).unwrap();
                    let spec = OrderSpec::PostOnly { price: price(0, 1), quantity: size(0, 1) };
                    let order =
                        PlaceOrder { client_order_id: id, symbol: symbols().swap_remove(0), side: Side::Buy, spec, reduce_only: false };
                    state.sent(&order, 1);
                    state.stands(&order, (Quantity::ZERO, Notional::ZERO), &[], true, (AT, None));
                }
            }
            Step::Cancels(count) => (0..count).for_each(|_| state.cancelled(2)),
            Step::Mark(market, percent) => marked.extend([(symbols().swap_remove(market), price(market, percent))]),
        }
    }
    // What was bought or sold at other prices is a gain or a loss now.
    state.marks(marked.clone(), 0);
    marked
}

/// `false`: there is not so much to give.
fn exchange(held: &mut BTreeMap<Asset, Decimal>, order: &PlaceOrder, quantity: Decimal, notional: Decimal) -> bool {
    let (_, base, quote, ..) = MARKETS[symbols().iter().position(|symbol| *symbol == order.symbol).unwrap()];
    let ((gets, got), (gives, given)) = match order.side {
        Side::Buy => ((base, quantity), (quote, notional)),
        Side::Sell => ((quote, notional), (base, quantity)),
    };
    let Some(left) = held.get(gives).map(|held| held - given).filter(|left| *left >= Decimal::ZERO) else { return false };
    held.insert(gives.to_owned(), left);
    *held.entry(gets.to_owned()).or_default() += got;
    true
}

/// So much of an order, at its own price or the usual one.
fn filled_to(order: &PlaceOrder, percent: u32) -> (Quantity, Notional) {
    let market = symbols().iter().position(|symbol| *symbol == order.symbol).unwrap();
    let at = order.spec.price().unwrap_or_else(|| price(market, 100));
    let whole = match order.spec {
        OrderSpec::Market { size: MarketSize::Quote(amount) } => amount.value() / at.value(),
        spec => spec.quantity().unwrap().value(),
    };
    let quantity = Quantity::new(whole * Decimal::from(percent) / Decimal::ONE_HUNDRED).unwrap();
    (quantity, at * quantity)
}

impl World {
    /// What the signer says to an intent, under that part of the kill switch, that session and that scope.
    pub(crate) fn answer(
        &self,
        policy: &Policy,
        freeze: Option<&Freeze>,
        session: Result<&Session, SessionEnd>,
        scope: &KeyScope,
        intent: &Intent,
    ) -> Verdict {
        let facts = SignerFacts {
            freeze,
            session,
            scope,
            rate: &mut self.rate.clone(),
            turnover: &mut self.turnover.clone(),
            slot: self.slot,
            turnovers: &mut self.turnovers.clone(),
            is_confirmed: self.is_confirmed,
            now_ms: NOW_MS,
            wall: AT,
        };
        signer_gate(policy, facts, intent)
    }

    /// What the signer says to its order.
    pub(crate) fn signs(&self, policy: &Policy) -> Verdict {
        self.answer(policy, None, Ok(&self.session), &self.scope, &Intent::Place(self.order.clone()))
    }

    /// What the desk says to its order.
    pub(crate) fn judged(&self, policy: &Policy) -> Judgement {
        self.state.clone().judge(policy, &self.order, self.quote, NOW_MS)
    }

    /// By which rule somebody has to stop.
    pub(crate) fn stops(&self, policy: &Policy) -> Option<&'static str> {
        self.state.clone().must_stop(policy, NOW_MS, AT).map(|(reason, _)| reason.rule())
    }
}
