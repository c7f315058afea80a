//! May this order come in? Invariant: nothing changes here; what is admitted can be locked and placed.

use strongroom_model::Side;

use super::account::{Terms, VenueRules};
use super::filters::{FilterFailure, Rules};
use super::ledger::{AccountId, Ledger};
use super::market::{Market, MarketStatus, Taker, Want};
use super::order::{Kind, NewOrder, Size};
use super::refusal::Refusal;
use super::units::{Money, Px, Qty};

/// Basis points of one whole.
const BPS: u128 = 10_000;

/// What an admitted order is opened with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) quantity: Qty,
    pub(crate) budget: Money,
    pub(crate) price: Px,
    pub(crate) lock: Money,
}

/// Looks at everything that can refuse an order.
#[derive(Clone, Copy)]
pub(crate) struct Gate<'a> {
    pub(crate) market: &'a Market,
    pub(crate) ledger: &'a Ledger,
    pub(crate) terms: &'a [Terms],
    pub(crate) venue: VenueRules,
}

impl Gate<'_> {
    /// Everything that can refuse a single order.
    pub(crate) fn plan(&self, account: AccountId, new: &NewOrder) -> Result<Plan, Refusal> {
        self.check(account, new)?;
        self.check_counts(account, &[new], 0)?;
        let plan = self.size(account, new)?;
        self.check_funds(account, new.side, plan.lock)?;
        self.check_price(new)?;
        Ok(plan)
    }

    /// The order's own numbers against the market's status and filters.
    pub(crate) fn check(&self, account: AccountId, new: &NewOrder) -> Result<(), Refusal> {
        if self.market.status != MarketStatus::Trading {
            return Err(Refusal::MarketClosed);
        }
        Rules::check_shape(new)?;
        let rules = &self.market.rules;
        rules.check(new, self.market.reference(new.side)).map_err(Refusal::Filter)?;
        if new.side == Side::Buy && !rules.position.is_zero() && !self.terms[account.index()].is_house {
            let held = self.ledger.holding(account, self.market.base);
            let held = held.free.plus(held.locked).0;
            let position = held.saturating_add(self.market.store.standing(account).buying.0).saturating_add(new.quantity().0);
            if position > rules.position.0 {
                return Err(Refusal::Filter(FilterFailure::Position));
            }
        }
        Ok(())
    }

    /// Counts of open orders with `adding` and so many lists more.
    pub(crate) fn check_counts(&self, account: AccountId, adding: &[&NewOrder], lists: u32) -> Result<(), Refusal> {
        let terms = self.terms[account.index()];
        if terms.is_house {
            return Ok(());
        }
        let count = |is: fn(&NewOrder) -> bool| u32::try_from(adding.iter().filter(|new| is(new)).count()).unwrap_or(u32::MAX);
        let (orders, algo) = (count(|_| true), count(|new| new.kind.is_algo()));
        let icebergs = count(|new| !new.iceberg.is_zero());
        let (standing, rules) = (self.market.store.standing(account), &self.market.rules);
        let rows = [
            (orders, standing.orders, rules.orders, FilterFailure::OpenOrders),
            (algo, standing.algo_orders, rules.algo_orders, FilterFailure::AlgoOrders),
            (icebergs, standing.iceberg_orders, rules.iceberg_orders, FilterFailure::IcebergOrders),
            (lists, standing.lists, rules.lists, FilterFailure::OrderLists),
            (orders, terms.orders, self.venue.orders, FilterFailure::ExchangeOrders),
            (algo, terms.algo_orders, self.venue.algo_orders, FilterFailure::ExchangeAlgoOrders),
        ];
        let broken = rows.iter().find(|(more, there, max, _)| *more > 0 && *max > 0 && there.saturating_add(*more) > *max);
        broken.map_or(Ok(()), |(_, _, _, failure)| Err(Refusal::Filter(*failure)))
    }

    /// How much it will trade at most, and what that needs.
    pub(crate) fn size(&self, account: AccountId, new: &NewOrder) -> Result<Plan, Refusal> {
        if new.kind == Kind::Market {
            return self.size_market(&Taker { account, side: new.side, limit: None, self_trade: new.self_trade }, new.size);
        }
        let (quantity, price) = (new.quantity(), if new.kind.has_price() { new.price } else { self.reserve(new) });
        let worth = price.worth(quantity).ok_or(Refusal::Filter(FilterFailure::Notional))?;
        let lock = if new.side == Side::Buy { worth } else { Money(quantity.0) };
        Ok(Plan { quantity, budget: Money::ZERO, price, lock })
    }

    /// The size of a market order now (`rest-api.md`: the quantity of a quote-sized order is determined by the book).
    pub(crate) fn size_market(&self, taker: &Taker, size: Size) -> Result<Plan, Refusal> {
        let want = match size {
            Size::Base(quantity) => Want::Base(quantity),
            Size::Quote(budget) => Want::Quote(budget),
        };
        let sweep = self.market.sweep(self.terms, taker, want).ok_or(Refusal::Filter(FilterFailure::Notional))?;
        let (quantity, budget, worth) = match size {
            Size::Base(quantity) => (quantity, Money::ZERO, sweep.quote),
            Size::Quote(budget) => (sweep.quantity, budget, budget),
        };
        if quantity.is_zero() {
            let is_empty = self.market.ladders.best(taker.side.opposite()).is_none();
            return Err(if is_empty { Refusal::NoLiquidity } else { Refusal::TooLittleLiquidity });
        }
        let lock = if taker.side == Side::Buy { worth } else { Money(quantity.0) };
        Ok(Plan { quantity, budget, price: Px::ZERO, lock })
    }

    /// The price at which a buy without a limit price holds money while it waits: no page of the venue's says; the
    /// stop price, or the last price moved by the trailing distance.
    fn reserve(&self, new: &NewOrder) -> Px {
        if !new.stop.is_zero() {
            return new.stop;
        }
        let last = self.market.reference(new.side).unwrap_or_default();
        let moved = u128::from(last.0) * (BPS + u128::from(new.trailing_bps)) / BPS;
        Px(u64::try_from(moved).unwrap_or(u64::MAX))
    }

    /// Whether the account can lock `amount`.
    pub(crate) fn check_funds(&self, account: AccountId, side: Side, amount: Money) -> Result<(), Refusal> {
        let free = self.ledger.holding(account, self.market.paid_asset(side)).free;
        if free < amount { Err(Refusal::InsufficientBalance) } else { Ok(()) }
    }

    /// Trigger and post-only price against the market as it is now.
    pub(crate) fn check_price(&self, new: &NewOrder) -> Result<(), Refusal> {
        if let (false, Some(last)) = (new.stop.is_zero(), self.market.numbers.last_price) {
            let is_reached = if new.kind.is_above(new.side) { last >= new.stop } else { last <= new.stop };
            if is_reached {
                return Err(Refusal::WouldTrigger);
            }
        }
        if new.kind == Kind::LimitMaker
            && let Some(best) = self.market.ladders.best(new.side.opposite())
        {
            let takes = if new.side == Side::Buy { best.price <= new.price } else { best.price >= new.price };
            if takes {
                return Err(Refusal::WouldTake);
            }
        }
        Ok(())
    }
}
