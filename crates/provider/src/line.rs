//! The line to a key server. Invariant: TLS 1.3 to a server whose certificate the named authority signed, and no other; one
//! request on each connection; no redirection is followed.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use strongroom_signer_api::keeping::host_and_port;
use strongroom_signer_api::provider::Failure;
use zeroize::Zeroizing;

use crate::files;
use crate::http::{ANSWER_LEN_MAX, Answer, is_incomplete};

/// A server that does not answer a call for so long is not there.
const PATIENCE: Duration = Duration::from_secs(5);
/// Addresses of a name that are tried.
const ADDRESSES_MAX: usize = 2;
/// Most certificates in the authority's file.
const AUTHORITIES_MAX: usize = 64;

/// A server that may be told a token.
pub(crate) struct Server {
    host: String,
    port: u16,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

impl Server {
    pub(crate) fn open(address: &str, ca_file: &str) -> Result<Self, Failure> {
        let (host, port) = host_and_port(address).ok_or(Failure::Account)?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Failure::Account)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .map_err(|_| Failure::NoTls)?
            .with_root_certificates(authorities(ca_file)?);
        let mut config = config.with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Self { host: host.to_owned(), port, name, config: Arc::new(config) })
    }

    /// Host and port as the server is named in a request.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') { format!("[{}]:{}", self.host, self.port) } else { format!("{}:{}", self.host, self.port) }
    }

    /// Sends a request and takes its answer.
    pub(crate) fn ask(&self, request: &[u8]) -> Result<Answer, Failure> {
        let mut tcp = self.connect()?;
        let mut tls = ClientConnection::new(self.config.clone(), self.name.clone()).map_err(|_| Failure::NoTls)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp).map_err(|error| of_handshake(&error))?;
        }
        let mut stream = StreamOwned::new(tls, tcp);
        stream.write_all(request).and_then(|()| stream.flush()).map_err(|error| of_handshake(&error))?;
        let mut bytes = Zeroizing::new(vec![0; ANSWER_LEN_MAX]);
        let mut len = 0;
        while is_incomplete(bytes.get(..len).unwrap_or_default()) {
            match stream.read(bytes.get_mut(len..).unwrap_or_default()) {
                // The buffer is full, or the server ended before its answer did.
                Ok(0) => return Err(Failure::Garbled),
                Ok(more) => len += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(of_handshake(&error)),
            }
        }
        bytes.truncate(len);
        Answer::read(bytes).ok_or(Failure::Garbled)
    }

    fn connect(&self) -> Result<TcpStream, Failure> {
        let addresses = (self.host.as_str(), self.port).to_socket_addrs().map_err(|_| Failure::Unreachable)?;
        let tcp = addresses.take(ADDRESSES_MAX).find_map(|address| TcpStream::connect_timeout(&address, PATIENCE).ok());
        let tcp = tcp.ok_or(Failure::Unreachable)?;
        let bounded = tcp.set_read_timeout(Some(PATIENCE)).and_then(|()| tcp.set_write_timeout(Some(PATIENCE)));
        bounded.and_then(|()| tcp.set_nodelay(true)).map_err(|_| Failure::Unreachable)?;
        Ok(tcp)
    }
}

fn authorities(ca_file: &str) -> Result<RootCertStore, Failure> {
    let path = files::trusted(ca_file).ok_or(Failure::CaUnreadable)?;
    let pem = std::fs::read(path).map_err(|_| Failure::CaUnreadable)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem).take(AUTHORITIES_MAX) {
        roots.add(certificate.map_err(|_| Failure::CaUnreadable)?).map_err(|_| Failure::CaUnreadable)?;
    }
    if roots.is_empty() { Err(Failure::CaUnreadable) } else { Ok(roots) }
}

/// With TLS 1.3 a server may refuse the client after the client took the handshake for done.
fn of_handshake(error: &io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_)) => Failure::NotTrusted,
        Some(_) => Failure::NoTls,
        None => Failure::Unreachable,
    }
}
