//! Binance's JSON shapes, used by our client (to read) and by the paper venue (to write).
//!
//! Invariant: numbers that are money travel as strings; unknown fields are ignored when reading, because the
//! venue adds fields without notice.

use serde::{Deserialize, Serialize};

/// Error body of every refused request: `{"code":-1121,"msg":"Invalid symbol."}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// Negative code (`errors.md`).
    pub code: i32,
    /// Text for people.
    pub msg: String,
}

/// `GET /api/v3/time`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerTime {
    /// Milliseconds since the epoch.
    pub server_time: i64,
}

/// Answer to `POST /api/v3/order` with `newOrderRespType=FULL`, and the shared part of the order queries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Such as `BTCUSDT`.
    pub symbol: String,
    /// The venue's number.
    pub order_id: u64,
    /// -1 unless part of a list.
    #[serde(default = "no_list")]
    pub order_list_id: i64,
    /// Our name (for a cancel answer: the name of the cancel itself, see `orig_client_order_id`).
    pub client_order_id: String,
    /// Cancel answers: the name of the order that was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orig_client_order_id: Option<String>,
    /// Milliseconds; in answers to place and cancel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transact_time: Option<i64>,
    /// Limit price; zero for market orders.
    pub price: String,
    /// Base quantity.
    pub orig_qty: String,
    /// Base quantity filled so far.
    pub executed_qty: String,
    /// Quote quantity ordered, for quote-sized market orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orig_quote_order_qty: Option<String>,
    /// Quote amount traded so far (Binance's spelling).
    #[serde(rename = "cummulativeQuoteQty")]
    pub cummulative_quote_qty: String,
    /// `NEW`, `PARTIALLY_FILLED`, `FILLED`, `CANCELED`, `REJECTED`, `EXPIRED`, `EXPIRED_IN_MATCH`.
    pub status: String,
    /// `GTC`, `IOC`, `FOK`.
    pub time_in_force: String,
    /// `LIMIT`, `MARKET`, `LIMIT_MAKER`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// `BUY` or `SELL`.
    pub side: String,
    /// Milliseconds; when it was placed (queries).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<i64>,
    /// Milliseconds; last change (queries).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_time: Option<i64>,
    /// Whether it is in the book (queries).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_working: Option<bool>,
    /// Milliseconds; when it entered the book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_time: Option<i64>,
    /// Fills of this answer (`FULL` only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fills: Option<Vec<OrderFill>>,
    /// Self-trade prevention mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_trade_prevention_mode: Option<String>,
}

fn no_list() -> i64 {
    -1
}

/// One entry of `fills`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderFill {
    /// Price.
    pub price: String,
    /// Base quantity.
    pub qty: String,
    /// Fee.
    pub commission: String,
    /// Asset of the fee.
    pub commission_asset: String,
    /// Number of the trade.
    pub trade_id: u64,
}

/// Answer to `PUT /api/v3/order/amend/keepPriority`, as far as we read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Amended {
    /// Milliseconds.
    pub transact_time: i64,
    /// The order as it stands now.
    pub amended_order: AmendedOrder,
}

/// An order in the answer to its amendment: its fields have other names than elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AmendedOrder {
    /// Such as `BTCUSDT`.
    pub symbol: String,
    /// The venue's number.
    pub order_id: u64,
    /// Its name now.
    pub client_order_id: String,
    /// Limit price.
    pub price: String,
    /// Base quantity now.
    pub qty: String,
    /// Base quantity filled so far.
    pub executed_qty: String,
    /// Quote amount traded so far.
    pub cumulative_quote_qty: String,
    /// `NEW`, `PARTIALLY_FILLED`, …
    pub status: String,
    /// `GTC`.
    pub time_in_force: String,
    /// `LIMIT`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// `BUY` or `SELL`.
    pub side: String,
}

/// One entry of `GET /api/v3/myTrades`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MyTrade {
    /// Such as `BTCUSDT`.
    pub symbol: String,
    /// Number of the trade.
    pub id: u64,
    /// Order it belongs to.
    pub order_id: u64,
    /// -1 unless part of a list.
    #[serde(default = "no_list")]
    pub order_list_id: i64,
    /// Price.
    pub price: String,
    /// Base quantity.
    pub qty: String,
    /// Quote amount.
    pub quote_qty: String,
    /// Fee.
    pub commission: String,
    /// Asset of the fee.
    pub commission_asset: String,
    /// Milliseconds.
    pub time: i64,
    /// Whether this account bought.
    pub is_buyer: bool,
    /// Whether this account's order rested.
    pub is_maker: bool,
    /// Always true today.
    pub is_best_match: bool,
}

/// `GET /api/v3/account`, as far as we read it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Whether orders are accepted.
    pub can_trade: bool,
    /// Whether funds may be taken out.
    #[serde(default)]
    pub can_withdraw: bool,
    /// One per asset.
    pub balances: Vec<AccountBalance>,
}

