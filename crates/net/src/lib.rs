//! Every connection to a venue: pinned TLS, REST, streams, clock, rate governor.
//!
//! Invariant: nothing is sent before the server's chain, name and key were checked, and what was sent is never sent
//! again by this crate. Only TLS 1.3; no redirects, no proxies, no resumed sessions, no retries.

pub mod clock;
pub mod governor;

mod endpoint;
mod fingerprint;
mod line;
mod pin;
mod stream;
mod tls;
mod trouble;
mod verifier;

pub use endpoint::{Endpoint, EndpointError};
pub use fingerprint::{Fingerprint, NotAFingerprint};
pub use line::{ANSWER_LEN_MAX, Answer, Line, OpenError};
pub use pin::{Certificate, ConfirmError, Handshake, Host, PinBoard, PinError, Seen, Suite, Trouble};
pub use stream::{MESSAGE_LEN_MAX, Stream, StreamError, Text, shake};
pub use tls::{TlsError, Trust};
pub use trouble::{NoAnswer, NotSent, SendError};
