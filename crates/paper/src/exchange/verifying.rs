//! How the venue checks what clients sign: HMAC-SHA-256, Ed25519 or RSA (`rest-api.md`, “SIGNED Endpoint Examples”). Invariant: of
//! asymmetric keys the venue has the public half only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::pkcs8::spki::der::Document;
use ed25519_dalek::pkcs8::spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use strongroom_venues::binance::VerifyingKey;
use thiserror::Error;

/// `rsaEncryption` (RFC 8017, A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-Ed25519` (RFC 8410, 3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// Longest public key that is read, in bytes of PEM.
const PEM_LEN_MAX: usize = 16 * 1024;

/// Why a public key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PublicKeyError {
    /// Not a public key in PEM.
    #[error("not a public key in PEM (BEGIN PUBLIC KEY)")]
    NotPublic,
    /// A private key: it must not leave its owner.
    #[error("this is a private key. Give the public half only, such as `openssl pkey -in key.pem -pubout`")]
    Private,
    /// Neither Ed25519 nor RSA of 2048 to 8192 bits.
    #[error("the key is neither Ed25519 nor RSA with 2048 to 8192 bits")]
    OtherKind,
}

/// Checks the signatures of one key.
#[derive(Clone)]
pub enum Verifying {
    /// HMAC-SHA-256 or Ed25519.
    Known(VerifyingKey),
    /// RSASSA-PKCS1-v1_5 with SHA-256; the public key in PKCS#1.
    Rsa(Vec<u8>),
}

impl From<VerifyingKey> for Verifying {
    fn from(key: VerifyingKey) -> Self {
        Self::Known(key)
    }
}

impl Verifying {
    /// From a public key as its owner would upload it: Ed25519 or RSA.
    pub fn from_pem(pem: &str) -> Result<Self, PublicKeyError> {
        if pem.len() > PEM_LEN_MAX || !pem.contains("BEGIN PUBLIC KEY") {
            return Err(if pem.contains("PRIVATE KEY") { PublicKeyError::Private } else { PublicKeyError::NotPublic });
        }
        let (_, document) = Document::from_pem(pem.trim()).map_err(|_| PublicKeyError::NotPublic)?;
        let info: SubjectPublicKeyInfoRef<'_> = document.decode_msg().map_err(|_| PublicKeyError::NotPublic)?;
        let bytes = info.subject_public_key.as_bytes().ok_or(PublicKeyError::NotPublic)?;
        match info.algorithm.oid {
            ED25519 => VerifyingKey::ed25519_from_pem(pem.trim()).map(Self::Known).map_err(|_| PublicKeyError::OtherKind),
            // 2048 bits of modulus at least: shorter ones are refused by the verification, too.
            RSA if bytes.len() >= 256 => Ok(Self::Rsa(bytes.to_vec())),
            _ => Err(PublicKeyError::OtherKind),
        }
    }

    /// Whether it is of the one kind that sessions are logged on with.
    pub(crate) const fn logs_on(&self) -> bool {
        matches!(self, Self::Known(VerifyingKey::Ed25519(_)))
    }

    /// Whether `signature` (text form, percent-decoded) is this key's over `payload`.
    pub fn verify(&self, payload: &[u8], signature: &str) -> bool {
        match self {
            Self::Known(key) => key.verify(payload, signature),
            Self::Rsa(key) => BASE64
                .decode(signature)
                .is_ok_and(|signature| UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(payload, &signature).is_ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl genrsa 2048`, `openssl pkey -pubout` and `openssl dgst -sha256 -sign` over `a=1&b=2`.
    const PEM: &str = include_str!("../../tests/keys/rsa.pub.pem");
    const SIGNATURE: &str = include_str!("../../tests/keys/rsa.signature");

    #[test]
    fn an_rsa_signature_of_openssl() {
        let key = Verifying::from_pem(PEM).unwrap();
        assert!(key.verify(b"a=1&b=2", SIGNATURE.trim()));
        assert!(!key.verify(b"a=1&b=3", SIGNATURE.trim()));
        assert!(!key.verify(b"a=1&b=2", "AAAA") && !key.verify(b"a=1&b=2", "not base64"));
        assert!(!key.logs_on());
    }

    #[test]
    fn what_is_no_public_key_is_said() {
        let rows = [
            ("", PublicKeyError::NotPublic),
            ("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----", PublicKeyError::Private),
            ("-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----", PublicKeyError::NotPublic),
            // An elliptic-curve key.
            (
                "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n-----END PUBLIC KEY-----",
                PublicKeyError::OtherKind,
            ),
        ];
        for (pem, error) in rows {
            assert_eq!(Verifying::from_pem(pem).err(), Some(error), "{pem}");
        }
    }
}
