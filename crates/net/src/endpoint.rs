//! Whom a connection is made to. Invariant: one spelling per endpoint, so that one pin list holds for it.

use std::fmt;
use std::str::FromStr;

use strongroom_model::Advice;
use thiserror::Error;
use url::{Host, Url};

/// Host and port, shown as `host:port`; the host in lower case, an IPv6 address in brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    host: Host,
    port: u16,
}

/// Why a text names no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// Not a URL with a host and a port.
    #[error("{0:?} is not an address of the form host:port or https://host")]
    Unreadable(String),
    /// Neither `https` nor `wss`.
    #[error("{0} is not encrypted: only https and wss are used")]
    NotEncrypted(String),
}

impl EndpointError {
    /// A person wrote the address.
    pub const fn advice(&self) -> Advice {
        Advice::Ask
    }
}

impl Endpoint {
    /// The endpoint of a URL with scheme `https` or `wss`.
    pub fn of(url: &Url) -> Result<Self, EndpointError> {
        if !matches!(url.scheme(), "https" | "wss") {
            return Err(EndpointError::NotEncrypted(url.scheme().to_owned()));
        }
        match (url.host(), url.port_or_known_default()) {
            (Some(host), Some(port)) => Ok(Self { host: host.to_owned(), port }),
            _ => Err(EndpointError::Unreadable(url.as_str().to_owned())),
        }
    }

    /// As a certificate names it: without brackets.
    pub fn host(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        }
    }

    /// The TCP port.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// From `host:port`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = || EndpointError::Unreadable(text.to_owned());
        let url = Url::parse(&format!("https://{text}")).map_err(|_| unreadable())?;
        let endpoint = Self::of(&url)?;
        let only_host_and_port = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if only_host_and_port && !text.ends_with('/') { Ok(endpoint) } else { Err(unreadable()) }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        let shown = |text: &str| text.parse::<Endpoint>().map(|endpoint| endpoint.to_string());
        assert_eq!(shown("API.Binance.com:443").unwrap(), "api.binance.com:443");
        assert_eq!(shown("api.binance.com").unwrap(), "api.binance.com:443");
        assert_eq!(shown("127.0.0.1:9443").unwrap(), "127.0.0.1:9443");
        assert_eq!(shown("[::1]:9443").unwrap(), "[::1]:9443");
        assert_eq!("[::1]:9443".parse::<Endpoint>().unwrap().host(), "::1");
        for bad in ["", "host:port", "host:1/", "host:1/path", "host:1?x", "user@host:1", "ho st:1"] {
            assert!(shown(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn plain_text_is_refused() {
        let url = Url::parse("http://api.binance.com").unwrap();
        assert_eq!(Endpoint::of(&url), Err(EndpointError::NotEncrypted("http".into())));
    }
}
