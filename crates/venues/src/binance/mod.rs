//! Binance spot: REST and market streams as documented in `binance/binance-spot-api-docs` (July 2026).

pub mod decode;
pub mod encode;
pub mod limits;
pub mod scheme;
pub mod stream;
pub mod symbol;
pub mod wire;

pub use decode::VenueError;
pub use encode::Unsigned;
pub use scheme::{KeyError, SigningKey, VerifyingKey};
