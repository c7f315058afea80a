//! Printed codes: the recovery kit and an auditor's code, of 256 random bits, and codes of 80 that stand in for a one-time code.
//! Invariant: a code that was mistyped, or is of another kind, is recognised as such, never tried.

use std::marker::PhantomData;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Hrp};
use strongroom_model::Advice;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::entropy::{Entropy, EntropyError, make_secret};
use crate::primitives::{KEY_LEN, mac, same};
use crate::secret::SecretBox;

const GROUP_LEN: usize = 4;
/// How many recovery codes are printed at once.
pub const RECOVERY_CODES: usize = 10;
/// What the mark of a recovery code is for.
const MARK: &[u8] = b"strongroom recovery code\0";
/// Longest text worth looking at: the code with generous separators.
const TYPED_LEN_MAX: usize = 256;

/// What a code is for; its prefix says so.
pub trait CodeKind {
    /// Its letters.
    const HRP: &'static str;
    /// How the printed text begins.
    const START: &'static str;
    /// Random bytes.
    const LEN: usize = KEY_LEN;
    /// Prefix and `1`, 52 letters of key, 6 of checksum.
    const TEXT_LEN: usize = 64;
}

/// See [`Kit`].
pub struct OfKit;

impl CodeKind for OfKit {
    const HRP: &'static str = "srkit";
    const START: &'static str = "SRKI T1";
}

/// See [`AuditorCode`].
pub struct OfAuditor;

impl CodeKind for OfAuditor {
    const HRP: &'static str = "sraud";
    const START: &'static str = "SRAU D1";
}

/// See [`RecoveryCode`].
pub struct OfRecovery;

impl CodeKind for OfRecovery {
    const HRP: &'static str = "r";
    const START: &'static str = "R1";
    const LEN: usize = 10;
    /// Prefix and `1`, 16 letters, 6 of checksum.
    const TEXT_LEN: usize = 24;
}

/// Random bits, printed once and stored nowhere.
pub struct Code<K: CodeKind>(SecretBox, PhantomData<K>);

/// Opens the vault alone.
pub type Kit = Code<OfKit>;
/// Opens the key that reads the audit log, and nothing else.
pub type AuditorCode = Code<OfAuditor>;
/// Stands in for one one-time code.
pub type RecoveryCode = Code<OfRecovery>;

/// Why a text is not such a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KitError {
    /// Too short, too long, or other letters.
    #[error("a code like this has {1} groups of 4 letters and begins with {0}")]
    Shape(&'static str, usize),
    /// A letter is wrong.
    #[error("the checksum does not fit: at least one letter is mistyped")]
    Checksum,
}

impl KitError {
    /// A person types it again.
    pub fn advice(&self) -> Advice {
        Advice::Ask
    }
}

impl<K: CodeKind> Code<K> {
    /// How many groups the text has.
    pub const GROUPS: usize = K::TEXT_LEN / GROUP_LEN;

    /// A new random code.
    pub fn make(entropy: &mut dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self(make_secret(entropy, K::LEN)?, PhantomData))
    }

    /// Lends its bytes.
    pub fn expose<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        self.0.expose(f)
    }

    /// Reads what a person typed: case, spaces and dashes do not matter, every letter does.
    pub fn parse(typed: &[u8]) -> Result<Self, KitError> {
        let shape = KitError::Shape(K::START, Self::GROUPS);
        let letters = squeeze(typed, K::TEXT_LEN).ok_or(shape)?;
        let text = std::str::from_utf8(letters.bytes()).map_err(|_| shape)?;
        let checked = CheckedHrpstring::new::<Bech32m>(text).map_err(|_| KitError::Checksum)?;
        if checked.hrp().as_str() != K::HRP {
            return Err(shape);
        }
        let mut kit = Self(SecretBox::zeroed(K::LEN), PhantomData);
        for (place, byte) in kit.0.bytes_mut().iter_mut().zip(checked.byte_iter()) {
            *place = byte;
        }
        // Padding bits may end the last letter; only zero is canonical.
        if kit.with_letters(|canonical| same(canonical, letters.bytes())) { Ok(kit) } else { Err(KitError::Checksum) }
    }

    /// Lends the text to print: groups of 4 upper-case letters with one space between.
    pub fn with_text<R>(&self, f: impl FnOnce(&str) -> R) -> R {
        self.with_letters(|letters| {
            let mut text = Zeroizing::new(String::with_capacity(K::TEXT_LEN + Self::GROUPS));
            for (at, letter) in letters.iter().enumerate() {
                if at > 0 && at % GROUP_LEN == 0 {
                    text.push(' ');
                }
                text.push(char::from(letter.to_ascii_uppercase()));
            }
            f(&text)
        })
    }

    /// Whether `typed` is the group at `index`: how a person proves to have the print.
    pub fn has_group(&self, index: usize, typed: &[u8]) -> bool {
        let Some(group) = squeeze(typed, GROUP_LEN) else { return false };
        self.with_letters(|letters| letters.chunks_exact(GROUP_LEN).nth(index).is_some_and(|own| same(own, group.bytes())))
    }

    fn with_letters<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        let mut text = Zeroizing::new(String::with_capacity(K::TEXT_LEN));
        // So few bytes and a constant prefix always fit into one code word; an empty text would equal no code.
        let encoded = Hrp::parse(K::HRP).map(|hrp| bech32::encode_lower_to_fmt::<Bech32m, _>(&mut *text, hrp, self.0.bytes()));
        if !matches!(encoded, Ok(Ok(()))) {
            text.zeroize();
        }
        f(text.as_bytes())
    }
}

