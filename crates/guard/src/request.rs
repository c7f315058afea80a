//! Bounds of whatever is signed, an order or not. Invariant: nothing that is signed can be sent much later than it was asked for, and what
//! the log does not have yet is bounded.

use crate::reason::Reason;

/// The venue's clock may differ from ours by so much, not more.
pub const CLOCK_OFFSET_US_MAX: i64 = 60_000_000;
/// The longest window in which a venue may execute what is signed. Venues take more (Binance 60 s), but whoever has a signed order can send it
/// for that long.
pub const RECV_WINDOW_MS_MAX: u32 = 10_000;
/// Orders and amendments that may be signed since the log's head was.
pub const NUMBERED_PER_HEAD_MAX: u64 = 256;

/// Whether a request may be dated so.
///
/// # Errors
/// [`Reason::ClockOffset`] or [`Reason::RecvWindow`].
pub fn dated(clock_offset_us: i64, recv_window_ms: u32) -> Result<(), Reason> {
    if clock_offset_us.unsigned_abs() > CLOCK_OFFSET_US_MAX.unsigned_abs() {
        return Err(Reason::ClockOffset { offset_us: clock_offset_us });
    }
    if !(1..=RECV_WINDOW_MS_MAX).contains(&recv_window_ms) {
        return Err(Reason::RecvWindow { asked_ms: recv_window_ms });
    }
    Ok(())
}

/// Whether one more may be numbered, `since_head` after the newest head of the log that was signed.
///
/// # Errors
/// [`Reason::HeadDue`].
pub const fn numbered(since_head: u64) -> Result<(), Reason> {
    if since_head >= NUMBERED_PER_HEAD_MAX { Err(Reason::HeadDue { since: since_head }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_each_bound_and_one_beyond() {
        for (offset_us, window_ms, refused) in [
            (CLOCK_OFFSET_US_MAX, RECV_WINDOW_MS_MAX, None),
            (-CLOCK_OFFSET_US_MAX, 1, None),
            (CLOCK_OFFSET_US_MAX + 1, 1, Some("clock-offset")),
            (-CLOCK_OFFSET_US_MAX - 1, 1, Some("clock-offset")),
            (i64::MIN, 1, Some("clock-offset")),
            (0, RECV_WINDOW_MS_MAX + 1, Some("recv-window")),
            (0, 0, Some("recv-window")),
        ] {
            assert_eq!(dated(offset_us, window_ms).err().map(|reason| reason.rule()), refused, "{offset_us} us, {window_ms} ms");
        }
        assert_eq!(numbered(NUMBERED_PER_HEAD_MAX - 1), Ok(()));
        assert_eq!(numbered(NUMBERED_PER_HEAD_MAX), Err(Reason::HeadDue { since: NUMBERED_PER_HEAD_MAX }));
    }
}
