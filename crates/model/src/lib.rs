//! The domain's words, and nothing else.
//!
//! Invariant: no clock, no chance, no I/O, no floating point. A value that exists is a valid one:
//! every type with a rule is built by a `parse` or `new` that checks it.

mod advice;
mod book;
mod credential;
mod ids;
mod instrument;
mod intent;
mod money;
mod remark;
mod report;
mod request;
mod role;
mod scope;
mod slot;
mod text;
mod time;

pub use advice::Advice;
pub use book::{Book, Candle, DepthUpdate, Level, MarketTrade, SequenceGap};
pub use credential::{
    ACCOUNT_LEN_MAX, CredentialId, CredentialInfo, DetailsError, KeyDetails, KeyEdit, KeyRights, KeyStage, Origin, ROTATE_DAYS, Scheme,
    Venue,
};
pub use ids::{ClientOrderId, IdError, OrderRef, OwnerTag, TradeId, VenueOrderId};
pub use instrument::{Asset, FilterError, Instrument, LotRule, NotionalRule, OrderRule, PercentRule, Symbol, SymbolError, TickRule};
pub use intent::{Intent, MarketSize, Operation, OrderSpec, PlaceOrder, Side, TimeInForce};
pub use money::{Amount, MoneyError, Notional, Price, Quantity};
pub use remark::{REMARK_LEN_MAX, Remark, RemarkError, is_plain};
pub use report::{Balance, ExecutionReport, Fill, OrderStatus};
pub use request::{Method, SignedRequest};
pub use role::Role;
pub use scope::{DayWindow, KeyOperation, KeyScope, OrderKind, OutOfScope};
pub use slot::{MachineSecret, ShareKeeper, SlotFor, SlotInfo};
pub use time::Timestamp;
