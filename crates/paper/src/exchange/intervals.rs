//! Lengths of candles and where they begin (`rest-api.md`, “Kline/Candlestick data”). Invariant: every moment lies in
//! exactly one candle of an interval, in every time zone.

use strongroom_model::Timestamp;

/// Lengths in milliseconds.
pub(crate) const SECOND_MS: i64 = 1_000;
pub(crate) const MINUTE_MS: i64 = 60 * SECOND_MS;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
/// Weeks begin on Monday; the epoch was a Thursday.
const FIRST_MONDAY_MS: i64 = 4 * DAY_MS;
/// Time zones, in minutes from UTC.
const ZONE_MINS: std::ops::RangeInclusive<i64> = -12 * 60..=14 * 60;

/// The length of a candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interval {
    /// Always as many milliseconds.
    Fixed(i64),
    /// From Monday to Sunday.
    Week,
    /// A month of the calendar.
    Month,
}

/// Intervals of a fixed length that begin at multiples of it.
const FIXED: [(&str, i64); 14] = [
    ("1s", SECOND_MS),
    ("1m", MINUTE_MS),
    ("3m", 3 * MINUTE_MS),
    ("5m", 5 * MINUTE_MS),
    ("15m", 15 * MINUTE_MS),
    ("30m", 30 * MINUTE_MS),
    ("1h", HOUR_MS),
    ("2h", 2 * HOUR_MS),
    ("4h", 4 * HOUR_MS),
    ("6h", 6 * HOUR_MS),
    ("8h", 8 * HOUR_MS),
    ("12h", 12 * HOUR_MS),
    ("1d", DAY_MS),
    ("3d", 3 * DAY_MS),
];

impl Interval {
    /// All of them, with the venue's names.
    pub(crate) fn all() -> impl Iterator<Item = (&'static str, Self)> {
        FIXED.into_iter().map(|(name, ms)| (name, Self::Fixed(ms))).chain([("1w", Self::Week), ("1M", Self::Month)])
    }

    /// By the venue's name, which is case-sensitive.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::all().find(|(known, _)| *known == name).map(|(_, interval)| interval)
    }

    /// Begin of the candle of `at` in a zone that is `zone_ms` ahead of UTC.
    pub(crate) fn begin(self, at: Timestamp, zone_ms: i64) -> Timestamp {
        let local = at.ms().saturating_add(zone_ms);
        let begin = match self {
            Self::Fixed(ms) => local - local.rem_euclid(ms),
            Self::Week => local - (local - FIRST_MONDAY_MS).rem_euclid(7 * DAY_MS),
            Self::Month => month_of(local.div_euclid(DAY_MS)).0 * DAY_MS,
        };
        Timestamp::from_ms(begin - zone_ms)
    }

    /// The first moment after the candle that begins at `begin`.
    pub(crate) fn end(self, begin: Timestamp, zone_ms: i64) -> Timestamp {
        let local = begin.ms().saturating_add(zone_ms);
        let end = match self {
            Self::Fixed(ms) => local.saturating_add(ms),
            Self::Week => local.saturating_add(7 * DAY_MS),
            Self::Month => month_of(local.div_euclid(DAY_MS)).1 * DAY_MS,
        };
        Timestamp::from_ms(end - zone_ms)
    }
}

/// The first day of the month of a day, and the first day of the next one; days are counted from 1970-01-01. Days before are
/// taken for that one.
fn month_of(day: i64) -> (i64, i64) {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut begin) = (1970, 0);
    while begin + 365 + i64::from(is_leap(year)) <= day {
        begin += 365 + i64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + i64::from(is_leap(year));
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if begin + length > day {
            return (begin, begin + length);
        }
        begin += length;
    }
    (begin, begin + 31)
}

/// Milliseconds that a zone such as `-1:00`, `05:45` or `8` is ahead of UTC.
pub(crate) fn zone_ms(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    let number = |text: &str| -> Option<i64> {
        let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if is_number { text.parse().ok() } else { None }
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let offset = sign * (hours * 60 + minutes);
    (minutes < 60 && ZONE_MINS.contains(&offset)).then_some(offset * MINUTE_MS)
}

/// Milliseconds of a window such as `5m`, `4h` or `7d` (`rest-api.md`, “Rolling window price change statistics”).
pub(crate) fn window_ms(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = number.bytes().all(|b| b.is_ascii_digit()).then_some(number)?.parse().ok()?;
    let (unit_ms, max) = match unit {
        "m" => (MINUTE_MS, 59),
        "h" => (HOUR_MS, 23),
        "d" => (DAY_MS, 7),
        _ => return None,
    };
    (1..=max).contains(&number).then_some(number * unit_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candles_begin_where_the_venue_says() {
        // 2026-11-26, a Thursday, 17:45:30.5 UTC.
        let at = Timestamp::from_ms(1_795_715_130_500);
        let rows = [
            ("1s", 0, 1_795_715_130_000, 1_795_715_131_000),
            ("5m", 0, 1_795_715_100_000, 1_795_715_400_000),
            ("1d", 0, 1_795_651_200_000, 1_795_737_600_000),
            ("1d", 8 * HOUR_MS, 1_795_708_800_000, 1_795_795_200_000),
            ("1d", -HOUR_MS, 1_795_654_800_000, 1_795_741_200_000),
            ("1w", 0, 1_795_392_000_000, 1_795_996_800_000),
            ("1M", 0, 1_793_491_200_000, 1_796_083_200_000),
        ];
        for (name, zone, begin, end) in rows {
            let interval = Interval::parse(name).unwrap();
            let found = interval.begin(at, zone);
            assert_eq!((found.ms(), interval.end(found, zone).ms()), (begin, end), "{name} at {zone}");
        }
        assert_eq!(month_of(59), (59, 90), "March of a common year");
        // 2000 was a leap year: its February began on day 10 988 and had 29 days.
        assert_eq!([month_of(10_988 + 28), month_of(10_988 + 29)], [(10_988, 11_017), (11_017, 11_048)]);
    }

    #[test]
    fn zones_and_windows_from_both_sides_of_each_boundary() {
        for (text, minutes) in [("0", 0), ("8", 480), ("-1:00", -60), ("05:45", 345), ("+14:00", 840), ("-12", -720)] {
            assert_eq!(zone_ms(text), Some(minutes * MINUTE_MS), "{text}");
        }
        for text in ["", "-", "14:01", "-12:01", "1:60", "a", "1:", "é"] {
            assert_eq!(zone_ms(text), None, "{text}");
        }
        for (text, ms) in [("1m", MINUTE_MS), ("59m", 59 * MINUTE_MS), ("23h", 23 * HOUR_MS), ("7d", 7 * DAY_MS)] {
            assert_eq!(window_ms(text), Some(ms), "{text}");
        }
        for text in ["", "m", "0m", "60m", "24h", "8d", "1y", "1d2h", "-1d", "é"] {
            assert_eq!(window_ms(text), None, "{text}");
        }
    }
}
