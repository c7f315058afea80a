//! An intent becomes a Binance request. Invariant: the bytes that are signed are the bytes that are sent.
//!
//! Values are percent-encoded before signing, as the venue enforces since 2026-01-15 (-1022 otherwise).
//! Parameters stand in the order that ccxt uses, so that its recorded requests are reproduced to the byte.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use strongroom_model::{Intent, MarketSize, Method, OrderRef, OrderSpec, PlaceOrder, Side, SignedRequest, Symbol, TimeInForce, Timestamp};

use super::scheme::{KeyError, SigningKey};

/// Everything but RFC 3986's unreserved characters is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How long after its timestamp the venue may still execute a request, unless policy says otherwise.
pub const RECV_WINDOW_MS: u32 = 5_000;
/// Header that names the key.
const KEY_HEADER: &str = "X-MBX-APIKEY";
/// The longest window that the venue accepts.
pub const RECV_WINDOW_MS_MAX: u32 = 60_000;

/// A request that lacks only its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    /// HTTP method.
    pub method: Method,
    /// Path below the host.
    pub path: &'static str,
    /// Encoded parameters: the payload to sign.
    pub params: String,
}

/// Builds the request for `intent`, dated `at` (venue time), executable for `recv_window_ms` from then.
pub fn encode(intent: &Intent, at: Timestamp, recv_window_ms: u32) -> Unsigned {
    let mut params = String::with_capacity(320);
    let _ = write!(params, "timestamp={}", at.ms());
    let (method, path) = match intent {
        Intent::Place(order) => {
            place(&mut params, order);
            (Method::Post, "/api/v3/order")
        }
        Intent::Cancel { symbol: on, order } => {
            symbol(&mut params, on);
            reference(&mut params, order);
            (Method::Delete, "/api/v3/order")
        }
        Intent::Amend { symbol: on, order, quantity } => {
            symbol(&mut params, on);
            // Its name stays; without the second, the venue would make one up.
            for name in ["&origClientOrderId=", "&newClientOrderId="] {
                params.push_str(name);
                params.extend(utf8_percent_encode(order.as_str(), RESERVED));
            }
            let _ = write!(params, "&newQty={quantity}");
            (Method::Put, "/api/v3/order/amend/keepPriority")
        }
        Intent::CancelAll { symbol: on } => {
            symbol(&mut params, on);
            (Method::Delete, "/api/v3/openOrders")
        }
        Intent::QueryOrder { symbol: on, order } => {
            symbol(&mut params, on);
            reference(&mut params, order);
            (Method::Get, "/api/v3/order")
        }
        Intent::QueryTrades { symbol: on, order } => {
            symbol(&mut params, on);
            let _ = write!(params, "&orderId={order}");
            (Method::Get, "/api/v3/myTrades")
        }
        Intent::QueryOpenOrders { symbol: on } => {
            if let Some(on) = on {
                symbol(&mut params, on);
            }
            (Method::Get, "/api/v3/openOrders")
        }
        Intent::QueryBalances => (Method::Get, "/api/v3/account"),
    };
    let _ = write!(params, "&recvWindow={recv_window_ms}");
    Unsigned { method, path, params }
}

impl Unsigned {
    /// Signs the parameters and puts them where the method wants them; an error only where the library fails.
    pub fn sign(self, api_key: &str, key: &SigningKey) -> Result<SignedRequest, KeyError> {
        let mut params = self.params;
        let signature = key.sign(params.as_bytes())?;
        params.push_str("&signature=");
        params.extend(utf8_percent_encode(&signature, RESERVED));
        let (query, body) = match self.method {
            Method::Post | Method::Put => (String::new(), params),
            Method::Get | Method::Delete => (params, String::new()),
        };
        Ok(SignedRequest {
            method: self.method,
            path: self.path.to_owned(),
            query,
            body,
            key_header: KEY_HEADER.to_owned(),
            api_key: api_key.to_owned(),
        })
    }
}

fn symbol(params: &mut String, symbol: &Symbol) {
    params.push_str("&symbol=");
    params.extend(utf8_percent_encode(symbol.as_str(), RESERVED));
}

fn reference(params: &mut String, order: &OrderRef) {
    match order {
        OrderRef::Client(id) => {
            params.push_str("&origClientOrderId=");
            params.extend(utf8_percent_encode(id.as_str(), RESERVED));
        }
        OrderRef::Venue(id) => {
            let _ = write!(params, "&orderId={id}");
        }
    }
}

fn place(params: &mut String, order: &PlaceOrder) {
    symbol(params, &order.symbol);
    params.push_str(match order.side {
        Side::Buy => "&side=BUY",
        Side::Sell => "&side=SELL",
    });
    params.push_str("&newClientOrderId=");
    params.extend(utf8_percent_encode(order.client_order_id.as_str(), RESERVED));
    params.push_str("&newOrderRespType=FULL");
    let _ = match order.spec {
        OrderSpec::Limit { price, quantity, tif } => {
            let tif = match tif {
                TimeInForce::Gtc => "GTC",
                TimeInForce::Ioc => "IOC",
                TimeInForce::Fok => "FOK",
            };
            write!(params, "&type=LIMIT&quantity={quantity}&price={price}&timeInForce={tif}")
        }
        OrderSpec::PostOnly { price, quantity } => write!(params, "&type=LIMIT_MAKER&quantity={quantity}&price={price}"),
        OrderSpec::Market { size: MarketSize::Base(quantity) } => write!(params, "&type=MARKET&quantity={quantity}"),
        OrderSpec::Market { size: MarketSize::Quote(notional) } => write!(params, "&type=MARKET&quoteOrderQty={notional}"),
    };
}
