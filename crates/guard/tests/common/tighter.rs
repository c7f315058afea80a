//! Every way to make limits tighter, one at a time. Invariant: each field of each struct of limits is named here, without `..`: a new one
//! does not compile until it is said how it is tightened.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its own part")]

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use strongroom_guard::{
    Actor, DeskRule, DeskRules, ExposureLimit, ExposureScope, InstrumentPolicy, KdfFloor, Policy, Role, RuleMode, Session, Threshold,
};
use strongroom_model::{DayWindow, KeyOperation, KeyScope, Notional, OrderKind, OwnerTag, Price, Quantity, Side, Symbol, Venue};

use super::worlds::symbols;

/// How much tighter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// So much of a number is left.
    pub(crate) percent: u32,
    /// Where there was no limit, one of about so many units of a quote asset.
    pub(crate) units: u32,
}

/// What of it can be compared with what it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// Everything: it needs no code.
    All,
    /// Everything, though it needs a code.
    AllByCode,
    /// Orders that are counted at prices of their own: all others are counted at the band's edges, so a tighter band needs a code.
    OfOwnWorth,
    /// It is gone from the list; what is held of it is not summed up any more, so with a limit on the sum that needs a code.
    Without(Symbol),
}

/// A policy with one limit tighter than before.
#[derive(Clone, Debug)]
pub(crate) struct Tighter {
    /// Which limit.
    pub(crate) name: &'static str,
    pub(crate) policy: Policy,
    pub(crate) compared: Compared,
}

/// What makes limits tighter.
type Change<'a, T> = &'a dyn Fn(&mut T);

impl Turn {
    fn part(self, value: Decimal) -> Decimal {
        value * Decimal::from(self.percent) / Decimal::ONE_HUNDRED
    }

    fn worth(self, before: Notional) -> Notional {
        Notional::new(self.part(before.value())).unwrap()
    }

    /// A maximum, where nothing means none.
    fn most(self, before: Option<Notional>) -> Option<Notional> {
        Some(before.map_or_else(|| Notional::new(self.units.into()).unwrap(), |before| self.worth(before)))
    }

    fn quantity(self, before: Quantity) -> Quantity {
        Quantity::new(self.part(before.value())).unwrap()
    }

    fn price(self, before: Price) -> Price {
        Price::new(self.part(before.value()).max(Decimal::new(1, 8))).unwrap()
    }

    fn count(self, before: u32) -> u32 {
        before * self.percent / 100
    }

    /// A number of things, where nothing means any.
    fn few(self, before: Option<u32>, unset: u32) -> Option<u32> {
        Some(before.map_or(unset, |before| self.count(before)))
    }
}

/// The rule after this one; a rule that is missing here does not compile.
fn next(rule: Option<DeskRule>) -> Option<DeskRule> {
    use DeskRule as R;
    match rule {
        None => Some(R::Restricted),
        Some(R::Restricted) => Some(R::PriceCollar),
        Some(R::PriceCollar) => Some(R::PriceDrift),
        Some(R::PriceDrift) => Some(R::Slippage),
        Some(R::Slippage) => Some(R::OpenOrders),
        Some(R::OpenOrders) => Some(R::Position),
        Some(R::Position) => Some(R::Exposure),
        Some(R::Exposure) => Some(R::DayLoss),
        Some(R::DayLoss) => Some(R::Drawdown),
        Some(R::Drawdown) => Some(R::Duplicate),
        Some(R::Duplicate) => Some(R::CancelRatio),
        Some(R::CancelRatio) => Some(R::SelfTrade),
        Some(R::SelfTrade) => Some(R::RepeatedExecution),
        Some(R::RepeatedExecution) => None,
    }
}

/// Every rule that can be softened.
pub(crate) fn desk_rules() -> Vec<DeskRule> {
    std::iter::successors(next(None), |rule| next(Some(*rule))).collect()
}

