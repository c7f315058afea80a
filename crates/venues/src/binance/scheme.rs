//! Binance's signature schemes: HMAC-SHA-256 in hexadecimal, Ed25519 and RSA (PKCS #1 v1.5, SHA-256) in base64.
//!
//! Invariant: a signing key borrows its secret bytes for one operation, and has no text form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use ed25519_dalek::Verifier as _;
use ring::hmac::{self, HMAC_SHA256};
use strongroom_model::Scheme;
use zeroize::Zeroizing;

use crate::pair::{self, Pair, exact};

pub use crate::pair::{GenerateError, KeyError};

/// Longest HMAC secret accepted; Binance's have 64 characters.
pub const HMAC_SECRET_LEN_MAX: usize = 512;

/// Normalises what a person pasted into the secret bytes that the vault stores for `scheme`.
///
/// HMAC: the text without surrounding blanks. A key pair: see [`pair::import`].
pub fn import_secret(scheme: Scheme, pasted: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let trimmed = pasted.trim_ascii();
    match scheme {
        Scheme::HmacSha256 => {
            let fits = (1..=HMAC_SECRET_LEN_MAX).contains(&trimmed.len()) && trimmed.iter().all(u8::is_ascii_graphic);
            if fits { Ok(exact(trimmed)) } else { Err(KeyError::Secret) }
        }
        Scheme::Ed25519 | Scheme::RsaSha256 => pair::import(scheme, trimmed),
        Scheme::EcdsaP256 => Err(KeyError::OtherKind),
    }
}

/// Whether the venue takes keys of that scheme.
pub const fn takes(scheme: Scheme) -> bool {
    !matches!(scheme, Scheme::EcdsaP256)
}

