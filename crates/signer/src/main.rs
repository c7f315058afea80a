//! The shell of the signer: builds the walls, then moves packets between its channels and [`Signer`].
//!
//! Standard input is the supervisor's channel; the desk's and the prompts' arrive over it. Invariant: no request is
//! read before the walls stand and were measured, and no peer that stops reading can stop the signer.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use strongroom_model::Timestamp;
use strongroom_signer::arena::{Arena, reserve_for_keys};
use strongroom_signer::awaited::Awaited;
use strongroom_signer::stack::{self, Depth};
use strongroom_signer::{Moment, Out, Signer, walls};
use strongroom_signer_api::channel::{Channel, Look, PACKET_LEN_MAX};
use strongroom_signer_api::control::{EXIT_OF_ANOTHER_BUILD, FromSigner, ToSigner};
use strongroom_signer_api::frame::{self, Frame, FrameError, Kind};
use strongroom_signer_api::prompt::FromPrompt;
use strongroom_signer_api::provider::FromProvider;
use strongroom_signer_api::{Line, Refusal, Reply, Request};
use zeroize::{Zeroize as _, Zeroizing};

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// Supervisor and prompts are looked at after so many requests of a busy desk: a freeze waits no longer.
const REQUESTS_IN_A_ROW_MAX: u32 = 8;
/// Largest file taken over a descriptor.
const FILE_LEN_MAX: u64 = 32 * 1_024 * 1_024;
/// Most prompts at once.
const PROMPTS_MAX: usize = 4;

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("strongroom-signer: {error}");
            let cause = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            match cause.and_then(|cause| cause.downcast_ref()) {
                Some(FrameError::Version(_)) => std::process::ExitCode::from(EXIT_OF_ANOTHER_BUILD),
                _ => std::process::ExitCode::FAILURE,
            }
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let closed = walls::close_windows();
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let supervisor = Line::from(Channel::inherited()?);
    let arena = Arena::make()?;
    if !strongroom_venues::pair::prepare() {
        return Err("the library of key pairs could not be set up".into());
    }
    let shell_start = Instant::now();
    let walls = walls::build(closed, arena.is_locked() && reserve_for_keys());
    if !walls.are_up() {
        // It goes on, so that people are told: nothing is opened behind such walls.
        eprintln!("strongroom-signer: these walls do not stand, and nothing is opened: {}", walls.missing().join(", "));
    }
    let shell = Shell {
        signer: Signer::new(arena, walls),
        supervisor,
        desk: None,
        prompts: BTreeMap::new(),
        providers: BTreeMap::new(),
        next_prompt: 1,
        next_notice: 1,
        start: shell_start,
        look: Look::default(),
        awaited: Awaited::default(),
        out: Vec::with_capacity(PACKET_LEN_MAX),
    };
    Ok(shell.turn()?)
}

struct Shell {
    signer: Signer,
    supervisor: Line,
    desk: Option<Channel>,
    prompts: BTreeMap<u64, Line>,
    /// Each by the number of its prompt.
    providers: BTreeMap<u64, Line>,
    next_prompt: u64,
    next_notice: u64,
    start: Instant,
    look: Look,
    awaited: Awaited,
    out: Vec<u8>,
}

impl Shell {
    /// Until the supervisor is gone.
    fn turn(mut self) -> io::Result<()> {
        let mut buffer = Zeroizing::new(vec![0; PACKET_LEN_MAX]);
        loop {
            self.serve_desk(&mut buffer);
            // A desk that still has something is served again at once, after a look at the others.
            if !self.look_around(&mut buffer)? {
                return Ok(());
            }
        }
    }

