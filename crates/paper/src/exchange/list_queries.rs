//! Cancelling and looking up order lists (`rest-api.md`, “Cancel Order list”, “Query Order list”). Invariant: nobody sees
//! a list of somebody else.

use strongroom_model::Symbol;

use super::Exchange;
use super::answers::OrderAnswer;
use super::list_answers::{ListAnswer, members};
use super::list_records::ListRecord;
use super::orders::LOOKUP_HOURS_MAX;
use super::params::Params;
use super::refusal::ApiRefusal;
use super::routes::{Answer, Caller, json as answer};
use crate::engine::{AccountId, ListId};

/// Lists told at once, and when not said otherwise.
const LISTS_TOLD_MAX: usize = 1_000;
const LISTS_TOLD: usize = 500;

impl Exchange {
    pub(super) fn cancel_list(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        let (id, name) = (params.integer("orderListId")?, params.optional("listClientOrderId")?.map(str::to_owned));
        let cancel_name = params.client_order_id("newClientOrderId")?;
        params.finish()?;
        let found = self.find_list(caller.account, id, name.as_deref(), "listClientOrderId")?;
        let list = found.map(|kept| kept.list).filter(|list| list.market == market && !list.is_done);
        let id = list.ok_or_else(ApiRefusal::unknown_order)?.id;
        let cancel_name = cancel_name.unwrap_or_else(|| self.make_name(market, caller.now));
        self.floor.cancel_list(caller.now, caller.account, market, id, Some(&cancel_name))?;
        let kept = self.floor.lists().get(caller.account, id).ok_or_else(ApiRefusal::unknown_order)?;
        let records = self.floor.records(market);
        let reports = members(kept, records).map(|record| OrderAnswer::cancelled(&symbol, record, &cancel_name, caller.now));
        answer(&ListAnswer::of(&symbol, kept, records, reports.collect()).at(caller.now))
    }

    pub(super) fn query_list(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let (id, name) = (params.integer("orderListId")?, params.optional("origClientOrderId")?.map(str::to_owned));
        params.finish()?;
        let kept = self.find_list(caller.account, id, name.as_deref(), "origClientOrderId")?.ok_or_else(ApiRefusal::no_such_order)?;
        answer(&self.told_list(kept))
    }

    pub(super) fn open_lists(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        params.finish()?;
        let open = self.floor.lists().all(caller.account, ListId(0)).filter(|kept| !kept.list.is_done);
        answer(&open.map(|kept| self.told_list(kept)).collect::<Vec<_>>())
    }

    pub(super) fn all_lists(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let from = params.integer("fromId")?;
        let (start, end) = params.span(LOOKUP_HOURS_MAX)?;
        let limit = params.limit(LISTS_TOLD, LISTS_TOLD_MAX)?;
        params.finish()?;
        if from.is_some() && (start.is_some() || end.is_some()) {
            return Err(ApiRefusal::combination());
        }
        let in_time = |kept: &&ListRecord| start.is_none_or(|start| kept.placed >= start) && end.is_none_or(|end| kept.placed <= end);
        let kept = self.floor.lists().all(caller.account, ListId(from.unwrap_or(0))).filter(in_time);
        let lists: Vec<_> = if from.is_some() || start.is_some() {
            kept.take(limit).map(|kept| self.told_list(kept)).collect()
        } else {
            let mut newest: Vec<_> = kept.rev().take(limit).map(|kept| self.told_list(kept)).collect();
            newest.reverse();
            newest
        };
        answer(&lists)
    }

    fn told_list<'a>(&'a self, kept: &'a ListRecord) -> ListAnswer<'a, ()> {
        let symbol: &Symbol = &self.floor.market(kept.list.market).instrument.symbol;
        ListAnswer::of(symbol.as_str(), kept, self.floor.records(kept.list.market), Vec::new())
    }

    /// By number and, if given, name; by name alone the latest. `named` is what the parameter of the name is called.
    fn find_list(&self, account: AccountId, id: Option<u64>, name: Option<&str>, named: &str) -> Result<Option<&ListRecord>, ApiRefusal> {
        match (id, name) {
            (Some(id), _) => {
                let found = self.floor.lists().get(account, ListId(id));
                Ok(found.filter(|kept| name.is_none_or(|name| kept.name == name)))
            }
            (None, Some(name)) => Ok(self.floor.lists().by_name(account, name)),
            (None, None) => Err(ApiRefusal::either_missing("orderListId", named)),
        }
    }
}
