//! What holds for every order: tightening never allows more, the kill switch stops all but cancels, exposure equals a slow sum.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

mod common;

use common::{AT, btc, limit, market, place, state};
use proptest::prelude::*;
use rust_decimal::Decimal;
use strongroom_guard::{
    DeskRule, DeskRules, Filled, Freeze, Managed, ManagedInstrument, ManagedLimits, OrderRate, Policy, Quote, Role, RuleMode, Session,
    SessionEnd, SignerFacts, Turnover, Turnovers, Verdict, signer_gate,
};
use strongroom_model::{Amount, Intent, KeyScope, MarketSize, Notional, OrderRef, OrderSpec, PlaceOrder, Price, Quantity, Side, Timestamp};

fn cents(of: u64) -> Decimal {
    Decimal::new(i64::try_from(of).unwrap(), 2)
}

fn orders() -> impl Strategy<Value = PlaceOrder> {
    let size = (1_u64..300).prop_map(|size| cents(size).to_string());
    let at = (50_000_u64..60_000_000).prop_map(|price| cents(price).to_string());
    let spec = prop_oneof![
        (at.clone(), size.clone()).prop_map(|(at, size)| limit(&at, &size)),
        size.prop_map(|size| market(&size)),
        at.prop_map(|worth| OrderSpec::Market { size: MarketSize::Quote(Notional::parse(&worth).unwrap()) }),
    ];
    (any::<bool>(), spec).prop_map(|(buy, spec)| place("o", if buy { Side::Buy } else { Side::Sell }, spec))
}

fn policies() -> impl Strategy<Value = Policy> {
    let most = |max: u64| (1..max).prop_map(|most| Notional::new(Decimal::from(most)).unwrap());
    (most(50_000), most(200_000), 0_u32..5, 1_u64..200, (1_000_u64..20_000, 20_000_u64..500_000), 0_u32..1_000, any::<bool>()).prop_map(
        |(order, day, rate, size, (low, high), bps, confirms)| {
            let mut policy = Policy::initial();
            policy.order_notional_max = order;
            policy.day_notional_max = day;
            policy.orders_per_minute = rate;
            policy.confirm_above = confirms.then_some(order);
            policy.price_collar_bps = bps;
            policy.desk.slippage_bps = (bps % 3 > 0).then_some(bps);
            policy.desk.open_orders_max = (rate > 1).then_some(rate);
            policy.desk.exposure_max = (bps % 2 > 0).then_some(day);
            policy.desk.duplicate_ms = (size % 2 > 0).then_some(u64::from(bps) * 10);
            let instrument = &mut policy.instruments[0];
            instrument.quantity_max = Quantity::new(cents(size)).unwrap();
            instrument.price_low = Price::new(Decimal::from(low)).unwrap();
            instrument.price_high = Price::new(Decimal::from(high)).unwrap();
            instrument.position_max = (size % 3 > 0).then_some(instrument.quantity_max);
            policy
        },
    )
}

/// The tighter of both in every part.
fn meet(one: &Policy, other: &Policy) -> Policy {
    let least = |one: Option<Notional>, other: Option<Notional>| [one, other].into_iter().flatten().min();
    let mut both = one.clone();
    both.order_notional_max = one.order_notional_max.min(other.order_notional_max);
    both.day_notional_max = one.day_notional_max.min(other.day_notional_max);
    both.orders_per_minute = one.orders_per_minute.min(other.orders_per_minute);
    both.confirm_above = least(one.confirm_above, other.confirm_above);
    both.price_collar_bps = one.price_collar_bps.min(other.price_collar_bps);
    both.desk.slippage_bps = [one.desk.slippage_bps, other.desk.slippage_bps].into_iter().flatten().min();
    both.desk.open_orders_max = [one.desk.open_orders_max, other.desk.open_orders_max].into_iter().flatten().min();
    both.desk.exposure_max = least(one.desk.exposure_max, other.desk.exposure_max);
    both.desk.duplicate_ms = one.desk.duplicate_ms.max(other.desk.duplicate_ms);
    let (mine, theirs) = (&mut both.instruments[0], &other.instruments[0]);
    mine.quantity_max = mine.quantity_max.min(theirs.quantity_max);
    mine.price_low = mine.price_low.max(theirs.price_low);
    mine.price_high = mine.price_high.min(theirs.price_high);
    mine.position_max = [mine.position_max, theirs.position_max].into_iter().flatten().min();
    both
}

