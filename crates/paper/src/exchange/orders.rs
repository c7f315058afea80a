//! Placing, cancelling and looking up orders. Invariant: every parameter is read before anything changes.

use serde_json::json;
use strongroom_model::{Asset, MarketSize, Notional, OrderSpec, Price, Quantity, Side, TimeInForce, Timestamp, VenueOrderId};
use strongroom_venues::binance::wire;

use super::params::Params;
use super::records::Record;
use super::refusal::ApiRefusal;
use super::routes::{Answer, Caller, json as answer};
use super::{Exchange, eight};
use crate::engine::{AccountId, Kind, MarketId, NewOrder, SelfTrade, Status};

/// Orders told at once, and when not said otherwise.
const ORDERS_TOLD_MAX: usize = 1_000;
const ORDERS_TOLD: usize = 500;
/// The venue trades an account against itself when its orders cross, and says so.
const SELF_TRADE_MODE: &str = "NONE";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Ack,
    Result,
    Full,
}

struct OrderRequest {
    symbol: String,
    market: MarketId,
    name: String,
    new: NewOrder,
    detail: Detail,
}

impl Exchange {
    pub(super) fn place_order(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let request = self.read_order(caller.now, params)?;
        let quota = self.order_quotas.get_mut(&caller.account).ok_or_else(ApiRefusal::key)?;
        quota.admit(caller.now)?;
        let id = self.floor.place(caller.now, caller.account, request.market, request.name, &request.new)?;
        if let Some(quota) = self.order_quotas.get_mut(&caller.account) {
            quota.placed(caller.now);
        }
        self.after_trading(caller.now, request.market);
        self.tell_order_count(caller);
        let record = self.floor.records(request.market).order(id).ok_or_else(ApiRefusal::no_such_order)?;
        match request.detail {
            Detail::Ack => answer(&json!({
                "symbol": request.symbol, "orderId": id, "orderListId": -1,
                "clientOrderId": record.client_order_id, "transactTime": caller.now.ms(),
            })),
            detail => {
                let mut told = wire_order(&request.symbol, record);
                (told.transact_time, told.time, told.update_time, told.is_working) = (Some(caller.now.ms()), None, None, None);
                told.fills = (detail == Detail::Full).then(|| fills(record, self.floor.assets()));
                answer(&told)
            }
        }
    }

    fn tell_order_count(&mut self, caller: &mut Caller) {
        let Some(quota) = self.order_quotas.get_mut(&caller.account) else { return };
        let [short, day] = quota.used(caller.now);
        caller.headers.push(("x-mbx-order-count-10s".to_owned(), short.to_string()));
        caller.headers.push(("x-mbx-order-count-1d".to_owned(), day.to_string()));
    }

    pub(super) fn test_order(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let with_rates = params.flag("computeCommissionRates")?;
        let request = self.read_order(caller.now, params)?;
        self.floor.check(caller.account, request.market, &request.name, &request.new)?;
        if !with_rates {
            return answer(&json!({}));
        }
        let fees = self.floor.fees(caller.account);
        let none = json!({"maker": eight(0.into()), "taker": eight(0.into())});
        answer(&json!({
            "standardCommissionForOrder": {"maker": eight(fees.maker), "taker": eight(fees.taker)},
            "specialCommissionForOrder": none, "taxCommissionForOrder": none,
        }))
    }

    pub(super) fn query_order(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        let id = params.integer("orderId")?;
        let name = params.optional("origClientOrderId")?.map(str::to_owned);
        params.finish()?;
        let record = self.find(caller.account, market, id, name.as_deref())?.ok_or_else(ApiRefusal::no_such_order)?;
        answer(&wire_order(&symbol, record))
    }

    pub(super) fn cancel_order(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        let id = params.integer("orderId")?;
        let name = params.optional("origClientOrderId")?.map(str::to_owned);
        let cancel_name = params.client_order_id("newClientOrderId")?;
        let only = params.optional("cancelRestrictions")?.map(str::to_owned);
        params.finish()?;
        let order = &self.find(caller.account, market, id, name.as_deref())?.ok_or_else(ApiRefusal::unknown_order)?.order;
        let fits = match only.as_deref() {
            None => true,
            Some("ONLY_NEW") => order.status == Status::New,
            Some("ONLY_PARTIALLY_FILLED") => order.status == Status::PartiallyFilled,
            Some(_) => {
                let msg = "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.";
                return Err(ApiRefusal::new(400, -1145, msg));
            }
        };
        if !fits {
            return Err(ApiRefusal::new(400, -2011, "Order was not canceled due to cancel restrictions."));
        }
        let id = order.id;
        let cancel_name = cancel_name.unwrap_or_else(|| cancel_name_of(id));
        self.floor.cancel(caller.now, caller.account, market, id, Some(&cancel_name))?;
        let cancelled = self.floor.records(market).order(id).ok_or_else(ApiRefusal::unknown_order)?;
        answer(&cancel_report(&symbol, cancelled, cancel_name, caller.now))
    }

