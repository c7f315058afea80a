//! A line of frames: the signer's to its supervisor, to a prompt, to a key provider. Invariant: what is sent is numbered, and nothing is
//! heard that is not numbered higher than what came before it, so that a packet counts once.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use zeroize::Zeroize as _;

use crate::channel::{Channel, Packet};
use crate::frame;

/// One end of it.
#[derive(Debug)]
pub struct Line {
    channel: Channel,
    said: u64,
    heard: u64,
}

impl From<Channel> for Line {
    fn from(channel: Channel) -> Self {
        Self { channel, said: 0, heard: 0 }
    }
}

impl Line {
    /// Numbers a frame and sends it; waits while the other end is full.
    pub fn send(&mut self, frame: &mut [u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.number(frame)?;
        self.channel.send(frame, fds)
    }

    /// The same, or fails with `WouldBlock`.
    pub fn try_send(&mut self, frame: &mut [u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.number(frame)?;
        self.channel.try_send(frame, fds)
    }

    /// Takes one frame, waiting for it. `None`: the other end is closed.
    pub fn recv(&mut self, buffer: &mut [u8]) -> io::Result<Option<Packet>> {
        let packet = self.channel.recv(buffer)?;
        self.checked(packet, buffer)
    }

    /// Takes one frame if one is there. `WouldBlock` when none is.
    pub fn try_recv(&mut self, buffer: &mut [u8]) -> io::Result<Option<Packet>> {
        let packet = self.channel.try_recv(buffer)?;
        self.checked(packet, buffer)
    }

    /// Waits at most `timeout` for a frame. `false`: none came.
    pub fn wait(&self, timeout: Duration) -> io::Result<bool> {
        self.channel.wait(timeout)
    }

    /// The channel alone.
    pub fn into_fd(self) -> OwnedFd {
        self.channel.into_fd()
    }

    fn number(&mut self, frame: &mut [u8]) -> io::Result<()> {
        self.said += 1;
        frame::set_id(frame, self.said).map_err(invalid)
    }

    /// What is refused is wiped: it could hold an answer.
    fn checked(&mut self, packet: Option<Packet>, buffer: &mut [u8]) -> io::Result<Option<Packet>> {
        let Some(packet) = packet else { return Ok(None) };
        let bytes = buffer.get_mut(..packet.len).unwrap_or_default();
        let id = match frame::Frame::parse(bytes) {
            Ok(frame) if frame.id > self.heard => Ok(frame.id),
            Ok(frame) => Err(frame::FrameError::Id { id: frame.id, after: self.heard }),
            Err(error) => Err(error),
        };
        self.heard = id.map_err(|error| {
            bytes.zeroize();
            invalid(error)
        })?;
        Ok(Some(packet))
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

fn invalid(error: frame::FrameError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::ToSigner;

    #[test]
    fn a_frame_is_heard_once_and_in_its_order() {
        let (left, right) = Channel::pair().unwrap();
        let (raw, mut left, mut right) = (left.try_clone().unwrap(), Line::from(left), Line::from(right));
        let mut buffer = [0; 256];
        let mut frame = ToSigner::NoProvider(7).encode();
        for _ in 0..2 {
            left.send(&mut frame, &[]).unwrap();
            let packet = right.recv(&mut buffer).unwrap().unwrap();
            assert_eq!(ToSigner::decode(&buffer[..packet.len]), Some(ToSigner::NoProvider(7)));
        }
        // The second one again, an older one, and what has no number.
        for id in [2, 1, 0] {
            frame::set_id(&mut frame, id).unwrap();
            raw.send(&frame, &[]).unwrap();
            assert_eq!(right.try_recv(&mut buffer).unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert_eq!(buffer[..frame.len()], vec![0; frame.len()][..], "what is refused does not stay");
        }
        for bytes in [&b"D"[..], &frame[..frame::HEAD_LEN - 1]] {
            raw.send(bytes, &[]).unwrap();
            assert_eq!(right.recv(&mut buffer).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
        frame[0] ^= 1;
        frame::set_id(&mut frame, 9).unwrap();
        raw.send(&frame, &[]).unwrap();
        assert!(right.recv(&mut buffer).is_err(), "another version");
        assert_eq!(right.try_recv(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(left.try_send(&mut [0; 3], &[]).is_err());
    }
}
