//! What the kill switch stops, and how far it reaches. Invariant: engaging it never stops less than before; only re-arming takes anything
//! back, and then all of it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use strongroom_model::{ACCOUNT_LEN_MAX, CredentialId, CredentialInfo, OwnerTag, Remark, Venue};

use crate::thresholds::By;

/// More of them, and everything is stopped.
const FREEZES_MAX: usize = 32;
/// Longest reason, in bytes: all of them fit into the state file, whatever they say.
const WHY_LEN_MAX: usize = 200;

/// How far one use of the kill switch reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum KillScope {
    /// Whatever this vault signs.
    #[default]
    Everything,
    /// Keys of one venue.
    Venue(Venue),
    /// Keys of one account, as it is noted of them.
    Account(String),
    /// One key.
    Credential(CredentialId),
    /// Orders of one owner, by what their names begin with.
    Bot(OwnerTag),
    /// Orders of whoever unlocks with this slot of the vault, at every door.
    Person(u16),
}

impl KillScope {
    /// Whether an order by this actor, with that key, is inside.
    pub fn covers(&self, key: &CredentialInfo, by: By<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::Venue(venue) => key.venue == *venue,
            Self::Account(account) => key.details.account == *account,
            Self::Credential(id) => key.id == *id,
            Self::Bot(owner) => by.order.is_of(owner),
            Self::Person(slot) => by.slot == Some(*slot),
        }
    }
}

impl fmt::Display for KillScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Venue(venue) => write!(f, "venue {venue}"),
            Self::Account(account) => write!(f, "account {account}"),
            Self::Credential(id) => write!(f, "key {id}"),
            Self::Bot(owner) => write!(f, "bot {owner}"),
            Self::Person(slot) => write!(f, "slot {slot}"),
        }
    }
}

/// One use of the kill switch; only re-arming with a code takes it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// Who or what engaged it, in words.
    pub why: String,
    /// How far it reaches.
    #[serde(default)]
    pub scope: KillScope,
}

impl Freeze {
    /// What is too long is cut off.
    pub fn new(why: &str, scope: KillScope) -> Self {
        let scope = match scope {
            KillScope::Account(account) => KillScope::Account(clipped(&account, ACCOUNT_LEN_MAX)),
            scope => scope,
        };
        Self { why: clipped(why, WHY_LEN_MAX), scope }
    }

    /// Of everything. Whatever the words are, it is engaged.
    pub fn everything(why: &str) -> Self {
        Self::new(why, KillScope::Everything)
    }
}

impl fmt::Display for Freeze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            KillScope::Everything => f.write_str(&self.why),
            scope => write!(f, "{scope}: {}", self.why),
        }
    }
}

/// What of a text is plain, up to so many bytes.
fn clipped(text: &str, len_max: usize) -> String {
    let mut kept = String::from(Remark::clipped(text));
    while kept.len() > len_max {
        kept.pop();
    }
    kept
}

/// All that is engaged, the earliest of each scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Freezes(Vec<Freeze>);

impl Freezes {
    /// One more; what of it holds now: the earlier of the same scope stays. Too many scopes are everything.
    pub fn engage(&mut self, freeze: Freeze) -> Freeze {
        let freeze = Freeze::new(&freeze.why, freeze.scope);
        if let Some(same) = self.0.iter().find(|same| same.scope == freeze.scope) {
            return same.clone();
        }
        let freeze = if self.0.len() < FREEZES_MAX || freeze.scope == KillScope::Everything {
            freeze
        } else {
            Freeze { scope: KillScope::Everything, ..freeze }
        };
        if !self.0.contains(&freeze) {
            self.0.push(freeze.clone());
        }
        freeze
    }

    /// All of both.
    pub fn merge(&mut self, others: &Self) {
        for freeze in &others.0 {
            self.engage(freeze.clone());
        }
    }

    /// Why everything is stopped, if it is.
    pub fn everything(&self) -> Option<&Freeze> {
        self.0.iter().find(|freeze| freeze.scope == KillScope::Everything)
    }

    /// Why an order by this actor, with that key, is stopped, if it is.
    pub fn stops(&self, key: &CredentialInfo, by: By<'_>) -> Option<&Freeze> {
        self.everything().or_else(|| self.0.iter().find(|freeze| freeze.scope.covers(key, by)))
    }

    /// Why a key is held by its number or its account, if it is: then it neither gives way to another one nor changes its account.
    pub fn holds(&self, key: &CredentialInfo) -> Option<&Freeze> {
        self.0.iter().find(|freeze| match &freeze.scope {
            KillScope::Credential(id) => key.id == *id,
            KillScope::Account(account) => key.details.account == *account,
            KillScope::Everything | KillScope::Venue(_) | KillScope::Bot(_) | KillScope::Person(_) => false,
        })
    }

    /// What of exactly this reach is engaged.
    pub fn of(&self, scope: &KillScope) -> Option<&Freeze> {
        self.0.iter().find(|freeze| freeze.scope == *scope)
    }

