//! What the user data stream tells (`user-data-stream.md`). Invariant: every transition of every order of a listened-to account is
//! told once, in order; then the balances that it moved.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use strongroom_model::{Asset, Side, Symbol, Timestamp};

use super::records::Label;
use super::words::{kind, self_trade, status, tif};
use crate::engine::{AccountId, Change, Contingency, Execution, Expiry, Holding, Money, Order, OrderList, Px, Qty, Status};

/// One event for one account.
#[derive(Clone, Debug, PartialEq)]
pub struct UserEvent {
    /// Whose.
    pub account: AccountId,
    /// The event, as the stream carries it.
    pub event: Value,
    /// Only for who listens by this key, and the last that they hear.
    pub ends: Option<String>,
}

/// Collects events of accounts that somebody listens to.
#[derive(Debug, Default)]
pub(crate) struct UserData {
    /// How many subscriptions each account has.
    listened: HashMap<AccountId, u32>,
    waiting: Vec<UserEvent>,
}

/// Names that belong to an order in a report.
pub(crate) struct Names<'a> {
    pub(crate) symbol: &'a Symbol,
    /// The client's name for the order.
    pub(crate) order: &'a str,
    /// The client's name for the request that ended it.
    pub(crate) request: Option<&'a str>,
    /// The client's notes on the order.
    pub(crate) label: Label,
}

/// Why a list is told (`enums.md`, "Order List Status").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListNews {
    /// It began or ended.
    Status,
    /// One of its orders has another name.
    Renamed,
}

impl UserData {
    /// One more subscription to `account`.
    pub(crate) fn listen(&mut self, account: AccountId) {
        *self.listened.entry(account).or_default() += 1;
    }

    /// One subscription less; after the last, events of `account` are not collected any more.
    pub(crate) fn unlisten(&mut self, account: AccountId) {
        if let Some(count) = self.listened.get_mut(&account) {
            *count -= 1;
            if *count == 0 {
                self.listened.remove(&account);
            }
        }
    }

    pub(crate) fn is_listened(&self, account: AccountId) -> bool {
        self.listened.contains_key(&account)
    }

    /// Ends the subscriptions to `account` that were made by a key.
    pub(crate) fn end(&mut self, account: AccountId, api_key: &str, at: Timestamp) {
        self.waiting.push(UserEvent { account, event: terminated(at), ends: Some(api_key.to_owned()) });
    }

    /// What was collected since the last call.
    pub(crate) fn take(&mut self) -> Vec<UserEvent> {
        std::mem::take(&mut self.waiting)
    }

    pub(crate) fn report(&mut self, change: &Change, order: &Order, names: &Names<'_>, assets: &[Asset]) {
        if let Some(event) = report(change, order, names, assets) {
            self.waiting.push(UserEvent { account: order.account, event, ends: None });
        }
    }

    pub(crate) fn list(&mut self, news: ListNews, list: &OrderList, symbol: &Symbol, name: &str, orders: &[(u64, String)], at: Timestamp) {
        let state = if list.is_done { "ALL_DONE" } else { "EXECUTING" };
        let kind = match news {
            ListNews::Renamed => "UPDATED",
            ListNews::Status if list.is_done => "ALL_DONE",
            ListNews::Status => "EXEC_STARTED",
        };
        let orders: Vec<Value> = orders.iter().map(|(id, name)| json!({"s": symbol, "i": id, "c": name})).collect();
        let event = json!({
            "e": "listStatus", "E": at.ms(), "s": symbol, "g": list.id.0, "c": contingency(list.contingency), "l": kind, "L": state,
            "r": "NONE", "C": name, "T": at.ms(), "O": orders,
        });
        self.waiting.push(UserEvent { account: list.account, event, ends: None });
    }

    pub(crate) fn position(&mut self, account: AccountId, held: &[(Asset, Holding)], at: Timestamp) {
        let balance = |(asset, held): &(Asset, Holding)| json!({"a": asset, "f": held.free.to_string(), "l": held.locked.to_string()});
        let balances: Vec<Value> = held.iter().map(balance).collect();
        let event = json!({"e": "outboundAccountPosition", "E": at.ms(), "u": at.ms(), "B": balances});
        self.waiting.push(UserEvent { account, event, ends: None });
    }

    /// Money came in or went out; `delta` as text with its sign.
    pub(crate) fn moved(&mut self, account: AccountId, asset: &str, delta: &str, at: Timestamp) {
        let event = json!({"e": "balanceUpdate", "E": at.ms(), "a": asset, "d": delta, "T": at.ms()});
        self.waiting.push(UserEvent { account, event, ends: None });
    }
}

/// The last event of a subscription (`user-data-stream.md`, "Event Stream Terminated").
pub(super) fn terminated(at: Timestamp) -> Value {
    json!({"e": "eventStreamTerminated", "E": at.ms()})
}

pub(super) const fn contingency(contingency: Contingency) -> &'static str {
    match contingency {
        Contingency::Oco => "OCO",
        Contingency::Oto => "OTO",
    }
}

/// Reasons of an expiry in the venue's words (`enums.md`).
pub(super) const fn expiry(expiry: Expiry) -> &'static str {
    match expiry {
        Expiry::Rejected => "REJECTED",
        Expiry::OcoTrigger => "OCO_TRIGGER",
        Expiry::OtoPhaseOneExpired => "OTO_PHASE_ONE_EXPIRED",
        Expiry::UnfilledIoc => "UNFILLED_IOC_QUANTITY_EXPIRED",
        Expiry::UnfilledFok => "UNFILLED_FOK_ORDER_EXPIRED",
        Expiry::InsufficientLiquidity => "INSUFFICIENT_LIQUIDITY",
    }
}

