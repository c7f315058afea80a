//! The door's side of the desk's socket, and paths in a profile folder.
//!
//! Invariant: a socket is reached through its folder's descriptor, so that long paths work; both ends check that the
//! peer is the same user.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use crate::door::{Ask, Tell};

/// Longest line of a request or an answer.
pub const LINE_LEN_MAX: u64 = 4 * 1_024 * 1_024;
/// The desk answers within this, or is taken for hung.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(75);

/// Folder of sockets inside a profile folder.
pub fn run_dir(profile: &Path) -> PathBuf {
    profile.join("run")
}

/// Name of the desk's socket in the run folder.
pub const DESK_SOCKET: &str = "desk.sock";
/// Name of the supervisor's socket in the run folder.
pub const SUPERVISOR_SOCKET: &str = "supervisor.sock";

/// Calls `f` with a short path to `name` in `dir`.
pub fn with_short_path<R>(dir: &Path, name: &str, f: impl FnOnce(&Path) -> io::Result<R>) -> io::Result<R> {
    let dir = std::fs::File::open(dir)?;
    f(&PathBuf::from(format!("/proc/self/fd/{}/{name}", dir.as_raw_fd())))
}

/// Listens on `name` in `dir`, replacing a stale socket; mode 0600.
pub fn listen(dir: &Path, name: &str) -> io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt as _;
    with_short_path(dir, name, |path| {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    })
}

/// Whether the peer of a connected socket is the same user as this process.
pub fn peer_is_same_user(socket: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(rustix::net::sockopt::socket_peercred(socket)?.uid == rustix::process::geteuid())
}

/// A connection to the desk.
pub struct DeskClient {
    stream: BufReader<UnixStream>,
}

impl DeskClient {
    /// Connects to the desk of a profile.
    pub fn connect(profile: &Path) -> io::Result<Self> {
        let stream = with_short_path(&run_dir(profile), DESK_SOCKET, |path| UnixStream::connect(path))?;
        if !peer_is_same_user(stream.as_fd())? {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the desk's socket belongs to another user"));
        }
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Gives up on answers after `timeout` from now on.
    pub fn set_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.stream.get_ref().set_read_timeout(Some(timeout))
    }

    /// Asks and waits for the answer.
    pub fn ask(&mut self, ask: &Ask) -> io::Result<Tell> {
        self.say(ask)?;
        self.hear()
    }

    /// Asks without waiting.
    pub fn say(&mut self, ask: &Ask) -> io::Result<()> {
        let mut line = serde_json::to_vec(ask)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line)
    }

    /// Waits for the next answer.
    pub fn hear(&mut self) -> io::Result<Tell> {
        let mut answer = Vec::new();
        (&mut self.stream).take(LINE_LEN_MAX).read_until(b'\n', &mut answer)?;
        if answer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the desk closed the connection"));
        }
        Ok(serde_json::from_slice(&answer)?)
    }
}
