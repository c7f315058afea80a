//! A signed request on its way from the signer to a venue. Invariant: it is sent unchanged or not at all.

use serde::{Deserialize, Serialize};

/// HTTP method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Places.
    Post,
    /// Amends.
    Put,
    /// Cancels.
    Delete,
    /// No HTTP: the body is a message for a venue's socket, and the path names what it asks for there.
    Socket,
}

impl Method {
    /// As it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Socket => "SOCKET",
        }
    }
}

/// A request ready to send. It names no host: the desk sends it to the credential's venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRequest {
    /// HTTP method.
    pub method: Method,
    /// Path below the host.
    pub path: String,
    /// Query string without `?`; empty when the parameters stand in the body.
    pub query: String,
    /// Form body, or a socket's message; empty when the parameters stand in the query.
    pub body: String,
    /// Header that names the key; empty where the body does.
    pub key_header: String,
    /// The public name of the key.
    pub api_key: String,
}
