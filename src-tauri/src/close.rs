//! What happens when the window is closed. Invariant: while an order is live the desk goes on, locked, and the person is
//! told; otherwise everything that the window started ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use gtk::prelude::*;
use strongroom_desk_api::supervisor::{SupervisorClient, ToSupervisor};
use strongroom_desk_api::{Ask, Tell};
use tauri::{AppHandle, Manager as _};

use crate::window::Window;

/// The desk has so long to say whether something is live, and to lock.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// The person wants to close it: decides, then ends the program.
pub(crate) fn requested(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let desk = app.state::<Window>().desk.clone();
        if app.state::<Window>().is_closing.swap(true, Ordering::Relaxed) {
            return;
        }
        let live = match desk.ask_within(Ask::Session, ANSWER_MAX).await {
            Ok(Tell::Session(session)) => Some(session.live_orders),
            _ => None,
        };
        if live == Some(0) {
            leave(&app).await;
            return;
        }
        let asked = app.clone();
        // Dialogs belong to the window's own thread.
        let _ = app.run_on_main_thread(move || ask(&asked, live));
    });
}

fn ask(app: &AppHandle, live: Option<u64>) {
    let parent = app.webview_windows().values().next().and_then(|window| window.gtk_window().ok());
    let orders = match live {
        Some(1) => "1 order is live".to_owned(),
        Some(live) => format!("{live} orders are live"),
        None => "The desk does not answer, so it is not known whether orders are live".to_owned(),
    };
    let dialog = gtk::MessageDialog::new(
        parent.as_ref(),
        gtk::DialogFlags::MODAL,
        gtk::MessageType::Question,
        gtk::ButtonsType::None,
        &format!("{orders}. The desk goes on without a window, and the session is locked."),
    );
    dialog.set_title("Strongroom");
    dialog.add_button("Stay", gtk::ResponseType::Cancel);
    dialog.add_button("Lock and close", gtk::ResponseType::Accept);
    dialog.set_default_response(gtk::ResponseType::Cancel);
    let app = app.clone();
    dialog.connect_response(move |dialog, response| {
        dialog.close();
        app.state::<Window>().is_closing.store(false, Ordering::Relaxed);
        if response == gtk::ResponseType::Accept {
            let app = app.clone();
            tauri::async_runtime::spawn(async move { leave(&app).await });
        }
    });
    dialog.show_all();
}

/// Locks, and ends what was started here unless something is live.
async fn leave(app: &AppHandle) {
    let window = app.state::<Window>();
    window.person.give_up();
    // Locking seals when nothing is live.
    let _ = window.desk.ask_within(Ask::Lock, ANSWER_MAX).await;
    // A desk that does not answer may have live orders: it is left alone.
    let idle = matches!(window.desk.ask_within(Ask::Session, ANSWER_MAX).await, Ok(Tell::Session(session)) if session.live_orders == 0);
    if window.started_desk.lives() && idle {
        let profile = window.desk.profile().to_path_buf();
        let stop = move || SupervisorClient::connect(&profile).and_then(|supervisor| supervisor.ask(&ToSupervisor::Stop, &[], ANSWER_MAX));
        let _ = tauri::async_runtime::spawn_blocking(stop).await;
    }
    app.exit(0);
}
