//! One market: its book, its orders and its tape. Invariant: what is kept is bounded by name, oldest first out.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use strongroom_model::{
    Amount, DepthUpdate, Instrument, Level, MarketSize, MarketTrade, Notional, OrderSpec, Price, Quantity, Side, Timestamp, TradeId,
    VenueOrderId,
};

use super::book::Ladders;
use super::ledger::{AccountId, AssetId};
use super::order::{Execution, Order, affordable};

/// Public trades kept per market.
pub(crate) const TRADES_KEPT_MAX: usize = 5_000;
/// Finished orders kept per market; the oldest are forgotten.
pub(crate) const FINISHED_ORDERS_KEPT_MAX: usize = 100_000;

/// The public record of trades, oldest first.
pub type Tape = VecDeque<MarketTrade>;

#[derive(Debug, Default)]
struct Records {
    all: BTreeSet<VenueOrderId>,
    open: BTreeSet<VenueOrderId>,
    names: HashMap<String, VenueOrderId>,
}

/// Trading in one instrument.
#[derive(Debug)]
pub struct Market {
    /// What is traded, and the rules.
    pub instrument: Instrument,
    pub(crate) base: AssetId,
    pub(crate) quote: AssetId,
    pub(crate) ladders: Ladders,
    orders: BTreeMap<VenueOrderId, Order>,
    accounts: HashMap<AccountId, Records>,
    finished: VecDeque<VenueOrderId>,
    trades: Tape,
    last_order_id: u64,
    last_trade_id: u64,
}

impl Market {
    pub(crate) fn new(instrument: Instrument, base: AssetId, quote: AssetId) -> Self {
        Self {
            instrument,
            base,
            quote,
            ladders: Ladders::default(),
            orders: BTreeMap::new(),
            accounts: HashMap::new(),
            finished: VecDeque::new(),
            trades: VecDeque::new(),
            last_order_id: 0,
            last_trade_id: 0,
        }
    }

