//! Who is there, door by door. Invariant: a person's session serves the door at which it was opened and no other; a machine's serves every
//! door; what is over stays over.

use std::collections::BTreeMap;

use strongroom_guard::{Policy, Session, SessionEnd};
use strongroom_model::Role;
use strongroom_signer_api::{DoorId, SessionInfo};

/// Most sessions at once; one more takes the place of the one that was used least lately.
const SESSIONS_MAX: usize = 32;
/// Doors of which it is remembered how their session ended.
const ENDS_MAX: usize = 64;

/// A session, and by which slot it was opened.
#[derive(Debug)]
struct Held {
    slot: Option<u16>,
    session: Session,
}

/// All sessions of an open vault.
#[derive(Debug)]
pub(crate) struct Sessions {
    held: BTreeMap<DoorId, Held>,
    ends: BTreeMap<DoorId, SessionEnd>,
    /// How the last one ended, of whichever door.
    last: SessionEnd,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { held: BTreeMap::new(), ends: BTreeMap::new(), last: SessionEnd::NeverOpened }
    }
}

impl Sessions {
    /// Whether nobody had one since the vault was opened.
    pub(crate) fn were_never_opened(&self) -> bool {
        self.held.is_empty() && self.last == SessionEnd::NeverOpened
    }

    /// Whether there is one, at any door.
    pub(crate) fn any(&self) -> bool {
        !self.held.is_empty()
    }

    /// Begins one at a door, in place of the one that it had.
    pub(crate) fn begin(&mut self, door: DoorId, slot: Option<u16>, session: Session) {
        if !self.held.contains_key(&door) && self.held.len() >= SESSIONS_MAX {
            let oldest = self.held.iter().min_by_key(|(_, held)| held.session.used_ms).map(|(door, _)| *door);
            oldest.iter().for_each(|door| self.finish(*door, SessionEnd::Idle));
        }
        self.ends.remove(&door);
        self.held.insert(door, Held { slot, session });
    }

    /// The session that serves a door at `now_ms`; ends those that are over.
    pub(crate) fn at(&mut self, door: DoorId, now_ms: u64, policy: &Policy) -> Result<&Session, SessionEnd> {
        self.prune(now_ms, policy);
        let serves = self.serving(door);
        serves.and_then(|door| self.held.get(&door)).map(|held| &held.session).ok_or_else(|| self.end_at(door))
    }

    /// The same of what was pruned a moment ago.
    pub(crate) fn known(&self, door: DoorId) -> Result<&Session, SessionEnd> {
        self.serving(door).and_then(|door| self.held.get(&door)).map(|held| &held.session).ok_or_else(|| self.end_at(door))
    }

    /// By which slot the session is that serves a door.
    pub(crate) fn slot(&self, door: DoorId) -> Option<u16> {
        self.held.get(&self.serving(door)?)?.slot
    }

    /// How the session of that door ended; of one that had none, how the last one did.
    pub(crate) fn end_at(&self, door: DoorId) -> SessionEnd {
        let elsewhere = if self.held.is_empty() { self.last } else { SessionEnd::Elsewhere };
        self.ends.get(&door).copied().unwrap_or(elsewhere)
    }

    /// Ends one. `false`: there was none.
    pub(crate) fn end(&mut self, door: DoorId) -> bool {
        let had = self.held.contains_key(&door);
        if had {
            self.finish(door, SessionEnd::Locked);
        }
        had
    }

    /// Ends all.
    pub(crate) fn end_all(&mut self) {
        let doors: Vec<DoorId> = self.held.keys().copied().collect();
        doors.into_iter().for_each(|door| self.finish(door, SessionEnd::Locked));
        self.last = SessionEnd::Locked;
    }

    /// A person was there at `at_ms`: at that door, or, where the whole desktop told it, at all of them.
    pub(crate) fn seen(&mut self, door: DoorId, at_ms: u64) {
        for (held_at, held) in &mut self.held {
            if door == DoorId::DESK || *held_at == door {
                held.session.seen(at_ms);
            }
        }
    }

    /// Who lost a role loses it in the sessions that are open, too.
    pub(crate) fn retain_roles(&mut self, roles_of: impl Fn(u16) -> Vec<Role>) {
        for held in self.held.values_mut() {
            if let Some(roles) = held.slot.map(&roles_of) {
                held.session.roles.retain(|role| roles.contains(role));
            }
        }
    }

