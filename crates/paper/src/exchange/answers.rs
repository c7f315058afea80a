//! Orders as answers tell them (`rest-api.md`, “New order”, “Conditional fields in Order Responses”).
//! Invariant: a field that its condition does not ask for is left out, never empty.

use serde::Serialize;
use strongroom_model::{Asset, Timestamp};

use super::records::Record;
use super::user_data::expiry;
use super::words;
use crate::engine::{Order, Px, Status};

/// How much an answer to a new order tells (`enums.md`, “Order response type”).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    Ack,
    Result,
    Full,
}

/// One trade of an order that an answer tells in full.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fill<'a> {
    price: String,
    qty: String,
    commission: String,
    commission_asset: &'a str,
    trade_id: u64,
}

/// Fields that appear under conditions of their own.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Conditional {
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iceberg_qty: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevented_match_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevented_quantity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy_type: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_delta: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_reason: Option<&'static str>,
}

impl Conditional {
    pub(super) fn of(record: &Record) -> Self {
        let order = &record.order;
        let (is_trailing, is_prevented) = (order.trailing_bps > 0, order.prevented_match.is_some());
        Self {
            stop_price: order.kind.is_algo().then(|| order.stop.to_string()),
            iceberg_qty: (!order.iceberg.is_zero()).then(|| order.iceberg.to_string()),
            prevented_match_id: order.prevented_match,
            prevented_quantity: is_prevented.then(|| order.prevented.to_string()),
            strategy_id: record.label.strategy_id,
            strategy_type: record.label.strategy_type,
            trailing_delta: is_trailing.then_some(order.trailing_bps),
            trailing_time: is_trailing.then(|| order.tracking.map_or(-1, Timestamp::ms)),
            expiry_reason: record.expiry.map(expiry),
        }
    }

    /// Queries tell these two of every order.
    fn of_query(record: &Record) -> Self {
        let order = &record.order;
        Self { stop_price: Some(order.stop.to_string()), iceberg_qty: Some(order.iceberg.to_string()), ..Self::of(record) }
    }
}

/// An order in an answer: to its placement, to its cancel, to a query.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderAnswer<'a> {
    symbol: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    orig_client_order_id: Option<&'a str>,
    order_id: u64,
    order_list_id: i64,
    client_order_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transact_time: Option<i64>,
    price: String,
    orig_qty: String,
    executed_qty: String,
    orig_quote_order_qty: String,
    cummulative_quote_qty: String,
    status: &'static str,
    time_in_force: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    side: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_working: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fills: Option<Vec<Fill<'a>>>,
    self_trade_prevention_mode: &'static str,
    #[serde(flatten)]
    conditional: Conditional,
}

/// The answer to a new order that tells least.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ack<'a> {
    symbol: &'a str,
    order_id: u64,
    order_list_id: i64,
    client_order_id: &'a str,
    transact_time: i64,
}

