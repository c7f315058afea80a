//! The watch: heartbeats, ends, doors. Invariant: nothing here waits for a child; every wait has an end.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use strongroom_desk_api::supervisor::{Errand, Running, ToSupervisor};
use strongroom_desk_api::{Freeze, KillScope};
use strongroom_signer_api::control::{EXIT_OF_ANOTHER_BUILD, FROM_SIGNER_LEN_MAX, FromDesk, FromSigner, StateMarks, ToDesk, ToSigner};
use strongroom_signer_api::errand::EXIT_NO_DISPLAY;
use strongroom_signer_api::{Channel, Line};

use crate::children::{self, DeskArguments, Process, how};
use crate::doors::{self, DOORS_MAX, Heard};
use crate::managed;
use crate::providers::Providers;

/// A desk that did not turn for so long is taken for hung: the signer is frozen.
const HEARTBEAT_MAX: Duration = Duration::from_secs(2);
/// A hung desk is ended and started anew after so long.
const HANG_MAX: Duration = Duration::from_secs(5);
/// A desk has so long for its first heartbeat (databases are opened, venues are reached).
const START_MAX: Duration = Duration::from_secs(20);
/// A desk that was asked to end has so long.
const QUIT_MAX: Duration = Duration::from_secs(8);
/// The watch looks around at least so often.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// More restarts than this within [`RESTART_WINDOW`] mean that restarting does not help.
const RESTARTS_MAX: usize = 8;
const RESTART_WINDOW: Duration = Duration::from_secs(60);
/// A signer that has not confirmed a freeze within this is told of as busy: doors wait a little longer.
const FROZEN_WITHIN: Duration = Duration::from_secs(3);
/// This signal engages the kill switch.
const KILL_SWITCH: Signal = Signal::SIGUSR1;
/// Most prompts at once.
const PROMPTS_MAX: usize = 4;

struct RunningPrompt {
    process: Process,
    door: u64,
}

pub(crate) struct Supervisor {
    arguments: DeskArguments,
    listener: OwnedFd,
    signals: SignalFd,
    signer: Process<Line>,
    desk: Process,
    heard_at: Instant,
    beaten: bool,
    /// Why the signer was frozen while this desk hung; told to the next desk, which cancels.
    frozen_for_hang: Option<String>,
    /// When they ended by themselves lately, each counted for itself: a desk is started again whatever signers do.
    signer_ends: Vec<Instant>,
    desk_ends: Vec<Instant>,
    sealing: bool,
    /// Of each freeze that the signer has not confirmed: since when, and the door that waits for it.
    freezing: VecDeque<(Instant, Option<u64>)>,
    doors: BTreeMap<u64, Channel>,
    next_door: u64,
    prompts: Vec<RunningPrompt>,
    providers: Providers,
    /// How far state files had come: a signer that comes after takes no older one.
    marks: StateMarks,
}

