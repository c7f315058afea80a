//! Where open orders live: a slab in pages, found by number, chained per account. Invariant: a slot is used by one
//! order at a time; an account's chain is in the order of numbers.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use strongroom_model::{Side, VenueOrderId};

use super::ledger::AccountId;
use super::order::Order;
use super::units::Qty;

/// Orders per page: pages never move, so that growth copies nothing.
const PAGE_LEN: u32 = 1_024;

/// A place in the slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) u32);

impl Slot {
    /// No place.
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(crate) const fn is_none(self) -> bool {
        self.0 == u32::MAX
    }
}

/// Neighbours in a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links {
    pub(crate) prev: Slot,
    pub(crate) next: Slot,
}

impl Links {
    pub(crate) const NONE: Self = Self { prev: Slot::NONE, next: Slot::NONE };
}

/// Where an open order is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nowhere: it takes right now, or waits for its list or its turn.
    Away,
    /// In the queue of this level.
    Book(u32),
    /// Waits for its trigger price.
    Armed,
    /// Trails.
    Trailing,
}

/// An order's places. They are apart from the orders: a neighbour is changed without fetching its whole order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) queue: Links,
    pub(crate) own: Links,
    pub(crate) place: Place,
    /// The rank with which it came into its queue.
    pub(crate) rank: u64,
    id: VenueOrderId,
}

/// Multiplies by an odd constant: numbers in sequence, as orders have them, fall into different places.
#[derive(Default)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        // Prices are multiples of a tick: their low bits alone say little.
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// A map from numbers that the venue gives itself.
pub(crate) type NumberMap<V> = HashMap<u64, V, BuildHasherDefault<NumberHasher>>;

/// What one account has open in one market.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    first: Slot,
    last: Slot,
    pub(crate) orders: u32,
    pub(crate) algo_orders: u32,
    pub(crate) iceberg_orders: u32,
    pub(crate) lists: u32,
    pub(crate) buying: Qty,
}

impl Standing {
    const NOTHING: Self =
        Self { first: Slot::NONE, last: Slot::NONE, orders: 0, algo_orders: 0, iceberg_orders: 0, lists: 0, buying: Qty::ZERO };
}

/// The open orders of one market.
#[derive(Debug, Default)]
pub(crate) struct Store {
    nodes: Vec<Vec<Node>>,
    orders: Vec<Vec<Order>>,
    free: Vec<Slot>,
    slots: NumberMap<Slot>,
    standings: Vec<Standing>,
}

impl Store {
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Bytes that the open orders take, without the levels of the book.
    pub(crate) fn bytes(&self) -> usize {
        let pages = self.nodes.len() * PAGE_LEN as usize * (size_of::<Node>() + size_of::<Order>());
        pages + self.free.capacity() * size_of::<Slot>() + self.slots.capacity() * (size_of::<(u64, Slot)>() + 1)
    }

    pub(crate) fn find(&self, id: VenueOrderId) -> Option<Slot> {
        self.slots.get(&id.0).copied()
    }

    pub(crate) fn node(&self, slot: Slot) -> &Node {
        &self.nodes[(slot.0 / PAGE_LEN) as usize][(slot.0 % PAGE_LEN) as usize]
    }

    pub(crate) fn node_mut(&mut self, slot: Slot) -> &mut Node {
        &mut self.nodes[(slot.0 / PAGE_LEN) as usize][(slot.0 % PAGE_LEN) as usize]
    }

    pub(crate) fn order(&self, slot: Slot) -> &Order {
        &self.orders[(slot.0 / PAGE_LEN) as usize][(slot.0 % PAGE_LEN) as usize]
    }

    pub(crate) fn order_mut(&mut self, slot: Slot) -> &mut Order {
        &mut self.orders[(slot.0 / PAGE_LEN) as usize][(slot.0 % PAGE_LEN) as usize]
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
        let present = |slot: Slot| (!slot.is_none()).then_some(slot);
        std::iter::successors(present(self.standing(account).first), move |slot| present(self.node(*slot).own.next))
    }

    /// Takes an order in.
    pub(crate) fn insert(&mut self, order: Order) -> Slot {
        let node = Node { queue: Links::NONE, own: Links::NONE, place: Place::Away, rank: order.rank, id: order.id };
        let slot = match self.free.pop() {
            Some(slot) => {
                *self.node_mut(slot) = node;
                *self.order_mut(slot) = order;
                slot
            }
            None => self.grow(node, order),
        };
        self.slots.insert(order.id.0, slot);
        self.count(&order, 1);
        self.chain(slot);
        slot
    }

    fn grow(&mut self, node: Node, order: Order) -> Slot {
        if self.nodes.last().is_none_or(|page| page.len() == PAGE_LEN as usize) {
            self.nodes.push(Vec::with_capacity(PAGE_LEN as usize));
            self.orders.push(Vec::with_capacity(PAGE_LEN as usize));
        }
        let before = u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX);
        let (Some(nodes), Some(orders)) = (self.nodes.last_mut(), self.orders.last_mut()) else { return Slot::NONE };
        let index = u32::try_from(nodes.len()).unwrap_or(0);
        nodes.push(node);
        orders.push(order);
        Slot(before.saturating_mul(PAGE_LEN).saturating_add(index))
    }

    /// Appends to the account's chain; an order with a lower number than the last one goes before it.
    fn chain(&mut self, slot: Slot) {
        let (account, id) = (self.order(slot).account, self.node(slot).id);
        let mut prev = self.standing(account).last;
        while !prev.is_none() && self.node(prev).id > id {
            prev = self.node(prev).own.prev;
        }
        let next = if prev.is_none() { self.standing(account).first } else { self.node(prev).own.next };
        self.node_mut(slot).own = Links { prev, next };
        if prev.is_none() {
            self.standing_mut(account).first = slot
        } else {
            self.node_mut(prev).own.next = slot
        }
        if next.is_none() { self.standing_mut(account).last = slot } else { self.node_mut(next).own.prev = slot }
    }

    /// Lets an order go; its slot will be used again.
    pub(crate) fn remove(&mut self, slot: Slot) -> Order {
        let (order, Links { prev, next }) = (*self.order(slot), self.node(slot).own);
        if prev.is_none() {
            self.standing_mut(order.account).first = next
        } else {
            self.node_mut(prev).own.next = next
        }
        if next.is_none() {
            self.standing_mut(order.account).last = prev
        } else {
            self.node_mut(next).own.prev = prev
        }
        self.count(&order, -1);
        self.slots.remove(&order.id.0);
        self.free.push(slot);
        order
    }

    fn count(&mut self, order: &Order, by: i32) {
        let standing = self.standing_mut(order.account);
        standing.orders = standing.orders.saturating_add_signed(by);
        if order.kind.is_algo() {
            standing.algo_orders = standing.algo_orders.saturating_add_signed(by);
        }
        if !order.iceberg.is_zero() {
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
