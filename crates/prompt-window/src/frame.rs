//! The window around every page: head, page, buttons, foot. Invariant: one page at a time; Enter is the main button,
//! Escape and closing give up.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gtk::atk::prelude::*;
use gtk::prelude::*;
use gtk::{Align, Box as Bar, Button, Label, ProgressBar, Widget, Window, WindowType, atk, gdk, glib};
use strongroom_prompt::wait_words;

use crate::icons::{Icon, icon};
use crate::parts::{button, call, column, row, short};

/// What is shown at the foot of every page.
const PROMISE: &str = "No network. Seals what you type to the signer, then ends.";
/// A wait shorter than this is not worth a word.
const UNHURRIED: Duration = Duration::from_millis(200);
/// How often a wait is told.
const TOLD_EVERY: Duration = Duration::from_millis(100);

/// A page with its buttons.
pub(crate) struct Page {
    /// Width and height of the whole window, pixels.
    pub(crate) size: (i32, i32),
    /// At the right of the head, and in the window's title.
    pub(crate) about: &'static str,
    /// Between head and buttons.
    pub(crate) body: Widget,
    /// The one that Enter presses.
    pub(crate) main: Button,
    /// What Escape does, in a word.
    pub(crate) refuse: &'static str,
    /// At the right of the buttons.
    pub(crate) aside: Option<Widget>,
}

/// The window.
pub(crate) struct Frame {
    window: Window,
    about: Label,
    root: Bar,
    page: RefCell<Option<Widget>>,
    actions: Bar,
    progress: ProgressBar,
    waiting: Label,
    wait: Cell<Option<Instant>>,
    cancel: Rc<dyn Fn()>,
}

/// A main button: `text` with an underlined letter, and the key that presses it.
pub(crate) fn main_button(text: &str) -> Button {
    let inside = row(8);
    let words = Label::with_mnemonic(text);
    let key = row(0);
    key.style_context().add_class("key");
    key.set_valign(Align::Center);
    key.pack_start(&icon(Icon::Enter, 14, "on_fill"), false, false, 0);
    inside.pack_start(&words, false, false, 0);
    inside.pack_start(&key, false, false, 0);
    inside.set_halign(Align::Center);
    let main = Button::new();
    main.add(&inside);
    words.set_mnemonic_widget(Some(&main));
    call(&main, &text.replace('_', ""));
    main.style_context().add_class("main");
    main.set_can_default(true);
    main.set_size_request(112, -1);
    main
}

impl Frame {
    /// An empty window; `cancel` is called when the person gives up.
    pub(crate) fn new(cancel: impl Fn() + 'static) -> Rc<Self> {
        let window = Window::new(WindowType::Toplevel);
        window.style_context().add_class("prompt");
        window.set_resizable(false);
        window.set_position(gtk::WindowPosition::Center);
        window.set_keep_above(true);
        window.set_urgency_hint(true);
        window.set_type_hint(gdk::WindowTypeHint::Dialog);
        let (head, about) = head();
        window.set_titlebar(Some(&head));
        let root = column(0);
        root.style_context().add_class("frame");
        let actions = row(8);
        actions.style_context().add_class("actions");
        let progress = ProgressBar::new();
        progress.set_no_show_all(true);
        call(&progress, "The signer works");
        root.pack_end(&foot(), false, false, 0);
        root.pack_end(&actions, false, false, 0);
        window.add(&root);
        let waiting = short("", "quiet");
        waiting.set_no_show_all(true);
        if let Some(accessible) = waiting.accessible() {
            accessible.set_role(atk::Role::Statusbar);
        }
        root.pack_end(&progress, false, false, 0);
        let frame = Rc::new(Self {
            window,
            about,
            root,
            page: RefCell::default(),
            actions,
            progress,
            waiting,
            wait: Cell::default(),
            cancel: Rc::new(cancel),
        });
        let given_up = Rc::clone(&frame.cancel);
        frame.window.connect_delete_event(move |_, _| {
            given_up();
            glib::Propagation::Stop
        });
        let given_up = Rc::clone(&frame.cancel);
        frame.window.connect_key_press_event(move |_, event| {
            if event.keyval() == gdk::keys::constants::Escape {
                given_up();
                return glib::Propagation::Stop;
            }
            glib::Propagation::Proceed
        });
        frame
    }

    /// For dialogs that stand before it.
    pub(crate) const fn window(&self) -> &Window {
        &self.window
    }

