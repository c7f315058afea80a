//! The embedded venue: a matching engine behind the Binance spot API, with a market that is alive.
//!
//! Invariant: the venue proper ([`engine`], [`exchange`]) knows no clock and no network; [`start`] adds both, on
//! loopback only. Orders, balances, certificates and API keys outlive the process.

mod admin;
mod api_socket;
mod authority;
pub mod engine;
pub mod exchange;
mod faults;
mod files;
mod journal;
mod kept;
mod keys;
mod server;
mod socket;
mod streams;
mod time_unit;

pub use admin::{AdminAsk, AdminClient, AdminTell, Whereabouts};
pub use authority::AuthorityError;
pub use exchange::{AccountView, Scene};
pub use faults::{Certificate, Fault, FaultError, Faults, SOCKET, StreamFault, Target};
pub use journal::JournalError;
pub use keys::{KeyScheme, KeysError, NewKey, PaperKey};
pub use server::{Config, Market, PaperHandle, StartError, start};
