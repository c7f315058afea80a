//! One table of everything the venue answers, by REST or through the WebSocket API. Invariant: what is not in the table does
//! not exist, and both doors carry out the same functions.

use serde::Serialize;
use strongroom_model::Timestamp;

use super::auth::Proof;
use super::params::Params;
use super::refusal::ApiRefusal;
use super::{Exchange, Request, Rights, auth};
use crate::engine::AccountId;

/// JSON, or why not.
pub(super) type Answer = Result<Vec<u8>, ApiRefusal>;

/// A signed request after its signature was checked.
pub(super) struct Caller {
    pub(super) account: AccountId,
    pub(super) rights: Rights,
    pub(super) now: Timestamp,
    /// Whether its key may be used from some addresses only.
    pub(super) is_bound_to_addresses: bool,
    pub(super) key_created: Timestamp,
    /// It asks through the WebSocket API.
    pub(super) by_socket: bool,
    /// Further headers of the answer.
    pub(super) headers: Vec<(String, String)>,
}

type Public = fn(&Exchange, Timestamp, &mut Params) -> Answer;
type Signed = fn(&mut Exchange, &mut Caller, &mut Params) -> Answer;

enum Endpoint {
    Public(Public),
    Signed(Rights, Signed),
}

use Endpoint::{Public as P, Signed as S};
use Rights::{Read, Trade};

/// One thing that can be asked, by REST or through the WebSocket API.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Name in the WebSocket API; empty where it has none.
    pub(super) socket: &'static str,
    endpoint: Endpoint,
}

const fn at(method: &'static str, path: &'static str, socket: &'static str, endpoint: Endpoint) -> Operation {
    Operation { method, path, socket, endpoint }
}

const ORDERS: &[Operation] = &[
    at("POST", "/api/v3/order", "order.place", S(Trade, Exchange::place_order)),
    at("GET", "/api/v3/order", "order.status", S(Read, Exchange::query_order)),
    at("DELETE", "/api/v3/order", "order.cancel", S(Trade, Exchange::cancel_order)),
    at("POST", "/api/v3/order/test", "order.test", S(Trade, Exchange::test_order)),
    at("POST", "/api/v3/order/cancelReplace", "order.cancelReplace", S(Trade, Exchange::cancel_replace)),
    at("PUT", "/api/v3/order/amend/keepPriority", "order.amend.keepPriority", S(Trade, Exchange::amend_order)),
    at("GET", "/api/v3/order/amendments", "order.amendments", S(Read, Exchange::amendments)),
    at("GET", "/api/v3/openOrders", "openOrders.status", S(Read, Exchange::open_orders)),
    at("DELETE", "/api/v3/openOrders", "openOrders.cancelAll", S(Trade, Exchange::cancel_open_orders)),
    at("GET", "/api/v3/allOrders", "allOrders", S(Read, Exchange::all_orders)),
    at("POST", "/api/v3/orderList/oco", "orderList.place.oco", S(Trade, Exchange::place_oco)),
    at("POST", "/api/v3/orderList/oto", "orderList.place.oto", S(Trade, Exchange::place_oto)),
    at("POST", "/api/v3/orderList/otoco", "orderList.place.otoco", S(Trade, Exchange::place_otoco)),
    at("POST", "/api/v3/orderList/opo", "orderList.place.opo", S(Trade, Exchange::refuse_opo)),
    at("POST", "/api/v3/orderList/opoco", "orderList.place.opoco", S(Trade, Exchange::refuse_opo)),
    at("POST", "/api/v3/order/oco", "orderList.place", S(Trade, Exchange::place_old_oco)),
    at("DELETE", "/api/v3/orderList", "orderList.cancel", S(Trade, Exchange::cancel_list)),
    at("GET", "/api/v3/orderList", "orderList.status", S(Read, Exchange::query_list)),
    at("GET", "/api/v3/openOrderList", "openOrderLists.status", S(Read, Exchange::open_lists)),
    at("GET", "/api/v3/allOrderList", "allOrderLists", S(Read, Exchange::all_lists)),
];

const ACCOUNT: &[Operation] = &[
    at("GET", "/api/v3/myTrades", "myTrades", S(Read, Exchange::my_trades)),
    at("GET", "/api/v3/myPreventedMatches", "myPreventedMatches", S(Read, Exchange::prevented_matches)),
    at("GET", "/api/v3/myAllocations", "myAllocations", S(Read, Exchange::no_allocations)),
    at("GET", "/api/v3/myFilters", "myFilters", S(Read, Exchange::my_filters)),
    at("GET", "/api/v3/account", "account.status", S(Read, Exchange::account)),
    at("GET", "/api/v3/account/commission", "account.commission", S(Read, Exchange::commission)),
    at("GET", "/api/v3/rateLimit/order", "account.rateLimits.orders", S(Read, Exchange::order_counts)),
    at("GET", "/sapi/v1/account/apiRestrictions", "", S(Read, Exchange::key_restrictions)),
    at("GET", "/sapi/v1/asset/tradeFee", "", S(Read, Exchange::trade_fees)),
    at("GET", "/sapi/v1/capital/config/getall", "", S(Read, Exchange::coins)),
    at("GET", "/sapi/v1/margin/allPairs", "", S(Read, Exchange::no_margin_pairs)),
    at("GET", "/sapi/v1/margin/isolated/allPairs", "", S(Read, Exchange::no_margin_pairs)),
];

