//! The venue's own certificate authority. Invariant: authority and server key outlive restarts, so that pins hold;
//! the authority can sign for nothing but this machine.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, PublicKeyData as _, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::faults::Certificate;
use crate::files;

/// How long a server certificate is valid; a new one is made at every start.
const LEAF_DAYS: u64 = 90;
/// How long the authority is valid.
const AUTHORITY_DAYS: u64 = 3_650;
/// Clients whose clocks are behind by this much still accept a new certificate.
const BACKDATED: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// Inside the authority's bounds, and no name of this server.
const OTHER_NAME: &str = "other.localhost";
const SERVER_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Why certificates could not be made.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// A file could not be read or written.
    #[error("the certificate files cannot be used: {0}")]
    File(#[from] io::Error),
    /// A key or certificate could not be made or read.
    #[error("a certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS does not take the key.
    #[error("the server key cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

/// What a server needs to speak TLS, and clients need to trust it.
pub(crate) struct Identity {
    pub(crate) ca_pem: String,
    pub(crate) ca_file: PathBuf,
    /// Base64 of SHA-256 of the server key's SubjectPublicKeyInfo.
    pub(crate) spki_sha256: String,
    pub(crate) tls: Arc<ServerConfig>,
    pub(crate) shown: Arc<Shown>,
}

/// Which certificate connections are shown.
#[derive(Debug)]
pub(crate) struct Shown {
    own: Arc<CertifiedKey>,
    other: Arc<CertifiedKey>,
    expired: Arc<CertifiedKey>,
    stranger: Arc<CertifiedKey>,
    other_name: Arc<CertifiedKey>,
    now: Mutex<Certificate>,
}

impl Shown {
    /// From now on, connections are shown this.
    pub(crate) fn show(&self, certificate: Certificate) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = certificate;
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = match *self.now.lock().unwrap_or_else(PoisonError::into_inner) {
            Certificate::Own => &self.own,
            Certificate::Other => &self.other,
            Certificate::Expired => &self.expired,
            Certificate::Stranger => &self.stranger,
            Certificate::OtherName => &self.other_name,
        };
        Some(shown.clone())
    }
}

/// Loads authority and server key from `directory`, or makes them, and issues a new server certificate.
pub(crate) fn open(directory: &Path, now: SystemTime) -> Result<Identity, AuthorityError> {
    let ca_file = directory.join("ca.pem");
    let ca_key = key(&directory.join("ca.key"))?;
    let ca_params = authority_params(now);
    let ca_pem = match files::read(&ca_file)? {
        Some(pem) => pem,
        None => {
            let pem = ca_params.self_signed(&ca_key)?.pem();
            files::write_public(&ca_file, pem.as_bytes())?;
            pem
        }
    };
    let leaf_key = key(&directory.join("server.key"))?;
    let spki_sha256 = BASE64.encode(Sha256::digest(leaf_key.subject_public_key_info()));
    let issuer = Issuer::new(ca_params, ca_key);
    let own = issue(&issuer, &leaf_key, now, &SERVER_NAMES)?;
    let other = issue(&issuer, &KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?, now, &SERVER_NAMES)?;
    // The same key as the own one: only its time is over.
    let expired = issue(&issuer, &leaf_key, now - DAY * u32::try_from(LEAF_DAYS).unwrap_or(0) - DAY, &SERVER_NAMES)?;
    let unknown = Issuer::new(authority_params(now), KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?);
    let stranger = issue(&unknown, &leaf_key, now, &SERVER_NAMES)?;
    let other_name = issue(&issuer, &leaf_key, now, &[OTHER_NAME])?;
    let shown = Arc::new(Shown {
        own: Arc::new(own),
        other: Arc::new(other),
        expired: Arc::new(expired),
        stranger: Arc::new(stranger),
        other_name: Arc::new(other_name),
        now: Mutex::default(),
    });
    let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(shown.clone());
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A resumed session shows no certificate: every connection is to prove the key.
    tls.send_tls13_tickets = 0;
    Ok(Identity { ca_pem, ca_file, spki_sha256, tls: Arc::new(tls), shown })
}

fn key(path: &Path) -> Result<KeyPair, AuthorityError> {
    if let Some(pem) = files::read(path)? {
        return Ok(KeyPair::from_pem(&pem)?);
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    files::write_secret(path, key.serialize_pem().as_bytes())?;
    Ok(key)
}

fn named(params: &mut CertificateParams, name: &str, now: SystemTime, days: u64) {
    let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(1970, 1, 1) + since_epoch.saturating_sub(BACKDATED);
    params.not_after = date_time_ymd(1970, 1, 1) + since_epoch + DAY * u32::try_from(days).unwrap_or(0);
}

fn authority_params(now: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    named(&mut params, "Strongroom paper venue", now, AUTHORITY_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let v4 = rcgen::CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0]);
    let mut loopback = [0; 16];
    loopback[15] = 1;
    let v6 = rcgen::CidrSubnet::V6(loopback, [255; 16]);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("localhost".into()), GeneralSubtree::IpAddress(v4), GeneralSubtree::IpAddress(v6)],
        excluded_subtrees: Vec::new(),
    });
    params
}

fn issue(issuer: &Issuer<'_, KeyPair>, key: &KeyPair, now: SystemTime, names: &[&str]) -> Result<CertifiedKey, AuthorityError> {
    let mut params = CertificateParams::new(names.iter().copied().map(str::to_owned).collect::<Vec<_>>())?;
    named(&mut params, names.first().copied().unwrap_or_default(), now, LEAF_DAYS);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(key, issuer)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(CertifiedKey::new(vec![certificate.der().clone()], ring::sign::any_ecdsa_type(&private)?))
}
