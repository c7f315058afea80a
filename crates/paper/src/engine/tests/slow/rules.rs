//! What the obvious engine refuses, and what an order would trade and cost. Invariant: nothing changes here.

use std::collections::VecDeque;

use strongroom_model::Side;

use super::{Entry, Slow, WHOLE, int, paid, worth};
use crate::engine::{FilterFailure, Kind, NewOrder, Refusal, SelfTrade, Size};

/// Whether an order counts for a rule.
type Is = fn(&NewOrder) -> bool;

impl Slow {
    /// Takes on paper: base and quote that an order would trade.
    pub(super) fn dry(&self, account: usize, side: Side, limit: Option<i128>, mode: SelfTrade, size: Size) -> (i128, i128) {
        let mut queue = VecDeque::from(self.queue(side, limit));
        if matches!(mode, SelfTrade::ExpireMaker | SelfTrade::Decrement) {
            queue.retain(|order| !self.same(account, order.account));
        }
        let (mut base, mut quote) = (0, 0);
        while let Some(mut order) = queue.pop_front() {
            if mode != SelfTrade::None && self.same(account, order.account) {
                break;
            }
            let price = int(order.new.price.0);
            let step = int(self.rules.lot.step);
            let wanted = match size {
                Size::Base(quantity) => int(quantity.0) - base,
                Size::Quote(budget) => (int(budget.0) - quote) * WHOLE / price / step * step,
            };
            let quantity = wanted.min(order.visible);
            if quantity == 0 {
                break;
            }
            base += quantity;
            quote += worth(price, quantity);
            order.filled += quantity;
            order.visible -= quantity;
            if order.left() > 0 && order.visible == 0 {
                order.visible = int(order.new.iceberg.0).min(order.left());
                let behind = queue.iter().take_while(|other| other.new.price == order.new.price).count();
                queue.insert(behind, order);
            } else if order.left() > 0 {
                break;
            }
        }
        (base, quote)
    }

    pub(super) fn vet(&self, account: usize, new: &NewOrder) -> Result<(), Refusal> {
        let fail = |failure| Err(Refusal::Filter(failure));
        if self.is_halted {
            return Err(Refusal::MarketClosed);
        }
        let (price, quantity, slice) = (int(new.price.0), int(new.quantity().0), int(new.iceberg.0));
        if slice > quantity {
            return Err(Refusal::IcebergTooLarge);
        }
        let tick = int(self.rules.price.step);
        for price in [price, int(new.stop.0)] {
            if price % tick != 0 || price > int(self.rules.price.max) {
                return fail(FilterFailure::Price);
            }
        }
        let reference = self.last.or_else(|| self.best(new.side.opposite()));
        let band = if new.side == Side::Buy { self.rules.percent_bid } else { self.rules.percent_ask };
        if let (true, Some(reference)) = (new.kind.has_price(), reference) {
            let (low, high) = (reference * int(band.down.0) / WHOLE, reference * int(band.up.0) / WHOLE);
            if price < low || price > high {
                return fail(FilterFailure::PercentPriceBySide);
            }
        }
        if let Size::Base(_) = new.size {
            if quantity < int(self.rules.lot.min) || quantity > int(self.rules.lot.max) || quantity % int(self.rules.lot.step) != 0 {
                return fail(FilterFailure::Lot);
            }
            if slice > 0 {
                if slice < int(self.rules.lot.min) || slice % int(self.rules.lot.step) != 0 {
                    return fail(FilterFailure::Lot);
                }
                if (quantity + slice - 1) / slice > int(self.rules.iceberg_parts) {
                    return fail(FilterFailure::IcebergParts);
                }
            }
        }
        let value = if price > 0 {
            Some(price)
        } else if new.stop.is_zero() {
            reference
        } else {
            Some(int(new.stop.0))
        };
        let value = match new.size {
            Size::Quote(budget) => Some(int(budget.0)),
            Size::Base(_) => value.map(|price| worth(price, quantity)),
        };
        if value.is_some_and(|value| value < int(self.rules.notional.min.0) || value > int(self.rules.notional.max.0)) {
            return fail(FilterFailure::Notional);
        }
        if new.trailing_bps > 0 && !(10..=2_000).contains(&new.trailing_bps) {
            return fail(FilterFailure::TrailingDelta);
        }
        if new.side == Side::Buy && self.rules.position.0 > 0 {
            let buying: i128 =
                self.orders.iter().filter(|order| order.account == account && order.new.side == Side::Buy).map(Entry::left).sum();
            if self.totals[account][0] + buying + quantity > int(self.rules.position.0) {
                return fail(FilterFailure::Position);
            }
        }
        Ok(())
    }

