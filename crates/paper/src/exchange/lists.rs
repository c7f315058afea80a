//! Placing order lists: OCO, OTO, OTOCO (`rest-api.md`, “Order lists”). Invariant: all orders of a list come in, or none.

use strongroom_model::Side;

use super::Exchange;
use super::answers::{Detail, Placed};
use super::list_answers::{ListAnswer, members};
use super::params::Params;
use super::read_order::{self, Names, ReadOrder};
use super::records::Tag;
use super::refusal::ApiRefusal;
use super::routes::{Answer, Caller, json as answer};
use crate::engine::{Kind, MarketId, NewList, Qty, SelfTrade};

/// A new list as far as all kinds of them are alike.
struct ListRequest {
    symbol: String,
    market: MarketId,
    name: Option<String>,
    detail: Detail,
    mode: SelfTrade,
}

impl Exchange {
    pub(super) fn place_oco(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let request = self.read_list(params)?;
        let side = read_order::side(params, "side")?;
        let quantity = needed_quantity(params, "quantity")?;
        let pair = read_pair(params, ["above", "below"], side, quantity, request.mode)?;
        params.finish()?;
        let new = NewList::Oco { above: pair[0].new, below: pair[1].new };
        self.place_list(caller, request, new, pair.into())
    }

    pub(super) fn place_oto(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let request = self.read_list(params)?;
        let working = read_working(params, request.mode)?;
        let side = read_order::side(params, "pendingSide")?;
        let kind = read_order::kind(params, "pendingType")?;
        let pending = read_order::order(params, Names::of_leg("pending"), side, kind, None, request.mode)?;
        params.finish()?;
        let new = NewList::Oto { working: working.new, pending: pending.new };
        self.place_list(caller, request, new, vec![working, pending])
    }

    pub(super) fn place_otoco(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let request = self.read_list(params)?;
        let working = read_working(params, request.mode)?;
        let side = read_order::side(params, "pendingSide")?;
        let quantity = needed_quantity(params, "pendingQuantity")?;
        let [above, below] = read_pair(params, ["pendingAbove", "pendingBelow"], side, quantity, request.mode)?;
        params.finish()?;
        let new = NewList::Otoco { working: working.new, above: above.new, below: below.new };
        self.place_list(caller, request, new, vec![working, above, below])
    }

    /// The deprecated `POST /api/v3/order/oco`: a post-only order against a stop, in its own parameter names.
    pub(super) fn place_old_oco(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let request = self.read_list(params)?;
        let side = read_order::side(params, "side")?;
        let quantity = needed_quantity(params, "quantity")?;
        params.needed("price")?;
        params.needed("stopPrice")?;
        params.rename("price", "limitPrice");
        params.rename("stopPrice", "stopStopPrice");
        let stop_limit = params.rename("stopLimitPrice", "stopPrice");
        if !params.rename("stopLimitTimeInForce", "stopTimeInForce") && stop_limit {
            return Err(ApiRefusal::missing("stopLimitTimeInForce"));
        }
        params.rename("trailingDelta", "stopTrailingDelta");
        let stop_kind = if stop_limit { Kind::StopLossLimit } else { Kind::StopLoss };
        let limit = read_order::order(params, Names::of_leg("limit"), side, Kind::LimitMaker, Some(quantity), request.mode)?;
        let stop = read_order::order(params, Names::of_leg("stop"), side, stop_kind, Some(quantity), request.mode)?;
        params.finish()?;
        let pair = if side == Side::Sell { [limit, stop] } else { [stop, limit] };
        let new = NewList::Oco { above: pair[0].new, below: pair[1].new };
        self.place_list(caller, request, new, pair.into())
    }

    /// Nothing pays for itself here (`errors.md`: OPO orders are not supported for this symbol).
    pub(super) fn refuse_opo(&mut self, _: &mut Caller, _: &mut Params) -> Answer {
        Err(ApiRefusal::new(400, -2010, "OPO orders are not supported for this symbol."))
    }

    fn read_list(&self, params: &mut Params) -> Result<ListRequest, ApiRefusal> {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.venue(&symbol)?.1.id;
        Ok(ListRequest {
            symbol,
            market,
            name: params.client_order_id("listClientOrderId")?,
            detail: read_order::detail(params, Detail::Result)?,
            mode: read_order::self_trade(params)?,
        })
    }

