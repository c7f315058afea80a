//! The vault's password, and the PIN of whoever keeps a share. Invariant: it is covered unless the person uncovers it; pasting works.

use std::rc::Rc;

use gtk::prelude::*;
use strongroom_signer_api::Deed;

use crate::dialogue::Dialogue;
use crate::frame::{Page, main_button};
use crate::parts::{Field, Typed, caps_lock, column, facts, focus, label, name_of, row, rule, short, typed};

pub(crate) fn show(dialogue: &Rc<Dialogue>) {
    let opens = dialogue.about().deed == Deed::Unlock;
    let asked = Asked {
        words: "It opens with the password and this machine's device secret together.",
        field: "the password",
        name: "_Password",
        about: if opens { "unlock" } else { "present password" },
        button: if opens { "_Unlock" } else { "_Continue" },
        then: "Deriving the key",
    };
    page(dialogue, asked);
}

/// The PIN of a token, or the token of a key server.
pub(crate) fn show_pin(dialogue: &Rc<Dialogue>) {
    let asked = Asked {
        words: "The PIN of the token, or your token for the key server, goes to the keeper that is named below.",
        field: "the PIN",
        name: "_PIN or token",
        about: "pin",
        button: "_Continue",
        then: "Asking the keeper",
    };
    page(dialogue, asked);
}

struct Asked {
    words: &'static str,
    field: &'static str,
    name: &'static str,
    about: &'static str,
    button: &'static str,
    then: &'static str,
}

fn page(dialogue: &Rc<Dialogue>, asked: Asked) {
    let Some(frame) = dialogue.frame() else { return };
    let about = dialogue.about();
    let body = column(0);
    body.set_margin_top(8);
    body.pack_start(&label(&about.title, "title"), false, false, 0);
    let words = label(asked.words, "words");
    words.set_margin_top(4);
    body.pack_start(&words, false, false, 0);

    let field = Field::new(Typed::Secret, asked.field);
    let name = name_of(&field.entry, asked.name);
    name.set_margin_top(20);
    name.set_margin_bottom(6);
    body.pack_start(&name, false, false, 0);
    body.pack_start(&field.frame, false, false, 0);
    let hints = row(8);
    hints.set_margin_top(8);
    hints.set_size_request(-1, 18);
    hints.pack_start(&caps_lock(), false, false, 0);
    hints.pack_end(&short("Paste and password managers work", "quiet"), false, false, 0);
    body.pack_start(&hints, false, false, 0);
    let line = rule();
    line.set_margin_top(16);
    line.set_margin_bottom(12);
    body.pack_start(&line, false, false, 0);
    body.pack_start(&facts(&about.facts, 20), false, false, 0);

    let main = main_button(asked.button);
    main.set_sensitive(false);
    let sensitive = main.clone();
    field.entry.connect_changed(move |entry| sensitive.set_sensitive(entry.text_length() > 0));
    let (entry, answering) = (field.entry.clone(), Rc::clone(dialogue));
    main.connect_clicked(move |_| {
        let password = typed(&entry);
        entry.set_text("");
        answering.answer(&password, asked.then);
    });
    frame.show(Page { size: (480, 420), about: asked.about, body: body.upcast(), main, refuse: "_Cancel", aside: None });
    focus(&field.entry);
}