/// Each limit tighter than in `loose`, all others as they are.
pub(crate) fn policies(loose: &Policy, turn: Turn) -> Vec<Tighter> {
    let mut found = Vec::new();
    let mut put = |name, compared, change: Change<'_, Policy>| {
        let mut policy = loose.clone();
        change(&mut policy);
        found.push(Tighter { name, policy, compared });
    };
    let Policy {
        instruments,
        unlisted: _,
        // No limit: what the others are in.
        currency: _,
        order_notional_max,
        day_notional_max,
        confirm_above,
        orders_per_minute,
        price_collar_bps,
        session_idle_ms,
        session_age_max_ms,
        kdf_floor,
        thresholds,
        desk,
    } = loose;
    put("order_notional_max", Compared::All, &|p| p.order_notional_max = turn.worth(*order_notional_max));
    put("day_notional_max", Compared::All, &|p| p.day_notional_max = turn.worth(*day_notional_max));
    put("confirm_above", Compared::All, &|p| p.confirm_above = turn.most(*confirm_above));
    put("orders_per_minute", Compared::All, &|p| p.orders_per_minute = turn.count(*orders_per_minute));
    put("price_collar_bps", Compared::All, &|p| p.price_collar_bps = turn.count(*price_collar_bps));
    put("session_idle_ms", Compared::All, &|p| p.session_idle_ms = session_idle_ms * u64::from(turn.percent) / 100);
    put("session_age_max_ms", Compared::All, &|p| p.session_age_max_ms = session_age_max_ms * u64::from(turn.percent) / 100);
    let harder = KdfFloor { memory_mib: kdf_floor.map_or(64, |floor| floor.memory_mib * 2), passes: 9 };
    put("kdf_floor", Compared::AllByCode, &|p| p.kdf_floor = Some(harder));
    for (at, Threshold { of: _, day_notional_max }) in thresholds.iter().enumerate() {
        put("thresholds", Compared::All, &|p| p.thresholds[at].day_notional_max = turn.worth(*day_notional_max));
    }
    let is_free = |of: &Actor| !thresholds.iter().any(|known| known.of == *of);
    for of in [Actor::Person(0), Actor::Bot(OwnerTag::parse("grid").unwrap())].into_iter().filter(is_free) {
        let day_notional_max = Notional::new(turn.units.into()).unwrap();
        put("thresholds", Compared::All, &|p| p.thresholds.push(Threshold { of: of.clone(), day_notional_max }));
    }
    for (at, listed) in instruments.iter().enumerate() {
        of_instrument(listed, turn, &mut |name, compared, change| put(name, compared, &|p| change(&mut p.instruments[at])));
        put("unlisted", Compared::All, &|p| {
            let gone = p.instruments.remove(at);
            p.unlisted.push(gone);
        });
        put("instruments", Compared::Without(listed.symbol.clone()), &|p| drop(p.instruments.remove(at)));
    }
    of_desk(desk, turn, &mut |name, change| put(name, Compared::All, &|p| change(&mut p.desk)));
    found
}

fn of_instrument(loose: &InstrumentPolicy, turn: Turn, put: &mut dyn FnMut(&'static str, Compared, Change<'_, InstrumentPolicy>)) {
    let InstrumentPolicy { symbol: _, quantity_max, price_low, price_high, position_max, quote_worth, counted } = loose;
    put("quantity_max", Compared::All, &|one| one.quantity_max = turn.quantity(*quantity_max));
    put("position_max", Compared::All, &|one| one.position_max = Some(turn.quantity(position_max.unwrap_or(*quantity_max))));
    let dearer = Price::new(quote_worth.map_or(Decimal::ONE, Price::value) * Decimal::from(200 - turn.percent) / Decimal::ONE_HUNDRED);
    put("quote_worth", Compared::All, &|one| one.quote_worth = dearer);
    // The lower edge goes up to where all of the way is the upper one, and the other way round.
    let between = |from: Price, to: Price| {
        Price::new(from.value() + (to.value() - from.value()) * Decimal::from(100 - turn.percent) / Decimal::ONE_HUNDRED).unwrap()
    };
    let edges = counted.unwrap_or((*price_low, *price_high));
    let (low, high) = (between(*price_low, *price_high), between(*price_high, *price_low));
    put("price_low", Compared::OfOwnWorth, &|one| one.price_low = low);
    put("price_high", Compared::OfOwnWorth, &|one| one.price_high = high);
    // As an organisation does it: what is counted at the edges is counted there still.
    put("price_low, counted as before", Compared::AllByCode, &|one| (one.price_low, one.counted) = (low, Some(edges)));
    put("price_high, counted as before", Compared::AllByCode, &|one| (one.price_high, one.counted) = (high, Some(edges)));
    let further = (turn.price(edges.0), Price::new(edges.1.value() * Decimal::TWO).unwrap());
    put("counted", Compared::AllByCode, &|one| one.counted = Some(further));
}

