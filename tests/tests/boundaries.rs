//! Promises of the signer, each with the attempt to break it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use strongroom_guard::Freeze;
use strongroom_model::{ClientOrderId, CredentialId, Intent, KeyDetails, KeyEdit, KeyScope, OrderKind, OrderRef, Side, Symbol};
use strongroom_signer::Out;
use strongroom_signer_api::prompt::{Field, FromPrompt, ToPrompt};
use strongroom_signer_api::{About, Action, ActionEnd, Refusal, Reply, Request, SignAsk, Walls};
use strongroom_tests::signer_world::{SignerWorld, code_at, moment};
use strongroom_tests::vectors::{Verdict, run};

const MS: i64 = 1_800_000_000_000;
const SECRET: &[u8] = b"THE-PLANTED-API-SECRET-0123456789";
const PASSWORD: &[u8] = b"the planted password";

const ATTEMPTS: [&str; 19] = [
    "tcp",
    "udp",
    "unix",
    "read",
    "stat",
    "exists",
    "write",
    "exec",
    "thread",
    "signal",
    "attach",
    "peek",
    "executable",
    "made executable",
    "advice",
    "another descriptor",
    "name",
    "dumpable",
    "limit",
];

#[test]
fn the_signer_cannot_open_start_attach_or_loosen_anything() {
    let hostile = env!("CARGO_BIN_EXE_behind_the_walls");
    let lived = Command::new(hostile).arg("nothing").output().unwrap();
    assert!(lived.status.success() && lived.stdout.ends_with(b"lived\n"), "the control did not live: {lived:?}");
    for attempt in ATTEMPTS {
        let output = Command::new(hostile).arg(attempt).output().unwrap();
        assert!(output.stdout.starts_with(b"walls are up"), "{attempt}: {output:?}");
        assert_eq!(output.status.signal(), Some(31), "{attempt} was not ended by SIGSYS: {output:?}");
    }
    assert!(!std::path::Path::new("/tmp/strongroom-should-not-exist").exists());
}

