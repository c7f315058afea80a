//! Orders that depend on each other: OCO, OTO, OTOCO (`rest-api.md`, “Order lists”). Invariant: a list is open while
//! one of its orders is; of two OCO legs one holds money for both.

use strongroom_model::{Side, VenueOrderId};

use super::admit::{Gate, Plan};
use super::event::{Change, Contingency, Event, Expiry, OrderList};
use super::ledger::AccountId;
use super::market::OpenList;
use super::open::OpenOrder;
use super::order::{Kind, Leg, ListId, NewOrder, Size, Status};
use super::refusal::Refusal;
use super::store::Slot;
use super::turn::Turn;
use super::units::{Money, Px};

/// A new list of orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewList {
    /// One cancels the other.
    Oco {
        /// The leg with the higher price.
        above: NewOrder,
        /// The leg with the lower price.
        below: NewOrder,
    },
    /// One triggers the other.
    Oto {
        /// Works at once.
        working: NewOrder,
        /// Placed when the working order filled.
        pending: NewOrder,
    },
    /// One triggers a pair of which one cancels the other.
    Otoco {
        /// Works at once.
        working: NewOrder,
        /// The pending leg with the higher price.
        above: NewOrder,
        /// The pending leg with the lower price.
        below: NewOrder,
    },
}

impl NewList {
    /// Its orders in the order of their numbers.
    pub fn orders(&self) -> Vec<(Leg, &NewOrder)> {
        match self {
            Self::Oco { above, below } => vec![(Leg::Oco, above), (Leg::Oco, below)],
            Self::Oto { working, pending } => vec![(Leg::Working, working), (Leg::Pending, pending)],
            Self::Otoco { working, above, below } => {
                vec![(Leg::Working, working), (Leg::PendingOco, above), (Leg::PendingOco, below)]
            }
        }
    }

    const fn contingency(&self) -> Contingency {
        match self {
            Self::Oco { .. } => Contingency::Oco,
            Self::Oto { .. } | Self::Otoco { .. } => Contingency::Oto,
        }
    }
}

/// Whether kinds and quantities of two legs make an OCO: one leg takes profit, the other stops loss, and the profit
/// of a sell is above.
fn check_pair(above: &NewOrder, below: &NewOrder) -> Result<(), Refusal> {
    let takes_profit = |order: &NewOrder| matches!(order.kind, Kind::LimitMaker | Kind::TakeProfit | Kind::TakeProfitLimit);
    let (profit, stop) = if above.side == Side::Sell { (above, below) } else { (below, above) };
    let fits = above.side == below.side && above.size == below.size && takes_profit(profit) && stop.kind.is_stop();
    if fits { Ok(()) } else { Err(Refusal::UnsupportedCombination) }
}

/// The price of a leg that has to be on its side of the market: the limit of a profit leg, otherwise the trigger.
fn leg_price(order: &NewOrder) -> Option<Px> {
    let price = if order.kind.is_stop() || !order.kind.has_price() { order.stop } else { order.price };
    (!price.is_zero()).then_some(price)
}

/// `above > last price > below`, as far as these are known.
fn check_relation(last: Option<Px>, above: &NewOrder, below: &NewOrder) -> Result<(), Refusal> {
    let prices = [leg_price(above), last, leg_price(below)];
    let mut known = prices.into_iter().flatten();
    let Some(mut higher) = known.next() else { return Ok(()) };
    for price in known {
        if price >= higher {
            return Err(Refusal::PriceRelation);
        }
        higher = price;
    }
    Ok(())
}

impl Gate<'_> {
    /// Everything that can refuse a list; what its orders are opened with.
    pub(crate) fn plan_list(&self, account: AccountId, new: &NewList) -> Result<Vec<Plan>, Refusal> {
        let orders = new.orders();
        for (_, order) in &orders {
            self.check(account, order)?;
        }
        let all: Vec<&NewOrder> = orders.iter().map(|(_, order)| *order).collect();
        self.check_counts(account, &all, 1)?;
        match new {
            NewList::Oco { above, below } => {
                check_pair(above, below)?;
                let (mut one, mut other) = (self.size(account, above)?, self.size(account, below)?);
                check_relation(self.market.numbers.last_price, above, below)?;
                self.check_price(above)?;
                self.check_price(below)?;
                self.check_funds(account, above.side, one.lock.max(other.lock))?;
                // The larger leg holds for both.
                let smaller = if one.lock >= other.lock { &mut other } else { &mut one };
                smaller.lock = Money::ZERO;
                Ok(vec![one, other])
            }
            NewList::Oto { working, pending } => {
                let plan = self.plan_working(account, working)?;
                Ok(vec![plan, self.plan_pending(account, pending)?])
            }
            NewList::Otoco { working, above, below } => {
                check_pair(above, below)?;
                check_relation(None, above, below)?;
                let plan = self.plan_working(account, working)?;
                Ok(vec![plan, self.plan_pending(account, above)?, self.plan_pending(account, below)?])
            }
        }
    }

    fn plan_working(&self, account: AccountId, working: &NewOrder) -> Result<Plan, Refusal> {
        if !matches!(working.kind, Kind::Limit | Kind::LimitMaker) {
            return Err(Refusal::UnsupportedCombination);
        }
        let plan = self.size(account, working)?;
        self.check_funds(account, working.side, plan.lock)?;
        self.check_price(working)?;
        Ok(plan)
    }

    /// A pending order holds nothing yet, and its price is held against the market when its turn comes.
    fn plan_pending(&self, account: AccountId, pending: &NewOrder) -> Result<Plan, Refusal> {
        match pending.size {
            Size::Quote(_) => Err(Refusal::UnsupportedCombination),
            Size::Base(quantity) if pending.kind == Kind::Market => {
                Ok(Plan { quantity, budget: Money::ZERO, price: Px::ZERO, lock: Money::ZERO })
            }
            Size::Base(_) => Ok(Plan { lock: Money::ZERO, ..self.size(account, pending)? }),
        }
    }
}

