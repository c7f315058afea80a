//! Whether somebody trades the same again and again. Invariant: whoever does is stopped, and nobody else, as far as names and sessions
//! tell who it is; where they do not, more is stopped, never less.

use std::collections::VecDeque;

use strongroom_model::{PlaceOrder, Side, Symbol};

use crate::freezes::KillScope;
use crate::rules::Reason;
use crate::thresholds::{Actor, By};

const MINUTE_MS: u64 = 60_000;
/// Most executions that are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// Orders that filled within the last minute, newest last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repeats(VecDeque<Execution>);

/// One order, when it first filled.
#[derive(Clone, Debug)]
struct Execution {
    at_ms: u64,
    symbol: Symbol,
    side: Side,
    slot: Option<u16>,
    actor: Option<Actor>,
}

impl Repeats {
    /// An order filled for the first time.
    pub(crate) fn executed(&mut self, order: &PlaceOrder, slot: Option<u16>, now_ms: u64) {
        if self.0.len() >= REMEMBERED_MAX {
            self.0.pop_front();
        }
        let actor = Actor::of(By { slot, order: &order.client_order_id });
        self.0.push_back(Execution { at_ms: now_ms, symbol: order.symbol.clone(), side: order.side, slot, actor });
    }

    /// Who has to stop: of one person's orders, its bots' included, more than `max` of one side filled within a minute. That is the one
    /// whose orders most of them are; without such a one the person, and everything where no person is known. What it did is forgotten
    /// here: allowed again, it begins anew.
    pub(crate) fn must_stop(&mut self, max: u32, now_ms: u64) -> Option<(Reason, KillScope)> {
        while self.0.front().is_some_and(|first| now_ms.saturating_sub(first.at_ms) >= MINUTE_MS) {
            self.0.pop_front();
        }
        let (reason, scope) = self.0.iter().find_map(|first| {
            let is_same = |one: &&Execution| (&one.symbol, one.side, one.slot) == (&first.symbol, first.side, first.slot);
            let same: Vec<&Execution> = self.0.iter().filter(is_same).collect();
            if u32::try_from(same.len()).unwrap_or(u32::MAX) <= max {
                return None;
            }
            let scope = most_of(&same).or(first.slot.map(Actor::Person)).map_or(KillScope::Everything, KillScope::from);
            Some((Reason::RepeatedExecution { symbol: first.symbol.clone(), side: first.side, max }, scope))
        })?;
        self.0.retain(|one| match &scope {
            KillScope::Bot(owner) => one.actor != Some(Actor::Bot(owner.clone())),
            KillScope::Person(slot) => one.slot != Some(*slot),
            _ => false,
        });
        Some((reason, scope))
    }
}

/// The one whose orders more than half of these are.
fn most_of(executions: &[&Execution]) -> Option<Actor> {
    let of = |actor: &Actor| executions.iter().filter(|one| one.actor.as_ref() == Some(actor)).count();
    executions.iter().filter_map(|one| one.actor.as_ref()).find(|actor| of(actor) * 2 > executions.len()).cloned()
}

#[cfg(test)]
mod tests {
    use strongroom_model::{ClientOrderId, OrderSpec, Price, Quantity};

    use super::*;

    fn order(name: &str, side: Side) -> PlaceOrder {
        let (price, quantity) = (Price::parse("1").unwrap(), Quantity::parse("1").unwrap());
        PlaceOrder {
            client_order_id: ClientOrderId::parse(name).unwrap(),
            symbol: Symbol::parse("BTCUSDT").unwrap(),
            side,
            spec: OrderSpec::PostOnly { price, quantity },
            reduce_only: false,
        }
    }

    fn stopped(executed: &[(&str, Side, Option<u16>)], max: u32) -> Option<String> {
        let mut repeats = Repeats::default();
        for (name, side, slot) in executed {
            repeats.executed(&order(name, *side), *slot, 0);
        }
        let found = repeats.must_stop(max, 1).map(|(_, scope)| scope.to_string());
        if found.is_some() {
            assert_eq!(repeats.must_stop(max, 1), None, "it begins anew");
        }
        found
    }

    #[test]
    fn whoever_does_most_of_it_is_stopped() {
        use Side::{Buy, Sell};
        for (executed, scope) in [
            (&[("grid-1", Buy, Some(0)), ("grid-2", Buy, Some(0)), ("grid-3", Buy, Some(0))][..], Some("bot grid")),
            (&[("grid-1", Buy, Some(0)), ("sr-1", Buy, Some(0)), ("grid-3", Buy, Some(0))], Some("bot grid")),
            // Names of the desk, and those that say nothing, are the person's.
            (&[("sr-1", Buy, Some(3)), ("x", Buy, Some(3)), ("GRID-1", Buy, Some(3))], Some("slot 3")),
            // A bot that calls itself otherwise each time.
            (&[("a-1", Buy, Some(3)), ("b-1", Buy, Some(3)), ("c-1", Buy, Some(3))], Some("slot 3")),
            (&[("sr-1", Buy, None), ("sr-2", Buy, None), ("sr-3", Buy, None)], Some("everything")),
            (&[("grid-1", Buy, None), ("grid-2", Buy, None), ("grid-3", Buy, None)], Some("bot grid")),
            // At the limit, other sides, other persons.
            (&[("grid-1", Buy, Some(0)), ("grid-2", Buy, Some(0))], None),
            (&[("grid-1", Buy, Some(0)), ("grid-2", Sell, Some(0)), ("grid-3", Buy, Some(0))], None),
            (&[("sr-1", Buy, Some(0)), ("sr-2", Buy, Some(1)), ("sr-3", Buy, Some(0))], None),
        ] {
            assert_eq!(stopped(executed, 2).as_deref(), scope, "{executed:?}");
        }
    }

    #[test]
    fn others_go_on_and_are_counted_on() {
        let mut repeats = Repeats::default();
        for name in ["grid-1", "sr-1", "grid-2"] {
            repeats.executed(&order(name, Side::Buy), Some(0), 0);
        }
        assert!(matches!(repeats.must_stop(2, 1), Some((_, KillScope::Bot(_)))));
        repeats.executed(&order("sr-2", Side::Buy), Some(0), 2);
        assert_eq!(repeats.must_stop(2, 2), None);
        repeats.executed(&order("sr-3", Side::Buy), Some(0), 3);
        assert_eq!(repeats.clone().must_stop(2, 59_999).map(|(_, scope)| scope), Some(KillScope::Person(0)));
        assert_eq!(repeats.must_stop(2, 60_000), None, "the first left the minute");
    }
}
