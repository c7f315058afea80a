//! What is remembered of one market: orders by name and number, their trades, and the tape. Invariant: what is kept
//! is bounded by name, oldest first out; the house is not remembered.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use strongroom_model::{MarketTrade, Timestamp, VenueOrderId};

use crate::engine::{AccountId, Change, Execution, Expiry, Order, PreventedMatch, Qty};

/// Public trades kept per market.
pub(crate) const TRADES_KEPT_MAX: usize = 5_000;
/// Finished orders kept per market; the oldest are forgotten.
pub(crate) const FINISHED_ORDERS_KEPT_MAX: usize = 100_000;

/// Prevented matches kept per market; the oldest are forgotten.
pub(crate) const PREVENTED_KEPT_MAX: usize = 10_000;

/// The public record of trades, oldest first.
pub(crate) type Tape = VecDeque<MarketTrade>;

/// What the client noted on an order for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) strategy_id: Option<u64>,
    pub(crate) strategy_type: Option<u64>,
}

/// The client's name for a new order, and its notes on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) label: Label,
}

impl From<String> for Tag {
    fn from(name: String) -> Self {
        Self { name, label: Label::default() }
    }
}

/// How an order was made smaller, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Amendment {
    pub(crate) execution: u64,
    pub(crate) name_before: String,
    pub(crate) name: String,
    pub(crate) quantity_before: Qty,
    pub(crate) quantity: Qty,
    pub(crate) at: Timestamp,
}

/// A self-trade that did not happen, and whose orders they were.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Prevented {
    pub(crate) matched: PreventedMatch,
    /// Of the taker and of the maker.
    pub(crate) accounts: Vec<AccountId>,
    pub(crate) at: Timestamp,
}

/// An order with its name and everything that happened to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// As it stands.
    pub(crate) order: Order,
    /// The client's name for it.
    pub(crate) client_order_id: String,
    /// The client's notes on it.
    pub(crate) label: Label,
    /// Why it expired.
    pub(crate) expiry: Option<Expiry>,
    /// How it was made smaller, oldest first.
    pub(crate) amendments: Vec<Amendment>,
    /// Its trades and when they happened.
    pub(crate) executions: Vec<(Timestamp, Execution)>,
}

#[derive(Debug, Default)]
struct Own {
    all: BTreeSet<VenueOrderId>,
    open: BTreeSet<VenueOrderId>,
    names: HashMap<String, VenueOrderId>,
}

/// The memory of one market.
#[derive(Debug, Default)]
pub(crate) struct Records {
    orders: BTreeMap<VenueOrderId, Record>,
    accounts: HashMap<AccountId, Own>,
    finished: VecDeque<VenueOrderId>,
    prevented: BTreeMap<u64, Prevented>,
    tape: Tape,
}

impl Records {
    /// The latest trades, oldest first.
    pub(crate) const fn tape(&self) -> &Tape {
        &self.tape
    }

    /// One order, open or finished.
    pub(crate) fn order(&self, id: VenueOrderId) -> Option<&Record> {
        self.orders.get(&id)
    }

    /// The latest order of `account` with this name.
    pub(crate) fn by_client_order_id(&self, account: AccountId, name: &str) -> Option<&Record> {
        self.accounts.get(&account).and_then(|own| own.names.get(name)).and_then(|id| self.orders.get(id))
    }

    /// Open orders of `account`, oldest first.
    pub(crate) fn open_orders(&self, account: AccountId) -> impl Iterator<Item = &Record> {
        self.accounts.get(&account).into_iter().flat_map(|own| own.open.iter()).filter_map(|id| self.orders.get(id))
    }

    /// All orders of `account` that are still kept, oldest first, beginning at `from`.
    pub(crate) fn all_orders(&self, account: AccountId, from: VenueOrderId) -> impl DoubleEndedIterator<Item = &Record> {
        self.accounts.get(&account).into_iter().flat_map(move |own| own.all.range(from..)).filter_map(|id| self.orders.get(id))
    }

    /// Trades of `account` in the order of its orders.
    pub(crate) fn executions(&self, account: AccountId) -> impl Iterator<Item = (&Record, Timestamp, &Execution)> {
        let orders = self.all_orders(account, VenueOrderId(0));
        orders.flat_map(|record| record.executions.iter().map(move |(at, execution)| (record, *at, execution)))
    }

