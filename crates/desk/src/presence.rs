//! What the operating system tells of the person: the screen was locked, the computer goes to sleep.
//!
//! Invariant: it can only take a session away; a bus that is absent, or a signal that is forged by the same user, opens nothing.
//! Sleep is held up until the vault is locked, as long as logind allows (`InhibitDelayMaxSec`, 5 s by default).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc as sync_mpsc};
use std::time::Duration;

use tokio::sync::mpsc;
use zbus::blocking::{Connection, MessageIterator, Proxy};
use zbus::message::{Message, Type};
use zbus::zvariant::{OwnedFd, OwnedObjectPath, OwnedValue};
use zbus::{MatchRule, names::InterfaceName};

const LOGIND: &str = "org.freedesktop.login1";
const MANAGER_PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";
/// Screen savers that say when they cover the screen.
const SCREEN_SAVERS: [&str; 2] = ["org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver"];
/// A bus that is not there, or went away, is looked for again after so long.
const RETRY: Duration = Duration::from_secs(30);
/// The desk has so long to lock before the computer sleeps.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);

/// Why the person is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Away {
    ScreenLocked,
    Sleep,
}

impl Away {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::ScreenLocked => "the screen was locked",
            Self::Sleep => "the computer went to sleep",
        }
    }
}

/// Told to the desk; it answers when the session is locked.
pub(crate) struct Told {
    pub(crate) away: Away,
    pub(crate) done: sync_mpsc::SyncSender<()>,
}

/// What is being watched.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) logind: AtomicBool,
    pub(crate) screen_saver: AtomicBool,
}

/// Starts a thread for each bus.
pub(crate) fn watch(told: mpsc::Sender<Told>) -> std::io::Result<Arc<Watched>> {
    let watched = Arc::new(Watched::default());
    let (of_logind, to_desk) = (Arc::clone(&watched), told.clone());
    std::thread::Builder::new().name("logind".to_owned()).spawn(move || {
        loop {
            let ended = logind(&of_logind.logind, &to_desk);
            of_logind.logind.store(false, Ordering::Relaxed);
            tracing::debug!(?ended, "logind is not watched");
            std::thread::sleep(RETRY);
        }
    })?;
    let of_saver = Arc::clone(&watched);
    std::thread::Builder::new().name("screen-saver".to_owned()).spawn(move || {
        loop {
            let ended = screen_saver(&of_saver.screen_saver, &told);
            of_saver.screen_saver.store(false, Ordering::Relaxed);
            tracing::debug!(?ended, "no screen saver is watched");
            std::thread::sleep(RETRY);
        }
    })?;
    Ok(watched)
}

fn tell(told: &mpsc::Sender<Told>, away: Away) {
    let (done, wait) = sync_mpsc::sync_channel(1);
    if told.blocking_send(Told { away, done }).is_ok() {
        let _ = wait.recv_timeout(LOCK_PATIENCE);
    }
}

/// Until the bus ends. A session of another user of this computer is not ours to follow.
fn logind(is_watched: &AtomicBool, told: &mpsc::Sender<Told>) -> zbus::Result<()> {
    let bus = Connection::system()?;
    let rule = MatchRule::builder().msg_type(Type::Signal).sender(LOGIND)?.build();
    let signals = MessageIterator::for_match_rule(rule, &bus, None)?;
    let manager = Proxy::new(&bus, LOGIND, MANAGER_PATH, MANAGER)?;
    // Without the lock on sleep the signals are still followed.
    let mut delay = inhibit(&manager).ok();
    is_watched.store(delay.is_some(), Ordering::Relaxed);
    for signal in signals {
        let signal = signal?;
        match meant(&signal) {
            Some(Meant::Sleep(true)) => {
                tell(told, Away::Sleep);
                drop(delay.take());
            }
            Some(Meant::Sleep(false)) => delay = inhibit(&manager).ok(),
            Some(Meant::Lock(path)) if is_ours(&bus, &path) => tell(told, Away::ScreenLocked),
            _ => {}
        }
    }
    Ok(())
}

