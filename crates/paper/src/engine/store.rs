//! Where open orders live: found by number, seated per account. Invariant: a slot is used by one order at a time; the
//! orders of an account are in the order of their numbers.

use strongroom_model::{Side, VenueOrderId};

use super::index::Index;
use super::ledger::AccountId;
use super::open::{Apart, Conditions, OpenOrder};
use super::order::{ListId, MarketId, Order};
use super::pages::Pages;
use super::queue::{Ends, Queues, Seat};
use super::units::Qty;

/// The number of no order: it stands in slots that nobody uses.
const NOBODY: VenueOrderId = VenueOrderId(u64::MAX);

/// A place of an open order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) u32);

impl Slot {
    /// No place.
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(crate) const fn is_none(self) -> bool {
        self.0 == u32::MAX
    }
}

/// What one account has open in one market.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    ends: Ends,
    /// No order in the queue has a higher number.
    newest: VenueOrderId,
    pub(crate) orders: u32,
    pub(crate) algo_orders: u32,
    pub(crate) iceberg_orders: u32,
    pub(crate) lists: u32,
    pub(crate) buying: Qty,
}

impl Standing {
    const NOTHING: Self =
        Self { ends: Ends::EMPTY, newest: VenueOrderId(0), orders: 0, algo_orders: 0, iceberg_orders: 0, lists: 0, buying: Qty::ZERO };
}

/// The open orders of one market.
#[derive(Debug)]
pub(crate) struct Store {
    market: MarketId,
    orders: Pages<OpenOrder, 1_024>,
    conditions: Pages<Conditions, 128>,
    index: Index,
    standings: Vec<Standing>,
    owned: Queues,
}

impl Store {
    pub(crate) fn new(market: MarketId) -> Self {
        Self {
            market,
            orders: Pages::default(),
            conditions: Pages::default(),
            index: Index::default(),
            standings: Vec::new(),
            owned: Queues::default(),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.index.len()
    }

    /// Bytes that the open orders take, without the book.
    pub(crate) fn bytes(&self) -> usize {
        self.orders.bytes() + self.conditions.bytes() + self.index.bytes() + self.owned.bytes()
    }

    pub(crate) fn find(&self, id: VenueOrderId) -> Option<Slot> {
        self.index.find(id.0).map(Slot)
    }

    /// Whether the order with this number, which had this slot, is still open.
    pub(crate) fn is_open(&self, slot: Slot, id: VenueOrderId) -> bool {
        self.order(slot).id == id
    }

    pub(crate) fn order(&self, slot: Slot) -> &OpenOrder {
        self.orders.get(slot.0)
    }

    pub(crate) fn order_mut(&mut self, slot: Slot) -> &mut OpenOrder {
        self.orders.get_mut(slot.0)
    }

    /// The order in the words of the world outside.
    pub(crate) fn snapshot(&self, slot: Slot) -> Order {
        let order = self.order(slot);
        match order.conditions {
            None => order.with(self.market, &Conditions::plain(order.placed)),
            Some(apart) => order.with(self.market, self.conditions.get(apart.get() - 1)),
        }
    }

    pub(crate) fn conditions(&self, slot: Slot) -> Conditions {
        let order = self.order(slot);
        order.conditions.map_or_else(|| Conditions::plain(order.placed), |apart| *self.conditions.get(apart.get() - 1))
    }

    /// The conditions of an order, to be changed: from now on they are its own.
    pub(crate) fn conditions_mut(&mut self, slot: Slot) -> &mut Conditions {
        let order = self.orders.get_mut(slot.0);
        let apart = *order.conditions.get_or_insert_with(|| keep(&mut self.conditions, Conditions::plain(order.placed)));
        self.conditions.get_mut(apart.get() - 1)
    }

    /// The list that an order is in.
    pub(crate) fn list(&self, slot: Slot) -> Option<ListId> {
        self.order(slot).conditions.and_then(|apart| self.conditions.get(apart.get() - 1).list)
    }

    pub(crate) fn standing(&self, account: AccountId) -> Standing {
        self.standings.get(account.index()).copied().unwrap_or(Standing::NOTHING)
    }

    pub(crate) fn standing_mut(&mut self, account: AccountId) -> &mut Standing {
        if self.standings.len() <= account.index() {
            self.standings.resize(account.index() + 1, Standing::NOTHING);
        }
        &mut self.standings[account.index()]
    }

    /// Slots of the open orders of `account`, oldest first.
    pub(crate) fn own(&self, account: AccountId) -> impl Iterator<Item = Slot> + '_ {
        self.owned.iter(self.standing(account).ends)
    }

