//! What a file holds, before anything is taken from it. Invariant: a secret is covered here, and a key that cannot be imported
//! can be seen and not be chosen.

use std::rc::Rc;

use gtk::prelude::*;
use gtk::{CheckButton, Entry, Grid, PolicyType, RadioButton, ScrolledWindow};
use strongroom_prompt::Answer;
use strongroom_prompt::import::{Found, Reading, shortened, wipe};
use strongroom_signer_api::Fact;

use crate::icons::Icon;
use crate::parts::{Field, Typed, column, describe, facts, label, name_of, row, short, small, typed};

/// Keys of one file that are shown without scrolling, and the height of that many, pixels.
const ROWS_SHOWN: usize = 3;
const ROWS_HEIGHT: i32 = 100;

/// A field for a passphrase.
pub(super) struct Passphrase {
    pub(super) whole: gtk::Box,
    pub(super) entry: Entry,
}

/// Asks for a file's passphrase; `open` hears it on Enter and on the button.
pub(super) fn passphrase(open: impl Fn(Answer) + 'static) -> Passphrase {
    let whole = column(0);
    whole.set_margin_top(8);
    let field = Field::new(Typed::Secret, "the passphrase");
    field.entry.set_activates_default(false);
    let name = name_of(&field.entry, "_Passphrase of the file");
    name.set_margin_bottom(6);
    whole.pack_start(&name, false, false, 0);
    let line = row(8);
    line.pack_start(&field.frame, true, true, 0);
    let button = small(Icon::Lock, "_Open the file");
    line.pack_start(&button, false, false, 0);
    whole.pack_start(&line, false, false, 0);
    let hint = label("It goes to the walled process that reads the file, and nowhere else. Opening takes some seconds.", "quiet");
    hint.set_margin_top(6);
    whole.pack_start(&hint, false, false, 0);
    let entry = field.entry.clone();
    let give = Rc::new(move || {
        let passphrase = typed(&entry);
        entry.set_text("");
        if !passphrase.is_empty() {
            open(passphrase);
        }
    });
    let giving = Rc::clone(&give);
    field.entry.connect_activate(move |_| giving());
    button.connect_clicked(move |_| give());
    Passphrase { whole, entry: field.entry }
}

/// Everything that a file holds; `take` hears which key is chosen, the first that fits at once.
pub(super) fn show(reading: Reading, venue: &str, take: impl Fn(&Found) + 'static) -> gtk::Box {
    let Reading { form, also, mut found } = reading;
    found.sort_by_key(|key| key.why_not(venue).is_some());
    let whole = column(0);
    let several = found.len() > 1;
    let is_choice = found.iter().filter(|key| key.why_not(venue).is_none()).count() > 1;
    let heading = short(if is_choice { "In this file; choose one:" } else { "In this file:" }, "strong");
    heading.set_margin_top(12);
    heading.set_margin_bottom(4);
    whole.pack_start(&heading, false, false, 0);
    let detail = column(0);
    let take = Rc::new(move |found: &Found, detail: &gtk::Box, venue: &str| {
        for old in detail.children() {
            detail.remove(&old);
        }
        detail.pack_start(&shown(form.words(), found, venue), false, false, 0);
        detail.show_all();
        if found.why_not(venue).is_none() {
            take(found);
        }
    });
    if several {
        whole.pack_start(&list(found, venue, &detail, &take), false, false, 0);
    } else if let Some(found) = found.first() {
        take(found, &detail, venue);
    }
    whole.pack_start(&detail, false, false, 0);
    if !also.is_empty() {
        whole.pack_start(&label(&format!("Other secrets in it, not taken: {also}"), "quiet"), false, false, 0);
    }
    if let Some(warning) = form.warning() {
        whole.pack_start(&label(warning, "warn"), false, false, 0);
    }
    whole
}

/// One row for each key: those that fit can be chosen, of the others it is said why not.
fn list<F: Fn(&Found, &gtk::Box, &str) + 'static>(found: Vec<Found>, venue: &str, detail: &gtk::Box, take: &Rc<F>) -> gtk::Widget {
    let rows = column(0);
    let first = found.iter().position(|key| key.why_not(venue).is_none());
    let is_long = found.len() > ROWS_SHOWN;
    let mut group: Option<RadioButton> = None;
    for (at, key) in found.into_iter().enumerate() {
        let name = if key.label.is_empty() { "no venue named" } else { &key.label };
        let text = [name, &shortened(&key.api_key)].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
        if let Some(why) = key.why_not(venue) {
            let words = label(&format!("{text}, {}, {}: {}", key.scheme.words(), key.place, why.words()), "quiet");
            words.set_margin_top(2);
            rows.pack_start(&words, false, false, 0);
            continue;
        }
        let button = match &group {
            Some(first) => RadioButton::with_label_from_widget(first, &text),
            None => RadioButton::with_label(&text),
        };
        rows.pack_start(&button, false, false, 0);
        let (key, take, detail, venue) = (Rc::new(key), Rc::clone(take), detail.clone(), venue.to_owned());
        if first == Some(at) {
            button.set_active(true);
            take(&key, &detail, &venue);
        }
        button.connect_toggled(move |button| {
            if button.is_active() {
                take(&key, &detail, &venue);
            }
        });
        group.get_or_insert(button);
    }
    if !is_long {
        return rows.upcast();
    }
    let scrolled = ScrolledWindow::builder().hscrollbar_policy(PolicyType::Never).min_content_height(ROWS_HEIGHT).build();
    scrolled.add(&rows);
    scrolled.upcast()
}

/// The facts of a key, its secret covered.
fn shown(form: &str, found: &Found, venue: &str) -> Grid {
    let rows = std::iter::once(("Form", form.to_owned())).chain(found.facts(venue));
    facts(&rows.map(|(name, value)| Fact { name: name.to_owned(), value }).collect::<Vec<_>>(), 20)
}

/// The offer to delete the file, and what that cannot do.
pub(super) fn wipe_offer(lost: &[String]) -> (gtk::Box, CheckButton) {
    let whole = column(4);
    whole.set_margin_top(10);
    whole.set_margin_bottom(12);
    let check = CheckButton::with_mnemonic("When the key is stored, o_verwrite and delete this file");
    whole.pack_start(&check, false, false, 0);
    let words = label(&[&lost.join(" "), wipe::WORDS].join(" "), "quiet");
    describe(&check, &words);
    whole.pack_start(&words, false, false, 0);
    (whole, check)
}
