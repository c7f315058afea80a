//! The embedded venue: matching engine and Binance-compatible API

pub mod engine;
pub mod exchange;
