//! Whatever the desk asks, nothing that it is told has a secret in it.
//!
//! Invariant: secrets of every kind of key are planted, and looked for as they are, in base64 and in hexadecimal, whole and in parts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use std::collections::{BTreeSet, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use strongroom_guard::{Freeze, Policy};
use strongroom_model::{
    ClientOrderId, CredentialId, Intent, KeyEdit, MarketSize, OrderRef, OrderSpec, PlaceOrder, Role, Scheme, Side, SlotFor, Symbol,
    TimeInForce, Venue, VenueOrderId,
};
use strongroom_signer_api::frame::{self, Frame, Kind};
use strongroom_signer_api::prompt::Field;
use strongroom_signer_api::{Action, Deed, DoorId, PinChange, Reply, Request, SignAsk};
use strongroom_tests::signer_world::{SignerWorld, code_at};

const MS: i64 = 1_800_000_000_000;
const STEP_MS: i64 = 30_000;
const PASSWORD: &[u8] = b"the planted password of replies";
const HMAC: &[u8] = b"THE-PLANTED-API-SECRET-0123456789-OF-REPLIES";
const ED25519: &str = include_str!("../vectors/keys/binance_fixdoc_ed25519.pem");
const RSA: &str = include_str!("../vectors/keys/binance_examples_rsa.pem");
/// So many bytes of a secret are a find.
const PART_LEN: usize = 16;

fn der(pem: &str) -> Vec<u8> {
    STANDARD.decode(pem.lines().filter(|line| !line.starts_with("-----")).collect::<String>()).unwrap()
}

/// What must be nowhere: parts of each secret, as they are and as a text could have them.
fn needles(world: &SignerWorld) -> Vec<(String, Vec<u8>)> {
    let seed = world.otp_uri.split("secret=").nth(1).unwrap().split('&').next().unwrap();
    let rsa = der(RSA);
    let ed25519 = der(ED25519);
    // Of the RSA key everything behind modulus and exponent, which are public; of the other its seed.
    let private_from = rsa.len() / 3;
    let mut secrets = vec![
        ("password".to_owned(), PASSWORD.to_vec()),
        ("hmac".to_owned(), HMAC.to_vec()),
        ("ed25519".to_owned(), ed25519[ed25519.len() - 32..].to_vec()),
        ("rsa".to_owned(), rsa[private_from..].to_vec()),
        ("seed".to_owned(), seed.as_bytes().to_vec()),
        ("kit".to_owned(), world.kit.as_bytes().to_vec()),
        ("device".to_owned(), DEVICE.to_vec()),
    ];
    secrets.extend(world.codes.iter().map(|code| ("recovery code".to_owned(), code.as_bytes().to_vec())));
    let mut needles = Vec::new();
    for (name, secret) in secrets {
        for part in secret.chunks(PART_LEN).filter(|part| part.len() == PART_LEN) {
            needles.push((name.clone(), part.to_vec()));
            needles.push((format!("{name} in hexadecimal"), hex::encode(part).into_bytes()));
        }
        // Base64 depends on where it begins: all three ways, without their edges.
        for shift in 0..3 {
            let text = STANDARD.encode(&secret[shift..]);
            needles.extend(
                text.as_bytes().chunks(20).filter(|part| part.len() == 20).map(|part| (format!("{name} in base64"), part.to_vec())),
            );
        }
    }
    needles
}

const DEVICE: [u8; 32] = *b"the planted secret of a device!!";

fn symbol() -> Symbol {
    Symbol::parse("BTCUSDT").unwrap()
}

fn order(rng: &mut ChaCha8Rng) -> PlaceOrder {
    let spec = match rng.random_range(0..3) {
        0 => OrderSpec::Market { size: MarketSize::Base("0.001".parse().unwrap()) },
        1 => OrderSpec::PostOnly { price: "40000".parse().unwrap(), quantity: "0.001".parse().unwrap() },
        _ => OrderSpec::Limit { price: "40000".parse().unwrap(), quantity: "0.001".parse().unwrap(), tif: TimeInForce::Gtc },
    };
    let client_order_id = ClientOrderId::parse(&format!("r{}", rng.random_range(0..1_000_000))).unwrap();
    PlaceOrder { client_order_id, symbol: symbol(), side: Side::Buy, spec, reduce_only: false }
}