/// `GET /sapi/v1/account/apiRestrictions`, as far as we read it. What a thief could use has to be told: a field that is missing is no
/// right that is missing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiRestrictions {
    /// Whether it is bound to addresses.
    pub ip_restrict: bool,
    /// Milliseconds.
    #[serde(default)]
    pub create_time: i64,
    /// Reads.
    pub enable_reading: bool,
    /// Trades spot and margin.
    pub enable_spot_and_margin_trading: bool,
    /// Withdraws.
    pub enable_withdrawals: bool,
    /// Moves funds between accounts of one master.
    pub enable_internal_transfer: bool,
    /// Moves funds between wallets.
    pub permits_universal_transfer: bool,
    /// Milliseconds; when spot and margin trading ends, for keys that are not bound to addresses.
    #[serde(default)]
    pub trading_authority_expiration_time: Option<i64>,
}

/// One asset of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountBalance {
    /// Code.
    pub asset: String,
    /// Can be used.
    pub free: String,
    /// Held by open orders.
    pub locked: String,
}

/// `GET /api/v3/depth`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Depth {
    /// Id of the last update included.
    pub last_update_id: u64,
    /// Price, quantity; best first.
    pub bids: Vec<[String; 2]>,
    /// Price, quantity; best first.
    pub asks: Vec<[String; 2]>,
}

/// `GET /api/v3/exchangeInfo`, as far as we read it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeInfo {
    /// `UTC`.
    pub timezone: String,
    /// Milliseconds.
    pub server_time: i64,
    /// The limits in force.
    pub rate_limits: Vec<RateLimit>,
    /// Filters of the whole venue.
    #[serde(default)]
    pub exchange_filters: Vec<serde_json::Value>,
    /// What is traded.
    pub symbols: Vec<SymbolInfo>,
}

/// One entry of `rateLimits`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// `REQUEST_WEIGHT`, `ORDERS`, `RAW_REQUESTS`.
    pub rate_limit_type: String,
    /// `SECOND`, `MINUTE`, `HOUR`, `DAY`.
    pub interval: String,
    /// How many intervals.
    pub interval_num: u32,
    /// Allowed per window.
    pub limit: u32,
}

/// One entry of `symbols`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SymbolInfo {
    /// Such as `BTCUSDT`.
    pub symbol: String,
    /// `TRADING`, `HALT`, `BREAK`.
    pub status: String,
    /// Base asset.
    pub base_asset: String,
    /// Decimals of the base asset.
    #[serde(default)]
    pub base_asset_precision: u32,
    /// Quote asset.
    pub quote_asset: String,
    /// Decimals of the quote asset.
    #[serde(default)]
    pub quote_asset_precision: u32,
    /// Order types allowed.
    #[serde(default)]
    pub order_types: Vec<String>,
    /// Filters as tagged objects.
    pub filters: Vec<serde_json::Value>,
    /// Everything else, kept as it came.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// Stream event `depthUpdate`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DepthEvent {
    /// `depthUpdate`.
    pub e: String,
    /// Event time, milliseconds.
    #[serde(rename = "E")]
    pub event_time: i64,
    /// Symbol.
    pub s: String,
    /// First update id.
    #[serde(rename = "U")]
    pub first: u64,
    /// Last update id.
    pub u: u64,
    /// Changed bids.
    pub b: Vec<[String; 2]>,
    /// Changed asks.
    pub a: Vec<[String; 2]>,
}

/// Stream event `trade`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TradeEvent {
    /// `trade`.
    pub e: String,
    /// Event time, milliseconds.
    #[serde(rename = "E")]
    pub event_time: i64,
    /// Symbol.
    pub s: String,
    /// Trade id.
    pub t: u64,
    /// Price.
    pub p: String,
    /// Quantity.
    pub q: String,
    /// Trade time, milliseconds.
    #[serde(rename = "T")]
    pub trade_time: i64,
    /// Whether the buyer's order rested.
    pub m: bool,
    /// Always true.
    #[serde(rename = "M")]
    pub best_match: bool,
}

/// A message of the combined stream: `{"stream":"btcusdt@trade","data":{…}}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Combined<T> {
    /// Name of the stream.
    pub stream: String,
    /// The event.
    pub data: T,
}

/// Stream event `kline`.
#[derive(Clone, Debug, Deserialize)]
pub struct KlineEvent {
    /// Symbol.
    pub s: String,
    /// The candle.
    pub k: Kline,
}

/// The candle of a `kline` event, as far as we read it.
#[derive(Clone, Debug, Deserialize)]
pub struct Kline {
    /// Open time, milliseconds.
    #[serde(rename = "t")]
    pub open_time: i64,
    /// Interval, such as `1m`.
    pub i: String,
    /// Open.
    pub o: String,
    /// Close.
    pub c: String,
    /// High.
    pub h: String,
    /// Low.
    pub l: String,
    /// Base quantity.
    pub v: String,
}

/// Stream event `24hrTicker`, as far as we read it.
#[derive(Clone, Debug, Deserialize)]
pub struct TickerEvent {
    /// Symbol.
    pub s: String,
    /// Change in percent.
    #[serde(rename = "P")]
    pub change_percent: String,
    /// Last price.
    pub c: String,
    /// High.
    pub h: String,
    /// Low.
    pub l: String,
    /// Base quantity.
    pub v: String,
}
