//! Binance's answers become reports. Invariant: an answer that we do not understand is an unknown outcome,
//! never a success and never a failure.

use std::net::IpAddr;
use strongroom_model::{
    Advice, Amount, Balance, Book, Candle, ClientOrderId, ExecutionReport, Fill, KeyRights, Level, MarketTrade, Notional, OrderStatus,
    Price, Quantity, Side, Symbol, Timestamp, TradeId, VenueOrderId,
};

use thiserror::Error;

use super::wire;

/// What a venue's refusal or silence means.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VenueError {
    /// The venue refused; nothing was executed.
    #[error("the venue refused: {msg} ({code})")]
    Refused {
        /// Binance's code (`errors.md`).
        code: i32,
        /// The venue's words.
        msg: String,
    },
    /// Too many requests; nothing was executed.
    #[error("the venue asks to wait {retry_after_s} s (HTTP {status})")]
    RateLimited {
        /// 429 (slow down) or 418 (banned).
        status: u16,
        /// Whole seconds to wait.
        retry_after_s: u64,
    },
    /// The signed time is outside of what the venue accepts; nothing was executed.
    #[error("the venue finds our clock wrong: {msg}")]
    Clock {
        /// The venue's words.
        msg: String,
    },
    /// The order asked for is not known to the venue.
    #[error("the venue knows no such order ({code})")]
    NoSuchOrder {
        /// -2011 (cancel) or -2013 (query).
        code: i32,
    },
    /// 5xx, -1006, -1007, or an answer that cannot be read: it may have been executed.
    #[error("the outcome is unknown: {what}")]
    Unknown {
        /// What came instead of an answer.
        what: String,
    },
}

impl VenueError {
    /// Whether the venue does not accept the key itself: unknown, revoked, or not from this address
    /// (-2008, -2014, -2015 of Binance's `errors.md`).
    pub const fn refuses_key(&self) -> bool {
        matches!(self, Self::Refused { code: -2008 | -2014 | -2015, .. })
    }

    /// Whether a signed request with a new key shows that key and secret do not belong together (-1022), or is refused as by
    /// [`Self::refuses_key`].
    pub const fn refuses_signature(&self) -> bool {
        self.refuses_key() || matches!(self, Self::Refused { code: -1022, .. })
    }

    /// From which address the venue saw a request that it refused for its key, address or rights, where it says so
    /// (“…, request ip: 203.0.113.7”, code -2015).
    pub fn seen_from(&self) -> Option<IpAddr> {
        const BEFORE: &str = "request ip:";
        let Self::Refused { code: -2015, msg } = self else { return None };
        let (_, after) = msg.split_once(BEFORE)?;
        let end = |c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':'));
        // A sentence may end behind it.
        let text = after.trim_start().split(end).next()?.trim_end_matches('.');
        (text.len() <= ADDRESS_LEN_MAX).then(|| text.parse().ok())?
    }

    /// What to do next.
    pub const fn advice(&self) -> Advice {
        match self {
            Self::Refused { .. } | Self::NoSuchOrder { .. } => Advice::Refuse,
            Self::RateLimited { retry_after_s, .. } => Advice::RetryAfter(retry_after_s.saturating_mul(1_000)),
            Self::Clock { .. } => Advice::RetryAfter(1_000),
            Self::Unknown { .. } => Advice::Reconcile,
        }
    }
}

/// Wait this long when a 429 or 418 does not say how long.
const RETRY_AFTER_S_UNSAID: u64 = 60;
/// Longest text of an address: IPv6 with an IPv4 one in it.
const ADDRESS_LEN_MAX: usize = 45;
/// Longest part of a foreign answer that is repeated in an error.
const QUOTE_LEN_MAX: usize = 120;

fn unreadable(what: &str, body: &[u8]) -> VenueError {
    let quote: String = String::from_utf8_lossy(body).chars().filter(|c| !c.is_control()).take(QUOTE_LEN_MAX).collect();
    VenueError::Unknown { what: format!("{what}: {quote}") }
}

