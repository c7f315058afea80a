//! Opens the window and wires it. Invariant: one window per profile; it shows our page and no other, and keeps nothing
//! of what it showed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tauri::webview::NewWindowResponse;
use tauri::window::Color;
use tauri::{AppHandle, DragDropEvent, Manager as _, WebviewUrl, WebviewWindowBuilder, WindowEvent};
use webkit2gtk::WebViewExt as _;

use crate::desk::Desk;
use crate::environment::{Build, first_start_us};
use crate::market::Market;
use crate::person::Person;
use crate::start::{Arguments, StartedDesk};
use crate::{close, commands, global, hold};

/// Where a window that is measured writes how old books are when they are drawn.
const AGES: &str = "STRONGROOM_DRIVEN_AGES";
pub(crate) const TITLE: &str = "Strongroom";
const SIZE: (f64, f64) = (1_440.0, 900.0);
const SIZE_MIN: (f64, f64) = (1_024.0, 680.0);
/// Shown until the page has drawn: the tokens' darkest surface.
const BACKGROUND: Color = Color(0x0B, 0x0E, 0x14, 0xFF);
/// Where the page comes from.
const OWN_SCHEME: &str = "tauri";

/// What commands need.
pub(crate) struct Window {
    pub(crate) arguments: Arguments,
    pub(crate) build: Build,
    pub(crate) desk: Desk,
    pub(crate) market: Market,
    pub(crate) person: Person,
    /// The supervisor, if this window started it.
    pub(crate) started_desk: StartedDesk,
    /// The title says that the kill switch is engaged.
    pub(crate) is_titled_killed: AtomicBool,
    /// Kill keys that work outside of the window, if they do.
    pub(crate) kill_keys: OnceLock<Option<&'static str>>,
    pub(crate) present_at: Mutex<Option<Instant>>,
    /// A person is being asked whether it may close.
    pub(crate) is_closing: AtomicBool,
    is_ready: AtomicBool,
}

impl Window {
    /// The page can be used; the first time the start is over.
    pub(crate) fn ready(&self, screen: &str) {
        if self.is_ready.swap(true, Ordering::Relaxed) || self.build != Build::Driven {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let took_us = i64::try_from(now.as_micros()).unwrap_or(i64::MAX) - first_start_us();
        let screen: String = screen.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        eprintln!("ready {screen} after {took_us} us");
    }
}

/// Opens the window and works until it is closed.
pub(crate) fn open(arguments: Arguments, build: Build) -> anyhow::Result<()> {
    let profile = arguments.profile()?;
    let desk = Desk::of(&profile);
    let window = Window {
        arguments: arguments.clone(),
        build,
        desk: desk.clone(),
        market: Market::default(),
        person: Person::default(),
        started_desk: StartedDesk::default(),
        is_titled_killed: AtomicBool::new(false),
        kill_keys: OnceLock::new(),
        present_at: Mutex::new(None),
        is_closing: AtomicBool::new(false),
        is_ready: AtomicBool::new(false),
    };
    window.market.start(desk)?;
    if let (Build::Driven, Some(path)) = (build, std::env::var_os(AGES)) {
        window.market.measure(std::fs::File::create(path)?);
    }
    macro_rules! handler {
        ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => { tauri::generate_handler![$(commands::$name),*] };
    }
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::Builder::new().callback(|app, _, _| focus(app)).dbus_id(bus_name(&profile)).build())
        .manage(window)
        .invoke_handler(table!(handler))
        .on_window_event(|window, event| match event {
            WindowEvent::CloseRequested { api, .. } => {
                api.prevent_close();
                close::requested(window.app_handle());
            }
            WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) => {
                if let Some(path) = paths.first() {
                    let state = window.state::<Window>();
                    state.person.dropped(path.clone());
                    state.market.push(crate::views::Push::Open { what: crate::views::Sheet::Import });
                }
            }
            _ => {}
        })
        .setup(move |app| {
            build_window(app.handle(), build)?;
            // Beside the window, so that both come up together.
            let state = app.state::<Window>();
            let (desk, started) = (state.desk.clone(), state.started_desk.clone());
            tauri::async_runtime::spawn_blocking(move || arguments.bring_up(&desk, &started));
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(|_, _| {});
    Ok(())
}

/// Another start of the same profile only brings this window to the front.
fn focus(app: &AppHandle) {
    for window in app.webview_windows().values() {
        let _ = window.unminimize();
        let _ = window.show();
        let _ = window.set_focus();
    }
}

/// A name on the session bus that belongs to the profile.
fn bus_name(profile: &std::path::Path) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    profile.hash(&mut hasher);
    format!("net.strongroom.Strongroom.p{:016x}", hasher.finish())
}

fn build_window(app: &AppHandle, build: Build) -> anyhow::Result<()> {
    // Before the page can ask for them.
    let _ = app.state::<Window>().kill_keys.set(global::listen(app));
    let window = WebviewWindowBuilder::new(app, "main", WebviewUrl::default())
        .title(TITLE)
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(SIZE_MIN.0, SIZE_MIN.1)
        .background_color(BACKGROUND)
        // The engine's driver does not reach windows that keep nothing.
        .incognito(build == Build::Shipped)
        .devtools(false)
        .general_autofill_enabled(false)
        .zoom_hotkeys_enabled(true)
        .on_navigation(|url| url.scheme() == OWN_SCHEME && url.host_str() == Some("localhost"))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .build()?;
    hold::listen(app);
    window.with_webview(move |view| {
        use gtk::prelude::*;
        let events = gtk::gdk::EventMask::POINTER_MOTION_MASK
            | gtk::gdk::EventMask::BUTTON_PRESS_MASK
            | gtk::gdk::EventMask::SCROLL_MASK
            | gtk::gdk::EventMask::TOUCH_MASK;
        view.inner().add_events(events);
        // The engine's own menu (back, reload) means nothing here, and would take the keyboard.
        view.inner().connect_context_menu(|_, _, _, _| true);
        // A page whose process is gone would stand there as if it lived.
        view.inner().connect_web_process_terminated(|view, _| view.reload());
    })?;
    Ok(())
}
