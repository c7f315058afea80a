//! One market: its book, its waiting orders and its lists. Invariant: only open and pending orders are here; what
//! ended is told and forgotten.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

use strongroom_model::{DepthUpdate, Instrument, Level, Side, TradeId, VenueOrderId};

use super::account::Terms;
use super::book::Ladders;
use super::event::OrderList;
use super::filters::Rules;
use super::index::NumberMap;
use super::ledger::{AccountId, AssetId};
use super::open::OpenOrder;
use super::order::{ListId, MarketId, Order, SelfTrade};
use super::store::Store;
use super::triggers::{Reached, Triggers};
use super::units::{Money, Px, Qty};

/// Whether a market trades (`enums.md`, “Symbol status”). Cancels are taken in every status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MarketStatus {
    /// Orders are taken and matched.
    #[default]
    #[serde(alias = "trading")]
    Trading,
    /// Halted: nothing matches, new orders are refused.
    #[serde(alias = "halt")]
    Halt,
    /// In a break: the same.
    #[serde(alias = "break")]
    Break,
}

/// The numbers that a market has given away, and its last price: what a saved state needs besides orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// Number of the last order.
    pub order: u64,
    /// Number of the last trade.
    pub trade: u64,
    /// Number of the next prevented match; they begin at zero.
    pub prevented: u64,
    /// The last rank in a queue.
    pub rank: u64,
    /// Number of the last change of the book.
    pub update: u64,
    /// Price of the last trade.
    pub last_price: Option<Px>,
}

/// A list with those of its orders that are open or pending.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenList {
    pub(crate) told: OrderList,
    pub(crate) open: [Option<VenueOrderId>; 3],
}

impl OpenList {
    /// Lets one order go; `false` when it had gone before.
    pub(crate) fn leave(&mut self, id: VenueOrderId) -> bool {
        let place = self.open.iter_mut().find(|open| **open == Some(id));
        place.is_some_and(|place| place.take().is_some())
    }
}

/// Trading in one instrument.
#[derive(Debug)]
pub struct Market {
    /// What is traded, and the instrument's own rules.
    pub instrument: Instrument,
    pub(crate) rules: Rules,
    pub(crate) id: MarketId,
    pub(crate) base: AssetId,
    pub(crate) quote: AssetId,
    pub(crate) status: MarketStatus,
    pub(crate) average: Option<Px>,
    pub(crate) store: Store,
    pub(crate) ladders: Ladders,
    pub(crate) triggers: Triggers,
    pub(crate) lists: NumberMap<OpenList>,
    pub(crate) numbers: Numbers,
    /// Prices of trades that waiting orders have not seen yet.
    pub(crate) prints: VecDeque<Px>,
    /// Orders whose trigger was reached and whose turn has not come.
    pub(crate) triggered: VecDeque<VenueOrderId>,
    /// Lists whose working order filled and whose pending orders are not placed yet.
    pub(crate) due: VecDeque<ListId>,
    /// Scratch: what one price reached.
    pub(crate) reached: Vec<Reached>,
}

/// Who would take, and how far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taker {
    pub(crate) account: AccountId,
    pub(crate) side: Side,
    pub(crate) limit: Option<Px>,
    pub(crate) self_trade: SelfTrade,
}

impl Taker {
    /// The taker that an order is.
    pub(crate) fn of(order: &OpenOrder) -> Self {
        let limit = order.kind.has_price().then_some(order.price);
        Self { account: order.account, side: order.side, limit, self_trade: order.self_trade }
    }

    fn crosses(&self, price: Px) -> bool {
        self.limit.is_none_or(|limit| if self.side == Side::Buy { price <= limit } else { price >= limit })
    }
}

/// What a taker would get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sweep {
    pub(crate) quantity: Qty,
    pub(crate) quote: Money,
}

/// What a taker still wants.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Want {
    Base(Qty),
    Quote(Money),
}

impl Market {
    pub(crate) fn new(instrument: Instrument, rules: Rules, id: MarketId, base: AssetId, quote: AssetId) -> Self {
        Self {
            instrument,
            rules,
            id,
            base,
            quote,
            status: MarketStatus::Trading,
            average: None,
            store: Store::new(id),
            ladders: Ladders::default(),
            triggers: Triggers::default(),
            lists: NumberMap::default(),
            numbers: Numbers::default(),
            prints: VecDeque::new(),
            triggered: VecDeque::new(),
            due: VecDeque::new(),
            reached: Vec::new(),
        }
    }

    /// All rules that orders are held against.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether it trades.
    pub const fn status(&self) -> MarketStatus {
        self.status
    }

