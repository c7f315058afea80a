//! Doors at the supervisor's socket. Invariant: only the same user is heard, and every list of them has a bound.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::net::{SocketFlags, accept_with};
use strongroom_desk_api::socket::peer_is_same_user;
use strongroom_desk_api::supervisor::{PACKET_LEN_MAX, ToSupervisor};
use strongroom_signer_api::Channel;

/// Most doors at once.
pub(crate) const DOORS_MAX: usize = 32;

/// A door and what it said.
pub(crate) enum Heard {
    Request(ToSupervisor, Vec<OwnedFd>),
    NotUnderstood,
    Nothing,
    Gone,
}

pub(crate) fn accept(listener: &OwnedFd) -> Option<Channel> {
    let fd = accept_with(listener, SocketFlags::CLOEXEC).ok()?;
    peer_is_same_user(fd.as_fd()).ok()?.then(|| Channel::from_fd(fd))
}

pub(crate) fn hear(door: &Channel) -> Heard {
    let mut buffer = [0; PACKET_LEN_MAX];
    match door.try_recv(&mut buffer) {
        Ok(Some(packet)) => match ToSupervisor::decode(&buffer[..packet.len]) {
            Some(request) => Heard::Request(request, packet.fds),
            None => Heard::NotUnderstood,
        },
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Heard::Nothing,
        Ok(None) | Err(_) => Heard::Gone,
    }
}

pub(crate) fn answer(door: &Channel, done: bool, words: &str) {
    let mut bytes = vec![u8::from(done)];
    bytes.extend_from_slice(words.as_bytes());
    bytes.truncate(PACKET_LEN_MAX);
    let _ = door.try_send(&bytes, &[]);
}
