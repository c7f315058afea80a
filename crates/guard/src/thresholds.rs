//! How much one person or one bot may sign in a day. Invariant: what is counted stays for 24 hours at least, and a restart counts what may
//! have been signed for each of them.

use std::fmt;

use serde::{Deserialize, Serialize};
use strongroom_model::{ClientOrderId, Notional, OwnerTag};

use crate::turnover::Turnover;

/// Most thresholds: the sums of all of them fit into the signer's state file.
pub(crate) const THRESHOLDS_MAX: usize = 16;
/// Counted in hours: a value leaves up to one later than after 24 hours, never earlier.
const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 86_400;

/// Whose orders are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Actor {
    /// Whoever unlocks with this slot of the vault, at every door together; a machine's slot, too.
    Person(u16),
    /// Orders of one owner, by what their names begin with.
    Bot(OwnerTag),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(slot) => write!(f, "slot {slot}"),
            Self::Bot(owner) => write!(f, "bot {owner}"),
        }
    }
}

/// What one of them may sign in a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Threshold {
    /// Whose.
    pub of: Actor,
    /// Most that is signed in 24 hours, each order at the most that it can be worth inside its band.
    pub day_notional_max: Notional,
}

/// By whom an order is.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// The slot by which the session was opened.
    pub slot: Option<u16>,
    /// The order's name.
    pub order: &'a ClientOrderId,
}

impl By<'_> {
    fn is(self, actor: &Actor) -> bool {
        match actor {
            Actor::Person(slot) => self.slot == Some(*slot),
            Actor::Bot(owner) => self.order.is_of(owner),
        }
    }
}

/// Why one more does not pass.
#[derive(Debug)]
pub(crate) struct Over {
    /// Whose threshold.
    pub(crate) of: String,
    /// What counts already.
    pub(crate) counted: Notional,
    /// The most allowed.
    pub(crate) max: Notional,
    /// When the first of it leaves.
    pub(crate) retry_after_ms: u64,
}

/// What each that has a threshold signed in the last day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Turnovers(Vec<(Actor, Turnover)>);

impl Turnovers {
    /// Whether one more of that worth passes.
    pub(crate) fn check(&mut self, thresholds: &[Threshold], by: By<'_>, asked: Notional, now_s: u64) -> Result<(), Over> {
        for threshold in thresholds.iter().filter(|threshold| by.is(&threshold.of)) {
            let turnover = self.of(&threshold.of);
            let counted = turnover.of_day(hour(now_s));
            if counted.checked_add(asked).is_none_or(|sum| sum > threshold.day_notional_max) {
                let leaves_s = turnover.oldest_s().map_or(now_s, |oldest_s| oldest_s + DAY_S + HOUR_S);
                let retry_after_ms = leaves_s.saturating_sub(now_s).max(1) * 1_000;
                let (of, max) = (threshold.of.to_string(), threshold.day_notional_max);
                return Err(Over { of, counted, max, retry_after_ms });
            }
        }
        Ok(())
    }

    /// Counts an order that is signed. `false`: so large a sum cannot be held.
    #[must_use]
    pub fn count(&mut self, thresholds: &[Threshold], by: By<'_>, worth: Notional, now_s: u64) -> bool {
        self.keep(thresholds);
        thresholds.iter().filter(|threshold| by.is(&threshold.of)).all(|threshold| self.of(&threshold.of).count(worth, hour(now_s)))
    }

    /// After a restart: so much may have been signed by any of them.
    pub fn assume(&mut self, thresholds: &[Threshold], worth: Notional, now_s: u64) {
        self.keep(thresholds);
        for threshold in thresholds {
            // What cannot be held leaves the sum where it is, at the largest that there is.
            let _ = self.of(&threshold.of).count(worth, hour(now_s));
        }
    }

    /// Whoever has no threshold any more is not counted.
    fn keep(&mut self, thresholds: &[Threshold]) {
        self.0.retain(|(actor, _)| thresholds.iter().any(|threshold| threshold.of == *actor));
    }

