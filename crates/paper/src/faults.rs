//! Faults that somebody asks the venue for. Invariant: without being asked the venue has none.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strongroom_model::Timestamp;
use thiserror::Error;

use crate::authority::Shown;
use crate::streams::Batch;

/// Faults that wait at once; further ones are not planned.
const PLANNED_MAX: usize = 1_000;

/// What goes wrong with one request, by REST or through the WebSocket API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// It is executed; the connection ends without an answer.
    DropAnswer,
    /// The connection ends before it is executed.
    CloseConnection,
    /// It is executed; the connection stays open and says nothing more.
    HalfOpen,
    /// It is executed at once and answered late (milliseconds).
    DelayAnswer(#[serde(with = "ms")] Duration),
    /// It is executed late (milliseconds).
    DelayRequest(#[serde(with = "ms")] Duration),
    /// It is answered late, each time by another time between these (milliseconds).
    Jitter {
        /// At least.
        min_ms: u64,
        /// At most.
        max_ms: u64,
    },
    /// It is refused with this status (429 or 418) and `Retry-After`.
    RateLimited {
        /// 429 or 418.
        status: u16,
        /// Seconds to wait.
        retry_after_s: u64,
    },
    /// A 5xx is answered, with -1000.
    ServerError {
        /// Such as 500, 502, 503, 504.
        status: u16,
        /// Whether it was executed all the same.
        was_executed: bool,
    },
    /// A 5xx is answered with -1007: the outcome is not known.
    Timeout {
        /// Whether it was executed.
        was_executed: bool,
    },
    /// A 5xx is answered with -1006: the outcome is not known.
    Unexpected {
        /// Whether it was executed.
        was_executed: bool,
    },
    /// It is executed; half of the answer's body arrives, as if it were all.
    MalformedBody,
}

/// How a request ends that a fault struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) code: i32,
    pub(crate) msg: &'static str,
    pub(crate) was_executed: bool,
    pub(crate) retry_after_s: Option<u64>,
}

impl Refused {
    /// Why, in the venue's words; a ban names its end.
    pub(crate) fn words(&self, now: Timestamp) -> String {
        match (self.status, self.retry_after_s) {
            (418, Some(seconds)) => format!(
                "Way too much request weight used; IP banned until {}. Please use WebSocket Streams for live updates to avoid bans.",
                until(now, seconds)
            ),
            _ => self.msg.to_owned(),
        }
    }

    /// The `error` of the WebSocket API (`web-socket-api.md`, "Rate limits").
    pub(crate) fn socket_error(&self, now: Timestamp) -> serde_json::Value {
        let mut error = serde_json::json!({"code": self.code, "msg": self.words(now)});
        if let Some(seconds) = self.retry_after_s {
            error["data"] = serde_json::json!({"serverTime": now.ms(), "retryAfter": until(now, seconds)});
        }
        error
    }
}

fn until(now: Timestamp, seconds: u64) -> i64 {
    now.plus_ms(i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX)).ms()
}

/// A fault that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FaultError {
    /// Not a status of that kind.
    #[error("{0} is no status for that: a rate limit is 429 or 418, a server error 500 to 599")]
    Status(u16),
    /// The shortest wait is longer than the longest.
    #[error("the shortest wait is longer than the longest")]
    Jitter,
    /// Nothing would be struck.
    #[error("a count of zero strikes nothing")]
    Nothing,
    /// Too many are waiting.
    #[error("{PLANNED_MAX} faults are waiting already")]
    Full,
}

impl Fault {
    fn check(&self) -> Result<(), FaultError> {
        match *self {
            Self::RateLimited { status, .. } if !matches!(status, 429 | 418) => Err(FaultError::Status(status)),
            Self::ServerError { status, .. } if !(500..600).contains(&status) => Err(FaultError::Status(status)),
            Self::Jitter { min_ms, max_ms } if min_ms > max_ms => Err(FaultError::Jitter),
            _ => Ok(()),
        }
    }

    /// The answer that takes the place of the true one.
    pub(crate) fn refused(&self) -> Option<Refused> {
        let refused = |status, code, msg, was_executed| Refused { status, code, msg, was_executed, retry_after_s: None };
        Some(match *self {
            Self::RateLimited { status, retry_after_s } => {
                Refused { retry_after_s: Some(retry_after_s), ..refused(status, -1003, "Too many requests queued.", false) }
            }
            Self::ServerError { status, was_executed } => {
                refused(status, -1000, "An unknown error occurred while processing the request.", was_executed)
            }
            Self::Timeout { was_executed } => refused(
                504,
                -1007,
                "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
                was_executed,
            ),
            Self::Unexpected { was_executed } => {
                refused(500, -1006, "An unexpected response was received from the message bus. Execution status unknown.", was_executed)
            }
            _ => return None,
        })
    }
}