fn of_desk(loose: &DeskRules, turn: Turn, put: &mut dyn FnMut(&'static str, Change<'_, DeskRules>)) {
    let DeskRules {
        modes,
        restricted,
        drift_bps,
        slippage_bps,
        open_orders_max,
        exposure_max,
        exposure_of,
        day_loss_max,
        drawdown_max,
        duplicate_ms,
        fills_per_minute,
        cancels_percent,
        self_trade,
        fixed: _,
    } = loose;
    for rule in desk_rules() {
        if let Some(stricter) = stricter(modes, rule) {
            put("modes", &|desk| desk.modes.extend([(rule, stricter)]));
        }
    }
    for symbol in symbols().into_iter().filter(|symbol| !restricted.contains(symbol)) {
        put("restricted", &|desk| desk.restricted.push(symbol.clone()));
    }
    put("drift_bps", &|desk| desk.drift_bps = turn.few(*drift_bps, 300));
    put("slippage_bps", &|desk| desk.slippage_bps = turn.few(*slippage_bps, 300));
    put("open_orders_max", &|desk| desk.open_orders_max = turn.few(*open_orders_max, turn.percent / 25));
    put("exposure_max", &|desk| desk.exposure_max = turn.most(*exposure_max));
    for (at, ExposureLimit { of: _, max }) in exposure_of.iter().enumerate() {
        put("exposure_of", &|desk| desk.exposure_of[at].max = turn.worth(*max));
    }
    let max = Notional::new(turn.units.into()).unwrap();
    let is_free = |of: &ExposureScope| !exposure_of.iter().any(|known| known.of == *of);
    for of in [ExposureScope::Venue(Venue::Binance), ExposureScope::Account("desk 2".to_owned())].into_iter().filter(is_free) {
        put("exposure_of", &|desk| desk.exposure_of.push(ExposureLimit { of: of.clone(), max }));
    }
    put("day_loss_max", &|desk| desk.day_loss_max = turn.most(*day_loss_max));
    put("drawdown_max", &|desk| desk.drawdown_max = turn.most(*drawdown_max));
    put("duplicate_ms", &|desk| desk.duplicate_ms = Some(duplicate_ms.unwrap_or(0) + u64::from(turn.units)));
    put("fills_per_minute", &|desk| desk.fills_per_minute = turn.few(*fills_per_minute, 1));
    put("cancels_percent", &|desk| desk.cancels_percent = turn.few(*cancels_percent, turn.percent));
    if *self_trade {
        put("self_trade", &|desk| desk.self_trade = false);
    }
}

/// One step.
fn stricter(modes: &BTreeMap<DeskRule, RuleMode>, rule: DeskRule) -> Option<RuleMode> {
    match modes.get(&rule).copied().unwrap_or_default() {
        RuleMode::Shadow => Some(RuleMode::Ask),
        RuleMode::Ask => Some(RuleMode::Refuse),
        RuleMode::Refuse => None,
    }
}

/// Each part of a credential's scope narrower than in `loose`, all others as they are.
pub(crate) fn scopes(loose: &KeyScope, turn: Turn) -> Vec<(&'static str, KeyScope)> {
    let KeyScope { operations, instruments, side, kinds, notional_max, hours } = loose;
    let mut found = Vec::new();
    let fewer = |of: Vec<KeyOperation>| KeyScope { operations: of, ..loose.clone() };
    match operations.split_last() {
        None => found.extend(KeyOperation::ALL.map(|only| ("operations", fewer(vec![only])))),
        Some((_, [])) => {}
        Some((_, others)) => found.push(("operations", fewer(others.to_vec()))),
    }
    // None is all.
    let fewer = |of: Vec<Symbol>| KeyScope { instruments: of, ..loose.clone() };
    match instruments.split_last() {
        None => found.extend(symbols().into_iter().map(|only| ("scope's instruments", fewer(vec![only])))),
        Some((_, [])) => {}
        Some((_, others)) => found.push(("scope's instruments", fewer(others.to_vec()))),
    }
    if side.is_none() {
        found.extend([Side::Buy, Side::Sell].map(|side| ("side", KeyScope { side: Some(side), ..loose.clone() })));
    }
    let fewer = |of: Vec<OrderKind>| KeyScope { kinds: of, ..loose.clone() };
    match kinds.split_last() {
        None => found.extend([OrderKind::Limit, OrderKind::PostOnly, OrderKind::Market].map(|only| ("kinds", fewer(vec![only])))),
        Some((_, [])) => {}
        Some((_, others)) => found.push(("kinds", fewer(others.to_vec()))),
    }
    found.push(("notional_max", KeyScope { notional_max: turn.most(*notional_max), ..loose.clone() }));
    let (from_minute, until_minute) = hours.map_or((0, 1_440), |hours| (hours.from_minute, hours.until_minute));
    // A window that goes over midnight is left as it is.
    if until_minute > from_minute + 1 {
        let middle = from_minute + (until_minute - from_minute) / 2;
        let windows = [DayWindow { from_minute, until_minute: middle }, DayWindow { from_minute: middle, until_minute }];
        found.extend(windows.map(|hours| ("hours", KeyScope { hours: Some(hours), ..loose.clone() })));
    }
    found
}

/// Each part of a session less than in `loose`.
pub(crate) fn sessions(loose: &Session) -> Vec<(&'static str, Session)> {
    let Session { opened_ms, used_ms, roles, is_service } = loose;
    let fewer = |role: &Role| roles.iter().filter(|kept| *kept != role).copied().collect();
    let mut found: Vec<_> = roles.iter().map(|role| ("roles", Session { roles: fewer(role), ..loose.clone() })).collect();
    found.push(("opened_ms", Session { opened_ms: opened_ms / 2, ..loose.clone() }));
    found.push(("used_ms", Session { used_ms: used_ms / 2, ..loose.clone() }));
    if *is_service {
        found.push(("is_service", Session { is_service: false, ..loose.clone() }));
    }
    found
}