    /// All of them; `label` names a slot.
    pub(crate) fn list(&self, now_ms: u64, policy: &Policy, label: impl Fn(u16) -> String) -> Vec<SessionInfo> {
        let left = |since: u64, limit: u64| limit.saturating_sub(now_ms.saturating_sub(since));
        let info = |(door, held): (&DoorId, &Held)| SessionInfo {
            door: *door,
            by: held.slot.map(&label).unwrap_or_default(),
            roles: held.session.roles.clone(),
            is_service: held.session.is_service,
            idle_left_ms: left(held.session.used_ms, policy.session_idle_ms),
            age_left_ms: left(held.session.opened_ms, policy.session_age_max_ms),
        };
        self.held.iter().map(info).collect()
    }

    fn prune(&mut self, now_ms: u64, policy: &Policy) {
        let end = |held: &Held| held.session.end(now_ms, policy.session_idle_ms, policy.session_age_max_ms);
        let over: Vec<(DoorId, SessionEnd)> = self.held.iter().filter_map(|(door, held)| Some((*door, end(held)?))).collect();
        over.into_iter().for_each(|(door, end)| self.finish(door, end));
    }

    fn finish(&mut self, door: DoorId, end: SessionEnd) {
        if self.held.remove(&door).is_some() {
            self.last = end;
            if self.ends.len() >= ENDS_MAX {
                self.ends.pop_first();
            }
            self.ends.insert(door, end);
        }
    }

    /// The door whose session serves that one: its own, else a machine's. The desk's own doings are served by any.
    fn serving(&self, door: DoorId) -> Option<DoorId> {
        if self.held.contains_key(&door) {
            return Some(door);
        }
        self.held.iter().find(|(_, held)| held.session.is_service || door == DoorId::DESK).map(|(door, _)| *door)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: DoorId = DoorId(1);
    const B: DoorId = DoorId(2);

    fn session(at_ms: u64) -> Session {
        Session { opened_ms: at_ms, used_ms: at_ms, roles: vec![Role::Trader], is_service: false }
    }

    #[test]
    fn a_session_serves_its_own_door_alone() {
        let policy = Policy::initial();
        let mut sessions = Sessions::default();
        assert!(sessions.were_never_opened());
        assert_eq!(sessions.at(A, 0, &policy).err(), Some(SessionEnd::NeverOpened));
        sessions.begin(A, Some(1), session(0));
        assert!(sessions.at(A, 1, &policy).is_ok());
        assert_eq!(sessions.at(B, 1, &policy).err(), Some(SessionEnd::Elsewhere));
        assert!(sessions.at(DoorId::DESK, 1, &policy).is_ok(), "the desk's own doings");
        sessions.begin(B, Some(2), session(1));
        assert_eq!((sessions.slot(A), sessions.slot(B)), (Some(1), Some(2)));
        assert!(sessions.end(A) && !sessions.end(A));
        assert_eq!(sessions.at(A, 2, &policy).err(), Some(SessionEnd::Locked));
        assert!(sessions.at(B, 2, &policy).is_ok());
        sessions.end_all();
        assert_eq!(sessions.at(B, 2, &policy).err(), Some(SessionEnd::Locked));
        assert!(!sessions.any() && !sessions.were_never_opened());
    }

    #[test]
    fn each_is_renewed_and_ends_by_itself() {
        let policy = Policy::initial();
        let idle_ms = policy.session_idle_ms;
        let mut sessions = Sessions::default();
        sessions.begin(A, Some(1), session(0));
        sessions.begin(B, Some(1), session(0));
        sessions.seen(A, 1_000);
        assert!(sessions.at(A, idle_ms, &policy).is_ok());
        assert_eq!(sessions.at(B, idle_ms, &policy).err(), Some(SessionEnd::Idle), "a word for one door is none for another");
        sessions.begin(B, Some(1), session(idle_ms));
        sessions.seen(DoorId::DESK, idle_ms + 1);
        assert!(sessions.at(A, idle_ms + 1_000, &policy).is_ok(), "input to the desktop is there for all");
        sessions.retain_roles(|_| vec![Role::Viewer]);
        assert!(sessions.known(A).unwrap().roles.is_empty());
    }

    #[test]
    fn a_machines_serves_every_door_and_there_is_a_bound() {
        let policy = Policy::initial();
        let mut sessions = Sessions::default();
        sessions.begin(A, Some(3), Session { is_service: true, ..session(0) });
        assert!(sessions.at(B, u64::MAX / 2, &policy).is_ok());
        sessions.end_all();
        for door in 0..100 {
            sessions.begin(DoorId(100 + door), None, session(door));
        }
        assert_eq!(sessions.list(0, &policy, |_| String::new()).len(), SESSIONS_MAX);
        assert!(sessions.known(DoorId(199)).is_ok() && sessions.known(DoorId(100)).is_err());
    }
}
