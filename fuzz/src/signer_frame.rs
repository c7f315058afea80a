//! Frames of desk, supervisor and signer. Invariant: a message has one encoding; what is read is written back to the same bytes. What is to be
//! signed passes the gate inside of the limits alone, and becomes one request of a listed kind.

use serde_json::json;
use strongroom_guard::{
    Freeze, KillScope, OrderRate, Policy, Reason, Session, SignerFacts, Turnover, Turnovers, Verdict, signer_gate, worth_at_most,
};
use strongroom_model::{
    ClientOrderId, CredentialId, Intent, KeyScope, Method, OrderRef, OwnerTag, PlaceOrder, Quantity, Role, SlotFor, Symbol, Timestamp,
    Venue, VenueOrderId,
};
use strongroom_signer_api::control::{FromDesk, FromSigner, StateMark, ToDesk, ToSigner};
use strongroom_signer_api::frame::{self, Frame, Kind};
use strongroom_signer_api::managed::{ManagedFiles, Offered};
use strongroom_signer_api::{Action, DoorId, Notice, Reply, Request, Saved, Sealed, SignAsk};
use strongroom_venues::binance::SigningKey;
use strongroom_venues::binance::encode::{Unsigned, encode};

const AT: Timestamp = Timestamp::from_ms(1_800_000_000_000);

/// All that a venue is ever asked for with a signature.
const ASKED: [(Method, &str); 10] = [
    (Method::Post, "/api/v3/order"),
    (Method::Delete, "/api/v3/order"),
    (Method::Put, "/api/v3/order/amend/keepPriority"),
    (Method::Delete, "/api/v3/openOrders"),
    (Method::Get, "/api/v3/order"),
    (Method::Get, "/api/v3/myTrades"),
    (Method::Get, "/api/v3/openOrders"),
    (Method::Get, "/api/v3/account"),
    (Method::Get, "/sapi/v1/account/apiRestrictions"),
    (Method::Socket, "userDataStream.subscribe.signature"),
];
/// And the names of all that is said with it.
const PARAMETERS: [&str; 14] = [
    "timestamp",
    "recvWindow",
    "symbol",
    "side",
    "type",
    "quantity",
    "quoteOrderQty",
    "price",
    "timeInForce",
    "newClientOrderId",
    "origClientOrderId",
    "orderId",
    "newQty",
    "newOrderRespType",
];

/// One frame of most kinds, one with each intent, and each message that has no frame.
pub fn seeds() -> Vec<Vec<u8>> {
    let asks = intents().into_iter().map(|intent| SignAsk {
        intent,
        credential: Some(CredentialId(1)),
        clock_offset_us: -5,
        recv_window_ms: 5_000,
        audit_seq: 9,
    });
    let order = orders().swap_remove(0);
    let actions = [
        Action::CreateVault { vault_id: vec![7; 16], kdf_memory_kib: 65_536, kdf_passes: 3 },
        Action::Unlock,
        Action::Import { label: "key".to_owned(), venue: Venue::Binance },
        Action::SetPolicy(Box::new(Policy::initial())),
        Action::AddSlot { kind: SlotFor::Person, label: "further".to_owned(), roles: vec![Role::Viewer] },
        Action::SetRoles { slot: 3, roles: Role::ALL.to_vec() },
        Action::ConfirmOrder(order.clone()),
        Action::Override { order, why: "because".to_owned() },
    ];
    let others = [
        Request::Status,
        Request::StayAwake,
        Request::At { door: DoorId::DESK, request: Box::new(Request::Lock) },
        Request::Saved(Saved { what: Sealed::Vault, generation: 3, error: Some("full".to_owned()) }),
        Request::Kill(Freeze::everything("test")),
        Request::SealHead { size: 4, head: vec![1; 32], closes: true },
        Request::ReadAudit { last: 50 },
        Request::KeyTested { id: CredentialId(2), granted: None },
        Request::KeyRevoked { id: CredentialId(1) },
    ];
    let requests = asks.map(Request::Sign).chain(actions.map(Request::Prepare)).chain(others);
    let mut seeds: Vec<_> = requests.map(|request| framed(Kind::Request, &request)).collect();
    seeds.push(framed(Kind::Reply, &Reply::Policy(Box::new(Policy::initial()))));
    seeds.push(framed(Kind::Notice, &Notice::Frozen(Freeze::everything("test"))));
    seeds.extend(control());
    seeds
}

