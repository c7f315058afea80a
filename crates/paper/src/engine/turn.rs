//! One call's turn at one market. Invariant: every change of an order goes through here and is told; what an order
//! holds follows what it may still spend.

use strongroom_model::{Side, TimeInForce, Timestamp, VenueOrderId};

use super::account::{Terms, VenueRules};
use super::admit::{Gate, Plan};
use super::event::{Change, Event, Expiry};
use super::ledger::{AccountId, Ledger};
use super::market::{Market, Taker, Want};
use super::open::{OpenOrder, Place};
use super::order::{Kind, Leg, ListId, NewOrder, Order, Status};
use super::store::Slot;
use super::triggers::Reached;
use super::units::{Money, Px, Qty};

/// Everything that a call may change.
pub(crate) struct Turn<'a> {
    pub(crate) now: Timestamp,
    pub(crate) market: &'a mut Market,
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) terms: &'a mut [Terms],
    pub(crate) venue: VenueRules,
    pub(crate) out: &'a mut Vec<Event>,
}

impl Turn<'_> {
    pub(crate) fn gate(&self) -> Gate<'_> {
        Gate { market: self.market, ledger: self.ledger, terms: self.terms, venue: self.venue }
    }

    pub(crate) fn order(&self, slot: Slot) -> &OpenOrder {
        self.market.store.order(slot)
    }

    pub(crate) fn tell(&mut self, slot: Slot, change: Change) {
        self.out.push(Event::Order(change, self.market.store.snapshot(slot)));
    }

    /// Opens an admitted order: it holds its money and is told, and is nowhere yet.
    pub(crate) fn open(&mut self, account: AccountId, new: &NewOrder, plan: &Plan, list: Option<ListId>, leg: Leg) -> Slot {
        let is_pending = matches!(leg, Leg::Pending | Leg::PendingOco);
        let waits = is_pending || new.kind.is_algo();
        let slice = if new.iceberg.is_zero() { plan.quantity } else { new.iceberg.min(plan.quantity) };
        let id = self.market.next_order_id();
        let order = Order {
            id,
            account,
            market: self.market.id,
            list,
            leg,
            side: new.side,
            kind: new.kind,
            tif: new.tif,
            self_trade: new.self_trade,
            status: if is_pending { Status::PendingNew } else { Status::New },
            price: plan.price,
            quantity: plan.quantity,
            filled: Qty::ZERO,
            filled_quote: Money::ZERO,
            budget: plan.budget,
            prevented: Qty::ZERO,
            prevented_match: None,
            stop: new.stop,
            trailing_bps: new.trailing_bps,
            tracked: Px::ZERO,
            iceberg: new.iceberg,
            visible: if waits { Qty::ZERO } else { slice },
            locked: plan.lock,
            rank: if waits { 0 } else { self.market.next_rank() },
            amends: 0,
            placed: self.now,
            updated: self.now,
            working: (!waits).then_some(self.now),
            tracking: None,
        };
        let was_locked = self.ledger.lock(account, self.market.paid_asset(new.side), plan.lock);
        debug_assert!(was_locked, "an admitted order can be paid");
        let terms = &mut self.terms[account.index()];
        terms.orders += 1;
        terms.algo_orders += u32::from(new.kind.is_algo());
        let slot = self.market.store.insert(&order);
        if !is_pending {
            self.follow_last(slot);
        }
        self.tell(slot, Change::New);
        slot
    }

    /// A trailing order without a stop price begins at the last price (`faqs/trailing-stop-faq.md`, scenario E).
    pub(crate) fn follow_last(&mut self, slot: Slot) {
        let (now, last) = (self.now, self.market.numbers.last_price);
        let conditions = self.market.store.conditions(slot);
        if let (true, true, Some(last)) = (conditions.trailing_bps > 0, conditions.stop.is_zero(), last) {
            let conditions = self.market.store.conditions_mut(slot);
            (conditions.tracked, conditions.tracking) = (last, Some(now));
        }
    }

    /// Whether it waits for a trigger.
    pub(crate) fn waits(&self, slot: Slot) -> bool {
        self.order(slot).kind.is_algo() && self.market.store.conditions(slot).working.is_none()
    }

    /// Lets a new order wait, or work.
    pub(crate) fn start(&mut self, slot: Slot) {
        if self.waits(slot) {
            self.market.triggers.insert(&mut self.market.store, slot);
        } else {
            self.work(slot);
        }
    }

    /// Lets an order work: it takes what it may, and rests or ends.
    pub(crate) fn work(&mut self, slot: Slot) {
        let order = self.order(slot);
        if order.kind == Kind::LimitMaker {
            self.market.ladders.insert(&mut self.market.store, slot);
        } else if order.tif == TimeInForce::Fok && !self.can_fill(slot) {
            self.end(slot, Status::Expired, Change::Expired(Expiry::UnfilledFok));
        } else {
            self.take(slot);
        }
    }

    fn can_fill(&self, slot: Slot) -> bool {
        use super::order::SelfTrade::{Decrement, ExpireTaker};
        let (order, mut taker) = (self.order(slot), Taker::of(self.order(slot)));
        if taker.self_trade == Decrement {
            // What is taken away cannot be filled: it ends there.
            taker.self_trade = ExpireTaker;
        }
        let available = order.available();
        self.market.sweep(self.terms, &taker, Want::Base(available)).is_some_and(|sweep| sweep.quantity >= available)
    }

    /// Lets the other leg of an OCO expire because this one trades or triggers; this one holds its own money then.
    pub(crate) fn end_sibling(&mut self, slot: Slot) {
        let Some(sibling) = self.sibling(slot) else { return };
        let total = self.order(slot).locked.plus(self.order(sibling).locked);
        let need = self.order(slot).need().min(total);
        self.market.store.order_mut(slot).locked = need;
        self.market.store.order_mut(sibling).locked = total.less(need);
        let id = self.order(sibling).id;
        if let Some(list) = self.market.store.list(slot).and_then(|list| self.market.lists.get_mut(&list.0)) {
            list.leave(id);
        }
        self.end(sibling, Status::Expired, Change::Expired(Expiry::OcoTrigger));
    }

    /// The other leg of an OCO while it is open.
    pub(crate) fn sibling(&self, slot: Slot) -> Option<Slot> {
        let order = self.order(slot);
        if !order.leg.is_oco() {
            return None;
        }
        let open = self.market.lists.get(&self.market.store.list(slot)?.0)?.open;
        let legs = open.into_iter().flatten().filter(|id| *id != order.id).filter_map(|id| self.market.store.find(id));
        legs.into_iter().find(|other| self.order(*other).leg.is_oco())
    }

    /// Makes an open order hold what it needs now; two legs of an OCO hold the larger need once.
    pub(crate) fn relock(&mut self, slot: Slot) {
        if self.order(slot).status == Status::PendingNew || (self.order(slot).is_market() && !self.waits(slot)) {
            return;
        }
        let OpenOrder { account, side, .. } = *self.order(slot);
        let sibling = self.sibling(slot);
        let (mine, own) = (self.order(slot).locked, self.order(slot).need());
        let (theirs, other) = sibling.map_or((Money::ZERO, Money::ZERO), |other| (self.order(other).locked, self.order(other).need()));
        let (before, after) = (mine.plus(theirs), own.max(other));
        let is_holder = own >= other;
        self.market.store.order_mut(slot).locked = if is_holder { after } else { Money::ZERO };
        if let Some(other) = sibling {
            self.market.store.order_mut(other).locked = if is_holder { Money::ZERO } else { after };
        }
        self.ledger.unlock(account, self.market.paid_asset(side), before.less(after));
    }

    /// Ends an open order that is not filled: out of its place, its money free, told.
    pub(crate) fn end(&mut self, slot: Slot, status: Status, change: Change) {
        match self.order(slot).place {
            Place::Book(_) => self.market.ladders.remove(&mut self.market.store, slot),
            Place::Armed | Place::Trailing => self.market.triggers.remove(&mut self.market.store, slot),
            Place::Away => {}
        }
        let now = self.now;
        let order = self.market.store.order_mut(slot);
        (order.status, order.updated) = (status, now);
        self.release(slot);
        self.tell(slot, change);
        self.retire(slot);
    }

    /// Frees what an order holds.
    pub(crate) fn release(&mut self, slot: Slot) {
        let order = self.market.store.order_mut(slot);
        let (account, side, locked) = (order.account, order.side, std::mem::take(&mut order.locked));
        self.ledger.unlock(account, self.market.paid_asset(side), locked);
    }

    /// Forgets an order whose end was told; its list goes on or ends.
    pub(crate) fn retire(&mut self, slot: Slot) {
        let (order, list) = self.market.store.remove(slot);
        let terms = &mut self.terms[order.account.index()];
        terms.orders = terms.orders.saturating_sub(1);
        terms.algo_orders = terms.algo_orders.saturating_sub(u32::from(order.kind.is_algo()));
        if let Some(list) = list {
            self.leave_list(list, &order);
        }
    }

    /// Follows what trades caused: prices reach triggers, triggered orders work, filled working orders place their
    /// pending ones. Every round ends an order's waiting, so there are no more rounds than waiting orders.
    pub(crate) fn cascade(&mut self) {
        loop {
            if let Some(price) = self.market.prints.pop_front() {
                self.observe(price);
            } else if let Some(id) = self.market.triggered.pop_front() {
                self.trigger(id);
            } else if let Some(list) = self.market.due.pop_front() {
                self.place_pending(list);
            } else {
                return;
            }
        }
    }

    fn observe(&mut self, price: Px) {
        let mut reached = std::mem::take(&mut self.market.reached);
        self.market.triggers.observe(&mut self.market.store, self.now, price, &mut reached);
        for reach in reached.drain(..) {
            match reach {
                Reached::Tracking(slot) => self.tell(slot, Change::Tracking),
                Reached::Triggered(slot) => {
                    let id = self.order(slot).id;
                    self.market.triggered.push_back(id);
                }
            }
        }
        self.market.reached = reached;
    }

    fn trigger(&mut self, id: VenueOrderId) {
        // The other leg of its list may have ended it meanwhile.
        let Some(slot) = self.market.store.find(id) else { return };
        self.end_sibling(slot);
        let is_market_buy = self.order(slot).is_market() && self.order(slot).side == Side::Buy;
        let is_paid = !is_market_buy || self.pay_market(slot);
        if !is_paid {
            self.end(slot, Status::Expired, Change::Expired(Expiry::Rejected));
            return;
        }
        self.enter(slot);
        self.tell(slot, Change::Triggered);
        self.work(slot);
    }

    /// An order begins to work: it gets its place in the queue and what it shows.
    pub(crate) fn enter(&mut self, slot: Slot) {
        let (now, rank) = (self.now, self.market.next_rank());
        self.market.store.conditions_mut(slot).working = Some(now);
        let iceberg = self.market.store.conditions(slot).iceberg;
        let order = self.market.store.order_mut(slot);
        (order.rank, order.updated) = (rank, now);
        order.visible = if iceberg.is_zero() { order.available() } else { iceberg.min(order.available()) };
    }

    /// Makes a buy without a limit price hold what the book asks for now; `false` when the account has too little.
    pub(crate) fn pay_market(&mut self, slot: Slot) -> bool {
        let order = *self.order(slot);
        let sweep = self.market.sweep(self.terms, &Taker::of(&order), Want::Base(order.available()));
        let Some(cost) = sweep.map(|sweep| sweep.quote) else { return false };
        self.release(slot);
        let is_paid = self.ledger.lock(order.account, self.market.quote, cost);
        if is_paid {
            self.market.store.order_mut(slot).locked = cost;
        }
        is_paid
    }
}