    pub(super) fn vet_counts(&self, account: usize, more: &[&NewOrder], lists: usize) -> Result<(), Refusal> {
        let mine = || self.orders.iter().filter(|order| order.account == account).map(|order| &order.new);
        let rows: [(Is, u32, FilterFailure); 3] = [
            (|_| true, self.rules.orders, FilterFailure::OpenOrders),
            (|new| new.kind.is_algo(), self.rules.algo_orders, FilterFailure::AlgoOrders),
            (|new| new.iceberg.0 > 0, self.rules.iceberg_orders, FilterFailure::IcebergOrders),
        ];
        for (is, max, failure) in rows {
            let adding = more.iter().filter(|new| is(new)).count();
            if adding > 0 && mine().filter(|new| is(new)).count() + adding > max as usize {
                return Err(Refusal::Filter(failure));
            }
        }
        let open = self.lists.iter().filter(|list| list.account == account).count();
        if lists > 0 && open + lists > self.rules.lists as usize {
            return Err(Refusal::Filter(FilterFailure::OrderLists));
        }
        Ok(())
    }

    pub(super) fn vet_price(&self, new: &NewOrder) -> Result<(), Refusal> {
        let above = new.kind.is_above(new.side);
        if let (true, Some(last)) = (new.stop.0 > 0, self.last)
            && ((above && last >= int(new.stop.0)) || (!above && last <= int(new.stop.0)))
        {
            return Err(Refusal::WouldTrigger);
        }
        let crosses = |best: i128| if new.side == Side::Buy { best <= int(new.price.0) } else { best >= int(new.price.0) };
        if new.kind == Kind::LimitMaker && self.best(new.side.opposite()).is_some_and(crosses) {
            return Err(Refusal::WouldTake);
        }
        Ok(())
    }

    /// Quantity, price to hold at, and amount to hold.
    pub(super) fn measure(&self, account: usize, new: &NewOrder) -> Result<(i128, i128, i128), Refusal> {
        if new.kind != Kind::Market {
            let bps = 10_000 + i128::from(new.trailing_bps);
            let guess = self.last.or_else(|| self.best(new.side.opposite())).unwrap_or(0) * bps / 10_000;
            let hold = [int(new.price.0), int(new.stop.0), guess].into_iter().find(|price| *price > 0).unwrap_or(0);
            let quantity = int(new.quantity().0);
            return Ok((quantity, hold, if new.side == Side::Buy { worth(hold, quantity) } else { quantity }));
        }
        let (base, quote) = self.dry(account, new.side, None, new.self_trade, new.size);
        let (quantity, quote) = match new.size {
            Size::Base(quantity) => (int(quantity.0), quote),
            Size::Quote(budget) => (base, int(budget.0)),
        };
        match quantity {
            0 if self.best(new.side.opposite()).is_none() => Err(Refusal::NoLiquidity),
            0 => Err(Refusal::TooLittleLiquidity),
            _ => Ok((quantity, 0, if new.side == Side::Buy { quote } else { quantity })),
        }
    }

    pub(super) fn afford(&self, account: usize, side: Side, amount: i128) -> Result<(), Refusal> {
        if self.free(account, paid(side)) < amount { Err(Refusal::InsufficientBalance) } else { Ok(()) }
    }

    pub(super) fn vet_pair(&self, above: &NewOrder, below: &NewOrder, now: bool) -> Result<(), Refusal> {
        let price = |order: &NewOrder| match order.kind {
            Kind::LimitMaker | Kind::TakeProfitLimit => Some(int(order.price.0)),
            _ => Some(int(order.stop.0)).filter(|stop| *stop > 0),
        };
        let prices: Vec<i128> = [price(above), self.last.filter(|_| now), price(below)].into_iter().flatten().collect();
        if prices.windows(2).all(|pair| pair[0] > pair[1]) { Ok(()) } else { Err(Refusal::PriceRelation) }
    }
}