/// Orders of each kind: a small one, and one at each limit of the first policy and beyond it.
fn orders() -> Vec<PlaceOrder> {
    let limit = |price: &str, quantity: &str| json!({"limit": {"price": price, "quantity": quantity, "tif": "GTC"}});
    let post_only = |price: &str, quantity: &str| json!({"post_only": {"price": price, "quantity": quantity}});
    let base = |quantity: &str| json!({"market": {"size": {"base": quantity}}});
    let quote = |amount: &str| json!({"market": {"size": {"quote": amount}}});
    let orders = [
        ("buy", limit("50000", "0.1")),
        ("sell", post_only("50000", "0.1")),
        ("sell", base("0.01")),
        ("buy", quote("10")),
        ("buy", limit("50000", "0.5")),
        ("sell", post_only("50000", "0.51")),
        ("buy", post_only("1000", "1")),
        ("buy", limit("999", "1")),
        ("sell", limit("400000", "0.01")),
        ("sell", limit("400001", "0.01")),
        ("sell", base("1")),
        ("sell", base("1.1")),
        ("buy", quote("25000")),
        ("buy", quote("25001")),
        ("sell", quote("1001")),
    ];
    let order = |(side, spec)| json!({"client_order_id": "a-1", "symbol": "BTCUSDT", "side": side, "spec": spec});
    orders.into_iter().map(|one| serde_json::from_value(order(one)).expect("an order")).collect()
}

/// Every intent.
fn intents() -> Vec<Intent> {
    let (symbol, name) = (Symbol::parse("BTCUSDT").expect("a symbol"), ClientOrderId::parse("a-1").expect("a name"));
    let others = [
        Intent::Cancel { symbol: symbol.clone(), order: OrderRef::Client(name.clone()) },
        Intent::Amend { symbol: symbol.clone(), order: name, quantity: Quantity::parse("0.05").expect("a quantity") },
        Intent::CancelAll { symbol: symbol.clone() },
        Intent::QueryOrder { symbol: symbol.clone(), order: OrderRef::Venue(VenueOrderId(7)) },
        Intent::QueryTrades { symbol: symbol.clone(), order: VenueOrderId(7) },
        Intent::QueryOpenOrders { symbol: Some(symbol) },
        Intent::QueryBalances,
        Intent::QueryKeyRights,
        Intent::StreamLogin,
        Intent::DeadMan { symbol: None, countdown_ms: 1_000 },
    ];
    let all: Vec<Intent> = orders().into_iter().map(Intent::Place).chain(others).collect();
    assert!((0..Intent::COUNT).all(|wanted| all.iter().any(|intent| intent.number() == wanted)));
    all
}

/// What supervisor and signer, and supervisor and desk, tell one another.
fn control() -> Vec<Vec<u8>> {
    let mark = StateMark { vault: [7; 16], generation: 3 };
    let offered = Offered::Files(ManagedFiles { document: b"{}".to_vec(), signature: b"c2ln".to_vec(), key: b"key".to_vec() });
    let bot = KillScope::Bot(OwnerTag::parse("grid").expect("a tag"));
    let to_signer = [
        ToSigner::Managed(offered),
        ToSigner::StateFloor(mark),
        ToSigner::Freeze(Freeze::everything("test")),
        ToSigner::Freeze(Freeze::new("test", bot)),
        ToSigner::AttachDesk,
        ToSigner::AttachPrompt,
        ToSigner::AttachProvider(7),
        ToSigner::NoProvider(7),
    ];
    let from_signer = [FromSigner::WantProvider(7), FromSigner::StateSaved(mark), FromSigner::Frozen];
    let to_desk = [
        ToDesk::AttachSigner,
        ToDesk::SignerGone("it ended".to_owned()),
        ToDesk::Killed("test".to_owned()),
        ToDesk::DeskDied,
        ToDesk::Quit,
    ];
    let from_desk = [FromDesk::Alive, FromDesk::Seal];
    // One of the signer's that is missing above does not compile here.
    match from_signer[0] {
        FromSigner::WantProvider(_) | FromSigner::StateSaved(_) | FromSigner::Frozen => {}
    }
    let texts = to_signer.iter().map(ToSigner::encode).chain(from_signer.map(FromSigner::encode)).chain(to_desk.iter().map(ToDesk::encode));
    texts.chain(from_desk.map(|said| said.encode().to_vec())).collect()
}

fn framed(kind: Kind, message: &impl serde::Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    frame::write(&mut out, kind, 7, message, b"tail").expect("a frame");
    out
}

