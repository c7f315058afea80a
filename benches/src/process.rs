//! The real signer in a process of its own, wired as the supervisor wires it. Invariant: nothing is measured unless the
//! process reports that all of its walls stand.

use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use rustix::thread::{CpuSet, Pid, sched_setaffinity};
use strongroom_guard::{Freeze, Reason};
use strongroom_signer_api::channel::{Channel, Look, PACKET_LEN_MAX};
use strongroom_signer_api::control::ToSigner;
use strongroom_signer_api::frame::{self, Frame, Kind};
use strongroom_signer_api::prompt::{FromPrompt, ToPrompt};
use strongroom_signer_api::{Action, ActionEnd, Line, Notice, Refusal, Reply, Request, Saved};

use crate::Spoken;
use crate::person::Person;

/// The log's head is signed as often as the desk has it signed.
const ORDERS_PER_HEAD: u64 = 128;

/// One step of the code generator; the signer accepts the step before and the step after the present one.
const STEP_S: u64 = 30;
/// Codes are read this early in a step, so that the three of them are still accepted.
const STEP_BEGIN_S: u64 = 20;
/// How long a prompt and a desk are listened to in turns.
const TURN: Duration = Duration::from_millis(1);

/// Where the two ends run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// Where the scheduler puts them; it stays with a choice for long.
    Free,
    /// Both on the first core.
    Shared,
    /// The desk's side on the first, the signer on the second.
    Apart,
}

/// A signer's process and both of its channels.
pub struct SignerProcess {
    child: Child,
    supervisor: Line,
    desk: Channel,
    next_id: u64,
    look: Look,
    buffer: Vec<u8>,
    out: Vec<u8>,
    unsaved: Vec<Saved>,
    end: Option<ActionEnd>,
    can_freeze: bool,
    /// Orders that were timed.
    timed_so_far: u64,
    /// How often the log's head was signed.
    heads: u64,
}

impl SignerProcess {
    /// Starts `program`, sealed.
    pub fn start(program: &Path) -> anyhow::Result<Self> {
        let (supervisor, its_supervisor) = Channel::pair()?;
        let mut command = Command::new(program);
        command.env_clear().stdin(its_supervisor.into_fd()).stdout(Stdio::null());
        let child = command.spawn().context("cannot start the signer")?;
        let (desk, its_desk) = Channel::pair()?;
        let mut supervisor = Line::from(supervisor);
        supervisor.send(&mut ToSigner::AttachDesk.encode(), &[its_desk.as_fd()])?;
        let mut signer = Self {
            child,
            supervisor,
            desk,
            next_id: 1,
            look: Look::default(),
            buffer: vec![0; PACKET_LEN_MAX],
            out: Vec::with_capacity(PACKET_LEN_MAX),
            unsaved: Vec::new(),
            end: None,
            can_freeze: false,
            timed_so_far: 0,
            heads: 0,
        };
        match signer.ask(Request::Status, b"")? {
            Reply::Status(status) if status.walls.are_up() && status.walls.locked_memory => Ok(signer),
            other => anyhow::bail!("the signer's walls do not stand: {other:?}"),
        }
    }

    /// Fixes where this thread and the signer run from now on.
    pub fn place(&self, cores: Cores) -> anyhow::Result<()> {
        let its = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        let (own, signers) = match cores {
            Cores::Free => (0..CpuSet::MAX_CPU, 0..CpuSet::MAX_CPU),
            Cores::Shared => (0..1, 0..1),
            Cores::Apart => (0..1, 1..2),
        };
        for (pid, among) in [(None, own), (Some(its), signers)] {
            let mut set = CpuSet::new();
            among.clone().for_each(|core| set.set(core));
            sched_setaffinity(pid, &set).with_context(|| format!("cannot run on the cores {among:?} alone"))?;
        }
        Ok(())
    }

    /// From a request as a value to its reply as a value: framing, channel, signature, channel, reading.
    pub fn timed(&mut self, request: &Request) -> anyhow::Result<Duration> {
        let start = Instant::now();
        let reply = self.exchange(request, b"")?;
        let took = start.elapsed();
        anyhow::ensure!(matches!(reply, Reply::Signed { .. }), "not signed: {reply:?}");
        self.confirm_saves()?;
        self.timed_so_far += 1;
        if self.timed_so_far.is_multiple_of(ORDERS_PER_HEAD) {
            self.seal_head()?;
        }
        Ok(took)
    }

    /// As the desk does beside its orders.
    fn seal_head(&mut self) -> anyhow::Result<()> {
        self.heads += 1;
        let reply = self.exchange(&Request::SealHead { size: self.heads, head: vec![0; 32], closes: false }, b"")?;
        anyhow::ensure!(matches!(reply, Reply::HeadSealed { .. }), "no head: {reply:?}");
        Ok(())
    }

