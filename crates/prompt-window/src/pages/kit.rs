//! The recovery kit: shown once, printed or written down, one group typed back. Invariant: the group to be typed back is
//! covered while it is asked, and nothing on the page can be copied.

use std::rc::Rc;

use gtk::prelude::*;
use gtk::{Button, Grid};
use strongroom_signer_api::{Deed, Fact};
use zeroize::Zeroizing;

use crate::dialogue::Dialogue;
use crate::frame::{Page, main_button};
use crate::icons::Icon;
use crate::parts::{Field, Typed, alert, call, column, facts, focus, label, name_of, row, short, small, typed};
use crate::printing::{self, Paper};
use crate::qr;

/// Columns of the groups.
const COLUMNS: usize = 4;
/// The kit's checksum, with which a mistyped letter is found.
const CHECKSUM: &str = "Bech32m";

pub(crate) fn show(dialogue: &Rc<Dialogue>, kit: &str, typed_back: bool) {
    let Some(frame) = dialogue.frame() else { return };
    let about = dialogue.about();
    if about.deed == Deed::Codes {
        return super::codes::show(dialogue, kit, typed_back);
    }
    let body = column(0);
    body.set_margin_top(4);
    let of_auditor = about.deed == Deed::AddSlot;
    let (title, words) = if of_auditor {
        ("Print the auditor's code", "With the vault's file it reads the audit log, and opens no key. It is shown once and not stored.")
    } else {
        (
            "Print the recovery kit",
            "It opens this vault without the password. It is shown once and not stored. Keep the paper away from this machine.",
        )
    };
    body.pack_start(&label(title, "title"), false, false, 0);
    let words = label(words, "words");
    words.set_margin_top(6);
    body.pack_start(&words, false, false, 0);

    let beside = row(24);
    beside.set_margin_top(16);
    let dense: Zeroizing<String> = Zeroizing::new(kit.chars().filter(|c| *c != ' ').collect());
    beside.pack_start(
        &qr::picture(qr::encode(&dense), 196, if of_auditor { "Code as QR code" } else { "Recovery kit as QR code" }),
        false,
        false,
        0,
    );
    let right = column(0);
    let vault = about.fact("Vault").unwrap_or_default().to_owned();
    let made = printing::today();
    let known = [("Vault", vault.as_str()), ("Made", made.as_str()), ("Groups", "16 of 4 letters"), ("Checksum", CHECKSUM)];
    let known = known.map(|(name, value)| Fact { name: name.to_owned(), value: value.to_owned() });
    right.pack_start(&facts(&known, 24), false, false, 0);
    let paper = if of_auditor { printing::AUDITOR } else { printing::KIT };
    keep(dialogue, &right, paper, kit, &vault);
    beside.pack_start(&right, true, true, 0);
    body.pack_start(&beside, false, false, 0);
    body.pack_start(&groups(kit, typed_back), false, false, 0);

    let main = main_button(if typed_back { "The paper is _stored" } else { "I _have it on paper" });
    let which = format!("group {}", kit.split(' ').count());
    let first = if typed_back { ask_group(dialogue, &body, kit, &which, &main) } else { tell_next(dialogue, &body, &which, &main) };
    let power = if of_auditor { "It reads the log" } else { "It opens everything" };
    let aside = short(if typed_back { "1 group to type back" } else { power }, "quiet");
    let refuse = "_Cancel, no vault";
    frame.show(Page {
        size: (520, 720),
        about: if of_auditor { "auditor's code" } else { "recovery kit" },
        body: body.upcast(),
        main,
        refuse,
        aside: Some(aside.upcast()),
    });
    focus(&first);
}

fn groups(kit: &str, last_is_covered: bool) -> Grid {
    let grid = Grid::new();
    grid.style_context().add_class("groups");
    grid.set_column_homogeneous(true);
    grid.set_margin_top(16);
    let count = kit.split(' ').count();
    // A grid tells a screen reader its newest part first: the last is attached first.
    for (at, group) in kit.split(' ').rev().enumerate().map(|(at, group)| (count - 1 - at, group)) {
        let covered = last_is_covered && at + 1 == count;
        let number = short(&format!("{:02}", at + 1), "at");
        let text = short(if covered { "····" } else { group }, if covered { "covered" } else { "value" });
        call(&text, &if covered { format!("Group {}: covered", at + 1) } else { format!("Group {}: {group}", at + 1) });
        let cell = row(10);
        cell.set_margin_start(14);
        cell.set_size_request(-1, 28);
        cell.pack_start(&number, false, false, 0);
        cell.pack_start(&text, false, false, 0);
        let place = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        grid.attach(&cell, place(at % COLUMNS), place(at / COLUMNS), 1, 1);
    }
    grid
}