/// Reads a frame and the message that its kind promises; and the supervisor's messages. What is to be signed goes to the
/// gate and to the venue's encoder.
pub fn check(data: &[u8]) {
    if let Some(said) = ToSigner::decode(data) {
        assert_eq!(ToSigner::decode(&said.encode()), Some(said));
    }
    if let Some(said) = ToDesk::decode(data) {
        assert_eq!(ToDesk::decode(&said.encode()), Some(said));
    }
    if let Some(said) = FromSigner::decode(data) {
        crate::assert_same_frame(&said.encode(), data);
    }
    if let Some(said) = FromDesk::decode(data) {
        assert_eq!(said.encode(), data);
    }
    let Ok(frame) = Frame::parse(data) else { return };
    match frame.kind {
        Kind::Request => {
            let mut request = check_message::<Request>(&frame, data);
            while let Some(Request::At { request: inner, .. }) = request {
                request = Some(*inner);
            }
            if let Some(Request::Sign(ask)) = request {
                gate(&ask.intent);
                encoder(&ask);
            }
        }
        Kind::Reply => drop(check_message::<Reply>(&frame, data)),
        Kind::Notice => drop(check_message::<Notice>(&frame, data)),
        // Read above, and by the targets of their own.
        Kind::ToSigner | Kind::FromSigner | Kind::ToPrompt | Kind::FromPrompt | Kind::ToProvider | Kind::FromProvider => {}
    }
}

fn check_message<M: serde::de::DeserializeOwned + serde::Serialize>(frame: &Frame<'_>, data: &[u8]) -> Option<M> {
    let message = frame.message::<M>().ok()?;
    let mut out = Vec::new();
    frame::write(&mut out, frame.kind, frame.id, &message, frame.tail).expect("it was read, so it can be written");
    assert_eq!(out, data);
    Some(message)
}

/// What the gate lets pass is inside of the limits, reckoned here anew; with the kill switch engaged, no order passes.
fn gate(intent: &Intent) {
    let policy = Policy::initial();
    let answer = |freeze: Option<&Freeze>| {
        let session = Session { opened_ms: 0, used_ms: 0, roles: vec![Role::Trader], is_service: false };
        let facts = SignerFacts {
            freeze,
            session: Ok(&session),
            scope: &KeyScope::default(),
            rate: &mut OrderRate::default(),
            turnover: &mut Turnover::default(),
            slot: None,
            turnovers: &mut Turnovers::default(),
            is_confirmed: false,
            now_ms: 0,
            wall: AT,
        };
        signer_gate(&policy, facts, intent)
    };
    let stopped = answer(Some(&Freeze::everything("test")));
    let Intent::Place(order) = intent else {
        assert_eq!((answer(None), stopped), (Verdict::Allow, Verdict::Allow));
        return;
    };
    assert!(matches!(stopped, Verdict::Deny(Reason::KillSwitch { .. })));
    if answer(None) != Verdict::Allow {
        return;
    }
    let listed = policy.instrument(&order.symbol).expect("what passes is listed");
    let (price, quantity) = (order.spec.price(), order.spec.quantity());
    assert!(price.is_none_or(|price| listed.price_low <= price && price <= listed.price_high));
    assert!(quantity.is_none_or(|quantity| quantity <= listed.quantity_max));
    let said = order.spec.notional();
    assert!(said.is_none_or(|worth| !worth.is_zero() && worth <= policy.order_notional_max));
    // At the most that it can be worth inside of the band.
    let most = worth_at_most(order, listed);
    let top = listed.price_high.checked_mul(listed.quantity_max).expect("a valid policy");
    assert!(most <= policy.day_notional_max && most <= top);
    assert!(said.is_none_or(|worth| worth <= most));
}

/// The encoder says the same twice, in parameters of its own list, and asks for nothing but what is listed: no word moves money.
fn encoder(ask: &SignAsk) {
    let encoded = || encode(&ask.intent, AT, ask.recv_window_ms);
    let Ok(unsigned) = encoded() else {
        assert!(matches!(ask.intent, Intent::DeadMan { .. }));
        return;
    };
    assert_eq!(encoded().as_ref(), Ok(&unsigned));
    assert!(ASKED.contains(&(unsigned.method, unsigned.path)), "{unsigned:?}");
    let mut names: Vec<&str> = unsigned.params.split('&').map(|pair| pair.split_once('=').expect("a name and a value").0).collect();
    assert!(names.iter().all(|name| PARAMETERS.contains(name)), "{unsigned:?}");
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a name is said once");
    let signed = |unsigned: Unsigned| unsigned.sign("key", &SigningKey::Hmac(b"secret")).expect("a signature");
    let request = signed(unsigned.clone());
    assert_eq!(signed(encoded().expect("as before")), request);
    assert_eq!((request.method, request.path.as_str()), (unsigned.method, unsigned.path));
    if request.method != Method::Socket {
        let sent = [request.query.as_str(), request.body.as_str()].concat();
        assert!(sent.strip_prefix(&unsigned.params).is_some_and(|rest| rest.starts_with("&signature=")), "what is signed is sent");
    }
}