/// Asks that sleep waits for us; dropping what is returned lets it go on.
fn inhibit(manager: &Proxy<'_>) -> zbus::Result<OwnedFd> {
    manager.call("Inhibit", &("sleep", "Strongroom", "The vault is locked first", "delay"))
}

#[derive(Debug, PartialEq, Eq)]
enum Meant {
    /// About to sleep, or awake again.
    Sleep(bool),
    /// This session's screen is locked.
    Lock(String),
}

fn meant(signal: &Message) -> Option<Meant> {
    let header = signal.header();
    let (interface, member) = (header.interface()?.as_str(), header.member()?.as_str());
    let path = || header.path().map(|path| path.as_str().to_owned());
    match (interface, member) {
        (MANAGER, "PrepareForSleep") => signal.body().deserialize().ok().map(Meant::Sleep),
        (SESSION, "Lock") => path().map(Meant::Lock),
        ("org.freedesktop.DBus.Properties", "PropertiesChanged") => {
            let body = signal.body();
            let (of, changed, _): (InterfaceName<'_>, HashMap<String, OwnedValue>, Vec<String>) = body.deserialize().ok()?;
            let is_locked = changed.get("LockedHint").is_some_and(|value| matches!(bool::try_from(value), Ok(true)));
            if of.as_str() == SESSION && is_locked { path().map(Meant::Lock) } else { None }
        }
        _ => None,
    }
}

/// Whether a session is one of this user.
fn is_ours(bus: &Connection, path: &str) -> bool {
    let owner = Proxy::new(bus, LOGIND, path, SESSION).and_then(|session| session.get_property::<(u32, OwnedObjectPath)>("User"));
    owner.is_ok_and(|(uid, _)| uid == rustix::process::getuid().as_raw())
}

fn screen_saver(is_watched: &AtomicBool, told: &mpsc::Sender<Told>) -> zbus::Result<()> {
    let bus = Connection::session()?;
    let rule = MatchRule::builder().msg_type(Type::Signal).member("ActiveChanged")?.build();
    let signals = MessageIterator::for_match_rule(rule, &bus, None)?;
    is_watched.store(true, Ordering::Relaxed);
    for signal in signals {
        let signal = signal?;
        let is_saver = signal.header().interface().is_some_and(|interface| SCREEN_SAVERS.contains(&interface.as_str()));
        if is_saver && matches!(signal.body().deserialize(), Ok(true)) {
            tell(told, Away::ScreenLocked);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use zbus::zvariant::Value;

    use super::*;

    fn signal(interface: &str, member: &str, body: &(impl serde::Serialize + zbus::zvariant::DynamicType)) -> Message {
        Message::signal("/org/freedesktop/login1/session/_32", interface, member).unwrap().build(body).unwrap()
    }

    #[test]
    fn signals_of_logind() {
        let path = "/org/freedesktop/login1/session/_32".to_owned();
        assert_eq!(meant(&signal(MANAGER, "PrepareForSleep", &true)), Some(Meant::Sleep(true)));
        assert_eq!(meant(&signal(MANAGER, "PrepareForSleep", &"yes")), None, "another type");
        assert_eq!(meant(&signal(MANAGER, "PrepareForShutdown", &true)), None);
        assert_eq!(meant(&signal(SESSION, "Lock", &())), Some(Meant::Lock(path.clone())));
        assert_eq!(meant(&signal(SESSION, "Unlock", &())), None);
        let changed = |of: &str, name: &str, value: bool| {
            let changed = HashMap::from([(name.to_owned(), Value::from(value))]);
            meant(&signal("org.freedesktop.DBus.Properties", "PropertiesChanged", &(of, changed, Vec::<String>::new())))
        };
        assert_eq!(changed(SESSION, "LockedHint", true), Some(Meant::Lock(path)));
        assert_eq!(changed(SESSION, "LockedHint", false), None);
        assert_eq!(changed(SESSION, "IdleHint", true), None);
        assert_eq!(changed("org.freedesktop.login1.User", "LockedHint", true), None);
    }
}
