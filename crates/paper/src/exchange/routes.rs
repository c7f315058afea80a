//! One table of everything the venue answers. Invariant: what is not in the table does not exist.

use serde::Serialize;
use strongroom_model::Timestamp;

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

const ROUTES: &[(&str, &str, Endpoint)] = &[
    ("POST", "/api/v3/order", S(Trade, Exchange::place_order)),
    ("GET", "/api/v3/order", S(Read, Exchange::query_order)),
    ("DELETE", "/api/v3/order", S(Trade, Exchange::cancel_order)),
    ("POST", "/api/v3/order/test", S(Trade, Exchange::test_order)),
    ("GET", "/api/v3/openOrders", S(Read, Exchange::open_orders)),
    ("DELETE", "/api/v3/openOrders", S(Trade, Exchange::cancel_open_orders)),
    ("GET", "/api/v3/allOrders", S(Read, Exchange::all_orders)),
    ("GET", "/api/v3/myTrades", S(Read, Exchange::my_trades)),
    ("GET", "/api/v3/account", S(Read, Exchange::account)),
    ("GET", "/api/v3/account/commission", S(Read, Exchange::commission)),
    ("GET", "/api/v3/rateLimit/order", S(Read, Exchange::order_counts)),
    ("GET", "/api/v3/ping", P(Exchange::ping)),
    ("GET", "/api/v3/time", P(Exchange::time)),
    ("GET", "/api/v3/exchangeInfo", P(Exchange::exchange_info)),
    ("GET", "/api/v3/depth", P(Exchange::depth)),
    ("GET", "/api/v3/trades", P(Exchange::trades)),
    ("GET", "/api/v3/aggTrades", P(Exchange::aggregate_trades)),
    ("GET", "/api/v3/klines", P(Exchange::klines)),
    ("GET", "/api/v3/avgPrice", P(Exchange::average_price)),
    ("GET", "/api/v3/ticker/24hr", P(Exchange::ticker_day)),
    ("GET", "/api/v3/ticker/price", P(Exchange::ticker_price)),
    ("GET", "/api/v3/ticker/bookTicker", P(Exchange::ticker_book)),
    ("GET", "/sapi/v1/account/apiRestrictions", S(Read, Exchange::key_restrictions)),
    ("GET", "/sapi/v1/capital/config/getall", S(Read, Exchange::coins)),
    ("GET", "/sapi/v1/margin/allPairs", S(Read, Exchange::no_margin_pairs)),
    ("GET", "/sapi/v1/margin/isolated/allPairs", S(Read, Exchange::no_margin_pairs)),
];

impl Exchange {
    pub(super) fn route(&mut self, now: Timestamp, request: &Request<'_>, headers: &mut Vec<(String, String)>) -> Answer {
        let route = ROUTES.iter().find(|(method, path, _)| *method == request.method && *path == request.path);
        let (_, _, endpoint) = route.ok_or_else(|| ApiRefusal::not_supported(404))?;
        let mut params = Params::parse(request.query, request.body)?;
        match endpoint {
            P(answer) => answer(self, now, &mut params),
            S(rights, answer) => {
                let credential = auth::authenticate(&self.keys, now, request, &mut params, *rights)?;
                let mut caller = Caller { account: credential.account, rights: credential.rights, now, headers: Vec::new() };
                let answer = answer(self, &mut caller, &mut params);
                headers.append(&mut caller.headers);
                answer
            }
        }
    }
}

pub(super) fn json(value: &impl Serialize) -> Answer {
    serde_json::to_vec(value).map_err(|_| ApiRefusal::new(500, -1000, "An unknown error occurred while processing the request."))
}