    /// Everything that is remembered, by number.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Record> {
        self.orders.values()
    }

    /// Prevented matches that are remembered, by number.
    pub(crate) fn all_prevented(&self) -> impl Iterator<Item = &Prevented> {
        self.prevented.values()
    }

    /// Remembers an order of a saved state. In the order of numbers.
    pub(crate) fn restore(&mut self, record: Record) {
        let order = record.order;
        self.begin(order, Tag { name: record.client_order_id.clone(), label: record.label });
        self.orders.insert(order.id, record);
        if order.status.is_final() {
            self.end(order);
        }
    }

    /// Remembers a prevented match of a saved state.
    pub(crate) fn restore_prevented(&mut self, prevented: Prevented) {
        self.prevented.insert(prevented.matched.id, prevented);
    }

    /// Whether this order has not been seen before.
    pub(crate) fn is_new(&self, id: VenueOrderId) -> bool {
        !self.orders.contains_key(&id)
    }

    /// Prevented matches of `account`, beginning at the number `from`, oldest first.
    pub(crate) fn prevented(&self, account: AccountId, from: u64) -> impl Iterator<Item = &Prevented> {
        self.prevented.range(from..).map(|(_, prevented)| prevented).filter(move |prevented| prevented.accounts.contains(&account))
    }

    /// Remembers a self-trade that did not happen; it is told once by each of its two orders.
    pub(crate) fn prevent(&mut self, matched: &PreventedMatch, order: &Order) {
        let known = self.prevented.entry(matched.id);
        let kept = known.or_insert_with(|| Prevented { matched: *matched, accounts: Vec::new(), at: order.updated });
        if !kept.accounts.contains(&order.account) {
            kept.accounts.push(order.account);
        }
        if self.prevented.len() > PREVENTED_KEPT_MAX {
            self.prevented.pop_first();
        }
    }

    /// Follows an amendment, which may come with a new name.
    pub(crate) fn amend(&mut self, order: Order, name: Option<String>) {
        let Some(record) = self.orders.get_mut(&order.id) else { return };
        let name_before = record.client_order_id.clone();
        if let (Some(name), Some(own)) = (&name, self.accounts.get_mut(&order.account)) {
            if own.names.get(&name_before) == Some(&order.id) {
                own.names.remove(&name_before);
            }
            own.names.insert(name.clone(), order.id);
            record.client_order_id.clone_from(name);
        }
        record.amendments.push(Amendment {
            execution: super::amend::execution_id(&order),
            name: name.unwrap_or_else(|| name_before.clone()),
            name_before,
            quantity_before: record.order.quantity,
            quantity: order.quantity,
            at: order.updated,
        });
        record.order = order;
    }

    /// Remembers a new order under its name.
    pub(crate) fn begin(&mut self, order: Order, tag: Tag) {
        let own = self.accounts.entry(order.account).or_default();
        own.all.insert(order.id);
        own.open.insert(order.id);
        own.names.insert(tag.name.clone(), order.id);
        let Tag { name: client_order_id, label } = tag;
        let record = Record { order, client_order_id, label, expiry: None, amendments: Vec::new(), executions: Vec::new() };
        self.orders.insert(order.id, record);
    }

    /// Follows a transition of an order that is remembered.
    pub(crate) fn follow(&mut self, change: &Change, order: Order) {
        let Some(record) = self.orders.get_mut(&order.id) else { return };
        record.order = order;
        match change {
            Change::Trade(execution) => record.executions.push((order.updated, *execution)),
            Change::Expired(reason) => record.expiry = Some(*reason),
            _ => {}
        }
        if order.status.is_final() {
            self.end(order);
        }
    }

    fn end(&mut self, order: Order) {
        if let Some(own) = self.accounts.get_mut(&order.account) {
            own.open.remove(&order.id);
        }
        self.finished.push_back(order.id);
        if self.finished.len() > FINISHED_ORDERS_KEPT_MAX {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(record) = self.finished.pop_front().and_then(|id| self.orders.remove(&id)) else { return };
        let Some(own) = self.accounts.get_mut(&record.order.account) else { return };
        own.all.remove(&record.order.id);
        if own.names.get(&record.client_order_id) == Some(&record.order.id) {
            own.names.remove(&record.client_order_id);
        }
    }

    /// Puts a trade on the tape.
    pub(crate) fn print(&mut self, trade: MarketTrade) {
        self.tape.push_back(trade);
        if self.tape.len() > TRADES_KEPT_MAX {
            self.tape.pop_front();
        }
    }
}