/// What goes wrong with market streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StreamFault {
    /// The next depth update of every stream is left out.
    Gap,
    /// The messages of a moment come twice.
    Duplicate,
    /// The next depth update of every stream comes after the one that follows it.
    Reorder,
    /// Every connection is closed in good order.
    Disconnect,
    /// Every connection is dropped, as those of readers that are too slow are.
    SlowReader,
    /// Every connection stays open and says nothing for so long (milliseconds).
    HalfOpen(#[serde(with = "ms")] Duration),
}

/// Which certificate connections are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certificate {
    /// The venue's own.
    #[default]
    Own,
    /// Of the same authority, for another key.
    Other,
    /// Of the same authority and key, but its time is over.
    Expired,
    /// For the same names, of an authority that nobody trusts.
    Stranger,
    /// Of the same authority, for another name.
    OtherName,
}

/// Method of a [`Target`] that means requests to the WebSocket API; their names stand for the path.
pub const SOCKET: &str = "SOCKET";

/// Which requests a fault strikes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Only this method, when given.
    #[serde(default)]
    pub method: Option<String>,
    /// Only this path, when given.
    #[serde(default)]
    pub path: Option<String>,
}

impl Target {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests of one kind, such as `POST /api/v3/order`.
    pub fn only(method: &str, path: &str) -> Self {
        Self { method: Some(method.to_owned()), path: Some(path.to_owned()) }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method) && self.path.as_deref().is_none_or(|wanted| wanted == path)
    }
}

struct Planned<F> {
    left: u32,
    target: Target,
    fault: F,
}

/// What listeners to streams are told instead of a batch.
#[derive(Clone, Debug)]
pub(crate) enum StreamNews {
    Batch(Arc<Batch>),
    Disconnect,
    Drop,
    Freeze(Duration),
}

/// The venue's faults; a handle that a test keeps.
pub struct Faults {
    planned: Mutex<VecDeque<Planned<Fault>>>,
    streams: Mutex<VecDeque<Planned<StreamFault>>>,
    depth: Mutex<DepthFault>,
    skew_ms: AtomicI64,
    is_closed: AtomicBool,
    struck: AtomicU64,
    shown: Arc<Shown>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Faults {
    pub(crate) fn new(shown: Arc<Shown>) -> Self {
        Self {
            planned: Mutex::default(),
            streams: Mutex::default(),
            depth: Mutex::default(),
            skew_ms: AtomicI64::new(0),
            is_closed: AtomicBool::new(false),
            struck: AtomicU64::new(0),
            shown,
        }
    }

    /// Strikes the next `count` requests that match; faults planned earlier come first.
    pub fn plan(&self, count: u32, target: Target, fault: Fault) -> Result<(), FaultError> {
        fault.check()?;
        put(&mut lock(&self.planned), Planned { left: count, target, fault })
    }

    /// Strikes the next `count` moments at which streams tell something.
    pub fn plan_stream(&self, count: u32, fault: StreamFault) -> Result<(), FaultError> {
        put(&mut lock(&self.streams), Planned { left: count, target: Target::any(), fault })
    }

    /// Moves the venue's clock by so much, for requests that come from now on.
    pub fn skew_clock_ms(&self, ms: i64) {
        self.skew_ms.store(ms, Ordering::SeqCst);
    }

    /// Closes the venue for maintenance, or opens it again: requests are refused, connections to WebSockets end.
    pub fn maintain(&self, is_closed: bool) {
        self.is_closed.store(is_closed, Ordering::SeqCst);
    }

    /// Shows new connections another certificate.
    pub fn show_certificate(&self, certificate: Certificate) {
        self.shown.show(certificate);
    }

    /// Shows new connections a certificate of the same authority for another key, or the own one again.
    pub fn swap_certificate(&self, other: bool) {
        self.show_certificate(if other { Certificate::Other } else { Certificate::Own });
    }

    /// Ends all faults.
    pub fn clear(&self) {
        lock(&self.planned).clear();
        lock(&self.streams).clear();
        *lock(&self.depth) = DepthFault::default();
        self.skew_clock_ms(0);
        self.maintain(false);
        self.show_certificate(Certificate::Own);
    }

    /// Strikes that are still to come.
    pub fn pending(&self) -> u32 {
        let requests: u32 = lock(&self.planned).iter().map(|planned| planned.left).fold(0, u32::saturating_add);
        lock(&self.streams).iter().map(|planned| planned.left).fold(requests, u32::saturating_add)
    }

    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut planned = lock(&self.planned);
        let at = planned.iter().position(|planned| planned.target.matches(method, path))?;
        Some(strike(&mut planned, at))
    }

