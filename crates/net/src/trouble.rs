//! Why a request has no answer. Invariant: `NotSent` is said only when it is certain; every doubt is `NoAnswer`.

use std::error::Error as StdError;
use std::io;

use strongroom_model::Advice;
use thiserror::Error;

use crate::PinError;

/// A server that cannot be reached is tried again after this long.
const RECONNECT_MS: u64 = 1_000;

/// Why a request brought no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// Certainly nothing was sent.
    #[error("not sent: {0}")]
    NotSent(NotSent),
    /// It may have been carried out.
    #[error("no answer: {0}. It is not known whether the request was carried out")]
    NoAnswer(NoAnswer),
}

/// Why nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotSent {
    /// It could not have been sent byte for byte.
    #[error("the request cannot be sent unchanged: its {0} is not in its final form")]
    WouldChange(&'static str),
    /// No connection.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// `host:port`.
        host: String,
        /// Why.
        why: String,
    },
    /// The certificate's chain, dates or name.
    #[error("the certificate of {host} is not valid: {why}")]
    Certificate {
        /// `host:port`.
        host: String,
        /// Why.
        why: String,
    },
    /// No TLS 1.3, or a broken handshake.
    #[error("no TLS 1.3 connection to {host}: {why}")]
    Tls {
        /// `host:port`.
        host: String,
        /// Why.
        why: String,
    },
    /// Another key than the pinned one, or none pinned.
    #[error(transparent)]
    Pin(#[from] PinError),
}

/// How an answer failed to come.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoAnswer {
    /// Time ran out.
    #[error("the time for an answer ran out")]
    TimedOut,
    /// The connection broke before the answer was whole.
    #[error("the connection broke ({0})")]
    Broken(String),
    /// The answer is larger than any that is expected.
    #[error("the answer is larger than {0} bytes")]
    TooLong(usize),
}

impl SendError {
    /// Whether to try again, to ask, or to find out what happened.
    pub const fn advice(&self) -> Advice {
        match self {
            Self::NotSent(NotSent::WouldChange(_)) => Advice::Bug,
            Self::NotSent(NotSent::Unreachable { .. }) => Advice::RetryAfter(RECONNECT_MS),
            Self::NotSent(NotSent::Certificate { .. } | NotSent::Tls { .. } | NotSent::Pin(_)) => Advice::Ask,
            Self::NoAnswer(_) => Advice::Reconcile,
        }
    }
}

/// What a failed attempt to connect says. Only for errors from before the handshake was finished.
pub(crate) fn why_not_connected(host: String, error: &(dyn StdError + 'static)) -> NotSent {
    match causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => NotSent::Certificate { host, why: why.to_string() },
        Some(rustls::Error::Other(other)) => match other.0.downcast_ref::<PinError>() {
            Some(pin) => NotSent::Pin(pin.clone()),
            None => NotSent::Tls { host, why: other.to_string() },
        },
        Some(other) => NotSent::Tls { host, why: other.to_string() },
        None => NotSent::Unreachable { host, why: innermost(error) },
    }
}

/// The last cause in words: the outer ones repeat that a connection failed.
pub(crate) fn innermost(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// The error and its causes. An [`io::Error`] hides the error that it wraps from `source`, so it is opened here.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| {
        let error = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}
