//! A saved state comes back. Invariant: nothing is matched and nothing is told; the last snapshot of every order that
//! did not end, the last state of every open list, the last holding of every account, the fees and each market's
//! numbers make the same engine again.

use strongroom_model::VenueOrderId;

use super::event::OrderList;
use super::ledger::{AccountId, AssetId, Holding};
use super::market::{MarketStatus, Numbers, OpenList};
use super::order::{ListId, MarketId, Order, Status};
use super::refusal::Refusal;
use super::units::Money;
use super::{Engine, event::Event};

impl Engine {
    /// Puts a holding back, with what open orders lock of it.
    pub fn restore_holding(&mut self, account: AccountId, asset: AssetId, holding: Holding) -> Result<(), Refusal> {
        let restored = self.ledger.restore(account, asset, holding);
        self.ledger.tell(&mut Vec::<Event>::new());
        restored
    }

    /// Puts the fee pot of one asset back.
    pub fn restore_fees(&mut self, asset: AssetId, fees: Money) -> Result<(), Refusal> {
        self.ledger.restore_fees(asset, fees)
    }

    /// Continues the numbers of a market.
    pub fn restore_numbers(&mut self, market: MarketId, numbers: Numbers, status: MarketStatus) {
        let market = self.market_mut(market);
        market.numbers = numbers;
        market.status = status;
        market.ladders.continue_from(numbers.update);
    }

    /// Continues the numbers of lists: the next one has a higher number.
    pub fn restore_last_list(&mut self, last: ListId) {
        self.last_list = self.last_list.max(last.0);
    }

    /// Puts an open list back; its open orders follow.
    pub fn restore_list(&mut self, list: OrderList) {
        self.last_list = self.last_list.max(list.id.0);
        let market = self.market_mut(list.market);
        market.lists.insert(list.id.0, OpenList { told: list, open: [None; 3] });
        market.store.standing_mut(list.account).lists += 1;
    }

    /// Puts an open or pending order back into its place: the book by its rank, the triggers by its prices. What it
    /// locks is part of its account's holding. Fastest in the order of numbers. An order that ended, or whose
    /// number is there already, is passed over.
    pub fn restore(&mut self, order: Order) {
        let terms = &mut self.terms[order.account.index()];
        let market = &mut self.markets[order.market.index()];
        if order.status.is_final() || market.store.find(order.id).is_some() {
            return;
        }
        terms.orders += 1;
        terms.algo_orders += u32::from(order.kind.is_algo());
        market.numbers.order = market.numbers.order.max(order.id.0);
        market.numbers.rank = market.numbers.rank.max(order.rank);
        if let Some(list) = order.list.and_then(|list| market.lists.get_mut(&list.0)) {
            join(list, order.id);
        }
        let slot = market.store.insert(&order);
        if order.status == Status::PendingNew {
            return;
        }
        if order.waits() {
            market.triggers.insert(&mut market.store, slot);
        } else {
            let update = market.ladders.update_id();
            market.ladders.insert(&mut market.store, slot);
            market.ladders.continue_from(update);
        }
    }
}

/// Counts an order as open at its own place in the list.
fn join(list: &mut OpenList, id: VenueOrderId) {
    for (place, told) in list.open.iter_mut().zip(list.told.orders) {
        if told == Some(id) {
            *place = told;
        }
    }
}
