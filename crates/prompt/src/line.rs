//! The line to the signer. Invariant: every message is written into one buffer of fixed size that is wiped.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use strongroom_signer_api::Line as Frames;
use strongroom_signer_api::channel::{Channel, PACKET_LEN_MAX};
use strongroom_signer_api::errand::{Errand, Face};
use strongroom_signer_api::prompt::{FROM_PROMPT_LEN_MAX, FromPrompt, ToPrompt};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{Answer, Slots};

/// What a prompt begins with.
pub struct Start {
    /// Whoever started it; when it hangs up, everything is given up.
    pub supervisor: Channel,
    /// The signer.
    pub line: Line,
    /// How the person is asked.
    pub face: Face,
    /// The door's terminal, if that is the face.
    pub terminal: Option<File>,
    /// The door's descriptors.
    pub slots: Slots,
}

impl Start {
    /// Takes the errand from the channel that this process was started with.
    pub fn receive() -> io::Result<Self> {
        let supervisor = Channel::inherited()?;
        let mut buffer = Zeroizing::new(vec![0; PACKET_LEN_MAX]);
        let packet = supervisor.recv(&mut buffer)?.ok_or_else(|| refused("no errand"))?;
        let errand = Errand::decode(&buffer[..packet.len]).ok_or_else(|| refused("an errand that is not understood"))?;
        if packet.fds.len() != 1 + errand.fds_len() {
            return Err(refused("an errand without its descriptors"));
        }
        let mut fds = packet.fds.into_iter();
        let signer = Frames::from(Channel::from_fd(fds.next().ok_or_else(|| refused("no signer"))?));
        let terminal = if errand.face == Face::Terminal { fds.next().map(File::from) } else { None };
        let slots = Slots::new(errand.slots.iter().copied().zip(fds.map(File::from)).collect());
        let mut line = Line { signer, out: Zeroizing::new(Vec::with_capacity(FROM_PROMPT_LEN_MAX)), buffer };
        line.tell(&FromPrompt::Hello(errand.ticket))?;
        Ok(Self { supervisor, line, face: errand.face, terminal, slots })
    }
}

/// The signer, spoken to and heard.
pub struct Line {
    signer: Frames,
    out: Answer,
    buffer: Zeroizing<Vec<u8>>,
}

impl Line {
    /// Says something.
    pub fn tell(&mut self, message: &FromPrompt<'_>) -> io::Result<()> {
        message.write(&mut self.out);
        let sent = self.signer.send(&mut self.out, &[]);
        // The signer has it: nothing of it stays here while it works.
        self.out.zeroize();
        sent
    }

    /// Takes the next message, waiting for it; an error when the signer has ended or is not understood.
    pub fn hear(&mut self) -> io::Result<ToPrompt<'_>> {
        let Some(packet) = self.signer.recv(&mut self.buffer)? else {
            return Err(refused("the signer has ended, or is of another build than this program: then start strongroomd anew"));
        };
        ToPrompt::parse(&self.buffer[..packet.len]).ok_or_else(|| refused("the signer was not understood"))
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.signer.as_fd()
    }
}

impl From<Line> for OwnedFd {
    fn from(line: Line) -> Self {
        line.signer.into_fd()
    }
}

fn refused(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Waits until `fd` has something; an error when the supervisor hangs up first.
pub fn wait_for(fd: &impl AsFd, supervisor: &Channel) -> io::Result<()> {
    wait_at_most(fd, supervisor, None).map(|_| ())
}

/// Waits until `fd` has something, or for so long: whether it has; an error when the supervisor hangs up first.
pub fn wait_at_most(fd: &impl AsFd, supervisor: &Channel, most: Option<Duration>) -> io::Result<bool> {
    let most = most.and_then(|most| Timespec::try_from(most).ok());
    loop {
        let mut fds = [PollFd::new(fd, PollFlags::IN), PollFd::new(supervisor, PollFlags::IN)];
        match poll(&mut fds, most.as_ref()) {
            Ok(0) if most.is_some() => return Ok(false),
            Ok(_) if !fds[0].revents().is_empty() => return Ok(true),
            Ok(_) => return Err(io::Error::new(io::ErrorKind::Interrupted, "given up")),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