/// An organisation's limits with the numbers of a policy, some of them.
fn managed() -> impl Strategy<Value = Managed> {
    (policies(), any::<u16>()).prop_map(|(policy, which)| {
        let has = |bit: u16| which & (1 << bit) != 0;
        let with_band = has(0);
        let listed = &policy.instruments[0];
        let instrument = ManagedInstrument {
            symbol: listed.symbol.clone(),
            quantity_max: (with_band && has(1)).then_some(listed.quantity_max),
            price_low: with_band.then_some(listed.price_low),
            price_high: with_band.then_some(listed.price_high),
            position_max: listed.position_max.filter(|_| has(2)),
        };
        let mut limits = ManagedLimits {
            order_notional_max: has(3).then_some(policy.order_notional_max),
            day_notional_max: (with_band && has(4)).then_some(policy.day_notional_max),
            confirm_above: policy.confirm_above.filter(|_| with_band),
            orders_per_minute: has(5).then_some(policy.orders_per_minute),
            price_collar_bps: has(6).then_some(policy.price_collar_bps),
            instruments: vec![instrument],
            only_listed: with_band || has(7),
            ..ManagedLimits::default()
        };
        limits.desk.slippage_bps = policy.desk.slippage_bps.filter(|_| has(8));
        limits.desk.open_orders_max = policy.desk.open_orders_max.filter(|_| has(9));
        limits.desk.exposure_max = policy.desk.exposure_max.filter(|_| has(10));
        limits.desk.duplicate_ms = policy.desk.duplicate_ms.filter(|_| has(11));
        limits.desk.no_self_trade = has(12);
        if has(13) {
            limits.desk.restricted.push(btc());
        }
        let managed = Managed { serial: 1, organisation: "Example".to_owned(), released: false, limits };
        assert_eq!(Managed::parse(&serde_json::to_vec(&managed).unwrap()).unwrap(), managed);
        managed
    })
}

/// The organisation's limits alone: over a policy that limits nothing, whose band is the organisation's where it has one.
fn alone(managed: &Managed) -> Policy {
    let most = Notional::new(Decimal::from(1_000_000_000_000_000_u64)).unwrap();
    let mut loosest = Policy {
        order_notional_max: most,
        day_notional_max: most,
        orders_per_minute: 6_000,
        price_collar_bps: 10_000,
        ..Policy::initial()
    };
    loosest.desk = DeskRules { slippage_bps: None, open_orders_max: None, self_trade: true, ..DeskRules::default() };
    for rule in
        [DeskRule::PriceCollar, DeskRule::Position, DeskRule::Exposure, DeskRule::Slippage, DeskRule::OpenOrders, DeskRule::SelfTrade]
    {
        loosest.desk.modes.insert(rule, RuleMode::Shadow);
    }
    let (listed, known) = (&mut loosest.instruments[0], &managed.limits.instruments[0]);
    listed.quantity_max = Quantity::new(Decimal::from(1_000_000)).unwrap();
    listed.price_low = known.price_low.unwrap_or(Price::new(Decimal::ONE).unwrap());
    listed.price_high = known.price_high.unwrap_or(Price::new(Decimal::from(1_000_000)).unwrap());
    managed.tightens(&loosest)
}

