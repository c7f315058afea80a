//! The two clocks of a decision, brought by the caller.

use strongroom_model::Timestamp;

/// A moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// UTC, as this computer believes.
    pub wall: Timestamp,
    /// Milliseconds on a clock that never goes back.
    pub mono_ms: u64,
}

impl Moment {
    /// Whole seconds since the epoch; zero before it.
    pub fn wall_s(self) -> u64 {
        u64::try_from(self.wall.ms() / 1_000).unwrap_or(0)
    }
}
