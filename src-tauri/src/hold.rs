//! Keys and presence that the window hears itself. Invariant: the kill switch works from the keyboard while the page
//! hangs, because no page is asked. A person's input is heard as the desktop delivers it; no page can claim presence.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use gtk::gdk::keys::constants as key;
use gtk::gdk::{self, EventKey, EventType, ModifierType};
use gtk::glib;
use gtk::prelude::*;
use strongroom_desk_api::{Ask, Freeze};
use tauri::{AppHandle, Manager as _};

use crate::commands;
use crate::views::{Push, Sheet};
use crate::window::{TITLE, Window};

/// The kill keys are held so long.
pub(crate) const HOLD: Duration = Duration::from_millis(1_200);
/// Reason of a kill by its keys.
const WHY: &str = "the kill keys were held in the window";
/// Reason of one by those that work outside of it.
const WHY_EVERYWHERE: &str = "the kill keys of the desktop were held";
/// The desk hears of a person at most so often.
const PRESENCE_EVERY: Duration = Duration::from_secs(5);

/// Hears what the desktop delivers to any window of this program, before the toolkit does: lists, menus and questions that take the
/// keyboard for themselves do not take the kill keys.
pub(crate) fn listen(app: &AppHandle) {
    let held: Rc<Cell<Option<glib::SourceId>>> = Rc::default();
    let app = app.clone();
    gdk::Event::set_handler(Some(move |event: &mut gdk::Event| {
        let is_ours = match event.event_type() {
            EventType::KeyPress => {
                present(&app);
                event.downcast_ref::<EventKey>().is_some_and(|key| is_kill(key) && pressed(&app, &held, WHY))
            }
            EventType::KeyRelease => event.downcast_ref::<EventKey>().is_some_and(|key| releases_kill(key) && let_go(&held)),
            EventType::MotionNotify | EventType::ButtonPress | EventType::Scroll | EventType::TouchBegin => {
                present(&app);
                false
            }
            // What happens to the key while no window of ours has the keyboard is not known: it counts as let go.
            EventType::FocusChange => {
                let left = event.downcast_ref::<gdk::EventFocus>().is_some_and(|focus| !focus.is_in());
                if left
                    && !gtk::Window::list_toplevels()
                        .iter()
                        .any(|window| window.downcast_ref::<gtk::Window>().is_some_and(gtk::prelude::GtkWindowExt::is_active))
                {
                    let_go(&held);
                }
                false
            }
            _ => false,
        };
        if !is_ours {
            gtk::main_do_event(event);
        }
    }));
}

/// A kill key is down: the first time the hold begins, then the keyboard repeats it.
fn pressed(app: &AppHandle, held: &Rc<Cell<Option<glib::SourceId>>>, why: &'static str) -> bool {
    let holding = held.take();
    if holding.is_some() {
        held.set(holding);
        return true;
    }
    app.state::<Window>().market.push(Push::Open { what: Sheet::Kill });
    let (app, done) = (app.clone(), Rc::clone(held));
    held.set(Some(glib::timeout_add_local_once(HOLD, move || {
        done.set(None);
        kill(&app, why);
    })));
    true
}

thread_local! {
    /// The keys that work everywhere, while they are held.
    static EVERYWHERE: Rc<Cell<Option<glib::SourceId>>> = Rc::default();
}

/// The kill keys that work outside of the window went down or up. On the thread that draws.
pub(crate) fn everywhere(app: &AppHandle, is_down: bool) {
    EVERYWHERE.with(|held| {
        if is_down {
            pressed(app, held, WHY_EVERYWHERE);
        } else {
            let_go(held);
        }
    });
}

fn is_kill(event: &EventKey) -> bool {
    let with = ModifierType::CONTROL_MASK | ModifierType::SHIFT_MASK;
    event.keyval() == key::F12 || (event.keyval() == key::BackSpace && event.state().contains(with))
}

/// Letting go of any part of it counts.
fn releases_kill(event: &EventKey) -> bool {
    let parts = [key::F12, key::BackSpace, key::Control_L, key::Control_R, key::Shift_L, key::Shift_R];
    parts.contains(&event.keyval())
}

/// Whether something was held.
fn let_go(held: &Cell<Option<glib::SourceId>>) -> bool {
    held.take().map(glib::SourceId::remove).is_some()
}

/// Freezes the signer without asking the page, and says so where a hung page cannot hide it. On a thread of its own: no
/// number of questions from the page can be before it.
fn kill(app: &AppHandle, why: &'static str) {
    let at = app.clone();
    let started = std::thread::Builder::new().name("kill".to_owned()).spawn(move || {
        let window = at.state::<Window>();
        let (engaged, words) = match commands::freeze(&window.desk, Freeze::everything(why)) {
            Ok(_) => (true, "The signer is frozen: no order can be signed. Open orders are being cancelled.".to_owned()),
            Err(error) => (false, error.message),
        };
        let title = if engaged { "Kill switch engaged" } else { "Kill switch NOT confirmed" };
        set_title(&at, &format!("{title} \u{b7} {TITLE}"));
        window.is_titled_killed.store(true, Ordering::Relaxed);
        window.market.push(Push::Killed { engaged, words });
        if engaged {
            // The signer is frozen whatever comes of this; the desk cancels what is open.
            let _ = commands::cancel_all(&window.desk, Freeze::everything(why));
        }
    });
    if let Err(error) = started {
        let words = format!("The kill switch could not be started ({error}). Use `strongroom kill`, or revoke the key at the venue.");
        app.state::<Window>().market.push(Push::Killed { engaged: false, words });
    }
}

/// The kill switch is not engaged: a title that says so is taken back.
pub(crate) fn killed_no_more(app: &AppHandle) {
    if app.state::<Window>().is_titled_killed.swap(false, Ordering::Relaxed) {
        set_title(app, TITLE);
    }
}

fn set_title(app: &AppHandle, title: &str) {
    for shown in app.webview_windows().values() {
        let _ = shown.set_title(title);
    }
}

/// A person is there.
fn present(app: &AppHandle) {
    let window = app.state::<Window>();
    let now = Instant::now();
    let mut last = window.present_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if last.is_some_and(|last| now.duration_since(last) < PRESENCE_EVERY) {
        return;
    }
    *last = Some(now);
    drop(last);
    let desk = window.desk.clone();
    tauri::async_runtime::spawn(async move {
        // A desk that does not answer is told to the page by other means.
        let _ = desk.ask(Ask::Stay).await;
    });
}