const PUBLIC: &[Operation] = &[
    at("GET", "/api/v3/ping", "ping", P(Exchange::ping)),
    at("GET", "/api/v3/time", "time", P(Exchange::time)),
    at("GET", "/api/v3/exchangeInfo", "exchangeInfo", P(Exchange::exchange_info)),
    at("GET", "/api/v3/executionRules", "executionRules", P(Exchange::execution_rules)),
    at("GET", "/api/v3/depth", "depth", P(Exchange::depth)),
    at("GET", "/api/v3/trades", "trades.recent", P(Exchange::trades)),
    at("GET", "/api/v3/historicalTrades", "trades.historical", P(Exchange::historical_trades)),
    at("GET", "/api/v3/aggTrades", "trades.aggregate", P(Exchange::aggregate_trades)),
    at("GET", "/api/v3/klines", "klines", P(Exchange::klines)),
    at("GET", "/api/v3/uiKlines", "uiKlines", P(Exchange::klines)),
    at("GET", "/api/v3/avgPrice", "avgPrice", P(Exchange::average_price)),
    at("GET", "/api/v3/ticker", "ticker", P(Exchange::ticker_window)),
    at("GET", "/api/v3/ticker/24hr", "ticker.24hr", P(Exchange::ticker_day)),
    at("GET", "/api/v3/ticker/tradingDay", "ticker.tradingDay", P(Exchange::ticker_trading_day)),
    at("GET", "/api/v3/ticker/price", "ticker.price", P(Exchange::ticker_price)),
    at("GET", "/api/v3/ticker/bookTicker", "ticker.book", P(Exchange::ticker_book)),
    at("GET", "/sapi/v1/system/status", "", P(Exchange::system_status)),
    at("GET", "/fapi/v1/exchangeInfo", "", P(Exchange::no_futures)),
    at("GET", "/dapi/v1/exchangeInfo", "", P(Exchange::no_futures)),
    at("GET", "/eapi/v1/exchangeInfo", "", P(Exchange::no_options)),
];

/// Retired routes (`CHANGELOG.md`, 2026-02-20 and 2026-03-25): all below the first, and the second.
const RETIRED: [&str; 2] = ["/api/v1/", "/api/v3/userDataStream"];

fn operations() -> impl Iterator<Item = &'static Operation> {
    [ORDERS, ACCOUNT, PUBLIC].into_iter().flatten()
}

/// The operation of a REST request.
pub(super) fn of_rest(method: &str, path: &str) -> Option<&'static Operation> {
    operations().find(|operation| operation.method == method && operation.path == path)
}

/// The operation that the WebSocket API calls so.
pub(super) fn of_socket(name: &str) -> Option<&'static Operation> {
    operations().find(|operation| !operation.socket.is_empty() && operation.socket == name)
}

impl Exchange {
    /// Carries out one operation; `proof` says who asks.
    pub(super) fn carry_out(
        &mut self,
        now: Timestamp,
        operation: &Operation,
        proof: &Proof<'_>,
        params: &mut Params,
        headers: &mut Vec<(String, String)>,
    ) -> Answer {
        match operation.endpoint {
            P(answer) => answer(self, now, params),
            S(rights, answer) => {
                let credential = auth::authenticate(&self.keys, now, proof, params, rights)?;
                let mut caller = Caller {
                    account: credential.account,
                    rights: credential.rights,
                    now,
                    is_bound_to_addresses: !credential.addresses.is_empty(),
                    key_created: credential.created,
                    by_socket: proof.by_socket,
                    headers: Vec::new(),
                };
                let answer = answer(self, &mut caller, params);
                headers.append(&mut caller.headers);
                answer
            }
        }
    }

    pub(super) fn route(&mut self, now: Timestamp, request: &Request<'_>, headers: &mut Vec<(String, String)>) -> Answer {
        if request.path.starts_with(RETIRED[0]) || request.path == RETIRED[1] {
            return Err(ApiRefusal::retired());
        }
        let operation = of_rest(request.method, request.path).ok_or_else(|| ApiRefusal::not_supported(404))?;
        let mut params = Params::parse(request.query, request.body)?;
        self.carry_out(now, operation, &Proof::of_rest(request), &mut params, headers)
    }
}

pub(super) fn json(value: &impl Serialize) -> Answer {
    serde_json::to_vec(value).map_err(|_| ApiRefusal::new(500, -1000, "An unknown error occurred while processing the request."))
}
