//! Rotations: a new key is tried, takes the old one's place, and the old one leaves when its venue refuses it.
//!
//! Invariant: how far a rotation is stands in the vault's records alone, so that an interrupted one goes on where it stood.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use strongroom_audit::Kind;
use strongroom_desk_api::{Mode, RotationStep, Tell};
use strongroom_model::{Advice, CredentialId, CredentialInfo, KeyStage, Venue};
use strongroom_signer_api::{Refusal, Request};

use crate::actions::refused;
use crate::event::Event;
use crate::hall::Hall;
use crate::machine::error;
use crate::rights::{self, Tried};

/// What the rotation to `new` waits for; nothing: there is none.
pub(crate) fn step(mode: Mode, new: &CredentialInfo, keys: &[CredentialInfo], live: &BTreeMap<CredentialId, u64>) -> Option<RotationStep> {
    if new.stage == KeyStage::New {
        return Some(if new.api_key.is_empty() { RotationStep::Name } else { RotationStep::Test });
    }
    let old = replaced(new, keys)?;
    match live.get(&old.id) {
        Some(live) => Some(RotationStep::Orders { live: *live }),
        None => Some(RotationStep::Revoke { how: how_to_revoke(mode, old) }),
    }
}

/// The key whose place `new` took, while it is there.
fn replaced<'a>(new: &CredentialInfo, keys: &'a [CredentialInfo]) -> Option<&'a CredentialInfo> {
    keys.iter().find(|key| Some(key.id) == new.replaces && key.stage == KeyStage::Retiring)
}

/// Venues have no request for it that a trading key could make.
fn how_to_revoke(mode: Mode, old: &CredentialInfo) -> Vec<String> {
    let name = &old.api_key;
    match (mode, old.venue) {
        (Mode::Simulation, _) => vec![format!("Revoke it at the paper venue: strongroom paper key revoke {name}")],
        (Mode::Live, Venue::Binance) => {
            vec!["Log in at Binance and open Account, then API Management.".to_owned(), format!("Find the key {name} and delete it.")]
        }
    }
}

async fn keys(hall: &Arc<Hall>) -> Result<Vec<CredentialInfo>, Tell> {
    hall.credentials().await.map_err(|refusal| refused(&refusal))
}

/// Goes on with every rotation that waits for nobody: what was interrupted before the switch.
pub(crate) async fn resume(hall: Arc<Hall>) {
    let waiting = keys(&hall).await.unwrap_or_default();
    for key in waiting.iter().filter(|key| key.stage == KeyStage::New && !key.api_key.is_empty()) {
        if let Tell::Error(trouble) = go_on(&hall, key.id).await {
            tracing::warn!(key = key.id.0, %trouble, "a rotation that was interrupted could not go on");
        }
    }
}

/// Does what can be done now of the rotation that `id`, the new key or the old one, belongs to.
pub(crate) async fn go_on(hall: &Arc<Hall>, id: CredentialId) -> Tell {
    let keys = match keys(hall).await {
        Ok(keys) => keys,
        Err(tell) => return tell,
    };
    let live = hall.summary().await.live_by_key;
    let belongs = |new: &&CredentialInfo| new.id == id || new.replaces == Some(id);
    let found = keys.iter().filter(belongs).find_map(|new| Some((new, step(hall.venue.mode, new, &keys, &live)?)));
    match found {
        Some((new, RotationStep::Name)) => {
            let words = format!(
                "key {0} has no name at the venue yet. Register its public half there (`strongroom key public {0}`), then tell the name: \
                 `strongroom key edit {0} --api-key NAME`",
                new.id
            );
            error("key-name", words, Advice::Ask)
        }
        Some((new, RotationStep::Test)) => try_new(hall, new, &keys).await,
        Some((new, step @ (RotationStep::Orders { .. } | RotationStep::Revoke { .. }))) => match replaced(new, &keys) {
            Some(old) => try_old(hall, old, &step).await,
            None => refused(&Refusal::Guard(strongroom_guard::Reason::NoKey)),
        },
        None if keys.iter().any(|key| key.id == id) => error("no-rotation", "this key is not being replaced".to_owned(), Advice::Refuse),
        None => refused(&Refusal::Guard(strongroom_guard::Reason::NoKey)),
    }
}

async fn try_new(hall: &Arc<Hall>, new: &CredentialInfo, keys: &[CredentialInfo]) -> Tell {
    let tried = match rights::tried(hall, new).await {
        Tried::Unknown(why) => {
            let words = format!(
                "the new key could not be tried ({why}). It is in the vault and changes nothing yet; go on with `strongroom key continue {}`",
                new.id
            );
            return error("key-test", words, Advice::RetryAfter(1_000));
        }
        Tried::Accepted(rights) => Ok(rights),
        Tried::Refused(trouble) => Err(trouble),
    };
    // Orders would stop: a key that may not trade takes no trading key's place.
    let old = keys.iter().find(|key| Some(key.id) == new.replaces);
    let trades = old.is_some_and(|old| old.stage == KeyStage::Active);
    let tried = tried.and_then(|rights| if trades && !rights.trade { Err("it may not place orders".to_owned()) } else { Ok(rights) });
    let _ = hall.note(&[(Kind::KeyTested, json!({"id": new.id, "passed": tried.is_ok(), "why": tried.as_ref().err()}))]);
    let finished = hall.ask_signer(&Request::KeyTested { id: new.id, granted: tried.as_ref().ok().copied() }).await;
    match (tried, finished) {
        (Ok(rights), Ok(_)) => {
            hall.keys.told(&new.api_key, rights, hall.venue.mode);
            hall.event(Event::KeysChanged).await;
            hall.state_changed();
            switched(hall, new, old).await
        }
        (Err(why), Ok(_)) => {
            let words = format!("the new key did not pass its test ({why}) and was dropped; everything is as it was");
            error("key-test", words, Advice::Ask)
        }
        (Err(why), Err(Refusal::State(kept))) => {
            error("key-test", format!("the new key did not pass its test ({why}): {kept}"), Advice::Ask)
        }
        (_, Err(refusal)) => refused(&refusal),
    }
}

