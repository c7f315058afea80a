//! Keys and presence that the window hears itself. Invariant: the kill switch works from the keyboard while the page
//! hangs, because no page is asked. A person's input is heard as the desktop delivers it; no page can claim presence.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use gtk::gdk::keys::constants as key;
use gtk::gdk::{EventKey, EventMask, ModifierType};
use gtk::glib;
use gtk::prelude::*;
use strongroom_desk_api::Ask;
use tauri::{AppHandle, Manager as _};

use crate::commands;
use crate::views::{Push, Sheet};
use crate::window::{TITLE, Window};

/// The kill keys are held so long.
pub(crate) const HOLD: Duration = Duration::from_millis(1_200);
/// Reason of a kill by its keys.
const WHY: &str = "the kill keys were held in the window";
/// The desk hears of a person at most so often.
const PRESENCE_EVERY: Duration = Duration::from_secs(5);

/// Listens on the window and on the web view in it.
pub(crate) fn listen(app: &AppHandle, window: &gtk::ApplicationWindow) {
    let held: Rc<Cell<Option<glib::SourceId>>> = Rc::default();
    let pressed = (app.clone(), Rc::clone(&held));
    window.connect_key_press_event(move |_, event| {
        let (app, held) = &pressed;
        present(app);
        if !is_kill(event) {
            return glib::Propagation::Proceed;
        }
        let holding = held.take();
        if holding.is_none() {
            app.state::<Window>().market.push(Push::Open { what: Sheet::Kill });
            let (app, done) = (app.clone(), Rc::clone(held));
            held.set(Some(glib::timeout_add_local_once(HOLD, move || {
                done.set(None);
                kill(&app);
            })));
        } else {
            // The keyboard repeats a held key.
            held.set(holding);
        }
        glib::Propagation::Stop
    });
    let released = Rc::clone(&held);
    window.connect_key_release_event(move |_, event| {
        let was_held = releases_kill(event) && let_go(&released);
        if was_held { glib::Propagation::Stop } else { glib::Propagation::Proceed }
    });
    // What happens to the key while another window has the keyboard is not known: it counts as let go.
    window.connect_focus_out_event(move |_, _| {
        let_go(&held);
        glib::Propagation::Proceed
    });
}

/// Hears the pointer over the web view.
pub(crate) fn listen_to_pointer(app: &AppHandle, view: &impl IsA<gtk::Widget>) {
    view.add_events(EventMask::POINTER_MOTION_MASK | EventMask::BUTTON_PRESS_MASK | EventMask::TOUCH_MASK);
    let heard = app.clone();
    view.connect_motion_notify_event(move |_, _| {
        present(&heard);
        glib::Propagation::Proceed
    });
    let heard = app.clone();
    view.connect_button_press_event(move |_, _| {
        present(&heard);
        glib::Propagation::Proceed
    });
    let heard = app.clone();
    view.connect_touch_event(move |_, _| {
        present(&heard);
        glib::Propagation::Proceed
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
fn kill(app: &AppHandle) {
    let at = app.clone();
    let started = std::thread::Builder::new().name("kill".to_owned()).spawn(move || {
        let window = at.state::<Window>();
        let (engaged, words) = match commands::freeze(&window.desk, WHY) {
            Ok(_) => (true, "The signer is frozen: no order can be signed. Open orders are being cancelled.".to_owned()),
            Err(error) => (false, error.message),
        };
        let title = if engaged { "Kill switch engaged" } else { "Kill switch NOT confirmed" };
        for shown in at.webview_windows().values() {
            let _ = shown.set_title(&format!("{title} \u{b7} {TITLE}"));
        }
        window.market.push(Push::Killed { engaged, words });
        if engaged {
            // The signer is frozen whatever comes of this; the desk cancels what is open.
            let _ = commands::cancel_all(&window.desk, WHY);
        }
    });
    if let Err(error) = started {
        let words = format!("The kill switch could not be started ({error}). Use `strongroom kill`, or revoke the key at the venue.");
        app.state::<Window>().market.push(Push::Killed { engaged: false, words });
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
