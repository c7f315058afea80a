//! A market that is alive: a maker that keeps a ladder around a moving price, and takers that trade against it.
//!
//! Invariant: the price and every decision are functions of (seed, symbol, time), in whole numbers of ticks.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use strongroom_model::{MarketSize, Notional, OrderSpec, Price, Quantity, Side, Symbol, TimeInForce, Timestamp, VenueOrderId};

use super::candles::{CANDLES_KEPT_MAX, CandleStats, MINUTE_MS};
use super::floor::Floor;
use super::{Listing, Scene};
use crate::engine::{AccountId, MarketId, MarketStatus, NewOrder};

/// The reference price has this many gaps between levels: a gap is a fifth of a basis point.
const GAPS_PER_REFERENCE: i64 = 50_000;
/// The largest order of the maker is this many smallest ones.
const LARGEST_ORDER_UNITS: u64 = 20;
/// A taker comes in one of this many ticks.
const TICKS_PER_TAKER: u64 = 3;
/// The price is sampled this often for the candles of the past.
const SAMPLE_MS: i64 = 5_000;
/// The price swings around its reference over these periods (ms) by these parts per million: it wanders in the
/// short run and comes back in the long run.
const SWINGS: [(i64, i64); 7] =
    [(3_000, 30), (12_000, 80), (60_000, 220), (300_000, 600), (1_800_000, 1_800), (10_800_000, 5_000), (86_400_000, 12_000)];

struct Stage {
    symbol: Symbol,
    market: MarketId,
    seed: u64,
    reference_ticks: i64,
    tick: Decimal,
    gap_ticks: i64,
    volatility_percent: i64,
    levels: i64,
    unit: Quantity,
    step: Quantity,
    bids: BTreeMap<i64, VenueOrderId>,
    asks: BTreeMap<i64, VenueOrderId>,
}

/// The simulated markets of one venue.
pub(super) struct Simulator {
    stages: Vec<Stage>,
}

impl Simulator {
    /// Prepares one market per listing, in their order.
    pub(super) fn new(seed: u64, scene: Scene, listings: &[Listing]) -> Self {
        let scene = scene.bounded();
        let mut floor = Floor::default();
        let stage = |(index, listing): (u64, &Listing)| {
            let instrument = &listing.instrument;
            let tick = instrument.price.tick.value();
            let reference_ticks = listing.reference.value().checked_div(tick).and_then(|ticks| ticks.to_i64()).unwrap_or(1).max(1);
            let step = instrument.lot.step;
            Stage {
                symbol: instrument.symbol.clone(),
                market: floor.add_market(instrument.clone(), listing.rules),
                seed: mix(&[seed, index]),
                reference_ticks,
                tick,
                gap_ticks: (reference_ticks.saturating_mul(i64::from(scene.spread_percent)) / GAPS_PER_REFERENCE / 100).max(2),
                volatility_percent: i64::from(scene.volatility_percent),
                levels: i64::from(scene.levels),
                unit: listing.unit.max(step),
                step,
                bids: BTreeMap::new(),
                asks: BTreeMap::new(),
            }
        };
        Self { stages: (0..).zip(listings).map(stage).collect() }
    }

    /// Moves all markets at `at`, to the prices of `market_time`.
    pub(super) fn step(&mut self, at: Timestamp, market_time: Timestamp, floor: &mut Floor, house: AccountId) {
        for stage in &mut self.stages {
            stage.step(at, market_time, floor, house);
        }
    }

    /// Candles of the time before `now`, oldest first; the last one is the minute of `now`.
    pub(super) fn history(&self, symbol: &Symbol, now: Timestamp) -> Vec<CandleStats> {
        let Some(stage) = self.stages.iter().find(|stage| stage.symbol == *symbol) else { return Vec::new() };
        let minute = now.ms() - now.ms().rem_euclid(MINUTE_MS);
        let count = i64::try_from(CANDLES_KEPT_MAX).unwrap_or(0);
        (1..count).rev().map(|back| stage.past_minute(minute - back * MINUTE_MS)).collect()
    }
}

impl Stage {
    fn price_ticks(&self, at_ms: i64) -> i64 {
        let swing = |(octave, (period_ms, ppm)): (u64, (i64, i64))| {
            let (slot, into_ms) = (at_ms.div_euclid(period_ms), at_ms.rem_euclid(period_ms));
            let height = |slot: i64| between(mix(&[self.seed, octave, slot.cast_unsigned()]), 2_001) - 1_000;
            let (from, to) = (height(slot), height(slot + 1));
            // Thousandths of the amplitude, on the straight line between two heights.
            ppm * (from * (period_ms - into_ms) + to * into_ms) / period_ms
        };
        let thousandth_ppm: i64 = (0..).zip(SWINGS).map(swing).sum();
        let swing = i128::from(thousandth_ppm) * i128::from(self.volatility_percent) / 100;
        let moved = i128::from(self.reference_ticks) * swing / 1_000_000_000;
        self.reference_ticks + i64::try_from(moved).unwrap_or(0)
    }

    fn price(&self, ticks: i64) -> Price {
        Price::new(self.tick * Decimal::from(ticks)).unwrap_or_default()
    }