#[test]
fn the_signer_has_no_rights_to_files_and_tcp_even_without_its_filter() {
    let output = Command::new(env!("CARGO_BIN_EXE_behind_the_walls")).arg("fence").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Rows: what the system does not let the signer build; which wall is missing then, whether anything is opened, and whether that is told.
#[test]
fn nothing_is_opened_where_a_wall_that_must_stand_does_not() {
    let opens = |without: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_behind_the_walls")).arg(format!("without-{without}")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    // Making a vault, unlocking it, by a slot that somebody keeps, by the kit.
    assert_eq!(opens("nothing"), ": prepared prepared prepared prepared, true\n");
    let rows = [
        ("filter", "system calls filtered"),
        ("dumpable", "not dumpable"),
        ("limits", "no core files"),
        ("descriptors", "nothing inherited"),
        ("privileges", "no new privileges"),
    ];
    for (without, wall) in rows {
        assert_eq!(opens(without), format!("{wall}: walls walls walls walls, true\n"), "{without}");
    }
    // Each that must stand has its row.
    let mut walls = rows.map(|(_, wall)| wall).to_vec();
    let mut must = Walls::default().missing();
    walls.sort_unstable();
    must.sort_unstable();
    assert_eq!(walls, must);
}

#[test]
fn memory_that_may_be_swapped_is_not_told_as_locked() {
    for (may, expected) in [("locked", "true true\n"), ("unlocked", "false false\n")] {
        let output = Command::new(env!("CARGO_BIN_EXE_behind_the_walls")).arg(may).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{may}: {output:?}");
    }
}

#[test]
fn the_signer_inherits_nothing_that_was_left_open() {
    // The program itself refuses to go on with a descriptor that it did not open.
    let shell = |words: &str| Command::new("sh").args(["-c", words, env!("CARGO_BIN_EXE_behind_the_walls")]).output().unwrap();
    let output = shell("exec \"$0\" nothing 7</etc/passwd 9</");
    assert!(output.status.success() && output.stdout.ends_with(b"lived\n"), "{output:?}");
    assert!(shell("ls /proc/self/fd 7</etc/passwd").stdout.windows(2).any(|line| line == b"7\n"), "the control: it would be there");
}

/// What the prompt of an action is told first.
fn about_of(world: &mut SignerWorld, action: Action, ms: i64) -> About {
    world.ask(Request::Touch { ago_ms: 0 }, b"", ms);
    let Reply::Prepared { ticket, .. } = world.ask(Request::Prepare(action), b"", ms) else { panic!("not prepared") };
    world.signer.prompt_attached(900);
    let out = world.signer.on_prompt(900, &FromPrompt::Hello(ticket.try_into().unwrap()), moment(ms));
    let abouts = out.iter().filter_map(|out| match out {
        Out::Prompt(_, bytes) => ToPrompt::parse(bytes),
        _ => None,
    });
    let about = abouts.filter_map(|said| if let ToPrompt::About(about) = said { Some(about) } else { None }).next();
    world.signer.prompt_gone(900);
    about.expect("what it is about")
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn no_signer_reply_carries_a_secret() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    world.import("planted-key-name", SECRET, MS + 60_000);
    for request in [
        Request::Status,
        Request::Credentials { from: 0 },
        Request::Policy,
        Request::Touch { ago_ms: 0 },
        Request::Lock,
        Request::Kill(Freeze::everything("x")),
    ] {
        world.ask(request, b"", MS + 61_000);
    }
    let ask = SignAsk { intent: Intent::QueryBalances, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
    assert!(matches!(world.ask(Request::Sign(ask), b"", MS + 61_000), Reply::Signed { .. }));
    let seed = world.otp_uri.split("secret=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    assert!(contains(&world.told_desk, b"planted-key-name"), "the search finds what is there");
    for secret in [SECRET, PASSWORD, seed.as_bytes(), world.kit.as_bytes(), &world.kit.as_bytes()[10..20]] {
        assert!(!contains(&world.told_desk, secret), "found {:?}", String::from_utf8_lossy(secret));
    }
}

#[test]
fn a_sealed_signer_signs_nothing() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    world.import("key", SECRET, MS + 60_000);
    let ask = |intent| Request::Sign(SignAsk { intent, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 });
    let cancel = Intent::CancelAll { symbol: Symbol::parse("BTCUSDT").unwrap() };
    assert!(matches!(world.ask(ask(cancel.clone()), b"", MS + 61_000), Reply::Signed { .. }));
    world.seal();
    for intent in [cancel, Intent::QueryBalances, Intent::StreamLogin] {
        assert_eq!(world.ask(ask(intent), b"", MS + 62_000), Reply::Refused(Refusal::Guard(strongroom_guard::Reason::Sealed)));
    }
}

#[test]
fn no_reply_is_longer_than_a_packet_however_many_keys_there_are() {
    const KEYS: usize = 150;
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    let mut ms = MS;
    for number in 0..KEYS {
        ms += 30_000;
        world.ask(Request::Touch { ago_ms: 0 }, b"", ms);
        world.import(&format!("{number:0>64}"), format!("the-secret-of-key-{number}").as_bytes(), ms);
    }
    let (mut known, mut pages) = (Vec::new(), 0);
    loop {
        let reply = world.ask(Request::Credentials { from: u32::try_from(known.len()).unwrap() }, b"", ms);
        let mut frame = Vec::new();
        strongroom_signer_api::frame::write(&mut frame, strongroom_signer_api::frame::Kind::Reply, 1, &reply, b"").unwrap();
        assert!(frame.len() <= strongroom_signer_api::channel::PACKET_LEN_MAX);
        let Reply::Credentials { keys, left } = reply else { panic!("no keys") };
        known.extend(keys);
        pages += 1;
        if left == 0 {
            break;
        }
    }
    let names: std::collections::BTreeSet<_> = known.iter().map(|key| key.api_key.clone()).collect();
    assert_eq!((names.len(), known.len()), (KEYS, KEYS), "each once");
    assert!(pages > 1, "they would not have fit into half a packet");
}

/// A person confirms what is shown: what has no room is not asked for.
#[test]
fn no_change_of_a_key_is_confirmed_that_was_not_shown_whole() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    world.import("key", SECRET, MS + 30_000);
    let Reply::Credentials { keys, .. } = world.ask(Request::Credentials { from: 0 }, b"", MS + 30_000) else { panic!("no keys") };
    let symbols = |len: usize| (0..len).map(|at| Symbol::parse(&format!("{at:A>14}USDT")).unwrap()).collect::<Vec<_>>();
    let edit = |details| Action::EditKey { id: keys[0].id, edit: KeyEdit { details: Some(details), ..KeyEdit::default() } };
    // The longest list of instruments, and what bounds the key besides: all of it in rows.
    let scope =
        KeyScope { instruments: symbols(50), side: Some(Side::Sell), notional_max: Some("7".parse().unwrap()), ..KeyScope::default() };
    let shown = about_of(&mut world, edit(KeyDetails { scope: Box::new(scope.clone()), ..keys[0].details.clone() }), MS + 40_000);
    let values: Vec<&str> = shown.facts.iter().map(|fact| fact.value.as_str()).collect();
    let told = values.join(" ");
    assert!(scope.instruments.iter().all(|symbol| told.split(' ').any(|word| word == symbol.as_str())), "{shown:?}");
    assert!(values.contains(&"sells only; at most 7 an order"), "{shown:?}");
    assert!(!values.iter().any(|value| value.ends_with('…')), "{shown:?}");
    // What does not differ is not shown.
    let shown = about_of(&mut world, edit(KeyDetails { account: "desk 2".to_owned(), ..keys[0].details.clone() }), MS + 50_000);
    assert!(
        shown.fact("Account") == Some("desk 2") && shown.fact("Addresses").is_none() && shown.fact("Instruments").is_none(),
        "{shown:?}"
    );
    // All at once, each as long as it may be; of notes, which decide nothing, the beginning.
    let addresses: Vec<String> = (0..16).map(|at| format!("2001:db8:1234:5678:9abc:def0:1234:{:04x}", 0x1000 + at)).collect();
    let all = KeyDetails {
        account: "a".repeat(64),
        addresses: addresses.clone(),
        rotate_days: 7,
        services: true,
        notes: "n".repeat(1_000),
        scope: Box::new(KeyScope { kinds: vec![OrderKind::Limit], ..scope.clone() }),
    };
    let action = Action::EditKey { id: keys[0].id, edit: KeyEdit { label: Some("another".to_owned()), api_key: None, details: Some(all) } };
    let shown = about_of(&mut world, action, MS + 60_000);
    let told: Vec<&str> = shown.facts.iter().flat_map(|fact| fact.value.split(' ')).collect();
    let symbols = scope.instruments.iter().map(Symbol::as_str);
    assert!(addresses.iter().map(String::as_str).chain(symbols).all(|word| told.contains(&word)), "{shown:?}");
    assert!(shown.fact("Action").is_some() && shown.fact("Asked").is_some(), "what was asked has its place: {shown:?}");
    let cut: Vec<&str> = shown.facts.iter().filter(|fact| fact.value.ends_with('…')).map(|fact| fact.name.as_str()).collect();
    assert_eq!(cut, ["Notes"]);
}

#[test]
fn nothing_is_signed_that_is_dated_far_off_or_lasts_long() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    world.import("key", SECRET, MS + 60_000);
    for (clock_offset_us, recv_window_ms, expected) in [
        (60_000_000, 10_000, "signed"),
        (60_000_001, 10_000, "clock-offset"),
        (-60_000_000, 1, "signed"),
        (-60_000_001, 1, "clock-offset"),
        (i64::MIN, 5_000, "clock-offset"),
        (0, 10_001, "recv-window"),
        (0, 0, "recv-window"),
        (0, u32::MAX, "recv-window"),
    ] {
        let intent = Intent::QueryBalances;
        let ask = SignAsk { intent, credential: None, clock_offset_us, recv_window_ms, audit_seq: 0 };
        let told = match world.ask(Request::Sign(ask), b"", MS + 61_000) {
            Reply::Signed { .. } => "signed",
            Reply::Refused(refusal) => refusal.code(),
            other => panic!("{other:?}"),
        };
        assert_eq!(told, expected, "{clock_offset_us} us off, for {recv_window_ms} ms");
    }
}

