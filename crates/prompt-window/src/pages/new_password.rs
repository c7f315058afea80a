//! A new password, with an estimate of its strength. Invariant: no rule but the signer's length; both fields must agree.

use std::rc::Rc;

use gtk::atk::prelude::*;
use gtk::prelude::*;
use gtk::{Box as Bar, Entry, Label};
use strongroom_signer_api::Deed;

use crate::dialogue::Dialogue;
use crate::frame::{Page, main_button};
use crate::parts::{Field, Typed, alert, call, caps_lock, column, describe, facts, focus, label, name_of, row, rule, short, typed};
use crate::strength::{SEGMENTS, Strength, judge};

/// Five segments and two lines of words.
struct Meter {
    segments: Vec<Bar>,
    bar: Bar,
    words: Label,
    tip: Label,
}

impl Meter {
    fn new() -> Self {
        let bar = row(4);
        bar.set_homogeneous(true);
        let segments: Vec<Bar> = (0..SEGMENTS).map(|_| row(0)).collect();
        for segment in &segments {
            segment.style_context().add_class("segment");
            bar.pack_start(segment, true, true, 0);
        }
        Self { segments, bar, words: short("", "strong"), tip: label("", "quiet") }
    }

    fn tell(&self, strength: &Strength) {
        let colour = ["low", "low", "low", "mid", "high", "high"][strength.lit.min(SEGMENTS)];
        for (at, segment) in self.segments.iter().enumerate() {
            for name in ["low", "mid", "high"] {
                segment.style_context().remove_class(name);
            }
            if at < strength.lit {
                segment.style_context().add_class(colour);
            }
        }
        call(&self.bar, &format!("Strength {} of {SEGMENTS}", strength.lit));
        self.words.set_text(&strength.words);
        self.tip.set_text(&strength.tip);
    }
}

pub(crate) fn show(dialogue: &Rc<Dialogue>) {
    let Some(frame) = dialogue.frame() else { return };
    let about = dialogue.about();
    let is_new = about.deed == Deed::Create;
    let body = column(0);
    body.set_margin_top(8);
    body.pack_start(&label(if is_new { "Choose the vault's password" } else { "Choose a new password" }, "title"), false, false, 0);
    let words = "Nobody can reset it. Without it and without the recovery kit, this vault cannot be opened by anyone.";
    let words = label(words, "words");
    words.set_margin_top(4);
    body.pack_start(&words, false, false, 0);

    let first = Field::new(Typed::Secret, "the new password");
    let again = Field::new(Typed::Secret, "the repeated password");
    let meter = Rc::new(Meter::new());
    let name = name_of(&first.entry, "New _password");
    name.set_margin_top(16);
    name.set_margin_bottom(6);
    body.pack_start(&name, false, false, 0);
    body.pack_start(&first.frame, false, false, 0);
    meter.bar.set_margin_top(10);
    meter.words.set_margin_top(8);
    body.pack_start(&meter.bar, false, false, 0);
    body.pack_start(&meter.words, false, false, 0);
    meter.tip.set_size_request(-1, 32);
    meter.tip.set_yalign(0.0);
    body.pack_start(&meter.tip, false, false, 0);
    describe(&first.entry, &meter.words);
    let name = name_of(&again.entry, "The same _again");
    name.set_margin_top(8);
    name.set_margin_bottom(6);
    body.pack_start(&name, false, false, 0);
    body.pack_start(&again.frame, false, false, 0);
    let differs = alert(&again.entry);
    differs.set_margin_top(6);
    let below = row(8);
    below.set_size_request(-1, 24);
    below.pack_start(&differs, true, true, 0);
    below.pack_end(&caps_lock(), false, false, 0);
    body.pack_start(&below, false, false, 0);
    if is_new {
        let line = rule();
        line.set_margin_top(6);
        line.set_margin_bottom(10);
        body.pack_start(&line, false, false, 0);
        body.pack_start(&facts(&about.facts, 20), false, false, 0);
    }

    let main = main_button(if is_new { "_Create the vault" } else { "_Set the password" });
    meter.tell(&judge(""));
    let (first, again) = (Rc::new(first), Rc::new(again));
    let watch = {
        let (first, again, main, meter) = (Rc::clone(&first), Rc::clone(&again), main.clone(), Rc::clone(&meter));
        move |_: &Entry| {
            let (one, two) = (typed(&first.entry), typed(&again.entry));
            let strength = judge(std::str::from_utf8(&one).unwrap_or_default());
            let (same, begun) = (*one == *two, !two.is_empty());
            // While the second is still being typed, its beginning is enough.
            let differs_already = begun && !one.starts_with(&two);
            again.judge(if begun && same { Some(strength.is_enough) } else { differs_already.then_some(false) });
            differs.set_text(if differs_already { "The two differ." } else { "" });
            main.set_sensitive(strength.is_enough && same);
            meter.tell(&strength);
        }
    };
    first.entry.connect_changed(watch.clone());
    again.entry.connect_changed(watch);
    main.set_sensitive(false);
    let (answering, entries) = (Rc::clone(dialogue), (first.entry.clone(), again.entry.clone()));
    main.connect_clicked(move |_| {
        let password = typed(&entries.0);
        entries.0.set_text("");
        entries.1.set_text("");
        answering.answer(&password, if is_new { "Making the recovery kit" } else { "Deriving the key" });
    });
    let next = is_new.then(|| short("Next: the recovery kit", "quiet").upcast());
    let height = if is_new { 556 } else { 460 };
    let title = if is_new { "new vault" } else { "new password" };
    frame.show(Page { size: (480, height), about: title, body: body.upcast(), main, refuse: "_Cancel", aside: next });
    if let Some(accessible) = meter.bar.accessible() {
        accessible.set_role(gtk::atk::Role::LevelBar);
    }
    focus(&first.entry);
}
