//! What is measured of the lines to venues. Invariant: every value was measured, and says when.

use serde::{Deserialize, Serialize};
use strongroom_model::Timestamp;

/// What a line carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Requests and answers.
    Rest,
    /// A stream of events.
    Stream,
}

/// How the key that a server shows stands to those it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PinState {
    /// It is one of them.
    Match,
    /// It is another; nothing is sent.
    Changed,
    /// No person has confirmed one yet; nothing is sent.
    Unconfirmed,
    /// No key was shown yet.
    Unknown,
}

/// A key that was shown and refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SeenKey {
    /// SHA-256 of the SubjectPublicKeyInfo, base64.
    pub spki_sha256: String,
    /// The certificates shown with it, the server's first.
    pub chain: Vec<CertificateView>,
    /// When.
    pub at: Timestamp,
}

/// One certificate of the chain that was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CertificateView {
    /// Whose.
    pub subject: String,
    /// By whom.
    pub issuer: String,
    /// Valid until.
    pub not_after: Timestamp,
    /// SHA-256 of the SubjectPublicKeyInfo, base64.
    pub spki_sha256: String,
}

/// Times from request to answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// Median, microseconds.
    pub p50_us: u64,
    /// 99 of 100 are not longer, microseconds.
    pub p99_us: u64,
    /// Of how many answers.
    pub count: u32,
    /// The newest, newest last, microseconds.
    pub recent_us: Vec<u64>,
    /// When the newest answer came.
    pub at: Timestamp,
}

/// One line to a venue; all measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct LineView {
    /// Host and port.
    pub host: String,
    /// What it carries.
    pub kind: LineKind,
    /// Whether the last request was answered, or the stream is open.
    pub up: bool,
    /// What is wrong, if anything.
    pub trouble: Option<String>,
    /// TLS version of the last handshake.
    pub tls: Option<String>,
    /// Cipher suite of the last handshake.
    pub cipher: Option<String>,
    /// Key exchange group of the last handshake.
    pub group: Option<String>,
    /// How the shown key stands to the pins.
    pub pin_state: PinState,
    /// Keys that the server may have, base64 of SHA-256.
    pub pins: Vec<String>,
    /// A key that was shown and refused.
    pub waiting: Option<SeenKey>,
    /// The chain of the last handshake, the server's own certificate first.
    pub chain: Vec<CertificateView>,
    /// When the last handshake was.
    pub handshake_at: Option<Timestamp>,
    /// Address and port that were reached.
    pub peer: Option<String>,
    /// Since when the stream is open, or the line is answered.
    pub open_since: Option<Timestamp>,
    /// Times from request to answer.
    pub latency: Option<Latency>,
    /// Venue clock minus ours, microseconds.
    pub clock_offset_us: Option<i64>,
    /// The offset is right within so much, microseconds.
    pub clock_error_us: Option<i64>,
    /// When the venue's clock was asked last.
    pub clock_at: Option<Timestamp>,
    /// Age of the newest stream message, milliseconds.
    pub stream_age_ms: Option<u64>,
    /// Times the book had to be fetched anew.
    pub resyncs: u64,
    /// When this was measured.
    pub at: Timestamp,
}

/// Who counts the use of a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum CountedBy {
    /// The venue, in the headers of its answers.
    Venue,
    /// We do.
    Here,
}

/// One rate limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct LimitView {
    /// Such as `weight per 60 s`.
    pub name: String,
    /// Used in the running window.
    pub used: u32,
    /// Allowed.
    pub limit: u32,
    /// Kept for cancels.
    pub reserved: u32,
    /// Length of the window, milliseconds.
    pub window_ms: u64,
    /// Until the oldest use leaves the window, milliseconds.
    pub reset_ms: u64,
    /// Who counts.
    pub source: CountedBy,
}
