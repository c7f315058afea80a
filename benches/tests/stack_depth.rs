//! How far down a signature reaches. Invariant: what is wiped after one is deeper. That says something of a release build alone: without
//! optimisation everything is wiped as deep as can be.

use std::hint::black_box;

use strongroom_benches::furnish;
use strongroom_benches::here::SignerHere;
use strongroom_benches::order::{self, KEYS, RECV_WINDOW_MS};
use strongroom_model::{Scheme, Timestamp};
use strongroom_signer::Out;
use strongroom_signer::arena::Arena;
use strongroom_signer::stack::Depth;
use strongroom_signer_api::frame::{self, Frame, Kind};
use strongroom_signer_api::{Reply, Request};
use strongroom_venues::binance::{SigningKey, encode, scheme};

/// The signer's own allocator.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

const PAINT: u8 = 0xa5;
const PAINTED: usize = 512 * 1_024;
/// The end of the paint is not looked at: the frames that paint and look are not alike.
const MARGIN: usize = 32 * 1_024;
/// Fewer than the log's head has to be signed after.
const ORDERS: usize = 100;

#[inline(never)]
fn paint() {
    black_box(&mut [PAINT; PAINTED]);
}

/// How much below this frame was written since it was painted.
#[inline(never)]
#[expect(unsafe_code, reason = "what lies there belongs to nobody any more")]
fn written() -> usize {
    let here = 0_u8;
    let top = black_box(&raw const here);
    // SAFETY: the stack of a test's thread is 2 MiB, and this part was written by `paint`.
    let byte = |below: usize| unsafe { top.wrapping_sub(below).read_volatile() };
    (0..PAINTED - MARGIN).rev().find(|below| byte(*below) != PAINT).unwrap_or_default()
}

/// How far down `f` reaches.
#[inline(never)]
fn depth(f: &mut dyn FnMut()) -> usize {
    paint();
    f();
    written()
}

fn fits(what: &str, deepest: usize, wiped: Depth) {
    println!("{what}: {deepest} of {} bytes", wiped.bytes());
    assert!((1..wiped.bytes()).contains(&deepest), "{what}: {deepest}");
}

#[test]
fn an_order_that_a_shared_secret_signs_reaches_no_deeper_than_is_wiped() {
    let mut signer = SignerHere::new().unwrap();
    furnish(&mut signer, &KEYS[0]).unwrap();
    let (mut packet, mut deepest) = (Vec::new(), 0);
    frame::write(&mut packet, Kind::Request, 1, &order::request().unwrap(), b"").unwrap();
    for _ in 0..ORDERS {
        let (mut answer, mut told) = (Vec::new(), Vec::new());
        let reached = depth(&mut || {
            let request = Frame::parse(&packet).unwrap().message::<Request>().unwrap();
            told = signer.ask_alone(request);
            if let [Out::Reply(id, reply)] = &told[..] {
                frame::write(&mut answer, Kind::Reply, *id, reply, b"").unwrap();
            }
        });
        if answer.is_empty() {
            // Something was sealed for the disk as well, and that is wiped as deep as anything.
            drop(signer.settle(told));
            continue;
        }
        let reply = Frame::parse(&answer).unwrap().message::<Reply>().unwrap();
        assert!(matches!(reply, Reply::Signed { .. }), "{reply:?}");
        deepest = deepest.max(reached);
    }
    fits("a shared secret", deepest, Depth::SharedSecret);
}

#[test]
fn a_key_pairs_signature_reaches_no_deeper_than_is_wiped() {
    let intent = order::intent().unwrap();
    for of in [Scheme::Ed25519, Scheme::RsaSha256] {
        let stored = scheme::generate(of, getrandom::fill).unwrap();
        let mut arena = Arena::make().unwrap();
        let shielded = arena.shield(&stored).unwrap();
        let mut deepest = 0;
        for _ in 0..ORDERS {
            let unsigned = encode::encode(&intent, Timestamp::from_ms(0), RECV_WINDOW_MS).unwrap();
            let mut unsigned = Some(unsigned);
            let reached = depth(&mut || {
                let signed = arena.expose(&shielded, |secret| {
                    SigningKey::from_stored(of, secret).and_then(|key| unsigned.take().unwrap().sign("name", &key))
                });
                assert!(signed.is_ok_and(|signed| signed.is_ok()));
            });
            deepest = deepest.max(reached);
        }
        fits(&format!("{of:?}"), deepest, Depth::KeyPair);
    }
}
