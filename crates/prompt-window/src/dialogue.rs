//! The talk with the signer inside of the window's main loop. Invariant: pages follow the signer's questions and nothing
//! else; the loop ends when the signer or the supervisor does, or when the person gives up.

use std::cell::{Cell, OnceCell, RefCell};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use gtk::glib::{self, ControlFlow, IOCondition};
use strongroom_prompt::import::child::Reader;
use strongroom_prompt::import::wipe;
use strongroom_prompt::{Answer, Line, Start};
use strongroom_signer_api::prompt::{Field, FromPrompt, Origin, Show, ToPrompt};
use strongroom_signer_api::{About, Deed};
use zeroize::Zeroizing;

use crate::frame::Frame;
use crate::pages::{self, otp};

/// How the errand ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The signer did what was asked.
    Done,
    /// It did not.
    NotDone,
    /// There was no display to ask on.
    NoDisplay,
}

/// What the signer said, in buffers of its own.
enum Said {
    About(About),
    Ask(Field),
    Takes(Duration),
    Show(Show, Zeroizing<String>),
    End(bool),
}

/// The state of the talk.
pub(crate) struct Dialogue {
    line: RefCell<Line>,
    frame: OnceCell<Rc<Frame>>,
    about: RefCell<Option<About>>,
    /// The kit while it is shown and typed back.
    kit: RefCell<Option<Zeroizing<String>>>,
    /// The page with the code generator, which also asks for the first code.
    otp: RefCell<Option<otp::Waiting>>,
    shows_otp: Cell<bool>,
    /// The secret that belongs to the API key just given; the signer asks for it next.
    secret: RefCell<Option<Answer>>,
    file: RefCell<Option<File>>,
    reader: RefCell<Option<Reader>>,
    /// The file to overwrite and delete when its key is stored.
    doomed: RefCell<Option<(File, PathBuf)>>,
    /// The signer did what was asked; what is shown now is about the file.
    stored: Cell<bool>,
    outcome: Cell<Option<Outcome>>,
    /// What the signer expects of its work on the next answer.
    takes: Cell<Option<Duration>>,
}

impl Dialogue {
    /// From the first question to the end.
    pub(crate) fn run(start: Start) -> io::Result<Outcome> {
        let Start { supervisor, line, mut slots, .. } = start;
        let dialogue = Rc::new(Self {
            line: RefCell::new(line),
            frame: OnceCell::new(),
            about: RefCell::default(),
            kit: RefCell::default(),
            otp: RefCell::default(),
            shows_otp: Cell::default(),
            secret: RefCell::default(),
            file: RefCell::new(slots.take_import()),
            reader: RefCell::default(),
            doomed: RefCell::default(),
            stored: Cell::default(),
            outcome: Cell::default(),
            takes: Cell::default(),
        });
        let weak = Rc::downgrade(&dialogue);
        let frame = Frame::new(move || {
            if let Some(dialogue) = weak.upgrade() {
                dialogue.give_up();
            }
        });
        let _ = dialogue.frame.set(frame);
        let either = IOCondition::IN | IOCondition::HUP | IOCondition::ERR;
        let hearing = Rc::clone(&dialogue);
        glib::unix_fd_add_local(dialogue.line.borrow().as_fd().as_raw_fd(), either, move |_, _| hearing.hear());
        let watching = Rc::clone(&dialogue);
        glib::unix_fd_add_local(supervisor.as_fd().as_raw_fd(), either, move |_, _| {
            // The supervisor says nothing more: that it can be read means that it is gone.
            watching.end(Outcome::NotDone);
            ControlFlow::Break
        });
        gtk::main();
        if let Some(frame) = dialogue.frame.get() {
            frame.clear();
        }
        Ok(dialogue.outcome.get().unwrap_or(Outcome::NotDone))
    }

    /// The window.
    pub(crate) fn frame(&self) -> Option<&Rc<Frame>> {
        self.frame.get()
    }

    /// What this is about, in the signer's words.
    pub(crate) fn about(&self) -> About {
        self.about.borrow().clone().unwrap_or_else(|| About::new(Deed::Unlock, "Strongroom"))
    }

    /// The file that the door gave along; once.
    pub(crate) fn take_file(&self) -> Option<File> {
        self.file.borrow_mut().take()
    }

    /// The process that reads the next file; one more is started for the one after it.
    pub(crate) fn take_reader(&self) -> io::Result<Reader> {
        let ready = self.reader.borrow_mut().take();
        let reader = ready.map_or_else(Reader::start, Ok);
        *self.reader.borrow_mut() = Reader::start().ok();
        reader
    }

