//! The one TLS configuration. Invariant: TLS 1.3 only, keys are never logged, no session is resumed (a resumed
//! session would skip the pin check), no early data (it could be replayed).

use std::sync::Arc;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::ring;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use strongroom_model::Advice;
use thiserror::Error;

use crate::verifier::PinVerifier;
use crate::{Endpoint, PinBoard};

/// Which authorities may vouch for a server, before its key is compared with the pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The public web's, as Mozilla lists them.
    PublicRoots,
    /// Those in this PEM text and no others: the embedded paper venue's, or a test's.
    Authorities(String),
}

/// Why no connection can be prepared.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TlsError {
    /// The PEM text.
    #[error("the authority's certificate cannot be used: {0}")]
    Authority(String),
    /// The provider of cryptography.
    #[error("TLS 1.3 cannot be set up: {0}")]
    Setup(String),
}

impl TlsError {
    /// A certificate is a person's to mend.
    pub const fn advice(&self) -> Advice {
        match self {
            Self::Authority(_) => Advice::Ask,
            Self::Setup(_) => Advice::Bug,
        }
    }
}

/// The configuration for connections to `endpoint`, and to nowhere else.
pub(crate) fn client_config(endpoint: &Endpoint, trust: &Trust, board: &Arc<PinBoard>) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(trust)?), provider.clone())
        .build()
        .map_err(|error| TlsError::Authority(error.to_string()))?;
    let verifier = PinVerifier { chain, board: board.clone(), endpoint: endpoint.clone() };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| TlsError::Setup(error.to_string()))?
        // The check that is replaced runs first inside ours.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(trust: &Trust) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    match trust {
        Trust::PublicRoots => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Trust::Authorities(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|error| TlsError::Authority(error.to_string()))?;
                roots.add(certificate).map_err(|error| TlsError::Authority(error.to_string()))?;
            }
        }
    }
    Ok(roots)
}