/// Whether the signer would sign it, after what it signed before.
fn signs(policy: &Policy, before: &[PlaceOrder], order: &PlaceOrder, freeze: Option<&Freeze>) -> bool {
    let session = Session { opened_ms: 0, used_ms: 0, roles: Role::ALL.to_vec(), is_service: false };
    let (mut rate, mut turnover) = (OrderRate::default(), Turnover::default());
    // Bands that do not meet: nothing is on the list.
    let Some(listed) = policy.instrument(&btc()) else { return false };
    for earlier in before {
        rate.count(0);
        assert!(turnover.count(strongroom_guard::worth_at_most(earlier, listed), 0));
    }
    let facts = SignerFacts {
        freeze,
        session: Ok(&session),
        scope: &KeyScope::default(),
        rate: &mut rate,
        turnover: &mut turnover,
        slot: None,
        turnovers: &mut Turnovers::default(),
        is_confirmed: false,
        now_ms: 0,
        wall: Timestamp::from_ms(0),
    };
    signer_gate(policy, facts, &Intent::Place(order.clone())) == Verdict::Allow
}

fn passes_desk(policy: &Policy, before: &[PlaceOrder], order: &PlaceOrder, mark: Price) -> bool {
    let mut state = state();
    state.held([("BTC".to_owned(), Amount::parse("0.5").unwrap())]);
    for (number, earlier) in before.iter().enumerate() {
        let id = strongroom_model::ClientOrderId::parse(&format!("b{number}")).unwrap();
        state.sent(&PlaceOrder { client_order_id: id, ..earlier.clone() }, 0);
    }
    let judgement = state.judge(policy, order, Quote { mark: Some(mark), average: Some(mark), open_max: 0 }, 1_000);
    judgement.refused.is_empty() && judgement.asks.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn tightening_never_allows_more(
        one in policies(),
        other in policies(),
        before in proptest::collection::vec(orders(), 0..4),
        order in orders(),
        mark in 50_000_u64..60_000_000,
    ) {
        // A band that is tighter counts what has no price at less: changing it needs a code, and is no tightening.
        let mut other = other;
        other.instruments[0].price_low = one.instruments[0].price_low;
        other.instruments[0].price_high = one.instruments[0].price_high;
        let both = meet(&one, &other);
        prop_assert!(!one.is_raised_by(&both) && !other.is_raised_by(&both));
        let mark = Price::new(cents(mark)).unwrap();
        if signs(&both, &before, &order, None) {
            prop_assert!(signs(&one, &before, &order, None) && signs(&other, &before, &order, None));
        }
        if passes_desk(&both, &before, &order, mark) {
            prop_assert!(passes_desk(&one, &before, &order, mark) && passes_desk(&other, &before, &order, mark));
        }
        if one.is_raised_by(&other) {
            return Ok(());
        }
        prop_assert!(!passes_desk(&other, &before, &order, mark) || passes_desk(&one, &before, &order, mark), "lowered, and it passes");
        prop_assert!(!signs(&other, &before, &order, None) || signs(&one, &before, &order, None), "lowered, and it is signed");
    }

    /// The owner's limits and the organisation's: what passes under both together passes under each.
    #[test]
    fn what_passes_under_an_organisation_passes_under_both(
        own in policies(),
        managed in managed(),
        before in proptest::collection::vec(orders(), 0..4),
        order in orders(),
        mark in 50_000_u64..60_000_000,
    ) {
        let (tight, alone) = (managed.tightens(&own), alone(&managed));
        let mark = Price::new(cents(mark)).unwrap();
        if signs(&tight, &before, &order, None) {
            prop_assert!(signs(&own, &before, &order, None), "beyond the owner's");
            prop_assert!(signs(&alone, &before, &order, None), "beyond the organisation's");
        }
        // What is not on the list is refused by the signer, and not judged by the desk.
        if tight.instrument(&btc()).is_some() && passes_desk(&tight, &before, &order, mark) {
            prop_assert!(passes_desk(&own, &before, &order, mark), "beyond the owner's");
            prop_assert!(passes_desk(&alone, &before, &order, mark), "beyond the organisation's");
        }
        // What is in force can be set, and what can be set is inside of the organisation's limits.
        let mut set = tight.clone();
        set.instruments.iter_mut().for_each(|listed| listed.counted = None);
        for asked in [&own, &set] {
            if let Some(beyond) = managed.refuses(asked) {
                prop_assert!(asked != &set, "{}", beyond);
                continue;
            }
            let again = managed.tightens(asked);
            prop_assert!(!signs(&again, &before, &order, None) || signs(&alone, &before, &order, None), "set, and beyond it");
            let is_listed = asked.instrument(&btc()).is_some();
            prop_assert!(!is_listed || !passes_desk(asked, &before, &order, mark) || passes_desk(&alone, &before, &order, mark), "set, and beyond it");
        }
    }

    #[test]
    fn the_kill_switch_dominates_everything_but_cancels(policy in policies(), order in orders()) {
        let freeze = Freeze::everything("test");
        prop_assert!(!signs(&policy, &[], &order, Some(&freeze)));
        let cancel = Intent::Cancel { symbol: btc(), order: OrderRef::Client(order.client_order_id) };
        let facts = SignerFacts {
            freeze: Some(&freeze),
            session: Err(SessionEnd::Locked),
            scope: &KeyScope { operations: vec![strongroom_model::KeyOperation::Read], ..KeyScope::default() },
            rate: &mut OrderRate::default(),
            turnover: &mut Turnover::default(),
            slot: None,
            turnovers: &mut Turnovers::default(),
            is_confirmed: false,
            now_ms: 0,
            wall: Timestamp::from_ms(0),
        };
        prop_assert_eq!(signer_gate(&policy, facts, &cancel), Verdict::Allow);
    }

    /// A softer mode lets pass what a harder one stops, and never the other way.
    #[test]
    fn modes_only_soften(policy in policies(), order in orders(), mark in 50_000_u64..60_000_000) {
        let mark = Price::new(cents(mark)).unwrap();
        let mut shadowed = policy.clone();
        for rule in [DeskRule::PriceCollar, DeskRule::Position, DeskRule::Exposure, DeskRule::Slippage, DeskRule::OpenOrders] {
            shadowed.desk.modes.insert(rule, RuleMode::Shadow);
        }
        prop_assert!(policy.is_raised_by(&shadowed) && !shadowed.is_raised_by(&policy));
        prop_assert!(!passes_desk(&policy, &[], &order, mark) || passes_desk(&shadowed, &[], &order, mark));
    }
}

