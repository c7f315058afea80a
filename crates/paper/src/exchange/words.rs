//! The venue's words for what the engine knows (`enums.md`). Invariant: each has one word, the same in answers and events.

use strongroom_model::{Side, TimeInForce};

use crate::engine::{Kind, SelfTrade, Status};

pub(super) const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::PendingNew => "PENDING_NEW",
        Status::New => "NEW",
        Status::PartiallyFilled => "PARTIALLY_FILLED",
        Status::Filled => "FILLED",
        Status::Canceled => "CANCELED",
        Status::Expired => "EXPIRED",
        Status::ExpiredInMatch => "EXPIRED_IN_MATCH",
    }
}

pub(super) const fn tif(tif: TimeInForce) -> &'static str {
    match tif {
        TimeInForce::Gtc => "GTC",
        TimeInForce::Ioc => "IOC",
        TimeInForce::Fok => "FOK",
    }
}

pub(super) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Limit => "LIMIT",
        Kind::LimitMaker => "LIMIT_MAKER",
        Kind::Market => "MARKET",
        Kind::StopLoss => "STOP_LOSS",
        Kind::StopLossLimit => "STOP_LOSS_LIMIT",
        Kind::TakeProfit => "TAKE_PROFIT",
        Kind::TakeProfitLimit => "TAKE_PROFIT_LIMIT",
    }
}

/// All order types, in the order in which `exchangeInfo` names them.
pub(super) const KINDS: [Kind; 7] =
    [Kind::Limit, Kind::LimitMaker, Kind::Market, Kind::StopLoss, Kind::StopLossLimit, Kind::TakeProfit, Kind::TakeProfitLimit];

pub(super) const fn self_trade(mode: SelfTrade) -> &'static str {
    match mode {
        SelfTrade::None => "NONE",
        SelfTrade::ExpireTaker => "EXPIRE_TAKER",
        SelfTrade::ExpireMaker => "EXPIRE_MAKER",
        SelfTrade::ExpireBoth => "EXPIRE_BOTH",
        SelfTrade::Decrement => "DECREMENT",
    }
}

/// The modes that the venue knows; it does not know `TRANSFER`.
pub(super) const SELF_TRADE_MODES: [SelfTrade; 5] =
    [SelfTrade::None, SelfTrade::ExpireTaker, SelfTrade::ExpireMaker, SelfTrade::ExpireBoth, SelfTrade::Decrement];
