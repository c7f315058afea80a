//! New orders as clients write them (`rest-api.md`, “New order”). Invariant: what a type needs is there and what it does
//! not know is refused, before anything changes.

use strongroom_model::{Notional, Price, Quantity, Side, TimeInForce};

use super::answers::Detail;
use super::params::Params;
use super::records::Label;
use super::refusal::ApiRefusal;
use super::words;
use crate::engine::{FilterFailure, Kind, Money, NewOrder, Px, Qty, Refusal, SelfTrade, Size};

/// The smallest `strategyType` (`errors.md`, -1134).
const STRATEGY_TYPE_MIN: u64 = 1_000_000;
/// Parameters of pegged orders, which this venue does not have.
const PEGS: [&str; 3] = ["pegPriceType", "pegOffsetType", "pegOffsetValue"];

/// What the parameters of one order are called: `price` alone, `abovePrice` in a list.
#[derive(Clone, Copy)]
pub(super) struct Names(&'static str);

impl Names {
    /// An order by itself.
    pub(super) const SINGLE: Self = Self("");

    /// An order of a list, such as `pendingAbove`.
    pub(super) const fn of_leg(prefix: &'static str) -> Self {
        Self(prefix)
    }

    /// This order's name of a parameter.
    pub(super) fn of(self, name: &str) -> String {
        let mut letters = name.chars();
        match (self.0, letters.next()) {
            ("", _) | (_, None) => name.to_owned(),
            (prefix, Some(first)) => format!("{prefix}{}{}", first.to_ascii_uppercase(), letters.as_str()),
        }
    }

    fn client_order_id(self) -> String {
        if self.0.is_empty() { "newClientOrderId".to_owned() } else { self.of("clientOrderId") }
    }
}

/// An order with what its client calls it; without a name when the venue has to make one.
pub(super) struct ReadOrder {
    pub(super) new: NewOrder,
    pub(super) name: Option<String>,
    pub(super) label: Label,
}

/// What an order's own parameters say.
struct Written {
    price: Option<Px>,
    quantity: Option<Qty>,
    budget: Option<Money>,
    tif: Option<TimeInForce>,
    stop: Option<Px>,
    trailing_bps: Option<u32>,
    iceberg: Option<Qty>,
}

pub(super) fn side(params: &mut Params, name: &str) -> Result<Side, ApiRefusal> {
    match params.needed(name)? {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(ApiRefusal::side()),
    }
}

pub(super) fn kind(params: &mut Params, name: &str) -> Result<Kind, ApiRefusal> {
    let wanted = params.needed(name)?;
    words::KINDS.into_iter().find(|kind| words::kind(*kind) == wanted).ok_or_else(ApiRefusal::order_type)
}

/// How much the answer tells; `usual` when it was not said.
pub(super) fn detail(params: &mut Params, usual: Detail) -> Result<Detail, ApiRefusal> {
    match params.optional("newOrderRespType")? {
        Some("ACK") => Ok(Detail::Ack),
        Some("RESULT") => Ok(Detail::Result),
        Some("FULL") => Ok(Detail::Full),
        Some(_) => Err(ApiRefusal::invalid("newOrderRespType")),
        None => Ok(usual),
    }
}

/// `MARKET` and `LIMIT` are told in full, all others are acknowledged.
pub(super) const fn usual_detail(kind: Kind) -> Detail {
    if matches!(kind, Kind::Limit | Kind::Market) { Detail::Full } else { Detail::Ack }
}

pub(super) fn self_trade(params: &mut Params) -> Result<SelfTrade, ApiRefusal> {
    let Some(wanted) = params.optional("selfTradePreventionMode")? else { return Ok(SelfTrade::None) };
    let known = words::SELF_TRADE_MODES.into_iter().find(|mode| words::self_trade(*mode) == wanted);
    match known {
        Some(mode) => Ok(mode),
        None if wanted == "TRANSFER" => Err(ApiRefusal::self_trade_mode()),
        None => Err(ApiRefusal::invalid("selfTradePreventionMode")),
    }
}

/// Reads one order. A quantity that the whole list shares is given as `shared`.
pub(super) fn order(
    params: &mut Params,
    names: Names,
    side: Side,
    kind: Kind,
    shared: Option<Qty>,
    mode: SelfTrade,
) -> Result<ReadOrder, ApiRefusal> {
    for peg in PEGS {
        if params.has(&names.of(peg)) {
            return Err(ApiRefusal::new(400, -2010, "Pegged orders are not supported for this symbol."));
        }
    }
    let mut written = written(params, names)?;
    written.quantity = shared.or(written.quantity);
    check_fields(&written, names, kind)?;
    let size = match (written.quantity, written.budget) {
        (Some(quantity), None) => Size::Base(quantity),
        (None, Some(budget)) => Size::Quote(budget),
        (Some(_), Some(_)) => return Err(ApiRefusal::combination()),
        (None, None) if kind == Kind::Market => return Err(ApiRefusal::either_missing(&names.of("quantity"), "quoteOrderQty")),
        (None, None) => return Err(ApiRefusal::missing(&names.of("quantity"))),
    };
    let new = NewOrder {
        side,
        kind,
        tif: written.tif.unwrap_or(TimeInForce::Gtc),
        price: written.price.unwrap_or_default(),
        size,
        stop: written.stop.unwrap_or_default(),
        trailing_bps: written.trailing_bps.unwrap_or_default(),
        iceberg: written.iceberg.unwrap_or_default(),
        self_trade: mode,
    };
    let name = params.client_order_id(&names.client_order_id())?;
    Ok(ReadOrder { new, name, label: label(params, names)? })
}

fn written(params: &mut Params, names: Names) -> Result<Written, ApiRefusal> {
    let written = Written {
        price: price(params, &names.of("price"))?,
        quantity: quantity(params, &names.of("quantity"))?,
        budget: match params.decimal(&names.of("quoteOrderQty"), Notional::parse)? {
            Some(budget) => Some(Money::of_notional(budget).ok_or(Refusal::Filter(FilterFailure::Notional))?),
            None => None,
        },
        tif: time_in_force(params, &names.of("timeInForce"))?,
        stop: price(params, &names.of("stopPrice"))?,
        trailing_bps: match params.integer(&names.of("trailingDelta"))? {
            Some(bps) => Some(u32::try_from(bps).map_err(|_| Refusal::Filter(FilterFailure::TrailingDelta))?),
            None => None,
        },
        iceberg: quantity(params, &names.of("icebergQty"))?.filter(|iceberg| !iceberg.is_zero()),
    };
    if written.stop.is_some_and(Px::is_zero) {
        return Err(Refusal::Filter(FilterFailure::Price).into());
    }
    if written.trailing_bps == Some(0) {
        return Err(Refusal::Filter(FilterFailure::TrailingDelta).into());
    }
    Ok(written)
}

/// What each type needs, and what it does not know (`rest-api.md`, “Additional mandatory parameters”).
fn check_fields(written: &Written, names: Names, kind: Kind) -> Result<(), ApiRefusal> {
    let (is_limit, is_algo) = (kind.has_price(), kind.is_algo());
    let has_tif = is_limit && kind != Kind::LimitMaker;
    let rows = [
        ("timeInForce", written.tif.is_some(), has_tif, has_tif),
        ("price", written.price.is_some(), is_limit, is_limit),
        ("icebergQty", written.iceberg.is_some(), is_limit, false),
        ("quoteOrderQty", written.budget.is_some(), kind == Kind::Market, false),
        ("stopPrice", written.stop.is_some(), is_algo, false),
        ("trailingDelta", written.trailing_bps.is_some(), is_algo, false),
    ];
    for (name, is_there, is_known, _) in rows {
        if is_there && !is_known {
            return Err(ApiRefusal::not_required(&names.of(name)));
        }
    }
    for (name, is_there, _, is_needed) in rows {
        if is_needed && !is_there {
            return Err(ApiRefusal::missing(&names.of(name)));
        }
    }
    if is_algo && written.stop.is_none() && written.trailing_bps.is_none() {
        return Err(ApiRefusal::either_missing(&names.of("stopPrice"), &names.of("trailingDelta")));
    }
    Ok(())
}

fn label(params: &mut Params, names: Names) -> Result<Label, ApiRefusal> {
    let label = Label { strategy_id: params.integer(&names.of("strategyId"))?, strategy_type: params.integer(&names.of("strategyType"))? };
    if label.strategy_type.is_some_and(|kind| kind < STRATEGY_TYPE_MIN) {
        return Err(ApiRefusal::strategy_type());
    }
    Ok(label)
}

/// A price; one that the engine cannot hold breaks the rule that bounds it.
pub(super) fn price(params: &mut Params, name: &str) -> Result<Option<Px>, ApiRefusal> {
    let Some(price) = params.decimal(name, Price::parse)? else { return Ok(None) };
    Ok(Some(Px::of(price).ok_or(Refusal::Filter(FilterFailure::Price))?))
}

/// A quantity; one that the engine cannot hold breaks the rule that bounds it.
pub(super) fn quantity(params: &mut Params, name: &str) -> Result<Option<Qty>, ApiRefusal> {
    let Some(quantity) = params.decimal(name, Quantity::parse)? else { return Ok(None) };
    Ok(Some(Qty::of(quantity).ok_or(Refusal::Filter(FilterFailure::Lot))?))
}

pub(super) fn time_in_force(params: &mut Params, name: &str) -> Result<Option<TimeInForce>, ApiRefusal> {
    match params.optional(name)? {
        None => Ok(None),
        Some("GTC") => Ok(Some(TimeInForce::Gtc)),
        Some("IOC") => Ok(Some(TimeInForce::Ioc)),
        Some("FOK") => Ok(Some(TimeInForce::Fok)),
        Some(_) => Err(ApiRefusal::tif()),
    }
}