    pub(super) fn cancel_open_orders(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        params.finish()?;
        let open: Vec<VenueOrderId> = self.floor.market(market).open_orders(caller.account).map(|order| order.id).collect();
        if open.is_empty() {
            return Err(ApiRefusal::unknown_order());
        }
        let mut reports = Vec::with_capacity(open.len());
        for id in open {
            let cancel_name = cancel_name_of(id);
            self.floor.cancel(caller.now, caller.account, market, id, Some(&cancel_name))?;
            let cancelled = self.floor.records(market).order(id).ok_or_else(ApiRefusal::unknown_order)?;
            reports.push(cancel_report(&symbol, cancelled, cancel_name, caller.now));
        }
        answer(&reports)
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
                orders.extend(open.map(|record| wire_order(listed.as_str(), record)));
            }
        }
        answer(&orders)
    }

    pub(super) fn all_orders(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        let from = params.integer("orderId")?;
        let limit = params.limit(ORDERS_TOLD, ORDERS_TOLD_MAX)?;
        let (start, end) = (params.moment("startTime")?, params.moment("endTime")?);
        params.finish()?;
        let in_time = |record: &&Record| {
            let placed = record.order.placed;
            start.is_none_or(|start| placed >= start) && end.is_none_or(|end| placed <= end)
        };
        let kept = self.floor.records(market).all_orders(caller.account, VenueOrderId(from.unwrap_or(0))).filter(in_time);
        // From an order or a moment on the oldest are told, otherwise the newest.
        let orders: Vec<wire::Order> = if from.is_some() || start.is_some() {
            kept.take(limit).map(|record| wire_order(&symbol, record)).collect()
        } else {
            let mut newest: Vec<wire::Order> = kept.rev().take(limit).map(|record| wire_order(&symbol, record)).collect();
            newest.reverse();
            newest
        };
        answer(&orders)
    }

    fn find(&self, account: AccountId, market: MarketId, id: Option<u64>, name: Option<&str>) -> Result<Option<&Record>, ApiRefusal> {
        let market = self.floor.records(market);
        let named = |record: &&Record| name.is_none_or(|name| record.client_order_id == name);
        match (id, name) {
            (Some(id), _) => Ok(market.order(VenueOrderId(id)).filter(|record| record.order.account == account).filter(named)),
            (None, Some(name)) => Ok(market.by_client_order_id(account, name)),
            (None, None) => Err(ApiRefusal::either_missing("origClientOrderId", "orderId")),
        }
    }

    fn read_order(&self, now: Timestamp, params: &mut Params) -> Result<OrderRequest, ApiRefusal> {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        let side = match params.needed("side")? {
            "BUY" => Side::Buy,
            "SELL" => Side::Sell,
            _ => return Err(ApiRefusal::side()),
        };
        let kind = params.needed("type")?.to_owned();
        let spec = read_spec(&kind, params)?;
        let name = params.client_order_id("newClientOrderId")?;
        let detail = match params.optional("newOrderRespType")? {
            Some("ACK") => Detail::Ack,
            Some("RESULT") => Detail::Result,
            Some("FULL") => Detail::Full,
            Some(_) => return Err(ApiRefusal::illegal("newOrderRespType", "ACK|RESULT|FULL")),
            None if kind == "LIMIT_MAKER" => Detail::Ack,
            None => Detail::Full,
        };
        if params.optional("selfTradePreventionMode")?.is_some_and(|mode| mode != SELF_TRADE_MODE) {
            return Err(ApiRefusal::self_trade_mode());
        }
        params.finish()?;
        let name = name.unwrap_or_else(|| self.make_name(market, now));
        Ok(OrderRequest { symbol, market, name, new: NewOrder::of(side, &spec)?, detail })
    }

    /// A name for an order whose client gave none: unique by the book's and the tape's numbers.
    fn make_name(&self, market: MarketId, now: Timestamp) -> String {
        let market = self.floor.market(market);
        format!("paper-{}-{}", now.us(), market.order_count())
    }
}

