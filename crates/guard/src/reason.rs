//! Why the gate said no. Invariant: each reason names its rule, and says what was asked, what is allowed and what would pass.

mod of_rule;

use serde::{Deserialize, Serialize};
use strongroom_model::{Asset, ClientOrderId, Notional, Price, Quantity, Side, Symbol};
use thiserror::Error;

use crate::access::SessionEnd;
use crate::drift::DRIFT_MINUTES;
use crate::request::{CLOCK_OFFSET_US_MAX, RECV_WINDOW_MS_MAX};
use crate::said::{again, fewer, in_words, next, priced, rearmed, rest, short_of};

/// Why the gate said no.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reason {
    /// Nothing can be signed.
    #[error("the vault is sealed; unlock it with `strongroom vault unlock`")]
    Sealed,
    /// The desk's idea of the venue's clock is too far from ours.
    #[error(
        "the venue's clock is said to differ by {} ms; at most {} ms pass. Check this computer's clock", .offset_us / 1_000,
        CLOCK_OFFSET_US_MAX / 1_000
    )]
    ClockOffset {
        /// What the desk said.
        offset_us: i64,
    },
    /// A window in which a signed request could be sent for too long.
    #[error("a receive window of {asked_ms} ms is outside of 1 to {RECV_WINDOW_MS_MAX} ms")]
    RecvWindow {
        /// What was asked for.
        asked_ms: u32,
    },
    /// The venue has no request for it, or none that means no more.
    #[error("{why}; nothing was signed")]
    NotOffered {
        /// What it lacks, or what it would mean.
        why: String,
        /// What is offered.
        passes: String,
    },
    /// No such key in the vault.
    #[error("there is no such key in the vault; see `strongroom key list`")]
    NoKey,
    /// None was named, and none is in use.
    #[error("no key is in use here; take one in, or try and use one of `strongroom key list`")]
    NoKeyInUse,
    /// The stage of a key does not allow this.
    #[error("this key does not sign that: it is {is}; one that is in use does")]
    KeyStage {
        /// What it is, in words.
        is: String,
    },
    /// Only cancels are signed.
    #[error("the kill switch is engaged ({why}); orders are refused until it is re-armed")]
    KillSwitch {
        /// Who or what engaged it.
        why: String,
    },
    /// Only cancels are signed until somebody unlocks.
    #[error("no session: {end}; unlock with `strongroom vault unlock`")]
    Session {
        /// How the last one ended.
        end: SessionEnd,
    },
    /// The session may not do this.
    #[error("this session has no {needed} role, only {has}; a person with that role can")]
    Role {
        /// Missing role.
        needed: String,
        /// Those it has.
        has: String,
    },
    /// The key is not meant for this.
    #[error("the key in use is not meant for this: {allowed}, and asked was {asked}")]
    Scope {
        /// What was asked for.
        asked: String,
        /// What it is for.
        allowed: String,
    },
    /// The symbol is not on the list.
    #[error("{symbol} is not on the instrument list; what passes: {listed}")]
    Instrument {
        /// What was asked for.
        symbol: Symbol,
        /// What is on it.
        listed: String,
    },
    /// Too many orders.
    #[error("{limit} new orders per minute are allowed, and so many were signed; {}", next(*.limit, *.retry_after_ms))]
    OrderRate {
        /// Allowed per minute.
        limit: u32,
        /// When the oldest leaves the window.
        retry_after_ms: u64,
    },
    /// Too large in base.
    #[error("a quantity of {asked} is above the maximum of {max} for one order; at most that passes")]
    MaxQuantity {
        /// What was asked for.
        asked: Quantity,
        /// The most allowed.
        max: Quantity,
    },
    /// Too large in quote.
    #[error("an order value of {asked} {currency} is above the maximum of {max}; above zero and up to that passes")]
    MaxNotional {
        /// What was asked for.
        asked: Notional,
        /// The most allowed.
        max: Notional,
        /// In what.
        currency: Asset,
    },
    /// Outside the absolute band.
    #[error("price {asked} is outside the band {low} to {high}; both ends pass")]
    PriceBand {
        /// What was asked for.
        asked: Price,
        /// Lowest allowed.
        low: Price,
        /// Highest allowed.
        high: Price,
    },
    /// Too much in one day.
    #[error(
        "worth up to {asked} {currency}, it would bring what was signed in 24 hours from {counted} above {max}; {}", rest(*.max, *.retry_after_ms)
    )]
    DayNotional {
        /// The most that the order can be worth.
        asked: Notional,
        /// What counts already.
        counted: Notional,
        /// The most allowed.
        max: Notional,
        /// In what.
        currency: Asset,
        /// When the first of it leaves.
        retry_after_ms: u64,
    },
    /// Too much of one person or bot in one day.
    #[error(
        "worth up to {asked} {currency}, it would bring what {of} signed in 24 hours from {counted} above {max}; {}", rest(*.max, *.retry_after_ms)
    )]
    Threshold {
        /// Whose.
        of: String,
        /// The most that the order can be worth.
        asked: Notional,
        /// What counts already.
        counted: Notional,
        /// The most allowed.
        max: Notional,
        /// In what.
        currency: Asset,
        /// When the first of it leaves.
        retry_after_ms: u64,
    },
    /// It may only reduce, and cannot.
    #[error("an order that may only reduce what is held is a sale of a base quantity; without the mark it passes this rule")]
    ReduceOnly,
    /// So large an order is confirmed first.
    #[error("an order worth up to {asked} {currency} is confirmed with a code first; up to {above} passes without")]
    Confirm {
        /// The most that the order can be worth.
        asked: Notional,
        /// What passes without a code.
        above: Notional,
        /// In what.
        currency: Asset,
    },
    /// Too many orders since the log's head was signed last: what is signed next could be left out of the log.
    #[error("{since} orders were signed since the log's head was; it has to be signed first")]
    HeadDue {
        /// Since then.
        since: u64,
    },
    /// The owner's limits would be beyond those of an organisation.
    #[error("{organisation} has a limit here. {limit}: {asked} is beyond it, {passes} would pass. Nothing was changed")]
    Managed {
        /// Whose limit.
        organisation: String,
        /// Its name, as in a file of limits.
        limit: String,
        /// What was asked for.
        asked: String,
        /// What would pass.
        passes: String,
    },
    /// Limits that no vault takes.
    #[error("these are no limits: {part} is {value}; {passes} would pass. Nothing was changed")]
    PolicyRange {
        /// Which part of them, as in a file of limits.
        part: String,
        /// What it is.
        value: String,
        /// What it could be.
        passes: String,
    },
    /// The name of an order is in use.
    #[error("an order named {id} exists already; under another name the same passes")]
    NameTaken {
        /// The name.
        id: ClientOrderId,
    },
    /// The desk has its hands full.
    #[error("{live} orders are live, and {max} may be; the same passes once one is over")]
    TooMany {
        /// Now.
        live: usize,
        /// The most that the desk looks after.
        max: usize,
    },
    /// An order cannot be made so small, or not smaller at all.
    #[error("{id} cannot be made {asked}: {is}")]
    Amend {
        /// Which order.
        id: ClientOrderId,
        /// What was asked for.
        asked: Quantity,
        /// How it stands.
        is: String,
        /// Filled, and asked for when it was placed: what passes lies between them; nothing: no quantity does.
        between: Option<(Quantity, Quantity)>,
    },
    /// Not to be bought.
    #[error("{symbol} is restricted: it is sold, and not bought")]
    Restricted {
        /// What was asked for.
        symbol: Symbol,
    },
    /// Too far from the mark.
    #[error("price {asked} is more than {collar_bps} basis points worse than the mark {mark}; {worst} or better passes")]
    PriceCollar {
        /// What was asked for.
        asked: Price,
        /// The worst price that passes at this mark.
        worst: Price,
        /// Halfway between best bid and ask.
        mark: Price,
        /// Allowed distance.
        collar_bps: u32,
    },
    /// Too far from where the market was.
    #[error(
        "{} is more than {drift_bps} basis points worse than {best}, the best of {DRIFT_MINUTES} minutes; {worst} or better passes", priced(.asked)
    )]
    PriceDrift {
        /// What was asked for; of a market order what it would fill at, if the book says.
        asked: Option<Price>,
        /// The worst price that passes now.
        worst: Price,
        /// The mark to compare with.
        best: Price,
        /// Allowed distance.
        drift_bps: u32,
    },
    /// No market data to compare with.
    #[error("no current price is known for {symbol}, and the price collar cannot be checked; the order passes once prices arrive again")]
    Mark {
        /// What was asked for.
        symbol: Symbol,
    },
    /// Worth too much at the mark.
    #[error(
        "at the mark {mark} it is worth {asked} {currency}, above the maximum of {max} for one order; up to {room} of the instrument passes"
    )]
    ValueAtMark {
        /// What it is worth.
        asked: Notional,
        /// The most allowed.
        max: Notional,
        /// In what.
        currency: Asset,
        /// Halfway between best bid and ask.
        mark: Price,
        /// The most that passes at this mark.
        room: Quantity,
    },
    /// The book is too thin.
    #[error(
        "it would fill {}, which is more than {slippage_bps} basis points worse than the mark {mark}; a smaller one passes, or one with a \
         price of {worst} or better",
        .average.map_or_else(|| "beyond the book that is known".to_owned(), |price| format!("at {price} on average"))
    )]
    Slippage {
        /// By the book as it is; nothing: it does not hold so much.
        average: Option<Price>,
        /// The worst average that passes at this mark.
        worst: Price,
        /// Halfway between best bid and ask.
        mark: Price,
        /// Allowed distance.
        slippage_bps: u32,
    },
    /// Too many orders are open.
    #[error("{open} orders are open, and {max} may be; {}", fewer(*.max))]
    OpenOrders {
        /// Now.
        open: u32,
        /// The most allowed.
        max: u32,
    },
    /// More than could be reduced.
    #[error("it may only reduce what is held: {left} of {symbol} can still be sold, and it sells {asked}")]
    ReduceHeld {
        /// Which.
        symbol: Symbol,
        /// What it would sell.
        asked: Quantity,
        /// Held, less what open orders sell.
        left: Quantity,
    },
    /// Too much of one instrument.
    #[error("with this order and all that are open, {after} of {symbol} could be held; at most {max} may be, so up to {room} more passes")]
    Position {
        /// Which.
        symbol: Symbol,
        /// Held and bought by open orders and this one.
        after: Quantity,
        /// What may still be bought.
        room: Quantity,
        /// The most allowed.
        max: Quantity,
    },
    /// Too much altogether.
    #[error(
        "with this order and all that are open, instruments worth {after} {currency} could be held{}; at most {max} may be, so up to {room} more \
         passes",
        .of.as_ref().map_or_else(String::new, |of| format!(" at {of}"))
    )]
    Exposure {
        /// A venue or an account; nothing: everywhere.
        of: Option<String>,
        /// Held and bought by open orders and this one, at marks.
        after: Notional,
        /// For how much may still be bought.
        room: Notional,
        /// The most allowed.
        max: Notional,
        /// In what.
        currency: Asset,
    },
    /// A rule needs to know what is held.
    #[error("the venue has not told yet what is held, and for {symbol} it has to be known; the order passes once it has")]
    ExposureUnknown {
        /// What was asked for.
        symbol: Symbol,
    },
    /// Nothing is sent before it is known what is open.
    #[error("the venue has not told yet what is open at the account; orders pass once it has")]
    OpenUnknown,
    /// The same again.
    #[error("the same order was sent as {earlier} a moment ago; it passes in {retry_after_ms} ms")]
    Duplicate {
        /// The earlier one.
        earlier: ClientOrderId,
        /// When it is no repetition any more.
        retry_after_ms: u64,
    },
    /// Mostly cancelled.
    #[error(
        "{percent} cancels for a hundred orders within an hour; at most {max} are allowed. Orders pass again in {}", in_words(*.retry_after_ms)
    )]
    CancelRatio {
        /// Cancels for a hundred orders.
        percent: u32,
        /// When enough of them are an hour old.
        retry_after_ms: u64,
        /// The most allowed.
        max: u32,
    },
    /// It would trade with itself.
    #[error("it could trade with your own order {own}; a price {} {rests} passes, or any once that one is cancelled", short_of(*.side))]
    SelfTrade {
        /// Which way this one goes.
        side: Side,
        /// The price of that one.
        rests: Price,
        /// The one that rests.
        own: ClientOrderId,
    },
    /// Too large a loss.
    #[error("today's trades lost {loss} {currency}; at most {max} may be lost. Orders pass tomorrow (UTC), or under a higher limit{}", rearmed(*.stops))]
    DayLoss {
        /// At marks.
        loss: Notional,
        /// The most allowed.
        max: Notional,
        /// In what.
        currency: Asset,
        /// Whether everything was stopped.
        stops: bool,
    },
    /// Too deep a fall.
    #[error(
        "today's result fell {drawdown} {currency} from its highest; at most {max} may be lost of it. Orders pass tomorrow (UTC), or under a \
         higher limit{}", rearmed(*.stops)
    )]
    Drawdown {
        /// At marks.
        drawdown: Notional,
        /// The most allowed.
        max: Notional,
        /// In what.
        currency: Asset,
        /// Whether everything was stopped.
        stops: bool,
    },
    /// Something places the same again and again.
    #[error("more than {max} orders to {} {symbol} filled within a minute; {}", .side.word(), again(*.eases_in_ms))]
    RepeatedExecution {
        /// Which.
        symbol: Symbol,
        /// Which way.
        side: Side,
        /// The most allowed.
        max: u32,
        /// When one of them leaves the minute; nothing: whose they are is stopped.
        eases_in_ms: Option<u64>,
    },
}
