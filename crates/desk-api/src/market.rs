//! The market as a door shows it. Invariant: a frame is what is true now; frames that nobody took are gone, not queued.

use serde::{Deserialize, Serialize};
use strongroom_model::{Candle, Price, Quantity, Side, Symbol, Timestamp};

/// Most levels per side in one frame.
pub const FRAME_DEPTH_MAX: u32 = 60;
/// Most trades in one frame; of more the newest.
pub const FRAME_TRADES_MAX: usize = 40;
/// At most one frame in so many milliseconds.
pub const FRAME_EVERY_MS: u64 = 16;
/// A frame comes at least so often, so that its age can be seen.
pub const FRAME_SILENCE_MAX_MS: u64 = 250;

/// Length of a candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Interval {
    /// One minute.
    #[serde(rename = "1m")]
    Minute,
    /// Five minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// A quarter of an hour.
    #[serde(rename = "15m")]
    Quarter,
    /// An hour.
    #[serde(rename = "1h")]
    Hour,
    /// Four hours.
    #[serde(rename = "4h")]
    FourHours,
    /// A day.
    #[serde(rename = "1d")]
    Day,
}

impl Interval {
    /// All, shortest first.
    pub const ALL: [Self; 6] = [Self::Minute, Self::FiveMinutes, Self::Quarter, Self::Hour, Self::FourHours, Self::Day];

    /// Its name, as venues write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::Quarter => "15m",
            Self::Hour => "1h",
            Self::FourHours => "4h",
            Self::Day => "1d",
        }
    }

    /// From its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interval| interval.name() == name)
    }

    /// Its length.
    pub const fn ms(self) -> i64 {
        match self {
            Self::Minute => 60_000,
            Self::FiveMinutes => 300_000,
            Self::Quarter => 900_000,
            Self::Hour => 3_600_000,
            Self::FourHours => 14_400_000,
            Self::Day => 86_400_000,
        }
    }
}

/// What frames are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Which instrument.
    pub symbol: Symbol,
    /// Length of its candles.
    pub interval: Interval,
    /// Levels per side, at most [`FRAME_DEPTH_MAX`].
    pub depth: u32,
    /// Levels are grouped to multiples of this; nothing or zero: as the book has them.
    #[serde(deserialize_with = "step")]
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub step: Option<Price>,
}

/// An empty text is no step: fields of a page are texts.
fn step<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Price>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    Price::parse(&text).map(|price| Some(price).filter(|price| !price.is_zero())).map_err(serde::de::Error::custom)
}

/// Price, quantity, and the quantity up to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Row(pub Price, pub Quantity, pub Quantity);

/// A trade of the market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct TradeRow {
    /// The venue's number.
    pub id: u64,
    /// At what price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// What the taker did.
    pub side: Side,
    /// When.
    pub at: Timestamp,
}

/// The last 24 hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Day {
    /// Last price.
    pub last: Price,
    /// Change in percent, with its sign.
    pub change_percent: String,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Base quantity traded.
    pub volume: Quantity,
}

/// The market as it is now. What is absent has not changed since the frame before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Counts frames.
    pub seq: u64,
    /// Of what.
    pub symbol: Symbol,
    /// Whether the book follows the stream without a gap and is young.
    pub current: bool,
    /// Age of the newest change of the book, milliseconds.
    pub age_ms: u64,
    /// When the desk applied the newest change.
    pub book_at: Timestamp,
    /// Best bid and best ask, not grouped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<(Price, Price)>,
    /// Best first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bids: Option<Vec<Row>>,
    /// Best first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Vec<Row>>,
    /// New trades, oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trades: Option<Vec<TradeRow>>,
    /// The candle that is being formed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candle: Option<Candle>,
    /// The last 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Day>,
    /// Changes whenever orders or balances did.
    pub orders_version: u64,
    /// Changes whenever vault, session or kill switch did.
    pub state_version: u64,
}

impl Frame {
    /// What both frames tell together: of every part the newer one.
    pub fn then(self, newer: Self) -> Self {
        if self.symbol != newer.symbol {
            return newer;
        }
        let trades = match (self.trades, newer.trades) {
            (Some(mut older), Some(fresh)) => {
                older.extend(fresh);
                older.drain(..older.len().saturating_sub(FRAME_TRADES_MAX));
                Some(older)
            }
            (older, fresh) => fresh.or(older),
        };
        Self {
            best: newer.best.or(self.best),
            bids: newer.bids.or(self.bids),
            asks: newer.asks.or(self.asks),
            candle: newer.candle.or(self.candle),
            day: newer.day.or(self.day),
            trades,
            ..newer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(seq: u64, trades: std::ops::Range<u64>, asks: Option<&str>) -> Frame {
        let trade = |id| TradeRow { id, price: Price::ZERO, quantity: Quantity::ZERO, side: Side::Buy, at: Timestamp::default() };
        let row = |price: &str| vec![Row(Price::parse(price).unwrap(), Quantity::ZERO, Quantity::ZERO)];
        Frame {
            seq,
            symbol: Symbol::parse("X").unwrap(),
            current: true,
            age_ms: 0,
            book_at: Timestamp::default(),
            best: None,
            bids: None,
            asks: asks.map(row),
            trades: Some(trades.map(trade).collect::<Vec<_>>()).filter(|trades| !trades.is_empty()),
            candle: None,
            day: None,
            orders_version: seq,
            state_version: seq,
        }
    }

    #[test]
    fn frames_that_nobody_took_become_one() {
        let both = frame(1, 0..3, Some("1")).then(frame(2, 3..5, None)).then(frame(3, 5..60, Some("2")));
        let ids: Vec<u64> = both.trades.unwrap().iter().map(|trade| trade.id).collect();
        assert_eq!((ids.len(), ids[0], ids[39]), (FRAME_TRADES_MAX, 20, 59));
        assert_eq!(both.asks.unwrap()[0].0.to_string(), "2");
        assert_eq!((both.seq, both.orders_version), (3, 3));
        let kept = frame(1, 0..0, Some("1")).then(frame(2, 0..0, None));
        assert_eq!(kept.asks.unwrap()[0].0.to_string(), "1");
    }

    #[test]
    fn an_empty_step_of_a_page_is_none() {
        let watch = |step: &str| serde_json::from_str::<Watch>(&format!(r#"{{"symbol":"X","interval":"15m","depth":5,"step":{step}}}"#));
        assert_eq!(watch("\"\"").unwrap().step, None);
        assert_eq!(watch("\"0\"").unwrap().step, None);
        assert_eq!(watch("null").unwrap().step, None);
        assert_eq!(watch("\"0.5\"").unwrap().step.unwrap().to_string(), "0.5");
        assert!(watch("\"-1\"").is_err());
    }
}
