//! Secrets and kits as people paste and type them. Invariant: a secret that is accepted signs, and its signature verifies.

use strongroom_model::Scheme;
use strongroom_vault::Kit;
use strongroom_venues::binance::scheme::{import_secret, private_text, recognise};
use strongroom_venues::binance::{SigningKey, VerifyingKey};
use strongroom_venues::pair::Pair;

/// The private key of RFC 8410, section 10.3: published, so no secret.
const PEM: &str =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

/// A published one of RSA, too.
const RSA: &str = include_str!("../../tests/vectors/keys/binance_examples_rsa.pem");

/// Keys in all forms that are known, and a kit.
pub fn seeds() -> Vec<Vec<u8>> {
    let kit = Kit::from_bytes(&[0x5A; 32]).with_text(|text| text.as_bytes().to_vec());
    let rsa = b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----".to_vec();
    vec![
        b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j".to_vec(),
        PEM.into(),
        PEM.replace('\n', "\\n").into_bytes(),
        PEM.replace('\n', "\r\n").into_bytes(),
        RSA.into(),
        vec![7; 32],
        rsa,
        kit,
    ]
}

/// Imports as a prompt does, with the scheme recognised, and as either scheme.
pub fn check(data: &[u8]) {
    let recognised = recognise(data);
    for scheme in [recognised, Scheme::HmacSha256, Scheme::Ed25519, Scheme::RsaSha256, Scheme::EcdsaP256] {
        let Ok(secret) = import_secret(scheme, data) else { continue };
        let (_, text) = private_text(scheme, &secret).expect("what was imported goes out");
        let again = import_secret(scheme, &text).expect("what was accepted is accepted again");
        assert!(*again == *secret);
        let key = SigningKey::from_stored(scheme, &secret).expect("what was imported is a key");
        let signature = key.sign(b"payload").expect("a signature");
        let verifying = match &key {
            SigningKey::Hmac(secret) => VerifyingKey::hmac(secret),
            SigningKey::Pair(Pair::Ed25519(key)) => VerifyingKey::Ed25519(key.verifying_key()),
            SigningKey::Pair(_) => continue,
        };
        assert!(verifying.verify(b"payload", &signature));
    }
    if let Ok(kit) = Kit::parse(data) {
        let again = kit.with_text(|text| Kit::parse(text.as_bytes())).expect("a kit's own text is one");
        assert!(kit.expose(|bytes| again.expose(|again| bytes == again)));
    }
}
