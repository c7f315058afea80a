//! Where randomness comes from. Invariant: a key is never made when the source says that it failed.

use strongroom_model::Advice;
use thiserror::Error;

use crate::secret::SecretBox;

/// A source of unpredictable bytes. Tests bring a repeatable one.
pub trait Entropy {
    /// Fills `out` completely or says that it could not.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system gave no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the system gave no randomness, so no key was made; nothing was changed")]
pub struct EntropyError;

impl EntropyError {
    /// Nothing happened; it may be better in a moment.
    pub fn advice(&self) -> Advice {
        Advice::RetryAfter(1_000)
    }
}

/// The operating system's own source (`getrandom`).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(out).map_err(|_| EntropyError)
    }
}

pub(crate) fn make_secret(entropy: &mut dyn Entropy, len: usize) -> Result<SecretBox, EntropyError> {
    let mut secret = SecretBox::zeroed(len);
    entropy.fill(secret.bytes_mut())?;
    Ok(secret)
}

pub(crate) fn make_public<const N: usize>(entropy: &mut dyn Entropy) -> Result<[u8; N], EntropyError> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}