    fn place_list(&mut self, caller: &mut Caller, request: ListRequest, new: NewList, orders: Vec<ReadOrder>) -> Answer {
        let ListRequest { symbol, market, name, detail, .. } = request;
        self.admit_order(caller)?;
        let made = self.make_name(market, caller.now);
        let tags: Vec<Tag> = (1..)
            .zip(orders)
            .map(|(at, order)| Tag { name: order.name.unwrap_or_else(|| format!("{made}-{at}")), label: order.label })
            .collect();
        let count = tags.len();
        let id = self.floor.place_list(caller.now, caller.account, market, name.unwrap_or(made), tags, &new)?;
        self.count_orders(caller, count);
        self.after_trading(caller.now, market);
        self.tell_order_count(caller);
        let kept = self.floor.lists().get(caller.account, id).ok_or_else(ApiRefusal::no_such_order)?;
        let records = self.floor.records(market);
        let reports = members(kept, records).map(|record| Placed::of(&symbol, record, detail, caller.now, self.floor.assets()));
        answer(&ListAnswer::of(&symbol, kept, records, reports.collect()))
    }
}

fn needed_quantity(params: &mut Params, name: &str) -> Result<Qty, ApiRefusal> {
    read_order::quantity(params, name)?.ok_or_else(|| ApiRefusal::missing(name))
}

fn read_working(params: &mut Params, mode: SelfTrade) -> Result<ReadOrder, ApiRefusal> {
    let side = read_order::side(params, "workingSide")?;
    let kind = read_order::kind(params, "workingType")?;
    read_order::order(params, Names::of_leg("working"), side, kind, None, mode)
}

/// Reads the two orders of which one cancels the other; above first.
fn read_pair(
    params: &mut Params,
    prefixes: [&'static str; 2],
    side: Side,
    quantity: Qty,
    mode: SelfTrade,
) -> Result<[ReadOrder; 2], ApiRefusal> {
    let [above, below] = prefixes.map(Names::of_leg);
    let kinds = [read_order::kind(params, &above.of("type"))?, read_order::kind(params, &below.of("type"))?];
    check_places(side, kinds)?;
    for (names, kind) in [(above, kinds[0]), (below, kinds[1])] {
        let (tif, iceberg) = (names.of("timeInForce"), names.of("icebergQty"));
        let rests = read_order::time_in_force(params, &tif)?.is_none_or(|tif| tif == strongroom_model::TimeInForce::Gtc);
        if params.has(&iceberg) && !rests && kind.has_price() {
            return Err(ApiRefusal::iceberg_tif(&iceberg, &tif));
        }
    }
    let above = read_order::order(params, above, side, kinds[0], Some(quantity), mode)?;
    let below = read_order::order(params, below, side, kinds[1], Some(quantity), mode)?;
    Ok([above, below])
}

/// Which types may stand above and below (`errors.md`, -1158 to -1199).
fn check_places(side: Side, [above, below]: [Kind; 2]) -> Result<(), ApiRefusal> {
    if [above, below].iter().any(|kind| matches!(kind, Kind::Limit | Kind::Market)) {
        return Err(ApiRefusal::new(400, -1158, "Order type not supported in OCO."));
    }
    if (above, below) == (Kind::LimitMaker, Kind::LimitMaker) {
        return Err(ApiRefusal::new(400, -1168, "At least one OCO order must be contingent."));
    }
    // The wrong kinds of each place: a sell takes profit above and stops its loss below, a buy the other way round.
    let (misplaced_profit, misplaced_stop) = if side == Side::Sell { (below, above) } else { (above, below) };
    let (code, msg) = match (side, misplaced_profit, misplaced_stop) {
        (Side::Buy, Kind::LimitMaker, _) => (-1165, "A limit order in a buy OCO must be below."),
        (Side::Sell, Kind::LimitMaker, _) => (-1166, "A limit order in a sell OCO must be above."),
        (Side::Buy, Kind::TakeProfit | Kind::TakeProfitLimit, _) => (-1198, "A take profit order in a buy OCO must be below."),
        (Side::Sell, Kind::TakeProfit | Kind::TakeProfitLimit, _) => (-1199, "A take profit order in a sell OCO must be above."),
        (Side::Buy, _, Kind::StopLoss | Kind::StopLossLimit) => (-1196, "A stop loss order in a buy OCO must be above."),
        (Side::Sell, _, Kind::StopLoss | Kind::StopLossLimit) => (-1197, "A stop loss order in a sell OCO must be below."),
        _ => return Ok(()),
    };
    Err(ApiRefusal::new(400, code, msg))
}