async fn switched(hall: &Arc<Hall>, new: &CredentialInfo, old: Option<&CredentialInfo>) -> Tell {
    let key = keys(hall).await.ok().and_then(|keys| keys.into_iter().find(|key| key.id == new.id));
    let Some(old) = old else {
        let in_use = key.as_ref().is_some_and(|key| key.stage == KeyStage::Active);
        let words = if in_use { "The key is accepted and in use." } else { "The key is accepted; it is kept in reserve." };
        return Tell::Outcome { words: words.to_owned(), key, log_key: None, public_key: None };
    };
    let _ = hall.note(&[(Kind::KeyRotated, json!({"old": old.id, "new": new.id, "label": new.label}))]);
    let words = format!(
        "Switched to key {}. Key {} signs no order any more; it looks after what it placed. Now: {} Then: `strongroom key continue {}`.",
        new.id,
        old.id,
        how_to_revoke(hall.venue.mode, old).join(" "),
        new.id
    );
    Tell::Outcome { words, key, log_key: None, public_key: None }
}

/// Whether the old key is refused by now; if so, it leaves.
async fn try_old(hall: &Arc<Hall>, old: &CredentialInfo, step: &RotationStep) -> Tell {
    match rights::tried(hall, old).await {
        Tried::Refused(why) => match hall.ask_signer(&Request::KeyRevoked { id: old.id }).await {
            Ok(_) => {
                let _ = hall.note(&[(Kind::KeyRevoked, json!({"id": old.id, "label": old.label, "api_key": old.api_key, "why": why}))]);
                hall.event(Event::KeysChanged).await;
                hall.state_changed();
                let words =
                    format!("The venue refuses key {} ({why}): it is revoked, and gone from the vault. The rotation is done.", old.id);
                Tell::Outcome { words, key: None, log_key: None, public_key: None }
            }
            Err(refusal) => refused(&refusal),
        },
        Tried::Accepted(_) => {
            let words = match step {
                RotationStep::Orders { live } => {
                    format!(
                        "{live} orders that key {} placed are open. Wait for them or cancel them, then revoke the key at the venue",
                        old.id
                    )
                }
                _ => format!("the venue still accepts key {}. {}", old.id, how_to_revoke(hall.venue.mode, old).join(" ")),
            };
            error("key-valid", words, Advice::Ask)
        }
        Tried::Unknown(why) => error(
            "key-test",
            format!("whether the old key is refused is not known ({why}); nothing was changed"),
            Advice::RetryAfter(1_000),
        ),
    }
}

#[cfg(test)]
mod tests {
    use strongroom_model::{KeyDetails, Origin, Scheme, Timestamp};

    use super::*;

    fn key(id: u64, stage: KeyStage, replaces: Option<u64>) -> CredentialInfo {
        CredentialInfo {
            id: CredentialId(id),
            label: "a".to_owned(),
            venue: Venue::Binance,
            scheme: Scheme::Ed25519,
            api_key: format!("k{id}"),
            created: Timestamp::from_ms(0),
            stage,
            replaces: replaces.map(CredentialId),
            origin: Origin::Typed,
            source: String::new(),
            granted: None,
            details: KeyDetails::default(),
        }
    }

    #[test]
    fn the_records_tell_how_far_a_rotation_is() {
        use KeyStage::{Active, New, Retiring, Spare};
        let none = BTreeMap::new();
        let step = |keys: &[CredentialInfo], live: &BTreeMap<_, _>| step(Mode::Live, &keys[0], keys, live);
        let unnamed = CredentialInfo { api_key: String::new(), ..key(2, New, Some(1)) };
        assert_eq!(step(&[unnamed, key(1, Active, None)], &none), Some(RotationStep::Name));
        assert_eq!(step(&[key(2, New, Some(1)), key(1, Active, None)], &none), Some(RotationStep::Test));
        let switched = [key(2, Active, Some(1)), key(1, Retiring, None)];
        assert_eq!(step(&switched, &BTreeMap::from([(CredentialId(1), 3)])), Some(RotationStep::Orders { live: 3 }));
        let Some(RotationStep::Revoke { how }) = step(&switched, &BTreeMap::from([(CredentialId(2), 3)])) else { panic!("not revoke") };
        assert!(how.iter().any(|line| line.contains("k1")), "{how:?}");
        for done in [vec![key(2, Active, Some(1))], vec![key(2, Active, None), key(1, Spare, None)], vec![key(1, Spare, None)]] {
            assert_eq!(step(&done, &none), None);
        }
    }
}
