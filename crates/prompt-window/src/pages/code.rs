//! A code for one action, which is said in the signer's words. Invariant: what is shown as the action came from the
//! signer's own copy of it; nothing is changed before the code is judged there.

use std::rc::Rc;

use gtk::prelude::*;
use strongroom_signer_api::{Deed, Fact};

use super::cells::Cells;
use crate::dialogue::Dialogue;
use crate::frame::{Page, main_button};
use crate::parts::{FROM_SIGNER, Field, Typed, column, describe, facts, focus, label, name_of, row, rule, short, typed};

/// Letters and digits of a recovery code.
const RECOVERY_LEN: usize = 24;

/// Head, what it means, and the verb of a deed.
const fn words(deed: Deed) -> (&'static str, &'static str, &'static str) {
    match deed {
        Deed::Import => ("confirm a new key", "After the code you give the API key and its secret, here.", "_Continue"),
        Deed::Rotate => {
            ("confirm a rotation", "After the code you give the new key, here. It is tested before it takes over.", "_Continue")
        }
        Deed::Generate => ("confirm a new key", "The pair is made in the vault: nobody ever sees its private half.", "_Make the key"),
        Deed::EditKey => ("confirm a change", "The key itself stays as it is.", "_Change it"),
        Deed::Delete => ("confirm a deletion", "It stays valid at the venue until you revoke it there.", "_Delete this key"),
        Deed::Rearm => ("confirm re-arming", "The kill switch is taken back.", "_Re-arm"),
        Deed::Policy => ("confirm new limits", "The signer holds these limits, whatever the desk asks of it.", "_Change the limits"),
        Deed::Pin => {
            ("confirm a server's key", "To trust a key, compare it with one that the venue publishes, over another network.", "_Confirm")
        }
        Deed::ExportKey => {
            ("confirm an export", "Whoever has the recipient's identity has this key then. Compare it letter by letter.", "_Encrypt it")
        }
        Deed::Backup => ("confirm a copy", "The copy is as encrypted as the vault itself.", "_Copy it"),
        Deed::Password => ("confirm a new password", "After the code you give the present password, then the new one.", "_Continue"),
        Deed::Kit => ("confirm a new recovery kit", "After the code the new kit is shown, once.", "_Continue"),
        Deed::Codes => ("confirm new recovery codes", "After the code the new ones are shown, once.", "_Continue"),
        Deed::Phone => (
            "confirm a new phone",
            "A recovery code does as well. After it the new seed is shown; once a code of it is given, the old phone is done.",
            "_Continue",
        ),
        Deed::AddSlot => ("confirm a new way in", "Whoever gets it is let in until you close it.", "_Continue"),
        Deed::Roles => ("confirm roles", "They count at once, also in a session that is open.", "_Change them"),
        Deed::ConfirmOrder => ("confirm an order", "Exactly this order is signed, once, within two minutes.", "_Confirm the order"),
        Deed::Override => {
            ("confirm an exception", "The desk's rules let exactly this order pass, once; it stands in the log.", "_Let it pass")
        }
        Deed::Protect => ("confirm a protection", "The kill switch does not take this order back; you still can.", "_Protect it"),
        Deed::RemoveSlot => ("confirm a closing", "Backups of before still open with it.", "_Close it"),
        Deed::Rekey => ("confirm new keys", "After the code you give the present password, then a new recovery kit is shown.", "_Continue"),
        Deed::Create | Deed::Unlock | Deed::Recover => ("confirm", "", "_Confirm"),
    }
}

pub(crate) fn show(dialogue: &Rc<Dialogue>) {
    let Some(frame) = dialogue.frame() else { return };
    let about = dialogue.about();
    let (head, meaning, verb) = words(about.deed);
    let body = column(0);
    body.pack_start(&label(&about.title, "act"), false, false, 0);
    let meaning = label(meaning, "wide");
    meaning.set_margin_top(6);
    body.pack_start(&meaning, false, false, 0);
    let above = rule();
    above.set_margin_top(12);
    body.pack_start(&above, false, false, 8);
    let known = about.facts.iter().map(|fact| match fact.name.as_str() {
        "Action" => Fact { name: fact.name.clone(), value: format!("{}{FROM_SIGNER}", fact.value) },
        _ => fact.clone(),
    });
    body.pack_start(&facts(&known.collect::<Vec<_>>(), 20), false, false, 0);
    body.pack_start(&rule(), false, false, 8);

    let cells = Cells::new();
    let name = name_of(&cells.entry, "Six-digit _code");
    name.set_margin_top(4);
    name.set_margin_bottom(6);
    body.pack_start(&name, false, false, 0);
    body.pack_start(&cells.overlay, false, false, 0);
    if let Some(tries) = about.tries_left {
        let below = row(0);
        below.set_margin_top(8);
        let tries = short(&format!("{tries} {} left", if tries == 1 { "try" } else { "tries" }), "quiet");
        describe(&cells.entry, &tries);
        below.pack_start(&tries, false, false, 0);
        body.pack_start(&below, false, false, 0);
    }

    let recovery = Rc::new(Field::new(Typed::Plain, ""));
    let recovery_name = name_of(&recovery.entry, "Recovery _code, six groups");
    recovery_name.set_margin_bottom(6);
    let instead = gtk::Box::new(gtk::Orientation::Vertical, 0);
    instead.pack_start(&recovery_name, false, false, 0);
    instead.pack_start(&recovery.frame, false, false, 0);
    instead.show_all();
    instead.set_no_show_all(true);
    instead.hide();
    body.pack_start(&instead, false, false, 0);
    let lost = gtk::Button::with_mnemonic("The phone is _lost: use a recovery code");
    lost.style_context().add_class("small");
    lost.set_relief(gtk::ReliefStyle::None);
    lost.set_halign(gtk::Align::Start);
    lost.set_margin_top(8);
    lost.set_margin_bottom(14);
    body.pack_start(&lost, false, false, 0);

    let main = main_button(verb);
    if about.deed == Deed::Delete {
        main.style_context().add_class("deletes");
    }
    main.set_sensitive(false);
    let (sensitive, watched) = (main.clone(), cells.clone());
    cells.entry.connect_changed(move |_| sensitive.set_sensitive(watched.code().is_some()));
    let sensitive = main.clone();
    recovery.entry.connect_changed(move |entry| {
        let letters = typed(entry).iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
        sensitive.set_sensitive(letters == RECOVERY_LEN);
    });
    let (digits, letters) = (cells.clone(), recovery.entry.clone());
    lost.connect_clicked(move |lost| {
        digits.entry.set_text("");
        digits.overlay.hide();
        name.hide();
        lost.hide();
        instead.show();
        focus(&letters);
    });
    let (answering, asked, letters) = (Rc::clone(dialogue), cells.clone(), recovery.entry.clone());
    main.connect_clicked(move |_| {
        if let Some(code) = asked.code() {
            answering.answer(&code, "Checking the code");
        } else if !typed(&letters).is_empty() {
            let code = typed(&letters);
            letters.set_text("");
            answering.answer(&code, "Checking the code");
        }
    });
    let aside = Some(short("Nothing is changed yet", "quiet").upcast());
    frame.show(Page { size: (480, 460), about: head, body: body.upcast(), main, refuse: "_Refuse", aside });
    focus(&cells.entry);
}