    /// The fault of a request to the WebSocket API: its method stands for the path, and `SOCKET` for the HTTP method.
    pub(crate) fn take_socket(&self, text: &str) -> Option<Fault> {
        if lock(&self.planned).is_empty() {
            return None;
        }
        let message: serde_json::Value = serde_json::from_str(text).ok()?;
        let method = message.get("method")?.as_str()?;
        self.take(SOCKET, method.strip_prefix("v3/").unwrap_or(method))
    }

    /// What becomes of the messages of a moment.
    pub(crate) fn bend(&self, mut batch: Vec<(String, String)>) -> StreamNews {
        if self.is_closed() {
            return StreamNews::Disconnect;
        }
        let mut depth = lock(&self.depth);
        let mut late = depth.strike(&mut batch);
        let mut planned = lock(&self.streams);
        let fault = planned.front().map(|planned| planned.fault);
        let waits = depth.ticks_left > 0 && matches!(fault, Some(StreamFault::Gap | StreamFault::Reorder));
        if let Some(fault) = fault.filter(|_| !waits) {
            strike(&mut planned, 0);
            match fault {
                StreamFault::Gap | StreamFault::Reorder => {
                    depth.begin(fault);
                    late.extend(depth.strike(&mut batch));
                }
                StreamFault::Duplicate => batch.extend_from_within(..),
                StreamFault::Disconnect => return StreamNews::Disconnect,
                StreamFault::SlowReader => return StreamNews::Drop,
                StreamFault::HalfOpen(silence) => return StreamNews::Freeze(silence),
            }
        }
        batch.extend(late);
        StreamNews::Batch(Arc::new(Batch::new(batch)))
    }

    /// A time between two, another one each time; the same sequence in every run.
    pub(crate) fn jitter(&self, min_ms: u64, max_ms: u64) -> Duration {
        let count = self.struck.fetch_add(1, Ordering::Relaxed);
        let mixed = (count.wrapping_add(1)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        Duration::from_millis(min_ms + mixed % (max_ms.saturating_sub(min_ms) + 1))
    }

    pub(crate) fn skew_ms(&self) -> i64 {
        self.skew_ms.load(Ordering::SeqCst)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }
}

/// A gap or a wrong order on its way: every stream of depth is struck once, in whichever rhythm it tells.
#[derive(Default)]
struct DepthFault {
    /// Updates come after the next one of their stream, rather than never.
    reorders: bool,
    struck: HashSet<String>,
    held: Vec<(String, String)>,
    ticks_left: u32,
}

/// The slowest stream of depth tells something once in so many ticks.
const SLOWEST_TICKS: u32 = 10;

impl DepthFault {
    fn begin(&mut self, fault: StreamFault) {
        self.struck.clear();
        (self.reorders, self.ticks_left) = (fault == StreamFault::Reorder, SLOWEST_TICKS);
    }

    /// Takes out of a moment's messages what is struck; what was held back and is due now.
    fn strike(&mut self, batch: &mut Vec<(String, String)>) -> Vec<(String, String)> {
        let due = self.held.extract_if(.., |(name, _)| batch.iter().any(|(told, _)| told == name)).collect();
        if self.ticks_left > 0 {
            self.ticks_left -= 1;
            let is_depth = |name: &str| name.ends_with("@depth") || name.contains("@depth@");
            let taken = batch.extract_if(.., |(name, _)| is_depth(name) && self.struck.insert(name.clone()));
            if self.reorders {
                self.held.extend(taken);
            } else {
                taken.for_each(drop);
            }
        }
        due
    }
}

fn put<F>(waiting: &mut VecDeque<Planned<F>>, planned: Planned<F>) -> Result<(), FaultError> {
    if planned.left == 0 {
        return Err(FaultError::Nothing);
    }
    if waiting.len() >= PLANNED_MAX {
        return Err(FaultError::Full);
    }
    waiting.push_back(planned);
    Ok(())
}

fn strike<F: Copy>(planned: &mut VecDeque<Planned<F>>, at: usize) -> F {
    let fault = planned[at].fault;
    planned[at].left -= 1;
    if planned[at].left == 0 {
        planned.remove(at);
    }
    fault
}

/// Durations as whole milliseconds.
mod ms {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
