//! Market data: the order book, trades, candles.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Price, Quantity, Timestamp, TradeId};

/// All resting quantity at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// Base quantity resting there.
    pub quantity: Quantity,
}

/// A change of the book that covers the update ids `first..=last`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepthUpdate {
    /// First update id covered (`U`).
    pub first: u64,
    /// Last update id covered (`u`).
    pub last: u64,
    /// Changed bids; quantity zero removes the level.
    pub bids: Vec<Level>,
    /// Changed asks; quantity zero removes the level.
    pub asks: Vec<Level>,
}

/// Updates are missing between the book and this one: take a new snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("depth updates {expected} to {found} are missing")]
pub struct SequenceGap {
    /// Update id that had to come next.
    pub expected: u64,
    /// First update id that came.
    pub found: u64,
}

/// An order book by price level, kept by snapshots and updates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    last_update_id: u64,
    bids: BTreeMap<Price, Quantity>,
    asks: BTreeMap<Price, Quantity>,
}

impl Book {
    /// A book as told by a snapshot.
    pub fn from_snapshot(last_update_id: u64, bids: &[Level], asks: &[Level]) -> Self {
        let side = |levels: &[Level]| levels.iter().map(|level| (level.price, level.quantity)).collect();
        Self { last_update_id, bids: side(bids), asks: side(asks) }
    }

    /// Applies one update. An update that is wholly older is ignored (`Ok(false)`).
    ///
    /// The rule is Binance's "How to manage a local order book correctly": the next update must begin at or
    /// before the last known id plus one.
    pub fn apply(&mut self, update: &DepthUpdate) -> Result<bool, SequenceGap> {
        if update.last <= self.last_update_id {
            return Ok(false);
        }
        if update.first > self.last_update_id + 1 {
            return Err(SequenceGap { expected: self.last_update_id + 1, found: update.first });
        }
        for (side, levels) in [(&mut self.bids, &update.bids), (&mut self.asks, &update.asks)] {
            for level in levels {
                if level.quantity.is_zero() {
                    side.remove(&level.price);
                } else {
                    side.insert(level.price, level.quantity);
                }
            }
        }
        self.last_update_id = update.last;
        Ok(true)
    }

    /// Levels of the longer side.
    pub fn levels_len(&self) -> usize {
        self.bids.len().max(self.asks.len())
    }

    /// Last update id that the book includes.
    pub fn last_update_id(&self) -> u64 {
        self.last_update_id
    }

    /// Bids, best first.
    pub fn bids(&self) -> impl Iterator<Item = Level> + '_ {
        self.bids.iter().rev().map(|(price, quantity)| Level { price: *price, quantity: *quantity })
    }

    /// Asks, best first.
    pub fn asks(&self) -> impl Iterator<Item = Level> + '_ {
        self.asks.iter().map(|(price, quantity)| Level { price: *price, quantity: *quantity })
    }

    /// Halfway between best bid and best ask: the mark for price collars. `None` on an empty side.
    pub fn mid(&self) -> Option<Price> {
        let bid = self.bids().next()?.price.value();
        let ask = self.asks().next()?.price.value();
        Price::new((bid + ask) / rust_decimal::Decimal::TWO)
    }
}

/// A trade on the venue's tape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketTrade {
    /// The venue's number.
    pub trade_id: TradeId,
    /// Price.
    pub price: Price,
    /// Base quantity.
    pub quantity: Quantity,
    /// Whether the resting order was the buyer's (then the seller took).
    pub buyer_is_maker: bool,
    /// Venue time.
    pub at: Timestamp,
}

/// Open, high, low, close of one interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Candle {
    /// Begin of the interval.
    pub open_time: Timestamp,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Base quantity traded.
    pub volume: Quantity,
}