/// Sorts an HTTP answer: `Ok` is the body of a success.
pub fn outcome(status: u16, retry_after_s: Option<u64>, body: &[u8]) -> Result<&[u8], VenueError> {
    if status == 200 {
        return Ok(body);
    }
    let retry_after_s = retry_after_s.unwrap_or(RETRY_AFTER_S_UNSAID);
    if matches!(status, 418 | 429) {
        return Err(VenueError::RateLimited { status, retry_after_s });
    }
    if !(400..500).contains(&status) {
        return Err(unreadable(&format!("HTTP {status}"), body));
    }
    let Ok(wire::ApiError { code, msg }) = serde_json::from_slice(body) else {
        return Err(unreadable(&format!("HTTP {status} without an error body"), body));
    };
    Err(match code {
        -1006 | -1007 => VenueError::Unknown { what: format!("{msg} ({code})") },
        -1003 | -1015 => VenueError::RateLimited { status, retry_after_s },
        -1021 => VenueError::Clock { msg },
        -2011 | -2013 => VenueError::NoSuchOrder { code },
        _ => VenueError::Refused { code, msg },
    })
}

fn json<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, VenueError> {
    serde_json::from_slice(body).map_err(|error| unreadable(&format!("an answer that cannot be read ({error})"), body))
}

fn field<T, E: std::fmt::Display>(parsed: Result<T, E>) -> Result<T, VenueError> {
    parsed.map_err(|error| VenueError::Unknown { what: format!("an answer with a wrong field ({error})") })
}

/// Answer to place, cancel or query of one order.
pub fn order(body: &[u8]) -> Result<ExecutionReport, VenueError> {
    report(&json(body)?)
}

/// Answer to cancel-all and to open orders.
pub fn orders(body: &[u8]) -> Result<Vec<ExecutionReport>, VenueError> {
    json::<Vec<wire::Order>>(body)?.iter().map(report).collect()
}

/// Answer to an amendment.
pub fn amended(body: &[u8]) -> Result<ExecutionReport, VenueError> {
    let wire::Amended { transact_time, amended_order: order } = json(body)?;
    report(&wire::Order {
        symbol: order.symbol,
        order_id: order.order_id,
        client_order_id: order.client_order_id,
        transact_time: Some(transact_time),
        price: order.price,
        orig_qty: order.qty,
        executed_qty: order.executed_qty,
        cummulative_quote_qty: order.cumulative_quote_qty,
        status: order.status,
        time_in_force: order.time_in_force,
        kind: order.kind,
        side: order.side,
        ..wire::Order::default()
    })
}

fn report(order: &wire::Order) -> Result<ExecutionReport, VenueError> {
    let price = field(Price::parse(&order.price))?;
    let name = order.orig_client_order_id.as_deref().unwrap_or(&order.client_order_id);
    let at = order.transact_time.or(order.update_time).or(order.time).unwrap_or_default();
    Ok(ExecutionReport {
        symbol: field(Symbol::parse(&order.symbol))?,
        venue_order_id: VenueOrderId(order.order_id),
        client_order_id: ClientOrderId::parse(name).ok(),
        side: match order.side.as_str() {
            "BUY" => Side::Buy,
            "SELL" => Side::Sell,
            other => return Err(VenueError::Unknown { what: format!("a side named {other:?}") }),
        },
        status: match order.status.as_str() {
            "NEW" | "PENDING_NEW" | "PENDING_CANCEL" => OrderStatus::New,
            "PARTIALLY_FILLED" => OrderStatus::PartiallyFilled,
            "FILLED" => OrderStatus::Filled,
            "CANCELED" => OrderStatus::Canceled,
            "REJECTED" => OrderStatus::Rejected,
            "EXPIRED" | "EXPIRED_IN_MATCH" => OrderStatus::Expired,
            other => return Err(VenueError::Unknown { what: format!("an order status named {other:?}") }),
        },
        quantity: field(Quantity::parse(&order.orig_qty))?,
        filled: field(Quantity::parse(&order.executed_qty))?,
        filled_notional: field(Notional::parse(&order.cummulative_quote_qty))?,
        price: (!price.is_zero()).then_some(price),
        fills: order.fills.iter().flatten().map(fill).collect::<Result<_, _>>()?,
        at: Timestamp::from_ms(at),
    })
}