    /// Levels of one side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        self.ladders.levels(side)
    }

    /// Number of the last change of the book.
    pub fn update_id(&self) -> u64 {
        self.ladders.update_id()
    }

    /// Changes of the book since the last call.
    pub(crate) fn take_update(&mut self) -> Option<DepthUpdate> {
        self.ladders.take_update()
    }

    /// The latest trades, oldest first.
    pub fn trades(&self) -> &Tape {
        &self.trades
    }

    /// Price of the last trade.
    pub fn last_price(&self) -> Option<Price> {
        self.trades.back().map(|trade| trade.price)
    }

    /// One order, open or finished.
    pub fn order(&self, id: VenueOrderId) -> Option<&Order> {
        self.orders.get(&id)
    }

    /// The latest order of `account` with this name.
    pub fn by_client_order_id(&self, account: AccountId, name: &str) -> Option<&Order> {
        self.accounts.get(&account).and_then(|records| records.names.get(name)).and_then(|id| self.orders.get(id))
    }

    /// Open orders of `account`, oldest first.
    pub fn open_orders(&self, account: AccountId) -> impl DoubleEndedIterator<Item = &Order> {
        self.accounts.get(&account).into_iter().flat_map(|records| records.open.iter()).filter_map(|id| self.orders.get(id))
    }

    /// All orders of `account` that are still kept, oldest first, beginning at `from`.
    pub fn all_orders(&self, account: AccountId, from: VenueOrderId) -> impl DoubleEndedIterator<Item = &Order> {
        self.accounts.get(&account).into_iter().flat_map(move |records| records.all.range(from..)).filter_map(|id| self.orders.get(id))
    }

    /// Trades of `account` in the order of its orders.
    pub fn executions(&self, account: AccountId) -> impl Iterator<Item = (&Order, &Execution)> {
        let orders = self.all_orders(account, VenueOrderId(0));
        orders.flat_map(|order| order.executions.iter().map(move |execution| (order, execution)))
    }

    pub(crate) fn paid_asset(&self, side: Side) -> AssetId {
        match side {
            Side::Buy => self.quote,
            Side::Sell => self.base,
        }
    }

    /// Orders that ever came.
    pub fn order_count(&self) -> u64 {
        self.last_order_id
    }

    pub(crate) fn next_order_id(&mut self) -> VenueOrderId {
        self.last_order_id += 1;
        VenueOrderId(self.last_order_id)
    }

    pub(crate) fn take_order(&mut self, id: VenueOrderId) -> Option<Order> {
        self.orders.remove(&id)
    }

    pub(crate) fn put_back(&mut self, order: Order) {
        self.orders.insert(order.id, order);
    }

    /// Keeps the state of an order; forgets the finished orders of the house and the oldest finished of others.
    pub(crate) fn record(&mut self, order: Order, is_house: bool) {
        let (id, is_final) = (order.id, order.status.is_final());
        if is_house {
            if is_final {
                self.orders.remove(&id);
            } else {
                self.orders.insert(id, order);
            }
            return;
        }
        let records = self.accounts.entry(order.account).or_default();
        if records.all.insert(id) {
            records.names.insert(order.client_order_id.clone(), id);
        }
        if is_final {
            records.open.remove(&id);
            self.finished.push_back(id);
        } else {
            records.open.insert(id);
        }
        self.orders.insert(id, order);
        if self.finished.len() > FINISHED_ORDERS_KEPT_MAX {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(order) = self.finished.pop_front().and_then(|id| self.orders.remove(&id)) else { return };
        let Some(records) = self.accounts.get_mut(&order.account) else { return };
        records.all.remove(&order.id);
        if records.names.get(&order.client_order_id) == Some(&order.id) {
            records.names.remove(&order.client_order_id);
        }
    }

    /// Puts a trade on the tape and numbers it.
    pub(crate) fn print(&mut self, price: Price, quantity: Quantity, taker: Side, at: Timestamp) -> TradeId {
        self.last_trade_id += 1;
        let trade_id = TradeId(self.last_trade_id);
        self.trades.push_back(MarketTrade { trade_id, price, quantity, buyer_is_maker: taker == Side::Sell, at });
        if self.trades.len() > TRADES_KEPT_MAX {
            self.trades.pop_front();
        }
        trade_id
    }

    /// Base quantity that `order` could trade at once, up to its own.
    pub(crate) fn fillable(&self, side: Side, order: &Order) -> Quantity {
        let mut sum = Quantity::ZERO;
        for level in self.levels(side.opposite()).take_while(|level| order.crosses(level.price)) {
            sum = sum + level.quantity;
            if sum >= order.quantity {
                break;
            }
        }
        sum
    }

    /// What an order can cost at most: quote for a buy, base for a sell. `None` when it cannot be held.
    pub(crate) fn cost(&self, side: Side, spec: &OrderSpec) -> Option<Amount> {
        let value = match (side, *spec) {
            (Side::Buy, OrderSpec::Limit { price, quantity, .. } | OrderSpec::PostOnly { price, quantity }) => {
                price.checked_mul(quantity)?.value()
            }
            (Side::Sell, OrderSpec::Limit { quantity, .. } | OrderSpec::PostOnly { quantity, .. }) => quantity.value(),
            (Side::Sell, OrderSpec::Market { size: MarketSize::Base(quantity) }) => quantity.value(),
            (Side::Buy, OrderSpec::Market { size: MarketSize::Quote(budget) }) => budget.value(),
            (Side::Buy, OrderSpec::Market { size: MarketSize::Base(quantity) }) => {
                let mut left = quantity;
                let mut cost = Notional::ZERO;
                for level in self.levels(Side::Sell) {
                    let taken = left.min(level.quantity);
                    cost = cost.checked_add(level.price.checked_mul(taken)?)?;
                    left = left - taken;
                    if left.is_zero() {
                        break;
                    }
                }
                cost.value()
            }
            (Side::Sell, OrderSpec::Market { size: MarketSize::Quote(budget) }) => {
                let mut spent = Notional::ZERO;
                let mut sold = Quantity::ZERO;
                for level in self.levels(Side::Buy) {
                    let taken = affordable(budget, spent, level.price, self.instrument.lot.step).min(level.quantity);
                    if taken.is_zero() {
                        break;
                    }
                    spent = spent.checked_add(level.price.checked_mul(taken)?)?;
                    sold = sold + taken;
                    if taken < level.quantity {
                        break;
                    }
                }
                sold.value()
            }
        };
        Amount::new(value)
    }
}
