//! The obvious engine: a list of orders, searched from the beginning for everything. Invariant: it shares no code with
//! the engine that it judges; what an account has locked is computed from its orders, never kept.

mod lists;
mod rules;

use std::collections::VecDeque;

use strongroom_model::{Side, TimeInForce};

use super::desk::shown;
use crate::engine::{FilterFailure, NewOrder, Refusal, Rules, SelfTrade, Size, Status};

const WHOLE: i128 = 100_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Pending,
    Waiting,
    Trailing,
    Taking,
    Resting,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) account: usize,
    pub(super) new: NewOrder,
    pub(super) quantity: i128,
    pub(super) filled: i128,
    pub(super) prevented: i128,
    pub(super) visible: i128,
    pub(super) tracked: i128,
    pub(super) status: Status,
    pub(super) state: State,
    /// Price at which a buy holds money while it waits or rests.
    hold: i128,
    seq: u64,
    amends: u32,
    list: Option<u64>,
    is_working_leg: bool,
    is_oco: bool,
}

impl Entry {
    pub(super) fn left(&self) -> i128 {
        self.quantity - self.filled - self.prevented
    }

    fn need(&self) -> i128 {
        if self.new.side == Side::Sell { self.left() } else { worth(self.hold, self.left()) }
    }

    fn has_price(&self) -> bool {
        self.new.kind.has_price()
    }
}

fn int(units: u64) -> i128 {
    i128::from(units)
}

fn worth(price: i128, quantity: i128) -> i128 {
    price * quantity / WHOLE
}

fn text(units: i128) -> String {
    shown(u64::try_from(units).unwrap())
}

/// 0 for base, 1 for quote.
fn paid(side: Side) -> usize {
    usize::from(side == Side::Buy)
}

pub(super) struct List {
    pub(super) id: u64,
    pub(super) account: usize,
    orders: Vec<u64>,
}

pub(super) struct Slow {
    pub(super) orders: Vec<Entry>,
    pub(super) lists: Vec<List>,
    pub(super) totals: Vec<[i128; 2]>,
    pub(super) fees: [i128; 2],
    pub(super) rates: Vec<(i128, i128)>,
    pub(super) groups: Vec<Option<u32>>,
    pub(super) rules: Rules,
    pub(super) last: Option<i128>,
    pub(super) is_halted: bool,
    pub(super) told: Vec<String>,
    pub(super) last_id: u64,
    last_list: u64,
    last_seq: u64,
    prints: VecDeque<i128>,
    triggered: VecDeque<u64>,
    due: VecDeque<u64>,
}

impl Slow {
    pub(super) fn new(rules: Rules, totals: Vec<[i128; 2]>, rates: Vec<(i128, i128)>, groups: Vec<Option<u32>>) -> Self {
        Self {
            orders: Vec::new(),
            lists: Vec::new(),
            totals,
            fees: [0, 0],
            rates,
            groups,
            rules,
            last: None,
            is_halted: false,
            told: Vec::new(),
            last_id: 0,
            last_list: 0,
            last_seq: 0,
            prints: VecDeque::new(),
            triggered: VecDeque::new(),
            due: VecDeque::new(),
        }
    }

    fn at(&self, id: u64) -> Option<usize> {
        self.orders.iter().position(|order| order.id == id)
    }

    fn get(&mut self, id: u64) -> &mut Entry {
        self.orders.iter_mut().find(|order| order.id == id).unwrap()
    }

    fn tell(&mut self, id: u64, what: &str) {
        self.told.push(format!("{id} {what}"));
    }