    /// Freezes it as the supervisor does, while it is signing one request after the other: from there to the first refusal. Afterwards it
    /// signs no order any more.
    pub fn frozen(&mut self, request: &Request) -> anyhow::Result<Duration> {
        self.can_freeze = true;
        let start = Instant::now();
        self.supervisor.send(&mut ToSigner::Freeze(Freeze::everything("measured")).encode(), &[])?;
        loop {
            match self.exchange(request, b"")? {
                Reply::Signed { .. } => {}
                Reply::Refused(Refusal::Guard(Reason::KillSwitch { .. })) => return Ok(start.elapsed()),
                Reply::Refused(Refusal::Guard(Reason::HeadDue { .. })) => self.seal_head()?,
                other => anyhow::bail!("neither signed nor frozen: {other:?}"),
            }
        }
    }

    /// What the desk says before it records an intent.
    pub fn wake(&mut self) -> anyhow::Result<()> {
        let reply = self.exchange(&Request::StayAwake, b"")?;
        anyhow::ensure!(matches!(reply, Reply::Done), "not awake: {reply:?}");
        Ok(())
    }

    fn exchange(&mut self, request: &Request, tail: &[u8]) -> anyhow::Result<Reply> {
        let id = self.next_id;
        self.next_id += 1;
        frame::write(&mut self.out, Kind::Request, id, request, tail)?;
        self.desk.send(&self.out, &[])?;
        loop {
            if let Some(reply) = self.hear()? {
                return Ok(reply);
            }
        }
    }

    /// Takes one packet, waiting for it as the desk's reader does: a reply, or a notice that is kept.
    fn hear(&mut self) -> anyhow::Result<Option<Reply>> {
        let packet = self.look.recv_or_sleep(&self.desk, &mut self.buffer)?.context("the signer ended")?;
        let frame = Frame::parse(&self.buffer[..packet.len])?;
        match frame.kind {
            Kind::Reply => return Ok(Some(frame.message()?)),
            Kind::Notice => match frame.message()? {
                Notice::Save { what, generation, .. } => self.unsaved.push(Saved { what, generation, error: None }),
                Notice::Ended { end, .. } => self.end = Some(*end),
                // No vault that is measured is opened by a person twice.
                Notice::Attempt { .. } => anyhow::bail!("an attempt, where none was asked for"),
                Notice::Frozen(freeze) => anyhow::ensure!(self.can_freeze, "frozen: {freeze:?}"),
                Notice::LockedOut { .. } | Notice::ClockBack { .. } => anyhow::bail!("trouble with codes, where none was given"),
                Notice::RecoveryCodeUsed { .. } => anyhow::bail!("a recovery code, where none was printed"),
            },
            Kind::Request
            | Kind::ToSigner
            | Kind::FromSigner
            | Kind::ToPrompt
            | Kind::FromPrompt
            | Kind::ToProvider
            | Kind::FromProvider => anyhow::bail!("the signer asked something"),
        }
        Ok(None)
    }

    fn confirm_saves(&mut self) -> anyhow::Result<()> {
        while let Some(saved) = self.unsaved.pop() {
            self.exchange(&Request::Saved(saved), b"")?;
        }
        Ok(())
    }
}

impl Spoken for SignerProcess {
    fn ask(&mut self, request: Request, tail: &[u8]) -> anyhow::Result<Reply> {
        let reply = self.exchange(&request, tail)?;
        self.confirm_saves()?;
        Ok(reply)
    }

    fn act(&mut self, action: Action, tail: &[u8], person: &mut Person, code_s: u64) -> anyhow::Result<ActionEnd> {
        let ticket = match self.ask(Request::Prepare(action), tail)? {
            Reply::Prepared { ticket, .. } => ticket.try_into().ok().context("no ticket")?,
            other => anyhow::bail!("not prepared: {other:?}"),
        };
        let (prompt, its_prompt) = Channel::pair()?;
        self.supervisor.send(&mut ToSigner::AttachPrompt.encode(), &[its_prompt.as_fd()])?;
        drop(its_prompt);
        let mut prompt = Line::from(prompt);
        let mut out = Vec::new();
        FromPrompt::Hello(ticket).write(&mut out);
        prompt.send(&mut out, &[])?;
        self.end = None;
        let mut said = vec![0; PACKET_LEN_MAX];
        let mut is_talking = true;
        loop {
            if is_talking && prompt.wait(TURN)? {
                let packet = prompt.recv(&mut said)?;
                let words = packet.map(|packet| &said[..packet.len]);
                is_talking = words.is_some_and(|words| !matches!(ToPrompt::parse(words), Some(ToPrompt::End(..))));
                let answer = words.map(|words| person.answer(words, code_s)).transpose()?.flatten();
                if let Some(mut answer) = answer {
                    prompt.send(&mut answer, &[])?;
                }
            }
            if self.desk.wait(TURN)? {
                anyhow::ensure!(self.hear()?.is_none(), "a reply to nothing");
                self.confirm_saves()?;
            }
            if let Some(end) = self.end.take() {
                return Ok(end);
            }
        }
    }

    fn code_time_s(&mut self, nth: u64) -> u64 {
        loop {
            let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            if nth > 0 || now_s % STEP_S < STEP_BEGIN_S {
                return now_s - STEP_S + nth * STEP_S;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}

impl Drop for SignerProcess {
    fn drop(&mut self) {
        // Without its supervisor it would end by itself; this waits for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
