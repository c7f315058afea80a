//! The closed list of what can be asked of the signer, its frames, and the channels they travel on.
//!
//! Invariant: no type that the signer sends to the desk or the supervisor can hold a secret. The two shows of
//! [`prompt::Show`] go to the prompt alone, over a socketpair that no other process holds.

pub mod about;
pub mod channel;
pub mod control;
mod deed;
pub mod desk;
pub mod end;
pub mod errand;
pub mod frame;
pub mod keeping;
pub mod line;
pub mod managed;
mod numbered;
pub mod prompt;
pub mod provider;
pub mod refusal;
pub mod status;
pub mod tpm;

pub use about::{About, Deed, Fact};
pub use channel::Channel;
pub use desk::{Action, KitOpening, Notice, PinChange, Reply, Request, Saved, Sealed, SignAsk};
pub use end::{ActionEnd, GIVEN_UP};
pub use keeping::{Account, Keeping, Kept};
pub use line::Line;
pub use refusal::Refusal;
pub use status::{DoorId, SessionInfo, Status, Walls};
