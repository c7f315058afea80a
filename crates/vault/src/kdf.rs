//! From a password to 32 bytes. Invariant: parameters outside floor and ceiling are neither written nor obeyed.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use strongroom_model::Advice;
use thiserror::Error;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use zeroize::Zeroizing;

use crate::primitives::KEY_LEN;
use crate::secret::SecretBox;
use crate::wire::Fields;

/// Longest password, in bytes of UTF-8 as typed.
pub const PASSWORD_LEN_MAX: usize = 1_024;
/// Composition (NFC) grows UTF-8 by at most this factor (UAX #15, table of maximum expansion factors).
const NFC_GROWTH_MAX: usize = 3;
const ARGON2ID_V13: u16 = 1;
pub(crate) const SALT_LEN: usize = 32;

/// How much work Argon2id does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfParams {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl KdfParams {
    /// The weakest that is written or read.
    pub const FLOOR: Self = Self { memory_kib: 64 * 1_024, passes: 3, lanes: 4 };
    /// The heaviest that is obeyed, so that a forged file cannot exhaust the machine unnoticed.
    pub const CEILING: Self = Self { memory_kib: 4 * 1_024 * 1_024, passes: 32, lanes: 16 };

    /// Whether every value lies between floor and ceiling.
    pub fn is_within_bounds(&self) -> bool {
        let (low, high) = (Self::FLOOR, Self::CEILING);
        (low.memory_kib..=high.memory_kib).contains(&self.memory_kib)
            && (low.passes..=high.passes).contains(&self.passes)
            && (low.lanes..=high.lanes).contains(&self.lanes)
    }
}

impl Default for KdfParams {
    /// 256 MiB, 3 passes, 4 lanes: about half a second.
    fn default() -> Self {
        Self { memory_kib: 256 * 1_024, passes: 3, lanes: 4 }
    }
}

impl fmt::Display for KdfParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Argon2id with {} MiB, {} passes, {} lanes", self.memory_kib / 1_024, self.passes, self.lanes)
    }
}

/// Why a password cannot be used, whatever the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// Empty.
    #[error("the password is empty")]
    Empty,
    /// Too long.
    #[error("the password is longer than {PASSWORD_LEN_MAX} bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("the password is not text in UTF-8")]
    NotText,
    /// The memory that Argon2id needs could not be had.
    #[error("there is not enough free memory to check a password; close other programs and try again")]
    NoMemory,
    /// The primitive refused parameters that were checked.
    #[error("the key derivation refused its own parameters; this is a defect")]
    Broken,
}

impl PasswordError {
    /// A person has to type another one, or free memory.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Empty | Self::TooLong | Self::NotText | Self::NoMemory => Advice::Ask,
            Self::Broken => Advice::Bug,
        }
    }
}

/// The `kdf` field of the header.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KdfField {
    pub(crate) params: KdfParams,
    pub(crate) salt: [u8; SALT_LEN],
}

impl KdfField {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let KdfParams { memory_kib, passes, lanes } = self.params;
        let mut out = ARGON2ID_V13.to_be_bytes().to_vec();
        for number in [memory_kib, passes, lanes] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.salt);
        out
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        if fields.u16()? != ARGON2ID_V13 {
            return None;
        }
        let params = KdfParams { memory_kib: fields.u32()?, passes: fields.u32()?, lanes: fields.u32()? };
        let salt = fields.array()?;
        fields.end(Self { params, salt })
    }

    /// Argon2id(NFC(password)). The work memory is ours and is wiped.
    pub(crate) fn derive_from(&self, password: &[u8]) -> Result<SecretBox, PasswordError> {
        with_nfc(password, |normal| {
            let KdfParams { memory_kib, passes, lanes } = self.params;
            let params = Params::new(memory_kib, passes, lanes, Some(KEY_LEN)).map_err(|_| PasswordError::Broken)?;
            let blocks = params.block_count();
            let mut memory: Zeroizing<Vec<Block>> = Zeroizing::new(Vec::new());
            memory.try_reserve_exact(blocks).map_err(|_| PasswordError::NoMemory)?;
            memory.resize(blocks, Block::new());
            let mut out = SecretBox::zeroed(KEY_LEN);
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into_with_memory(normal, &self.salt, out.bytes_mut(), memory.as_mut_slice())
                .map_err(|_| PasswordError::Broken)?;
            Ok(out)
        })
    }
}

/// Derives from a password that nobody uses, to learn how long it takes.
pub fn measure_kdf(params: KdfParams) -> Result<(), PasswordError> {
    KdfField { params, salt: [0; SALT_LEN] }.derive_from(b"of nobody").map(|_| ())
}

/// Lends the password in Unicode normalisation form C; text that is in it already is not copied.
fn with_nfc<R>(password: &[u8], f: impl FnOnce(&[u8]) -> Result<R, PasswordError>) -> Result<R, PasswordError> {
    if password.is_empty() {
        return Err(PasswordError::Empty);
    }
    if password.len() > PASSWORD_LEN_MAX {
        return Err(PasswordError::TooLong);
    }
    let text = std::str::from_utf8(password).map_err(|_| PasswordError::NotText)?;
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return f(password);
    }
    let mut normal = SecretBox::zeroed(PASSWORD_LEN_MAX * NFC_GROWTH_MAX);
    let mut len = 0;
    for letter in text.nfc() {
        let end = len + letter.len_utf8();
        letter.encode_utf8(normal.bytes_mut().get_mut(len..end).ok_or(PasswordError::TooLong)?);
        len = end;
    }
    f(normal.bytes().get(..len).ok_or(PasswordError::TooLong)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_text_are_one_password() {
        let composed = with_nfc("Zürich é".as_bytes(), |bytes| Ok(bytes.to_vec())).unwrap();
        let decomposed = with_nfc("Zu\u{308}rich e\u{301}".as_bytes(), |bytes| Ok(bytes.to_vec())).unwrap();
        assert_eq!(composed, decomposed);
    }

    #[test]
    fn unusable_passwords() {
        for (password, expected) in [
            (&b""[..], PasswordError::Empty),
            (&[b'a'; PASSWORD_LEN_MAX + 1][..], PasswordError::TooLong),
            (&[0xff, 0xfe][..], PasswordError::NotText),
        ] {
            assert_eq!(with_nfc(password, |_| Ok(())), Err(expected));
        }
    }

    #[test]
    fn growth_of_the_worst_letters_fits() {
        // U+0390 decomposed and U+1D160 (a composition exclusion) grow most.
        for worst in ["\u{1D160}", "\u{0390}", "\u{FB2C}"] {
            let text = worst.repeat(PASSWORD_LEN_MAX / worst.len());
            assert!(with_nfc(text.as_bytes(), |_| Ok(())).is_ok());
        }
    }

    #[test]
    fn bounds() {
        let KdfParams { memory_kib, passes, lanes } = KdfParams::FLOOR;
        assert!(KdfParams::default().is_within_bounds() && KdfParams::CEILING.is_within_bounds());
        for weak in [
            KdfParams { memory_kib: memory_kib - 1, passes, lanes },
            KdfParams { memory_kib, passes: passes - 1, lanes },
            KdfParams { memory_kib, passes, lanes: lanes - 1 },
            KdfParams { lanes: 17, ..KdfParams::CEILING },
        ] {
            assert!(!weak.is_within_bounds(), "{weak}");
        }
    }
}
