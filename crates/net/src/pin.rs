//! Which keys a server may have, and what was seen of each. Invariant: a key is accepted only because a person or our
//! own installation named it; a key that was merely seen waits on the board and opens nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use strongroom_model::{Advice, Timestamp};
use thiserror::Error;

use crate::{Endpoint, Fingerprint};

/// Most hosts on the board; a further unknown host is refused without being remembered.
const HOSTS_MAX: usize = 128;
/// Most keys per host: the one in use and its backups.
const PINS_PER_HOST_MAX: usize = 8;

/// Why a valid certificate was refused. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PinError {
    /// No key of this host was ever confirmed.
    #[error("{host} was never confirmed. Nothing was sent. It shows the key {seen}: compare it with another source, then confirm it")]
    Unconfirmed {
        /// `host:port`.
        host: String,
        /// The key shown.
        seen: Fingerprint,
    },
    /// The host shows a key that is none of its pins.
    #[error("{host} shows the key {seen}, expected {}. Nothing was sent", list(.expected))]
    Mismatch {
        /// `host:port`.
        host: String,
        /// The pins.
        expected: Vec<Fingerprint>,
        /// The key shown.
        seen: Fingerprint,
    },
}

impl PinError {
    /// A person compares fingerprints.
    pub const fn advice(&self) -> Advice {
        Advice::Ask
    }
}

fn list(fingerprints: &[Fingerprint]) -> String {
    fingerprints.iter().map(Fingerprint::to_string).collect::<Vec<_>>().join(" or ")
}

/// Why a key was not added to a host's pins.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfirmError {
    /// What is confirmed must be what waits: a person confirms the key on the screen, not a later one.
    #[error("{host} does not show the key {asked} now. Look at the key that it shows, then confirm that one")]
    NotSeen {
        /// `host:port`.
        host: String,
        /// The key that was to be confirmed.
        asked: Fingerprint,
    },
    /// Every place is taken.
    #[error("no place for another key on {0}: forget one that is not used any more")]
    Full(String),
}

impl ConfirmError {
    /// A person looks again.
    pub const fn advice(&self) -> Advice {
        Advice::Ask
    }
}

/// What the board knows of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Keys that it may have; empty while none was confirmed.
    pub pins: Vec<Fingerprint>,
    /// A key that was refused and waits for a person.
    #[serde(default)]
    pub waiting: Option<Seen>,
    /// The last handshake that passed every check.
    #[serde(default)]
    pub handshake: Option<Handshake>,
    /// Why the newest handshake failed; none when it passed.
    #[serde(default)]
    pub trouble: Option<Trouble>,
}

/// A key that a host showed and that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The key.
    pub key: Fingerprint,
    /// The certificates shown with it, the server's first.
    #[serde(default)]
    pub chain: Vec<Certificate>,
    /// When.
    pub at: Timestamp,
}

/// Measured facts of a handshake that passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// When.
    pub at: Timestamp,
    /// The key shown, one of the pins.
    pub key: Fingerprint,
    /// End of the server certificate's validity.
    pub not_after: Timestamp,
    /// The certificates shown, the server's first.
    #[serde(default)]
    pub chain: Vec<Certificate>,
    /// Protocol and cipher suite, where the connection tells: streams and [`crate::shake`] do, REST does not.
    #[serde(default)]
    pub suite: Option<Suite>,
}

/// A certificate as it was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whose.
    pub subject: String,
    /// By whom.
    pub issuer: String,
    /// End of its validity.
    pub not_after: Timestamp,
    /// Its key.
    pub key: Fingerprint,
}

/// What was negotiated, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suite {
    /// Protocol version, such as `TLSv1_3`.
    pub protocol: String,
    /// Cipher suite, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// Key exchange group, such as `X25519`.
    #[serde(default)]
    pub group: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Why a handshake failed, in words for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

/// Pins and facts of every host, shared by all connections.
pub struct PinBoard {
    hosts: Mutex<BTreeMap<String, Host>>,
    clock: fn() -> Timestamp,
}

