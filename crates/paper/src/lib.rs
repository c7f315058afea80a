//! The embedded venue: matching engine and Binance-compatible API