    fn hear(self: &Rc<Self>) -> ControlFlow {
        let said = self.line.borrow_mut().hear().map(|message| match message {
            ToPrompt::About(about) => Said::About(about),
            ToPrompt::Ask(field, _) => Said::Ask(field),
            ToPrompt::Takes(ms) => Said::Takes(Duration::from_millis(ms.into())),
            ToPrompt::Show(show, bytes) => Said::Show(show, Zeroizing::new(String::from_utf8_lossy(bytes).into_owned())),
            ToPrompt::End(done, _) => Said::End(done),
        });
        match said {
            Ok(Said::About(about)) => {
                if matches!(about.deed, Deed::Import | Deed::Rotate) {
                    // Before anything is typed: no copy of this process ever held a secret.
                    *self.reader.borrow_mut() = Reader::start().ok();
                }
                *self.about.borrow_mut() = Some(about);
            }
            Ok(Said::Ask(field)) => self.ask(field),
            Ok(Said::Takes(takes)) => self.takes.set(Some(takes)),
            Ok(Said::Show(show, text)) => self.show(show, text),
            Ok(Said::End(true)) => return self.stored(),
            Ok(Said::End(false)) => self.end(Outcome::NotDone),
            Err(_) => self.end(Outcome::NotDone),
        }
        if self.outcome.get().is_some() { ControlFlow::Break } else { ControlFlow::Continue }
    }

    /// It is done, and nothing more will be said here. The file goes now, if the person wanted it; what stays of it is told.
    fn stored(self: &Rc<Self>) -> ControlFlow {
        self.stored.set(true);
        let doomed = self.doomed.borrow_mut().take();
        match doomed.map(|(file, path)| wipe::wipe(&file, &path)) {
            Some(Err(kept)) => pages::import::tell_kept(self, kept),
            Some(Ok(())) | None => self.end(Outcome::Done),
        }
        ControlFlow::Break
    }

    fn ask(self: &Rc<Self>, field: Field) {
        match field {
            Field::Password => pages::password::show(self),
            Field::Pin => pages::password::show_pin(self),
            Field::NewPassword => pages::new_password::show(self),
            Field::Kit => pages::recover::show(self),
            Field::KitGroup => {
                let kit = self.kit.borrow().as_ref().map(|kit| Zeroizing::new(kit.to_string()));
                match kit {
                    Some(kit) => pages::kit::show(self, &kit, true),
                    None => self.give_up(),
                }
            }
            Field::Totp => {
                let waiting = self.otp.borrow_mut().take();
                match waiting {
                    Some(waiting) => waiting.ask(),
                    None => pages::code::show(self),
                }
            }
            Field::ApiKey => pages::import::show(self),
            Field::ApiSecret => {
                let secret = self.secret.borrow_mut().take();
                match secret {
                    Some(secret) => self.answer(&secret, "Storing the key"),
                    None => self.give_up(),
                }
            }
        }
    }

    fn show(self: &Rc<Self>, show: Show, text: Zeroizing<String>) {
        match show {
            Show::Kit | Show::AuditorCode | Show::RecoveryCodes => {
                pages::kit::show(self, &text, false);
                *self.kit.borrow_mut() = Some(text);
            }
            Show::OtpUri => {
                self.kit.borrow_mut().take();
                // Shown once more: what was typed was not its code.
                let is_again = self.shows_otp.replace(true);
                let waiting = otp::show(self, &text, is_again);
                *self.otp.borrow_mut() = Some(waiting);
                // It stays on the screen while the code is asked there.
                self.shown();
            }
        }
    }

    /// The person's answer; `words` say what the signer does with it.
    pub(crate) fn answer(&self, answer: &Answer, words: &'static str) {
        if let Some(frame) = self.frame() {
            frame.wait(words, self.takes.take());
        }
        self.tell(&FromPrompt::Answer(answer));
    }

    /// An API key; its secret is kept until it is asked.
    pub(crate) fn answer_key(&self, api_key: &Answer, secret: Answer, origin: Origin, source: &str) {
        self.tell(&FromPrompt::From(origin, source.as_bytes()));
        *self.secret.borrow_mut() = Some(secret);
        self.answer(api_key, "Storing the key");
    }

    /// This file is to be overwritten and deleted once its key is stored.
    pub(crate) fn doom(&self, file: File, path: PathBuf) {
        *self.doomed.borrow_mut() = Some((file, path));
    }

    /// What was shown has been seen.
    pub(crate) fn shown(&self) {
        self.tell(&FromPrompt::Shown);
    }

    /// The person gave up: the signer hears it, and nothing is waited for.
    pub(crate) fn give_up(&self) {
        if self.stored.get() {
            self.end(Outcome::Done);
        } else if self.outcome.get().is_none() {
            let _ = self.line.borrow_mut().tell(&FromPrompt::Cancel);
            self.end(Outcome::NotDone);
        }
    }

    fn tell(&self, message: &FromPrompt<'_>) {
        if self.line.borrow_mut().tell(message).is_err() {
            self.end(Outcome::NotDone);
        }
    }

    fn end(&self, outcome: Outcome) {
        if self.outcome.replace(Some(outcome)).is_none() {
            self.secret.borrow_mut().take();
            self.kit.borrow_mut().take();
            gtk::main_quit();
        }
    }
}
