//! A venue's key, typed, pasted or from a file. Invariant: what a file holds is shown, with its secret covered, before
//! anything is taken from it; the secret stays here until the signer asks for it.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::path::PathBuf;
use std::rc::Rc;

use gtk::prelude::*;
use gtk::{
    CheckButton, DestDefaults, Entry, FileChooserAction, FileChooserDialog, FileFilter, Label, ResponseType, TargetEntry, TargetFlags, gdk,
    glib,
};
use strongroom_prompt::Answer;
use strongroom_prompt::import::child::bytes_of;
use strongroom_prompt::import::wipe::{self, Kept};
use strongroom_prompt::import::{Found, Reading, Trouble, Why};
use strongroom_signer_api::Deed;
use strongroom_signer_api::prompt::Origin;
use zeroize::Zeroizing;

use super::preview;
use crate::dialogue::Dialogue;
use crate::frame::{Page, main_button};
use crate::icons::Icon;
use crate::parts::{Field, Typed, alert, column, focus, label, name_of, row, short, small, typed};
use crate::reading;

/// Where the bytes came from that are previewed.
enum Source {
    File(File),
    Pasted(Answer),
}

/// Fields, and what a file gave.
struct Form {
    dialogue: Rc<Dialogue>,
    venue: String,
    api_key: Field,
    secret: Field,
    /// Room for what is in a file.
    preview: gtk::Box,
    trouble: Label,
    main: gtk::Button,
    source: RefCell<Option<Source>>,
    /// Whether the source was opened with a passphrase.
    was_encrypted: Cell<bool>,
    /// What kind of file the source was.
    kind_of_file: Cell<&'static str>,
    /// Counts what was read: an answer about something older is not shown.
    turn: Cell<u32>,
    /// The secret that the source gave, to know whether the person changed it.
    taken: RefCell<Option<Zeroizing<String>>>,
    /// Whether the file goes once its key is stored.
    wipe: RefCell<Option<CheckButton>>,
}

pub(crate) fn show(dialogue: &Rc<Dialogue>) {
    let Some(frame) = dialogue.frame() else { return };
    let about = dialogue.about();
    let venue = about.fact("Venue").unwrap_or_default().to_owned();
    let main = main_button(if about.deed == Deed::Rotate { "_Test this key" } else { "_Import this key" });
    let api_key = Field::new(Typed::Plain, "");
    let secret = Field::new(Typed::Secret, "the secret");
    let trouble = alert(&secret.entry);
    let form = Rc::new(Form {
        dialogue: Rc::clone(dialogue),
        venue,
        api_key,
        secret,
        preview: column(0),
        trouble,
        main,
        source: RefCell::default(),
        was_encrypted: Cell::default(),
        kind_of_file: Cell::default(),
        turn: Cell::default(),
        taken: RefCell::default(),
        wipe: RefCell::default(),
    });

    let body = column(0);
    body.set_margin_top(4);
    body.pack_start(&label(if about.deed == Deed::Rotate { "Give the new key" } else { "Import a key" }, "title"), false, false, 0);
    let words = match about.fact("Label") {
        Some(name) => format!("For {}, as “{name}”.", form.venue),
        None => format!("{}.", about.title),
    };
    let words = label(&format!("{words} A key that can withdraw is not needed: make one that reads and trades."), "words");
    words.set_margin_top(6);
    body.pack_start(&words, false, false, 0);
    for (field, name, top) in [(&form.api_key, "API _key", 16), (&form.secret, "API _secret, or private key (Ed25519 or RSA, PEM)", 14)] {
        let name = name_of(&field.entry, name);
        name.set_margin_top(top);
        name.set_margin_bottom(6);
        body.pack_start(&name, false, false, 0);
        body.pack_start(&field.frame, false, false, 0);
    }
    let hint = short("Paste works: a key, a PEM block, or whole lines of a file", "quiet");
    hint.set_margin_top(8);
    body.pack_start(&hint, false, false, 0);

    let drop = row(12);
    drop.style_context().add_class("drop");
    drop.set_margin_top(16);
    let choose = small(Icon::File, "Choose _file…");
    drop.pack_start(&choose, false, false, 0);
    drop.pack_start(
        &label("or drop a .env, PEM or another program's file here. A walled process reads it, and what it found is shown.", "quiet"),
        true,
        true,
        0,
    );
    body.pack_start(&drop, false, false, 0);
    form.trouble.set_margin_top(8);
    body.pack_start(&form.trouble, false, false, 0);
    body.pack_start(&form.preview, false, false, 0);
    take_drops(&form, &body, &drop);
    let chosen = Rc::clone(&form);
    choose.connect_clicked(move |_| {
        if let Some(path) = chosen.choose() {
            chosen.open(&path);
        }
    });

    form.main.set_sensitive(false);
    for entry in [&form.api_key.entry, &form.secret.entry] {
        let watching = Rc::downgrade(&form);
        entry.connect_changed(move |entry| {
            if let Some(form) = watching.upgrade() {
                form.judge();
                form.take_lines(entry);
            }
        });
    }
    let giving = Rc::downgrade(&form);
    form.main.connect_clicked(move |_| {
        if let Some(form) = giving.upgrade() {
            form.give();
        }
    });
    let aside = Some(short("Nothing is stored yet", "quiet").upcast());
    let page = Page { size: (520, 640), about: "import a key", body: body.upcast(), main: form.main.clone(), refuse: "_Cancel", aside };
    frame.show(page);
    focus(&form.api_key.entry);
    if let Some(file) = dialogue.take_file() {
        form.read(Source::File(file));
    }
}