    /// Price of the ladder's rung `index`: a grid with a small shift of each rung.
    fn rung_ticks(&self, index: i64) -> i64 {
        let shift = between(mix(&[self.seed, 100, index.cast_unsigned()]), self.gap_ticks.unsigned_abs() / 2 + 1);
        index * self.gap_ticks + shift
    }

    fn size(&self, index: i64, salt: u64) -> Quantity {
        let units = 1 + mix(&[self.seed, 101, index.cast_unsigned(), salt]) % LARGEST_ORDER_UNITS;
        Quantity::new(self.unit.value() * Decimal::from(units)).unwrap_or_default()
    }

    fn step(&mut self, at: Timestamp, market_time: Timestamp, floor: &mut Floor, house: AccountId) {
        // What is taken back could not be put there anew: its book would run dry.
        if floor.market(self.market).status() != MarketStatus::Trading {
            return;
        }
        let tick = at.ms().div_euclid(super::TICK_MS).cast_unsigned();
        let fair = self.price_ticks(market_time.ms());
        let half_spread = self.gap_ticks / 8;
        let mut top = (fair - half_spread).div_euclid(self.gap_ticks);
        while self.rung_ticks(top) > fair - half_spread {
            top -= 1;
        }
        // One rung per side is renewed in every tick, so that sizes move even when the price stands.
        let renewed = between(mix(&[self.seed, 102, tick]), self.levels.unsigned_abs());
        let bids = top - self.levels + 1..=top;
        let asks = top + 1..=top + self.levels;
        for (rungs, wanted, renewed) in [(&mut self.bids, bids.clone(), top - renewed), (&mut self.asks, asks.clone(), top + 1 + renewed)] {
            rungs.retain(|index, id| {
                let is_open = floor.market(self.market).order(*id).is_some();
                if is_open && wanted.contains(index) && *index != renewed {
                    return true;
                }
                // An order that is gone already was filled.
                let _ = floor.cancel(at, house, self.market, *id, None);
                false
            });
        }
        for (side, wanted) in [(Side::Buy, bids), (Side::Sell, asks)] {
            for index in wanted {
                if !self.rungs(side).contains_key(&index) {
                    self.rest(at, floor, house, side, index, tick);
                }
            }
        }
        self.take(at, floor, house, tick);
    }

    fn rungs(&mut self, side: Side) -> &mut BTreeMap<i64, VenueOrderId> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    fn rest(&mut self, at: Timestamp, floor: &mut Floor, house: AccountId, side: Side, index: i64, salt: u64) {
        let spec = OrderSpec::Limit { price: self.price(self.rung_ticks(index)), quantity: self.size(index, salt), tif: TimeInForce::Gtc };
        // A refusal leaves a rung empty until the next tick.
        let placed = NewOrder::of(side, &spec).and_then(|new| floor.place(at, house, self.market, String::new(), &new));
        if let Ok(id) = placed {
            self.rungs(side).insert(index, id);
        }
    }

    fn take(&self, at: Timestamp, floor: &mut Floor, house: AccountId, tick: u64) {
        let chance = mix(&[self.seed, 103, tick]);
        if !chance.is_multiple_of(TICKS_PER_TAKER) {
            return;
        }
        let side = if (chance >> 8).is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let share = Decimal::from(1 + (chance >> 16) % 100);
        let quantity =
            Quantity::new(self.unit.value() * share / Decimal::ONE_HUNDRED).unwrap_or_default().floor_to(self.step).max(self.step);
        let spec = OrderSpec::Market { size: MarketSize::Base(quantity) };
        // An order below the smallest notional is refused: then nobody trades in this tick.
        let _ = NewOrder::of(side, &spec).and_then(|new| floor.place(at, house, self.market, String::new(), &new));
    }

    fn past_minute(&self, open_ms: i64) -> CandleStats {
        let samples = (0..=MINUTE_MS / SAMPLE_MS).map(|sample| self.price(self.price_ticks(open_ms + sample * SAMPLE_MS)));
        let prices: Vec<Price> = samples.collect();
        let first = prices.first().copied().unwrap_or_default();
        let mut candle = CandleStats::flat(Timestamp::from_ms(open_ms), first);
        candle.high = prices.iter().copied().max().unwrap_or(first);
        candle.low = prices.iter().copied().min().unwrap_or(first);
        candle.close = prices.last().copied().unwrap_or(first);
        let chance = mix(&[self.seed, 104, open_ms.cast_unsigned()]);
        candle.trades = 120 + chance % 120;
        let units = |share: u64| Quantity::new(self.unit.value() * Decimal::from(share)).unwrap_or_default();
        candle.volume = units(candle.trades);
        candle.taker_volume = units(candle.trades / 2);
        let middle = Price::new((candle.high.value() + candle.low.value()) / Decimal::TWO).unwrap_or(first);
        let worth = |quantity: Quantity| middle.checked_mul(quantity).unwrap_or(Notional::ZERO);
        (candle.quote_volume, candle.taker_quote_volume) = (worth(candle.volume), worth(candle.taker_volume));
        candle
    }
}

/// One well-mixed number from several (the finaliser of SplitMix64, once per word).
fn mix(words: &[u64]) -> u64 {
    words.iter().fold(0x9E37_79B9_7F4A_7C15, |state: u64, word| {
        let mut z = (state ^ word).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

/// `chance` brought into `0..count`.
fn between(chance: u64, count: u64) -> i64 {
    i64::try_from(chance % count.max(1)).unwrap_or(0)
}