fn intent(rng: &mut ChaCha8Rng) -> Intent {
    let id = || ClientOrderId::parse("r1").unwrap();
    match rng.random_range(0..11) {
        0 => Intent::Place(order(rng)),
        1 => Intent::Cancel { symbol: symbol(), order: OrderRef::Client(id()) },
        2 => Intent::Amend { symbol: symbol(), order: id(), quantity: "0.0005".parse().unwrap() },
        3 => Intent::CancelAll { symbol: symbol() },
        4 => Intent::QueryOrder { symbol: symbol(), order: OrderRef::Venue(VenueOrderId(7)) },
        5 => Intent::QueryTrades { symbol: symbol(), order: VenueOrderId(7) },
        6 => Intent::QueryOpenOrders { symbol: None },
        7 => Intent::QueryBalances,
        8 => Intent::QueryKeyRights,
        9 => Intent::StreamLogin,
        _ => Intent::DeadMan { symbol: None, countdown_ms: 1_000 },
    }
}

/// Anything that can be asked, in order or out of it.
fn request(rng: &mut ChaCha8Rng) -> Request {
    let key = CredentialId(rng.random_range(0..6));
    let bytes = |rng: &mut ChaCha8Rng, len: usize| (0..len).map(|_| rng.random()).collect::<Vec<u8>>();
    let request = match rng.random_range(0..18) {
        0..4 => {
            let credential = (rng.random_range(0..2) == 0).then_some(key);
            Request::Sign(SignAsk { intent: intent(rng), credential, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: rng.random() })
        }
        4 => Request::Status,
        5 => Request::Credentials { from: rng.random_range(0..3) },
        6 => Request::Policy,
        7 => Request::Slots,
        8 => Request::PublicKey { id: key },
        9 => Request::SealHead { size: rng.random_range(0..10_000), head: bytes(rng, 32), closes: false },
        10 => Request::ReadAudit { last: rng.random() },
        11 => Request::Touch { ago_ms: rng.random_range(0..1_000) },
        12 => Request::Counted { ticket: bytes(rng, 16), refused: None },
        13 => Request::EndSession { door: DoorId(rng.random_range(0..4)) },
        14 if rng.random_range(0..8) == 0 => Request::Kill(Freeze::everything("anything")),
        14 => Request::KeyTested { id: CredentialId(rng.random_range(4..9)), granted: None },
        15 => Request::StayAwake,
        16 => Request::KeyRevoked { id: CredentialId(rng.random_range(4..9)) },
        _ => Request::Prepare(action(rng)),
    };
    match rng.random_range(0..4) {
        0 => Request::At { door: DoorId(rng.random_range(0..4)), request: Box::new(request) },
        _ => request,
    }
}

fn action(rng: &mut ChaCha8Rng) -> Action {
    let key = CredentialId(rng.random_range(0..6));
    let label = || "another".to_owned();
    let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p".to_owned();
    match rng.random_range(0..25) {
        24 => Action::Unlock,
        18 => Action::SetRoles { slot: 1, roles: Role::ALL.to_vec() },
        19 => Action::RemoveSlot { slot: rng.random_range(2..9) },
        20 => Action::Rearm,
        21 => Action::Pin(PinChange { host: "venue.example".to_owned(), spki_sha256: "A".repeat(43) + "=", trust: true }),
        22 => Action::Rekey,
        23 => Action::UnlockWith { slot: rng.random_range(1..9) },
        0 => Action::Import { label: label(), venue: Venue::Binance },
        1 => Action::Rotate { old: key },
        2 => Action::Generate { label: label(), venue: Venue::Binance, scheme: Scheme::Ed25519, replaces: None },
        3 => Action::EditKey { id: key, edit: KeyEdit { label: Some(label()), ..KeyEdit::default() } },
        4 | 5 => Action::ExportKey { id: key, recipient },
        6 => Action::Backup,
        7 => Action::ChangePassword { slot: None },
        8 => Action::ReplaceKit,
        9 => Action::PrintCodes,
        10 => Action::AddSlot { kind: SlotFor::Person, label: label(), roles: vec![Role::Viewer] },
        11 => Action::AddSlot { kind: SlotFor::Auditor, label: label(), roles: Vec::new() },
        12 => Action::SetPolicy(Box::new(Policy { orders_per_minute: 6_000, ..Policy::initial() })),
        13 => Action::ConfirmOrder(order(rng)),
        14 => Action::Override { order: order(rng), why: "because".to_owned() },
        15 => Action::Protect(ClientOrderId::parse("r1").unwrap()),
        16 => Action::Delete { id: key },
        _ => Action::NewPhone,
    }
}

