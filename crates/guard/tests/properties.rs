//! What holds for every order: one limit tighter never allows more, under whatever happened before; an organisation's limits and the
//! owner's together never more than each.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

mod common;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use common::tighter::{self, Compared, Tighter, desk_rules};
use common::worlds::{World, policies, symbols, turns, worlds};
use common::{AT, btc, place, state};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestRng, TestRunner};
use rust_decimal::Decimal;
use strongroom_guard::{
    DeskRules, Judgement, Managed, ManagedDesk, ManagedInstrument, ManagedLimits, OrderRate, Policy, Quote, Reason, Role, RuleMode,
    Session, SignerFacts, Turnover, Turnovers, Verdict, signer_gate,
};
use strongroom_model::{Amount, Intent, KeyScope, MarketSize, Notional, OrderSpec, PlaceOrder, Price, Quantity, Side, Timestamp};

/// So many cases; what fails is told, and not kept.
fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(count) }
}

/// How much stands in an order's way: nothing, a note, a question, a refusal.
type Weight = u8;
const ASKS: Weight = 2;
const REFUSES: Weight = 3;

/// Of the signer's answer.
fn weight(verdict: &Verdict) -> Weight {
    match verdict {
        Verdict::Allow => 0,
        Verdict::Deny(Reason::Confirm { .. }) => ASKS,
        Verdict::Deny(_) => REFUSES,
    }
}

/// Of each rule of the desk that an order does not meet.
fn weights(judgement: &Judgement) -> BTreeMap<&'static str, Weight> {
    let Judgement { refused, asks, shadows } = judgement;
    let mut found = BTreeMap::new();
    for (reasons, weight) in [(shadows, 1), (asks, ASKS), (refused, REFUSES)] {
        found.extend(reasons.iter().map(|reason| (reason.rule(), weight)));
    }
    found
}

/// Fails where an order meets less under `tight` than under `loose`; whether it meets more.
fn compare(world: &World, loose: &Policy, tight: &Tighter) -> Result<bool, TestCaseError> {
    let Tighter { name, policy, compared } = tight;
    let needs_code = loose.is_raised_by(policy);
    let sums = policy.desk.exposure_max.is_some() || !policy.desk.exposure_of.is_empty();
    let expected = match compared {
        Compared::All => false,
        Compared::AllByCode | Compared::OfOwnWorth => true,
        Compared::Without(symbol) => {
            let is_lost = policy.desk.day_loss_max.is_some() || policy.desk.drawdown_max.is_some();
            let gone = loose.instrument(symbol).unwrap();
            sums || gone.position_max.is_some() || (is_lost && gone.quote_worth.is_some())
        }
    };
    prop_assert_eq!(needs_code, expected && policy != loose, "whether {} needs a code", name);
    let says_its_worth = world.order.side == Side::Buy && !matches!(world.order.spec, OrderSpec::Market { size: MarketSize::Base(_) });
    if *compared == Compared::OfOwnWorth && !says_its_worth {
        return Ok(false);
    }
    // What has no price counts at the edges in the sum of what is held, too.
    let is_marked = symbols().iter().all(|symbol| world.marked.contains_key(symbol));
    let is_summed = match compared {
        Compared::All | Compared::AllByCode => true,
        Compared::OfOwnWorth => is_marked,
        Compared::Without(_) => !needs_code,
    };
    weighs_no_less(world, loose, policy, is_summed, name)
}