impl Form {
    /// Gives the key; the secret follows when the signer asks for it.
    fn give(&self) {
        let (api_key, secret) = (typed(&self.api_key.entry), typed(&self.secret.entry));
        let is_taken = self.taken.borrow().as_ref().is_some_and(|taken| taken.trim().as_bytes() == secret.trim_ascii());
        let is_of_file = is_taken && matches!(*self.source.borrow(), Some(Source::File(_)));
        let origin = match (is_of_file, self.was_encrypted.get()) {
            (false, _) => Origin::Typed,
            (true, false) => Origin::PlainFile,
            (true, true) => Origin::EncryptedFile,
        };
        let is_doomed = self.wipe.borrow().as_ref().is_some_and(|wipe| wipe.is_active());
        if let (Some(Source::File(file)), true) = (self.source.borrow_mut().take(), is_taken && is_doomed)
            && let Some(path) = wipe::path_of(&file)
        {
            self.dialogue.doom(file, path);
        }
        self.api_key.entry.set_text("");
        self.secret.entry.set_text("");
        let source = if is_of_file { self.kind_of_file.get() } else { "" };
        self.dialogue.answer_key(&api_key, secret, origin, source);
    }

    /// The main button can be pressed when there is a key and a secret.
    fn judge(&self) {
        self.main.set_sensitive(self.api_key.entry.text_length() > 0 && self.secret.entry.text_length() > 0);
    }

    /// Lines of a file that were pasted into a field go to the walled reader as a file does; one secret or private key stays.
    fn take_lines(self: &Rc<Self>, entry: &Entry) {
        let pasted = typed(entry);
        let pem_ends = pasted.windows(8).any(|window| window == b"-----END");
        let is_sealed = pasted.starts_with(b"-----BEGIN ENCRYPTED") && pem_ends;
        let is_json = pasted.starts_with(b"{") && pasted.trim_ascii_end().ends_with(b"}");
        let is_lines = pasted.trim_ascii().contains(&b'\n') && !pasted.starts_with(b"-----BEGIN");
        if !(is_sealed || is_json || is_lines) {
            return;
        }
        let form = Rc::downgrade(self);
        // After the field has done with its paste.
        glib::idle_add_local_once(move || {
            if let Some(form) = form.upgrade() {
                form.read(Source::Pasted(pasted));
            }
        });
    }

