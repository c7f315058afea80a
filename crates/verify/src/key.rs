//! The log's public key. Invariant: a key that was read is a point that Ed25519 accepts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;
use thiserror::Error;

const PREFIX: &str = "strongroom-log+";

/// Checks notes of one log.
#[derive(Clone, Debug)]
pub struct LogKey(pub(crate) VerifyingKey);

/// The text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this is not a log's key: one line is expected, {PREFIX} followed by 32 bytes in base64")]
pub struct KeyError;

impl LogKey {
    /// Reads `strongroom-log+<base64>`; blank lines and lines that begin with `#` are passed over.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (Some(line), None) = (lines.next(), lines.next()) else { return Err(KeyError) };
        let bytes = STANDARD.decode(line.strip_prefix(PREFIX).ok_or(KeyError)?).map_err(|_| KeyError)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| KeyError)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError)?;
        if key.is_weak() { Err(KeyError) } else { Ok(Self(key)) }
    }
}