impl Kit {
    /// From its 32 bytes.
    pub fn from_bytes(bytes: &[u8; KEY_LEN]) -> Self {
        Self(SecretBox::copy_of(bytes), PhantomData)
    }
}

impl AuditorCode {
    /// From its 32 bytes.
    pub fn from_bytes(bytes: &[u8; KEY_LEN]) -> Self {
        Self(SecretBox::copy_of(bytes), PhantomData)
    }
}

impl RecoveryCode {
    /// What is kept of it: HMAC-SHA-256 under `key`. Without that key it can be compared with nothing.
    pub fn mark(&self, key: &[u8]) -> [u8; 32] {
        // HMAC takes keys of any length.
        mac(key, &[MARK, self.0.bytes()]).unwrap_or_default()
    }
}

/// Lower-case letters and digits without separators, exactly `len` of them.
fn squeeze(typed: &[u8], len: usize) -> Option<SecretBox> {
    if typed.len() > TYPED_LEN_MAX {
        return None;
    }
    let mut out = SecretBox::zeroed(len);
    let mut places = out.bytes_mut().iter_mut();
    for byte in typed {
        match byte {
            b' ' | b'-' | b'\t' | b'\r' | b'\n' => {}
            _ if byte.is_ascii_alphanumeric() => *places.next()? = byte.to_ascii_lowercase(),
            _ => return None,
        }
    }
    if places.next().is_some() { None } else { Some(out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kit() -> Kit {
        Kit::from_bytes(&[0xA5; 32])
    }

    #[test]
    fn prints_sixteen_groups_and_reads_them_back() {
        let text = kit().with_text(str::to_owned);
        assert_eq!(text.split(' ').count(), Kit::GROUPS);
        assert!(text.starts_with("SRKI T1"), "{text}");
        for typed in [text.clone(), text.to_lowercase(), text.replace(' ', "-"), text.replace(' ', ""), format!(" {text}\n")] {
            assert!(Kit::parse(typed.as_bytes()).unwrap().expose(|bytes| bytes == [0xA5; 32]), "{typed}");
        }
    }

    #[test]
    fn every_single_wrong_letter_is_found() {
        let text = kit().with_text(|text| text.replace(' ', ""));
        for at in 0..OfKit::TEXT_LEN {
            for wrong in "023456789acdefghjklmnpqrstuvwxyz".bytes() {
                let mut typed = text.clone().into_bytes();
                if typed[at].eq_ignore_ascii_case(&wrong) {
                    continue;
                }
                typed[at] = wrong;
                assert!(Kit::parse(&typed).is_err());
            }
        }
        assert_eq!(Kit::parse(b"SRKIT1").err(), Some(KitError::Shape(OfKit::START, 16)));
        assert_eq!(Kit::parse("ü".repeat(32).as_bytes()).err(), Some(KitError::Shape(OfKit::START, 16)));
    }

    #[test]
    fn a_code_of_the_other_kind_is_recognised() {
        let text = AuditorCode::from_bytes(&[0xA5; 32]).with_text(str::to_owned);
        assert!(text.starts_with(OfAuditor::START), "{text}");
        assert!(AuditorCode::parse(text.as_bytes()).is_ok());
        assert_eq!(Kit::parse(text.as_bytes()).err(), Some(KitError::Shape(OfKit::START, 16)));
    }

    #[test]
    fn groups_typed_back() {
        let text = kit().with_text(str::to_owned);
        let third = text.split(' ').nth(3).unwrap();
        assert!(kit().has_group(3, third.to_lowercase().as_bytes()));
        assert!(!kit().has_group(3, b"AAAA") && !kit().has_group(16, third.as_bytes()) && !kit().has_group(3, b""));
    }
    struct Counted(u8);

    impl Entropy for Counted {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
            self.0 += 1;
            out.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn recovery_codes_are_read_back_and_told_from_everything_else() {
        let code = RecoveryCode::make(&mut Counted(0x5A)).unwrap();
        assert_eq!(code.expose(<[u8]>::len) * 8, 80);
        let text = code.with_text(str::to_owned);
        assert!(text.starts_with(OfRecovery::START) && text.split(' ').count() == 6 && RecoveryCode::GROUPS == 6, "{text}");
        let own = code.mark(b"key");
        for typed in [text.clone(), text.to_lowercase(), text.replace(' ', ""), format!(" {text}\r\n")] {
            assert_eq!(RecoveryCode::parse(typed.as_bytes()).unwrap().mark(b"key"), own, "{typed}");
        }
        assert_ne!(code.mark(b"another key"), own);
        assert_ne!(RecoveryCode::make(&mut Counted(0x5B)).unwrap().mark(b"key"), own);
        // A mistyped letter is no wrong code.
        let dense = text.replace(' ', "").into_bytes();
        for at in 2..dense.len() {
            let mut typed = dense.clone();
            typed[at] = if typed[at] == b'Q' { b'P' } else { b'Q' };
            assert_eq!(RecoveryCode::parse(&typed).err(), Some(KitError::Checksum), "{at}");
        }
        let shape = Some(KitError::Shape("R1", 6));
        for other in ["123456", "", "R1", &kit().with_text(str::to_owned), &"1".repeat(23)] {
            assert_eq!(RecoveryCode::parse(other.as_bytes()).err(), shape, "{other}");
        }
        assert!(code.has_group(5, text.split(' ').next_back().unwrap().as_bytes()) && !code.has_group(6, b""));
    }
}