    fn choose(&self) -> Option<PathBuf> {
        let parent = self.dialogue.frame()?.window().clone();
        let chooser = FileChooserDialog::new(Some("A file with a key"), Some(&parent), FileChooserAction::Open);
        chooser.add_buttons(&[("_Cancel", ResponseType::Cancel), ("_Open", ResponseType::Accept)]);
        chooser.set_default_response(ResponseType::Accept);
        chooser.set_local_only(true);
        let filter = FileFilter::new();
        filter.set_name(Some("Keys: .env, JSON, PEM, YAML, TOML, .dat"));
        for pattern in ["*.env", ".env*", "*.json", "*.pem", "*.key", "*.txt", "*.yml", "*.yaml", "*.toml", "*.dat"] {
            filter.add_pattern(pattern);
        }
        let all = FileFilter::new();
        all.set_name(Some("All files"));
        all.add_pattern("*");
        chooser.add_filter(filter);
        chooser.add_filter(all);
        let path = if chooser.run() == ResponseType::Accept { chooser.filename() } else { None };
        chooser.close();
        path
    }

    fn open(self: &Rc<Self>, path: &std::path::Path) {
        match reading::open(path) {
            Ok(file) => self.read(Source::File(file)),
            Err(error) => self.tell(&format!("The file cannot be opened: {error}. Choose another, or type the key.")),
        }
    }

    /// Hands a file to the walled reader. What was typed before is cleared first.
    fn read(self: &Rc<Self>, source: Source) {
        *self.source.borrow_mut() = Some(source);
        self.read_with(&Answer::default());
    }

    /// One try, with a passphrase or without.
    fn read_with(self: &Rc<Self>, passphrase: &Answer) {
        self.api_key.entry.set_text("");
        self.secret.entry.set_text("");
        self.taken.borrow_mut().take();
        self.wipe.borrow_mut().take();
        self.clear();
        self.tell("");
        let bytes = match &mut *self.source.borrow_mut() {
            Some(Source::File(file)) => bytes_of(file),
            Some(Source::Pasted(bytes)) => Ok(Zeroizing::new(bytes.to_vec())),
            None => return,
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(trouble) => return self.tell(trouble.words()),
        };
        let Ok(reader) = self.dialogue.take_reader() else { return self.tell(Trouble::NoWalls.words()) };
        let turn = self.turn.get().wrapping_add(1);
        self.turn.set(turn);
        let is_deriving = !passphrase.is_empty();
        if let (Some(frame), true) = (self.dialogue.frame(), is_deriving) {
            frame.wait("Opening the file, this takes some seconds", None);
        }
        let showing = Rc::downgrade(self);
        reading::read(reader, &bytes, passphrase, move |result| {
            let Some(form) = showing.upgrade().filter(|form| form.turn.get() == turn) else { return };
            if let (Some(frame), true) = (form.dialogue.frame(), is_deriving) {
                frame.rest();
                form.judge();
            }
            match result {
                Ok(reading) => {
                    form.was_encrypted.set(is_deriving);
                    form.kind_of_file.set(reading.form.words());
                    form.show_preview(reading);
                }
                Err(trouble @ (Trouble::NeedsPassphrase | Trouble::WrongPassphrase)) => form.ask_passphrase(trouble),
                Err(trouble) => form.tell(trouble.words()),
            }
        });
    }

    fn tell(&self, words: &str) {
        self.trouble.set_text(words);
    }

    fn clear(&self) {
        for old in self.preview.children() {
            self.preview.remove(&old);
        }
    }

    /// A field for the file's passphrase, in the preview's place.
    fn ask_passphrase(self: &Rc<Self>, trouble: Trouble) {
        self.tell(trouble.words());
        let opening = Rc::downgrade(self);
        let field = preview::passphrase(move |passphrase| {
            if let Some(form) = opening.upgrade() {
                form.read_with(&passphrase);
            }
        });
        self.preview.pack_start(&field.whole, false, false, 0);
        self.preview.show_all();
        focus(&field.entry);
    }

