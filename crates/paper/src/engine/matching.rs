//! An order takes. Invariant: best price first, then lowest rank; a trade has the resting order's price, and both
//! sides of it settle at once.

use strongroom_model::{Side, TimeInForce, VenueOrderId};

use super::account::Terms;
use super::event::{Change, Execution, Expiry, PreventedMatch};
use super::order::{SelfTrade, Status};
use super::store::Slot;
use super::turn::Turn;
use super::units::{Money, Px, Qty};

/// One trade, as both sides settle it.
#[derive(Clone, Copy)]
struct Deal {
    trade: strongroom_model::TradeId,
    price: Px,
    quantity: Qty,
    quote: Money,
}

impl Turn<'_> {
    /// Trades an order against the book until nothing crosses or nothing is left; then it rests or ends.
    pub(crate) fn take(&mut self, slot: Slot) {
        loop {
            let taker = self.order(slot);
            let (id, account, mode) = (taker.id, taker.account, taker.self_trade);
            let Some(level) = self.market.ladders.best(taker.side.opposite()) else { break };
            let (price, Some(maker)) = (level.price, self.market.ladders.first(level)) else { break };
            if !taker.crosses(price) {
                break;
            }
            if mode != SelfTrade::None && Terms::are_same(self.terms, account, self.order(maker).account) {
                self.prevent(slot, maker, price, mode);
            } else {
                self.trade(slot, maker, price);
            }
            if !self.market.store.is_open(slot, id) {
                return;
            }
        }
        let order = self.order(slot);
        let expiry = match order.tif {
            _ if order.is_market() => Expiry::InsufficientLiquidity,
            TimeInForce::Ioc => Expiry::UnfilledIoc,
            TimeInForce::Fok => Expiry::UnfilledFok,
            TimeInForce::Gtc => return self.market.ladders.insert(&mut self.market.store, slot),
        };
        self.end(slot, Status::Expired, Change::Expired(expiry));
    }

    fn trade(&mut self, taker: Slot, maker: Slot, price: Px) {
        if self.order(maker).leg.is_oco() {
            self.end_sibling(maker);
        }
        let before = *self.order(maker);
        let quantity = self.order(taker).available().min(before.visible);
        debug_assert!(!quantity.is_zero(), "a trade of nothing between {:?} and {before:?}", self.order(taker));
        // Both sides' worth was checked when they came in.
        let quote = price.worth(quantity).unwrap_or(Money::MAX);
        let deal = Deal { trade: self.market.print(price), price, quantity, quote };
        let (taker_id, maker_id) = (self.order(taker).id, before.id);

        let leaves_queue = quantity == before.visible;
        if leaves_queue {
            self.market.ladders.remove(&mut self.market.store, maker);
        }
        let execution = self.settle(maker, &deal, true, taker_id);
        let is_filled = self.order(maker).status == Status::Filled;
        if leaves_queue && !is_filled {
            // A new slice goes to the back of the queue.
            let rank = self.market.next_rank();
            let iceberg = self.market.store.conditions(maker).iceberg;
            let order = self.market.store.order_mut(maker);
            (order.rank, order.visible) = (rank, iceberg.min(order.available()));
            self.market.ladders.insert(&mut self.market.store, maker);
        } else if !leaves_queue {
            self.market.ladders.changed(&self.market.store, maker, before.shown());
        }
        self.tell(maker, Change::Trade(execution));
        if is_filled {
            self.retire(maker);
        }
        let execution = self.settle(taker, &deal, false, maker_id);
        let is_filled = self.order(taker).status == Status::Filled;
        if is_filled {
            // What a better price or a budget saved.
            self.release(taker);
        }
        self.tell(taker, Change::Trade(execution));
        if is_filled {
            self.retire(taker);
        }
    }

    /// Moves the money of one side of a trade and counts it on its order.
    fn settle(&mut self, slot: Slot, deal: &Deal, is_maker: bool, other: VenueOrderId) -> Execution {
        let now = self.now;
        let (base, quote) = (self.market.base, self.market.quote);
        let order = self.market.store.order_mut(slot);
        let terms = self.terms[order.account.index()];
        let is_first = order.filled.is_zero();
        order.filled = order.filled.plus(deal.quantity);
        order.filled_quote = order.filled_quote.plus(deal.quote);
        let available = order.available();
        order.status = if available.is_zero() { Status::Filled } else { Status::PartiallyFilled };
        order.visible = if is_maker { order.visible.less(deal.quantity) } else { order.visible.min(available) };
        order.updated = now;
        let (paid, spent, received, got) = match order.side {
            Side::Buy => (quote, deal.quote, base, deal.quantity.0),
            Side::Sell => (base, Money(deal.quantity.0), quote, deal.quote.0),
        };
        // A limit buy holds its own price: what a better one saves is free at once.
        let keep = if order.is_market() { order.locked.less(spent) } else { order.need() };
        let freed = order.locked.less(keep);
        order.locked = keep;
        let (account, side) = (order.account, order.side);
        let fee = if is_maker { terms.maker } else { terms.taker }.of_units(got);
        self.ledger.spend_locked(account, paid, freed, freed.less(spent));
        self.ledger.credit(account, received, Money(got - fee));
        self.ledger.collect_fee(received, Money(fee));
        if side == Side::Buy {
            self.market.store.bought(account, deal.quantity);
        }
        let Deal { trade, price, quantity, quote } = *deal;
        Execution { trade, price, quantity, quote, commission: Money(fee), commission_asset: received, is_maker, is_first, other }
    }

    /// A self-trade does not happen (`faqs/stp_faq.md`).
    fn prevent(&mut self, taker: Slot, maker: Slot, price: Px, mode: SelfTrade) {
        let (taker_has, maker_has) = (self.order(taker).available(), self.order(maker).available());
        let (taker_prevented, maker_prevented) = match mode {
            SelfTrade::None => return,
            SelfTrade::ExpireTaker => (taker_has, Qty::ZERO),
            SelfTrade::ExpireMaker => (Qty::ZERO, maker_has),
            SelfTrade::ExpireBoth => (taker_has, maker_has),
            SelfTrade::Decrement => (taker_has.min(maker_has), taker_has.min(maker_has)),
        };
        let id = self.market.numbers.prevented;
        self.market.numbers.prevented += 1;
        let (taker_id, maker_id) = (self.order(taker).id, self.order(maker).id);
        let prevented = PreventedMatch { id, mode, taker: taker_id, maker: maker_id, price, taker_prevented, maker_prevented };
        if !maker_prevented.is_zero() {
            self.take_away(maker, maker_prevented, prevented);
        }
        if !taker_prevented.is_zero() {
            self.take_away(taker, taker_prevented, prevented);
        }
    }

    /// Takes quantity away from an order; what has nothing left expires in match.
    fn take_away(&mut self, slot: Slot, quantity: Qty, prevented: PreventedMatch) {
        let before = *self.order(slot);
        if before.side == Side::Buy {
            self.market.store.bought(before.account, quantity);
        }
        let is_gone = quantity == before.available();
        if is_gone {
            self.market.ladders.remove(&mut self.market.store, slot);
        }
        let now = self.now;
        self.market.store.conditions_mut(slot).prevented_match = Some(prevented.id);
        let order = self.market.store.order_mut(slot);
        order.prevented = order.prevented.plus(quantity);
        order.visible = order.visible.min(order.available());
        order.updated = now;
        if is_gone {
            self.end(slot, Status::ExpiredInMatch, Change::Prevented(prevented));
        } else {
            self.market.ladders.changed(&self.market.store, slot, before.shown());
            let sibling = self.sibling(slot).map(|sibling| (sibling, self.order(sibling).locked));
            self.relock(slot);
            self.tell(slot, Change::Prevented(prevented));
            if let Some((sibling, before)) = sibling
                && self.order(sibling).locked != before
            {
                self.tell(sibling, Change::Held);
            }
        }
    }
}