fn fill(fill: &wire::OrderFill) -> Result<Fill, VenueError> {
    Ok(Fill {
        trade_id: TradeId(fill.trade_id),
        price: field(Price::parse(&fill.price))?,
        quantity: field(Quantity::parse(&fill.qty))?,
        commission: field(Amount::parse(&fill.commission))?,
        commission_asset: fill.commission_asset.clone(),
    })
}

/// Answer to the trades of one order.
pub fn trades(body: &[u8]) -> Result<Vec<Fill>, VenueError> {
    json::<Vec<wire::MyTrade>>(body)?
        .into_iter()
        .map(|trade| {
            fill(&wire::OrderFill {
                price: trade.price,
                qty: trade.qty,
                commission: trade.commission,
                commission_asset: trade.commission_asset,
                trade_id: trade.id,
            })
        })
        .collect()
}

/// Balances that are not zero.
pub fn balances(body: &[u8]) -> Result<Vec<Balance>, VenueError> {
    let mut balances = Vec::new();
    for entry in json::<wire::Account>(body)?.balances {
        let balance =
            Balance { free: field(Amount::parse(&entry.free))?, locked: field(Amount::parse(&entry.locked))?, asset: entry.asset };
        if !(balance.free.is_zero() && balance.locked.is_zero()) {
            balances.push(balance);
        }
    }
    Ok(balances)
}

/// Whether an account's key may place orders, and whether it may withdraw.
pub fn rights(body: &[u8]) -> Result<(bool, bool), VenueError> {
    let account: wire::Account = json(body)?;
    Ok((account.can_trade, account.can_withdraw))
}

/// Answer to the rights of a key; `at`: when it was asked.
pub fn key_rights(body: &[u8], at: Timestamp) -> Result<KeyRights, VenueError> {
    let told: wire::ApiRestrictions = json(body)?;
    Ok(KeyRights {
        trade: told.enable_reading && told.enable_spot_and_margin_trading,
        withdraw: told.enable_withdrawals,
        transfer: told.enable_internal_transfer || told.permits_universal_transfer,
        bound: Some(told.ip_restrict),
        until: told.trading_authority_expiration_time.filter(|ms| *ms > 0).map(Timestamp::from_ms),
        at,
    })
}

/// Price and quantity pairs.
pub(super) fn levels(pairs: &[[String; 2]]) -> Result<Vec<Level>, VenueError> {
    pairs
        .iter()
        .map(|[price, quantity]| Ok(Level { price: field(Price::parse(price))?, quantity: field(Quantity::parse(quantity))? }))
        .collect()
}

/// A depth snapshot.
pub fn depth(body: &[u8]) -> Result<Book, VenueError> {
    let depth: wire::Depth = json(body)?;
    Ok(Book::from_snapshot(depth.last_update_id, &levels(&depth.bids)?, &levels(&depth.asks)?))
}

/// Server time.
pub fn server_time(body: &[u8]) -> Result<Timestamp, VenueError> {
    Ok(Timestamp::from_ms(json::<wire::ServerTime>(body)?.server_time))
}

/// Klines: arrays of open time, open, high, low, close, volume, …
pub fn candles(body: &[u8]) -> Result<Vec<Candle>, VenueError> {
    type Row = (i64, String, String, String, String, String, i64, String, u64, String, String, String);
    json::<Vec<Row>>(body)?
        .into_iter()
        .map(|row| {
            Ok(Candle {
                open_time: Timestamp::from_ms(row.0),
                open: field(Price::parse(&row.1))?,
                high: field(Price::parse(&row.2))?,
                low: field(Price::parse(&row.3))?,
                close: field(Price::parse(&row.4))?,
                volume: field(Quantity::parse(&row.5))?,
            })
        })
        .collect()
}

