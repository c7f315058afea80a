//! What is known of a drafted order before it is sent. Invariant: a check informs; what it promises is enforced by the
//! signer and the desk when the order comes.

use serde::{Deserialize, Serialize};
pub use strongroom_guard::Enforcer;
use strongroom_model::{Amount, Asset, Notional};

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// As it should be.
    Pass,
    /// Allowed, if it is meant.
    Ask,
    /// It would be refused.
    Refuse,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Of what.
    pub name: String,
    /// What it found.
    pub state: CheckState,
    /// For people, when it does not pass: fact, effect, action.
    pub words: String,
    /// The numbers.
    pub detail: String,
    /// Who enforces it.
    pub by: Enforcer,
    /// It is a rule that risk can let one order pass.
    pub can_pass: bool,
}

/// All checks of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Checks {
    /// In the order of their weight.
    pub checks: Vec<Check>,
    /// The order read back.
    pub words: String,
    /// Its value, for market orders at the book as it is.
    pub notional: Option<Notional>,
    /// Estimated from the rate of the last fill; unknown before one.
    pub fee: Option<Amount>,
    /// What the fee is taken in.
    pub fee_asset: Asset,
    /// What is left of the asset that is given; nothing when it does not suffice or is not known.
    pub balance_after: Option<Amount>,
    /// The asset that is given.
    pub balance_asset: Asset,
}
