//! The signer's account of itself. Invariant: it says what was measured, and no secret.

use serde::{Deserialize, Serialize};
use strongroom_guard::{Freezes, ManagedNote, SessionEnd};
use strongroom_model::{Notional, Role, Scheme};

/// Which walls stand around the signer, measured at its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Walls {
    /// Nothing was left open by whoever started it.
    pub no_descriptors: bool,
    /// Other processes of the user cannot attach or read its memory.
    pub not_dumpable: bool,
    /// No core file can be written, and no large one of any kind.
    pub no_core: bool,
    /// It cannot gain rights by executing.
    pub no_new_privs: bool,
    /// No memory becomes executable that was writable (from Linux 6.3 on).
    pub no_write_execute: bool,
    /// No file and no TCP, by landlock (from Linux 5.13, and 6.7 on).
    pub landlock: bool,
    /// Only listed system calls; anything else ends the process.
    pub seccomp: bool,
    /// The keys of the open vault and the key that shields secrets are in memory that is not swapped.
    pub locked_memory: bool,
}

impl Walls {
    /// Every wall as people read of it: whether it must stand, and whether it does. What older kernels lack is no reason not to work: the
    /// filter forbids the same.
    pub const fn named(&self) -> [(&'static str, bool, bool); 8] {
        [
            ("nothing inherited", true, self.no_descriptors),
            ("not dumpable", true, self.not_dumpable),
            ("no core files", true, self.no_core),
            ("no new privileges", true, self.no_new_privs),
            ("no memory becomes executable", false, self.no_write_execute),
            ("no files, no TCP (landlock)", false, self.landlock),
            ("system calls filtered", true, self.seccomp),
            ("keys in locked memory", false, self.locked_memory),
        ]
    }

    /// Those that must stand and do not.
    pub fn missing(&self) -> Vec<&'static str> {
        self.named().into_iter().filter(|(_, must, stands)| *must && !stands).map(|(name, ..)| name).collect()
    }

    /// Whether all that must stand does.
    pub fn are_up(&self) -> bool {
        self.missing().is_empty()
    }
}

/// A door, as the desk tells them apart: whoever speaks from one login session of processes. 0 is the desk itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DoorId(pub u64);

impl DoorId {
    /// The desk, for what nobody asked at a door; any session serves it.
    pub const DESK: Self = Self(0);
    /// All doors of a container that began outside of it: which of them it is, the kernel does not tell.
    pub const OUTSIDE: Self = Self(1);
    /// A door that never has a session.
    pub const NOBODY: Self = Self(u64::MAX);
}

/// An open session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionInfo {
    /// Where it was opened.
    pub door: DoorId,
    /// Name of the slot by which it was opened.
    pub by: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// A machine's, which serves every door and does not end by itself.
    pub is_service: bool,
    /// Milliseconds until it is idle.
    pub idle_left_ms: u64,
    /// Milliseconds until it is too old.
    pub age_left_ms: u64,
}

/// The signer's own account of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Whether keys are in memory.
    pub sealed: bool,
    /// Generation of the open vault.
    pub generation: Option<u64>,
    /// Milliseconds left of the session, if there is one: until idle, until too old.
    pub session: Option<(u64, u64)>,
    /// Whether it is a machine's session, which does not end by itself.
    pub is_service: bool,
    /// How the last session ended, if there is none.
    pub session_end: Option<SessionEnd>,
    /// What the kill switch stops.
    pub freezes: Freezes,
    /// Signatures made with this vault.
    pub signatures: u64,
    /// New orders signed since the vault was opened.
    pub orders: u64,
    /// What was signed in the last day, each order at the most that it can be worth, and the most allowed.
    pub day: Option<(Notional, Notional)>,
    /// What the session may do.
    pub roles: Vec<Role>,
    /// Every session that is open.
    pub sessions: Vec<SessionInfo>,
    /// Limits of an organisation that hold.
    pub managed: Option<ManagedNote>,
    /// Recovery codes that were not used.
    pub codes_left: u8,
    /// The walls.
    pub walls: Walls,
    /// Which schemes of keys are in the vault.
    pub schemes: Vec<Scheme>,
}
