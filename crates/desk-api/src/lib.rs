//! What a door can ask of the desk and of the supervisor, and how it reaches them.
//!
//! Invariant: requests and answers are closed lists; none has a field for a password, a code or an API secret.

pub mod action;
pub mod door;
pub mod drill;
pub mod keys;
pub mod kill;
pub mod line;
pub mod market;
mod permissions;
pub mod session;
pub mod socket;
pub mod supervisor;
pub mod ticket;

pub use action::DoorAction;
pub use door::{Ask, AuditEntry, BookView, DoorError, Fate, Mode, OrderView, Tell, VaultState, VaultView};
pub use drill::Drilled;
pub use keys::{DueReason, KeyView, RotationStep};
pub use kill::{KillReport, LeftOrder};
pub use line::{CertificateView, CountedBy, Latency, LimitView, LineKind, LineView, PinState, SeenKey};
pub use market::{Day, Frame, Interval, Row, TradeRow, Watch};
pub use session::{SessionRow, SessionView};
pub use socket::DeskClient;
pub use strongroom_guard::{Freeze, KillScope, Policy, Unmet};
pub use strongroom_model::{KeyEdit, KeyRights};
pub use ticket::{Check, CheckState, Checks, Enforcer};