/// Whether an order meets more under `tight` than under `loose`; fails where it meets less. `is_summed`: sums of what is held are compared.
fn weighs_no_less(world: &World, loose: &Policy, tight: &Policy, is_summed: bool, name: &str) -> Result<bool, TestCaseError> {
    let (before, after) = (world.signs(loose), world.signs(tight));
    prop_assert!(weight(&before) <= weight(&after), "{}: the signer said {:?}, and says {:?}", name, before, after);
    let mut bites = weight(&before) < weight(&after);
    // What is not on the list is refused by the signer, and not judged.
    let is_judged = tight.instrument(&world.order.symbol).is_some();
    let (before, after) = (weights(&world.judged(loose)), weights(&world.judged(tight)));
    for (rule, weight) in before.iter().filter(|_| is_judged) {
        let is_of_sum = (rule.starts_with("exposure") || ["position", "day-loss", "drawdown"].contains(rule)) && !is_summed;
        let then = after.get(rule).copied().unwrap_or_default();
        prop_assert!(is_of_sum || *weight <= then, "{}: {} weighed {}, and weighs {}", name, rule, weight, then);
    }
    bites |= after.iter().any(|(rule, weight)| before.get(rule).copied().unwrap_or_default() < *weight);
    let (before, after) = (world.stops(loose), world.stops(tight));
    prop_assert!(before.is_none() || after.is_some() || !is_summed, "{}: {:?} stopped, and nothing does", name, before);
    Ok(bites || before != after)
}

