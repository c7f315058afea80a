//! The operating system's keychain. Invariant: only a store that outlives the session is used; there is no substitute,
//! neither a file nor the kernel's keyring. A keychain program that comes, or was restarted, is found again.

use keyring_core::{Entry, Error};
use strongroom_model::Advice;
use thiserror::Error as ThisError;
use zeroize::{Zeroize, Zeroizing};

use crate::anchor::{Anchor, AnchorRecord};

const SERVICE: &str = "strongroom";
/// In the object path of an item that the Secret Service keeps only until logout.
const SESSION_COLLECTION: &str = "/collection/session/";

/// The keychain as such.
pub struct Keychain;

impl Keychain {
    /// Proves that a secret written comes back, by writing one: asking for one that is not there proves nothing, since
    /// a locked keychain answers like an empty one.
    pub fn probe() -> Result<(), KeychainError> {
        let user = format!("probe-{}", std::process::id());
        let mut written = [0; 16];
        getrandom::fill(&mut written).map_err(|_| KeychainError::NoRandomness)?;
        with(&user, |entry| entry.set_secret(&written))?;
        let place = with(&user, Entry::get_credential).map(|found| format!("{found:?}")).unwrap_or_default();
        let read = with(&user, Entry::get_secret);
        let removed = with(&user, Entry::delete_credential);
        if place.contains(SESSION_COLLECTION) {
            return Err(KeychainError::NotPersistent);
        }
        if read? != written {
            return Err(KeychainError::Unreliable);
        }
        removed
    }
}

/// The anchor of one vault: two items of the service `strongroom`, the device secret under the vault's id in
/// hexadecimal and the record under the same with `.anchor` behind.
pub struct KeychainAnchor {
    user: String,
}

impl KeychainAnchor {
    /// For the vault of that name.
    pub fn new(vault_id: &[u8; 16]) -> Self {
        Self { user: hex::encode(vault_id) }
    }

    fn record_user(&self) -> String {
        format!("{}.anchor", self.user)
    }
}

impl Anchor for KeychainAnchor {
    fn device_secret(&self) -> Result<Option<Zeroizing<[u8; 32]>>, KeychainError> {
        let Some(mut bytes) = get(&self.user)? else { return Ok(None) };
        let secret = bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| KeychainError::Damaged);
        bytes.zeroize();
        secret.map(Some)
    }

    fn set_device_secret(&self, secret: &[u8; 32]) -> Result<(), KeychainError> {
        with(&self.user, |entry| entry.set_secret(secret))
    }

    fn record(&self) -> Result<Option<AnchorRecord>, KeychainError> {
        let Some(bytes) = get(&self.record_user())? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| KeychainError::Damaged)
    }

    fn set_record(&self, record: &AnchorRecord) -> Result<(), KeychainError> {
        let bytes = serde_json::to_vec(record).map_err(|_| KeychainError::Unreliable)?;
        with(&self.record_user(), |entry| entry.set_secret(&bytes))
    }

    fn forget(&self) -> Result<(), KeychainError> {
        for user in [&self.user, &self.record_user()] {
            with(user, |entry| match entry.delete_credential() {
                Err(Error::NoEntry) => Ok(()),
                other => other,
            })?;
        }
        Ok(())
    }
}

/// Does something with an item. A connection that broke, because the keychain program was restarted, is made anew once.
fn with<R>(user: &str, act: impl Fn(&Entry) -> keyring_core::Result<R>) -> Result<R, KeychainError> {
    let attempt = || {
        if keyring_core::get_default_store().is_none() {
            connect()?;
        }
        act(&Entry::new(SERVICE, user)?)
    };
    let done = attempt().or_else(|error| match error {
        Error::PlatformFailure(_) => {
            connect()?;
            attempt()
        }
        error => Err(error),
    });
    done.map_err(KeychainError::of)
}

fn get(user: &str) -> Result<Option<Vec<u8>>, KeychainError> {
    with(user, |entry| match entry.get_secret() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    })
}

/// The Secret Service of this session, as it answers now.
#[cfg(target_os = "linux")]
fn connect() -> keyring_core::Result<()> {
    let store = zbus_secret_service_keyring_store::Store::new().map_err(|_| Error::NoDefaultStore)?;
    keyring_core::set_default_store(store);
    Ok(())
}

/// The platform's own store, which needs no connection.
#[cfg(not(target_os = "linux"))]
fn connect() -> keyring_core::Result<()> {
    keyring::v1::Entry::store_status().as_ref().map(|()| ()).map_err(|_| Error::NoDefaultStore)
}

/// Why the keychain did not serve. The texts of the platform are not repeated: some carry the stored bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
pub enum KeychainError {
    /// No keychain service.
    #[error("there is no keychain: no Secret Service answers in this session. Start gnome-keyring, KWallet or KeePassXC in it")]
    Absent,
    /// Locked, and nobody unlocked it.
    #[error("the keychain is locked or refused access. Unlock it and try again")]
    Locked,
    /// Its default collection ends with the session.
    #[error("the keychain would forget everything at logout. Make a permanent collection (“Login” or “Default”) its default")]
    NotPersistent,
    /// What came back is not what was written.
    #[error("the keychain gave back something other than was stored. Nothing is kept in it; check the keychain program")]
    Unreliable,
    /// Somebody wrote something else into an item.
    #[error(
        "the keychain's item for this vault is damaged. Remove the vault's items (service “strongroom”) in the keychain program, then open \
         the vault with the recovery kit"
    )]
    Damaged,
    /// Two items where one should be.
    #[error("the keychain holds several items for this vault. Remove the wrong one by hand, then try again")]
    Ambiguous,
    /// The platform failed.
    #[error("the keychain failed. Check that its service runs in this session, then try again")]
    Failed,
    /// No randomness for a secret.
    #[error("the system gave no randomness; nothing was stored")]
    NoRandomness,
}

impl KeychainError {
    /// A person has to see to the keychain.
    pub fn advice(&self) -> Advice {
        match self {
            Self::NoRandomness => Advice::RetryAfter(1_000),
            _ => Advice::Ask,
        }
    }

    fn of(error: Error) -> Self {
        match error {
            Error::NoDefaultStore | Error::NotSupportedByStore(_) => Self::Absent,
            Error::NoStorageAccess(_) => Self::Locked,
            Error::Ambiguous(_) => Self::Ambiguous,
            Error::NoEntry => Self::Unreliable,
            Error::BadEncoding(mut bytes) | Error::BadDataFormat(mut bytes, _) => {
                bytes.zeroize();
                Self::Unreliable
            }
            _ => Self::Failed,
        }
    }
}
