//! The kill keys that work wherever the keyboard is. Invariant: the desktop delivers them, no page is asked, and whoever is told that they
//! work can rely on it.

use global_hotkey::hotkey::{Code, HotKey, Modifiers};
use global_hotkey::{GlobalHotKeyEvent, GlobalHotKeyManager, HotKeyState};
use gtk::gdk;
use gtk::prelude::*;
use tauri::AppHandle;

use crate::hold;

/// As the window names them.
pub(crate) const WORDS: &str = "Ctrl+Alt+Shift+F12";

/// Takes the keys. Nothing: this desktop delivers none, or another program has them.
pub(crate) fn listen(app: &AppHandle) -> Option<&'static str> {
    let is_x11 = gdk::Display::default().is_some_and(|display| display.type_().name() == "GdkX11Display");
    // There, an X server hears the keyboard only while a window of its own has it.
    let is_wayland = std::env::var("XDG_SESSION_TYPE").is_ok_and(|session| session == "wayland");
    if !is_x11 || is_wayland {
        return None;
    }
    let keys = HotKey::new(Some(Modifiers::CONTROL | Modifiers::ALT | Modifiers::SHIFT), Code::F12);
    let manager = GlobalHotKeyManager::new().ok()?;
    manager.register(keys).ok()?;
    // A manager that reached no display says yes to everything; one that has the keys does not give them twice.
    if !matches!(manager.register(keys), Err(global_hotkey::Error::AlreadyRegistered(_))) {
        return None;
    }
    // As long as the window lives.
    std::mem::forget(manager);
    let app = app.clone();
    GlobalHotKeyEvent::set_event_handler(Some(move |event: GlobalHotKeyEvent| {
        let at = app.clone();
        let is_down = event.id == keys.id() && event.state == HotKeyState::Pressed;
        // A hold belongs to the thread that draws; the page is not asked there either.
        let _ = app.run_on_main_thread(move || hold::everywhere(&at, is_down));
    }));
    Some(WORDS)
}
