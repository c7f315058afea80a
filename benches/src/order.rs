//! The one order that is measured everywhere, and the keys that sign it. Invariant: the peer is given the same order.

use anyhow::Context as _;
use strongroom_model::{ClientOrderId, Intent, OrderSpec, PlaceOrder, Price, Quantity, Scheme, Side, Symbol, TimeInForce};
use strongroom_signer_api::{Request, SignAsk};

/// How long the venue may execute it, milliseconds.
pub const RECV_WINDOW_MS: u32 = 5_000;

/// A key made up for the measurement.
pub struct Key {
    /// How it signs.
    pub scheme: Scheme,
    /// The venue's name of it.
    pub api_key: &'static str,
    /// As a person pastes it.
    pub secret: &'static str,
}

/// One key for each scheme.
pub const KEYS: [Key; 2] = [
    Key {
        scheme: Scheme::HmacSha256,
        api_key: "measuredmeasuredmeasuredmeasuredmeasuredmeasuredmeasuredmeasured",
        secret: "NotASecretNotASecretNotASecretNotASecretNotASecretNotASecret1234",
    },
    Key {
        scheme: Scheme::Ed25519,
        api_key: "measuredmeasuredmeasuredmeasuredmeasuredmeasuredmeasuredmeasured",
        // The private key of RFC 8410, section 10.3: published, so no secret.
        secret: "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n",
    },
];

/// Buys 0.01 BTC for at most 50000 USDT each, good till cancelled.
pub fn intent() -> anyhow::Result<Intent> {
    let spec = OrderSpec::Limit { price: Price::parse("50000")?, quantity: Quantity::parse("0.01")?, tif: TimeInForce::Gtc };
    let client_order_id = ClientOrderId::parse("measured-0123456789abcdef").context("a constant")?;
    Ok(Intent::Place(PlaceOrder { client_order_id, symbol: Symbol::parse("BTCUSDT")?, side: Side::Buy, spec, reduce_only: false }))
}

/// The request to sign it.
pub fn request() -> anyhow::Result<Request> {
    Ok(Request::Sign(SignAsk { intent: intent()?, credential: None, clock_offset_us: 0, recv_window_ms: RECV_WINDOW_MS, audit_seq: 1 }))
}
