//! An instrument's rules for orders (`filters.md`). Invariant: what passes can be priced and settled exactly; zero
//! means that a rule is off.

use std::fmt;

use strongroom_model::{Instrument, Side, TimeInForce};

use super::order::{Kind, NewOrder, Size};
use super::refusal::Refusal;
use super::units::{Money, Px, Qty, Share};

/// Open orders that one account may have on one instrument when the instrument does not say.
pub const OPEN_ORDERS_MAX: u32 = 200;
/// Open algo orders that one account may have on one instrument when the instrument does not say.
pub const ALGO_ORDERS_MAX: u32 = 5;
/// Times that one order may be amended when the instrument does not say.
pub const AMENDS_MAX: u32 = 10;
/// Open lists that one account may have on one instrument when the instrument does not say.
pub const LISTS_MAX: u32 = 20;
/// Parts of one iceberg order when the instrument does not say.
pub const ICEBERG_PARTS_MAX: u64 = 10;
/// Basis points of a trailing distance when the instrument does not say.
pub const TRAILING_BPS: (u32, u32) = (10, 2_000);

/// Which rule was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterFailure {
    /// Price or stop price outside of its bounds or off its tick.
    Price,
    /// Price too far from the average.
    PercentPrice,
    /// Price too far from the average for its side.
    PercentPriceBySide,
    /// Quantity or shown slice outside of its bounds or off its step.
    Lot,
    /// Quantity of a market order outside of its bounds or off its step.
    MarketLot,
    /// Order worth too little.
    MinNotional,
    /// Order worth too little or too much.
    Notional,
    /// Too many parts of an iceberg.
    IcebergParts,
    /// Too many open orders on the instrument.
    OpenOrders,
    /// Too many open stop and profit orders on the instrument.
    AlgoOrders,
    /// Too many open icebergs on the instrument.
    IcebergOrders,
    /// Too many open lists on the instrument.
    OrderLists,
    /// The order was amended too often.
    Amends,
    /// More of the base asset than allowed.
    Position,
    /// Trailing distance outside of its bounds.
    TrailingDelta,
    /// Too many open orders on the venue.
    ExchangeOrders,
    /// Too many open stop and profit orders on the venue.
    ExchangeAlgoOrders,
}

impl fmt::Display for FilterFailure {
    /// The venue's name of the rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Price => "PRICE_FILTER",
            Self::PercentPrice => "PERCENT_PRICE",
            Self::PercentPriceBySide => "PERCENT_PRICE_BY_SIDE",
            Self::Lot => "LOT_SIZE",
            Self::MarketLot => "MARKET_LOT_SIZE",
            Self::MinNotional => "MIN_NOTIONAL",
            Self::Notional => "NOTIONAL",
            Self::IcebergParts => "ICEBERG_PARTS",
            Self::OpenOrders => "MAX_NUM_ORDERS",
            Self::AlgoOrders => "MAX_NUM_ALGO_ORDERS",
            Self::IcebergOrders => "MAX_NUM_ICEBERG_ORDERS",
            Self::OrderLists => "MAX_NUM_ORDER_LISTS",
            Self::Amends => "MAX_NUM_ORDER_AMENDS",
            Self::Position => "MAX_POSITION",
            Self::TrailingDelta => "TRAILING_DELTA",
            Self::ExchangeOrders => "EXCHANGE_MAX_NUM_ORDERS",
            Self::ExchangeAlgoOrders => "EXCHANGE_MAX_NUM_ALGO_ORDERS",
        })
    }
}

/// Bounds and step of a price or a quantity, in 1e-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Smallest.
    pub min: u64,
    /// Largest; zero for none.
    pub max: u64,
    /// Step; zero for none.
    pub step: u64,
}

impl Bounds {
    /// Whether `units` is more than nothing, inside of the bounds and on a step.
    pub fn hold(&self, units: u64) -> bool {
        units > 0 && units >= self.min && (self.max == 0 || units <= self.max) && units.checked_rem(self.step).unwrap_or(0) == 0
    }
}

