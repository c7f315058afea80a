//! Why the engine did not do what was asked. Invariant: a refusal changed nothing.

use thiserror::Error;

use super::filters::FilterFailure;

/// Why the engine did not do what was asked (`errors.md`, “Messages for -1010, -2010, -2011, and -2038”).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Against a rule of the instrument.
    #[error("filter failure: {0}")]
    Filter(FilterFailure),
    /// The account has too little.
    #[error("the account has too little")]
    InsufficientBalance,
    /// An open order of this account has the same name.
    #[error("an open order of this account has the same name")]
    DuplicateClientOrderId,
    /// A post-only order would trade at once.
    #[error("a post-only order would trade at once")]
    WouldTake,
    /// No open order of this account is meant.
    #[error("no open order of this account is meant")]
    UnknownOrder,
    /// Trading in the market is halted.
    #[error("the market is closed")]
    MarketClosed,
    /// The trigger price is reached already.
    #[error("the stop price would trigger immediately")]
    WouldTrigger,
    /// Type, time in force, trigger and iceberg do not fit together.
    #[error("this combination of order type, time in force, trigger and iceberg is not supported")]
    UnsupportedCombination,
    /// The shown slice is larger than the order.
    #[error("the iceberg quantity is larger than the quantity")]
    IcebergTooLarge,
    /// The prices of a list's legs contradict the last price or each other.
    #[error("the relationship of the prices for the orders is not correct")]
    PriceRelation,
    /// A quote-sized order meets an empty book.
    #[error("there is nothing to trade with")]
    NoLiquidity,
    /// The quote amount buys less than one step of quantity.
    #[error("the liquidity is less than one step of quantity")]
    TooLittleLiquidity,
    /// An amendment would make the order larger.
    #[error("an amendment cannot make an order larger")]
    AmendIncreases,
    /// An amendment would change nothing.
    #[error("the amendment would change nothing")]
    AmendChangesNothing,
    /// An amendment would leave nothing to trade.
    #[error("the new quantity has been traded already")]
    AmendTooSmall,
    /// More than an engine can count.
    #[error("the engine cannot hold this amount")]
    TooMuch,
}
