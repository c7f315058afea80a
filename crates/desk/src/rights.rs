//! What a venue grants a key and from where it accepts it, in its own words.
//!
//! Invariant: an answer that nobody understands tells nothing; what an address means is said only where the venue named one.

use std::net::IpAddr;
use std::sync::Arc;

use strongroom_desk_api::Tell;
use strongroom_model::{CredentialId, CredentialInfo, Intent, KeyRights, KeyStage};
use strongroom_signer_api::{Refusal, Reply, Request, SignAsk};
use strongroom_venues::binance::decode::{self, VenueError};
use strongroom_venues::binance::encode::RECV_WINDOW_MS;

use crate::event::Outcome;
use crate::hall::{Hall, lock, wall};

/// What came of a signed read.
pub(crate) enum Tried {
    Accepted(KeyRights),
    /// By the venue, which knows; in its words, and from where it saw us.
    Refused(String),
    /// Nobody knows.
    Unknown(String),
}

/// Tries a key: the venue's list of its rights, or where it has none (`/sapi` is not everywhere), what its account says.
pub(crate) async fn tried(hall: &Arc<Hall>, key: &CredentialInfo) -> Tried {
    if let Ok(rights) = read(hall, key.id, Intent::QueryKeyRights).await.and_then(|body| told(decode::key_rights(&body, wall()))) {
        return Tried::Accepted(rights);
    }
    // A refusal counts only where every venue has the question.
    match read(hall, key.id, Intent::QueryBalances).await.and_then(|body| told(decode::rights(&body))) {
        Ok((trade, withdraw)) => Tried::Accepted(KeyRights { trade, withdraw, at: wall(), ..KeyRights::default() }),
        Err(Trouble::Venue(trouble)) if trouble.refuses_signature() => Tried::Refused(match trouble_of(hall, key) {
            Some(words) => format!("{trouble}; {words}"),
            None => trouble.to_string(),
        }),
        Err(Trouble::Venue(trouble)) => Tried::Unknown(trouble.to_string()),
        Err(Trouble::Other(why)) => Tried::Unknown(why),
    }
}

enum Trouble {
    Venue(VenueError),
    Other(String),
}

fn told<T>(answer: Result<T, VenueError>) -> Result<T, Trouble> {
    answer.map_err(Trouble::Venue)
}

async fn read(hall: &Arc<Hall>, key: CredentialId, intent: Intent) -> Result<Vec<u8>, Trouble> {
    let ask = SignAsk {
        intent,
        credential: Some(key),
        clock_offset_us: hall.venue.clock_offset_us(),
        recv_window_ms: RECV_WINDOW_MS,
        audit_seq: lock(&hall.store).log_size().unwrap_or_default(),
    };
    let request = match hall.ask_signer(&Request::Sign(ask)).await {
        Ok(Reply::Signed { request, .. }) => request,
        Ok(_) => return Err(Trouble::Other(Refusal::NotUnderstood.to_string())),
        Err(refusal) => return Err(Trouble::Other(refusal.to_string())),
    };
    match hall.send(&request, false).await {
        Outcome::Answer { status, retry_after_s, body } => told(decode::outcome(status, retry_after_s, &body).map(<[u8]>::to_vec)),
        Outcome::NotSent(why) | Outcome::NoAnswer(why) => Err(Trouble::Other(why)),
    }
}

/// What the address means from which the venue refused this key last, if it did.
pub(crate) fn trouble_of(hall: &Hall, key: &CredentialInfo) -> Option<String> {
    let known = hall.keys.of(&key.api_key);
    let bound = known.rights.or(key.granted).and_then(|rights| rights.bound);
    known.refused_from.map(|seen| address_words(seen, key, bound))
}

