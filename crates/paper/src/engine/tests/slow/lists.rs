//! Lists of the obvious engine: placing them, and placing what was pending.

use strongroom_model::Side;

use super::{Entry, List, Slow, State, int, paid};
use crate::engine::{Kind, NewList, NewOrder, Refusal, Status};

impl Slow {
    pub(super) fn place_pending(&mut self, list: u64) {
        let ids = self.lists.iter().find(|known| known.id == list).unwrap().orders.clone();
        let orders: Vec<Entry> = ids.iter().map(|id| self.get(*id).clone()).collect();
        let fits = orders.iter().all(|order| self.vet_price(&order.new).is_ok());
        let need = orders.iter().map(|order| if order.new.kind == Kind::Market { 0 } else { order.need() }).max().unwrap_or(0);
        let first = &orders[0];
        let pays = if first.new.kind == Kind::Market && first.new.side == Side::Buy {
            self.can_pay_market(first)
        } else {
            let need = if first.new.kind == Kind::Market { first.left() } else { need };
            self.free(first.account, paid(first.new.side)) >= need
        };
        if !fits || !pays {
            return self.end_list(list, Status::Expired, "expired Rejected");
        }
        let last = self.last;
        for id in &ids {
            let order = self.get(*id);
            (order.status, order.state) = (Status::New, State::Taking);
            let waits = order.new.kind.is_algo();
            if waits && order.new.stop.is_zero() {
                order.tracked = last.unwrap_or(0);
            }
            self.tell(*id, if waits { "waits" } else { "new" });
        }
        ids.into_iter().for_each(|id| self.start(id));
    }

    pub(in super::super) fn place_list(&mut self, account: usize, new: &NewList) -> Result<(), Refusal> {
        let (working, legs) = match new {
            NewList::Oco { above, below } => (None, vec![above, below]),
            NewList::Oto { working, pending } => (Some(working), vec![pending]),
            NewList::Otoco { working, above, below } => (Some(working), vec![above, below]),
        };
        let all: Vec<&NewOrder> = working.into_iter().chain(legs.iter().copied()).collect();
        for order in &all {
            self.vet(account, order)?;
        }
        self.vet_counts(account, &all, 1)?;
        if let [above, below] = legs[..] {
            self.vet_pair(above, below, working.is_none())?;
        }
        let measured: Vec<(i128, i128, i128)> = all
            .iter()
            .map(|order| if order.kind == Kind::Market { Ok((int(order.quantity().0), 0, 0)) } else { self.measure(account, order) })
            .collect::<Result<_, _>>()?;
        match working {
            Some(working) => {
                self.afford(account, working.side, measured[0].2)?;
                self.vet_price(working)?;
            }
            None => {
                self.vet_price(legs[0])?;
                self.vet_price(legs[1])?;
                self.afford(account, legs[0].side, measured[0].2.max(measured[1].2))?;
            }
        }
        self.last_list += 1;
        let list = self.last_list;
        self.told.push(format!("list {list} executing"));
        let mut ids = Vec::new();
        for (index, (order, (quantity, hold, _))) in all.iter().zip(measured).enumerate() {
            let is_pending = working.is_some() && index > 0;
            let state = if is_pending { State::Pending } else { State::Taking };
            let id = self.add(account, order, quantity, hold, Some(list), state);
            let is_oco = legs.len() == 2 && (is_pending || working.is_none());
            let entry = self.get(id);
            (entry.is_oco, entry.is_working_leg) = (is_oco, working.is_some() && index == 0);
            ids.push(id);
        }
        self.lists.push(List { id: list, account, orders: ids.clone() });
        for id in ids {
            if self.at(id).is_some_and(|at| self.orders[at].state == State::Taking) {
                self.start(id);
            }
        }
        self.follow();
        Ok(())
    }
}