/// How far a price may be from the average: factors for the lowest and the highest, zero for no rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Band {
    /// Times the average: the lowest price.
    pub down: Share,
    /// Times the average: the highest price.
    pub up: Share,
}

impl Band {
    fn holds(&self, price: Px, average: Px) -> bool {
        price.0 >= self.down.of_units(average.0) && (self.up.0 == 0 || price.0 <= self.up.of_units(average.0))
    }
}

/// Smallest and largest worth, and whether they bind market orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worth {
    /// Smallest.
    pub min: Money,
    /// Whether the smallest binds market orders.
    pub min_binds_market: bool,
    /// Largest; zero for none.
    pub max: Money,
    /// Whether the largest binds market orders.
    pub max_binds_market: bool,
}

/// All rules of one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// `PRICE_FILTER`.
    pub price: Bounds,
    /// `PERCENT_PRICE`.
    pub percent: Band,
    /// `PERCENT_PRICE_BY_SIDE` for buys.
    pub percent_bid: Band,
    /// `PERCENT_PRICE_BY_SIDE` for sells.
    pub percent_ask: Band,
    /// `LOT_SIZE`.
    pub lot: Bounds,
    /// `MARKET_LOT_SIZE`.
    pub market_lot: Bounds,
    /// `MIN_NOTIONAL`: smallest worth, and whether it binds market orders.
    pub min_notional: (Money, bool),
    /// `NOTIONAL`.
    pub notional: Worth,
    /// `ICEBERG_PARTS`.
    pub iceberg_parts: u64,
    /// `MAX_NUM_ORDERS`.
    pub orders: u32,
    /// `MAX_NUM_ALGO_ORDERS`.
    pub algo_orders: u32,
    /// `MAX_NUM_ICEBERG_ORDERS`.
    pub iceberg_orders: u32,
    /// `MAX_NUM_ORDER_LISTS`.
    pub lists: u32,
    /// `MAX_NUM_ORDER_AMENDS`.
    pub amends: u32,
    /// `MAX_POSITION`, of the base asset.
    pub position: Qty,
    /// `TRAILING_DELTA` for triggers above the market: smallest and largest.
    pub trailing_above: (u32, u32),
    /// `TRAILING_DELTA` for triggers below the market: smallest and largest.
    pub trailing_below: (u32, u32),
}

impl Rules {
    /// The instrument's own rules, and the usual counts for the rest. `None` when a number cannot be held.
    pub fn of(instrument: &Instrument) -> Option<Self> {
        let (price, lot, notional) = (instrument.price, instrument.lot, instrument.notional);
        Some(Self {
            price: Bounds { min: Px::of(price.min)?.0, max: Px::of(price.max)?.0, step: Px::of(price.tick)?.0 },
            lot: Bounds { min: Qty::of(lot.min)?.0, max: Qty::of(lot.max)?.0, step: Qty::of(lot.step)?.0 },
            notional: Worth {
                min: Money::of_notional(notional.min)?,
                min_binds_market: true,
                max: Money::of_notional(notional.max)?,
                max_binds_market: true,
            },
            iceberg_parts: ICEBERG_PARTS_MAX,
            orders: OPEN_ORDERS_MAX,
            algo_orders: ALGO_ORDERS_MAX,
            lists: LISTS_MAX,
            amends: AMENDS_MAX,
            trailing_above: TRAILING_BPS,
            trailing_below: TRAILING_BPS,
            ..Self::default()
        })
    }

