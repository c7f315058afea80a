//! An intent becomes a Binance request. Invariant: the bytes that are signed are the bytes that are sent.
//!
//! Values are percent-encoded before signing, as the venue enforces since 2026-01-15 (-1022 otherwise).
//! Parameters stand in the order that ccxt uses, so that its recorded requests are reproduced to the byte.
//!
//! No message for the WebSocket API is a `session.logon`, nor can one be turned into it: see [`Unsigned::sign`].

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use strongroom_model::{Intent, MarketSize, Method, OrderRef, OrderSpec, PlaceOrder, Side, SignedRequest, Symbol, TimeInForce, Timestamp};
use thiserror::Error;

use super::scheme::{KeyError, SigningKey};
use crate::pair::Pair;

/// Everything but RFC 3986's unreserved characters is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How long after its timestamp the venue may still execute a request, unless policy says otherwise.
pub const RECV_WINDOW_MS: u32 = 5_000;
/// Header that names the key.
const KEY_HEADER: &str = "X-MBX-APIKEY";

/// The one message that is built for the WebSocket API (`web-socket-api.md`, “Subscribe to User Data Stream through signature
/// subscription”).
const SUBSCRIBE: &str = "userDataStream.subscribe.signature";
/// How that message is called; one is sent per connection.
const SUBSCRIBE_ID: &str = "login";

/// The venue has no request for what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotOffered {
    /// Futures have one (`countdownCancelAll`), spot has none.
    #[error("Binance spot has no dead-man's switch; the supervisor, which freezes the signer when the desk hangs, stands in its place")]
    DeadMan,
}

/// A request that lacks only its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    /// HTTP method.
    pub method: Method,
    /// Path below the host.
    pub path: &'static str,
    /// Encoded parameters: the payload to sign, but for the key's name in a socket's message.
    pub params: String,
}

/// Builds the request for `intent`, dated `at` (venue time), executable for `recv_window_ms` from then.
pub fn encode(intent: &Intent, at: Timestamp, recv_window_ms: u32) -> Result<Unsigned, NotOffered> {
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
        Intent::QueryKeyRights => (Method::Get, "/sapi/v1/account/apiRestrictions"),
        Intent::StreamLogin => {
            // Sorted, as this interface wants them; the key's name goes before.
            let params = format!("recvWindow={recv_window_ms}&timestamp={}", at.ms());
            return Ok(Unsigned { method: Method::Socket, path: SUBSCRIBE, params });
        }
        Intent::DeadMan { .. } => return Err(NotOffered::DeadMan),
    };
    let _ = write!(params, "&recvWindow={recv_window_ms}");
    Ok(Unsigned { method, path, params })
}

impl Unsigned {
    /// Signs the parameters and puts them where the method wants them; an error where the library fails, and for what must not be signed.
    ///
    /// A signature covers the parameters and not what is asked for with them. A stream login has the very parameters of a
    /// `session.logon`, so it is signed only with keys that the venue lets nobody log on with: all but Ed25519 (`web-socket-api.md`,
    /// “Authentication requests”).
    pub fn sign(self, api_key: &str, key: &SigningKey) -> Result<SignedRequest, KeyError> {
        if self.method == Method::Socket {
            return self.sign_message(api_key, key);
        }
        let mut params = self.params;
        let signature = key.sign(params.as_bytes())?;
        params.push_str("&signature=");
        params.extend(utf8_percent_encode(&signature, RESERVED));
        let (query, body) = match self.method {
            Method::Post | Method::Put => (String::new(), params),
            Method::Get | Method::Delete | Method::Socket => (params, String::new()),
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

    fn sign_message(self, api_key: &str, key: &SigningKey) -> Result<SignedRequest, KeyError> {
        match key {
            SigningKey::Hmac(_) | SigningKey::Pair(Pair::Rsa(_)) => {}
            SigningKey::Pair(_) => return Err(KeyError::LogsOn),
        }
        // The key's name is signed here: one with a separator in it would say something else.
        if !api_key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(KeyError::Name);
        }
        let payload = format!("apiKey={api_key}&{}", self.params);
        let signature = key.sign(payload.as_bytes())?;
        let value = |name: &str, text: &str| match text.parse::<i64>() {
            Ok(number) if name != "apiKey" => Value::from(number),
            _ => Value::from(text),
        };
        let pairs = payload.split('&').filter_map(|pair| pair.split_once('='));
        let mut params: Map<String, Value> = pairs.map(|(name, text)| (name.to_owned(), value(name, text))).collect();
        params.insert("signature".to_owned(), signature.into());
        let body = json!({"id": SUBSCRIBE_ID, "method": self.path, "params": params}).to_string();
        let (path, query, key_header) = (self.path.to_owned(), String::new(), String::new());
        Ok(SignedRequest { method: self.method, path, query, body, key_header, api_key: api_key.to_owned() })
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