impl Supervisor {
    pub(crate) fn start(arguments: DeskArguments) -> anyhow::Result<Self> {
        let mut mask = SigSet::empty();
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, KILL_SWITCH] {
            mask.add(signal);
        }
        mask.thread_block()?;
        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let listener = strongroom_desk_api::supervisor::listen(&strongroom_desk_api::socket::run_dir(&arguments.dir))?;
        let signer = started_signer(&StateMarks::default())?;
        let desk = children::desk(&arguments)?;
        let mut supervisor = Self {
            arguments,
            listener,
            signals,
            signer,
            desk,
            heard_at: Instant::now(),
            beaten: false,
            frozen_for_hang: None,
            signer_ends: Vec::new(),
            desk_ends: Vec::new(),
            sealing: false,
            freezing: VecDeque::new(),
            doors: BTreeMap::new(),
            next_door: 1,
            prompts: Vec::new(),
            providers: Providers::default(),
            marks: StateMarks::default(),
        };
        supervisor.wire()?;
        Ok(supervisor)
    }

    /// A fresh channel between signer and desk; neither end stays here.
    fn wire(&mut self) -> anyhow::Result<()> {
        let (signer_end, desk_end) = Channel::pair()?;
        self.signer.channel.try_send(&mut ToSigner::AttachDesk.encode(), &[signer_end.as_fd()])?;
        self.desk.channel.try_send(&ToDesk::AttachSigner.encode(), &[desk_end.as_fd()])?;
        Ok(())
    }

    pub(crate) fn watch(mut self) -> anyhow::Result<()> {
        loop {
            let door_ids: Vec<u64> = self.doors.keys().copied().collect();
            let fds: Vec<BorrowedFd<'_>> = [
                self.signals.as_fd(),
                self.desk.channel.as_fd(),
                self.desk.pidfd.as_fd(),
                self.signer.pidfd.as_fd(),
                self.listener.as_fd(),
                self.signer.channel.as_fd(),
            ]
            .into_iter()
            .chain(self.prompts.iter().map(|prompt| prompt.process.pidfd.as_fd()))
            .chain(self.doors.values().map(Channel::as_fd))
            .collect();
            let ready = wait(&fds)?;
            let prompts_len = self.prompts.len();
            if ready[0] && self.is_told_to_end() {
                self.quit();
                return Ok(());
            }
            // What ended by itself is told as that, whoever wanted it sealed meanwhile.
            if ready[3] {
                self.signer_ended()?;
            }
            if ready[1] {
                self.hear_desk(ready[3])?;
            }
            if ready[2] {
                self.desk_ended()?;
            }
            if ready[4] {
                self.accept();
            }
            if ready[5] {
                self.hear_signer();
            }
            if ready[6..6 + prompts_len].contains(&true) {
                self.prompts_ended();
            }
            for id in door_ids.into_iter().zip(&ready[6 + prompts_len..]).filter(|(_, ready)| **ready).map(|(id, _)| id) {
                if self.hear_door(id) {
                    self.quit();
                    return Ok(());
                }
            }
            self.check_heartbeat();
            self.check_freezes();
            self.providers.check();
        }
    }

    /// A signal either ends everything or engages the kill switch.
    fn is_told_to_end(&mut self) -> bool {
        while let Ok(Some(told)) = self.signals.read_signal() {
            if u32::try_from(KILL_SWITCH as i32) != Ok(told.ssi_signo) {
                return true;
            }
            self.kill(Freeze::everything(&format!("{KILL_SWITCH} from process {}", told.ssi_pid)), None);
        }
        false
    }

    /// `is_new`: the signer has just been replaced by a sealed one.
    fn hear_desk(&mut self, is_new: bool) -> anyhow::Result<()> {
        let mut buffer = [0; 64];
        while let Ok(Some(packet)) = self.desk.channel.try_recv(&mut buffer) {
            match FromDesk::decode(&buffer[..packet.len]) {
                Some(FromDesk::Alive) => {
                    self.heard_at = Instant::now();
                    self.beaten = true;
                    // It turns again, so it hears by itself of what was engaged meanwhile.
                    self.frozen_for_hang = None;
                }
                Some(FromDesk::Seal) if !is_new => self.seal(),
                Some(FromDesk::Seal) | None => {}
            }
        }
        Ok(())
    }

    fn signer_ended(&mut self) -> anyhow::Result<()> {
        let because = if std::mem::take(&mut self.sealing) { "sealed".to_owned() } else { "crashed".to_owned() };
        if because == "crashed" {
            count(&mut self.signer_ends)?;
        }
        // What it said last counts.
        self.hear_signer();
        while !self.freezing.is_empty() {
            self.froze(true, "the signer has ended: nothing can be signed");
        }
        let old = std::mem::replace(&mut self.signer, started_signer(&self.marks)?);
        let ended = old.reap();
        anyhow::ensure!(
            ended.and_then(|status| status.code()) != Some(i32::from(EXIT_OF_ANOTHER_BUILD)),
            "the programs were replaced while this one ran: the new signer does not understand it. Start strongroomd anew. Nothing is running now"
        );
        if because == "crashed" {
            eprintln!("strongroomd: the signer ended by itself ({}); the vault is sealed", how(ended));
        }
        // Prompts and providers spoke with the old one.
        self.providers.end();
        for prompt in self.prompts.drain(..) {
            prompt.process.kill();
            if let Some(door) = self.doors.get(&prompt.door) {
                doors::answer(door, false, "the signer has ended; the vault is sealed");
            }
            prompt.process.reap();
        }
        let _ = self.desk.channel.try_send(&ToDesk::SignerGone(because).encode(), &[]);
        let _ = self.wire();
        Ok(())
    }

    fn desk_ended(&mut self) -> anyhow::Result<()> {
        count(&mut self.desk_ends)?;
        let old = std::mem::replace(&mut self.desk, children::desk(&self.arguments)?);
        eprintln!("strongroomd: the desk ended ({}); started anew", how(old.reap()));
        self.heard_at = Instant::now();
        self.beaten = false;
        let _ = self.wire();
        let told = match self.frozen_for_hang.take() {
            Some(why) => ToDesk::Killed(why),
            None => ToDesk::DeskDied,
        };
        let _ = self.desk.channel.try_send(&told.encode(), &[]);
        Ok(())
    }

    fn check_heartbeat(&mut self) {
        let silent = self.heard_at.elapsed();
        let (patience, end) = if self.beaten { (HEARTBEAT_MAX, HANG_MAX) } else { (START_MAX, START_MAX) };
        if silent >= patience && self.frozen_for_hang.is_none() {
            self.frozen_for_hang = Some("the desk hangs".to_owned());
            self.freeze(Freeze::everything("the desk hangs"), None);
        }
        if silent >= end {
            self.desk.kill();
        }
    }

    /// Somebody wants it engaged. A desk that hangs may never read it: the next one is told again. `false`: see [`Self::freeze`].
    fn kill(&mut self, freeze: Freeze, door: Option<u64>) -> bool {
        if freeze.scope == KillScope::Everything && self.heard_at.elapsed() >= HEARTBEAT_MAX / 2 {
            self.frozen_for_hang = Some(freeze.why.clone());
        }
        self.freeze(freeze, door)
    }

    /// Engages the kill switch: the signer first, then the desk, which cancels. What reaches less than everything the desk hears of the
    /// signer. `false`: the signer could not be told, so it is ended.
    fn freeze(&mut self, freeze: Freeze, door: Option<u64>) -> bool {
        let is_told = self.signer.channel.try_send(&mut ToSigner::Freeze(freeze.clone()).encode(), &[]).is_ok();
        if is_told {
            self.freezing.push_back((Instant::now(), door));
        } else {
            self.signer.kill();
        }
        if freeze.scope == KillScope::Everything {
            let _ = self.desk.channel.try_send(&ToDesk::Killed(freeze.why).encode(), &[]);
        }
        is_told
    }

    /// Whoever waits for the oldest freeze is told what became of it.
    fn froze(&mut self, done: bool, words: &str) {
        let door = self.freezing.pop_front().and_then(|(_, door)| self.doors.get(&door?));
        if let Some(door) = door {
            doors::answer(door, done, words);
        }
    }

    /// Whoever waits for a signer that is busy with something long, or hangs, is told so in time.
    fn check_freezes(&mut self) {
        for (_, door) in self.freezing.iter_mut().filter(|(since, _)| since.elapsed() >= FROZEN_WITHIN) {
            if let Some(door) = door.take().and_then(|door| self.doors.get(&door)) {
                let words = "the signer was told and has not confirmed it: it is busy, or it hangs. `strongroom vault seal` ends it";
                doors::answer(door, false, words);
            }
        }
    }

    /// Ends the signer: a sealed one is started.
    fn seal(&mut self) {
        self.sealing = true;
        self.signer.kill();
    }

    fn accept(&mut self) {
        while let Some(door) = doors::accept(&self.listener) {
            if self.doors.len() >= DOORS_MAX {
                // The newest may be the one that engages the kill switch: the oldest that waits for nothing gives way.
                let waits = |id: &u64| {
                    self.prompts.iter().any(|prompt| prompt.door == *id) || self.freezing.iter().any(|(_, door)| *door == Some(*id))
                };
                let idle = self.doors.keys().copied().find(|id| !waits(id));
                let Some(idle) = idle else { continue };
                self.doors.remove(&idle);
            }
            self.doors.insert(self.next_door, door);
            self.next_door += 1;
        }
    }

    /// `true`: everything is to end.
    fn hear_door(&mut self, id: u64) -> bool {
        let Some(door) = self.doors.get(&id) else { return false };
        match doors::hear(door) {
            Heard::Nothing => {}
            Heard::NotUnderstood => doors::answer(door, false, "not understood"),
            Heard::Gone => {
                self.doors.remove(&id);
                // Its prompt loses its errand: dropping the channel tells it to put the terminal back and end.
                self.prompts.iter_mut().filter(|prompt| prompt.door == id).for_each(RunningPrompt::give_up);
            }
            Heard::Request(ToSupervisor::Status, _) => {
                let running = Running { version: env!("CARGO_PKG_VERSION").to_owned(), venue: self.arguments.venue().to_owned() };
                doors::answer(door, true, &running.to_string());
            }
            Heard::Request(ToSupervisor::Stop, _) => {
                doors::answer(door, true, "stopping");
                return true;
            }
            Heard::Request(ToSupervisor::Kill(freeze), _) => {
                if self.kill(freeze, Some(id)) {
                    return false;
                }
                if let Some(door) = self.doors.get(&id) {
                    doors::answer(door, true, "the signer could not be told and is ended: nothing can be signed");
                }
            }
            Heard::Request(ToSupervisor::Seal, _) => {
                self.seal();
                if let Some(door) = self.doors.get(&id) {
                    doors::answer(door, true, "Sealed. Nothing can be signed until you unlock.");
                }
            }
            Heard::Request(ToSupervisor::Prompt(errand), fds) => {
                if let Err(error) = self.open_prompt(id, &errand, fds)
                    && let Some(door) = self.doors.get(&id)
                {
                    doors::answer(door, false, &format!("the prompt could not be opened: {error}"));
                }
            }
        }
        false
    }

    fn hear_signer(&mut self) {
        let mut buffer = [0; FROM_SIGNER_LEN_MAX];
        while let Ok(Some(packet)) = self.signer.channel.try_recv(&mut buffer) {
            match FromSigner::decode(&buffer[..packet.len]) {
                Some(FromSigner::WantProvider(number)) => self.providers.wanted(number, &mut self.signer.channel),
                Some(FromSigner::StateSaved(mark)) => self.marks.note(mark),
                Some(FromSigner::Frozen) => self.froze(true, "the signer is frozen"),
                None => {}
            }
        }
    }

    fn open_prompt(&mut self, door: u64, errand: &Errand, fds: Vec<OwnedFd>) -> anyhow::Result<()> {
        anyhow::ensure!(self.prompts.len() < PROMPTS_MAX, "{PROMPTS_MAX} prompts are open");
        anyhow::ensure!(fds.len() == errand.fds_len(), "descriptors are missing");
        let (signer_end, prompt_end) = Channel::pair()?;
        let process = children::prompt(errand.face)?;
        // What an organisation laid down since the signer began holds for whoever opens the vault now.
        self.signer.channel.try_send(&mut ToSigner::Managed(managed::look()).encode(), &[])?;
        self.signer.channel.try_send(&mut ToSigner::AttachPrompt.encode(), &[signer_end.as_fd()])?;
        let fds: Vec<_> = std::iter::once(prompt_end.as_fd()).chain(fds.iter().map(OwnedFd::as_fd)).collect();
        process.channel.try_send(&errand.encode(), &fds)?;
        self.prompts.push(RunningPrompt { process, door });
        Ok(())
    }

    fn prompts_ended(&mut self) {
        for at in (0..self.prompts.len()).rev() {
            if let Some(status) = self.prompts[at].process.ended() {
                let prompt = self.prompts.remove(at);
                let words = match status.code() {
                    Some(0) => "answered",
                    Some(EXIT_NO_DISPLAY) => {
                        "the prompt's window could not be shown on this display. Nothing was asked. Answer on a terminal"
                    }
                    _ => "not done",
                };
                if let Some(door) = self.doors.get(&prompt.door) {
                    doors::answer(door, status.success(), words);
                }
            }
        }
    }

    fn quit(mut self) {
        let _ = self.desk.channel.try_send(&ToDesk::Quit.encode(), &[]);
        let end = Instant::now() + QUIT_MAX;
        while self.desk.ended().is_none() && Instant::now() < end {
            let _ = wait(&[self.desk.pidfd.as_fd()]);
        }
        for prompt in self.prompts.drain(..) {
            prompt.process.kill();
            prompt.process.reap();
        }
        self.providers.end();
        self.desk.kill();
        self.signer.kill();
        self.desk.reap();
        self.signer.reap();
    }
}