    /// Whether nothing is engaged.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of `other` is engaged here, too.
    pub fn includes(&self, other: &Self) -> bool {
        other.0.iter().all(|freeze| self.0.contains(freeze))
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &Freeze> {
        self.0.iter()
    }
}

/// A list; or, as it was kept before there were scopes, one or none.
impl<'de> Deserialize<'de> for Freezes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Many(Vec<Freeze>),
            One(Option<Freeze>),
        }
        let mut freezes = Self::default();
        // What is kept is text; a message, which is not, is of this very build.
        let written = if deserializer.is_human_readable() {
            match Written::deserialize(deserializer)? {
                Written::Many(many) => many,
                Written::One(one) => one.into_iter().collect(),
            }
        } else {
            Vec::deserialize(deserializer)?
        };
        for freeze in written {
            freezes.engage(freeze);
        }
        Ok(freezes)
    }
}

#[cfg(test)]
mod tests {
    use strongroom_model::{ClientOrderId, KeyDetails, KeyStage, Origin, Scheme, Timestamp};

    use super::*;

    fn key(id: u64, account: &str) -> CredentialInfo {
        CredentialInfo {
            id: CredentialId(id),
            label: "test".to_owned(),
            venue: Venue::Binance,
            scheme: Scheme::HmacSha256,
            api_key: "key".to_owned(),
            created: Timestamp::from_us(0),
            stage: KeyStage::Active,
            replaces: None,
            origin: Origin::Typed,
            source: String::new(),
            granted: None,
            details: KeyDetails { account: account.to_owned(), ..KeyDetails::default() },
        }
    }

    fn name(text: &str) -> ClientOrderId {
        ClientOrderId::parse(text).unwrap()
    }

    #[test]
    fn each_scope_stops_its_own_and_nothing_else() {
        let bot = |tag: &str| KillScope::Bot(OwnerTag::parse(tag).unwrap());
        for (scope, stopped, passed) in [
            (KillScope::Everything, (1, "a", "x", 0), None),
            (KillScope::Venue(Venue::Binance), (1, "a", "x", 0), None),
            (KillScope::Account("a".to_owned()), (1, "a", "x", 0), Some((1, "b", "x", 0))),
            (KillScope::Credential(CredentialId(1)), (1, "a", "x", 0), Some((2, "a", "x", 0))),
            (bot("grid"), (1, "a", "grid-1", 0), Some((1, "a", "grid2-1", 0))),
            (bot("grid"), (1, "a", "grid-", 0), Some((1, "a", "grid", 0))),
            (KillScope::Person(3), (1, "a", "x", 3), Some((1, "a", "x", 2))),
        ] {
            let mut freezes = Freezes::default();
            freezes.engage(Freeze { why: "test".to_owned(), scope: scope.clone() });
            let stops = |(id, account, order, slot): (u64, &str, &str, u16)| {
                freezes.stops(&key(id, account), By { slot: Some(slot), order: &name(order) }).is_some()
            };
            assert!(stops(stopped), "{scope}");
            assert!(!passed.is_some_and(stops), "{scope}");
            assert_eq!(freezes.everything().is_some(), scope == KillScope::Everything);
            let named = matches!(scope, KillScope::Account(_) | KillScope::Credential(_));
            assert_eq!(freezes.holds(&key(1, "a")).is_some(), named, "{scope}");
            assert!(freezes.holds(&key(2, "b")).is_none(), "{scope}");
        }
    }

    #[test]
    fn the_first_reason_stays_and_too_many_scopes_are_everything() {
        let mut freezes = Freezes::default();
        let of = |why: &str, id| Freeze { why: why.to_owned(), scope: KillScope::Credential(CredentialId(id)) };
        assert_eq!(freezes.engage(of("first", 1)).why, "first");
        assert_eq!(freezes.engage(of("second", 1)).why, "first");
        for id in 2..100 {
            freezes.engage(of("many", id));
        }
        assert!(freezes.everything().is_some());
        assert!(freezes.stops(&key(500, ""), By { slot: None, order: &name("x") }).is_some());
        let controls = freezes.engage(Freeze { why: "a\u{1b}[2J".to_owned(), scope: KillScope::Venue(Venue::Binance) });
        assert_eq!(controls.scope, KillScope::Everything);
    }

    #[test]
    fn the_most_that_there_can_be_is_bounded_whatever_it_says() {
        let mut freezes = Freezes::default();
        for number in 0..1_000 {
            let account = format!("{number}{}", "\u{1F512}".repeat(500));
            freezes.engage(Freeze { why: "\u{1F512}\\\"".repeat(500), scope: KillScope::Account(account) });
        }
        assert!(freezes.everything().is_some());
        assert!(serde_json::to_vec(&freezes).unwrap().len() < 20_000);
    }

    #[test]
    fn what_was_written_before_there_were_scopes_is_read() {
        for (written, everything) in [("null", None), (r#"{"why":"a"}"#, Some("a")), (r#"[{"why":"a"}]"#, Some("a")), ("[]", None)] {
            let freezes: Freezes = serde_json::from_str(written).unwrap();
            assert_eq!(freezes.everything().map(|freeze| freeze.why.as_str()), everything, "{written}");
        }
        let mut freezes = Freezes::default();
        freezes.engage(Freeze { why: "b".to_owned(), scope: KillScope::Bot(OwnerTag::parse("grid").unwrap()) });
        let text = serde_json::to_string(&freezes).unwrap();
        assert_eq!(text, r#"[{"why":"b","scope":{"bot":"grid"}}]"#);
        assert_eq!(serde_json::from_str::<Freezes>(&text).unwrap(), freezes);
        assert!(serde_json::from_str::<Freezes>(r#"[{"why":"b","scope":{"bot":"GRID"}}]"#).is_err());
    }
}
