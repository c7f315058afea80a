//! How long nobody has used this desktop at all, from whoever knows: the X server, or the desktop over the session bus.
//!
//! Invariant: while a source is believed, only what it saw renews a session, and only to the moment when it saw it; what doors say
//! counts where no source is. A source that falls silent renews nothing.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use zbus::blocking::{Connection, Proxy, connection::Builder};
use zbus::proxy::CacheProperties;

/// The source is asked so often. The warning before the end is many times as long.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A source that is not there, or went away, is looked for again after so long.
const RETRY: Duration = Duration::from_secs(10);
/// A source that does not answer within this is silent.
const ANSWER_MAX: Duration = Duration::from_secs(1);
/// Looks that doors want and that were not made yet; more find out at the next one.
const LOOKS_MAX: usize = 16;
/// A clock is judged over no shorter time than this.
const JUDGED_AFTER: Duration = Duration::from_secs(1);

/// Who knows about input to the whole desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Source {
    X11 = 1,
    Mutter = 2,
    ScreenSaver = 3,
}

impl Source {
    const ALL: [Self; 3] = [Self::X11, Self::Mutter, Self::ScreenSaver];

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::X11 => "X11 screen saver extension",
            Self::Mutter => "GNOME's idle monitor",
            Self::ScreenSaver => "the desktop's screen saver (org.freedesktop.ScreenSaver)",
        }
    }

    /// Whether its number is what it should be without being watched first. Of `GetSessionIdleTime` some desktops make seconds, and
    /// KDE's answers 0 on Wayland, where it does not know.
    const fn is_plain(self) -> bool {
        matches!(self, Self::X11 | Self::Mutter)
    }

    fn open(self) -> Option<Asked> {
        match self {
            Self::X11 => Asked::x11(),
            Self::Mutter => {
                Asked::bus("org.gnome.Mutter.IdleMonitor", "/org/gnome/Mutter/IdleMonitor/Core", "org.gnome.Mutter.IdleMonitor")
            }
            Self::ScreenSaver => Asked::bus("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver"),
        }
    }
}

/// Where a person of this desk would see something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Displays {
    /// An X display of this computer.
    pub(crate) x11: bool,
    pub(crate) wayland: bool,
}

impl Displays {
    /// As the environment says. A display on the other end of a network is another computer's desktop.
    pub(crate) fn of(display: Option<&str>, wayland: Option<&str>) -> Self {
        let x11 = display.is_some_and(|name| name.starts_with(':') || name.starts_with("unix:"));
        Self { x11, wayland: wayland.is_some_and(|name| !name.is_empty()) }
    }

    fn here() -> Self {
        let named = |name| std::env::var(name).ok();
        Self::of(named("DISPLAY").as_deref(), named("WAYLAND_DISPLAY").as_deref())
    }

    /// Who is asked, the best first. On Wayland an X server sees only what goes to its own windows.
    pub(crate) const fn sources(self) -> &'static [Source] {
        match self {
            Self { wayland: true, .. } => &[Source::Mutter, Source::ScreenSaver],
            Self { x11: true, .. } => &[Source::X11, Source::Mutter, Source::ScreenSaver],
            _ => &[],
        }
    }
}

/// What is known of the person now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nobody knows: what doors say counts.
    NoSource,
    /// The source does not answer.
    Silent,
    /// So long ago was the last input.
    Ago(Duration),
}

impl Seen {
    /// How long ago the person was there, as far as a session may be renewed; `door`: a door says that somebody is at it.
    pub(crate) fn renews(self, door: bool) -> Option<Duration> {
        match self {
            Self::Ago(ago) => Some(ago),
            Self::NoSource if door => Some(Duration::ZERO),
            Self::NoSource | Self::Silent => None,
        }
    }
}

/// Whether a source's clock was seen to run.
struct Belief {
    believed: bool,
    last: Option<(Duration, Duration)>,
}

impl Belief {
    const fn of(source: Source) -> Self {
        Self { believed: source.is_plain(), last: None }
    }

    /// At `now` it said `idle`. A clock that grows as ours does runs, in milliseconds.
    fn hear(&mut self, now: Duration, idle: Duration) -> bool {
        let Some((then, before)) = self.last else {
            self.last = Some((now, idle));
            return self.believed;
        };
        let passed = now.saturating_sub(then);
        if passed >= JUDGED_AFTER {
            let grown = idle.saturating_sub(before);
            self.believed |= grown >= passed / 2 && grown <= passed * 2;
            self.last = Some((now, idle));
        }
        self.believed
    }
}