/// The `executionReport` of a change; nothing for what the stream does not tell.
fn report(change: &Change, order: &Order, names: &Names<'_>, assets: &[Asset]) -> Option<Value> {
    let execution_type = match change {
        Change::New => "NEW",
        Change::Trade(_) => "TRADE",
        Change::Canceled => "CANCELED",
        Change::Replaced => "REPLACED",
        Change::Expired(_) => "EXPIRED",
        Change::Prevented(_) => "TRADE_PREVENTION",
        // Kept for the journal; the stream has no execution type for them (`enums.md`).
        Change::Tracking | Change::Triggered | Change::Held => return None,
    };
    // A cancel's report carries the name of the request, and the order's own as the original.
    let (name, original) = match (change, names.request) {
        (Change::Canceled, Some(request)) => (request, names.order),
        (Change::Canceled, None) => (names.order, names.order),
        (Change::Replaced, Some(before)) => (names.order, before),
        _ => (names.order, ""),
    };
    let at = order.updated.ms();
    let price = if order.kind.has_price() { order.price } else { Px::ZERO };
    let value = json!({
        "e": "executionReport", "E": at, "s": names.symbol, "c": name,
        "S": if order.side == Side::Buy { "BUY" } else { "SELL" }, "o": kind(order.kind), "f": tif(order.tif),
        "q": order.quantity.to_string(), "p": price.to_string(), "P": order.stop.to_string(), "F": order.iceberg.to_string(),
        "g": order.list.map_or(-1, |list| i64::try_from(list.0).unwrap_or(-1)), "C": original,
        "x": execution_type, "X": status(order.status), "r": "NONE", "i": order.id,
        "l": Qty::ZERO.to_string(), "z": order.filled.to_string(), "L": Px::ZERO.to_string(), "n": "0", "N": null,
        "T": at, "t": -1, "I": execution_id(change, order), "w": order.working.is_some() && !order.status.is_final(), "m": false,
        "M": false, "O": order.placed.ms(), "Z": order.filled_quote.to_string(), "Y": Money::ZERO.to_string(),
        "Q": order.budget.to_string(), "V": self_trade(order.self_trade),
    });
    let Value::Object(mut told) = value else { return None };
    if let Some(working) = order.working {
        told.insert("W".to_owned(), working.ms().into());
    }
    if order.trailing_bps > 0 {
        told.insert("d".to_owned(), order.trailing_bps.into());
        if let Some(since) = order.tracking {
            told.insert("D".to_owned(), since.ms().into());
        }
    }
    let notes = [("j", names.label.strategy_id), ("J", names.label.strategy_type)];
    told.extend(notes.into_iter().filter_map(|(name, noted)| Some((name.to_owned(), noted?.into()))));
    match change {
        Change::Trade(execution) => add_trade(&mut told, execution, assets),
        Change::Expired(reason) => drop(told.insert("eR".to_owned(), expiry(*reason).into())),
        Change::Prevented(prevented) => {
            let (mine, other) = match prevented.taker == order.id {
                true => (prevented.taker_prevented, prevented.maker),
                false => (prevented.maker_prevented, prevented.taker),
            };
            told.insert("v".to_owned(), prevented.id.into());
            told.insert("A".to_owned(), order.prevented.to_string().into());
            told.insert("B".to_owned(), mine.to_string().into());
            told.insert("u".to_owned(), order.account.index().into());
            told.insert("U".to_owned(), other.0.into());
            told.insert("Cs".to_owned(), names.symbol.as_str().into());
            told.insert("pl".to_owned(), mine.to_string().into());
            told.insert("pL".to_owned(), prevented.price.to_string().into());
            told.insert("pY".to_owned(), prevented.price.worth(mine).unwrap_or(Money::ZERO).to_string().into());
        }
        _ => {}
    }
    debug_assert!(order.status != Status::PendingNew || execution_type == "NEW", "a pending order is only told as new");
    Some(Value::Object(told))
}

fn add_trade(told: &mut Map<String, Value>, execution: &Execution, assets: &[Asset]) {
    for (name, value) in [
        ("l", execution.quantity.to_string().into()),
        ("L", execution.price.to_string().into()),
        ("Y", execution.quote.to_string().into()),
        ("n", execution.commission.to_string().into()),
        ("N", assets[execution.commission_asset.index()].as_str().into()),
        ("t", Value::from(execution.trade.0)),
        ("m", execution.is_maker.into()),
    ] {
        told.insert(name.to_owned(), value);
    }
}

/// A number that no other report of the market has. The two lowest bits tell what it is made of: a trade and its side, a prevented
/// match and its side, or an order and what became of it.
fn execution_id(change: &Change, order: &Order) -> u64 {
    let (kind, number) = match change {
        Change::Trade(execution) => (1, execution.trade.0.wrapping_mul(2) + u64::from(execution.is_maker)),
        Change::Prevented(prevented) => (2, prevented.id.wrapping_mul(2) + u64::from(prevented.taker == order.id)),
        Change::Replaced => return super::amend::execution_id(order),
        Change::New => (0, of_order(order, if order.status == Status::PendingNew { 0 } else { 1 })),
        Change::Canceled => (0, of_order(order, 2)),
        Change::Expired(_) => (0, of_order(order, 3)),
        Change::Tracking | Change::Triggered | Change::Held => (0, of_order(order, 4)),
    };
    number.wrapping_mul(4) + kind
}

/// Reports that an order can have besides trades.
const REPORTS_PER_ORDER: u64 = 256;

/// The number of a report of an order: its place among the order's reports.
pub(super) const fn of_order(order: &Order, place: u64) -> u64 {
    order.id.0.wrapping_mul(REPORTS_PER_ORDER).wrapping_add(place)
}