    /// Shows what a file holds; one key is chosen, the first that fits.
    fn show_preview(self: &Rc<Self>, reading: Reading) {
        let why = reading.found.iter().map(|found| found.why_not(&self.venue)).collect::<Option<Vec<_>>>();
        let lost = reading.form.lost_with_it(reading.found.len() - 1, &reading.also);
        let taking = Rc::downgrade(self);
        let shown = preview::show(reading, &self.venue, move |found| {
            if let Some(form) = taking.upgrade() {
                form.take(found);
            }
        });
        self.preview.pack_start(&shown, false, false, 0);
        match why.as_deref() {
            Some([Why::Venue, ..]) => {
                self.tell(&format!("This key is for another venue than {}. It was not taken. Choose another file.", self.venue));
            }
            Some([why, ..]) => self.tell(&format!("No key of this file can be taken: {}.", why.words())),
            _ => self.offer_to_wipe(&lost),
        }
        self.preview.show_all();
    }

    /// The offer to delete the file, which is carried out when the signer says that the key is stored.
    fn offer_to_wipe(&self, lost: &[String]) {
        let is_named = matches!(&*self.source.borrow(), Some(Source::File(file)) if wipe::path_of(file).is_some());
        if !is_named {
            return;
        }
        let (whole, check) = preview::wipe_offer(lost);
        self.preview.pack_start(&whole, false, false, 0);
        *self.wipe.borrow_mut() = Some(check);
    }

    /// Puts a key into the fields, where the person sees it and can change it.
    fn take(&self, key: &Found) {
        let Ok(secret) = &key.secret else { return };
        self.api_key.entry.set_text(&key.api_key);
        self.secret.entry.set_text(secret);
        *self.taken.borrow_mut() = Some(Zeroizing::new(secret.to_string()));
        focus(if key.api_key.is_empty() { self.api_key.entry.upcast_ref::<gtk::Widget>() } else { self.main.upcast_ref() });
    }
}

/// The key is stored, and its file is still there: says why, until the person has seen it.
pub(crate) fn tell_kept(dialogue: &Rc<Dialogue>, kept: Kept) {
    let Some(frame) = dialogue.frame() else { return };
    let body = column(0);
    body.set_margin_top(4);
    body.pack_start(&label("The key is stored, its file is not gone", "title"), false, false, 0);
    for words in [kept.words(), wipe::WORDS] {
        let words = label(words, "words");
        words.set_margin_top(8);
        body.pack_start(&words, false, false, 0);
    }
    let main = main_button("_Done");
    let ending = Rc::clone(dialogue);
    main.connect_clicked(move |_| ending.give_up());
    frame.show(Page { size: (520, 320), about: "import a key", body: body.upcast(), main: main.clone(), refuse: "_Close", aside: None });
    focus(&main);
}

/// Files can be dropped anywhere on the page.
fn take_drops(form: &Rc<Form>, body: &gtk::Box, drop: &gtk::Box) {
    let targets = [TargetEntry::new("text/uri-list", TargetFlags::empty(), 0)];
    body.drag_dest_set(DestDefaults::ALL, &targets, gdk::DragAction::COPY);
    let over = drop.clone();
    body.connect_drag_motion(move |_, _, _, _, _| {
        over.style_context().add_class("over");
        false
    });
    let over = drop.clone();
    body.connect_drag_leave(move |_, _, _| over.style_context().remove_class("over"));
    let opening = Rc::downgrade(form);
    body.connect_drag_data_received(move |_, _, _, _, data, _, _| {
        let Some(form) = opening.upgrade() else { return };
        let path = data.uris().first().and_then(|uri| gtk::glib::filename_from_uri(uri).ok());
        match path {
            Some((path, _)) => form.open(&path),
            None => form.tell("Only files of this machine can be dropped here."),
        }
    });
}