/// An open line to a source.
enum Asked {
    X11(Box<x11rb::rust_connection::RustConnection>, u32),
    Bus(Proxy<'static>, &'static str),
}

impl Asked {
    fn x11() -> Option<Self> {
        use x11rb::connection::{Connection as _, RequestConnection as _};
        let (x, screen) = x11rb::connect(None).ok()?;
        // A server inside of a Wayland session, whatever the environment says.
        let is_nested = x.extension_information("XWAYLAND").ok()?.is_some();
        let root = x.setup().roots.get(screen)?.root;
        (!is_nested).then_some(Self::X11(Box::new(x), root))
    }

    fn bus(name: &'static str, path: &'static str, interface: &'static str) -> Option<Self> {
        let bus: Connection = Builder::session().ok()?.method_timeout(ANSWER_MAX).build().ok()?;
        let method = if name == "org.gnome.Mutter.IdleMonitor" { "GetIdletime" } else { "GetSessionIdleTime" };
        let proxy = zbus::blocking::proxy::Builder::new(&bus)
            .destination(name)
            .and_then(|proxy| proxy.path(path))
            .and_then(|proxy| proxy.interface(interface))
            .map(|proxy| proxy.cache_properties(CacheProperties::No))
            .and_then(zbus::blocking::proxy::Builder::build);
        proxy.ok().map(|proxy| Self::Bus(proxy, method))
    }

    /// Since the last input; nothing when it cannot say.
    fn idle(&self) -> Option<Duration> {
        use x11rb::protocol::screensaver::ConnectionExt as _;
        let ms = match self {
            Self::X11(x, root) => u64::from(x.screensaver_query_info(*root).ok()?.reply().ok()?.ms_since_user_input),
            Self::Bus(proxy, method) => {
                let answer = proxy.call_method(*method, &()).ok()?;
                let body = answer.body();
                body.deserialize::<u64>().or_else(|_| body.deserialize::<u32>().map(u64::from)).ok()?
            }
        };
        Some(Duration::from_millis(ms))
    }
}

/// Asks the sources on a thread of its own.
#[derive(Debug)]
pub(crate) struct Idleness {
    looks: mpsc::SyncSender<oneshot::Sender<Seen>>,
    /// The source that is believed; 0: none.
    believed: Arc<AtomicU8>,
}

impl Idleness {
    pub(crate) fn watch() -> std::io::Result<Self> {
        let (looks, wanted) = mpsc::sync_channel(LOOKS_MAX);
        let believed = Arc::new(AtomicU8::new(0));
        let watch = Watch { believed: Arc::clone(&believed), start: Instant::now(), asked: None };
        std::thread::Builder::new().name("idleness".to_owned()).spawn(move || watch.run(Displays::here().sources(), &wanted))?;
        Ok(Self { looks, believed })
    }

    /// The source that is believed.
    pub(crate) fn source(&self) -> Option<Source> {
        let number = self.believed.load(Ordering::Relaxed);
        Source::ALL.into_iter().find(|source| *source as u8 == number)
    }

    /// For the status, and whether the whole desktop is watched.
    pub(crate) fn told(&self) -> (String, bool) {
        match self.source() {
            Some(source) => (format!("input to the whole desktop, watched by: {}", source.words()), true),
            None => ("input to the whole desktop; input to our own windows and commands counts".to_owned(), false),
        }
    }

    /// Asks now.
    pub(crate) async fn look(&self) -> Seen {
        let silent = || if self.source().is_some() { Seen::Silent } else { Seen::NoSource };
        let (answer, seen) = oneshot::channel();
        if self.looks.try_send(answer).is_err() {
            return silent();
        }
        match tokio::time::timeout(2 * ANSWER_MAX, seen).await {
            Ok(Ok(seen)) => seen,
            _ => silent(),
        }
    }
}

/// The thread's own.
struct Watch {
    believed: Arc<AtomicU8>,
    start: Instant,
    asked: Option<(Source, Asked, Belief)>,
}

