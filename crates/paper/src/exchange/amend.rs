//! Making open orders smaller (`rest-api.md`, “Order Amend Keep Priority”; `faqs/order_amend_keep_priority.md`).
//! Invariant: an amended order keeps its number and its place in the queue; only its name and quantity change.

use serde::Serialize;
use serde_json::{Value, json};
use strongroom_model::VenueOrderId;

use super::Exchange;
use super::answers::AmendedOrder;
use super::list_answers::list_orders;
use super::params::Params;
use super::read_order::quantity;
use super::refusal::ApiRefusal;
use super::routes::{Answer, Caller, json as answer};
use super::user_data::{contingency, of_order};
use crate::engine::{Order, Refusal};

/// Amendments told at once, and when not said otherwise.
const AMENDMENTS_TOLD_MAX: usize = 1_000;
const AMENDMENTS_TOLD: usize = 500;
/// Place of the first amendment's report among those of its order; there is room for as many as any rule permits.
const FIRST_AMENDMENT: u64 = 8;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Amended<'a> {
    transact_time: i64,
    execution_id: u64,
    amended_order: AmendedOrder<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_status: Option<Value>,
}

/// The number of the report of an order's last amendment.
pub(super) fn execution_id(order: &Order) -> u64 {
    of_order(order, FIRST_AMENDMENT + u64::from(order.amends)).wrapping_mul(4)
}

impl Exchange {
    pub(super) fn amend_order(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        let (id, name) = (params.integer("orderId")?, params.optional("origClientOrderId")?.map(str::to_owned));
        let new_name = params.client_order_id("newClientOrderId")?;
        let wanted = quantity(params, "newQty")?.ok_or_else(|| ApiRefusal::missing("newQty"))?;
        params.finish()?;
        let record =
            self.find(caller.account, market, id, name.as_deref())?.ok_or_else(|| ApiRefusal::of_amendment(Refusal::UnknownOrder))?;
        let id = record.order.id;
        let new_name = new_name.unwrap_or_else(|| format!("amend-{}-{}", id, record.order.amends + 1));
        self.floor.amend(caller.now, caller.account, market, id, wanted, new_name).map_err(ApiRefusal::of_amendment)?;
        let record = self.floor.records(market).order(id).ok_or_else(ApiRefusal::unknown_order)?;
        let amendment = record.amendments.last().ok_or_else(ApiRefusal::unknown_order)?;
        let list = record.order.list.and_then(|id| self.floor.lists().get(caller.account, id));
        answer(&Amended {
            transact_time: caller.now.ms(),
            execution_id: amendment.execution,
            amended_order: AmendedOrder::of(&symbol, record, &amendment.name_before),
            list_status: list.map(|kept| {
                json!({
                    "orderListId": kept.list.id.0, "contingencyType": contingency(kept.list.contingency),
                    "listOrderStatus": if kept.list.is_done { "ALL_DONE" } else { "EXECUTING" },
                    "listClientOrderId": kept.name, "symbol": symbol,
                    "orders": list_orders(&symbol, kept, self.floor.records(market)),
                })
            }),
        })
    }

    pub(super) fn amendments(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        let id = params.integer("orderId")?.ok_or_else(|| ApiRefusal::missing("orderId"))?;
        let from = params.integer("fromExecutionId")?.unwrap_or(0);
        let limit = params.limit(AMENDMENTS_TOLD, AMENDMENTS_TOLD_MAX)?;
        params.finish()?;
        let record = self.floor.records(market).order(VenueOrderId(id)).filter(|record| record.order.account == caller.account);
        let amendments = record.map(|record| record.amendments.as_slice()).unwrap_or_default();
        let rows = amendments.iter().filter(|amendment| amendment.execution >= from).take(limit).map(|amendment| {
            json!({
                "symbol": symbol, "orderId": id, "executionId": amendment.execution,
                "origClientOrderId": amendment.name_before, "newClientOrderId": amendment.name,
                "origQty": amendment.quantity_before.to_string(), "newQty": amendment.quantity.to_string(), "time": amendment.at.ms(),
            })
        });
        answer(&rows.collect::<Vec<Value>>())
    }
}
