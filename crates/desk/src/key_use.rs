//! When keys signed last, and what the venue says they may do. Invariant: remembered by the keys' public names; across
//! restarts the times are right to the minute.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use strongroom_desk_api::Mode;
use strongroom_model::{KeyRights, Timestamp};

use crate::hall::lock;
use crate::store::{RecordError, Store};

const META: &str = "key_use";
/// Times are written down so often.
const WRITE_EVERY_MS: i64 = 60_000;
/// Most keys that are remembered; of more the oldest are forgotten.
const KEYS_MAX: usize = 256;

/// Why a key is not trusted as before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Suspicion {
    pub(crate) why: String,
    pub(crate) since: Timestamp,
}

/// What is remembered of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Use {
    pub(crate) last: Option<Timestamp>,
    pub(crate) rights: Option<KeyRights>,
    #[serde(default)]
    pub(crate) suspicion: Option<Suspicion>,
    /// From where the venue refused it last, until it accepts it again.
    #[serde(default)]
    pub(crate) refused_from: Option<IpAddr>,
}

/// Uses by API key.
#[derive(Debug, Default)]
pub(crate) struct KeyUse {
    uses: Mutex<BTreeMap<String, Use>>,
    written: Mutex<Timestamp>,
}

impl KeyUse {
    pub(crate) fn restore(store: &Store) -> Self {
        let text = store.meta(META).ok().flatten();
        let uses = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Self { uses: Mutex::new(uses), written: Mutex::default() }
    }

    pub(crate) fn signed(&self, api_key: &str, at: Timestamp) {
        self.change(api_key, |known| known.last = Some(at));
    }

    /// What the venue says of a key. Where money is real, one that can withdraw should not be here.
    pub(crate) fn told(&self, api_key: &str, rights: KeyRights, mode: Mode) {
        let too_much = match rights {
            _ if mode != Mode::Live => None,
            KeyRights { withdraw: true, .. } => Some("the venue says that it can withdraw"),
            KeyRights { transfer: true, .. } => Some("the venue says that it can move funds to other accounts or wallets"),
            _ => None,
        };
        self.change(api_key, |known| {
            // What an account may do says less than the list of the key's own rights.
            if rights.bound.is_none() && known.rights.is_some_and(|known| known.bound.is_some()) {
                return;
            }
            known.rights = Some(rights);
            if let (Some(why), None) = (too_much, &known.suspicion) {
                known.suspicion = Some(Suspicion { why: why.to_owned(), since: rights.at });
            }
        });
    }

    /// The venue carried a request out.
    pub(crate) fn accepted(&self, api_key: &str) {
        if self.of(api_key).refused_from.is_some() {
            self.change(api_key, |known| known.refused_from = None);
        }
    }

    /// The venue refused it, and said from where it saw us.
    pub(crate) fn refused_from(&self, api_key: &str, seen: IpAddr) {
        self.change(api_key, |known| known.refused_from = Some(seen));
    }

    pub(crate) fn suspect(&self, api_key: &str, why: &str, since: Timestamp) {
        self.change(api_key, |known| known.suspicion = Some(Suspicion { why: why.to_owned(), since }));
        *lock(&self.written) = Timestamp::default();
    }

    pub(crate) fn of(&self, api_key: &str) -> Use {
        lock(&self.uses).get(api_key).cloned().unwrap_or_default()
    }

    fn change(&self, api_key: &str, change: impl FnOnce(&mut Use)) {
        let mut uses = lock(&self.uses);
        if uses.len() >= KEYS_MAX && !uses.contains_key(api_key) {
            let oldest = uses.iter().min_by_key(|(_, known)| known.last).map(|(name, _)| name.clone());
            oldest.map(|name| uses.remove(&name));
        }
        change(uses.entry(api_key.to_owned()).or_default());
    }

    /// Writes the times down, if it is time to.
    pub(crate) fn write(&self, store: &Store, now: Timestamp) -> Result<(), RecordError> {
        let mut written = lock(&self.written);
        if now.ms_since(*written) < WRITE_EVERY_MS {
            return Ok(());
        }
        store.set_meta(META, Some(&serde_json::to_string(&*lock(&self.uses))?))?;
        *written = now;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("desk.db")).unwrap();
        let keys = KeyUse::restore(&store);
        keys.signed("a", Timestamp::from_ms(5));
        keys.told("a", KeyRights { trade: true, at: Timestamp::from_ms(6), ..KeyRights::default() }, Mode::Live);
        keys.suspect("a", "seen elsewhere", Timestamp::from_ms(6));
        keys.write(&store, Timestamp::from_ms(100_000)).unwrap();
        keys.signed("b", Timestamp::from_ms(7));
        keys.write(&store, Timestamp::from_ms(100_001)).unwrap();
        let again = KeyUse::restore(&store);
        assert_eq!(again.of("a"), keys.of("a"));
        assert_eq!(again.of("b"), Use::default(), "not written twice within a minute");
    }

    #[test]
    fn a_key_that_can_withdraw_real_money_is_suspect() {
        let plain = KeyRights { trade: true, at: Timestamp::from_ms(6), ..KeyRights::default() };
        let (withdraws, transfers) = (KeyRights { withdraw: true, ..plain }, KeyRights { transfer: true, ..plain });
        for (rights, mode, suspect) in
            [(withdraws, Mode::Live, true), (transfers, Mode::Live, true), (plain, Mode::Live, false), (withdraws, Mode::Simulation, false)]
        {
            let keys = KeyUse::default();
            keys.told("a", rights, mode);
            assert_eq!(keys.of("a").suspicion.is_some(), suspect, "{rights:?} {mode:?}");
        }
    }

    /// The account of Binance may nearly always withdraw; whether the key may is another question.
    #[test]
    fn what_the_account_may_says_nothing_of_a_key_whose_rights_are_known() {
        let keys = KeyUse::default();
        let own = KeyRights { trade: true, bound: Some(true), at: Timestamp::from_ms(6), ..KeyRights::default() };
        keys.told("a", own, Mode::Live);
        keys.told("a", KeyRights { withdraw: true, bound: None, at: Timestamp::from_ms(7), ..own }, Mode::Live);
        assert_eq!((keys.of("a").rights, keys.of("a").suspicion), (Some(own), None));
        keys.refused_from("a", "203.0.113.7".parse().unwrap());
        assert!(keys.of("a").refused_from.is_some());
        keys.accepted("a");
        assert!(keys.of("a").refused_from.is_none());
    }

    #[test]
    fn the_list_has_a_bound() {
        let keys = KeyUse::default();
        for n in 0..300 {
            keys.signed(&format!("k{n}"), Timestamp::from_ms(n));
        }
        assert_eq!(lock(&keys.uses).len(), KEYS_MAX);
        assert!(keys.of("k299").last.is_some() && keys.of("k0").last.is_none());
    }
}