fn read_spec(kind: &str, params: &mut Params) -> Result<OrderSpec, ApiRefusal> {
    let price = params.decimal("price", Price::parse)?;
    let quantity = params.decimal("quantity", Quantity::parse)?;
    let budget = params.decimal("quoteOrderQty", Notional::parse)?;
    let tif = match params.optional("timeInForce")? {
        None => None,
        Some("GTC") => Some(TimeInForce::Gtc),
        Some("IOC") => Some(TimeInForce::Ioc),
        Some("FOK") => Some(TimeInForce::Fok),
        Some(_) => return Err(ApiRefusal::tif()),
    };
    let unwanted = |name: &str, sent: bool| if sent { Err(ApiRefusal::not_required(name)) } else { Ok(()) };
    let limit_price = price.ok_or_else(|| ApiRefusal::missing("price"));
    let limit_quantity = quantity.ok_or_else(|| ApiRefusal::missing("quantity"));
    match kind {
        "LIMIT" => {
            let tif = tif.ok_or_else(|| ApiRefusal::missing("timeInForce"))?;
            unwanted("quoteOrderQty", budget.is_some())?;
            Ok(OrderSpec::Limit { price: limit_price?, quantity: limit_quantity?, tif })
        }
        "LIMIT_MAKER" => {
            unwanted("timeInForce", tif.is_some())?;
            unwanted("quoteOrderQty", budget.is_some())?;
            Ok(OrderSpec::PostOnly { price: limit_price?, quantity: limit_quantity? })
        }
        "MARKET" => {
            unwanted("timeInForce", tif.is_some())?;
            unwanted("price", price.is_some())?;
            match (quantity, budget) {
                (Some(quantity), None) => Ok(OrderSpec::Market { size: MarketSize::Base(quantity) }),
                (None, Some(budget)) => Ok(OrderSpec::Market { size: MarketSize::Quote(budget) }),
                (Some(_), Some(_)) => Err(ApiRefusal::combination()),
                (None, None) => Err(ApiRefusal::either_missing("quantity", "quoteOrderQty")),
            }
        }
        _ => Err(ApiRefusal::order_type()),
    }
}

/// A name for a cancel whose client gave none.
fn cancel_name_of(id: VenueOrderId) -> String {
    format!("cancel-{id}")
}

fn cancel_report(symbol: &str, record: &Record, cancel_name: String, now: Timestamp) -> wire::Order {
    let mut told = wire_order(symbol, record);
    told.orig_client_order_id = Some(std::mem::replace(&mut told.client_order_id, cancel_name));
    (told.transact_time, told.time, told.update_time) = (Some(now.ms()), None, None);
    (told.is_working, told.working_time) = (None, None);
    told
}

fn fills(record: &Record, assets: &[Asset]) -> Vec<wire::OrderFill> {
    let fill = |(_, execution): &(Timestamp, crate::engine::Execution)| wire::OrderFill {
        price: execution.price.to_string(),
        qty: execution.quantity.to_string(),
        commission: execution.commission.to_string(),
        commission_asset: assets[execution.commission_asset.index()].clone(),
        trade_id: execution.trade.0,
    };
    record.executions.iter().map(fill).collect()
}

/// An order as queries tell it.
pub(super) fn wire_order(symbol: &str, record: &Record) -> wire::Order {
    let order = &record.order;
    let price = if order.kind.has_price() { order.price } else { crate::engine::Px::ZERO };
    wire::Order {
        symbol: symbol.to_owned(),
        order_id: order.id.0,
        order_list_id: -1,
        client_order_id: record.client_order_id.clone(),
        orig_client_order_id: None,
        transact_time: None,
        price: price.to_string(),
        orig_qty: order.quantity.to_string(),
        executed_qty: order.filled.to_string(),
        orig_quote_order_qty: Some(order.budget.to_string()),
        cummulative_quote_qty: order.filled_quote.to_string(),
        status: status(order.status).to_owned(),
        time_in_force: tif(order.tif).to_owned(),
        kind: kind(order.kind).to_owned(),
        side: if order.side == Side::Buy { "BUY" } else { "SELL" }.to_owned(),
        time: Some(order.placed.ms()),
        update_time: Some(order.updated.ms()),
        is_working: Some(order.working.is_some()),
        working_time: Some(order.working.map_or(-1, Timestamp::ms)),
        fills: None,
        self_trade_prevention_mode: Some(self_trade(order.self_trade).to_owned()),
    }
}

pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::PendingNew => "PENDING_NEW",
        Status::New => "NEW",
        Status::PartiallyFilled => "PARTIALLY_FILLED",
        Status::Filled => "FILLED",
        Status::Canceled => "CANCELED",
        Status::Expired => "EXPIRED",
        Status::ExpiredInMatch => "EXPIRED_IN_MATCH",
    }
}

pub(super) const fn tif(tif: TimeInForce) -> &'static str {
    match tif {
        TimeInForce::Gtc => "GTC",
        TimeInForce::Ioc => "IOC",
        TimeInForce::Fok => "FOK",
    }
}

pub(super) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Limit => "LIMIT",
        Kind::LimitMaker => "LIMIT_MAKER",
        Kind::Market => "MARKET",
        Kind::StopLoss => "STOP_LOSS",
        Kind::StopLossLimit => "STOP_LOSS_LIMIT",
        Kind::TakeProfit => "TAKE_PROFIT",
        Kind::TakeProfitLimit => "TAKE_PROFIT_LIMIT",
    }
}

pub(super) const fn self_trade(mode: SelfTrade) -> &'static str {
    match mode {
        SelfTrade::None => "NONE",
        SelfTrade::ExpireTaker => "EXPIRE_TAKER",
        SelfTrade::ExpireMaker => "EXPIRE_MAKER",
        SelfTrade::ExpireBoth => "EXPIRE_BOTH",
        SelfTrade::Decrement => "DECREMENT",
    }
}