/// A trade event of the stream.
pub(super) fn market_trade(event: &wire::TradeEvent) -> Result<MarketTrade, VenueError> {
    Ok(MarketTrade {
        trade_id: TradeId(event.t),
        price: field(Price::parse(&event.p))?,
        quantity: field(Quantity::parse(&event.q))?,
        buyer_is_maker: event.m,
        at: Timestamp::from_ms(event.trade_time),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_outcomes_are_never_refusals() {
        for (status, body) in [
            (500, &b"{\"code\":-1000,\"msg\":\"x\"}"[..]),
            (504, b"<html>"),
            (403, b"<html>waf</html>"),
            (400, b"{\"code\":-1007,\"msg\":\"Timeout\"}"),
            (400, b""),
            (302, b""),
        ] {
            assert_eq!(outcome(status, None, body).unwrap_err().advice(), Advice::Reconcile, "{status} {body:?}");
        }
        assert_eq!(order(b"{}").unwrap_err().advice(), Advice::Reconcile);
    }

    /// Rows: a venue's words, and the address in them.
    #[test]
    fn addresses_are_read_where_one_is_told() {
        let words = |after: &str| format!("Invalid API-key, IP, or permissions for action, request ip: {after}");
        let long = format!("{}1.2.3.4", "0".repeat(100_000));
        for (msg, address) in [
            (words("203.0.113.7"), Some("203.0.113.7")),
            (words("203.0.113.7."), Some("203.0.113.7")),
            (words(" 203.0.113.7, and more"), Some("203.0.113.7")),
            (words("2001:db8::7"), Some("2001:db8::7")),
            (words("2001:0db8:0000:0000:0000:0000:192.168.100.200"), Some("2001:db8::c0a8:64c8")),
            (words("::1\u{202e}9"), Some("::1")),
            ("Invalid API-key, IP, or permissions for action.".to_owned(), None),
            (words(""), None),
            (words("203.0.113"), None),
            (words("203.0.113.700"), None),
            (words("example.com"), None),
            (words("\u{0663}.1.1.1"), None),
            (words(&long), None),
            ("request ip:".to_owned(), None),
        ] {
            let seen = VenueError::Refused { code: -2015, msg: msg.clone() }.seen_from();
            assert_eq!(seen, address.map(|text| text.parse().unwrap()), "{}", &msg[..msg.len().min(120)]);
        }
        assert_eq!(VenueError::Refused { code: -2010, msg: words("203.0.113.7") }.seen_from(), None);
    }

    #[test]
    fn rights_are_read_in_the_venues_words() {
        let body = |more: &str| {
            format!(
                r#"{{"ipRestrict":false,"createTime":1,"enableReading":true,"enableInternalTransfer":false,
                "permitsUniversalTransfer":false,"enableSpotAndMarginTrading":true{more}}}"#
            )
        };
        let at = Timestamp::from_ms(9);
        let plain = KeyRights { trade: true, bound: Some(false), at, ..KeyRights::default() };
        let rows = [
            (r#","enableWithdrawals":false,"newField":[1]"#, Some(plain)),
            (r#","enableWithdrawals":true"#, Some(KeyRights { withdraw: true, ..plain })),
            (
                r#","enableWithdrawals":false,"tradingAuthorityExpirationTime":1628985600000"#,
                Some(KeyRights { until: Some(Timestamp::from_ms(1_628_985_600_000)), ..plain }),
            ),
            ("", None),
            (r#","enableWithdrawals":"no""#, None),
        ];
        for (more, rights) in rows {
            assert_eq!(key_rights(body(more).as_bytes(), at).ok(), rights, "{more}");
        }
        for transfer in ["enableInternalTransfer", "permitsUniversalTransfer"] {
            let body = body(r#","enableWithdrawals":false"#).replace(&format!("\"{transfer}\":false"), &format!("\"{transfer}\":true"));
            assert_eq!(key_rights(body.as_bytes(), at).ok(), Some(KeyRights { transfer: true, ..plain }), "{body}");
        }
    }

    #[test]
    fn refusals() {
        for (code, advice) in
            [(-2010, Advice::Refuse), (-1021, Advice::RetryAfter(1_000)), (-2013, Advice::Refuse), (-1022, Advice::Refuse)]
        {
            let body = format!("{{\"code\":{code},\"msg\":\"m\"}}");
            assert_eq!(outcome(400, None, body.as_bytes()).unwrap_err().advice(), advice);
        }
        assert_eq!(outcome(429, Some(7), b"").unwrap_err().advice(), Advice::RetryAfter(7_000));
    }
}
