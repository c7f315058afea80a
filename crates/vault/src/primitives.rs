//! The four primitives, in the shapes used here. Invariant: nothing else in this crate names a cipher or a hash.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit, Nonce, Tag};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::secret::SecretBox;

pub(crate) const KEY_LEN: usize = 32;
pub(crate) const NONCE_LEN: usize = 12;
pub(crate) const TAG_LEN: usize = 16;
/// For keys that encrypt exactly once.
pub(crate) const NONCE_ONCE: [u8; NONCE_LEN] = [0; NONCE_LEN];

/// A primitive refused input of a length that we chose: our mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

/// Encrypts all but the last 16 bytes of `buffer` in place and writes the tag there.
pub(crate) fn encrypt(key: &SecretBox, nonce: &[u8; NONCE_LEN], aad: &[u8], buffer: &mut [u8]) -> Result<(), Broken> {
    let cipher = Aes256Gcm::new_from_slice(key.bytes()).map_err(|_| Broken)?;
    let at = buffer.len().checked_sub(TAG_LEN).ok_or(Broken)?;
    let (text, tag_out) = buffer.split_at_mut(at);
    let tag = cipher.encrypt_inout_detached(&Nonce::from(*nonce), aad, InOutBuf::from(text)).map_err(|_| Broken)?;
    tag_out.copy_from_slice(&tag);
    Ok(())
}

/// Decrypts into a buffer of its own; `None` when the tag does not fit.
pub(crate) fn decrypt(key: &SecretBox, nonce: &[u8; NONCE_LEN], aad: &[u8], sealed: &[u8]) -> Option<SecretBox> {
    let cipher = Aes256Gcm::new_from_slice(key.bytes()).ok()?;
    let (text, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG_LEN)?)?;
    let tag: [u8; TAG_LEN] = tag.try_into().ok()?;
    let mut plain = SecretBox::copy_of(text);
    let buffer = InOutBuf::from(plain.bytes_mut());
    cipher.decrypt_inout_detached(&Nonce::from(*nonce), aad, buffer, &Tag::from(tag)).ok()?;
    Some(plain)
}

/// HKDF-SHA-256, extract and expand, 32 bytes out.
pub(crate) fn derive(ikm: &[u8], salt: &[u8], info: &[&[u8]]) -> Result<SecretBox, Broken> {
    let mut key = SecretBox::zeroed(KEY_LEN);
    Hkdf::<Sha256>::new(Some(salt), ikm).expand_multi_info(info, key.bytes_mut()).map_err(|_| Broken)?;
    Ok(key)
}

/// HMAC-SHA-256 over the parts, one after the other.
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], Broken> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).map_err(|_| Broken)?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Equality whose duration does not depend on the bytes.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