/// What comes next, while everything is still open.
pub(super) fn tell_next(dialogue: &Rc<Dialogue>, body: &gtk::Box, which: &str, main: &Button) -> gtk::Widget {
    let next = label(&format!("Next you type {which} back from the paper. It is covered then."), "words");
    next.set_margin_top(16);
    body.pack_start(&next, false, false, 0);
    let shown = Rc::clone(dialogue);
    main.connect_clicked(move |_| shown.shown());
    main.clone().upcast()
}

/// The field for the last group.
pub(super) fn ask_group(dialogue: &Rc<Dialogue>, body: &gtk::Box, kit: &str, which: &str, main: &Button) -> gtk::Widget {
    let line = row(4);
    line.set_margin_top(16);
    line.pack_start(&short(&format!("Type back {which} from the paper."), "strong"), false, false, 0);
    line.pack_start(&short("It is covered above.", "words"), false, false, 0);
    body.pack_start(&line, false, false, 0);
    let field = Rc::new(Field::new(Typed::Plain, ""));
    field.frame.style_context().add_class("low");
    field.frame.set_size_request(229, -1);
    field.frame.set_halign(gtk::Align::Start);
    let name = name_of(&field.entry, &format!("_{}{}", which[..1].to_uppercase(), &which[1..]));
    name.set_margin_top(10);
    name.set_margin_bottom(4);
    body.pack_start(&name, false, false, 0);
    body.pack_start(&field.frame, false, false, 0);
    let wrong = alert(&field.entry);
    wrong.set_margin_top(6);
    body.pack_start(&wrong, false, false, 0);

    main.set_sensitive(false);
    let last = Zeroizing::new(kit.rsplit(' ').next().unwrap_or_default().to_owned());
    let (watched, sensitive) = (Rc::clone(&field), main.clone());
    field.entry.connect_changed(move |entry| {
        let group = typed(entry);
        let group = group.trim_ascii();
        let fits = group.eq_ignore_ascii_case(last.as_bytes());
        let too_wrong = !fits && group.len() >= last.len();
        watched.judge(if fits { Some(true) } else { too_wrong.then_some(false) });
        wrong.set_text(if too_wrong { "That is another group. Read it from the paper again." } else { "" });
        sensitive.set_sensitive(fits);
    });
    let (answering, entry) = (Rc::clone(dialogue), field.entry.clone());
    main.connect_clicked(move |_| {
        let group = typed(&entry);
        entry.set_text("");
        answering.answer(&group, "Making the code generator");
    });
    field.entry.clone().upcast()
}

/// Print and save, and what came of it.
pub(super) fn keep(dialogue: &Rc<Dialogue>, on: &gtk::Box, paper: Paper, kit: &str, vault: &str) {
    let (print, save) = (small(Icon::Print, "_Print…"), small(Icon::Save, "_Save…"));
    let told = label("", "quiet");
    let buttons = row(8);
    buttons.set_margin_top(12);
    buttons.pack_start(&print, false, false, 0);
    buttons.pack_start(&save, false, false, 0);
    on.pack_start(&buttons, false, false, 0);
    told.set_margin_top(8);
    on.pack_start(&told, false, false, 0);
    for (button, printed) in [(&print, true), (&save, false)] {
        let (asking, told, vault) = (Rc::downgrade(dialogue), told.clone(), vault.to_owned());
        let kit = Zeroizing::new(kit.to_owned());
        button.connect_clicked(move |_| {
            let Some(dialogue) = asking.upgrade() else { return };
            let Some(frame) = dialogue.frame() else { return };
            let done = if printed {
                printing::print(frame.window(), paper, &kit, &vault)
            } else {
                printing::save(frame.window(), paper, &kit, &vault)
            };
            match done {
                Ok(None) => {}
                Ok(Some(words)) => told.set_text(&words),
                Err(words) => told.set_text(&words),
            }
        });
    }
}