/// A signer that knows what an organisation laid down, before it hears of anybody else.
fn started_signer(marks: &StateMarks) -> anyhow::Result<Process<Line>> {
    let mut signer = children::signer()?;
    signer.channel.try_send(&mut ToSigner::Managed(managed::look()).encode(), &[])?;
    for mark in marks.iter() {
        signer.channel.try_send(&mut ToSigner::StateFloor(mark).encode(), &[])?;
    }
    Ok(signer)
}

impl RunningPrompt {
    fn give_up(&mut self) {
        if let Ok((ours, _theirs)) = Channel::pair() {
            self.process.channel = ours;
        }
    }
}

fn wait(fds: &[BorrowedFd<'_>]) -> anyhow::Result<Vec<bool>> {
    let mut fds: Vec<_> = fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    match poll(&mut fds, Some(&TICK)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(fds.iter().map(|fd| !fd.revents().is_empty()).collect())
}

/// One more end.
fn count(ends: &mut Vec<Instant>) -> anyhow::Result<()> {
    let now = Instant::now();
    ends.retain(|at| now.duration_since(*at) < RESTART_WINDOW);
    ends.push(now);
    anyhow::ensure!(ends.len() <= RESTARTS_MAX, "a child ended {RESTARTS_MAX} times within a minute; giving up. Nothing is running now");
    Ok(())
}
