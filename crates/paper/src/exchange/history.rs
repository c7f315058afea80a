//! What happened to an account: its trades and the self-trades that were prevented (`rest-api.md`, “Account Endpoints”).
//! Invariant: only combinations of parameters that the documentation lists are answered.

use serde_json::{Value, json};
use strongroom_model::{Side, Timestamp, VenueOrderId};
use strongroom_venues::binance::wire;

use super::Exchange;
use super::answers::list_id;
use super::orders::LOOKUP_HOURS_MAX;
use super::params::Params;
use super::records::{Prevented, Record};
use super::refusal::ApiRefusal;
use super::routes::{Answer, Caller, json as answer};
use super::words;
use crate::engine::{Execution, SelfTrade};

/// Rows told at once, and when not said otherwise.
const ROWS_TOLD_MAX: usize = 1_000;
const ROWS_TOLD: usize = 500;

impl Exchange {
    pub(super) fn my_trades(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.floor.records(self.venue(&symbol)?.1.id);
        let order_id = params.integer("orderId")?.map(VenueOrderId);
        let from = params.integer("fromId")?;
        let (start, end) = params.span(LOOKUP_HOURS_MAX)?;
        let limit = params.limit(ROWS_TOLD, ROWS_TOLD_MAX)?;
        params.finish()?;
        let has_time = start.is_some() || end.is_some();
        if has_time && (from.is_some() || order_id.is_some()) {
            return Err(ApiRefusal::combination());
        }
        let trade = |(record, at, execution): (&Record, Timestamp, &Execution)| self.my_trade(&symbol, record, at, execution);
        let mut trades: Vec<wire::MyTrade> = match order_id {
            Some(id) => {
                let record = market.order(id).filter(|record| record.order.account == caller.account);
                let executions = record.into_iter().flat_map(|record| record.executions.iter().map(move |row| (record, row)));
                executions.map(|(record, (at, execution))| trade((record, *at, execution))).collect()
            }
            None => market.executions(caller.account).map(trade).collect(),
        };
        let after = |moment: Option<Timestamp>, time: i64| moment.is_none_or(|moment| time >= moment.ms());
        let before = |moment: Option<Timestamp>, time: i64| moment.is_none_or(|moment| time <= moment.ms());
        trades.retain(|trade| from.is_none_or(|from| trade.id >= from) && after(start, trade.time) && before(end, trade.time));
        trades.sort_by_key(|trade| trade.id);
        if from.is_some() || start.is_some() {
            trades.truncate(limit);
        } else {
            trades.drain(..trades.len().saturating_sub(limit));
        }
        answer(&trades)
    }

    fn my_trade(&self, symbol: &str, record: &Record, at: Timestamp, execution: &Execution) -> wire::MyTrade {
        wire::MyTrade {
            symbol: symbol.to_owned(),
            id: execution.trade.0,
            order_id: record.order.id.0,
            order_list_id: list_id(&record.order),
            price: execution.price.to_string(),
            qty: execution.quantity.to_string(),
            quote_qty: execution.quote.to_string(),
            commission: execution.commission.to_string(),
            commission_asset: self.floor.assets()[execution.commission_asset.index()].clone(),
            time: at.ms(),
            is_buyer: record.order.side == Side::Buy,
            is_maker: execution.is_maker,
            is_best_match: true,
        }
    }

    pub(super) fn prevented_matches(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.floor.records(self.venue(&symbol)?.1.id);
        let (id, order) = (params.integer("preventedMatchId")?, params.integer("orderId")?.map(VenueOrderId));
        let from = params.integer("fromPreventedMatchId")?;
        let limit = params.limit(ROWS_TOLD, ROWS_TOLD_MAX)?;
        params.finish()?;
        if id.is_some() && (order.is_some() || from.is_some()) {
            return Err(ApiRefusal::combination());
        }
        let row = |prevented: &Prevented| prevented_row(&symbol, caller.account.index(), prevented);
        let rows: Vec<Value> = match (id, order) {
            (Some(id), _) => market.prevented(caller.account, id).take_while(|prevented| prevented.matched.id == id).map(row).collect(),
            (None, Some(order)) => {
                let is_of = |prevented: &&Prevented| prevented.matched.taker == order || prevented.matched.maker == order;
                market.prevented(caller.account, from.unwrap_or(0)).filter(is_of).take(limit).map(row).collect()
            }
            (None, None) => return Err(ApiRefusal::either_missing("preventedMatchId", "orderId")),
        };
        answer(&rows)
    }

    /// No order is routed over several books here, so none is allocated.
    pub(super) fn no_allocations(&mut self, _: &mut Caller, params: &mut Params) -> Answer {
        self.venue(params.needed("symbol")?)?;
        params.span(LOOKUP_HOURS_MAX)?;
        for name in ["fromAllocationId", "orderId"] {
            params.integer(name)?;
        }
        params.limit(ROWS_TOLD, ROWS_TOLD_MAX)?;
        params.finish()?;
        answer(&json!([]))
    }
}

/// What each side lost is told only by the modes that take it away (`faqs/stp_faq.md`).
fn prevented_row(symbol: &str, group: usize, prevented: &Prevented) -> Value {
    let matched = &prevented.matched;
    let mut row = json!({
        "symbol": symbol, "preventedMatchId": matched.id, "takerOrderId": matched.taker, "makerSymbol": symbol,
        "makerOrderId": matched.maker, "tradeGroupId": group, "selfTradePreventionMode": words::self_trade(matched.mode),
        "price": matched.price.to_string(), "transactTime": prevented.at.ms(),
    });
    if let Value::Object(fields) = &mut row {
        if matched.mode != SelfTrade::ExpireMaker {
            fields.insert("takerPreventedQuantity".to_owned(), matched.taker_prevented.to_string().into());
        }
        if matched.mode != SelfTrade::ExpireTaker {
            fields.insert("makerPreventedQuantity".to_owned(), matched.maker_prevented.to_string().into());
        }
    }
    row
}
