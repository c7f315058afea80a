//! Private keys in PEM. Invariant: what comes out has one begin line, one end line and base64 between them, and the
//! PKCS#8 inside says that it is Ed25519 or RSA; an RSA key alone (PKCS#1) keeps its own label.

use pkcs1::RsaPrivateKeyRef;
use pkcs8::der::{Decode as _, SecretDocument, pem::LineEnding};
use pkcs8::pkcs5::{EncryptionScheme, pbes2::Kdf};
use pkcs8::{EncryptedPrivateKeyInfoRef, ObjectIdentifier, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use super::found::Scheme;
use super::opening::Opening;
use super::{Trouble, found};

/// How every PEM begins.
pub(super) const BEGIN: &str = "-----BEGIN ";
const LABEL: &str = "PRIVATE KEY";
const HEAD: &str = "-----BEGIN PRIVATE KEY-----";
const TAIL: &str = "-----END PRIVATE KEY-----";
const RSA_LABEL: &str = "RSA PRIVATE KEY";
const RSA_HEAD: &str = "-----BEGIN RSA PRIVATE KEY-----";
const RSA_TAIL: &str = "-----END RSA PRIVATE KEY-----";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
/// RFC 8410.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// RFC 8017, RFC 5480.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// The key in its normal form, and how it signs: PKCS#8 or PKCS#1 in PEM, with line breaks, whether the file has them or spells them
/// `\n`; decrypted if it is encrypted.
pub(super) fn open(text: &str, opening: &Opening<'_>) -> Result<(Scheme, Zeroizing<String>), Trouble> {
    let text = unfold(text);
    // RFC 1421's own encryption, of old OpenSSL.
    if text.contains("Proc-Type:") {
        return Err(Trouble::OtherCipher);
    }
    let (form, der) = match label(&text) {
        LABEL => (LABEL, decode(&text)?),
        ENCRYPTED => (LABEL, decrypt(&decode(&text)?, opening)?),
        RSA_LABEL => (RSA_LABEL, decode(&text)?),
        "EC PRIVATE KEY" | "DSA PRIVATE KEY" => return Err(Trouble::OtherKind),
        _ => return Err(Trouble::OtherPem),
    };
    let scheme = match kind(form, &der) {
        Some(scheme @ (Scheme::Ed25519 | Scheme::Rsa)) => scheme,
        Some(_) => return Err(Trouble::OtherKind),
        // What a wrong passphrase leaves when its padding fits by chance is no key either.
        None if label(&text) == ENCRYPTED => return Err(Trouble::WrongPassphrase),
        None => return Err(Trouble::Damaged),
    };
    let pem = der.to_pem(form, LineEnding::LF).map_err(|_| Trouble::Damaged)?;
    if is_whole(&pem) { Ok((scheme, pem)) } else { Err(Trouble::Damaged) }
}

/// How a secret signs, without opening what is encrypted.
pub(super) fn scheme(text: &str) -> Scheme {
    if !text.starts_with(BEGIN) {
        return Scheme::Shared;
    }
    let text = unfold(text);
    match label(&text) {
        RSA_LABEL => Scheme::Rsa,
        "EC PRIVATE KEY" => Scheme::Ec,
        LABEL => decode(&text).ok().and_then(|der| kind(LABEL, &der)).unwrap_or(Scheme::Unknown),
        _ => Scheme::Unknown,
    }
}

/// Whether it is the normal form.
pub(super) fn is_whole(text: &str) -> bool {
    let between = |head: &str, tail| text.strip_prefix(head)?.strip_prefix('\n')?.trim_end().strip_suffix(tail);
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\n".contains(&byte);
    between(HEAD, TAIL)
        .or_else(|| between(RSA_HEAD, RSA_TAIL))
        .is_some_and(|body| body.len() > 1 && body.ends_with('\n') && body.bytes().all(base64))
}

/// One line break at the end of each line that has something in it.
fn unfold(text: &str) -> Zeroizing<String> {
    let text = Zeroizing::new(text.trim().replace("\\r", "").replace("\\n", "\n").replace('\r', ""));
    let mut lines = Zeroizing::new(String::with_capacity(text.len() + 1));
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        lines.push_str(line);
        lines.push('\n');
    }
    lines
}

fn label(text: &str) -> &str {
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix("-----")).unwrap_or_default()
}

fn decode(text: &str) -> Result<SecretDocument, Trouble> {
    SecretDocument::from_pem(text).map(|(_, der)| der).map_err(|_| Trouble::Damaged)
}

fn kind(form: &str, der: &SecretDocument) -> Option<Scheme> {
    if form == RSA_LABEL {
        return RsaPrivateKeyRef::from_der(der.as_bytes()).is_ok().then_some(Scheme::Rsa);
    }
    match PrivateKeyInfoRef::from_der(der.as_bytes()).ok()?.algorithm.oid {
        ED25519 => Some(Scheme::Ed25519),
        RSA => Some(Scheme::Rsa),
        EC => Some(Scheme::Ec),
        // Ed448, X25519 and others are as little use here.
        _ => Some(Scheme::Unknown),
    }
}

/// PKCS#8 under PBES2, with its cost weighed first.
fn decrypt(der: &SecretDocument, opening: &Opening<'_>) -> Result<SecretDocument, Trouble> {
    let info = EncryptedPrivateKeyInfoRef::from_der(der.as_bytes()).map_err(|_| Trouble::OtherCipher)?;
    let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else { return Err(Trouble::OtherCipher) };
    let passphrase = opening.passphrase()?;
    match &parameters.kdf {
        Kdf::Pbkdf2(parameters) => opening.afford_pbkdf2(u64::from(parameters.iteration_count))?,
        Kdf::Scrypt(parameters) => {
            opening.afford_scrypt(parameters.cost_parameter, u64::from(parameters.block_size), u64::from(parameters.parallelization))?;
        }
        _ => return Err(Trouble::OtherCipher),
    }
    info.decrypt(passphrase).map_err(|_| Trouble::WrongPassphrase)
}

/// A file of one private key.
pub(super) fn parse(text: &str, opening: &Opening<'_>) -> Result<Vec<found::Found>, Trouble> {
    let (scheme, secret) = open(text, opening)?;
    let nothing = String::new;
    let found = found::Found {
        venue: nothing(),
        label: nothing(),
        place: "the whole file".to_owned(),
        left: nothing(),
        scheme,
        api_key: Zeroizing::default(),
        secret: Ok(secret),
    };
    Ok(vec![found])
}