/// The venue refused a request and said that it came from `seen`. It does not say which of key, address and rights it means.
fn address_words(seen: IpAddr, key: &CredentialInfo, bound: Option<bool>) -> String {
    let label = &key.label;
    let noted = &key.details.addresses;
    let is_noted = noted.iter().any(|one| one.parse::<IpAddr>().is_ok_and(|one| one.to_canonical() == seen.to_canonical()));
    let means = if is_noted {
        format!("that is on the list of key “{label}” here; at the venue its list is another, or it lacks a right, or it is revoked")
    } else if !noted.is_empty() {
        format!("key “{label}” is bound to {}", noted.join(", "))
    } else if bound == Some(false) {
        format!("key “{label}” was not bound to addresses when it was tried; since then it was, or it lacks a right, or it is revoked")
    } else {
        format!("key “{label}” has no address list here; at the venue it has another one, or lacks a right, or is revoked")
    };
    format!("the venue saw this computer as {seen}; {means}")
}

/// The same answer to a door, with what an address means that the venue named.
pub(crate) async fn explained(hall: &Arc<Hall>, tell: Tell) -> Tell {
    let Tell::Error(mut error) = tell else { return tell };
    // Only what the venue itself refused for its key, address or rights: its code stands in the words.
    if error.code != "venue" || !error.message.contains("(-2015)") {
        return Tell::Error(error);
    }
    let Ok(keys) = hall.credentials().await else { return Tell::Error(error) };
    let in_use = keys.iter().find(|key| key.stage == KeyStage::Active);
    if let Some(words) = in_use.and_then(|key| trouble_of(hall, key)) {
        error.message = format!("{}; {words}", error.message);
    }
    Tell::Error(error)
}

impl Hall {
    /// Sends a signed request, once; remembers of its key from where the venue refused it.
    pub(crate) async fn send(&self, request: &strongroom_model::SignedRequest, cancel: bool) -> Outcome {
        let outcome = self.venue.send(request, cancel).await;
        if let Outcome::Answer { status, retry_after_s, body } = &outcome {
            match decode::outcome(*status, *retry_after_s, body) {
                Ok(_) => self.keys.accepted(&request.api_key),
                Err(trouble) => {
                    if let Some(seen) = trouble.seen_from() {
                        self.keys.refused_from(&request.api_key, seen);
                    }
                }
            }
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use strongroom_model::{KeyDetails, Origin, Scheme, Timestamp, Venue};

    use super::*;

    /// Rows: addresses noted, what the venue said of being bound, from where it saw us; a part of what is said.
    #[test]
    fn an_address_is_compared_with_what_is_noted() {
        for (noted, bound, seen, expected) in [
            (&["203.0.113.7", "2001:db8::7"][..], None, "198.51.100.2", "is bound to 203.0.113.7, 2001:db8::7"),
            (&["203.0.113.7"], Some(true), "203.0.113.7", "is on the list of key “bot” here"),
            (&["203.0.113.7"], None, "::ffff:203.0.113.7", "is on the list of key “bot” here"),
            (&["2001:db8::7"], None, "2001:db8:0:0::7", "is on the list of key “bot” here"),
            (&["2001:db8::7"], None, "2001:db8::8", "is bound to 2001:db8::7"),
            (&[], None, "198.51.100.2", "has no address list here"),
            (&[], Some(true), "198.51.100.2", "has no address list here"),
            (&[], Some(false), "198.51.100.2", "was not bound to addresses when it was tried"),
        ] {
            let addresses = noted.iter().map(|one| (*one).to_owned()).collect();
            let key = CredentialInfo {
                id: CredentialId(1),
                label: "bot".to_owned(),
                venue: Venue::Binance,
                scheme: Scheme::HmacSha256,
                api_key: "k".to_owned(),
                created: Timestamp::from_ms(0),
                stage: KeyStage::Active,
                replaces: None,
                origin: Origin::Typed,
                source: String::new(),
                granted: None,
                details: KeyDetails { addresses, ..KeyDetails::default() },
            };
            let words = address_words(seen.parse().unwrap(), &key, bound);
            assert!(words.contains(expected) && words.contains("the venue saw this computer as"), "{noted:?} {seen}: {words}");
        }
    }
}
