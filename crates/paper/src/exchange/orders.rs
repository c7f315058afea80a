//! Placing, cancelling and looking up orders. Invariant: every parameter is read before anything changes.

use serde::Serialize;
use serde_json::json;
use strongroom_model::{Timestamp, VenueOrderId};

use super::answers::{Detail, OrderAnswer, Placed};
use super::list_answers::{ListAnswer, members};
use super::params::Params;
use super::read_order::{self, Names};
use super::records::{Record, Tag};
use super::refusal::ApiRefusal;
use super::routes::{Answer, Caller, json as answer};
use super::{Exchange, eight};
use crate::engine::{AccountId, ListId, MarketId, NewOrder, Order, Status};

/// Orders told at once, and when not said otherwise.
const ORDERS_TOLD_MAX: usize = 1_000;
const ORDERS_TOLD: usize = 500;
/// The longest span that can be looked up, in hours.
pub(super) const LOOKUP_HOURS_MAX: i64 = 24;

/// A single new order.
pub(super) struct OrderRequest {
    pub(super) symbol: String,
    pub(super) market: MarketId,
    pub(super) tag: Tag,
    pub(super) new: NewOrder,
    pub(super) detail: Detail,
}

/// Of which orders a cancel takes one back (`rest-api.md`, “Regarding cancelRestrictions”).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Only {
    Any,
    New,
    PartiallyFilled,
}

impl Only {
    pub(super) fn read(params: &mut Params) -> Result<Self, ApiRefusal> {
        match params.optional("cancelRestrictions")? {
            None => Ok(Self::Any),
            Some("ONLY_NEW") => Ok(Self::New),
            Some("ONLY_PARTIALLY_FILLED") => Ok(Self::PartiallyFilled),
            Some(_) => Err(ApiRefusal::cancel_restrictions()),
        }
    }

    const fn fits(self, order: &Order) -> bool {
        match self {
            Self::Any => true,
            Self::New => matches!(order.status, Status::New),
            Self::PartiallyFilled => matches!(order.status, Status::PartiallyFilled),
        }
    }
}

/// An order that a cancel took back, and what the cancel is called.
pub(super) struct Cancelled {
    pub(super) id: VenueOrderId,
    pub(super) name: String,
}

impl Exchange {
    pub(super) fn place_order(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let request = self.read_single(caller.now, params)?;
        params.finish()?;
        self.admit_order(caller)?;
        let id = self.place_single(caller, &request)?;
        answer(&self.placed(caller.now, &request, id)?)
    }

    pub(super) fn admit_order(&mut self, caller: &Caller) -> Result<(), ApiRefusal> {
        self.order_quotas.get_mut(&caller.account).ok_or_else(ApiRefusal::key)?.admit(caller.now)
    }

    /// Places an order and counts it; what it needs of the limits was admitted.
    pub(super) fn place_single(&mut self, caller: &mut Caller, request: &OrderRequest) -> Result<VenueOrderId, ApiRefusal> {
        let id = self.floor.place(caller.now, caller.account, request.market, request.tag.clone(), &request.new)?;
        self.count_orders(caller, 1);
        self.after_trading(caller.now, request.market);
        self.tell_order_count(caller);
        Ok(id)
    }

    pub(super) fn placed<'a>(&'a self, now: Timestamp, request: &'a OrderRequest, id: VenueOrderId) -> Result<Placed<'a>, ApiRefusal> {
        let record = self.floor.records(request.market).order(id).ok_or_else(ApiRefusal::no_such_order)?;
        Ok(Placed::of(&request.symbol, record, request.detail, now, self.floor.assets()))
    }

    /// Counts new orders as unfilled ones.
    pub(super) fn count_orders(&mut self, caller: &Caller, count: usize) {
        if let Some(quota) = self.order_quotas.get_mut(&caller.account) {
            (0..count).for_each(|_| quota.placed(caller.now));
        }
    }

    pub(super) fn tell_order_count(&mut self, caller: &mut Caller) {
        let Some(quota) = self.order_quotas.get_mut(&caller.account) else { return };
        let [short, day] = quota.used(caller.now);
        caller.headers.push(("x-mbx-order-count-10s".to_owned(), short.to_string()));
        caller.headers.push(("x-mbx-order-count-1d".to_owned(), day.to_string()));
    }

