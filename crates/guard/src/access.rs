//! Who is asking: sessions.

use std::fmt;

use serde::{Deserialize, Serialize};
use strongroom_model::Role;

/// Why there is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// Nobody has unlocked yet.
    NeverOpened,
    /// Not used for too long.
    Idle,
    /// Open for too long, however much it was used.
    TooOld,
    /// A person locked it.
    Locked,
    /// This door has none; another one has.
    Elsewhere,
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeverOpened => "nobody has unlocked since the start",
            Self::Idle => "it was not used for too long",
            Self::TooOld => "it reached its maximum age",
            Self::Locked => "it was locked",
            Self::Elsewhere => "nobody unlocked at this door, only at another one",
        })
    }
}

/// A person's presence, measured on a monotonic clock in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// When it was opened.
    pub opened_ms: u64,
    /// When it was last used by a person's action.
    pub used_ms: u64,
    /// What it may do.
    pub roles: Vec<Role>,
    /// A machine's: nobody's presence keeps it open, so it ends by being locked or sealed alone.
    pub is_service: bool,
}

impl Session {
    /// Whether it is over at `now_ms`, and why.
    pub fn end(&self, now_ms: u64, idle_ms: u64, age_max_ms: u64) -> Option<SessionEnd> {
        if self.is_service {
            None
        } else if now_ms.saturating_sub(self.opened_ms) >= age_max_ms {
            Some(SessionEnd::TooOld)
        } else if now_ms.saturating_sub(self.used_ms) >= idle_ms {
            Some(SessionEnd::Idle)
        } else {
            None
        }
    }

    /// A person was there at `at_ms`. What was seen later stays; the age is not changed.
    pub fn seen(&mut self, at_ms: u64) {
        self.used_ms = self.used_ms.max(at_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ends() {
        let session = Session { opened_ms: 1_000, used_ms: 5_000, roles: vec![], is_service: false };
        for (now, end) in [
            (5_000, None),
            (5_999, None),
            (6_000, Some(SessionEnd::Idle)),
            (10_999, Some(SessionEnd::Idle)),
            (11_000, Some(SessionEnd::TooOld)),
        ] {
            assert_eq!(session.end(now, 1_000, 10_000), end, "at {now}");
            assert_eq!(Session { is_service: true, ..session.clone() }.end(now, 1_000, 10_000), None, "a machine's, at {now}");
        }
    }

    #[test]
    fn presence_renews_to_its_own_moment() {
        let ends = |seen: &[u64], now| {
            let mut session = Session { opened_ms: 1_000, used_ms: 5_000, roles: vec![], is_service: false };
            seen.iter().for_each(|at| session.seen(*at));
            session.end(now, 1_000, 10_000)
        };
        assert_eq!(ends(&[5_600], 6_599), None);
        assert_eq!(ends(&[5_600], 6_600), Some(SessionEnd::Idle), "counted from the input, not from when it was told");
        assert_eq!(ends(&[5_600, 0], 6_599), None, "an older word takes nothing back");
        assert_eq!(ends(&[4_000], 6_000), Some(SessionEnd::Idle), "nor does it add anything");
        assert_eq!(ends(&[10_900], 11_000), Some(SessionEnd::TooOld), "presence does not make it younger");
    }
}
