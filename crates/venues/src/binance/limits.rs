//! The venue's rate limits: announced in `exchangeInfo`, counted in headers, charged per request.
//!
//! Invariant: what cannot be read is left out or refused, never guessed; hostile input cannot panic.

use serde::Deserialize;
use strongroom_model::Advice;
use thiserror::Error;

use super::wire;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitKind {
    /// `REQUEST_WEIGHT`: weights, per IP address.
    Weight,
    /// `ORDERS`: orders placed and not yet filled, per account.
    Orders,
    /// `RAW_REQUESTS`: requests, per IP address.
    RawRequests,
}

/// One limit: at most `limit` in any window of `window_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateRule {
    /// What is counted.
    pub kind: LimitKind,
    /// Length of the window, milliseconds.
    pub window_ms: u64,
    /// Allowed per window.
    pub limit: u32,
}

/// The venue's own count, as an answer's headers told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// What is counted.
    pub kind: LimitKind,
    /// Length of the window, milliseconds.
    pub window_ms: u64,
    /// Used in the present window.
    pub used: u32,
}

/// Why the limits document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LimitsError {
    /// Not the JSON that was expected.
    #[error("the limits document cannot be read: {0}")]
    Unreadable(String),
    /// An interval that is none of second, minute, hour, day, or too long to count.
    #[error("the limits document has an interval that is not known: {interval_num} {interval}")]
    Interval {
        /// How many.
        interval_num: u32,
        /// Of what.
        interval: String,
    },
}

impl LimitsError {
    /// Without limits nothing may be sent: ask for the document again.
    pub const fn advice(&self) -> Advice {
        Advice::RetryAfter(5_000)
    }
}

/// Limits announced by the body of `GET /api/v3/exchangeInfo`. Kinds that do not concern REST are left out.
pub fn rules(exchange_info: &[u8]) -> Result<Vec<RateRule>, LimitsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Limits {
        rate_limits: Vec<wire::RateLimit>,
    }
    let limits: Limits = serde_json::from_slice(exchange_info).map_err(|error| LimitsError::Unreadable(error.to_string()))?;
    let known = limits.rate_limits.into_iter().filter_map(|rule| kind(&rule.rate_limit_type).map(|kind| (kind, rule)));
    known
        .map(|(kind, rule)| match window_ms(&rule.interval, rule.interval_num) {
            Some(window_ms) => Ok(RateRule { kind, window_ms, limit: rule.limit }),
            None => Err(LimitsError::Interval { interval_num: rule.interval_num, interval: rule.interval }),
        })
        .collect()
}

fn kind(name: &str) -> Option<LimitKind> {
    match name {
        "REQUEST_WEIGHT" => Some(LimitKind::Weight),
        "ORDERS" => Some(LimitKind::Orders),
        "RAW_REQUESTS" => Some(LimitKind::RawRequests),
        _ => None,
    }
}

/// Milliseconds of `num` intervals, written out (`MINUTE`) or as a letter (`m`).
fn window_ms(interval: &str, num: u32) -> Option<u64> {
    let one: u64 = match interval {
        "SECOND" | "s" => 1_000,
        "MINUTE" | "m" => 60_000,
        "HOUR" | "h" => 3_600_000,
        "DAY" | "d" => 86_400_000,
        _ => return None,
    };
    (num > 0).then(|| one.saturating_mul(num.into()))
}

/// Counts told by headers such as `X-MBX-USED-WEIGHT-1M`; names in any case, others ignored.
pub fn usage<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Usage> {
    headers.into_iter().filter_map(|(name, value)| one_usage(name, value)).collect()
}

fn one_usage(name: &str, value: &str) -> Option<Usage> {
    let name = name.to_ascii_lowercase();
    let (kind, window) = if let Some(window) = name.strip_prefix("x-mbx-used-weight-") {
        (LimitKind::Weight, window)
    } else {
        (LimitKind::Orders, name.strip_prefix("x-mbx-order-count-")?)
    };
    let letter = window.char_indices().next_back().map(|(at, _)| at)?;
    let (num, letter) = window.split_at(letter);
    Some(Usage { kind, window_ms: window_ms(letter, num.parse().ok()?)?, used: value.trim().parse().ok()? })
}