    pub(super) fn test_order(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let with_rates = params.flag("computeCommissionRates")?;
        let request = self.read_single(caller.now, params)?;
        params.finish()?;
        self.floor.check(caller.account, request.market, &request.tag.name, &request.new)?;
        if !with_rates {
            return answer(&json!({}));
        }
        let fees = self.floor.fees(caller.account);
        let none = json!({"maker": eight(0.into()), "taker": eight(0.into())});
        answer(&json!({
            "standardCommissionForOrder": {"maker": eight(fees.maker), "taker": eight(fees.taker)},
            "specialCommissionForOrder": none, "taxCommissionForOrder": none, "discount": super::account::no_discount(),
        }))
    }

    pub(super) fn query_order(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        let id = params.integer("orderId")?;
        let name = params.optional("origClientOrderId")?.map(str::to_owned);
        params.finish()?;
        let record = self.find(caller.account, market, id, name.as_deref())?.ok_or_else(ApiRefusal::no_such_order)?;
        answer(&OrderAnswer::queried(&symbol, record))
    }

    pub(super) fn cancel_order(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        let id = params.integer("orderId")?;
        let name = params.optional("origClientOrderId")?.map(str::to_owned);
        let cancel_name = params.client_order_id("newClientOrderId")?;
        let only = Only::read(params)?;
        params.finish()?;
        let id = self.find_to_cancel(caller, market, id, name.as_deref(), only)?;
        let cancelled = self.cancel_single(caller, market, id, cancel_name)?;
        let records = self.floor.records(market);
        let list = records.order(id).and_then(|record| record.order.list).and_then(|list| self.floor.lists().get(caller.account, list));
        match list.filter(|_| caller.by_socket) {
            // `web-socket-api.md`, "Cancel order": the list that was canceled with it.
            Some(kept) => {
                let report = |record| OrderAnswer::cancelled(&symbol, record, &cancelled.name, caller.now);
                let reports = members(kept, records).map(report).collect();
                answer(&ListAnswer::of(&symbol, kept, records, reports).at(caller.now))
            }
            None => answer(&self.cancel_report(caller.now, &symbol, market, &cancelled)?),
        }
    }

    /// The open order that a cancel means.
    pub(super) fn find_to_cancel(
        &self,
        caller: &Caller,
        market: MarketId,
        id: Option<u64>,
        name: Option<&str>,
        only: Only,
    ) -> Result<VenueOrderId, ApiRefusal> {
        let order = &self.find(caller.account, market, id, name)?.ok_or_else(ApiRefusal::unknown_order)?.order;
        if order.status.is_final() {
            return Err(ApiRefusal::unknown_order());
        }
        if only.fits(order) { Ok(order.id) } else { Err(ApiRefusal::new(400, -2011, "Order was not canceled due to cancel restrictions.")) }
    }

    /// Takes one order back, and with it the orders of its list.
    pub(super) fn cancel_single(
        &mut self,
        caller: &Caller,
        market: MarketId,
        id: VenueOrderId,
        name: Option<String>,
    ) -> Result<Cancelled, ApiRefusal> {
        let name = name.unwrap_or_else(|| format!("cancel-{id}"));
        self.floor.cancel(caller.now, caller.account, market, id, Some(&name))?;
        Ok(Cancelled { id, name })
    }

