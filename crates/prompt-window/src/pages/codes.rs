//! Recovery codes: shown once, printed or written down, the last group typed back. Invariant: that group is covered while it is asked, and
//! nothing on the page can be copied.

use std::rc::Rc;

use gtk::Grid;
use gtk::prelude::*;
use zeroize::Zeroizing;

use super::kit::{ask_group, keep, tell_next};
use crate::dialogue::Dialogue;
use crate::frame::{Page, main_button};
use crate::parts::{call, column, focus, label, row, short};
use crate::printing;

pub(crate) fn show(dialogue: &Rc<Dialogue>, codes: &str, typed_back: bool) {
    let Some(frame) = dialogue.frame() else { return };
    let body = column(0);
    body.set_margin_top(4);
    body.pack_start(&label("Print the recovery codes", "title"), false, false, 0);
    let words = "Each stands in for one one-time code, once, when the phone is lost. They are shown once and not stored. Keep the paper where the phone is not.";
    let words = label(words, "words");
    words.set_margin_top(6);
    body.pack_start(&words, false, false, 0);
    body.pack_start(&lines(codes, typed_back), false, false, 0);

    let vault = dialogue.about().fact("Vault").unwrap_or_default().to_owned();
    keep(dialogue, &body, printing::CODES, codes, &vault);

    let main = main_button(if typed_back { "The paper is _stored" } else { "I _have it on paper" });
    let groups = codes.lines().next_back().unwrap_or_default().split(' ').count();
    let which = format!("group {groups} of code {}", codes.lines().count());
    let first = if typed_back { ask_group(dialogue, &body, codes, &which, &main) } else { tell_next(dialogue, &body, &which, &main) };
    let aside = short(if typed_back { "1 group to type back" } else { "Alone they open nothing" }, "quiet");
    frame.show(Page {
        size: (520, 720),
        about: "recovery codes",
        body: body.upcast(),
        main,
        refuse: "_Cancel, no new codes",
        aside: Some(aside.upcast()),
    });
    focus(&first);
}

fn lines(codes: &str, last_is_covered: bool) -> Grid {
    let grid = Grid::new();
    grid.style_context().add_class("groups");
    grid.set_margin_top(16);
    let count = codes.lines().count();
    // A grid tells a screen reader its newest part first: the last is attached first.
    for (at, code) in codes.lines().rev().enumerate().map(|(at, code)| (count - 1 - at, code)) {
        let covered = last_is_covered && at + 1 == count;
        let number = short(&format!("{:02}", at + 1), "at");
        let shown = Zeroizing::new(match code.rsplit_once(' ') {
            Some((open, _)) if covered => format!("{open} ····"),
            _ => code.to_owned(),
        });
        let text = short(&shown, "value");
        call(&text, &format!("Code {}: {}", at + 1, *shown));
        let cell = row(10);
        cell.set_margin_start(14);
        cell.set_size_request(-1, 28);
        cell.pack_start(&number, false, false, 0);
        cell.pack_start(&text, false, false, 0);
        grid.attach(&cell, 0, i32::try_from(at).unwrap_or(i32::MAX), 1, 1);
    }
    grid
}