/// Whole seconds of `Retry-After`, which comes with 429 and 418.
pub fn retry_after_s<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<u64> {
    let value = headers.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?.1;
    value.trim().parse().ok()
}

/// Weight of a request (`rest-api.md`, July 2026). `params` are its parameters as sent; unknown paths weigh 1.
///
/// Placing and cancelling weigh 1 only when they fail (since 2026-04-02): see [`free_on_success`].
pub fn request_weight(method: &str, path: &str, params: &str) -> u32 {
    let param =
        |name: &str| params.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value));
    let one_symbol = param("symbol").is_some();
    match (method, path) {
        (
            "GET",
            "/api/v3/exchangeInfo"
            | "/api/v3/account"
            | "/api/v3/allOrders"
            | "/api/v3/account/commission"
            | "/api/v3/allOrderList"
            | "/api/v3/myAllocations",
        ) => 20,
        ("GET", "/api/v3/depth") => match param("limit").and_then(|limit| limit.parse::<u32>().ok()).unwrap_or(100) {
            0..=100 => 5,
            101..=500 => 25,
            501..=1_000 => 50,
            _ => 250,
        },
        ("GET", "/api/v3/trades" | "/api/v3/historicalTrades") => 25,
        ("GET", "/api/v3/klines" | "/api/v3/uiKlines" | "/api/v3/avgPrice") => 2,
        ("GET", "/api/v3/ticker" | "/api/v3/ticker/tradingDay") => match param("symbols").map(symbols_listed) {
            Some(symbols) => u32::try_from(symbols).unwrap_or(u32::MAX).saturating_mul(4).min(200),
            None => 4,
        },
        ("GET", "/api/v3/executionRules") => match param("symbols").map(symbols_listed) {
            _ if one_symbol => 2,
            Some(symbols) => u32::try_from(symbols).unwrap_or(u32::MAX).saturating_mul(2).min(40),
            None => 40,
        },
        ("GET", "/api/v3/myPreventedMatches") => {
            if param("orderId").is_some() {
                20
            } else {
                2
            }
        }
        ("GET", "/api/v3/ticker/price" | "/api/v3/ticker/bookTicker") => {
            if one_symbol {
                2
            } else {
                4
            }
        }
        ("GET", "/api/v3/ticker/24hr") => match param("symbols").map(symbols_listed) {
            _ if one_symbol => 2,
            Some(1..=20) => 2,
            Some(21..=100) => 40,
            _ => 80,
        },
        ("GET", "/api/v3/order" | "/api/v3/aggTrades" | "/api/v3/orderList" | "/api/v3/order/amendments")
        | ("PUT", "/api/v3/order/amend/keepPriority") => 4,
        ("GET", "/api/v3/openOrderList") => 6,
        ("GET", "/api/v3/openOrders") => {
            if one_symbol {
                6
            } else {
                80
            }
        }
        ("GET", "/api/v3/myTrades") => {
            if param("orderId").is_some() {
                5
            } else {
                20
            }
        }
        ("POST", "/api/v3/order/test") if param("computeCommissionRates") == Some("true") => 20,
        ("GET", "/api/v3/rateLimit/order" | "/api/v3/myFilters") => 40,
        _ => 1,
    }
}

/// Symbols in `symbols=["A","B"]`, as sent: commas stand plain or percent-encoded.
fn symbols_listed(list: &str) -> usize {
    1 + list.matches(',').count() + list.matches("%2C").count() + list.matches("%2c").count()
}

