//! The lines of doors. Invariant: a line that is understood says the same when it is written and read again.

use strongroom_desk_api::door::{Ask, Tell};

/// One line of most kinds.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        r#"{"ask":"vault"}"#,
        r#"{"ask":"prepare","action":{"action":"create_vault","kdf_memory_mib":256,"kdf_passes":3}}"#,
        r#"{"ask":"prepare","action":{"action":"import","label":"main","venue":"binance"}}"#,
        r#"{"ask":"place","client_order_id":"a-1","symbol":"BTCUSDT","side":"buy","spec":{"limit":{"price":"50000","quantity":"0.01","tif":"GTC"}}}"#,
        r#"{"ask":"place","symbol":"BTCUSDT","side":"sell","spec":{"market":{"size":{"base":"0.5"}}}}"#,
        r#"{"ask":"cancel","client_order_id":"a-1"}"#,
        r#"{"ask":"orders","live":true}"#,
        r#"{"ask":"book","symbol":"BTCUSDT","depth":20}"#,
        r#"{"ask":"kill","why":"test"}"#,
        r#"{"ask":"audit","before":null,"last":50}"#,
        r#"{"ask":"prepare","action":{"action":"accept_pin","host":"example.com:443","spki_sha256":"AAAA"}}"#,
    ]
    .map(Vec::from)
    .to_vec()
}

/// Reads a line as a request and as an answer.
pub fn check(data: &[u8]) {
    if let Ok(ask) = serde_json::from_slice::<Ask>(data) {
        let line = serde_json::to_vec(&ask).expect("it was read, so it can be written");
        assert_eq!(serde_json::from_slice::<Ask>(&line).expect("what was written is read"), ask);
    }
    if let Ok(tell) = serde_json::from_slice::<Tell>(data) {
        let line = serde_json::to_vec(&tell).expect("it was read, so it can be written");
        assert_eq!(serde_json::from_slice::<Tell>(&line).expect("what was written is read"), tell);
    }
}