    /// Takes an order in.
    pub(crate) fn insert(&mut self, order: &Order) -> Slot {
        let (mut open, conditions) = OpenOrder::of(order);
        if conditions != Conditions::plain(open.placed) {
            open.conditions = Some(keep(&mut self.conditions, conditions));
        }
        let slot = Slot(self.orders.insert(open));
        self.index.insert(open.id.0, slot.0);
        self.count(&open, !conditions.iceberg.is_zero(), 1);
        self.seat(slot, open.account, open.id);
        slot
    }

    /// Seats an order behind those of its account; those with a higher number, if there are any, sit down again behind it.
    fn seat(&mut self, slot: Slot, account: AccountId, id: VenueOrderId) {
        let Standing { mut ends, newest, .. } = *self.standing_mut(account);
        let mut later = Vec::new();
        if newest > id {
            while let Some(last) = self.owned.last(ends)
                && self.order(last).id > id
            {
                self.owned.leave(&mut ends, self.order(last).own);
                later.push(last);
            }
        }
        for slot in std::iter::once(slot).chain(later.into_iter().rev()) {
            self.order_mut(slot).own = self.owned.push(&mut ends, slot);
        }
        let standing = self.standing_mut(account);
        (standing.ends, standing.newest) = (ends, newest.max(id));
    }

    /// Lets an order go, with its list; its slot will be used again.
    pub(crate) fn remove(&mut self, slot: Slot) -> (OpenOrder, Option<ListId>) {
        let order = *self.order(slot);
        let (mut is_iceberg, mut list) = (false, None);
        if let Some(apart) = order.conditions {
            let conditions = self.conditions.get(apart.get() - 1);
            (is_iceberg, list) = (!conditions.iceberg.is_zero(), conditions.list);
            self.conditions.remove(apart.get() - 1);
        }
        self.count(&order, is_iceberg, -1);
        self.leave(order.account, order.own);
        self.index.remove(order.id.0);
        self.order_mut(slot).id = NOBODY;
        self.orders.remove(slot.0);
        (order, list)
    }

    fn leave(&mut self, account: AccountId, seat: Seat) {
        let Some(standing) = self.standings.get_mut(account.index()) else { return };
        self.owned.leave(&mut standing.ends, seat);
    }

    fn count(&mut self, order: &OpenOrder, is_iceberg: bool, by: i32) {
        let standing = self.standing_mut(order.account);
        standing.orders = standing.orders.saturating_add_signed(by);
        if order.kind.is_algo() {
            standing.algo_orders = standing.algo_orders.saturating_add_signed(by);
        }
        if is_iceberg {
            standing.iceberg_orders = standing.iceberg_orders.saturating_add_signed(by);
        }
        if order.side == Side::Buy {
            let available = order.available();
            standing.buying = if by > 0 { standing.buying.plus(available) } else { standing.buying.less(available) };
        }
    }

    /// Takes a buy's quantity out of what its account wants, for it traded or was taken away.
    pub(crate) fn bought(&mut self, account: AccountId, quantity: Qty) {
        let standing = self.standing_mut(account);
        standing.buying = standing.buying.less(quantity);
    }
}

/// Keeps conditions apart from their order.
fn keep(pages: &mut Pages<Conditions, 128>, conditions: Conditions) -> Apart {
    Apart::MIN.saturating_add(pages.insert(conditions))
}
