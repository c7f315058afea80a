//! What a door can ask of the supervisor: open a prompt, engage the kill switch, stop. One byte and fixed fields.
//!
//! Invariant: the supervisor works for a door even when the desk hangs.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use strongroom_guard::{Freeze, KillScope};
use strongroom_signer_api::channel::Channel;
pub use strongroom_signer_api::errand::{Errand, Face, SLOTS_MAX, Slot};
pub use strongroom_signer_api::prompt::{Field, Show};

use crate::socket::{SUPERVISOR_SOCKET, peer_is_same_user, run_dir, with_short_path};

/// Longest packet either way.
pub const PACKET_LEN_MAX: usize = 1_024;

/// Venue of a desk that has play money.
pub const PAPER: &str = "paper";
/// Venue of a desk that trades at Binance.
pub const BINANCE: &str = "binance";

/// Which supervisor answers, in reply to [`ToSupervisor::Status`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Of the program.
    pub version: String,
    /// [`PAPER`], [`BINANCE`] or a base address.
    pub venue: String,
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "running {} {}", self.version, self.venue)
    }
}

impl Running {
    /// From the words of the answer; an older supervisor says less.
    pub fn parse(words: &str) -> Option<Self> {
        let (version, venue) = words.strip_prefix("running ")?.split_once(' ')?;
        Some(Self { version: version.to_owned(), venue: venue.to_owned() })
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToSupervisor {
    /// Open a prompt; answered when it has ended.
    Prompt(Errand),
    /// Engage the kill switch.
    Kill(Freeze),
    /// End the signer and start a sealed one, whatever the desk does.
    Seal,
    /// End everything in good order.
    Stop,
    /// Are you there?
    Status,
}

impl ToSupervisor {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Prompt(errand) => [b"P", errand.encode().as_slice()].concat(),
            Self::Kill(freeze) => freeze_bytes(freeze),
            Self::Seal => b"R".to_vec(),
            Self::Stop => b"Q".to_vec(),
            Self::Status => b"S".to_vec(),
        }
    }

    /// From bytes; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'P', errand @ ..] => Errand::decode(errand).map(Self::Prompt),
            [b'K' | b'k', ..] => read_freeze(bytes).map(Self::Kill),
            b"R" => Some(Self::Seal),
            b"Q" => Some(Self::Stop),
            b"S" => Some(Self::Status),
            _ => None,
        }
    }
}

/// A use of the kill switch: of everything its reason alone, which nothing can make unreadable; else CBOR.
fn freeze_bytes(freeze: &Freeze) -> Vec<u8> {
    let freeze = Freeze::new(&freeze.why, freeze.scope.clone());
    match (&freeze.scope, minicbor_serde::to_vec(&freeze)) {
        (KillScope::Everything, _) | (_, Err(_)) => [&b"K"[..], freeze.why.as_bytes()].concat(),
        (_, Ok(cbor)) => [&b"k"[..], &cbor].concat(),
    }
}

/// Reads it; `None` for anything else.
fn read_freeze(bytes: &[u8]) -> Option<Freeze> {
    match bytes {
        [b'K', why @ ..] => Some(Freeze::everything(&String::from_utf8_lossy(why))),
        [b'k', cbor @ ..] => {
            let freeze = minicbor_serde::from_slice::<Freeze>(cbor).ok()?;
            // To its last byte, in its one encoding.
            (freeze_bytes(&freeze) == bytes).then_some(freeze)
        }
        _ => None,
    }
}

/// A connection to the supervisor.
pub struct SupervisorClient {
    channel: Channel,
}

impl SupervisorClient {
    /// Connects to the supervisor of a profile.
    pub fn connect(profile: &Path) -> io::Result<Self> {
        let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        with_short_path(&run_dir(profile), SUPERVISOR_SOCKET, |path| Ok(rustix::net::connect(&fd, &SocketAddrUnix::new(path)?)?))?;
        if !peer_is_same_user(fd.as_fd())? {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the supervisor's socket belongs to another user"));
        }
        Ok(Self { channel: Channel::from_fd(fd) })
    }

    /// Ends the connection: whoever waits here is told, and a prompt that was opened by it is closed.
    pub fn hang_up(&self) {
        let _ = rustix::net::shutdown(&self.channel, rustix::net::Shutdown::Both);
    }

    /// Asks and waits: whether it was done, and words.
    pub fn ask(&self, request: &ToSupervisor, fds: &[BorrowedFd<'_>], timeout: Duration) -> io::Result<(bool, String)> {
        self.channel.send(&request.encode(), fds)?;
        if !self.channel.wait(timeout)? {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the supervisor does not answer"));
        }
        let mut buffer = [0; PACKET_LEN_MAX];
        let packet =
            self.channel.recv(&mut buffer)?.ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the supervisor has ended"))?;
        match &buffer[..packet.len] {
            [done @ (0 | 1), words @ ..] => Ok((*done == 1, String::from_utf8_lossy(words).into_owned())),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the supervisor was not understood")),
        }
    }
}

/// Listens for doors.
pub fn listen(run_dir: &Path) -> io::Result<OwnedFd> {
    use std::os::unix::fs::PermissionsExt as _;
    let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    with_short_path(run_dir, SUPERVISOR_SOCKET, |path| {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        rustix::net::bind(&fd, &SocketAddrUnix::new(path)?)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
    })?;
    rustix::net::listen(&fd, 16)?;
    Ok(fd)
}

#[cfg(test)]
mod tests {
    use strongroom_guard::{Freeze, KillScope};
    use strongroom_model::CredentialId;

    use super::{PACKET_LEN_MAX, Running, ToSupervisor};

    #[test]
    fn a_supervisor_says_what_it_is() {
        let running = Running { version: "0.1.0".to_owned(), venue: "https://127.0.0.1:9443".to_owned() };
        assert_eq!(Running::parse(&running.to_string()), Some(running));
        assert_eq!(Running::parse("running"), None);
    }

    #[test]
    fn a_kill_is_understood_whatever_its_words() {
        let scopes = [KillScope::Everything, KillScope::Credential(CredentialId(u64::MAX)), KillScope::Account("\"\\".repeat(400))];
        for why in ["", "a bot runs wild", &"é".repeat(5_000), "\u{1F512}\n\u{7}\"".repeat(400).as_str()] {
            for scope in scopes.clone() {
                let freeze = Freeze::new(why, scope);
                let bytes = ToSupervisor::Kill(freeze.clone()).encode();
                assert!(bytes.len() <= PACKET_LEN_MAX, "{}", bytes.len());
                assert_eq!(ToSupervisor::decode(&bytes), Some(ToSupervisor::Kill(freeze)));
            }
        }
        let one = ToSupervisor::Kill(Freeze::new("why", KillScope::Credential(CredentialId(7)))).encode();
        for bad in [b"k{}".to_vec(), [&one[..], b"\0"].concat(), one[..one.len() - 1].to_vec()] {
            assert_eq!(ToSupervisor::decode(&bad), None);
        }
    }
}