/// What happened, for the slow sum.
#[derive(Clone, Debug)]
enum Step {
    Send {
        buy: bool,
        size: u64,
    },
    Fill {
        which: usize,
        part: u64,
    },
    /// The same report again, or an older one.
    Stale {
        which: usize,
    },
    Over {
        which: usize,
    },
    /// A new desk asks the venue what is held, and finds the orders that are open.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (any::<bool>(), 1_u64..500).prop_map(|(buy, size)| Step::Send { buy, size }),
        6 => (0_usize..20, 1_u64..100).prop_map(|(which, part)| Step::Fill { which, part }),
        2 => (0_usize..20).prop_map(|which| Step::Stale { which }),
        3 => (0_usize..20).prop_map(|which| Step::Over { which }),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..120)
}

struct Known {
    order: PlaceOrder,
    size: Decimal,
    filled: Decimal,
    is_over: bool,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn exposure_equals_a_slow_sum(steps in steps()) {
        let price = Price::parse("100").unwrap();
        let started = Decimal::from(1_000);
        let mut state = state();
        state.held([("BTC".to_owned(), Amount::new(started).unwrap())]);
        let mut known: Vec<Known> = Vec::new();
        for step in steps {
            match step {
                Step::Send { buy, size } => {
                    let id = format!("o{}", known.len());
                    let order = place(&id, if buy { Side::Buy } else { Side::Sell }, limit("100", &cents(size).to_string()));
                    state.sent(&order, 0);
                    known.push(Known { order, size: cents(size), filled: Decimal::ZERO, is_over: false });
                }
                Step::Fill { which, part } => {
                    if let Some(one) = known.get_mut(which).filter(|one| !one.is_over) {
                        one.filled = (one.filled + cents(part)).min(one.size);
                        one.is_over = one.filled == one.size;
                        report(&mut state, one, one.filled, one.is_over);
                    }
                }
                Step::Stale { which } => {
                    if let Some(one) = known.get(which) {
                        report(&mut state, one, one.filled / Decimal::TWO, false);
                    }
                }
                Step::Over { which } => {
                    if let Some(one) = known.get_mut(which) {
                        one.is_over = true;
                        report(&mut state, one, one.filled, true);
                    }
                }
                Step::Restart => {
                    state = common::state();
                    state.held([("BTC".to_owned(), Amount::new(held(started, &known)).unwrap())]);
                    for one in known.iter().filter(|one| !one.is_over) {
                        state.found(&one.order, Filled { quantity: one.filled, notional: one.filled * price.value() });
                    }
                }
            }
            let open: Decimal =
                known.iter().filter(|one| !one.is_over && one.order.side == Side::Buy).map(|one| one.size - one.filled).sum();
            let position = held(started, &known) + open;
            prop_assert_eq!(state.exposure.position(&btc(), None, price), Some(position));
            let worth = state.exposure.worth("USDT", [&btc()].into_iter(), None, |_| price.value());
            prop_assert_eq!(worth, Some(position * price.value()));
            prop_assert_eq!(state.exposure.open().count(), known.iter().filter(|one| !one.is_over).count());
        }
    }
}