    fn of(&mut self, actor: &Actor) -> &mut Turnover {
        let at = self.0.iter().position(|(known, _)| known == actor).unwrap_or_else(|| {
            self.0.push((actor.clone(), Turnover::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}

const fn hour(now_s: u64) -> u64 {
    now_s - now_s % HOUR_S
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u64 = 1_800_000_000;

    fn worth(text: &str) -> Notional {
        Notional::parse(text).unwrap()
    }

    fn bot(tag: &str) -> Actor {
        Actor::Bot(OwnerTag::parse(tag).unwrap())
    }

    #[test]
    fn each_is_counted_for_itself() {
        let thresholds = [
            Threshold { of: Actor::Person(2), day_notional_max: worth("100") },
            Threshold { of: bot("grid"), day_notional_max: worth("30") },
        ];
        let (of_bot, other) = (ClientOrderId::parse("grid-1").unwrap(), ClientOrderId::parse("gridlock").unwrap());
        let by = |slot, order| By { slot: Some(slot), order };
        let mut turnovers = Turnovers::default();
        let passes = |turnovers: &mut Turnovers, by, amount: &str, at| turnovers.check(&thresholds, by, worth(amount), at).is_ok();
        assert!(passes(&mut turnovers, by(2, &of_bot), "30", NOW_S) && !passes(&mut turnovers, by(2, &of_bot), "30.01", NOW_S));
        assert!(turnovers.count(&thresholds, by(2, &of_bot), worth("30"), NOW_S));
        assert!(!passes(&mut turnovers, by(3, &of_bot), "0.01", NOW_S), "the bot's, whoever is there");
        assert!(passes(&mut turnovers, by(2, &other), "70", NOW_S) && !passes(&mut turnovers, by(2, &other), "70.01", NOW_S));
        assert!(passes(&mut turnovers, by(3, &other), "1000000", NOW_S), "who has no threshold has none");
        for late in [0, 1, 3_599] {
            let Err(Over { retry_after_ms, .. }) = turnovers.clone().check(&thresholds, by(3, &of_bot), worth("1"), NOW_S + late) else {
                panic!("refused")
            };
            let leaves = late + retry_after_ms / 1_000;
            assert!((86_400..=90_000).contains(&leaves), "{leaves}");
            for (at, passed) in [(leaves - 1, false), (leaves, true)] {
                assert_eq!(passes(&mut turnovers.clone(), by(3, &of_bot), "30", NOW_S + at), passed, "after {at} s");
            }
        }
    }

    #[test]
    fn after_a_restart_each_may_have_signed_all_of_it() {
        let thresholds =
            [Threshold { of: bot("a"), day_notional_max: worth("10") }, Threshold { of: bot("b"), day_notional_max: worth("10") }];
        let order = ClientOrderId::parse("b-1").unwrap();
        let by = By { slot: None, order: &order };
        let mut turnovers = Turnovers::default();
        turnovers.assume(&thresholds, worth("4"), NOW_S);
        assert!(turnovers.check(&thresholds, by, worth("6"), NOW_S).is_ok());
        let refused = turnovers.check(&thresholds, by, worth("6.01"), NOW_S).unwrap_err();
        assert_eq!((refused.of.as_str(), refused.counted, refused.max), ("bot b", worth("4"), worth("10")));
    }

    #[test]
    fn the_fullest_is_small() {
        let most = u16::try_from(THRESHOLDS_MAX).unwrap();
        let thresholds: Vec<_> = (0..most).map(|slot| Threshold { of: Actor::Person(slot), day_notional_max: worth("1") }).collect();
        let order = ClientOrderId::parse("x").unwrap();
        let mut turnovers = Turnovers::default();
        for hours in 0..200 {
            for slot in 0..most {
                assert!(turnovers.count(
                    &thresholds,
                    By { slot: Some(slot), order: &order },
                    worth("123456789012.12345678"),
                    NOW_S + hours * 3_600
                ));
                let _ = turnovers.check(&thresholds, By { slot: Some(slot), order: &order }, worth("1"), NOW_S + hours * 3_600);
            }
        }
        let length = serde_json::to_vec(&turnovers).unwrap().len();
        assert!(length < 24 * 1_024, "{length} bytes");
    }
}
