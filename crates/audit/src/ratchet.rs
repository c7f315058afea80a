//! The keys of an epoch. Invariant: from a later key no earlier one can be computed, and the earlier one is wiped.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit, Nonce, Tag};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::Sha256;
use strongroom_model::Advice;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::leaf::Fields;

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;
const ENCAPPED_LEN: usize = 32;
const INFO_EPOCH: &[u8] = b"strongroom/v1/audit/epoch";

/// The operating system gave no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the system gave no randomness; no epoch was begun")]
pub struct EntropyError;

/// Fills `out` from the operating system.
pub fn system_entropy(out: &mut [u8]) -> Result<(), EntropyError> {
    getrandom::fill(out).map_err(|_| EntropyError)
}

/// These 32 bytes cannot be a reading key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("these bytes are not a key that reads a log: 32 bytes are needed")]
pub struct KeyError;

impl KeyError {
    /// Another key is needed.
    pub fn advice(&self) -> Advice {
        Advice::Refuse
    }
}

/// The public key to which a log's epochs are sealed, from the 32 secret bytes that read it (X25519).
pub fn read_secret_to_public(secret: &[u8]) -> Result<[u8; 32], KeyError> {
    let secret = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(secret).map_err(|_| KeyError)?;
    Ok(X25519HkdfSha256::sk_to_pk(&secret).to_bytes().into())
}

/// A primitive refused lengths that we chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

/// The key of the next leaf.
pub(crate) struct Ratchet(Zeroizing<Box<[u8]>>);

impl Ratchet {
    /// A random first key, and the same sealed to `read_public`: encapsulated key, ciphertext, tag.
    pub(crate) fn begin(
        read_public: &[u8; 32],
        leaf: &Fields,
        entropy: impl FnOnce(&mut [u8]) -> Result<(), EntropyError>,
    ) -> Result<(Self, Vec<u8>), BeginRatchetError> {
        let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(read_public).map_err(|_| BeginRatchetError::Key)?;
        // One draw gives the key and the seed of the encapsulation.
        let mut drawn = Zeroizing::new(vec![0; 2 * KEY_LEN].into_boxed_slice());
        entropy(&mut drawn).map_err(BeginRatchetError::Entropy)?;
        let (key, seed) = drawn.split_at(KEY_LEN);
        let ratchet = Self(Zeroizing::new(key.into()));
        let seed: Zeroizing<[u8; KEY_LEN]> = Zeroizing::new(seed.try_into().map_err(|_| BeginRatchetError::Key)?);
        let mut rng = ChaCha20Rng::from_seed(*seed);
        let (encapped, sealed) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &public,
            INFO_EPOCH,
            &ratchet.0,
            &leaf.aad(),
            &mut rng,
        )
        .map_err(|_| BeginRatchetError::Key)?;
        Ok((ratchet, [&encapped.to_bytes()[..], &sealed].concat()))
    }

    /// The first key of an epoch, from its first leaf.
    pub(crate) fn open(read_secret: &[u8], leaf: &Fields) -> Option<Self> {
        let secret = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(read_secret).ok()?;
        let (encapped, sealed) = leaf.sealed.split_at_checked(ENCAPPED_LEN)?;
        let encapped = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapped).ok()?;
        let key = hpke::single_shot_open::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &secret,
            &encapped,
            INFO_EPOCH,
            sealed,
            &leaf.aad(),
        )
        .ok()?;
        let key = Zeroizing::new(key);
        (key.len() == KEY_LEN).then(|| Self(Zeroizing::new(key.as_slice().into())))
    }

    /// The key after this one.
    pub(crate) fn next(&self, log_id: &[u8; 16]) -> Result<Self, Broken> {
        self.derive(log_id, b"strongroom/v1/audit/next").map(Self)
    }

    /// `nonce 12 | ciphertext | tag 16`, bound to the leaf's other fields.
    ///
    /// The nonce is computed from what is sealed, so a leaf that was staged, lost and staged again with other words
    /// under the same key does not repeat it.
    pub(crate) fn seal(&self, leaf: &Fields, payload: &[u8]) -> Result<Vec<u8>, Broken> {
        let nonce = self.nonce(leaf, payload)?;
        let mut out = Vec::with_capacity(NONCE_LEN + payload.len() + TAG_LEN);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(payload);
        let text = InOutBuf::from(out.get_mut(NONCE_LEN..).ok_or(Broken)?);
        let tag = self.cipher(leaf)?.encrypt_inout_detached(&Nonce::from(nonce), &leaf.aad(), text).map_err(|_| Broken)?;
        out.extend_from_slice(&tag);
        Ok(out)
    }

    /// The payload, if the leaf was sealed under this key.
    pub(crate) fn unseal(&self, leaf: &Fields) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = leaf.sealed.split_at_checked(NONCE_LEN)?;
        let (text, tag) = rest.split_at_checked(rest.len().checked_sub(TAG_LEN)?)?;
        let nonce: [u8; NONCE_LEN] = nonce.try_into().ok()?;
        let tag: [u8; TAG_LEN] = tag.try_into().ok()?;
        let mut payload = Zeroizing::new(text.to_vec());
        let buffer = InOutBuf::from(payload.as_mut_slice());
        self.cipher(leaf).ok()?.decrypt_inout_detached(&Nonce::from(nonce), &leaf.aad(), buffer, &Tag::from(tag)).ok()?;
        Some(payload)
    }

    fn cipher(&self, leaf: &Fields) -> Result<Aes256Gcm, Broken> {
        Aes256Gcm::new_from_slice(&self.derive(&leaf.log_id, b"strongroom/v1/audit/leaf")?).map_err(|_| Broken)
    }

    fn nonce(&self, leaf: &Fields, payload: &[u8]) -> Result<[u8; NONCE_LEN], Broken> {
        let key = self.derive(&leaf.log_id, b"strongroom/v1/audit/nonce")?;
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).map_err(|_| Broken)?;
        mac.update(&leaf.aad());
        mac.update(payload);
        mac.finalize().into_bytes().get(..NONCE_LEN).and_then(|head| head.try_into().ok()).ok_or(Broken)
    }

    fn derive(&self, log_id: &[u8; 16], info: &[u8]) -> Result<Zeroizing<Box<[u8]>>, Broken> {
        let mut out = Zeroizing::new(vec![0; KEY_LEN].into_boxed_slice());
        Hkdf::<Sha256>::new(Some(log_id), &self.0).expand(info, &mut out).map_err(|_| Broken)?;
        Ok(out)
    }
}

pub(crate) enum BeginRatchetError {
    Key,
    Entropy(EntropyError),
}
