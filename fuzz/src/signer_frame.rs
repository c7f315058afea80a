//! Frames between desk and signer. Invariant: a message has one encoding; what is read is written back to the same bytes.

use serde_json::json;
use strongroom_guard::{Freeze, Policy};
use strongroom_model::{CredentialId, PlaceOrder, Role, SlotFor, Venue};
use strongroom_signer_api::control::{FromDesk, ToDesk, ToSigner};
use strongroom_signer_api::frame::{self, Frame, Kind};
use strongroom_signer_api::{Action, Notice, Reply, Request, Saved, Sealed, SignAsk};

/// One frame of most kinds.
pub fn seeds() -> Vec<Vec<u8>> {
    let intents = [
        json!({"place": {"client_order_id": "a-1", "symbol": "BTCUSDT", "side": "buy",
            "spec": {"limit": {"price": "50000", "quantity": "0.01", "tif": "GTC"}}}}),
        json!({"place": {"client_order_id": "a-2", "symbol": "BTCUSDT", "side": "sell", "spec": {"market": {"size": {"quote": "10"}}}}}),
        json!({"cancel": {"symbol": "BTCUSDT", "order": {"client": "a-1"}}}),
        json!({"query_order": {"symbol": "BTCUSDT", "order": {"venue": 7}}}),
        json!("query_balances"),
    ];
    let asks = intents.into_iter().map(|intent| SignAsk {
        intent: serde_json::from_value(intent).expect("an intent"),
        credential: Some(CredentialId(1)),
        clock_offset_us: -5,
        recv_window_ms: 5_000,
        audit_seq: 9,
    });
    let order: PlaceOrder = serde_json::from_value(serde_json::json!({"client_order_id": "a", "symbol": "BTCUSDT", "side": "buy",
        "spec": {"limit": {"price": "50000", "quantity": "0.1", "tif": "GTC"}}}))
    .expect("an order");
    let actions = [
        Action::CreateVault { vault_id: vec![7; 16], kdf_memory_kib: 65_536, kdf_passes: 3 },
        Action::Unlock,
        Action::Import { label: "key".to_owned(), venue: Venue::Binance },
        Action::SetPolicy(Policy::initial()),
        Action::AddSlot { kind: SlotFor::Person, label: "further".to_owned(), roles: vec![Role::Viewer] },
        Action::SetRoles { slot: 3, roles: Role::ALL.to_vec() },
        Action::ConfirmOrder(order.clone()),
        Action::Override { order, why: "because".to_owned() },
    ];
    let others = [
        Request::Status,
        Request::Saved(Saved { what: Sealed::Vault, generation: 3, error: Some("full".to_owned()) }),
        Request::Kill(Freeze::everything("test")),
        Request::SealHead { size: 4, head: vec![1; 32] },
        Request::ReadAudit { last: 50 },
        Request::KeyTested { id: CredentialId(2), granted: None },
        Request::KeyRevoked { id: CredentialId(1) },
    ];
    let requests = asks.map(Request::Sign).chain(actions.map(Request::Prepare)).chain(others);
    let mut seeds: Vec<_> = requests.map(|request| framed(Kind::Request, &request)).collect();
    seeds.push(framed(Kind::Reply, &Reply::Policy(Box::new(Policy::initial()))));
    seeds.push(framed(Kind::Notice, &Notice::Frozen(Freeze::everything("test"))));
    seeds
}

fn framed(kind: Kind, message: &impl serde::Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    frame::write(&mut out, kind, 7, message, b"tail").expect("a frame");
    out
}

/// Reads a frame and the message that its kind promises; and the control messages, which have no frame.
pub fn check(data: &[u8]) {
    if let Some(said) = ToSigner::decode(data) {
        assert_eq!(ToSigner::decode(&said.encode()), Some(said));
    }
    if let Some(said) = ToDesk::decode(data) {
        assert_eq!(ToDesk::decode(&said.encode()), Some(said));
    }
    if let Some(said) = FromDesk::decode(data) {
        assert_eq!(said.encode(), data);
    }
    let Ok(frame) = Frame::parse(data) else { return };
    match frame.kind {
        Kind::Request => check_message::<Request>(&frame, data),
        Kind::Reply => check_message::<Reply>(&frame, data),
        Kind::Notice => check_message::<Notice>(&frame, data),
    }
}

fn check_message<M: serde::de::DeserializeOwned + serde::Serialize>(frame: &Frame<'_>, data: &[u8]) {
    let mut out = Vec::new();
    if let Ok(message) = frame.message::<M>(&mut out) {
        frame::write(&mut out, frame.kind, frame.id, &message, frame.tail).expect("it was read, so it can be written");
        assert_eq!(out, data);
    }
}
