//! The whole recovery kit, typed in. Invariant: covered like a password; blanks, dashes and small letters do not matter.

use std::rc::Rc;

use gtk::prelude::*;

use crate::dialogue::Dialogue;
use crate::frame::{Page, main_button};
use crate::parts::{Field, Typed, column, describe, facts, focus, label, name_of, rule, short, typed};

/// Letters of a kit.
const LETTERS: usize = 64;
/// Letters of a group.
const GROUP: usize = 4;

pub(crate) fn show(dialogue: &Rc<Dialogue>) {
    let Some(frame) = dialogue.frame() else { return };
    let about = dialogue.about();
    let body = column(0);
    body.set_margin_top(8);
    let replaces = about.fact("After it").is_some();
    let title = if replaces { about.title.as_str() } else { "Open with the recovery kit" };
    body.pack_start(&label(title, "title"), false, false, 0);
    let words =
        "Type all sixteen groups from the paper, in order. Blanks, dashes and small letters do not matter. Then you choose a new password.";
    let words = label(words, "words");
    words.set_margin_top(4);
    body.pack_start(&words, false, false, 0);
    let field = Field::new(Typed::Secret, "the recovery kit");
    let name = name_of(&field.entry, "Recovery _kit");
    name.set_margin_top(20);
    name.set_margin_bottom(6);
    body.pack_start(&name, false, false, 0);
    body.pack_start(&field.frame, false, false, 0);
    let count = short("0 of 16 groups", "quiet");
    count.set_margin_top(8);
    describe(&field.entry, &count);
    body.pack_start(&count, false, false, 0);
    let line = rule();
    line.set_margin_top(16);
    line.set_margin_bottom(12);
    body.pack_start(&line, false, false, 0);
    body.pack_start(&facts(&about.facts, 20), false, false, 0);

    let main = main_button(if replaces { "_Restore this backup" } else { "_Open the vault" });
    main.set_sensitive(false);
    let field = Rc::new(field);
    let (watched, sensitive) = (Rc::clone(&field), main.clone());
    field.entry.connect_changed(move |entry| {
        let letters = typed(entry).iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
        let too_many = letters > LETTERS;
        count.set_text(&if too_many { "More than 16 groups".to_owned() } else { format!("{} of 16 groups", letters / GROUP) });
        watched.judge(if too_many { Some(false) } else { (letters == LETTERS).then_some(true) });
        sensitive.set_sensitive(letters == LETTERS);
    });
    let (entry, answering) = (field.entry.clone(), Rc::clone(dialogue));
    main.connect_clicked(move |_| {
        let kit = typed(&entry);
        entry.set_text("");
        answering.answer(&kit, "Opening the vault");
    });
    frame.show(Page {
        size: (480, if replaces { 470 } else { 420 }),
        about: "recover",
        body: body.upcast(),
        main,
        refuse: "_Cancel",
        aside: None,
    });
    focus(&field.entry);
}
