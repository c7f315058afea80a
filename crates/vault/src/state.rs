//! The small sealed state file. Invariant: it opens only for the vault and the generation that it names.

use strongroom_model::Advice;
use thiserror::Error;

use crate::entropy::{Entropy, EntropyError, make_public};
use crate::primitives::{Broken, NONCE_ONCE, decrypt, derive, encrypt};
use crate::records::{pad, unpad};
use crate::secret::SecretBox;
use crate::wire::Fields;

const MAGIC: &[u8; 8] = b"SRSTATE\0";
const MAJOR: u16 = 1;
const SALT_LEN: usize = 32;
const PREFIX_LEN: usize = 8 + 2 + 16 + 8 + SALT_LEN;
/// The fullest that a signer can remember has 80 KiB.
const STATE_LEN_MAX: usize = 128 * 1_024;

/// Seals counters and the like under the vault's [`Purpose::State`](crate::Purpose::State) key. `generation` is the
/// state's own count and grows with every save.
pub fn seal_state(
    key: &SecretBox,
    vault_id: &[u8; 16],
    generation: u64,
    plaintext: &[u8],
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, StateError> {
    if plaintext.len() > STATE_LEN_MAX {
        return Err(StateError::TooLong);
    }
    let salt: [u8; SALT_LEN] = make_public(entropy)?;
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&MAJOR.to_be_bytes());
    out.extend_from_slice(vault_id);
    out.extend_from_slice(&generation.to_be_bytes());
    out.extend_from_slice(&salt);
    // Every file has a key of its own, so that no number of saves wears a key out.
    let file_key = file_key(key, &salt)?;
    let mut padded = pad(plaintext);
    encrypt(&file_key, &NONCE_ONCE, &out, padded.bytes_mut())?;
    padded.expose(|sealed| out.extend_from_slice(sealed));
    Ok(out)
}

/// Opens a state file; gives its generation and plaintext. The caller refuses a generation lower than the last.
pub fn open_state(key: &SecretBox, vault_id: &[u8; 16], bytes: &[u8]) -> Result<(u64, SecretBox), StateError> {
    let mut fields = Fields::new(bytes);
    if fields.take(MAGIC.len()) != Some(MAGIC) {
        return Err(StateError::NotAState);
    }
    match fields.u16() {
        Some(MAJOR) => {}
        Some(major) => return Err(StateError::UnsupportedVersion(major)),
        None => return Err(StateError::Damaged),
    }
    let (Some(owner), Some(generation), Some(salt)) = (fields.array::<16>(), fields.u64(), fields.array::<SALT_LEN>()) else {
        return Err(StateError::Damaged);
    };
    if owner != *vault_id {
        return Err(StateError::OtherVault);
    }
    let (aad, sealed) = bytes.split_at_checked(PREFIX_LEN).ok_or(StateError::Damaged)?;
    if sealed.len() > STATE_LEN_MAX + 2 * 64 || sealed.len() % 64 != 0 {
        return Err(StateError::Damaged);
    }
    let padded = decrypt(&file_key(key, &salt)?, &NONCE_ONCE, aad, sealed).ok_or(StateError::Damaged)?;
    let plaintext = unpad(padded.bytes()).ok_or(StateError::Damaged)?;
    Ok((generation, SecretBox::copy_of(plaintext)))
}

fn file_key(key: &SecretBox, salt: &[u8; SALT_LEN]) -> Result<SecretBox, Broken> {
    derive(key.bytes(), salt, &[b"strongroom/v1/state-file"])
}

/// Why the state was not sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StateError {
    /// Another kind of file.
    #[error("this file is not a Strongroom state file")]
    NotAState,
    /// Another major version.
    #[error("this state file has format {0}; this program reads format 1")]
    UnsupportedVersion(u16),
    /// Belongs elsewhere.
    #[error("this state file belongs to another vault")]
    OtherVault,
    /// Not what was written, or sealed under another key.
    #[error("the state file is damaged or was changed; counters must be taken from the audit log")]
    Damaged,
    /// Over 64 KiB.
    #[error("the state is longer than 64 KiB; it was not sealed")]
    TooLong,
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A primitive failed.
    #[error("a cipher refused its own parameters; this is a defect")]
    Broken,
}

impl StateError {
    /// What to do next.
    pub fn advice(&self) -> Advice {
        match self {
            Self::NotAState | Self::UnsupportedVersion(_) | Self::OtherVault | Self::TooLong => Advice::Refuse,
            Self::Damaged => Advice::Ask,
            Self::Entropy(error) => error.advice(),
            Self::Broken => Advice::Bug,
        }
    }
}

impl From<Broken> for StateError {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}
