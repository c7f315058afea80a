//! The operating system's keychain. Invariant: only a store that outlives the session is used; there is no substitute,
//! neither a file nor the kernel's keyring.

use keyring::v1::{Entry, Error};
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
        let entry = entry(&format!("probe-{}", std::process::id()))?;
        let mut written = [0; 16];
        getrandom::fill(&mut written).map_err(|_| KeychainError::NoRandomness)?;
        entry.set_secret(&written).map_err(KeychainError::of)?;
        let place = entry.inner.get_credential().map(|found| format!("{found:?}")).unwrap_or_default();
        let read = entry.get_secret().map_err(KeychainError::of);
        let removed = entry.delete_credential().map_err(KeychainError::of);
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

    fn secret_entry(&self) -> Result<Entry, KeychainError> {
        entry(&self.user)
    }

    fn record_entry(&self) -> Result<Entry, KeychainError> {
        entry(&format!("{}.anchor", self.user))
    }
}

impl Anchor for KeychainAnchor {
    fn device_secret(&self) -> Result<Option<Zeroizing<[u8; 32]>>, KeychainError> {
        let Some(mut bytes) = get(&self.secret_entry()?)? else { return Ok(None) };
        let secret = bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| KeychainError::Damaged);
        bytes.zeroize();
        secret.map(Some)
    }

    fn set_device_secret(&self, secret: &[u8; 32]) -> Result<(), KeychainError> {
        self.secret_entry()?.set_secret(secret).map_err(KeychainError::of)
    }

    fn record(&self) -> Result<Option<AnchorRecord>, KeychainError> {
        let Some(bytes) = get(&self.record_entry()?)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| KeychainError::Damaged)
    }

    fn set_record(&self, record: &AnchorRecord) -> Result<(), KeychainError> {
        let bytes = serde_json::to_vec(record).map_err(|_| KeychainError::Unreliable)?;
        self.record_entry()?.set_secret(&bytes).map_err(KeychainError::of)
    }

    fn forget(&self) -> Result<(), KeychainError> {
        for entry in [self.secret_entry()?, self.record_entry()?] {
            match entry.delete_credential() {
                Ok(()) | Err(Error::NoEntry) => {}
                Err(error) => return Err(KeychainError::of(error)),
            }
        }
        Ok(())
    }
}

fn entry(user: &str) -> Result<Entry, KeychainError> {
    Entry::new(SERVICE, user).map_err(KeychainError::of)
}

fn get(entry: &Entry) -> Result<Option<Vec<u8>>, KeychainError> {
    match entry.get_secret() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(KeychainError::of(error)),
    }
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