fn held(started: Decimal, known: &[Known]) -> Decimal {
    let moved = |one: &Known| if one.order.side == Side::Buy { one.filled } else { -one.filled };
    started + known.iter().map(moved).sum::<Decimal>()
}

fn report(state: &mut strongroom_guard::RiskState, one: &Known, filled: Decimal, is_over: bool) {
    let worth = Notional::new(filled * Decimal::ONE_HUNDRED).unwrap();
    state.stands(&one.order, (Quantity::new(filled).unwrap(), worth), &[], is_over, AT);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Numbers as large as can be said, from doors and venues: rules answer, and nothing ends.
    #[test]
    fn the_largest_numbers_are_judged(prices in proptest::collection::vec(any::<u64>(), 6), buy in any::<bool>(), spec in 0_u8..4) {
        let largest = |of: usize| Decimal::from(prices[of]).min(Decimal::from(999_999_999_999_999_999_u64));
        let (price, quantity) = (Price::new(largest(0)).unwrap(), Quantity::new(largest(1)).unwrap());
        let spec = match spec {
            0 => OrderSpec::Market { size: MarketSize::Base(quantity) },
            1 => OrderSpec::Market { size: MarketSize::Quote(Notional::new(largest(2)).unwrap()) },
            _ => OrderSpec::PostOnly { price, quantity },
        };
        let mut policy = Policy::initial();
        policy.desk.exposure_max = Notional::new(largest(3));
        policy.desk.day_loss_max = Notional::new(largest(4));
        policy.instruments[0].position_max = Quantity::new(largest(3));
        let mut state = state();
        state.held([("BTC".to_owned(), Amount::new(largest(4)).unwrap()), ("USDT".to_owned(), Amount::new(largest(5)).unwrap())]);
        let mark = Price::new(largest(5).max(Decimal::new(1, 18))).unwrap();
        state.marks([(btc(), mark)].into_iter().collect());
        let trade = strongroom_model::Fill {
            trade_id: strongroom_model::TradeId(1),
            price: mark,
            quantity,
            commission: Amount::new(largest(2)).unwrap(),
            commission_asset: "BTC".to_owned(),
        };
        for number in 0..20 {
            let order = place(&format!("o{number}"), if buy { Side::Buy } else { Side::Sell }, spec);
            let _ = state.judge(&policy, &order, Quote { mark: Some(mark), average: Some(price), open_max: 0 }, number);
            let _ = signs(&policy, &[], &order, None);
            state.sent(&order, number);
            state.stands(&order, (quantity, Notional::new(largest(0)).unwrap()), std::slice::from_ref(&trade), number % 2 == 0, AT);
            state.executed(&order, None, number);
            let _ = state.must_stop(&policy, number, AT);
        }
    }
}
