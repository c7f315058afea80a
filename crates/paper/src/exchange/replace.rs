//! Cancelling an order and placing another at once (`rest-api.md`, “Cancel an Existing Order and Send a New Order”).
//! Invariant: filters and order counts are looked at before anything is cancelled; what became of each half is told.

use serde_json::{Value, json};
use strongroom_model::VenueOrderId;

use super::Exchange;
use super::orders::{Cancelled, Only, OrderRequest};
use super::params::Params;
use super::refusal::ApiRefusal;
use super::routes::{Answer, Caller, json as answer};
use crate::engine::Refusal;

struct ReplaceRequest {
    order: OrderRequest,
    /// The new order is tried even when the cancel failed.
    allows_failure: bool,
    /// The cancel is tried even when the account has too many unfilled orders.
    cancels_anyway: bool,
    id: Option<u64>,
    name: Option<String>,
    cancel_name: Option<String>,
    only: Only,
}

impl Exchange {
    pub(super) fn cancel_replace(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let request = self.read_replace(caller, params)?;
        params.finish()?;
        if request.id.is_none() && request.name.is_none() {
            return Err(ApiRefusal::either_missing("cancelOrigClientOrderId", "cancelOrderId"));
        }
        let order = &request.order;
        if let Err(Refusal::Filter(filter)) = self.floor.check(caller.account, order.market, &order.tag.name, &order.new) {
            return Err(Refusal::Filter(filter).into());
        }
        let admitted = self.admit_order(caller);
        if let (Err(refusal), false) = (&admitted, request.cancels_anyway) {
            return Err(refusal.clone());
        }
        let cancelled = self
            .find_to_cancel(caller, order.market, request.id, request.name.as_deref(), request.only)
            .and_then(|id| self.cancel_single(caller, order.market, id, request.cancel_name.clone()));
        if cancelled.is_err() && !request.allows_failure {
            // An order that was not attempted counts all the same.
            if admitted.is_ok() {
                self.count_orders(caller, 1);
            }
            return self.told(caller, &request, &cancelled, admitted.err(), None);
        }
        let is_over = admitted.err();
        let placed = match &is_over {
            Some(refusal) => Err(refusal.clone()),
            None => self.place_single(caller, order),
        };
        self.told(caller, &request, &cancelled, is_over, Some(placed))
    }

    fn read_replace(&self, caller: &Caller, params: &mut Params) -> Result<ReplaceRequest, ApiRefusal> {
        let allows_failure = match params.needed("cancelReplaceMode")? {
            "STOP_ON_FAILURE" => false,
            "ALLOW_FAILURE" => true,
            _ => return Err(ApiRefusal::invalid("cancelReplaceMode")),
        };
        let cancels_anyway = match params.optional("orderRateLimitExceededMode")? {
            None | Some("DO_NOTHING") => false,
            Some("CANCEL_ONLY") => true,
            Some(_) => return Err(ApiRefusal::invalid("orderRateLimitExceededMode")),
        };
        Ok(ReplaceRequest {
            allows_failure,
            cancels_anyway,
            id: params.integer("cancelOrderId")?,
            name: params.optional("cancelOrigClientOrderId")?.map(str::to_owned),
            cancel_name: params.client_order_id("cancelNewClientOrderId")?,
            only: Only::read(params)?,
            order: self.read_single(caller.now, params)?,
        })
    }

    /// Success, or a refusal that carries what became of each half. `is_over` says that there were too many orders.
    fn told(
        &self,
        caller: &Caller,
        request: &ReplaceRequest,
        cancelled: &Result<Cancelled, ApiRefusal>,
        is_over: Option<ApiRefusal>,
        placed: Option<Result<VenueOrderId, ApiRefusal>>,
    ) -> Answer {
        let order = &request.order;
        let cancel_answer = match cancelled {
            Ok(gone) => json!(self.cancel_report(caller.now, &order.symbol, order.market, gone)?),
            Err(refusal) => refusal.plain(),
        };
        let (new_result, new_answer) = match &placed {
            Some(Ok(id)) => ("SUCCESS", json!(self.placed(caller.now, order, *id)?)),
            Some(Err(refusal)) => ("FAILURE", refusal.plain()),
            None => ("NOT_ATTEMPTED", Value::Null),
        };
        let data = json!({
            "cancelResult": if cancelled.is_ok() { "SUCCESS" } else { "FAILURE" }, "newOrderResult": new_result,
            "cancelResponse": cancel_answer, "newOrderResponse": new_answer,
        });
        let is_placed = matches!(placed, Some(Ok(_)));
        let (status, code, msg) = match (cancelled.is_ok(), is_placed) {
            (true, true) => return answer(&data),
            (false, false) => (400, -2022, "Order cancel-replace failed."),
            _ => (409, -2021, "Order cancel-replace partially failed."),
        };
        // The table of statuses: with `ALLOW_FAILURE` too many orders are a failure like any other.
        let status = if is_over.is_some() && !request.allows_failure { 429 } else { status };
        let retry_after_s = is_over.and_then(|refusal| refusal.retry_after_s);
        Err(ApiRefusal { data: Some(Box::new(data)), retry_after_s, ..ApiRefusal::new(status, code, msg) })
    }
}
