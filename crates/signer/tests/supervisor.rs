//! The signer's process and its supervisor, which a test plays. Invariant: whatever is no message of the list ends the signer, which is a seal.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use std::os::fd::AsFd as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use strongroom_guard::Freeze;
use strongroom_model::Intent;
use strongroom_signer_api::channel::{Channel, PACKET_LEN_MAX};
use strongroom_signer_api::control::{EXIT_OF_ANOTHER_BUILD, FromSigner, ToSigner};
use strongroom_signer_api::frame::{self, Frame, Kind};
use strongroom_signer_api::managed::Offered;
use strongroom_signer_api::prompt::FromPrompt;
use strongroom_signer_api::{Line, Reply, Request, SignAsk};

/// So often it is looked whether the signer sleeps.
const TRIES: usize = 20;
const PATIENCE: Duration = Duration::from_secs(20);

struct World {
    signer: Child,
    supervisor: Channel,
    desk: Channel,
    buffer: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let (supervisor, inherited) = Channel::pair().unwrap();
        let signer = Command::new(env!("CARGO_BIN_EXE_strongroom-signer"))
            .env_clear()
            .stdin(Stdio::from(inherited.into_fd()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (desk, given) = Channel::pair().unwrap();
        let mut line = Line::from(supervisor.try_clone().unwrap());
        for message in [ToSigner::Managed(Offered::Nothing), ToSigner::NoProvider(7)] {
            line.send(&mut message.encode(), &[]).unwrap();
        }
        line.send(&mut ToSigner::AttachDesk.encode(), &[given.as_fd()]).unwrap();
        Self { signer, supervisor, desk, buffer: vec![0; PACKET_LEN_MAX] }
    }

    /// What the signer answers its desk; `None`: it has ended.
    fn asked(&mut self, id: u64, request: &Request) -> Option<Reply> {
        let mut out = Vec::new();
        frame::write(&mut out, Kind::Request, id, request, b"").unwrap();
        self.desk.send(&out, &[]).ok()?;
        loop {
            assert!(self.desk.wait(PATIENCE).unwrap(), "neither an answer nor an end");
            let packet = self.desk.recv(&mut self.buffer).ok()??;
            let frame = Frame::parse(&self.buffer[..packet.len]).unwrap();
            if frame.kind == Kind::Reply {
                assert_eq!(frame.id, id);
                return Some(frame.message::<Reply>().unwrap());
            }
        }
    }

    /// Whether the signer answers its desk; `false`: it has ended.
    fn answers(&mut self, id: u64) -> bool {
        let reply = self.asked(id, &Request::Status);
        assert!(matches!(reply, None | Some(Reply::Status(_))));
        reply.is_some()
    }

    fn ends(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if self.signer.try_wait().unwrap().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.signer.kill();
        let _ = self.signer.wait();
    }
}

/// Numbered as the fourth message of a supervisor.
fn fourth(mut frame: Vec<u8>, number: u64) -> Vec<u8> {
    frame[6..14].copy_from_slice(&number.to_le_bytes());
    frame
}

fn of_another_build(mut frame: Vec<u8>) -> Vec<u8> {
    frame[0] ^= 1;
    frame
}

#[test]
fn a_supervisor_that_is_not_understood_ends_the_signer() {
    let mut of_a_prompt = Vec::new();
    FromPrompt::Cancel.write(&mut of_a_prompt);
    let whole = ToSigner::NoProvider(9).encode();
    let rows = [
        ("a message of the list", fourth(whole.clone(), 4), true),
        ("the same number again", fourth(whole.clone(), 3), false),
        ("no frame", b"K".to_vec(), false),
        ("half a frame", fourth(whole[..whole.len() - 1].to_vec(), 4), false),
        ("another line's", fourth(of_a_prompt, 4), false),
        ("another build's", of_another_build(fourth(whole.clone(), 4)), false),
        ("its own", fourth(FromSigner::Frozen.encode(), 4), false),
        ("without its descriptor", fourth(ToSigner::AttachPrompt.encode(), 4), false),
    ];
    for (name, packet, lives) in rows {
        let mut world = World::new();
        assert!(world.answers(1), "{name}: it begins");
        world.supervisor.send(&packet, &[]).unwrap();
        if lives {
            std::thread::sleep(Duration::from_millis(300));
            assert!(world.answers(2), "{name}");
        } else {
            assert!(world.ends(), "{name}");
            let is_told = world.signer.wait().unwrap().code() == Some(i32::from(EXIT_OF_ANOTHER_BUILD));
            assert_eq!(is_told, name == "another build's", "{name}");
        }
    }
}

/// However often the desk says that something is coming.
#[test]
fn a_signer_that_stays_awake_hears_its_supervisor() {
    let mut world = World::new();
    let freeze = ToSigner::Freeze(Freeze::everything("test"));
    assert_eq!(world.asked(1, &Request::StayAwake), Some(Reply::Done));
    world.supervisor.send(&fourth(freeze.encode(), 4), &[]).unwrap();
    let end = Instant::now() + PATIENCE;
    for id in 2.. {
        assert!(Instant::now() < end, "not heard");
        assert_eq!(world.asked(id, &Request::StayAwake), Some(Reply::Done));
        if world.supervisor.wait(Duration::from_millis(1)).unwrap() {
            break;
        }
    }
    let packet = world.supervisor.recv(&mut world.buffer).unwrap().unwrap();
    assert_eq!(FromSigner::decode(&world.buffer[..packet.len]), Some(FromSigner::Frozen));
}

/// What was announced keeps it from sleeping until it comes; what never comes, for a while.
#[test]
fn a_signer_that_was_told_to_stays_awake_for_a_while() {
    let mut world = World::new();
    let status = format!("/proc/{}/stat", world.signer.id());
    let sleeps = || std::fs::read_to_string(&status).unwrap().rsplit(") ").next().unwrap().starts_with('S');
    let (mut id, end) = (0, Instant::now() + PATIENCE);
    let mut awake_after = |requests: &[Request]| {
        let is_awake = |_: &usize| {
            while !sleeps() {
                assert!(Instant::now() < end, "it does not sleep");
                std::thread::sleep(Duration::from_millis(1));
            }
            for request in requests {
                id += 1;
                assert!(world.asked(id, request).is_some());
            }
            std::thread::sleep(Duration::from_millis(5));
            !sleeps()
        };
        (0..TRIES).filter(is_awake).count()
    };
    let intent = Intent::QueryBalances;
    let came = Request::Sign(SignAsk { intent, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 });
    // On a busy machine it may be over, or not have begun, before this looks.
    while awake_after(&[Request::StayAwake]) < TRIES * 3 / 4 || awake_after(&[Request::StayAwake, came.clone()]) > TRIES / 4 {
        assert!(Instant::now() < end, "what it is told does not keep it awake");
    }
}