    /// Levels of one side, best first; of icebergs only what they show.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        self.ladders.levels(side).map(|level| Level { price: level.price.model(), quantity: level.visible.model() })
    }

    /// The best level of one side.
    pub fn best(&self, side: Side) -> Option<(Px, Qty)> {
        self.ladders.best(side).map(|level| (level.price, level.visible))
    }

    /// Number of the last change of the book.
    pub const fn update_id(&self) -> u64 {
        self.ladders.update_id()
    }

    /// Changes of the book since the last call: each level at its present size.
    pub(crate) fn take_update(&mut self) -> Option<DepthUpdate> {
        self.ladders.take_update()
    }

    /// Price of the last trade.
    pub const fn last_price(&self) -> Option<Px> {
        self.numbers.last_price
    }

    /// An open or pending order.
    pub fn order(&self, id: VenueOrderId) -> Option<Order> {
        self.store.find(id).map(|slot| self.store.snapshot(slot))
    }

    /// Open and pending orders of `account`, oldest first.
    pub fn open_orders(&self, account: AccountId) -> impl Iterator<Item = Order> {
        self.store.own(account).map(|slot| self.store.snapshot(slot))
    }

    /// Number of open and pending orders.
    pub fn open_count(&self) -> usize {
        self.store.len()
    }

    /// An open list.
    pub fn list(&self, id: ListId) -> Option<&OrderList> {
        self.lists.get(&id.0).map(|list| &list.told)
    }

    /// Orders that ever came.
    pub const fn order_count(&self) -> u64 {
        self.numbers.order
    }

    /// The numbers given away so far.
    pub const fn numbers(&self) -> Numbers {
        Numbers { update: self.ladders.update_id(), ..self.numbers }
    }

    /// Bytes that open orders and levels take.
    pub fn bytes(&self) -> usize {
        self.store.bytes() + self.ladders.bytes()
    }

    pub(crate) const fn paid_asset(&self, side: Side) -> AssetId {
        match side {
            Side::Buy => self.quote,
            Side::Sell => self.base,
        }
    }

    pub(crate) const fn next_order_id(&mut self) -> VenueOrderId {
        self.numbers.order += 1;
        VenueOrderId(self.numbers.order)
    }

    pub(crate) const fn next_rank(&mut self) -> u64 {
        self.numbers.rank += 1;
        self.numbers.rank
    }

    /// Numbers a trade and keeps its price for whoever waits for it.
    pub(crate) fn print(&mut self, price: Px) -> TradeId {
        self.numbers.trade += 1;
        if self.numbers.last_price != Some(price) {
            self.numbers.last_price = Some(price);
            if !self.triggers.is_empty() {
                self.prints.push_back(price);
            }
        }
        TradeId(self.numbers.trade)
    }

    /// Values market orders and centres the percent filters: the average that the caller gave, else the last price,
    /// else the best of the other side.
    pub(crate) fn reference(&self, taker: Side) -> Option<Px> {
        self.average.or(self.numbers.last_price).or_else(|| self.ladders.best(taker.opposite()).map(|level| level.price))
    }

    /// What `taker` would trade of `want`, hidden reserves included; with self-trade prevention at most that. `None`
    /// when the amount cannot be held.
    pub(crate) fn sweep(&self, terms: &[Terms], taker: &Taker, want: Want) -> Option<Sweep> {
        let mut sweep = Sweep::default();
        let mut want = want;
        for level in self.ladders.levels(taker.side.opposite()) {
            if !taker.crosses(level.price) {
                break;
            }
            let (there, is_last) = self.available(terms, taker, level);
            let wanted = match want {
                Want::Base(quantity) => quantity,
                Want::Quote(budget) => level.price.buys(budget, Qty(self.rules.lot.step)),
            };
            let quantity = wanted.min(there);
            let quote = level.price.worth(quantity)?;
            sweep.quantity = Qty(sweep.quantity.0.checked_add(quantity.0)?);
            sweep.quote = Money(sweep.quote.0.checked_add(quote.0)?);
            if wanted <= there || is_last {
                break;
            }
            want = match want {
                Want::Base(left) => Want::Base(left.less(quantity)),
                Want::Quote(left) => Want::Quote(left.less(quote)),
            };
        }
        Some(sweep)
    }

    /// What of a level `taker` can get, and whether the taker ends there.
    fn available(&self, terms: &[Terms], taker: &Taker, level: &super::book::Level) -> (Qty, bool) {
        if taker.self_trade == SelfTrade::None {
            return (level.visible.plus(level.hidden), false);
        }
        let (mut shown, mut all) = (Qty::ZERO, Qty::ZERO);
        for slot in self.ladders.queue(level) {
            let order = self.store.order(slot);
            if Terms::are_same(terms, taker.account, order.account) {
                if matches!(taker.self_trade, SelfTrade::ExpireTaker | SelfTrade::ExpireBoth) {
                    // Reserves before it come to the back of the queue, behind it.
                    return (shown, true);
                }
            } else {
                (shown, all) = (shown.plus(order.visible), all.plus(order.available()));
            }
        }
        (all, false)
    }
}
