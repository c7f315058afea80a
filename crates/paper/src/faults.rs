//! Faults that a test asks the venue for. Invariant: without being asked the venue has none.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::authority::Shown;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is executed; the connection ends without an answer.
    DropAnswer,
    /// The connection ends before it is executed.
    CloseConnection,
    /// It is executed at once and answered late.
    DelayAnswer(Duration),
    /// It is executed late.
    DelayRequest(Duration),
    /// It is refused with this status (429 or 418) and `Retry-After`.
    RateLimited {
        /// 429 or 418.
        status: u16,
        /// Seconds to wait.
        retry_after_s: u64,
    },
    /// A 5xx is answered.
    ServerError {
        /// Such as 500, 502, 503, 504.
        status: u16,
        /// Whether it was executed all the same.
        was_executed: bool,
    },
    /// It is executed; half of the answer's body arrives, as if it were all.
    MalformedBody,
}

/// Method of a [`Target`] that means requests to the WebSocket API; their names stand for the path.
pub const SOCKET: &str = "SOCKET";

/// Which requests a fault strikes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Only this method, when given.
    pub method: Option<String>,
    /// Only this path, when given.
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

struct Planned {
    left: u32,
    target: Target,
    fault: Fault,
}

/// The venue's faults; a handle that a test keeps.
pub struct Faults {
    planned: Mutex<VecDeque<Planned>>,
    skew_ms: AtomicI64,
    shown: Arc<Shown>,
}

impl Faults {
    pub(crate) fn new(shown: Arc<Shown>) -> Self {
        Self { planned: Mutex::default(), skew_ms: AtomicI64::new(0), shown }
    }

    /// Strikes the next `count` requests that match; faults planned earlier come first.
    pub fn plan(&self, count: u32, target: Target, fault: Fault) {
        if count > 0 {
            self.planned.lock().unwrap_or_else(PoisonError::into_inner).push_back(Planned { left: count, target, fault });
        }
    }

    /// Moves the venue's clock by so much, for requests that come from now on.
    pub fn skew_clock_ms(&self, ms: i64) {
        self.skew_ms.store(ms, Ordering::SeqCst);
    }

    /// Shows new connections a certificate of the same authority for another key, or the own one again.
    pub fn swap_certificate(&self, other: bool) {
        self.shown.show_other(other);
    }

    /// Ends all faults.
    pub fn clear(&self) {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.skew_clock_ms(0);
        self.swap_certificate(false);
    }

    /// Strikes that are still to come.
    pub fn pending(&self) -> u32 {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|planned| planned.left).sum()
    }

    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let at = planned.iter().position(|planned| planned.target.matches(method, path))?;
        let fault = planned[at].fault;
        planned[at].left -= 1;
        if planned[at].left == 0 {
            planned.remove(at);
        }
        Some(fault)
    }

    /// The fault of a request to the WebSocket API: its method stands for the path, and `SOCKET` for the HTTP method.
    pub(crate) fn take_socket(&self, text: &str) -> Option<Fault> {
        if self.pending() == 0 {
            return None;
        }
        let message: serde_json::Value = serde_json::from_str(text).ok()?;
        let method = message.get("method")?.as_str()?;
        self.take(SOCKET, method.strip_prefix("v3/").unwrap_or(method))
    }

    pub(crate) fn skew_ms(&self) -> i64 {
        self.skew_ms.load(Ordering::SeqCst)
    }
}
