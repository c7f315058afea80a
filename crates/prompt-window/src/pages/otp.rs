//! A code generator, of a new vault or a new phone: its seed as a picture and as text, and the first code. Invariant: the seed is shown
//! on this page and nowhere else, once.

use std::rc::Rc;

use gtk::Grid;
use gtk::prelude::*;
use strongroom_signer_api::{Deed, Fact};
use zeroize::Zeroizing;

use super::cells::Cells;
use crate::dialogue::Dialogue;
use crate::frame::{Page, main_button};
use crate::parts::{call, column, facts, focus, label, name_of, row};
use crate::qr;

/// Columns of the groups.
const COLUMNS: usize = 4;
/// Letters of a group.
const GROUP: usize = 4;

/// The page until its code is asked for.
pub(crate) struct Waiting(Cells);

impl Waiting {
    pub(crate) fn ask(self) {
        focus(&self.0.entry);
    }
}

pub(crate) fn show(dialogue: &Rc<Dialogue>, uri: &str, is_again: bool) -> Waiting {
    let cells = Cells::new();
    let Some(frame) = dialogue.frame() else { return Waiting(cells) };
    let body = column(0);
    body.set_margin_top(4);
    body.pack_start(&label("Add the code generator", "title"), false, false, 0);
    let words = if is_again {
        "That was not its code, or not the one of now. Look whether the app has this seed, and type the code that it shows."
    } else {
        "Take the picture with an authenticator app, or type the seed into it. It is shown only now. Imports, deletions and raised limits ask for its codes."
    };
    let words = label(words, "words");
    words.set_margin_top(6);
    body.pack_start(&words, false, false, 0);

    let (secret, issuer, account) = read(uri);
    let beside = row(24);
    beside.set_margin_top(16);
    beside.pack_start(&qr::picture(qr::encode(uri), 196, "Code generator's seed as QR code"), false, false, 0);
    let known = [("Issuer", issuer), ("Account", account), ("Code", "6 digits, new every 30 s"), ("Kept", "in the vault, for the signer")];
    let known = known.map(|(name, value)| Fact { name: name.to_owned(), value: value.to_owned() });
    beside.pack_start(&facts(&known, 24), true, true, 0);
    body.pack_start(&beside, false, false, 0);

    let groups = Grid::new();
    groups.style_context().add_class("groups");
    groups.set_column_homogeneous(true);
    groups.set_margin_top(16);
    let letters: Zeroizing<Vec<char>> = Zeroizing::new(secret.chars().collect());
    // A grid tells a screen reader its newest part first: the last is attached first.
    for (at, group) in letters.chunks(GROUP).enumerate().rev() {
        let group: Zeroizing<String> = Zeroizing::new(group.iter().collect());
        let shown = label(&group, "value");
        shown.set_xalign(0.5);
        shown.set_size_request(-1, 28);
        call(&shown, &format!("Seed, group {}: {}", at + 1, *group));
        let place = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        groups.attach(&shown, place(at % COLUMNS), place(at / COLUMNS), 1, 1);
    }
    body.pack_start(&groups, false, false, 0);

    let name = name_of(&cells.entry, "The six-digit _code that it shows now");
    name.set_margin_top(16);
    name.set_margin_bottom(6);
    body.pack_start(&name, false, false, 0);
    body.pack_start(&cells.overlay, false, false, 0);

    let (verb, waits, refuse) = if dialogue.about().deed == Deed::Create {
        ("_Create the vault", "Deriving the key", "_Cancel, no vault")
    } else {
        ("_Take the new phone", "Saving", "_Cancel, the old phone stays")
    };
    let main = main_button(verb);
    main.set_sensitive(false);
    let (sensitive, watched) = (main.clone(), cells.clone());
    cells.entry.connect_changed(move |_| sensitive.set_sensitive(watched.code().is_some()));
    let (answering, asked) = (Rc::clone(dialogue), cells.clone());
    main.connect_clicked(move |_| {
        if let Some(code) = asked.code() {
            answering.answer(&code, waits);
        }
    });
    frame.show(Page { size: (520, 640), about: "one-time codes", body: body.upcast(), main, refuse, aside: None });
    Waiting(cells)
}

/// Seed, issuer and account of an `otpauth://` address.
fn read(uri: &str) -> (&str, &str, &str) {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let account = name.rsplit_once(':').or_else(|| name.rsplit_once("%3A")).map_or(name, |(_, account)| account);
    (parameter("secret"), parameter("issuer"), account)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn addresses() {
        let uri = "otpauth://totp/Strongroom:vault?secret=JBSWY3DPEHPK3PXP&issuer=Strongroom";
        assert_eq!(read(uri), ("JBSWY3DPEHPK3PXP", "Strongroom", "vault"));
        assert_eq!(read("otpauth://totp/Strongroom%3Avault?issuer=S&secret=A"), ("A", "S", "vault"));
        assert_eq!(read("nonsense"), ("", "", "nonsense"));
    }
}