#[test]
fn a_request_is_signed_with_the_key_that_it_names_and_never_with_another() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    world.import("first", SECRET, MS + 60_000);
    world.import("second", b"another-secret-of-the-second-key-0000", MS + 120_000);
    let Reply::Credentials { keys, .. } = world.ask(Request::Credentials { from: 0 }, b"", MS + 121_000) else { panic!("no keys") };
    let id = |name: &str| keys.iter().find(|key| key.api_key == name).unwrap().id;
    let unknown = CredentialId(keys.iter().map(|key| key.id.0).max().unwrap() + 1);
    let order =
        || Intent::Cancel { symbol: Symbol::parse("BTCUSDT").unwrap(), order: OrderRef::Client(ClientOrderId::parse("a").unwrap()) };
    for (intent, credential, expected) in [
        (Intent::QueryBalances, None, "first"),
        (Intent::QueryBalances, Some(id("second")), "second"),
        (Intent::QueryBalances, Some(unknown), "no-key"),
        (order(), Some(id("first")), "first"),
        // A spare one looks, and no more.
        (order(), Some(id("second")), "key-not-active"),
    ] {
        let ask = SignAsk { intent, credential, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
        match world.ask(Request::Sign(ask), b"", MS + 121_000) {
            Reply::Signed { request, .. } => assert_eq!(request.api_key, expected),
            Reply::Refused(refusal) => {
                assert_eq!((refusal.code(), refusal.unmet().len()), (expected, 1));
                assert_eq!(refusal.unmet()[0].rule, expected);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_request_is_heard_only_if_its_number_grows() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    for (id, is_heard) in [(1_000, true), (1_000, false), (999, false), (0, false), (1_007, true), (1_006, false), (u64::MAX, true)] {
        let out = world.signer.on_desk(id, Request::Status, b"", Vec::new(), moment(MS + 1_000));
        let told = out.iter().any(|out| matches!(out, Out::Reply(to, Reply::Status(_)) if *to == id));
        let refused = out.iter().any(|out| matches!(out, Out::Reply(to, Reply::Refused(Refusal::NotUnderstood)) if *to == id));
        assert_eq!((told, refused), (is_heard, !is_heard), "{id}");
    }
}

#[test]
fn a_totp_code_is_not_accepted_twice() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    world.import("first", SECRET, MS + 60_000);
    let action = Action::Import { label: "second".to_owned(), venue: strongroom_model::Venue::Binance };
    world.act(action, b"", MS + 61_000, &mut |world, field| match field {
        Field::Totp => code_at(&world.otp_uri, MS + 60_000).into_bytes(),
        _ => b"second".to_vec(),
    });
    assert!(matches!(world.ends.last(), Some(ActionEnd::Failed { wrong_factor: true, .. })), "{:?}", world.ends.last());
}

#[test]
fn the_kill_switch_refuses_orders_until_a_code_takes_it_back() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    world.import("key", SECRET, MS + 60_000);
    let place = |world: &mut SignerWorld, ms| {
        let spec = strongroom_model::OrderSpec::Limit {
            price: "50000".parse().unwrap(),
            quantity: "0.1".parse().unwrap(),
            tif: strongroom_model::TimeInForce::Gtc,
        };
        let intent = Intent::Place(strongroom_model::PlaceOrder {
            client_order_id: strongroom_model::ClientOrderId::parse("a").unwrap(),
            symbol: strongroom_model::Symbol::parse("BTCUSDT").unwrap(),
            side: strongroom_model::Side::Buy,
            spec,
            reduce_only: false,
        });
        world.ask(Request::Sign(SignAsk { intent, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 }), b"", ms)
    };
    assert!(matches!(place(&mut world, MS + 61_000), Reply::Signed { .. }));
    world.ask(Request::Kill(Freeze::everything("test")), b"", MS + 62_000);
    assert!(matches!(place(&mut world, MS + 62_000), Reply::Refused(_)));
    world.act(Action::Rearm, b"", MS + 120_000, &mut |world, _| code_at(&world.otp_uri, MS + 120_000).into_bytes());
    assert_eq!(world.ends.last(), Some(&ActionEnd::Rearmed));
    assert!(matches!(place(&mut world, MS + 121_000), Reply::Signed { .. }));
}

#[test]
fn signatures_that_others_made_are_reproduced() {
    let mut reproduced = 0;
    for file in [
        include_str!("../vectors/official-signatures.json"),
        include_str!("../vectors/signed-requests.json"),
        include_str!("../vectors/binance-wsapi-signatures.json"),
    ] {
        for (name, verdict) in run(file).unwrap() {
            assert!(!matches!(verdict, Verdict::Wrong(_)), "{name}: {verdict:?}");
            reproduced += u32::from(verdict == Verdict::Reproduced);
        }
    }
    assert!(reproduced >= 25, "only {reproduced} were reproduced");
}
