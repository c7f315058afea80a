//! Taking orders back and making them smaller. Invariant: an amended order keeps its number and its place in the queue.

use strongroom_model::{Side, VenueOrderId};

use super::event::Change;
use super::filters::FilterFailure;
use super::ledger::AccountId;
use super::market::MarketStatus;
use super::order::Status;
use super::refusal::Refusal;
use super::store::Slot;
use super::turn::Turn;
use super::units::Qty;

impl Turn<'_> {
    fn own(&self, account: AccountId, id: VenueOrderId) -> Result<Slot, Refusal> {
        let slot = self.market.store.find(id).ok_or(Refusal::UnknownOrder)?;
        if self.order(slot).account == account { Ok(slot) } else { Err(Refusal::UnknownOrder) }
    }

    /// Takes one order back; the orders of its list go with it.
    pub(crate) fn cancel(&mut self, account: AccountId, id: VenueOrderId) -> Result<(), Refusal> {
        let slot = self.own(account, id)?;
        self.end(slot, Status::Canceled, Change::Canceled);
        Ok(())
    }

    /// Takes every order of an account back, oldest first; the number of them.
    pub(crate) fn cancel_all(&mut self, account: AccountId) -> usize {
        let ids: Vec<VenueOrderId> = self.market.store.own(account).map(|slot| self.order(slot).id).collect();
        for id in &ids {
            // The list of an earlier one may have taken it along.
            if let Some(slot) = self.market.store.find(*id) {
                self.end(slot, Status::Canceled, Change::Canceled);
            }
        }
        ids.len()
    }

    /// Makes an order smaller (`faqs/order_amend_keep_priority.md`); the other leg of an OCO with it.
    pub(crate) fn amend(&mut self, account: AccountId, id: VenueOrderId, quantity: Qty) -> Result<(), Refusal> {
        let slot = self.own(account, id)?;
        if self.market.status != MarketStatus::Trading {
            return Err(Refusal::MarketClosed);
        }
        let pair = [Some(slot), self.sibling(slot)];
        for slot in pair.into_iter().flatten() {
            self.check_amend(slot, quantity)?;
        }
        for slot in pair.into_iter().flatten() {
            self.shrink(slot, quantity);
        }
        self.relock(slot);
        for slot in pair.into_iter().flatten() {
            self.tell(slot, Change::Replaced);
        }
        Ok(())
    }

    fn check_amend(&self, slot: Slot, quantity: Qty) -> Result<(), Refusal> {
        let (order, rules) = (self.order(slot), &self.market.rules);
        if quantity == order.quantity {
            return Err(Refusal::AmendChangesNothing);
        }
        if quantity > order.quantity {
            return Err(Refusal::AmendIncreases);
        }
        if rules.amends > 0 && self.market.store.conditions(slot).amends >= rules.amends {
            return Err(Refusal::Filter(FilterFailure::Amends));
        }
        if !rules.lot.hold(quantity.0) {
            return Err(Refusal::Filter(FilterFailure::Lot));
        }
        if order.kind.has_price() && order.price.worth(quantity).is_none_or(|worth| worth < rules.notional.min) {
            return Err(Refusal::Filter(FilterFailure::Notional));
        }
        if quantity <= order.filled.plus(order.prevented) { Err(Refusal::AmendTooSmall) } else { Ok(()) }
    }

    fn shrink(&mut self, slot: Slot, quantity: Qty) {
        let before = *self.order(slot);
        if before.side == Side::Buy {
            self.market.store.bought(before.account, before.quantity.less(quantity));
        }
        self.market.store.conditions_mut(slot).amends += 1;
        let now = self.now;
        let order = self.market.store.order_mut(slot);
        order.quantity = quantity;
        order.visible = order.visible.min(order.available());
        order.updated = now;
        self.market.ladders.changed(&self.market.store, slot, before.shown());
    }
}