impl Turn<'_> {
    /// Opens an admitted list and lets what may work begin.
    pub(crate) fn open_list(&mut self, account: AccountId, id: ListId, new: &NewList, plans: &[Plan]) {
        let mut told = OrderList { id, account, market: self.market.id, contingency: new.contingency(), orders: [None; 3], is_done: false };
        let first = self.market.numbers.order;
        for ((index, place), _) in (1..).zip(told.orders.iter_mut()).zip(plans) {
            *place = Some(VenueOrderId(first + index));
        }
        self.out.push(Event::List(told));
        self.market.lists.insert(id.0, OpenList { told, open: told.orders });
        self.market.store.standing_mut(account).lists += 1;
        let opened: Vec<(Slot, VenueOrderId)> = new
            .orders()
            .into_iter()
            .zip(plans)
            .map(|((leg, order), plan)| {
                let slot = self.open(account, order, plan, Some(id), leg);
                (slot, self.order(slot).id)
            })
            .collect();
        for (slot, id) in opened {
            // The working order may have ended the others, whose slots are nobody's then.
            if self.market.store.is_open(slot, id) && self.order(slot).status != Status::PendingNew {
                self.start(slot);
            }
        }
    }

    /// One order of a list ended: the others go on, end too, or get their turn.
    pub(crate) fn leave_list(&mut self, id: ListId, order: &OpenOrder) {
        let Some(list) = self.market.lists.get_mut(&id.0) else { return };
        if !list.leave(order.id) {
            return;
        }
        let expired = |expiry| (Status::Expired, Change::Expired(expiry));
        let (status, change) = match (order.status, order.leg) {
            (Status::Filled, Leg::Working) => {
                self.market.due.push_back(id);
                return;
            }
            (Status::Canceled, _) => (Status::Canceled, Change::Canceled),
            (_, Leg::Working) => expired(Expiry::OtoPhaseOneExpired),
            _ => expired(Expiry::OcoTrigger),
        };
        self.end_list(id, status, change);
    }

    /// Ends every order of a list that is still open, and the list.
    pub(crate) fn end_list(&mut self, id: ListId, status: Status, change: Change) {
        while let Some(list) = self.market.lists.get_mut(&id.0) {
            let Some(order) = list.open.iter_mut().find_map(Option::take) else { break };
            if let Some(slot) = self.market.store.find(order) {
                self.end(slot, status, change);
            }
        }
        let Some(list) = self.market.lists.remove(&id.0) else { return };
        let standing = self.market.store.standing_mut(list.told.account);
        standing.lists = standing.lists.saturating_sub(1);
        self.out.push(Event::List(OrderList { is_done: true, ..list.told }));
    }

    /// Places the pending orders of a list whose working order filled; what cannot be paid or no longer fits the
    /// market expires.
    pub(crate) fn place_pending(&mut self, id: ListId) {
        let Some(list) = self.market.lists.get(&id.0) else { return };
        let slots: Vec<Slot> = list.open.into_iter().flatten().filter_map(|id| self.market.store.find(id)).collect();
        let fits = slots.iter().all(|slot| self.fits_now(*slot)) && self.pay_pending(&slots);
        if !fits {
            self.end_list(id, Status::Expired, Change::Expired(Expiry::Rejected));
            return;
        }
        for slot in &slots {
            self.market.store.order_mut(*slot).status = Status::New;
            if self.order(*slot).kind.is_algo() {
                self.market.store.order_mut(*slot).updated = self.now;
                self.follow_last(*slot);
            } else {
                self.enter(*slot);
            }
            self.tell(*slot, Change::New);
        }
        let ids: Vec<VenueOrderId> = slots.iter().map(|slot| self.order(*slot).id).collect();
        for (slot, id) in slots.into_iter().zip(ids) {
            if self.market.store.is_open(slot, id) {
                self.start(slot);
            }
        }
    }

    fn fits_now(&self, slot: Slot) -> bool {
        let (order, conditions) = (self.order(slot), self.market.store.conditions(slot));
        let new = NewOrder {
            side: order.side,
            kind: order.kind,
            tif: order.tif,
            price: order.price,
            size: Size::Base(order.available()),
            stop: conditions.stop,
            trailing_bps: conditions.trailing_bps,
            iceberg: conditions.iceberg,
            self_trade: order.self_trade,
        };
        self.gate().check_price(&new).is_ok()
    }

    /// Locks what pending orders need now, the larger leg of a pair once; `false` when the account has too little.
    fn pay_pending(&mut self, slots: &[Slot]) -> bool {
        let need = |turn: &Self, slot: Slot| if turn.order(slot).kind == Kind::Market { Money::ZERO } else { turn.order(slot).need() };
        let Some(largest) = slots.iter().copied().max_by_key(|slot| (need(self, *slot), std::cmp::Reverse(self.order(*slot).id))) else {
            return true;
        };
        let order = *self.order(largest);
        if order.kind == Kind::Market && order.side == Side::Buy {
            return self.pay_market(largest);
        }
        let amount = order.need();
        let is_paid = self.ledger.lock(order.account, self.market.paid_asset(order.side), amount);
        if is_paid {
            self.market.store.order_mut(largest).locked = amount;
        }
        is_paid
    }
}
