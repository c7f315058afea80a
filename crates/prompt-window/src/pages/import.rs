//! A venue's key, typed, pasted or from a file. Invariant: what a file holds is shown, with its secret covered, before
//! anything is taken from it; the secret stays here until the signer asks for it.

use std::fs::File;
use std::path::PathBuf;
use std::rc::Rc;

use gtk::prelude::*;
use gtk::{
    DestDefaults, FileChooserAction, FileChooserDialog, FileFilter, Grid, Label, RadioButton, ResponseType, TargetEntry, TargetFlags, gdk,
};
use strongroom_prompt::import::{Found, Trouble};
use strongroom_signer_api::{Deed, Fact};

use crate::dialogue::Dialogue;
use crate::frame::{Page, main_button};
use crate::icons::Icon;
use crate::parts::{Field, Typed, alert, column, facts, focus, label, name_of, row, short, small, typed};
use crate::reading;

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
}

pub(crate) fn show(dialogue: &Rc<Dialogue>) {
    let Some(frame) = dialogue.frame() else { return };
    let about = dialogue.about();
    let venue = about.fact("Venue").unwrap_or_default().to_owned();
    let main = main_button(if about.deed == Deed::Rotate { "_Test this key" } else { "_Import this key" });
    let api_key = Field::new(Typed::Plain, "");
    let secret = Field::new(Typed::Secret, "the secret");
    let trouble = alert(&secret.entry);
    let form = Rc::new(Form { dialogue: Rc::clone(dialogue), venue, api_key, secret, preview: column(0), trouble, main });

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
    for (field, name, top) in [(&form.api_key, "API _key", 16), (&form.secret, "API _secret, or private key (Ed25519, PEM)", 14)] {
        let name = name_of(&field.entry, name);
        name.set_margin_top(top);
        name.set_margin_bottom(6);
        body.pack_start(&name, false, false, 0);
        body.pack_start(&field.frame, false, false, 0);
    }
    let hint = short("Paste works; a PEM block is taken in whole", "quiet");
    hint.set_margin_top(8);
    body.pack_start(&hint, false, false, 0);

    let drop = row(12);
    drop.style_context().add_class("drop");
    drop.set_margin_top(16);
    let choose = small(Icon::File, "Choose _file…");
    drop.pack_start(&choose, false, false, 0);
    drop.pack_start(
        &label("or drop a .env, JSON or PEM file here. A walled process reads it, and what it found is shown.", "quiet"),
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
        entry.connect_changed(move |_| {
            if let Some(form) = watching.upgrade() {
                let whole = form.api_key.entry.text_length() > 0 && form.secret.entry.text_length() > 0;
                form.main.set_sensitive(whole);
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
        form.read(file);
    }
}

impl Form {
    /// Gives the key; the secret follows when the signer asks for it.
    fn give(&self) {
        let (api_key, secret) = (typed(&self.api_key.entry), typed(&self.secret.entry));
        self.api_key.entry.set_text("");
        self.secret.entry.set_text("");
        self.dialogue.answer_key(&api_key, secret);
    }

    fn choose(&self) -> Option<PathBuf> {
        let parent = self.dialogue.frame()?.window().clone();
        let chooser = FileChooserDialog::new(Some("A file with a key"), Some(&parent), FileChooserAction::Open);
        chooser.add_buttons(&[("_Cancel", ResponseType::Cancel), ("_Open", ResponseType::Accept)]);
        chooser.set_default_response(ResponseType::Accept);
        chooser.set_local_only(true);
        let filter = FileFilter::new();
        filter.set_name(Some("Keys: .env, JSON, PEM"));
        for pattern in ["*.env", ".env*", "*.json", "*.pem", "*.key", "*.txt"] {
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
            Ok(file) => self.read(file),
            Err(error) => self.tell(&format!("The file cannot be opened: {error}. Choose another, or type the key.")),
        }
    }

    /// Hands a file to the walled reader. What was typed before is cleared first.
    fn read(self: &Rc<Self>, file: File) {
        self.api_key.entry.set_text("");
        self.secret.entry.set_text("");
        self.clear();
        self.tell("");
        let Ok(reader) = self.dialogue.take_reader() else { return self.tell(Trouble::NoWalls.words()) };
        let showing = Rc::downgrade(self);
        reader.read(file, move |result| {
            let Some(form) = showing.upgrade() else { return };
            match result {
                Ok(found) => form.preview(found),
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

    /// Shows what a file holds; one key is chosen, the first that fits.
    fn preview(self: &Rc<Self>, found: Vec<Found>) {
        self.clear();
        let several = found.len() > 1;
        let fits = |key: &Found| !key.is_for_another_venue_than(&self.venue);
        let first = found.iter().position(fits);
        let heading = short(if several { "In this file; choose one:" } else { "In this file:" }, "strong");
        heading.set_margin_top(12);
        heading.set_margin_bottom(4);
        self.preview.pack_start(&heading, false, false, 0);
        let mut group: Option<RadioButton> = None;
        for (at, key) in found.into_iter().enumerate() {
            let fits = !key.is_for_another_venue_than(&self.venue);
            if several {
                let text = format!("{}, {}", if key.name.is_empty() { "no venue named" } else { &key.name }, shortened(&key.api_key));
                let button = match &group {
                    Some(first) => RadioButton::with_label_from_widget(first, &text),
                    None => RadioButton::with_label(&text),
                };
                button.set_sensitive(fits);
                self.preview.pack_start(&button, false, false, 0);
                let (choosing, key) = (Rc::downgrade(self), Rc::new(key));
                let chosen = Rc::clone(&key);
                button.connect_toggled(move |button| {
                    if let (Some(form), true) = (choosing.upgrade(), button.is_active()) {
                        form.take(&chosen);
                    }
                });
                if first == Some(at) {
                    button.set_active(true);
                    self.take(&key);
                }
                group.get_or_insert(button);
            } else {
                self.preview.pack_start(&shown(&key), false, false, 0);
                if fits {
                    self.take(&key);
                }
            }
        }
        if first.is_none() {
            self.tell(&format!("This key is for another venue than {}. It was not taken. Choose another file.", self.venue));
        }
        self.preview.show_all();
    }

    /// Puts a key into the fields, where the person sees it and can change it.
    fn take(&self, key: &Found) {
        self.api_key.entry.set_text(&key.api_key);
        self.secret.entry.set_text(&key.secret);
        focus(if key.api_key.is_empty() { self.api_key.entry.upcast_ref::<gtk::Widget>() } else { self.main.upcast_ref() });
    }
}

/// The facts of a key, its secret covered.
fn shown(key: &Found) -> Grid {
    let name = if key.name.is_empty() { "not named".to_owned() } else { key.name.clone() };
    let api_key = if key.api_key.is_empty() { "not in the file; type it above".to_owned() } else { shortened(&key.api_key) };
    let rows = [
        ("Form", key.form.words().to_owned()),
        ("Venue", name),
        ("API key", api_key),
        ("Signs with", key.signs_with().to_owned()),
        ("Secret", format!("••••••••, {} characters", key.secret.trim().len())),
    ];
    facts(&rows.map(|(name, value)| Fact { name: name.to_owned(), value }), 20)
}

/// Enough of a public name to recognise it.
fn shortened(api_key: &str) -> String {
    match (api_key.get(..6), api_key.len().checked_sub(4).and_then(|at| api_key.get(at..))) {
        (Some(head), Some(tail)) if api_key.len() > 16 => format!("{head}…{tail}"),
        _ => api_key.to_owned(),
    }
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
