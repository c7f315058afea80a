//! Whether somebody trades the same again and again. Invariant: whoever does is stopped, and nobody else, as far as names and sessions
//! tell who it is; where they do not, more is stopped, never less.

use std::collections::{BTreeSet, VecDeque};

use strongroom_model::{OwnerTag, PlaceOrder, Side, Symbol};

use crate::freezes::KillScope;
use crate::reason::Reason;

const MINUTE_MS: u64 = 60_000;
/// Most executions that are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// Who traded lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repeats {
    /// Orders that filled within the last minute, newest last.
    executed: VecDeque<Execution>,
    /// Whose session a bot was stopped at that was at it.
    warned: BTreeSet<Option<u16>>,
}

/// One order, when it first filled.
#[derive(Clone, Debug)]
struct Execution {
    at_ms: u64,
    symbol: Symbol,
    side: Side,
    slot: Option<u16>,
    bot: Option<OwnerTag>,
}

impl Repeats {
    /// An order filled for the first time.
    pub(crate) fn executed(&mut self, order: &PlaceOrder, slot: Option<u16>, now_ms: u64) {
        if self.executed.len() >= REMEMBERED_MAX {
            self.executed.pop_front();
        }
        let bot = order.client_order_id.owner();
        self.executed.push_back(Execution { at_ms: now_ms, symbol: order.symbol.clone(), side: order.side, slot, bot });
    }

    /// What an order would repeat: so many of its instrument and side filled within a minute. `stops`: whose they are is stopped.
    pub(crate) fn repeated(&self, order: &PlaceOrder, max: u32, stops: bool, now_ms: u64) -> Option<Reason> {
        let is_same = |one: &&Execution| (&one.symbol, one.side) == (&order.symbol, order.side);
        let is_young = |one: &&Execution| now_ms.saturating_sub(one.at_ms) < MINUTE_MS;
        let same: Vec<_> = self.executed.iter().filter(is_same).filter(is_young).collect();
        let max_len = usize::try_from(max).unwrap_or(usize::MAX);
        // It passes once no more than so many are left, without this one.
        let last_to_leave = same.len().checked_sub(max_len)?.checked_sub(1)?;
        let eases_in_ms = (!stops).then(|| same.get(last_to_leave).map_or(0, |one| (one.at_ms + MINUTE_MS).saturating_sub(now_ms)));
        Some(Reason::RepeatedExecution { symbol: order.symbol.clone(), side: order.side, max, eases_in_ms })
    }

    /// Who has to stop: more than `max` orders of one instrument and side filled within a minute. What is stopped is forgotten here, so that
    /// the others are counted on.
    pub(crate) fn must_stop(&mut self, max: u32, now_ms: u64) -> Option<(Reason, KillScope)> {
        while self.executed.front().is_some_and(|first| now_ms.saturating_sub(first.at_ms) >= MINUTE_MS) {
            self.executed.pop_front();
        }
        let (reason, scope) = self.executed.iter().find_map(|first| {
            let is_same = |one: &&Execution| (&one.symbol, one.side) == (&first.symbol, first.side);
            let same: Vec<&Execution> = self.executed.iter().filter(is_same).collect();
            let is_too_often = u32::try_from(same.len()).unwrap_or(u32::MAX) > max;
            let reason = Reason::RepeatedExecution { symbol: first.symbol.clone(), side: first.side, max, eases_in_ms: None };
            is_too_often.then(|| (reason, self.culprit(&same)))
        })?;
        let is_of = |one: &Execution| match &scope {
            KillScope::Bot(owner) => one.bot.as_ref() == Some(owner),
            KillScope::Person(slot) => one.slot == Some(*slot),
            _ => true,
        };
        if matches!(scope, KillScope::Bot(_)) {
            self.warned.extend(self.executed.iter().filter(|one| is_of(one)).map(|one| one.slot));
        }
        self.executed.retain(|one| !is_of(one));
        Some((reason, scope))
    }

    /// The bot whose orders more than half of them are, unless one of the same session was stopped already; else the person with so many;
    /// else everything.
    fn culprit(&self, same: &[&Execution]) -> KillScope {
        let is_most = |count: usize| count * 2 > same.len();
        let bot = same.iter().filter_map(|one| one.bot.as_ref()).find(|bot| {
            let of: Vec<_> = same.iter().filter(|one| one.bot.as_ref() == Some(bot)).collect();
            is_most(of.len()) && of.iter().all(|one| !self.warned.contains(&one.slot))
        });
        let person =
            || same.iter().filter_map(|one| one.slot).find(|slot| is_most(same.iter().filter(|one| one.slot == Some(*slot)).count()));
        bot.cloned().map(KillScope::Bot).or_else(|| person().map(KillScope::Person)).unwrap_or_default()
    }

    /// Whoever was stopped may go on: it begins anew.
    pub(crate) fn rearmed(&mut self) {
        *self = Self::default();
    }
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
            // At the limit, and the other side.
            (&[("grid-1", Buy, Some(0)), ("grid-2", Buy, Some(0))], None),
            (&[("grid-1", Buy, Some(0)), ("grid-2", Sell, Some(0)), ("grid-3", Buy, Some(0))], None),
            // Of several persons, whose most are; else everything.
            (&[("sr-1", Buy, Some(0)), ("sr-2", Buy, Some(1)), ("sr-3", Buy, Some(0))], Some("slot 0")),
            (&[("sr-1", Buy, Some(0)), ("sr-2", Buy, Some(1)), ("sr-3", Buy, Some(2))], Some("everything")),
        ] {
            assert_eq!(stopped(executed, 2).as_deref(), scope, "{executed:?}");
        }
    }

    #[test]
    fn another_name_helps_once() {
        let mut repeats = Repeats::default();
        let run = |repeats: &mut Repeats, tag: &str, slot, at_ms| {
            for number in 0..3 {
                repeats.executed(&order(&format!("{tag}-{number}"), Side::Buy), Some(slot), at_ms);
            }
            repeats.must_stop(2, at_ms).map(|(_, scope)| scope.to_string())
        };
        assert_eq!(run(&mut repeats, "a", 3, 0).as_deref(), Some("bot a"));
        assert_eq!(run(&mut repeats, "a", 4, 100_000).as_deref(), Some("bot a"), "another person's");
        assert_eq!(run(&mut repeats, "b", 3, 200_000).as_deref(), Some("slot 3"));
        repeats.rearmed();
        assert_eq!(run(&mut repeats, "c", 3, 300_000).as_deref(), Some("bot c"));
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
