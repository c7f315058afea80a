//! What is remembered of one market: orders by name and number, their trades, and the tape. Invariant: what is kept
//! is bounded by name, oldest first out; the house is not remembered.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use strongroom_model::{MarketTrade, Side, Timestamp, TradeId, VenueOrderId};

use crate::engine::{AccountId, Change, Execution, Order};

/// Public trades kept per market.
pub(crate) const TRADES_KEPT_MAX: usize = 5_000;
/// Finished orders kept per market; the oldest are forgotten.
pub(crate) const FINISHED_ORDERS_KEPT_MAX: usize = 100_000;

/// The public record of trades, oldest first.
pub(crate) type Tape = VecDeque<MarketTrade>;

/// An order with its name and everything that happened to it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// As it stands.
    pub(crate) order: Order,
    /// The client's name for it.
    pub(crate) client_order_id: String,
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

    /// Remembers an order of a saved state. In the order of numbers.
    pub(crate) fn restore(&mut self, order: Order, client_order_id: String, executions: Vec<(Timestamp, Execution)>) {
        let is_final = order.status.is_final();
        self.begin(order, client_order_id);
        if let Some(record) = self.orders.get_mut(&order.id) {
            record.executions = executions;
        }
        if is_final {
            self.end(order);
        }
    }

    /// Whether this order has not been seen before.
    pub(crate) fn is_new(&self, id: VenueOrderId) -> bool {
        !self.orders.contains_key(&id)
    }

    /// Remembers a new order under its name.
    pub(crate) fn begin(&mut self, order: Order, client_order_id: String) {
        let own = self.accounts.entry(order.account).or_default();
        own.all.insert(order.id);
        own.open.insert(order.id);
        own.names.insert(client_order_id.clone(), order.id);
        self.orders.insert(order.id, Record { order, client_order_id, executions: Vec::new() });
    }

    /// Follows a transition of an order that is remembered.
    pub(crate) fn follow(&mut self, change: &Change, order: Order) {
        let Some(record) = self.orders.get_mut(&order.id) else { return };
        record.order = order;
        if let Change::Trade(execution) = change {
            record.executions.push((order.updated, *execution));
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
    pub(crate) fn print(&mut self, execution: &Execution, taker: Side, at: Timestamp) {
        self.tape.push_back(MarketTrade {
            trade_id: TradeId(execution.trade.0),
            price: execution.price.model(),
            quantity: execution.quantity.model(),
            buyer_is_maker: taker == Side::Sell,
            at,
        });
        if self.tape.len() > TRADES_KEPT_MAX {
            self.tape.pop_front();
        }
    }
}