/// What was asked, by number. One that is missing here does not compile, and one that is never asked fails the test.
#[derive(Default)]
struct Asked {
    requests: BTreeSet<usize>,
    intents: BTreeSet<usize>,
    deeds: HashSet<Deed>,
    replies: BTreeSet<usize>,
}

const REQUESTS: usize = 16;
/// All but entries of the log, which come of a file that nobody hands over here; what is in them is what the log was told.
const REPLIES: usize = 10;
/// What makes a vault, or opens it with the kit, has its own tests; the one here is open.
const OF_A_CLOSED_VAULT: [Deed; 2] = [Deed::Create, Deed::Recover];

impl Asked {
    fn note(&mut self, request: &Request) {
        let number = match request {
            Request::At { request, .. } => return self.note(request),
            // Said by the world of each file that it is handed, and asked at the end.
            Request::Saved(_) | Request::Lock => return,
            Request::Status => 0,
            Request::Prepare(action) => {
                self.deeds.insert(action.deed());
                1
            }
            Request::Sign(ask) => {
                self.intents.insert(ask.intent.number());
                2
            }
            Request::Counted { .. } => 3,
            Request::EndSession { .. } => 4,
            Request::Touch { .. } => 5,
            Request::Kill(_) => 6,
            Request::Credentials { .. } => 7,
            Request::Policy => 8,
            Request::Slots => 9,
            Request::KeyTested { .. } => 10,
            Request::KeyRevoked { .. } => 11,
            Request::PublicKey { .. } => 12,
            Request::SealHead { .. } => 13,
            Request::ReadAudit { .. } => 14,
            Request::StayAwake => 15,
        };
        self.requests.insert(number);
    }

    fn told(&mut self, reply: Option<&Reply>) {
        let Some(reply) = reply else { return };
        self.replies.insert(match reply {
            Reply::Status(_) => 0,
            Reply::Prepared { .. } => 1,
            Reply::Signed { .. } => 2,
            Reply::Refused(_) => 3,
            Reply::Done => 4,
            Reply::Credentials { .. } => 5,
            Reply::Policy(_) => 6,
            Reply::HeadSealed { .. } => 7,
            Reply::Slots(_) => 8,
            Reply::PublicKey(_) => 9,
            Reply::Audit(_) => 10,
        });
    }
}

/// A vault with a planted key of each kind, and what must be nowhere.
fn planted() -> (SignerWorld, BTreeSet<(String, Vec<u8>)>) {
    let mut world = SignerWorld::with_vault_and_device(PASSWORD, &DEVICE, MS);
    for (at, (name, secret)) in
        [("hmac-name", HMAC), ("ed25519-name", ED25519.as_bytes()), ("rsa-name", RSA.as_bytes())].into_iter().enumerate()
    {
        world.import(name, secret, MS + STEP_MS * (1 + i64::try_from(at).unwrap()));
    }
    let needles = needles(&world).into_iter().collect();
    (world, needles)
}

/// Fails if any of it was told; how many of the keys' public names were.
fn searched(world: &SignerWorld, needles: &BTreeSet<(String, Vec<u8>)>, seed: u64) -> usize {
    let is_told = |part: &[u8]| world.told_desk.windows(part.len()).any(|window| window == part);
    for (name, needle) in needles {
        assert!(!is_told(needle), "seed {seed}: {name}: {:?}", String::from_utf8_lossy(needle));
    }
    ["hmac-name", "ed25519-name", "rsa-name"].iter().filter(|name| is_told(name.as_bytes())).count()
}

