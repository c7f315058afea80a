//! On what terms an account trades. Invariant: counts are of open and pending orders over all markets.

use rust_decimal::Decimal;

use super::ledger::AccountId;
use super::units::Share;

/// Shares of what a trade yields that the venue keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Of the resting side.
    pub maker: Decimal,
    /// Of the arriving side.
    pub taker: Decimal,
}

impl Fees {
    /// Nothing is charged.
    pub const NONE: Self = Self { maker: Decimal::ZERO, taker: Decimal::ZERO };
}

/// Terms and counts of one account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) fees: Fees,
    pub(crate) maker: Share,
    pub(crate) taker: Share,
    pub(crate) is_house: bool,
    /// The trade group (`faqs/stp_faq.md`).
    pub(crate) group: Option<u32>,
    pub(crate) orders: u32,
    pub(crate) algo_orders: u32,
}

impl Terms {
    pub(crate) fn new(fees: Fees, is_house: bool) -> Self {
        let (maker, taker) = (Share::of(fees.maker), Share::of(fees.taker));
        Self { fees, maker, taker, is_house, group: None, orders: 0, algo_orders: 0 }
    }

    /// Whether a trade between the two would be a self-trade: one account, or one trade group.
    pub(crate) fn are_same(terms: &[Self], one: AccountId, other: AccountId) -> bool {
        one == other || terms[one.index()].group.is_some_and(|group| terms[other.index()].group == Some(group))
    }
}

/// Counts that bind an account over all markets; zero for no rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VenueRules {
    /// `EXCHANGE_MAX_NUM_ORDERS`.
    pub orders: u32,
    /// `EXCHANGE_MAX_NUM_ALGO_ORDERS`.
    pub algo_orders: u32,
}
