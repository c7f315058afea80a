//! The embedded venue: a matching engine behind the Binance spot API, with a market that is alive.
//!
//! Invariant: the venue proper ([`engine`], [`exchange`]) knows no clock and no network; [`start`] adds both, on
//! loopback only. Orders and balances live as long as the process; certificates and API keys outlive it.

mod api_socket;
mod authority;
pub mod engine;
pub mod exchange;
mod faults;
mod files;
mod keys;
mod server;
mod socket;
mod streams;

pub use authority::AuthorityError;
pub use faults::{Fault, Faults, SOCKET, Target};
pub use keys::{KeysError, PaperKey};
pub use server::{Config, Market, PaperHandle, StartError, start};