    /// Shows a page in place of the one before.
    pub(crate) fn show(&self, page: Page) {
        self.rest();
        if let Some(old) = self.page.borrow_mut().take() {
            self.root.remove(&old);
        }
        for old in self.actions.children() {
            self.actions.remove(&old);
        }
        let body = column(0);
        body.style_context().add_class("body");
        body.pack_start(&page.body, true, true, 0);
        self.root.pack_start(&body, true, true, 0);
        self.actions.pack_start(&page.main, false, false, 0);
        let refuse = button(page.refuse);
        let given_up = Rc::clone(&self.cancel);
        refuse.connect_clicked(move |_| given_up());
        self.actions.pack_start(&refuse, false, false, 0);
        if let Some(aside) = &page.aside {
            self.actions.pack_end(aside, false, false, 0);
        }
        self.actions.pack_end(&self.waiting, false, false, 0);
        self.about.set_text(page.about);
        self.window.set_title(&format!("Strongroom prompt: {}", page.about));
        let (width, height) = page.size;
        self.root.set_size_request(width, height - 40);
        self.window.show_all();
        self.window.set_default(Some(&page.main));
        *self.page.borrow_mut() = Some(body.upcast());
        self.window.present();
    }

    /// The signer works on an answer: nothing more can be typed, and after a moment it is told for how long; with the
    /// signer's estimate, how much of it is probably over.
    pub(crate) fn wait(self: &Rc<Self>, words: &'static str, expected: Option<Duration>) {
        if let Some(page) = &*self.page.borrow() {
            page.set_sensitive(false);
        }
        for (at, child) in self.actions.children().into_iter().enumerate() {
            // Refusing stays possible.
            child.set_sensitive(at != 0);
        }
        let start = Instant::now();
        self.wait.set(Some(start));
        let weak = Rc::downgrade(self);
        glib::timeout_add_local(TOLD_EVERY, move || {
            let Some(frame) = weak.upgrade().filter(|frame| frame.wait.get() == Some(start)) else { return glib::ControlFlow::Break };
            if start.elapsed() >= UNHURRIED {
                frame.tell_wait(words, start.elapsed(), expected);
            }
            glib::ControlFlow::Continue
        });
    }

    #[expect(clippy::float_arithmetic, reason = "the toolkit wants the part of a bar as a fraction")]
    fn tell_wait(&self, words: &str, elapsed: Duration, expected: Option<Duration>) {
        if !self.waiting.is_visible() {
            for aside in self.actions.children().iter().skip(2) {
                aside.set_visible(false);
            }
            self.waiting.set_visible(true);
            self.progress.set_visible(true);
        }
        if let Some(expected) = expected {
            let (percent, told) = wait_words(words, elapsed, expected);
            self.waiting.set_text(&told);
            self.progress.set_fraction(f64::from(percent) / 100.0);
        } else {
            self.waiting.set_text(&format!("{words}: {}.{} s", elapsed.as_secs(), elapsed.subsec_millis() / 100));
            self.progress.pulse();
        }
    }

    /// The wait is over.
    pub(crate) fn rest(&self) {
        self.wait.set(None);
        self.waiting.set_visible(false);
        self.progress.set_visible(false);
        if let Some(page) = &*self.page.borrow() {
            page.set_sensitive(true);
        }
        for child in self.actions.children() {
            child.set_sensitive(true);
            child.set_visible(child != *self.waiting.upcast_ref::<Widget>());
        }
    }

    /// Takes everything off the screen; what stood in fields is overwritten as it is freed.
    pub(crate) fn clear(&self) {
        self.window.hide();
        if let Some(page) = self.page.borrow_mut().take() {
            self.root.remove(&page);
        }
    }
}

fn head() -> (Bar, Label) {
    let head = row(10);
    head.style_context().add_class("head");
    head.pack_start(&icon(Icon::Mark, 16, "fg0"), false, false, 0);
    let name = short("Strongroom prompt", "name");
    head.pack_start(&name, false, false, 0);
    let about = short("", "about");
    head.pack_end(&about, false, false, 0);
    head.show_all();
    (head, about)
}

fn foot() -> Bar {
    let foot = row(8);
    foot.style_context().add_class("foot");
    foot.pack_start(&icon(Icon::Lock, 12, "fg2"), false, false, 0);
    foot.pack_start(&short(PROMISE, "promise"), false, false, 0);
    let clock = short(&utc(), "num");
    foot.pack_end(&clock, false, false, 0);
    glib::timeout_add_seconds_local(1, move || {
        clock.set_text(&utc());
        glib::ControlFlow::Continue
    });
    foot
}

fn utc() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() % 86_400;
    format!("{:02}:{:02}:{:02} UTC", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