    /// Checks type, trigger and iceberg against each other (`rest-api.md`, “New order”).
    pub(crate) fn check_shape(new: &NewOrder) -> Result<(), Refusal> {
        let waits = !new.stop.is_zero() || new.trailing_bps > 0;
        let is_limit = matches!(new.kind, Kind::Limit | Kind::StopLossLimit | Kind::TakeProfitLimit);
        let fits = new.kind.is_algo() == waits
            && new.kind.has_price() != new.price.is_zero()
            && (is_limit || new.tif == TimeInForce::Gtc)
            && (new.kind == Kind::Market || matches!(new.size, Size::Base(_)))
            && (new.iceberg.is_zero() || (new.kind.has_price() && new.tif == TimeInForce::Gtc));
        if !fits {
            // A price of nothing is a price against its filter.
            let is_price = new.kind.has_price() && new.price.is_zero();
            return Err(if is_price { Refusal::Filter(FilterFailure::Price) } else { Refusal::UnsupportedCombination });
        }
        if !new.iceberg.is_zero() && new.iceberg > new.quantity() {
            return Err(Refusal::IcebergTooLarge);
        }
        Ok(())
    }

    /// Checks an order's own numbers. `average` values market orders and centres the percent filters; without one
    /// these are not checked.
    pub(crate) fn check(&self, new: &NewOrder, average: Option<Px>) -> Result<(), FilterFailure> {
        for price in [(new.kind.has_price(), new.price), (!new.stop.is_zero(), new.stop)] {
            if price.0 && !self.price.hold(price.1.0) {
                return Err(FilterFailure::Price);
            }
        }
        if let (true, Some(average)) = (new.kind.has_price(), average) {
            let (by_side, price) = (if new.side == Side::Buy { self.percent_bid } else { self.percent_ask }, new.price);
            if !self.percent.holds(price, average) {
                return Err(FilterFailure::PercentPrice);
            }
            if !by_side.holds(price, average) {
                return Err(FilterFailure::PercentPriceBySide);
            }
        }
        self.check_quantity(new)?;
        self.check_worth(new, average)?;
        if new.trailing_bps > 0 {
            let (min, max) = if new.kind.is_above(new.side) { self.trailing_above } else { self.trailing_below };
            if new.trailing_bps < min || (max > 0 && new.trailing_bps > max) {
                return Err(FilterFailure::TrailingDelta);
            }
        }
        Ok(())
    }

    fn check_quantity(&self, new: &NewOrder) -> Result<(), FilterFailure> {
        let Size::Base(quantity) = new.size else { return Ok(()) };
        if !self.lot.hold(quantity.0) {
            return Err(FilterFailure::Lot);
        }
        if !new.kind.has_price() && !self.market_lot.hold(quantity.0) {
            return Err(FilterFailure::MarketLot);
        }
        if !new.iceberg.is_zero() {
            if !self.lot.hold(new.iceberg.0) {
                return Err(FilterFailure::Lot);
            }
            if self.iceberg_parts > 0 && quantity.0.div_ceil(new.iceberg.0) > self.iceberg_parts {
                return Err(FilterFailure::IcebergParts);
            }
        }
        Ok(())
    }

    fn check_worth(&self, new: &NewOrder, average: Option<Px>) -> Result<(), FilterFailure> {
        let price = if new.kind.has_price() {
            Some(new.price)
        } else if new.stop.is_zero() {
            average
        } else {
            Some(new.stop)
        };
        let worth = match (new.size, price) {
            (Size::Quote(budget), _) => Some(budget),
            (Size::Base(quantity), Some(price)) => Some(price.worth(quantity).ok_or(FilterFailure::Notional)?),
            (Size::Base(_), None) => None,
        };
        let Some(worth) = worth else { return Ok(()) };
        let is_market = !new.kind.has_price();
        if worth < self.min_notional.0 && (!is_market || self.min_notional.1) {
            return Err(FilterFailure::MinNotional);
        }
        let rule = self.notional;
        let is_small = worth < rule.min && (!is_market || rule.min_binds_market);
        let is_large = !rule.max.is_zero() && worth > rule.max && (!is_market || rule.max_binds_market);
        if is_small || is_large { Err(FilterFailure::Notional) } else { Ok(()) }
    }
}