    pub(super) fn cancel_report<'a>(
        &'a self,
        now: Timestamp,
        symbol: &'a str,
        market: MarketId,
        cancelled: &'a Cancelled,
    ) -> Result<OrderAnswer<'a>, ApiRefusal> {
        let record = self.floor.records(market).order(cancelled.id).ok_or_else(ApiRefusal::unknown_order)?;
        Ok(OrderAnswer::cancelled(symbol, record, &cancelled.name, now))
    }

    /// Orders by themselves first, then the lists with their orders.
    pub(super) fn cancel_open_orders(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Gone<'a> {
            Order(Box<OrderAnswer<'a>>),
            List(ListAnswer<'a, OrderAnswer<'a>>),
        }
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        params.finish()?;
        let open = || self.floor.market(market).open_orders(caller.account);
        let singles: Vec<VenueOrderId> = open().filter(|order| order.list.is_none()).map(|order| order.id).collect();
        let mut lists: Vec<ListId> = open().filter_map(|order| order.list).collect();
        lists.sort_unstable();
        lists.dedup();
        if singles.is_empty() && lists.is_empty() {
            return Err(ApiRefusal::unknown_order());
        }
        let name = self.make_name(market, caller.now);
        self.floor.cancel_all(caller.now, caller.account, market, Some(&name));
        let (records, now) = (self.floor.records(market), caller.now);
        let cancelled = |record| OrderAnswer::cancelled(&symbol, record, &name, now);
        let orders = singles.into_iter().filter_map(|id| records.order(id)).map(|record| Gone::Order(Box::new(cancelled(record))));
        let lists = lists.into_iter().filter_map(|id| self.floor.lists().get(caller.account, id)).map(|kept| {
            let reports = members(kept, records).map(cancelled).collect();
            Gone::List(ListAnswer::of(&symbol, kept, records, reports).at(now))
        });
        answer(&orders.chain(lists).collect::<Vec<_>>())
    }

    pub(super) fn open_orders(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.optional("symbol")?.map(str::to_owned);
        params.finish()?;
        if let Some(symbol) = &symbol {
            self.venue(symbol)?;
        }
        let mut orders = Vec::new();
        for (listed, venue) in &self.venues {
            if symbol.as_ref().is_none_or(|symbol| symbol == listed.as_str()) {
                let open = self.floor.records(venue.id).open_orders(caller.account);
                orders.extend(open.map(|record| OrderAnswer::queried(listed.as_str(), record)));
            }
        }
        answer(&orders)
    }

    pub(super) fn all_orders(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        let from = params.integer("orderId")?;
        let limit = params.limit(ORDERS_TOLD, ORDERS_TOLD_MAX)?;
        let (start, end) = params.span(LOOKUP_HOURS_MAX)?;
        params.finish()?;
        let in_time = |record: &&Record| {
            let placed = record.order.placed;
            start.is_none_or(|start| placed >= start) && end.is_none_or(|end| placed <= end)
        };
        let kept = self.floor.records(market).all_orders(caller.account, VenueOrderId(from.unwrap_or(0))).filter(in_time);
        // From an order or a moment on the oldest are told, otherwise the newest.
        let orders: Vec<OrderAnswer<'_>> = if from.is_some() || start.is_some() {
            kept.take(limit).map(|record| OrderAnswer::queried(&symbol, record)).collect()
        } else {
            let mut newest: Vec<OrderAnswer<'_>> = kept.rev().take(limit).map(|record| OrderAnswer::queried(&symbol, record)).collect();
            newest.reverse();
            newest
        };
        answer(&orders)
    }

    /// By number, whose name has to fit if it is given too; by name alone the latest.
    pub(super) fn find(
        &self,
        account: AccountId,
        market: MarketId,
        id: Option<u64>,
        name: Option<&str>,
    ) -> Result<Option<&Record>, ApiRefusal> {
        let market = self.floor.records(market);
        match (id, name) {
            (Some(id), _) => {
                let found = market.order(VenueOrderId(id)).filter(|record| record.order.account == account);
                let is_other = |record: &&Record| name.is_some_and(|name| record.client_order_id != name);
                if found.as_ref().is_some_and(is_other) { Err(ApiRefusal::other_client_order_id()) } else { Ok(found) }
            }
            (None, Some(name)) => Ok(market.by_client_order_id(account, name)),
            (None, None) => Err(ApiRefusal::either_missing("origClientOrderId", "orderId")),
        }
    }

    /// Reads a single order; parameters that belong to something else are left to be read.
    pub(super) fn read_single(&self, now: Timestamp, params: &mut Params) -> Result<OrderRequest, ApiRefusal> {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        let side = read_order::side(params, "side")?;
        let kind = read_order::kind(params, "type")?;
        let mode = read_order::self_trade(params)?;
        let read = read_order::order(params, Names::SINGLE, side, kind, None, mode)?;
        let detail = read_order::detail(params, read_order::usual_detail(kind))?;
        let name = read.name.unwrap_or_else(|| self.make_name(market, now));
        Ok(OrderRequest { symbol, market, tag: Tag { name, label: read.label }, new: read.new, detail })
    }

    /// A name for what its client did not name: unique by the moment and the number of orders.
    pub(super) fn make_name(&self, market: MarketId, now: Timestamp) -> String {
        let market = self.floor.market(market);
        format!("paper-{}-{}", now.us(), market.order_count())
    }
}