    fn seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }

    /// What an account's open orders hold of an asset: of two legs of an OCO the larger.
    pub(super) fn locked(&self, account: usize, asset: usize) -> i128 {
        let holds = |order: &&Entry| order.account == account && paid(order.new.side) == asset && order.state != State::Pending;
        let mut sum = 0;
        for order in self.orders.iter().filter(holds) {
            let other = self.other_leg(order);
            let need = order.need();
            sum += match other {
                Some(other) if other.need() > need || (other.need() == need && other.id < order.id) => 0,
                _ => need,
            };
        }
        sum
    }

    fn free(&self, account: usize, asset: usize) -> i128 {
        self.totals[account][asset] - self.locked(account, asset)
    }

    fn other_leg(&self, order: &Entry) -> Option<&Entry> {
        self.orders.iter().find(|other| order.is_oco && other.is_oco && other.list == order.list && other.id != order.id)
    }

    fn same(&self, one: usize, other: usize) -> bool {
        one == other || (self.groups[one].is_some() && self.groups[one] == self.groups[other])
    }

    fn best(&self, side: Side) -> Option<i128> {
        let prices =
            self.orders.iter().filter(|order| order.state == State::Resting && order.new.side == side).map(|order| int(order.new.price.0));
        if side == Side::Buy { prices.max() } else { prices.min() }
    }

    /// Resting orders that `side` can take at `limit`, in the order in which it takes them.
    fn queue(&self, side: Side, limit: Option<i128>) -> Vec<Entry> {
        let good = |price: i128| limit.is_none_or(|limit| if side == Side::Buy { price <= limit } else { price >= limit });
        let mut queue: Vec<Entry> = self
            .orders
            .iter()
            .filter(|order| order.state == State::Resting && order.new.side != side && good(int(order.new.price.0)))
            .cloned()
            .collect();
        queue.sort_by_key(|order| (if side == Side::Buy { int(order.new.price.0) } else { -int(order.new.price.0) }, order.seq));
        queue
    }

    pub(super) fn place(&mut self, account: usize, new: &NewOrder) -> Result<(), Refusal> {
        self.vet(account, new)?;
        self.vet_counts(account, &[new], 0)?;
        let (quantity, hold, amount) = self.measure(account, new)?;
        self.afford(account, new.side, amount)?;
        self.vet_price(new)?;
        let id = self.add(account, new, quantity, hold, None, State::Taking);
        self.start(id);
        self.follow();
        Ok(())
    }

    fn add(&mut self, account: usize, new: &NewOrder, quantity: i128, hold: i128, list: Option<u64>, state: State) -> u64 {
        self.last_id += 1;
        let is_pending = state == State::Pending;
        let waits = new.kind.is_algo();
        let tracked = if waits && !is_pending && new.stop.is_zero() { self.last.unwrap_or(0) } else { 0 };
        let entry = Entry {
            id: self.last_id,
            account,
            new: *new,
            quantity,
            filled: 0,
            prevented: 0,
            visible: 0,
            tracked,
            status: if is_pending { Status::PendingNew } else { Status::New },
            state,
            hold,
            seq: 0,
            amends: 0,
            list,
            is_working_leg: false,
            is_oco: false,
        };
        self.orders.push(entry);
        self.tell(
            self.last_id,
            if is_pending {
                "pending"
            } else if waits {
                "waits"
            } else {
                "new"
            },
        );
        self.last_id
    }

    fn start(&mut self, id: u64) {
        let seq = self.seq();
        let order = self.get(id);
        order.seq = seq;
        if order.new.kind.is_algo() {
            order.state = if order.new.stop.is_zero() { State::Trailing } else { State::Waiting };
        } else {
            self.work(id);
        }
    }

    fn work(&mut self, id: u64) {
        let seq = self.seq();
        let order = self.get(id);
        let slice = if order.new.iceberg.is_zero() { order.left() } else { int(order.new.iceberg.0) };
        (order.state, order.seq, order.visible) = (State::Taking, seq, slice.min(order.left()));
        let order = order.clone();
        if order.new.tif == TimeInForce::Fok {
            let mode = if order.new.self_trade == SelfTrade::Decrement { SelfTrade::ExpireTaker } else { order.new.self_trade };
            let all = Size::Base(crate::engine::Qty(u64::try_from(order.left()).unwrap()));
            if self.dry(order.account, order.new.side, Some(int(order.new.price.0)), mode, all).0 < order.left() {
                return self.end(id, Status::Expired, "expired UnfilledFok");
            }
        }
        while let Some(at) = self.at(id) {
            let order = &self.orders[at];
            let limit = order.has_price().then_some(int(order.new.price.0));
            let queue = self.queue(order.new.side, limit);
            let Some(maker) = queue.first() else { break };
            if order.new.self_trade != SelfTrade::None && self.same(order.account, maker.account) {
                self.prevent(id, maker.id);
            } else {
                self.trade(id, maker.id);
            }
        }
        let Some(at) = self.at(id) else { return };
        let order = &self.orders[at];
        match order.new.tif {
            _ if !order.has_price() => self.end(id, Status::Expired, "expired InsufficientLiquidity"),
            TimeInForce::Gtc => self.get(id).state = State::Resting,
            TimeInForce::Ioc => self.end(id, Status::Expired, "expired UnfilledIoc"),
            TimeInForce::Fok => self.end(id, Status::Expired, "expired UnfilledFok"),
        }
    }

    fn trade(&mut self, taker: u64, maker: u64) {
        self.end_other_leg(maker);
        let price = int(self.get(maker).new.price.0);
        let quantity = self.get(taker).left().min(self.get(maker).visible);
        self.last = Some(price);
        self.prints.push_back(price);
        for (id, is_maker) in [(maker, true), (taker, false)] {
            let order = self.get(id);
            order.filled += quantity;
            order.visible = if is_maker { order.visible - quantity } else { order.visible.min(order.left()) };
            order.status = if order.left() == 0 { Status::Filled } else { Status::PartiallyFilled };
            let (account, side, status) = (order.account, order.new.side, order.status);
            let (gives, gets) = (paid(side), 1 - paid(side));
            let amounts = [quantity, worth(price, quantity)];
            let rate = if is_maker { self.rates[account].0 } else { self.rates[account].1 };
            let fee = amounts[gets] * rate / WHOLE;
            self.totals[account][gives] -= amounts[gives];
            self.totals[account][gets] += amounts[gets] - fee;
            self.fees[gets] += fee;
            let role = if is_maker { "made" } else { "took" };
            self.tell(id, &format!("{role} {}@{} {status:?}", text(quantity), text(price)));
            if status == Status::Filled {
                self.gone(id);
            } else if is_maker && self.get(id).visible == 0 {
                let seq = self.seq();
                let order = self.get(id);
                (order.seq, order.visible) = (seq, int(order.new.iceberg.0).min(order.left()));
            }
        }
    }

    fn prevent(&mut self, taker: u64, maker: u64) {
        let mode = self.get(taker).new.self_trade;
        let (takers, makers) = (self.get(taker).left(), self.get(maker).left());
        let (from_taker, from_maker) = match mode {
            SelfTrade::ExpireTaker => (takers, 0),
            SelfTrade::ExpireMaker => (0, makers),
            SelfTrade::ExpireBoth => (takers, makers),
            _ => (takers.min(makers), takers.min(makers)),
        };
        for (id, quantity) in [(maker, from_maker), (taker, from_taker)] {
            if quantity == 0 {
                continue;
            }
            let order = self.get(id);
            order.prevented += quantity;
            order.visible = order.visible.min(order.left());
            let (prevented, status, is_gone) = (order.prevented, order.status, order.left() == 0);
            if is_gone {
                self.end(id, Status::ExpiredInMatch, &format!("prevented {} ExpiredInMatch", text(prevented)));
            } else {
                self.tell(id, &format!("prevented {} {status:?}", text(prevented)));
            }
        }
    }

    fn end_other_leg(&mut self, id: u64) {
        let Some(other) = self.at(id).and_then(|at| self.other_leg(&self.orders[at]).map(|other| other.id)) else { return };
        let list = self.get(other).list.take();
        self.lists.iter_mut().filter(|known| Some(known.id) == list).for_each(|list| list.orders.retain(|id| *id != other));
        self.end(other, Status::Expired, "expired OcoTrigger");
    }

    fn end(&mut self, id: u64, status: Status, what: &str) {
        self.get(id).status = status;
        self.tell(id, what);
        self.gone(id);
    }

    /// An order left; what that means for its list.
    fn gone(&mut self, id: u64) {
        let at = self.at(id).unwrap();
        let order = self.orders.remove(at);
        let Some(list) = self.lists.iter_mut().find(|list| Some(list.id) == order.list && list.orders.contains(&id)) else { return };
        list.orders.retain(|other| *other != id);
        let list = list.id;
        match (order.status, order.is_working_leg) {
            (Status::Filled, true) => self.due.push_back(list),
            (Status::Canceled, _) => self.end_list(list, Status::Canceled, "canceled"),
            (_, true) => self.end_list(list, Status::Expired, "expired OtoPhaseOneExpired"),
            _ => self.end_list(list, Status::Expired, "expired OcoTrigger"),
        }
    }

    fn end_list(&mut self, id: u64, status: Status, what: &str) {
        let at = self.lists.iter().position(|list| list.id == id).unwrap();
        for order in std::mem::take(&mut self.lists[at].orders) {
            self.end(order, status, what);
        }
        self.lists.retain(|list| list.id != id);
        self.told.push(format!("list {id} done"));
    }

    fn follow(&mut self) {
        loop {
            if let Some(price) = self.prints.pop_front() {
                self.observe(price);
            } else if let Some(id) = self.triggered.pop_front() {
                if self.at(id).is_some() {
                    self.trigger(id);
                }
            } else if let Some(list) = self.due.pop_front() {
                self.place_pending(list);
            } else {
                return;
            }
        }
    }

    fn observe(&mut self, price: i128) {
        let mut reached: Vec<(u8, i128, u64)> = Vec::new();
        for order in self.orders.iter().filter(|order| order.state == State::Waiting) {
            let (stop, above) = (int(order.new.stop.0), order.new.kind.is_above(order.new.side));
            if above && price >= stop {
                reached.push((0, stop, order.id));
            } else if !above && price <= stop {
                reached.push((1, -stop, order.id));
            }
        }
        reached.sort_unstable();
        for (.., id) in reached {
            if self.get(id).new.trailing_bps == 0 {
                self.get(id).state = State::Taking;
                self.triggered.push_back(id);
                continue;
            }
            let seq = self.seq();
            let order = self.get(id);
            (order.state, order.tracked, order.seq) = (State::Trailing, price, seq);
            self.tell(id, &format!("tracks {}", text(price)));
        }
        let mut trailing: Vec<u64> = self.orders.iter().filter(|order| order.state == State::Trailing).map(|order| order.id).collect();
        trailing.sort_unstable();
        for id in trailing {
            let order = self.get(id);
            let (bps, sells) = (i128::from(order.new.trailing_bps), order.new.side == Side::Sell);
            if order.tracked == 0 || (sells && price > order.tracked) || (!sells && price < order.tracked) {
                order.tracked = price;
                self.tell(id, &format!("tracks {}", text(price)));
            } else if (sells && price * 10_000 <= order.tracked * (10_000 - bps))
                || (!sells && price * 10_000 >= order.tracked * (10_000 + bps))
            {
                order.state = State::Taking;
                self.triggered.push_back(id);
            }
        }
    }

    fn trigger(&mut self, id: u64) {
        self.end_other_leg(id);
        let order = self.get(id).clone();
        if !order.has_price() && order.new.side == Side::Buy && !self.can_pay_market(&order) {
            return self.end(id, Status::Expired, "expired Rejected");
        }
        self.get(id).new.stop = crate::engine::Px::ZERO;
        self.tell(id, "triggered");
        self.work(id);
    }

    /// Whether the account can pay what a market buy costs now, its own hold given back.
    fn can_pay_market(&self, order: &Entry) -> bool {
        let size = Size::Base(crate::engine::Qty(u64::try_from(order.left()).unwrap()));
        let (_, cost) = self.dry(order.account, order.new.side, None, order.new.self_trade, size);
        let own = if order.state == State::Pending { 0 } else { order.need() };
        self.free(order.account, 1) + own >= cost
    }

    pub(super) fn cancel(&mut self, account: usize, id: u64) -> Result<(), Refusal> {
        self.at(id).filter(|at| self.orders[*at].account == account).ok_or(Refusal::UnknownOrder)?;
        self.end(id, Status::Canceled, "canceled");
        Ok(())
    }

    pub(super) fn cancel_list(&mut self, id: u64) {
        self.end_list(id, Status::Canceled, "canceled");
    }

    pub(super) fn cancel_all(&mut self, account: usize) {
        let mut ids: Vec<u64> = self.orders.iter().filter(|order| order.account == account).map(|order| order.id).collect();
        ids.sort_unstable();
        for id in ids {
            if self.at(id).is_some() {
                self.end(id, Status::Canceled, "canceled");
            }
        }
    }

    pub(super) fn amend(&mut self, account: usize, id: u64, quantity: i128) -> Result<(), Refusal> {
        let at = self.at(id).filter(|at| self.orders[*at].account == account).ok_or(Refusal::UnknownOrder)?;
        if self.is_halted {
            return Err(Refusal::MarketClosed);
        }
        let other = self.other_leg(&self.orders[at]).map(|other| other.id);
        let both: Vec<u64> = std::iter::once(id).chain(other).collect();
        for id in &both {
            let rules = self.rules;
            let order = self.get(*id);
            let refusal = match quantity {
                _ if quantity == order.quantity => Refusal::AmendChangesNothing,
                _ if quantity > order.quantity => Refusal::AmendIncreases,
                _ if order.amends >= rules.amends => Refusal::Filter(FilterFailure::Amends),
                _ if quantity < int(rules.lot.min) || quantity % int(rules.lot.step) != 0 => Refusal::Filter(FilterFailure::Lot),
                _ if order.has_price() && worth(int(order.new.price.0), quantity) < int(rules.notional.min.0) => {
                    Refusal::Filter(FilterFailure::Notional)
                }
                _ if quantity <= order.filled + order.prevented => Refusal::AmendTooSmall,
                _ => continue,
            };
            return Err(refusal);
        }
        for id in both {
            let order = self.get(id);
            order.quantity = quantity;
            order.amends += 1;
            order.visible = order.visible.min(order.left());
            self.tell(id, &format!("replaced {}", text(quantity)));
        }
        Ok(())
    }
}
