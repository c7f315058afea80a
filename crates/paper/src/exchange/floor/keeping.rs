//! What of the trading floor outlives the venue. Invariant: whatever a client was told of its own orders and money becomes an
//! entry in the call that it happened in.

use strongroom_model::Timestamp;

use super::Floor;
use crate::engine::{AccountId, AssetId, Change, Event, Execution, Holding, Order, OrderList};
use crate::exchange::list_records::ListRecord;
use crate::exchange::saved::{Entry, Saved};

impl Floor {
    pub(super) fn keep_balances(&mut self) {
        for at in 0..self.events.len() {
            if let Event::Balance(account, asset, held) = self.events[at] {
                self.keep_holding(account, asset, held);
            }
        }
    }

    pub(super) fn is_kept(&self, account: AccountId) -> bool {
        self.keeps && !self.engine.is_house(account)
    }

    pub(super) fn keep_order(&mut self, change: &Change, order: &Order) {
        if !self.is_kept(order.account) {
            return;
        }
        let market = order.market;
        let records = &self.records[market.index()];
        let record = records.order(order.id);
        let named = match change {
            Change::New | Change::Replaced => record.map(|record| (record.client_order_id.clone(), record.label)),
            _ => None,
        };
        let expiry = if let Change::Expired(expiry) = change { Some(*expiry) } else { None };
        self.entries.push(Entry::Order { named, expiry, order: Box::new(*order) });
        match change {
            Change::Trade(execution) => {
                self.entries.push(Entry::Trade { market, order: order.id, at: order.updated, execution: *execution });
            }
            Change::Replaced => {
                let amendment = record.and_then(|record| record.amendments.last()).cloned();
                self.entries.extend(amendment.map(|amendment| Entry::Amendment { market, order: order.id, amendment }));
            }
            Change::Prevented(matched) => {
                let prevented = records.prevented(order.account, matched.id).next().cloned();
                self.entries.extend(prevented.map(|prevented| Entry::Prevented { market, prevented }));
            }
            _ => {}
        }
    }

    pub(super) fn keep_holding(&mut self, account: AccountId, asset: AssetId, held: Holding) {
        if self.is_kept(account) {
            self.entries.push(Entry::Holding { account, asset: self.engine.assets()[asset.index()].clone(), held });
        }
    }

    pub(super) fn keep_list(&mut self, list: &OrderList) {
        if self.is_kept(list.account) {
            let record = self.lists.get(list.account, list.id).cloned();
            self.entries.extend(record.map(|record| Entry::List { record }));
        }
    }

    /// From now on everything that has to outlive the venue is told by [`Self::take_entries`].
    pub(crate) fn keep(&mut self) {
        self.keeps = true;
    }

    /// What has to outlive the venue since the last call.
    pub(crate) fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// The numbers that the markets have given away.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = Entry> {
        self.engine.markets().map(|(market, of)| Entry::Numbers { market, numbers: of.numbers(), status: of.status })
    }

    /// Names the markets as the entries number them.
    pub(crate) fn market_names(&self) -> Entry {
        Entry::Markets { symbols: self.engine.markets().map(|(_, market)| market.instrument.symbol.clone()).collect() }
    }

    /// Everything that has to outlive the venue, except accounts.
    pub(crate) fn all_entries(&self) -> Vec<Entry> {
        let mut entries = vec![self.market_names()];
        entries.extend(self.numbers());
        for (id, name) in (0..).zip(self.engine.assets()) {
            let asset = AssetId(id);
            let fees = self.engine.fee_pot(asset);
            if !fees.is_zero() {
                entries.push(Entry::Fees { asset: name.clone(), amount: fees });
            }
            let held = self.engine.accounts().filter(|account| !self.engine.is_house(*account));
            let held = held.map(|account| (account, self.engine.holding(account, asset)));
            entries.extend(held.map(|(account, held)| Entry::Holding { account, asset: name.clone(), held }));
        }
        for (records, (market, _)) in self.records.iter().zip(self.engine.markets()) {
            for record in records.all() {
                let (order, named) = (record.order, Some((record.client_order_id.clone(), record.label)));
                entries.push(Entry::Order { named, expiry: record.expiry, order: Box::new(order) });
                let trade =
                    |(at, execution): &(Timestamp, Execution)| Entry::Trade { market, order: order.id, at: *at, execution: *execution };
                entries.extend(record.executions.iter().map(trade));
                let amendments = record.amendments.iter().cloned();
                entries.extend(amendments.map(|amendment| Entry::Amendment { market, order: order.id, amendment }));
            }
            entries.extend(records.all_prevented().cloned().map(|prevented| Entry::Prevented { market, prevented }));
        }
        entries.extend(self.lists.every().cloned().map(|record| Entry::List { record }));
        entries
    }

    /// Takes a saved state over: numbers first, then money, lists and orders. Accounts were opened before.
    pub(crate) fn restore(&mut self, saved: Saved) {
        for (market, (numbers, status)) in saved.numbers {
            self.engine.restore_numbers(market, numbers, status);
        }
        for ((account, asset), held) in saved.holdings {
            let asset = self.engine.asset(&asset);
            // More than can be counted of one asset was never saved.
            let _ = self.engine.restore_holding(account, asset, held);
        }
        for (asset, fees) in saved.fees {
            let asset = self.engine.asset(&asset);
            let _ = self.engine.restore_fees(asset, fees);
        }
        for (id, ListRecord { list, name, placed }) in saved.lists {
            self.engine.restore_last_list(id);
            self.lists.follow(&list, &name, placed);
            if !list.is_done {
                self.engine.restore_list(list);
                self.list_names.insert(id, name);
            }
        }
        for (market, prevented) in saved.prevented {
            self.records[market.index()].restore_prevented(prevented);
        }
        for ((market, _), record) in saved.orders {
            self.engine.restore(record.order);
            self.records[market.index()].restore(record);
        }
    }
}