/// The same cases each time: that each part made a difference is no matter of chance.
fn steady(count: u32) -> TestRunner {
    TestRunner::new_with_rng(cases(count), TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// One limit tighter, whichever: no rule weighs less than before, and what stopped somebody stops somebody. Each limit made a difference
/// at least once.
#[test]
fn one_limit_tighter_never_allows_more() {
    let (known, bit) = (RefCell::new(BTreeSet::new()), RefCell::new(BTreeSet::new()));
    let mut runner = steady(700);
    let run = runner.run(&(worlds(), policies(), turns()), |(world, loose, turn)| {
        for tight in tighter::policies(&loose, turn) {
            known.borrow_mut().insert(tight.name);
            if compare(&world, &loose, &tight)? {
                bit.borrow_mut().insert(tight.name);
            }
        }
        Ok(())
    });
    run.unwrap_or_else(|broken| panic!("{broken}"));
    let mut idle = known.into_inner();
    idle.retain(|name| !bit.borrow().contains(name));
    assert_eq!(idle, BTreeSet::from(["kdf_floor"]), "what never made a difference was not tested, and passwords are no orders");
}

/// The same of what the key in use is for, of who asks, and of a code that was not given.
#[test]
fn a_narrower_key_session_or_no_code_never_allows_more() {
    let (known, bit) = (RefCell::new(BTreeSet::new()), RefCell::new(BTreeSet::new()));
    let mut runner = steady(3_000);
    let run = runner.run(&(worlds(), policies(), turns()), |(world, policy, turn)| {
        let narrower = |(name, scope)| (name, World { scope, ..world.clone() });
        let less = |(name, session)| (name, World { session, ..world.clone() });
        let mut worlds: Vec<_> = tighter::scopes(&world.scope, turn).into_iter().map(narrower).collect();
        worlds.extend(tighter::sessions(&world.session).into_iter().map(less));
        worlds.push(("is_confirmed", World { is_confirmed: false, ..world.clone() }));
        for (name, tight) in worlds {
            known.borrow_mut().insert(name);
            let (before, after) = (world.signs(&policy), tight.signs(&policy));
            prop_assert!(weight(&before) <= weight(&after), "{}: the signer said {:?}, and says {:?}", name, before, after);
            if weight(&before) < weight(&after) {
                bit.borrow_mut().insert(name);
            }
        }
        Ok(())
    });
    run.unwrap_or_else(|broken| panic!("{broken}"));
    assert_eq!(known, bit, "what never made a difference was not tested");
}

/// An organisation's limits with the numbers of a policy, some of them.
fn managed() -> impl Strategy<Value = Managed> {
    (policies(), any::<u32>()).prop_map(|(policy, which)| {
        let has = |bit: u32| which & (1 << bit) != 0;
        let with_band = has(0);
        let instruments =
            policy.instruments.iter().zip(1..).filter(|(_, bit)| with_band || has(*bit)).map(|(listed, bit)| ManagedInstrument {
                symbol: listed.symbol.clone(),
                quantity_max: (with_band && has(bit + 3)).then_some(listed.quantity_max),
                price_low: with_band.then_some(listed.price_low),
                price_high: with_band.then_some(listed.price_high),
                position_max: listed.position_max,
                quote_worth: listed.quote_worth,
            });
        let DeskRules { restricted, drift_bps, slippage_bps, open_orders_max, exposure_max, day_loss_max, drawdown_max, .. } =
            policy.desk.clone();
        let limits = ManagedLimits {
            currency: has(16).then(|| policy.currency.clone()),
            order_notional_max: has(7).then_some(policy.order_notional_max),
            day_notional_max: (with_band && has(8)).then_some(policy.day_notional_max),
            confirm_above: policy.confirm_above.filter(|_| with_band),
            orders_per_minute: has(9).then_some(policy.orders_per_minute),
            price_collar_bps: has(10).then_some(policy.price_collar_bps),
            session_idle_ms: has(11).then_some(policy.session_idle_ms),
            session_age_max_ms: has(12).then_some(policy.session_age_max_ms),
            kdf_floor: policy.kdf_floor,
            instruments: instruments.collect(),
            only_listed: with_band || has(13),
            desk: ManagedDesk {
                modes: if has(14) { policy.desk.modes.clone() } else { BTreeMap::new() },
                restricted,
                drift_bps,
                slippage_bps,
                open_orders_max,
                exposure_max,
                day_loss_max,
                drawdown_max,
                duplicate_ms: policy.desk.duplicate_ms,
                fills_per_minute: policy.desk.fills_per_minute,
                cancels_percent: policy.desk.cancels_percent,
                no_self_trade: has(15),
            },
        };
        let managed = Managed { serial: 1, organisation: "Example".to_owned(), released: false, limits };
        assert_eq!(Managed::parse(&serde_json::to_vec(&managed).unwrap()).unwrap(), managed);
        managed
    })
}

/// The organisation's limits alone: over a policy that limits nothing, whose bands are the organisation's where it has some.
fn alone(managed: &Managed, instruments: &Policy) -> Policy {
    let most = Notional::new(Decimal::from(1_000_000_000_000_000_u64)).unwrap();
    let (hour_ms, mut instruments) = (3_600_000, instruments.instruments.clone());
    for listed in &mut instruments {
        let known = managed.limits.instruments.iter().find(|known| known.symbol == listed.symbol);
        listed.quantity_max = Quantity::new(Decimal::from(1_000_000)).unwrap();
        listed.position_max = None;
        listed.counted = None;
        listed.quote_worth = known.and_then(|known| known.quote_worth);
        listed.price_low = known.and_then(|known| known.price_low).unwrap_or(listed.price_low);
        listed.price_high = known.and_then(|known| known.price_high).unwrap_or(listed.price_high);
    }
    let loosest = Policy {
        instruments,
        unlisted: Vec::new(),
        currency: "USDT".to_owned(),
        order_notional_max: most,
        day_notional_max: most,
        confirm_above: None,
        orders_per_minute: 6_000,
        price_collar_bps: 10_000,
        session_idle_ms: 12 * hour_ms,
        session_age_max_ms: 24 * hour_ms,
        kdf_floor: None,
        thresholds: Vec::new(),
        desk: DeskRules {
            modes: desk_rules().into_iter().map(|rule| (rule, RuleMode::Shadow)).collect(),
            drift_bps: None,
            slippage_bps: None,
            open_orders_max: None,
            self_trade: true,
            ..DeskRules::default()
        },
    };
    managed.tightens(&loosest)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The owner's limits and the organisation's: what passes under both together passes under each.
    #[test]
    fn what_passes_under_an_organisation_passes_under_both(own in policies(), managed in managed(), world in worlds()) {
        let own = Policy { instruments: own.instruments.into_iter().map(|listed| strongroom_guard::InstrumentPolicy { counted: None, ..listed }).collect(), ..own };
        let (tight, alone) = (managed.tightens(&own), alone(&managed, &own));
        weighs_no_less(&world, &own, &tight, true, "beyond the owner's")?;
        weighs_no_less(&world, &alone, &tight, true, "beyond the organisation's")?;
        // What is in force can be set, and what can be set is inside of the organisation's limits.
        let set = tight.clone().as_set();
        for asked in [&own, &set] {
            if let Some(beyond) = managed.refuses(asked) {
                prop_assert!(asked != &set, "{}", beyond);
                continue;
            }
            let again = managed.tightens(asked);
            // What its owner takes off the list, with a code, is in no sum any more.
            let summed = |policy: &Policy| policy.instruments.len() + policy.unlisted.len();
            weighs_no_less(&world, &alone, &again, summed(&again) == summed(&alone), "set, and beyond it")?;
        }
    }

    /// An order that meets every rule of the desk passes whatever the modes are; one that does not weighs as much as the mode says.
    #[test]
    fn modes_only_soften(policy in policies(), world in worlds(), mode in 0_u8..3) {
        let mode = [RuleMode::Shadow, RuleMode::Ask, RuleMode::Refuse][usize::from(mode)];
        let with = |mode| {
            let mut policy = policy.clone();
            policy.desk.modes = desk_rules().into_iter().map(|rule| (rule, mode)).collect();
            policy
        };
        let (hardest, softened) = (with(RuleMode::Refuse), with(mode));
        prop_assert_eq!(softened.is_raised_by(&hardest), false);
        prop_assert_eq!(hardest.is_raised_by(&softened), mode != RuleMode::Refuse);
        let (hard, soft) = (world.judged(&hardest), weights(&world.judged(&softened)));
        let can_be_softened = |rule: &str| desk_rules().iter().any(|known| known.name() == rule) || rule == "exposure-unknown";
        for reason in hard.refused {
            let expected = if can_be_softened(reason.rule()) && !is_of_reduction(&world, &reason) { mode as Weight + 1 } else { REFUSES };
            prop_assert_eq!(soft.get(reason.rule()), Some(&expected), "{}", reason);
        }
    }
}

/// What may only reduce has to be known to be held, whatever the modes are.
fn is_of_reduction(world: &World, reason: &Reason) -> bool {
    world.order.reduce_only && world.order.can_only_reduce() && matches!(reason, Reason::ExposureUnknown { .. })
}

/// Whether the signer would sign it, as the first of the day.
fn signs(policy: &Policy, order: &PlaceOrder) -> bool {
    let session = Session { opened_ms: 0, used_ms: 0, roles: Role::ALL.to_vec(), is_service: false };
    let facts = SignerFacts {
        freeze: None,
        session: Ok(&session),
        scope: &KeyScope::default(),
        rate: &mut OrderRate::default(),
        turnover: &mut Turnover::default(),
        slot: None,
        turnovers: &mut Turnovers::default(),
        is_confirmed: false,
        now_ms: 0,
        wall: Timestamp::from_ms(0),
    };
    signer_gate(policy, facts, &Intent::Place(order.clone())) == Verdict::Allow
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
        state.held([("BTC".to_owned(), Amount::new(largest(4)).unwrap()), ("USDT".to_owned(), Amount::new(largest(5)).unwrap())], AT, AT);
        let mark = Price::new(largest(5).max(Decimal::new(1, 18))).unwrap();
        state.marks([(btc(), mark)].into_iter().collect(), 0);
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
            let _ = signs(&policy, &order);
            state.sent(&order, number);
            state.stands(&order, (quantity, Notional::new(largest(0)).unwrap()), std::slice::from_ref(&trade), number % 2 == 0, (AT, None));
            state.executed(&order, None, number);
            let _ = state.must_stop(&policy, number, AT);
        }
    }
}
