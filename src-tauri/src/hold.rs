//! Keys and presence that the window hears itself. Invariant: the kill switch works from the keyboard while the page
//! hangs, because no page is asked; presence is a person's input as the desktop delivers it, not what a page says.

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
use crate::window::Window;

/// The kill keys are held so long.
pub(crate) const HOLD: Duration = Duration::from_millis(1_200);
/// The desk hears of a person at most so often.
const PRESENCE_EVERY: Duration = Duration::from_secs(10);

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
    window.connect_key_release_event(move |_, event| {
        if !releases_kill(event) {
            return glib::Propagation::Proceed;
        }
        if let Some(holding) = held.take() {
            holding.remove();
        }
        glib::Propagation::Stop
    });
}

/// Hears the pointer over the web view.
pub(crate) fn listen_to_pointer(app: &AppHandle, view: &impl IsA<gtk::Widget>) {
    view.add_events(EventMask::POINTER_MOTION_MASK | EventMask::BUTTON_PRESS_MASK | EventMask::SCROLL_MASK);
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
}

fn is_kill(event: &EventKey) -> bool {
    let with = ModifierType::CONTROL_MASK | ModifierType::SHIFT_MASK;
    event.keyval() == key::F12 || (event.keyval() == key::BackSpace && event.state().contains(with))
}

/// Letting go of any part of it counts.
fn releases_kill(event: &EventKey) -> bool {
    event.keyval() == key::F12 || event.keyval() == key::BackSpace
}

/// Freezes the signer without asking the page, and says so where a hung page cannot hide it.
fn kill(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let window = app.state::<Window>();
        let (title, words) = match commands::kill_now(&window, "the kill keys were held in the window".to_owned()).await {
            Ok(killed) => ("Kill switch engaged", killed.words),
            Err(error) => ("Kill switch failed", error.message),
        };
        for window in app.webview_windows().values() {
            let _ = window.set_title(&format!("{title} \u{b7} Strongroom"));
        }
        window.market.push(Push::Killed { words });
    });
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