/// A new private key, as the vault stores it; `fill` gives random bytes.
pub fn generate<E>(scheme: Scheme, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Zeroizing<Vec<u8>>, GenerateError<E>> {
    if takes(scheme) { pair::generate(scheme, fill) } else { Err(GenerateError::OtherKind) }
}

/// The public half of a stored private key as PEM, which Binance takes when a key is made.
pub fn public_pem(scheme: Scheme, stored: &[u8]) -> Result<String, KeyError> {
    match SigningKey::from_stored(scheme, stored)? {
        SigningKey::Pair(pair) => pair.public_pem(),
        SigningKey::Hmac(_) => Err(KeyError::Shared),
    }
}

/// A stored secret as text that other programs take: a line that names it, and the secret behind it; a private key as PEM.
pub fn private_text(scheme: Scheme, stored: &[u8]) -> Result<(&'static str, Zeroizing<Vec<u8>>), KeyError> {
    match SigningKey::from_stored(scheme, stored)? {
        SigningKey::Hmac(secret) => Ok(("secret: ", exact(secret))),
        SigningKey::Pair(pair) => pair.private_pem(stored).map(|pem| ("", exact(pem.as_bytes()))),
    }
}

/// What kind of secret a person pasted: a PEM block is a private key that says its scheme, everything else an HMAC secret.
pub fn recognise(pasted: &[u8]) -> Scheme {
    let trimmed = pasted.trim_ascii();
    if trimmed.starts_with(b"-----BEGIN") { pair::recognise(trimmed).unwrap_or(Scheme::Ed25519) } else { Scheme::HmacSha256 }
}

/// A key for one operation.
pub enum SigningKey<'a> {
    /// Shared secret.
    Hmac(&'a [u8]),
    /// Private key.
    Pair(Pair),
}

impl<'a> SigningKey<'a> {
    /// From the bytes that [`import_secret`] made.
    pub fn from_stored(scheme: Scheme, secret: &'a [u8]) -> Result<Self, KeyError> {
        match scheme {
            Scheme::HmacSha256 => Ok(Self::Hmac(secret)),
            Scheme::Ed25519 | Scheme::RsaSha256 => Pair::from_stored(scheme, secret).map(Self::Pair),
            Scheme::EcdsaP256 => Err(KeyError::OtherKind),
        }
    }

    /// Signature of `payload` in the venue's text form (not percent-encoded).
    pub fn sign(&self, payload: &[u8]) -> Result<String, KeyError> {
        match self {
            Self::Hmac(secret) => Ok(HEXLOWER.encode(hmac::sign(&hmac::Key::new(HMAC_SHA256, secret), payload).as_ref())),
            Self::Pair(pair) => pair.sign(payload).map(|signature| BASE64.encode(signature)),
        }
    }
}

/// The venue's side: checks signatures that clients send.
#[derive(Clone)]
pub enum VerifyingKey {
    /// Shared secret, as the venue keeps it.
    Hmac(Zeroizing<Vec<u8>>),
    /// Public key.
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl VerifyingKey {
    /// From a shared secret.
    pub fn hmac(secret: &[u8]) -> Self {
        Self::Hmac(exact(secret))
    }

    /// From a public key in PEM (SubjectPublicKeyInfo).
    pub fn ed25519_from_pem(pem: &str) -> Result<Self, KeyError> {
        use ed25519_dalek::pkcs8::DecodePublicKey as _;
        ed25519_dalek::VerifyingKey::from_public_key_pem(pem).map(Self::Ed25519).map_err(|_| KeyError::NotPublic)
    }

    /// From the 32 bytes of a public key.
    pub fn ed25519_from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        ed25519_dalek::VerifyingKey::from_bytes(bytes).map(Self::Ed25519).map_err(|_| KeyError::NotPublic)
    }

    /// Whether `signature` (text form, percent-decoded) is this key's over `payload`.
    pub fn verify(&self, payload: &[u8], signature: &str) -> bool {
        match self {
            Self::Hmac(secret) => HEXLOWER_PERMISSIVE
                .decode(signature.as_bytes())
                .is_ok_and(|tag| hmac::verify(&hmac::Key::new(HMAC_SHA256, secret), payload, &tag).is_ok()),
            Self::Ed25519(key) => BASE64
                .decode(signature)
                .ok()
                .and_then(|bytes| ed25519_dalek::Signature::from_slice(&bytes).ok())
                .is_some_and(|signature| key.verify(payload, &signature).is_ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_verify_and_altered_payloads_do_not() {
        let shared = SigningKey::Hmac(b"secret");
        let verifier = VerifyingKey::hmac(b"secret");
        let signed = shared.sign(b"a=1").unwrap();
        assert!(verifier.verify(b"a=1", &signed) && !verifier.verify(b"a=2", &signed));
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let verifier = VerifyingKey::Ed25519(key.verifying_key());
        let key = SigningKey::from_stored(Scheme::Ed25519, &[7; 32]).unwrap();
        let signed = key.sign(b"a=1").unwrap();
        assert!(verifier.verify(b"a=1", &signed) && !verifier.verify(b"a=2", &signed));
    }

    #[test]
    fn a_generated_key_signs_what_its_public_half_verifies() {
        let seed = generate(Scheme::Ed25519, |bytes| {
            bytes.fill(9);
            Ok::<(), ()>(())
        })
        .unwrap();
        let pem = public_pem(Scheme::Ed25519, &seed).unwrap();
        assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n") && pem.ends_with("-----END PUBLIC KEY-----\n"));
        let signature = SigningKey::from_stored(Scheme::Ed25519, &seed).unwrap().sign(b"a=1").unwrap();
        assert!(VerifyingKey::ed25519_from_pem(&pem).unwrap().verify(b"a=1", &signature));
        assert_eq!(public_pem(Scheme::HmacSha256, b"secret"), Err(KeyError::Shared));
        let (_, pem) = private_text(Scheme::Ed25519, &seed).unwrap();
        assert_eq!(import_secret(Scheme::Ed25519, &pem).unwrap(), seed, "what goes out comes in again");
        assert_eq!(private_text(Scheme::HmacSha256, b"abc").unwrap().1.as_slice(), b"abc");
        assert_eq!(generate(Scheme::Ed25519, |_| Err(7)), Err(GenerateError::Entropy(7)));
    }

    #[test]
    fn pasted_secrets() {
        assert_eq!(import_secret(Scheme::HmacSha256, b"  abc\n").unwrap().as_slice(), b"abc");
        for bad in [&b""[..], b"a b", b"\xff\xfe", &[b'a'; 513]] {
            assert!(import_secret(Scheme::HmacSha256, bad).is_err());
        }
        let pem =
            b"-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u\\n-----END PRIVATE KEY-----";
        assert_eq!(import_secret(Scheme::Ed25519, pem).unwrap().len(), 32);
        assert_eq!(import_secret(Scheme::Ed25519, b"-----BEGIN EC PRIVATE KEY-----\nAA").unwrap_err(), KeyError::OtherKind);
    }
}
