//! From where a door is spoken at: the login session of processes (POSIX `setsid`), which a terminal, a window's launcher or a service
//! manager begins. Invariant: the kernel says so, not the door.
//!
//! Processes of a PID namespace whose session began outside of it have session 0 (pid_namespaces(7)): all of a namespace's share one door.

use std::path::Path;

use strongroom_signer_api::DoorId;
use tokio::net::UnixStream;

/// Bits of a session leader's start time that tell it from another of the same number.
const START_BITS: u32 = 40;

/// The door at the other end; one that cannot be told has no session.
pub(crate) fn door_of(stream: &UnixStream) -> DoorId {
    let pid = stream.peer_cred().ok().and_then(|peer| peer.pid()).and_then(|pid| u32::try_from(pid).ok());
    pid.and_then(door_of_process).unwrap_or(DoorId::NOBODY)
}

fn door_of_process(pid: u32) -> Option<DoorId> {
    let session: u32 = fields(pid)?.get(3)?.parse().ok()?;
    // A leader that ended leaves its session without a time of birth.
    let start: u64 = fields(session).and_then(|fields| fields.get(19)?.parse().ok()).unwrap_or_default();
    Some(door_of_session(session, start))
}

/// No session of processes is the desk, or nobody.
const fn door_of_session(session: u32, start: u64) -> DoorId {
    match session {
        0 => DoorId::OUTSIDE,
        session => DoorId((session as u64) << START_BITS | start & ((1 << START_BITS) - 1)),
    }
}

/// What `/proc/PID/stat` tells behind the program's name (proc(5)): state, parent, group, session, ….
fn fields(pid: u32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// A door in words: what began its session of processes, and its number.
pub(crate) fn words(door: DoorId) -> String {
    if door == DoorId::OUTSIDE {
        return "a process session that began outside of this container".to_owned();
    }
    let leader = door.0 >> START_BITS;
    let name = std::fs::read_to_string(Path::new("/proc").join(leader.to_string()).join("comm")).unwrap_or_default();
    let name: String = name.chars().filter(|c| c.is_ascii_graphic()).collect();
    if name.is_empty() { format!("process session {leader}") } else { format!("{name}, process session {leader}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_one_session_share_a_door_and_others_do_not() {
        let own = door_of_process(std::process::id()).unwrap();
        let sleeper = |program: &str, arguments: &[&str]| {
            std::process::Command::new(program).args(arguments).stdout(std::process::Stdio::piped()).spawn().unwrap()
        };
        let mut same = sleeper("sleep", &["60"]);
        let mut other = sleeper("setsid", &["sleep", "60"]);
        // It becomes the leader before it sleeps.
        let is_leader = |pid: u32| fields(pid).is_some_and(|fields| fields[3] == pid.to_string());
        let begun = std::time::Instant::now();
        while !is_leader(other.id()) && begun.elapsed().as_secs() < 10 {
            std::thread::yield_now();
        }
        assert_eq!(door_of_process(same.id()), Some(own));
        assert_ne!(door_of_process(other.id()), Some(own));
        assert!(words(door_of_process(other.id()).unwrap()).contains(&other.id().to_string()));
        for child in [&mut same, &mut other] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert_eq!(door_of_process(u32::MAX), None);
    }

    #[test]
    fn no_process_is_the_desk_or_nobody() {
        for (session, start) in [(0, 0), (0, 7), (1, 0), (1, 1), (1 << 22, u64::MAX)] {
            let door = door_of_session(session, start);
            assert!(door != DoorId::DESK && door != DoorId::NOBODY, "{session} {start}");
            assert_eq!(door == DoorId::OUTSIDE, session == 0);
        }
        assert!(words(DoorId::OUTSIDE).contains("outside of this container"));
    }
}
