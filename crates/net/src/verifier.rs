//! The check inside every handshake. Invariant: chain and name first, then the key; whatever fails, no byte of a
//! request has left, because the client's part of the handshake is not finished.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use strongroom_model::Timestamp;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::pin::{Certificate, Handshake};
use crate::{Endpoint, Fingerprint, PinBoard};

/// Most certificates whose subjects are noted.
const CHAIN_LEN_MAX: usize = 8;
/// Longest subject that is noted, characters.
const NAME_LEN_MAX: usize = 200;

/// Verifies one endpoint: a name alone does not say which port's pins hold.
#[derive(Debug)]
pub(crate) struct PinVerifier {
    pub(crate) chain: Arc<WebPkiServerVerifier>,
    pub(crate) board: Arc<PinBoard>,
    pub(crate) endpoint: Endpoint,
}

impl PinVerifier {
    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if name.to_str() != self.endpoint.host() {
            return Err(Error::General(format!("a connection to {} was made with the rules of {}", name.to_str(), self.endpoint)));
        }
        let verified = self.chain.verify_server_cert(leaf, others, name, ocsp, now).inspect_err(|error| {
            self.board.note_trouble(&self.endpoint, format!("the certificate is not valid: {error}. Nothing was sent"));
        })?;
        let certificate = parse(leaf)?;
        let key = Fingerprint::of_spki(certificate.tbs_certificate.subject_pki.raw);
        let shown = std::iter::once(leaf).chain(others).take(CHAIN_LEN_MAX).filter_map(|der| Some(described(&parse(der).ok()?)));
        let chain: Vec<Certificate> = shown.collect();
        self.board.judge(&self.endpoint, key, &chain).map_err(|error| Error::Other(OtherError(Arc::new(error))))?;
        self.board.note_handshake(
            &self.endpoint,
            Handshake { at: self.board.now(), key, not_after: not_after(&certificate), chain, suite: None },
        );
        Ok(verified)
    }
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Error> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    Ok(certificate)
}

fn described(certificate: &X509Certificate<'_>) -> Certificate {
    let tidy = |name: String| name.chars().filter(|char| !char.is_control()).take(NAME_LEN_MAX).collect();
    Certificate {
        subject: tidy(certificate.subject().to_string()),
        issuer: tidy(certificate.issuer().to_string()),
        not_after: not_after(certificate),
        key: Fingerprint::of_spki(certificate.tbs_certificate.subject_pki.raw),
    }
}

fn not_after(certificate: &X509Certificate<'_>) -> Timestamp {
    Timestamp::from_ms(certificate.validity().not_after.timestamp().saturating_mul(1_000))
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, cert, dss).inspect_err(|_| {
            self.board.note_trouble(&self.endpoint, "the server does not hold the key of its certificate. Nothing was sent".to_owned());
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