/// The bytes of a request with some of them otherwise, or with a piece of another one's in their place.
fn mutated(rng: &mut ChaCha8Rng, request: &Request, other: &Request) -> Vec<u8> {
    let bytes = |request: &Request| {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, Kind::Request, 1, request, b"").unwrap();
        bytes
    };
    let (mut frame, other) = (bytes(request), bytes(other));
    // Behind the head, most of the time: what has another head is no request at all.
    let from = |rng: &mut ChaCha8Rng| if rng.random_range(0..20) == 0 { 0 } else { 18 };
    for _ in 0..rng.random_range(1..4) {
        let from = from(rng).min(frame.len() - 1);
        let at = rng.random_range(from..frame.len());
        match rng.random_range(0..6) {
            0 => frame[at] = rng.random(),
            1 => frame[at] = frame[at].wrapping_add(1),
            2 => frame[at] = frame[at].wrapping_sub(1),
            3 => frame.truncate(at.max(1)),
            4 => frame.insert(at, rng.random()),
            _ => {
                let piece = &other[rng.random_range(0..other.len())..];
                frame.splice(at..(at + piece.len()).min(frame.len()), piece.iter().copied());
            }
        }
    }
    frame
}

/// The same of bytes: whatever can be read of them is asked, and what cannot is what a desk's line ends with.
#[test]
fn no_reply_to_any_bytes_carries_a_secret() {
    let (mut read, mut found_public) = (0, 0);
    for seed in 0..2 {
        let mut rng = ChaCha8Rng::seed_from_u64(100 + seed);
        let (mut world, needles) = planted();
        let mut ms = MS + STEP_MS * 10;
        world.ask(Request::Credentials { from: 0 }, b"", ms);
        for _ in 0..20_000 {
            let (one, other) = (request(&mut rng), request(&mut rng));
            let bytes = mutated(&mut rng, &one, &other);
            let asked = Frame::parse(&bytes).ok().filter(|frame| frame.kind == Kind::Request);
            let Some(asked) = asked.and_then(|frame| frame.message::<Request>().ok()) else { continue };
            // What ends the signer is not asked before the end, and of files that were never handed out nobody says that they are saved.
            if asked == one || matches!(innermost(&asked), Request::Lock | Request::Saved(_)) {
                continue;
            }
            (ms, read) = (ms + 200, read + 1);
            world.ask_impatiently(asked, ms);
        }
        found_public += searched(&world, &needles, seed);
    }
    assert!(read > 1_000, "so many other requests were made: {read}");
    assert_eq!(found_public, 6, "the search finds what is there");
}

fn innermost(request: &Request) -> &Request {
    match request {
        Request::At { request, .. } => innermost(request),
        other => other,
    }
}

#[test]
fn no_reply_to_anything_that_can_be_asked_carries_a_secret() {
    let (mut found_public, mut asked_so_far) = (0, Asked::default());
    for seed in 0..3 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut world, mut needles) = planted();
        let mut ms = MS + STEP_MS * 10;
        for _ in 0..400 {
            ms += 1_000;
            let asked = request(&mut rng);
            asked_so_far.note(&asked);
            asked_so_far.told(world.ask_impatiently(asked, ms).as_ref());
            // Now and then a person goes all the way.
            if rng.random_range(0..12) == 0 {
                ms += 2 * STEP_MS;
                let wished = action(&mut rng);
                asked_so_far.deeds.insert(wished.deed());
                world.ask(Request::Touch { ago_ms: 0 }, b"", ms);
                world.try_act(wished, ms, &mut |world, field| match field {
                    Field::Totp => code_at(&world.otp_uri, ms).into_bytes(),
                    Field::Password | Field::NewPassword => PASSWORD.to_vec(),
                    Field::ApiKey => b"one-more-name".to_vec(),
                    Field::ApiSecret => HMAC.to_vec(),
                    Field::KitGroup => world.kit.split(' ').next_back().unwrap_or_default().as_bytes().to_vec(),
                    Field::Kit => world.kit.clone().into_bytes(),
                    Field::Pin => b"0000".to_vec(),
                });
                needles.extend(self::needles(&world));
            }
        }
        world.ask(Request::Kill(Freeze::everything("the end")), b"", ms);
        world.ask(Request::Lock, b"", ms);
        found_public += searched(&world, &needles, seed);
    }
    assert_eq!(found_public, 9, "the search finds what is there");
    assert_eq!((asked_so_far.requests.len(), asked_so_far.intents.len()), (REQUESTS, Intent::COUNT), "each is asked");
    assert_eq!(asked_so_far.replies.len(), REPLIES, "each is told: {:?}", asked_so_far.replies);
    let missing: Vec<Deed> = Deed::ALL.into_iter().filter(|deed| !asked_so_far.deeds.contains(deed)).collect();
    assert_eq!(missing, OF_A_CLOSED_VAULT, "each is asked");
}