/// Whether a request weighs nothing when it succeeds (since 2026-04-02). An amendment does so only when the order ends by it,
/// which it cannot.
pub fn free_on_success(method: &str, path: &str) -> bool {
    match method {
        "POST" => {
            matches!(path, "/api/v3/order" | "/api/v3/order/cancelReplace" | "/api/v3/order/oco") || path.starts_with("/api/v3/orderList/")
        }
        "DELETE" => matches!(path, "/api/v3/order" | "/api/v3/openOrders" | "/api/v3/orderList"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_as_announced() {
        let body = br#"{"rateLimits":[
            {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000},
            {"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":100},
            {"rateLimitType":"CONNECTIONS","interval":"FORTNIGHT","intervalNum":1,"limit":1},
            {"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":300000}],"symbols":[]}"#;
        let rule = |kind, window_ms, limit| RateRule { kind, window_ms, limit };
        let expected =
            [rule(LimitKind::Weight, 60_000, 6_000), rule(LimitKind::Orders, 10_000, 100), rule(LimitKind::RawRequests, 300_000, 300_000)];
        assert_eq!(rules(body).unwrap(), expected);
    }

    #[test]
    fn strange_rules_are_refused() {
        for body in [&b""[..], b"{}", b"[]", br#"{"rateLimits":[{"rateLimitType":"ORDERS","interval":"YEAR","intervalNum":1,"limit":1}]}"#]
        {
            assert!(rules(body).is_err());
        }
        let zero = br#"{"rateLimits":[{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":0,"limit":1}]}"#;
        assert_eq!(rules(zero).unwrap_err(), LimitsError::Interval { interval_num: 0, interval: "DAY".into() });
    }

    #[test]
    fn headers_in_any_case() {
        let headers = [
            ("X-MBX-USED-WEIGHT-1M", "21"),
            ("x-mbx-order-count-10s", "3"),
            ("X-Mbx-Order-Count-1D", " 40 "),
            ("x-mbx-used-weight", "21"),
            ("x-mbx-used-weight-", "21"),
            ("x-mbx-used-weight-é", "21"),
            ("x-mbx-used-weight-1m", "-1"),
            ("date", "now"),
        ];
        let usage_of = |kind, window_ms, used| Usage { kind, window_ms, used };
        let expected =
            [usage_of(LimitKind::Weight, 60_000, 21), usage_of(LimitKind::Orders, 10_000, 3), usage_of(LimitKind::Orders, 86_400_000, 40)];
        assert_eq!(usage(headers), expected);
        assert_eq!(retry_after_s([("RETRY-AFTER", "17")]), Some(17));
        assert_eq!(retry_after_s([("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")]), None);
    }

    #[test]
    fn weights_of_the_requests_that_the_client_sends() {
        let rows = [
            ("GET", "/api/v3/time", "", 1),
            ("GET", "/api/v3/exchangeInfo", "", 20),
            ("GET", "/api/v3/depth", "symbol=BTCUSDT", 5),
            ("GET", "/api/v3/depth", "symbol=BTCUSDT&limit=500", 25),
            ("GET", "/api/v3/depth", "limit=5000&symbol=BTCUSDT", 250),
            ("GET", "/api/v3/klines", "symbol=BTCUSDT&interval=1m", 2),
            ("GET", "/api/v3/openOrders", "timestamp=1", 80),
            ("GET", "/api/v3/openOrders", "symbol=BTCUSDT&timestamp=1", 6),
            ("GET", "/api/v3/order", "symbol=BTCUSDT&orderId=1", 4),
            ("GET", "/api/v3/myTrades", "symbol=BTCUSDT&orderId=1", 5),
            ("GET", "/api/v3/myTrades", "symbol=BTCUSDT", 20),
            ("GET", "/api/v3/account", "timestamp=1", 20),
            ("POST", "/api/v3/order", "symbol=BTCUSDT", 1),
            ("DELETE", "/api/v3/order", "symbol=BTCUSDT", 1),
            ("GET", "/api/v3/ticker", "symbols=[%22A%22,%22B%22]", 8),
            ("GET", "/api/v3/ticker/tradingDay", "symbol=BTCUSDT", 4),
            ("GET", "/api/v3/executionRules", "", 40),
            ("GET", "/api/v3/executionRules", "symbol=BTCUSDT", 2),
            ("PUT", "/api/v3/order/amend/keepPriority", "symbol=BTCUSDT", 4),
            ("GET", "/api/v3/myPreventedMatches", "symbol=BTCUSDT&orderId=1", 20),
            ("GET", "/api/v3/myPreventedMatches", "symbol=BTCUSDT&preventedMatchId=1", 2),
            ("GET", "/api/v3/openOrderList", "timestamp=1", 6),
            ("GET", "/api/v3/myFilters", "symbol=BTCUSDT", 40),
        ];
        for (method, path, params, weight) in rows {
            assert_eq!(request_weight(method, path, params), weight, "{method} {path}?{params}");
        }
    }
}