    fn serve_desk(&mut self, buffer: &mut [u8]) {
        let mut served = 0;
        while let Some(desk) = &self.desk {
            let got = if served > 0 || self.awaited.is_on(Instant::now()) { self.look.recv(desk, buffer) } else { desk.try_recv(buffer) };
            match got {
                Ok(Some(packet)) => {
                    // The reply is on its way before its traces are wiped.
                    stack::wiped(|| ((), self.hear_desk(&mut buffer[..packet.len], packet.fds)));
                    served += 1;
                    if served >= REQUESTS_IN_A_ROW_MAX {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Ok(None) | Err(_) => self.desk = None,
            }
        }
    }

    /// Sleeps until any channel has something, unless the desk is awaited, then takes what supervisor and prompts say. `false`: no
    /// supervisor.
    fn look_around(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let prompt_ids: Vec<u64> = self.prompts.keys().copied().collect();
        let provider_ids: Vec<u64> = self.providers.keys().copied().collect();
        let mut fds = vec![PollFd::new(&self.supervisor, PollFlags::IN)];
        fds.extend(self.prompts.values().chain(self.providers.values()).map(|line| PollFd::new(line, PollFlags::IN)));
        fds.extend(self.desk.as_ref().map(|desk| PollFd::new(desk, PollFlags::IN)));
        let no_time = Timespec::default();
        match poll(&mut fds, self.awaited.is_on(Instant::now()).then_some(&no_time)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        if ready[0] {
            match self.supervisor.try_recv(buffer) {
                Ok(Some(packet)) => {
                    if !stack::wiped(|| (self.hear_supervisor(&buffer[..packet.len], packet.fds), Depth::Anything)) {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, "the supervisor was not understood"));
                    }
                }
                Ok(None) => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        let (prompts, providers) = ready[1..].split_at(prompt_ids.len());
        for id in prompt_ids.into_iter().zip(prompts).filter(|(_, ready)| **ready).map(|(id, _)| id) {
            stack::wiped(|| (self.hear_prompt(id, buffer), Depth::Anything));
        }
        for id in provider_ids.into_iter().zip(providers).filter(|(_, ready)| **ready).map(|(id, _)| id) {
            stack::wiped(|| (self.hear_provider(id, buffer), Depth::Anything));
        }
        Ok(true)
    }

    /// `false`: it is no message for this signer, which ends then: what was said could have been a freeze.
    fn hear_supervisor(&mut self, packet: &[u8], fds: Vec<OwnedFd>) -> bool {
        let channel = fds.into_iter().next().map(Channel::from_fd);
        let effects = match (ToSigner::decode(packet), channel) {
            (Some(ToSigner::Managed(offered)), None) => {
                self.signer.managed_offered(offered);
                Vec::new()
            }
            (Some(ToSigner::StateFloor(mark)), None) => {
                self.signer.state_floor(mark);
                Vec::new()
            }
            (Some(ToSigner::Freeze(freeze)), None) => {
                let effects = self.signer.freeze(freeze);
                let _ = self.supervisor.try_send(&mut FromSigner::Frozen.encode(), &[]);
                effects
            }
            (Some(ToSigner::AttachDesk), Some(channel)) => {
                self.desk = Some(channel);
                self.signer.desk_attached()
            }
            (Some(ToSigner::AttachPrompt), Some(channel)) => {
                // One more than there may be finds its line closed.
                if self.prompts.len() < PROMPTS_MAX {
                    self.prompts.insert(self.next_prompt, channel.into());
                    self.signer.prompt_attached(self.next_prompt);
                    self.next_prompt += 1;
                }
                Vec::new()
            }
            (Some(ToSigner::AttachProvider(number)), Some(channel)) => {
                // Its prompt may have ended meanwhile.
                if self.prompts.contains_key(&number) {
                    self.providers.insert(number, channel.into());
                    self.signer.provider_attached(number)
                } else {
                    Vec::new()
                }
            }
            (Some(ToSigner::NoProvider(number)), None) => self.signer.provider_gone(number),
            _ => return false,
        };
        self.carry_out(effects);
        true
    }

    /// A provider answers once; then it is done.
    fn hear_provider(&mut self, id: u64, buffer: &mut [u8]) {
        let now = self.now();
        let Some(provider) = self.providers.get_mut(&id) else { return };
        let effects = match provider.try_recv(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Ok(Some(packet)) => {
                let effects = FromProvider::parse(&buffer[..packet.len]).map(|message| self.signer.on_provider(id, &message, now));
                buffer[..packet.len].zeroize();
                effects.map(|effects| self.unless_given_up(id, effects, buffer))
            }
            Ok(None) | Err(_) => None,
        };
        self.providers.remove(&id);
        let effects = effects.unwrap_or_else(|| self.signer.provider_gone(id));
        self.carry_out(effects);
    }

    /// A key may have been derived for `effects`, which takes its time: a prompt that gave up meanwhile, or ended, gets nothing.
    fn unless_given_up(&mut self, id: u64, effects: Vec<Out>, buffer: &mut [u8]) -> Vec<Out> {
        if !effects.iter().any(|effect| matches!(effect, Out::Notice(..))) {
            return effects;
        }
        let gave_up = match self.prompts.get_mut(&id).map(|prompt| prompt.try_recv(buffer)) {
            Some(Ok(Some(packet))) => {
                let gave_up = FromPrompt::parse(&buffer[..packet.len]) == Some(FromPrompt::Cancel);
                buffer[..packet.len].zeroize();
                gave_up
            }
            Some(Err(error)) => error.kind() != io::ErrorKind::WouldBlock,
            Some(Ok(None)) | None => true,
        };
        if gave_up { self.signer.take_back(id, effects) } else { effects }
    }

    fn hear_prompt(&mut self, id: u64, buffer: &mut [u8]) {
        let now = self.now();
        let Some(prompt) = self.prompts.get_mut(&id) else { return };
        let effects = match prompt.try_recv(buffer) {
            Ok(Some(packet)) => {
                let effects = FromPrompt::parse(&buffer[..packet.len]).map(|message| self.signer.on_prompt(id, &message, now));
                buffer[..packet.len].zeroize();
                effects.map(|effects| self.unless_given_up(id, effects, buffer))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Some(Vec::new()),
            Ok(None) | Err(_) => None,
        };
        let effects = effects.unwrap_or_else(|| {
            self.prompts.remove(&id);
            self.providers.remove(&id);
            self.signer.prompt_gone(id)
        });
        self.carry_out(effects);
    }

    fn hear_desk(&mut self, packet: &mut [u8], fds: Vec<OwnedFd>) -> Depth {
        let now = self.now();
        let mut is_light = false;
        let effects = match Frame::parse(packet) {
            Ok(frame) if frame.kind == Kind::Request => {
                let files = fds.into_iter().map(read_file).collect::<io::Result<Vec<_>>>();
                match (frame.message::<Request>(), files) {
                    (Ok(request), Ok(files)) => {
                        let asked = if let Request::At { request, .. } = &request { request } else { &request };
                        is_light = matches!(asked, Request::Sign(_) | Request::Status | Request::Touch { .. } | Request::StayAwake);
                        match asked {
                            Request::StayAwake => self.awaited.announced(Instant::now()),
                            Request::Sign(_) => self.awaited.came(),
                            _ => {}
                        }
                        self.signer.on_desk(frame.id, request, frame.tail, files, now)
                    }
                    _ => vec![Out::Reply(frame.id, Reply::Refused(Refusal::NotUnderstood))],
                }
            }
            // Not even a frame: there is no id to answer to. The channel is closed, which the desk will notice.
            _ => {
                self.desk = None;
                Vec::new()
            }
        };
        // Whatever else comes out was sealed for the disk first.
        let is_light = is_light && matches!(effects[..], [] | [Out::Reply(..)]);
        packet.zeroize();
        self.carry_out(effects);
        if is_light { Depth::SharedSecret } else { Depth::Anything }
    }

    fn carry_out(&mut self, effects: Vec<Out>) {
        for effect in effects {
            match effect {
                Out::Reply(id, reply) => {
                    // The desk goes on without one answer, not without its signer.
                    if frame::write_or(&mut self.out, Kind::Reply, id, &reply, &Reply::Refused(Refusal::TooLong)).is_ok() {
                        self.tell_desk(None);
                    }
                }
                Out::Notice(notice, file) => {
                    let id = self.next_notice;
                    self.next_notice += 1;
                    if frame::write(&mut self.out, Kind::Notice, id, &notice, b"").is_ok() {
                        match file.map(|bytes| memory_file(&bytes)).transpose() {
                            Ok(file) => self.tell_desk(file),
                            Err(_) => self.desk = None,
                        }
                    }
                }
                Out::Prompt(id, mut frame) => {
                    if let Some(prompt) = self.prompts.get_mut(&id) {
                        let _ = prompt.try_send(&mut frame, &[]);
                    }
                }
                Out::ClosePrompt(id) => {
                    self.prompts.remove(&id);
                    self.providers.remove(&id);
                }
                Out::WantProvider(id) => {
                    if self.supervisor.try_send(&mut FromSigner::WantProvider(id).encode(), &[]).is_err() {
                        let effects = self.signer.provider_gone(id);
                        self.carry_out(effects);
                    }
                }
                Out::StateSaved(mark) => {
                    // A supervisor that does not listen remembers less; the next save tells more.
                    let _ = self.supervisor.try_send(&mut FromSigner::StateSaved(mark).encode(), &[]);
                }
                Out::Provider(id, mut frame) => {
                    if let Some(provider) = self.providers.get_mut(&id) {
                        let _ = provider.try_send(&mut frame, &[]);
                    }
                }
            }
        }
    }

    /// Sends what stands in `out`. A desk that does not read is cut off, not waited for.
    fn tell_desk(&mut self, file: Option<OwnedFd>) {
        let Some(desk) = &self.desk else { return };
        let sent = match &file {
            Some(file) => desk.try_send(&self.out, &[file.as_fd()]),
            None => desk.try_send(&self.out, &[]),
        };
        if sent.is_err() {
            self.desk = None;
        }
    }

    fn now(&self) -> Moment {
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Moment {
            wall: Timestamp::from_us(i64::try_from(wall.as_micros()).unwrap_or(i64::MAX)),
            mono_ms: u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

fn read_file(fd: OwnedFd) -> io::Result<Vec<u8>> {
    let mut file = std::fs::File::from(fd);
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(FILE_LEN_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn memory_file(bytes: &[u8]) -> io::Result<OwnedFd> {
    let fd = rustix::fs::memfd_create("strongroom", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = std::fs::File::from(fd);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file.into())
}
