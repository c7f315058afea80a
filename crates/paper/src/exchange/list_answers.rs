//! Order lists as answers tell them (`rest-api.md`, “Order lists”). Invariant: the orders of a list stand in the order of
//! their numbers.

use serde::Serialize;
use serde_json::{Value, json};
use strongroom_model::Timestamp;

use super::list_records::ListRecord;
use super::records::{Record, Records};
use super::user_data::contingency;

/// A list in an answer; with `orderReports` where its orders are told too.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListAnswer<'a, R: Serialize> {
    order_list_id: u64,
    contingency_type: &'static str,
    list_status_type: &'static str,
    list_order_status: &'static str,
    list_client_order_id: &'a str,
    transaction_time: i64,
    symbol: &'a str,
    orders: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    order_reports: Vec<R>,
}

/// Records of a list's orders.
pub(super) fn members<'a>(kept: &'a ListRecord, records: &'a Records) -> impl Iterator<Item = &'a Record> {
    kept.list.orders.iter().flatten().filter_map(|id| records.order(*id))
}

/// The orders of a list by number and name.
pub(super) fn list_orders(symbol: &str, kept: &ListRecord, records: &Records) -> Vec<Value> {
    let row = |record: &Record| json!({"symbol": symbol, "orderId": record.order.id.0, "clientOrderId": record.client_order_id});
    members(kept, records).map(row).collect()
}

impl<'a, R: Serialize> ListAnswer<'a, R> {
    /// As it stands.
    pub(super) fn of(symbol: &'a str, kept: &'a ListRecord, records: &Records, reports: Vec<R>) -> Self {
        let (kind, state) = if kept.list.is_done { ("ALL_DONE", "ALL_DONE") } else { ("EXEC_STARTED", "EXECUTING") };
        Self {
            order_list_id: kept.list.id.0,
            contingency_type: contingency(kept.list.contingency),
            list_status_type: kind,
            list_order_status: state,
            list_client_order_id: &kept.name,
            transaction_time: kept.placed.ms(),
            symbol,
            orders: list_orders(symbol, kept, records),
            order_reports: reports,
        }
    }

    /// With the moment of the request instead of its placement.
    pub(super) const fn at(mut self, now: Timestamp) -> Self {
        self.transaction_time = now.ms();
        self
    }
}
