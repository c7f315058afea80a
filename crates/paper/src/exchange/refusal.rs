//! Refusals in the venue's own codes and words (`errors.md`). Invariant: a refused request changed nothing.

use std::net::IpAddr;

use serde_json::{Value, json};
use strongroom_model::Timestamp;

use crate::engine::{FilterFailure, Refusal};

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiRefusal {
    pub(crate) status: u16,
    pub(crate) code: i32,
    pub(crate) msg: Box<str>,
    pub(crate) retry_after_s: Option<u64>,
    /// What came of the parts of a request that failed in part.
    pub(crate) data: Option<Box<Value>>,
}

impl ApiRefusal {
    pub(crate) fn new(status: u16, code: i32, msg: impl Into<String>) -> Self {
        Self { status, code, msg: msg.into().into_boxed_str(), retry_after_s: None, data: None }
    }

    fn bad(code: i32, msg: impl Into<String>) -> Self {
        Self::new(400, code, msg)
    }

    /// Code and words alone.
    pub(crate) fn plain(&self) -> Value {
        json!({"code": self.code, "msg": self.msg})
    }

    /// Why an amendment was refused (`errors.md`, -2038): the engine's words under their own code.
    pub(crate) fn of_amendment(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Filter(filter) => Self::bad(-2038, format!("Filter failure: {filter}")),
            other => Self { code: -2038, ..Self::from(other) },
        }
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut error = json!({"code": self.code, "msg": self.msg});
        if let (Some(data), Value::Object(fields)) = (&self.data, &mut error) {
            fields.insert("data".to_owned(), Value::clone(data));
        }
        serde_json::to_vec(&error).unwrap_or_default()
    }

    /// As the WebSocket API carries it.
    pub(crate) fn socket_error(&self, now: Timestamp) -> Value {
        let mut error = json!({"code": self.code, "msg": self.msg});
        if let (Some(data), Value::Object(fields)) = (&self.data, &mut error) {
            fields.insert("data".to_owned(), Value::clone(data));
        }
        if let (Some(seconds), None, Value::Object(fields)) = (self.retry_after_s, &self.data, &mut error) {
            let retry_after = now.plus_ms(i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX)).ms();
            fields.insert("data".to_owned(), json!({"serverTime": now.ms(), "retryAfter": retry_after}));
        }
        error
    }

    pub(crate) fn too_much_weight(limit: u32, window: &str, retry_after_s: u64) -> Self {
        let msg = format!(
            "Too much request weight used; current limit is {limit} request weight per {window}. \
             Please use WebSocket Streams for live updates to avoid polling the API."
        );
        Self { retry_after_s: Some(retry_after_s), ..Self::new(429, -1003, msg) }
    }

    /// The address is banned until `until` (`errors.md`, -1003).
    pub(crate) fn banned(until: Timestamp, retry_after_s: u64) -> Self {
        let msg = format!(
            "Way too much request weight used; IP banned until {}. Please use WebSocket Streams for live updates to avoid bans.",
            until.ms()
        );
        Self { retry_after_s: Some(retry_after_s), ..Self::new(418, -1003, msg) }
    }

    pub(crate) fn too_many_requests(retry_after_s: u64) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..Self::new(429, -1003, "Too many requests queued.") }
    }

    pub(crate) fn too_many_orders(limit: u32, window: &str, retry_after_s: u64) -> Self {
        let msg = format!("Too many new orders; current limit is {limit} orders per {window}.");
        Self { retry_after_s: Some(retry_after_s), ..Self::new(429, -1015, msg) }
    }

    pub(crate) fn not_supported(status: u16) -> Self {
        Self::new(status, -1020, "This operation is not supported.")
    }

    /// What the venue answered once and does not any more.
    pub(crate) fn retired() -> Self {
        Self::new(410, -1016, "This service is no longer available.")
    }

    pub(crate) fn ahead_of_time() -> Self {
        Self::bad(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    }

    pub(crate) fn outside_window() -> Self {
        Self::bad(-1021, "Timestamp for this request is outside of the recvWindow.")
    }

    pub(crate) fn signature() -> Self {
        Self::bad(-1022, "Signature for this request is not valid.")
    }

    pub(crate) fn duplicate_parameter() -> Self {
        Self::bad(-1101, "Duplicate values for a parameter detected.")
    }

    pub(crate) fn parameters_beyond() -> Self {
        Self::bad(-1101, "Too many parameters sent for this endpoint.")
    }

    pub(crate) fn overflow(name: &str) -> Self {
        Self::bad(-1108, format!("Parameter '{name}' overflowed."))
    }

    pub(crate) fn illegal(name: &str, range: &str) -> Self {
        Self::bad(-1100, format!("Illegal characters found in parameter '{name}'; legal range is '{range}'."))
    }

    pub(crate) fn missing(name: &str) -> Self {
        Self::bad(-1102, format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."))
    }

    pub(crate) fn either_missing(one: &str, other: &str) -> Self {
        Self::bad(-1102, format!("Param '{one}' or '{other}' must be sent, but both were empty/null!"))
    }

    pub(crate) fn too_great(name: &str, max: u64) -> Self {
        Self::bad(-1102, format!("'{name}' contains unexpected value. Cannot be greater than {max}."))
    }

    pub(crate) fn unread(read: usize, sent: usize) -> Self {
        Self::bad(-1104, format!("Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."))
    }

    pub(crate) fn empty(name: &str) -> Self {
        Self::bad(-1105, format!("Parameter '{name}' was empty."))
    }

    pub(crate) fn not_required(name: &str) -> Self {
        Self::bad(-1106, format!("Parameter '{name}' sent when not required."))
    }

    pub(crate) fn precision(name: &str) -> Self {
        Self::bad(-1111, format!("Parameter '{name}' has too much precision."))
    }

    pub(crate) fn tif() -> Self {
        Self::bad(-1115, "Invalid timeInForce.")
    }

    pub(crate) fn order_type() -> Self {
        Self::bad(-1116, "Invalid orderType.")
    }

    pub(crate) fn side() -> Self {
        Self::bad(-1117, "Invalid side.")
    }

    pub(crate) fn interval() -> Self {
        Self::bad(-1120, "Invalid interval.")
    }

    pub(crate) fn symbol() -> Self {
        Self::bad(-1121, "Invalid symbol.")
    }

    pub(crate) fn symbol_status() -> Self {
        Self::bad(-1122, "Invalid symbolStatus.")
    }

    pub(crate) fn other_symbol_status() -> Self {
        Self::bad(-1220, "The symbol's status does not match the requested symbolStatus.")
    }

    pub(crate) fn too_long(hours: i64) -> Self {
        Self::bad(-1127, format!("More than {hours} hours between startTime and endTime."))
    }

    /// A value that the parameter does not have.
    pub(crate) fn invalid(name: &str) -> Self {
        Self::bad(-1130, format!("Data sent for parameter '{name}' is not valid."))
    }

    pub(crate) fn strategy_type() -> Self {
        Self::bad(-1134, "`strategyType` was less than 1000000.")
    }

    pub(crate) fn ticker_type() -> Self {
        Self::bad(-1139, "Invalid ticker type.")
    }

    pub(crate) fn cancel_restrictions() -> Self {
        Self::bad(-1145, "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.")
    }

    pub(crate) fn duplicate_symbols() -> Self {
        Self::bad(-1151, "Symbol is present multiple times in the list.")
    }

    pub(crate) fn too_many_parameters(max: usize, sent: usize) -> Self {
        Self::bad(-1101, format!("Too many parameters; expected '{max}' and received '{sent}'."))
    }

    pub(crate) fn iceberg_tif(iceberg: &str, tif: &str) -> Self {
        Self::bad(-1160, format!("Parameter '{iceberg}' is not supported if `{tif}` is not GTC."))
    }

    pub(crate) fn combination() -> Self {
        Self::bad(-1128, "Combination of optional parameters invalid.")
    }

    pub(crate) fn self_trade_mode() -> Self {
        Self::bad(-2010, "This symbol does not allow the specified self-trade prevention mode.")
    }

    pub(crate) fn unknown_order() -> Self {
        Self::bad(-2011, "Unknown order sent.")
    }

    pub(crate) fn no_such_order() -> Self {
        Self::bad(-2013, "Order does not exist.")
    }

    pub(crate) fn other_client_order_id() -> Self {
        Self::bad(-2039, "Client order ID is not correct for this order ID.")
    }

    pub(crate) fn key_format() -> Self {
        Self::new(401, -2014, "API-key format invalid.")
    }

    pub(crate) fn key() -> Self {
        Self::new(401, -2015, "Invalid API-key, IP, or permissions for action.")
    }

    /// Where the key is known and only its address or rights do not fit: the venue tells from where it saw the request. `errors.md` has
    /// the words without that; users report them with it.
    pub(crate) fn key_from(address: IpAddr) -> Self {
        Self::new(401, -2015, format!("Invalid API-key, IP, or permissions for action, request ip: {address}"))
    }
}

impl From<Refusal> for ApiRefusal {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Filter(FilterFailure::Amends) => Self::bad(-2038, "Filter failure: MAX_NUM_ORDER_AMENDS"),
            Refusal::Filter(filter) => Self::bad(-1013, format!("Filter failure: {filter}")),
            Refusal::InsufficientBalance => Self::bad(-2010, "Account has insufficient balance for requested action."),
            Refusal::DuplicateClientOrderId => Self::bad(-2010, "Duplicate order sent."),
            Refusal::WouldTake => Self::bad(-2010, "Order would immediately match and take."),
            Refusal::UnknownOrder => Self::unknown_order(),
            Refusal::MarketClosed => Self::bad(-2010, "Market is closed."),
            Refusal::WouldTrigger => Self::bad(-2010, "Order would trigger immediately."),
            Refusal::UnsupportedCombination => Self::bad(-2010, "Unsupported order combination"),
            Refusal::IcebergTooLarge => Self::bad(-2010, "IcebergQty exceeds QTY."),
            Refusal::PriceRelation => Self::bad(-2010, "The relationship of the prices for the orders is not correct."),
            Refusal::NoLiquidity => Self::bad(-2010, "Order book liquidity is less than symbol minimum quantity."),
            Refusal::TooLittleLiquidity => Self::bad(-2010, "Order book liquidity is less than `LOT_SIZE` filter minimum quantity."),
            Refusal::AmendIncreases => Self::bad(-2038, "Order amend (quantity increase) is not supported."),
            Refusal::AmendChangesNothing => Self::bad(-2038, "The requested action would change no state; rejecting"),
            Refusal::AmendTooSmall => Self::bad(-2038, "Price * QTY is zero or less."),
            Refusal::TooMuch => Self::bad(-1010, "Price * QTY is zero or less."),
        }
    }
}