/// The answer to a new order.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Placed<'a> {
    Ack(Ack<'a>),
    Order(Box<OrderAnswer<'a>>),
}

impl<'a> Placed<'a> {
    pub(super) fn of(symbol: &'a str, record: &'a Record, detail: Detail, now: Timestamp, assets: &'a [Asset]) -> Self {
        let order = &record.order;
        if detail == Detail::Ack {
            return Self::Ack(Ack {
                symbol,
                order_id: order.id.0,
                order_list_id: list_id(order),
                client_order_id: &record.client_order_id,
                transact_time: now.ms(),
            });
        }
        let mut told = OrderAnswer::plain(symbol, record);
        told.transact_time = Some(now.ms());
        told.working_time = Some(working_time(order));
        told.fills = (detail == Detail::Full).then(|| fills(record, assets));
        Self::Order(Box::new(told))
    }
}

impl<'a> OrderAnswer<'a> {
    fn plain(symbol: &'a str, record: &'a Record) -> Self {
        let order = &record.order;
        Self {
            symbol,
            orig_client_order_id: None,
            order_id: order.id.0,
            order_list_id: list_id(order),
            client_order_id: &record.client_order_id,
            transact_time: None,
            price: limit_price(order).to_string(),
            orig_qty: order.quantity.to_string(),
            executed_qty: order.filled.to_string(),
            orig_quote_order_qty: order.budget.to_string(),
            cummulative_quote_qty: order.filled_quote.to_string(),
            status: words::status(order.status),
            time_in_force: words::tif(order.tif),
            kind: words::kind(order.kind),
            side: words::side(order.side),
            time: None,
            update_time: None,
            is_working: None,
            working_time: None,
            fills: None,
            self_trade_prevention_mode: words::self_trade(order.self_trade),
            conditional: Conditional::of(record),
        }
    }

    /// As queries tell it.
    pub(super) fn queried(symbol: &'a str, record: &'a Record) -> Self {
        let order = &record.order;
        Self {
            time: Some(order.placed.ms()),
            update_time: Some(order.updated.ms()),
            is_working: Some(order.working.is_some()),
            working_time: Some(working_time(order)),
            conditional: Conditional::of_query(record),
            ..Self::plain(symbol, record)
        }
    }

    /// As the answer to its cancel, which is called `cancel_name`, tells it.
    pub(super) fn cancelled(symbol: &'a str, record: &'a Record, cancel_name: &'a str, now: Timestamp) -> Self {
        Self {
            orig_client_order_id: Some(&record.client_order_id),
            client_order_id: cancel_name,
            transact_time: Some(now.ms()),
            ..Self::plain(symbol, record)
        }
    }
}

/// An order in the answer to its amendment (`rest-api.md`, “Order Amend Keep Priority”).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AmendedOrder<'a> {
    symbol: &'a str,
    order_id: u64,
    order_list_id: i64,
    orig_client_order_id: &'a str,
    client_order_id: &'a str,
    price: String,
    qty: String,
    executed_qty: String,
    prevented_qty: String,
    quote_order_qty: String,
    cumulative_quote_qty: String,
    status: &'static str,
    time_in_force: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    side: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_time: Option<i64>,
    self_trade_prevention_mode: &'static str,
    #[serde(flatten)]
    conditional: Conditional,
}

impl<'a> AmendedOrder<'a> {
    pub(super) fn of(symbol: &'a str, record: &'a Record, before: &'a str) -> Self {
        let order = &record.order;
        Self {
            symbol,
            order_id: order.id.0,
            order_list_id: list_id(order),
            orig_client_order_id: before,
            client_order_id: &record.client_order_id,
            price: limit_price(order).to_string(),
            qty: order.quantity.to_string(),
            executed_qty: order.filled.to_string(),
            prevented_qty: order.prevented.to_string(),
            quote_order_qty: order.budget.to_string(),
            cumulative_quote_qty: order.filled_quote.to_string(),
            status: words::status(order.status),
            time_in_force: words::tif(order.tif),
            kind: words::kind(order.kind),
            side: words::side(order.side),
            working_time: order.working.map(Timestamp::ms),
            self_trade_prevention_mode: words::self_trade(order.self_trade),
            conditional: Conditional::of(record),
        }
    }
}

fn fills<'a>(record: &Record, assets: &'a [Asset]) -> Vec<Fill<'a>> {
    let fill = |(_, execution): &(Timestamp, crate::engine::Execution)| Fill {
        price: execution.price.to_string(),
        qty: execution.quantity.to_string(),
        commission: execution.commission.to_string(),
        commission_asset: &assets[execution.commission_asset.index()],
        trade_id: execution.trade.0,
    };
    record.executions.iter().map(fill).collect()
}

/// The number of an order's list, or -1.
pub(super) fn list_id(order: &Order) -> i64 {
    order.list.map_or(-1, |list| i64::try_from(list.0).unwrap_or(-1))
}

fn limit_price(order: &Order) -> Px {
    if order.kind.has_price() { order.price } else { Px::ZERO }
}

fn working_time(order: &Order) -> i64 {
    if order.status == Status::PendingNew { -1 } else { order.working.map_or(-1, Timestamp::ms) }
}