impl PinBoard {
    /// An empty board: every host is unknown.
    pub fn new(clock: fn() -> Timestamp) -> Arc<Self> {
        Self::restore(BTreeMap::new(), clock)
    }

    /// A board as it was when [`Self::snapshot`] was taken.
    pub fn restore(hosts: BTreeMap<String, Host>, clock: fn() -> Timestamp) -> Arc<Self> {
        Arc::new(Self { hosts: Mutex::new(hosts), clock })
    }

    /// Everything known, by `host:port`; what has to survive a restart.
    pub fn snapshot(&self) -> BTreeMap<String, Host> {
        self.lock().clone()
    }

    /// What is known of one host.
    pub fn host(&self, endpoint: &Endpoint) -> Option<Host> {
        self.lock().get(&endpoint.to_string()).cloned()
    }

    /// Names a key that our own installation vouches for, such as the embedded paper venue's.
    pub fn pin(&self, endpoint: &Endpoint, key: Fingerprint) -> Result<(), ConfirmError> {
        add(self.lock().entry(endpoint.to_string()).or_default(), endpoint, key)
    }

    /// Adds the waiting key, which a person compared, to the host's pins. The keys pinned before stay: see [`Self::forget`].
    pub fn confirm(&self, endpoint: &Endpoint, key: Fingerprint) -> Result<(), ConfirmError> {
        match self.lock().get_mut(&endpoint.to_string()) {
            Some(host) if host.waiting.as_ref().is_some_and(|seen| seen.key == key) => add(host, endpoint, key),
            _ => Err(ConfirmError::NotSeen { host: endpoint.to_string(), asked: key }),
        }
    }