impl Watch {
    fn run(mut self, sources: &[Source], wanted: &mpsc::Receiver<oneshot::Sender<Seen>>) {
        let mut tried = None;
        loop {
            if self.asked.is_none() && tried.is_none_or(|tried: Instant| tried.elapsed() >= RETRY) {
                self.choose(sources);
                tried = Some(Instant::now());
            }
            // Between looks that are wanted it looks by itself: a clock that has to be watched is.
            let wish = match wanted.recv_timeout(LOOK_EVERY) {
                Ok(wish) => Some(wish),
                Err(mpsc::RecvTimeoutError::Timeout) => None,
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            };
            let seen = self.look();
            if let Some(wish) = wish {
                let _ = wish.send(seen);
            }
        }
    }

    /// The first that answers.
    fn choose(&mut self, sources: &[Source]) {
        self.asked = sources.iter().find_map(|source| {
            let asked = source.open()?;
            asked.idle().map(|_| (*source, asked, Belief::of(*source)))
        });
        self.look();
        tracing::debug!(source = ?self.asked.as_ref().map(|(source, ..)| source), "input to the desktop");
    }

    fn look(&mut self) -> Seen {
        let Some((source, asked, belief)) = &mut self.asked else { return Seen::NoSource };
        let Some(idle) = asked.idle() else {
            self.asked = None;
            self.believed.store(0, Ordering::Relaxed);
            return Seen::Silent;
        };
        if !belief.hear(self.start.elapsed(), idle) {
            return Seen::NoSource;
        }
        self.believed.store(*source as u8, Ordering::Relaxed);
        Seen::Ago(idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_asked() {
        use Source::{Mutter, ScreenSaver, X11};
        for (display, wayland, expected) in [
            (None, None, &[][..]),
            (Some(":0"), None, &[X11, Mutter, ScreenSaver]),
            (Some("unix:0.0"), None, &[X11, Mutter, ScreenSaver]),
            (Some(""), None, &[]),
            // The desktop of another computer.
            (Some("localhost:10.0"), None, &[]),
            // An X server in a Wayland session sees a part only.
            (Some(":0"), Some("wayland-0"), &[Mutter, ScreenSaver]),
            (None, Some("wayland-0"), &[Mutter, ScreenSaver]),
            (None, Some(""), &[]),
        ] {
            assert_eq!(Displays::of(display, wayland).sources(), expected, "{display:?} {wayland:?}");
        }
    }

    #[test]
    fn who_renews() {
        let ago = Duration::from_secs(50);
        for (seen, door, expected) in [
            (Seen::NoSource, true, Some(Duration::ZERO)),
            (Seen::NoSource, false, None),
            // A source knows better than a door.
            (Seen::Ago(ago), true, Some(ago)),
            (Seen::Ago(ago), false, Some(ago)),
            (Seen::Silent, true, None),
            (Seen::Silent, false, None),
        ] {
            assert_eq!(seen.renews(door), expected, "{seen:?} {door}");
        }
    }

    /// Whether a source that says these milliseconds, once every 2 s, is believed after each.
    fn believed(source: Source, says_ms: &[u64]) -> Vec<bool> {
        let mut belief = Belief::of(source);
        let mut now = Duration::ZERO;
        let hear = |ms: &u64| {
            now += LOOK_EVERY;
            belief.hear(now, Duration::from_millis(*ms))
        };
        says_ms.iter().map(hear).collect()
    }

    #[test]
    fn a_clock_that_may_lie_is_believed_when_it_was_seen_to_run() {
        let screen_saver = |says: &[u64]| believed(Source::ScreenSaver, says);
        assert_eq!(screen_saver(&[0, 0, 0]), [false; 3], "it does not know");
        assert_eq!(screen_saver(&[10, 12, 14]), [false; 3], "seconds");
        assert_eq!(screen_saver(&[100, 40, 2_040, 10]), [false, false, true, true], "a person, then a pause");
        assert_eq!(screen_saver(&[0, 900_000]), [false, false], "a jump is no clock");
        assert_eq!(believed(Source::X11, &[0, 0]), [true, true]);
    }

    #[test]
    fn two_looks_at_once_judge_nothing() {
        let mut belief = Belief::of(Source::ScreenSaver);
        assert!(!belief.hear(Duration::from_millis(10), Duration::ZERO));
        assert!(!belief.hear(Duration::from_millis(11), Duration::from_millis(1)));
    }
}
