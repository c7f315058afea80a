//! Sequenced packets over a socketpair, with file descriptors. Invariant: one packet is one message, at most
//! [`PACKET_LEN_MAX`] bytes; a longer one is refused by both ends.

use std::io;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

/// Largest packet.
pub const PACKET_LEN_MAX: usize = 64 * 1024;
/// After a packet the next one is awaited so long without sleeping: waking up costs more than signing an order.
pub const SPIN: Duration = Duration::from_micros(200);
/// After so many looks in vain the core is given up for a moment, to see whether anybody else wants it.
const LOOKS_PER_YIELD: u32 = 32;
/// Giving up a core that nobody else wants takes less.
const YIELD_ALONE_MAX: Duration = Duration::from_micros(2);
/// Most descriptors in one packet.
pub const FDS_MAX: usize = 8;

/// One end of a socketpair of sequenced packets.
#[derive(Debug)]
pub struct Channel {
    fd: OwnedFd,
}

/// How an end looks for its next packets without sleeping. What it learnt of its core is kept from one to the next.
#[derive(Debug, Default)]
pub struct Look {
    /// Somebody else wants this very core, most likely the other end: it is given up after each look in vain.
    is_core_shared: bool,
}

impl Look {
    /// Looks for a packet for [`SPIN`]. `WouldBlock` when none came.
    pub fn recv(&mut self, channel: &Channel, buffer: &mut [u8]) -> io::Result<Option<Packet>> {
        let end = Instant::now() + SPIN;
        let mut looks = 0_u32;
        loop {
            match channel.try_recv(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => looks += 1,
                done => return done,
            }
            if self.is_core_shared || looks.is_multiple_of(LOOKS_PER_YIELD) {
                let before = Instant::now();
                std::thread::yield_now();
                let after = Instant::now();
                self.is_core_shared = after - before > YIELD_ALONE_MAX;
                if after >= end {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
            }
        }
    }

    /// The same, and sleeps until one comes when none came.
    pub fn recv_or_sleep(&mut self, channel: &Channel, buffer: &mut [u8]) -> io::Result<Option<Packet>> {
        match self.recv(channel, buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => channel.recv(buffer),
            done => done,
        }
    }
}

/// One packet as it came.
#[derive(Debug)]
pub struct Packet {
    /// How many bytes of the buffer are filled.
    pub len: usize,
    /// Descriptors that came with it.
    pub fds: Vec<OwnedFd>,
}

impl Channel {
    /// Two connected ends, closed on exec.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (left, right) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self { fd: left }, Self { fd: right }))
    }

    /// An end that was handed to this process.
    pub const fn from_fd(fd: OwnedFd) -> Self {
        Self { fd }
    }

    /// Gives the descriptor away.
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }

    /// A second handle of the same end.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { fd: self.fd.try_clone()? })
    }

    /// The channel that this process was started with, as its standard input.
    pub fn inherited() -> io::Result<Self> {
        Ok(Self { fd: io::stdin().as_fd().try_clone_to_owned()? })
    }

    /// Sends one packet; waits while the other end is full.
    pub fn send(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.send_flags(bytes, fds, SendFlags::NOSIGNAL)
    }

    /// Sends one packet or fails with `WouldBlock`: for senders that no stalled receiver may stop.
    pub fn try_send(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.send_flags(bytes, fds, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
    }

    fn send_flags(&self, bytes: &[u8], fds: &[BorrowedFd<'_>], flags: SendFlags) -> io::Result<()> {
        if bytes.len() > PACKET_LEN_MAX || fds.len() > FDS_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "packet too large"));
        }
        if fds.is_empty() {
            // The usual case costs no ancillary buffer.
            return retry(|| rustix::net::send(&self.fd, bytes, flags)).map(|_| ());
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many descriptors"));
        }
        retry(|| sendmsg(&self.fd, &[IoSlice::new(bytes)], &mut ancillary, flags)).map(|_| ())
    }

    /// Takes one packet, waiting for it. `None`: the other end is closed.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<Option<Packet>> {
        self.recv_flags(buffer, RecvFlags::CMSG_CLOEXEC)
    }

    /// Takes one packet if one is there. `WouldBlock` when none is.
    pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<Option<Packet>> {
        self.recv_flags(buffer, RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT)
    }

    /// Waits at most `timeout` for a packet. `false`: none came.
    pub fn wait(&self, timeout: Duration) -> io::Result<bool> {
        let timeout = Timespec { tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(timeout.subsec_nanos()) };
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        retry(|| poll(&mut fds, Some(&timeout))).map(|ready| ready > 0)
    }

    fn recv_flags(&self, buffer: &mut [u8], flags: RecvFlags) -> io::Result<Option<Packet>> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let got = retry(|| recvmsg(&self.fd, &mut [IoSliceMut::new(buffer)], &mut ancillary, flags))?;
        let mut fds = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                fds.extend(received);
            }
        }
        if got.flags.contains(ReturnFlags::TRUNC) || got.flags.contains(ReturnFlags::CTRUNC) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "packet longer than allowed"));
        }
        Ok((got.bytes > 0).then_some(Packet { len: got.bytes, fds }))
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            done => return done.map_err(io::Error::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_keep_their_borders_and_descriptors() {
        let (left, right) = Channel::pair().unwrap();
        let file = tempfile();
        left.send(b"one", &[]).unwrap();
        left.send(b"two", &[file.as_fd()]).unwrap();
        let mut buffer = [0; 16];
        let one = right.recv(&mut buffer).unwrap().unwrap();
        assert_eq!((&buffer[..one.len], one.fds.len()), (&b"one"[..], 0));
        let two = Look::default().recv_or_sleep(&right, &mut buffer).unwrap().unwrap();
        assert_eq!((&buffer[..two.len], two.fds.len()), (&b"two"[..], 1));
        assert_eq!(right.try_recv(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        left.send(&[1; 17], &[]).unwrap();
        assert_eq!(right.recv(&mut buffer).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(left.send(&vec![0; PACKET_LEN_MAX + 1], &[]).is_err());
        drop(left);
        assert!(right.recv(&mut buffer).unwrap().is_none());
    }

    fn tempfile() -> OwnedFd {
        rustix::fs::memfd_create("test", rustix::fs::MemfdFlags::CLOEXEC).unwrap()
    }
}