    /// Takes a key away; connections made before stay open until they are idle or closed. `false`: it was no pin.
    pub fn forget(&self, endpoint: &Endpoint, key: Fingerprint) -> bool {
        let mut hosts = self.lock();
        let Some(host) = hosts.get_mut(&endpoint.to_string()) else { return false };
        let before = host.pins.len();
        host.pins.retain(|pin| *pin != key);
        host.pins.len() < before
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Compares the key of a certificate whose chain and name are valid with the pins.
    pub(crate) fn judge(&self, endpoint: &Endpoint, seen: Fingerprint, chain: &[Certificate]) -> Result<(), PinError> {
        let name = endpoint.to_string();
        let at = self.now();
        let mut hosts = self.lock();
        let expected = hosts.get(&name).map(|host| host.pins.clone()).unwrap_or_default();
        if expected.contains(&seen) {
            return Ok(());
        }
        let error = match expected.is_empty() {
            true => PinError::Unconfirmed { host: name.clone(), seen },
            false => PinError::Mismatch { host: name.clone(), expected, seen },
        };
        if let Some(host) = remembered(&mut hosts, name) {
            host.waiting = Some(Seen { key: seen, chain: chain.to_vec(), at });
            host.trouble = Some(Trouble { at, why: error.to_string() });
        }
        Err(error)
    }

    /// Notes a handshake whose chain, name and key passed. What was negotiated stays from before: see [`Self::note_suite`].
    pub(crate) fn note_handshake(&self, endpoint: &Endpoint, handshake: Handshake) {
        if let Some(host) = remembered(&mut self.lock(), endpoint.to_string()) {
            let suite = host.handshake.take().and_then(|before| before.suite);
            host.handshake = Some(Handshake { suite, ..handshake });
            host.trouble = None;
            // The server shows a key again that it may have: nothing waits for a person any more.
            host.waiting = None;
        }
    }

    pub(crate) fn note_suite(&self, endpoint: &Endpoint, suite: Suite) {
        if let Some(handshake) = self.lock().get_mut(&endpoint.to_string()).and_then(|host| host.handshake.as_mut()) {
            handshake.suite = Some(suite);
        }
    }

    pub(crate) fn note_trouble(&self, endpoint: &Endpoint, why: String) {
        let trouble = Trouble { at: self.now(), why };
        if let Some(host) = remembered(&mut self.lock(), endpoint.to_string()) {
            host.trouble = Some(trouble);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PinBoard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.lock().iter().map(|(name, host)| (name.clone(), host.pins.clone()))).finish()
    }
}

fn add(host: &mut Host, endpoint: &Endpoint, key: Fingerprint) -> Result<(), ConfirmError> {
    if !host.pins.contains(&key) {
        if host.pins.len() >= PINS_PER_HOST_MAX {
            return Err(ConfirmError::Full(endpoint.to_string()));
        }
        host.pins.push(key);
    }
    if host.waiting.as_ref().is_some_and(|seen| seen.key == key) {
        host.waiting = None;
        host.trouble = None;
    }
    Ok(())
}

fn remembered(hosts: &mut BTreeMap<String, Host>, name: String) -> Option<&mut Host> {
    if hosts.len() >= HOSTS_MAX && !hosts.contains_key(&name) { None } else { Some(hosts.entry(name).or_default()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> (Arc<PinBoard>, Endpoint) {
        (PinBoard::new(|| Timestamp::from_ms(7)), "venue.test:443".parse().unwrap())
    }

    const A: Fingerprint = Fingerprint::from_digest([1; 32]);
    const B: Fingerprint = Fingerprint::from_digest([2; 32]);

    #[test]
    fn only_the_key_on_the_screen_can_be_confirmed() {
        let (board, venue) = board();
        assert!(matches!(board.confirm(&venue, A), Err(ConfirmError::NotSeen { .. })), "never seen");
        assert!(matches!(board.judge(&venue, A, &[]), Err(PinError::Unconfirmed { seen: A, .. })));
        assert!(board.judge(&venue, A, &[]).is_err(), "having been seen is not enough");
        assert!(matches!(board.judge(&venue, B, &[]), Err(PinError::Unconfirmed { seen: B, .. })));
        assert!(matches!(board.confirm(&venue, A), Err(ConfirmError::NotSeen { .. })), "B is shown now");
        board.confirm(&venue, B).unwrap();
        assert_eq!(board.judge(&venue, B, &[]), Ok(()));
        assert_eq!(board.host(&venue).unwrap().waiting, None);
    }

    #[test]
    fn another_key_is_named_beside_the_expected_one() {
        let (board, venue) = board();
        board.pin(&venue, A).unwrap();
        let error = board.judge(&venue, B, &[]).unwrap_err();
        assert_eq!(error, PinError::Mismatch { host: "venue.test:443".into(), expected: vec![A], seen: B });
        assert!(error.to_string().contains(&A.to_string()) && error.to_string().contains(&B.to_string()));
        assert_eq!(board.host(&venue).unwrap().waiting, Some(Seen { key: B, chain: Vec::new(), at: Timestamp::from_ms(7) }));
        board.confirm(&venue, B).unwrap();
        assert!(board.forget(&venue, A) && !board.forget(&venue, A));
        assert!(board.judge(&venue, A, &[]).is_err());
    }

    #[test]
    fn bounds_hold() {
        let (board, venue) = board();
        for n in 0..8 {
            board.pin(&venue, Fingerprint::from_digest([n; 32])).unwrap();
        }
        assert_eq!(board.pin(&venue, Fingerprint::from_digest([9; 32])), Err(ConfirmError::Full(venue.to_string())));
        for n in 0..300 {
            let _ = board.judge(&format!("h{n}.test:443").parse().unwrap(), A, &[]);
        }
        assert_eq!(board.snapshot().len(), HOSTS_MAX);
    }

    #[test]
    fn survives_being_written_down() {
        let (board, venue) = board();
        board.pin(&venue, A).unwrap();
        let _ = board.judge(&venue, B, &[]);
        let text = serde_json::to_string(&board.snapshot()).unwrap();
        let back = PinBoard::restore(serde_json::from_str(&text).unwrap(), || Timestamp::from_ms(8));
        assert_eq!(back.snapshot(), board.snapshot());
        assert_eq!(back.judge(&venue, A, &[]), Ok(()));
    }
}
