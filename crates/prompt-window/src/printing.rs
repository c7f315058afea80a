//! A code on paper, or in a file that a person chose. Invariant: a file is new, closed to others, and no link is
//! followed to it.
#![expect(clippy::float_arithmetic, reason = "a page is measured in points")]

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use gtk::cairo::Context;
use gtk::pango::FontDescription;
use gtk::prelude::*;
use gtk::{
    FileChooserAction, FileChooserDialog, PrintContext, PrintOperation, PrintOperationAction, PrintOperationResult, ResponseType, Window,
};
use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use crate::qr;

/// Columns of groups on paper.
const COLUMNS: usize = 4;
/// Width of the square code on paper, points.
const CODE_WIDTH: f64 = 150.0;
/// What is on the paper besides the code.
#[derive(Clone, Copy)]
pub(crate) struct Paper {
    heading: &'static str,
    file_name: &'static str,
    /// How the code is used.
    usage: &'static str,
}

/// Of the recovery kit.
pub(crate) const KIT: Paper = Paper {
    heading: "Strongroom recovery kit",
    file_name: "strongroom-recovery-kit.txt",
    usage: "With this vault's file, this kit opens everything without the password. Whoever holds it and a copy of the file needs nothing else.\n\n\
            To use it: strongroom vault recover, or “Recover with the kit” in the window. Type all sixteen groups, then choose a new password.\n\n\
            Keep it away from the computer and from its backups. If it may have been seen: strongroom vault rekey, and new keys at your venues.",
};

/// Of an auditor's code.
pub(crate) const AUDITOR: Paper = Paper {
    heading: "Strongroom auditor's code",
    file_name: "strongroom-auditor-code.txt",
    usage: "With a copy of this vault's file, this code reads the audit log. It opens no key and signs nothing.\n\n\
            To use it: strongroom-auditor read LOG --vault FILE. Type all sixteen groups.\n\n\
            If it may have been seen: strongroom vault remove-slot, then strongroom vault add-slot auditor.",
};

/// Of recovery codes, one a line.
pub(crate) const CODES: Paper = Paper {
    heading: "Strongroom recovery codes",
    file_name: "strongroom-recovery-codes.txt",
    usage: "Each of these stands in for one one-time code, once, while the vault is open. Alone they open nothing.\n\n\
            To use one: type it where a code is asked. Strike it out then.\n\n\
            If they may have been seen: strongroom vault codes prints new ones, and these count no more.",
};

/// Today in UTC.
pub(crate) fn today() -> String {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400;
    let (year, month, day) = civil(i64::try_from(days).unwrap_or_default());
    format!("{year}-{month:02}-{day:02}")
}

/// Year, month and day of a day since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms").
const fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + (month <= 2) as i64, month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// Asks for a printer and prints; what came of it in words, `None` when the person chose not to.
pub(crate) fn print(parent: &Window, paper: Paper, kit: &str, vault: &str) -> Result<Option<String>, String> {
    let operation = PrintOperation::new();
    operation.set_n_pages(1);
    operation.set_job_name(paper.heading);
    let (kit, vault) = (Zeroizing::new(kit.to_owned()), vault.to_owned());
    operation.connect_draw_page(move |_, page, _| {
        let _ = draw(page, paper, &kit, &vault);
    });
    match operation.run(PrintOperationAction::PrintDialog, Some(parent)) {
        Ok(PrintOperationResult::Cancel) => Ok(None),
        Ok(_) => Ok(Some("Given to the printer. Its memory may keep a copy.".to_owned())),
        Err(error) => Err(format!("Not printed: {error}. Write the groups down by hand.")),
    }
}

fn draw(page: &PrintContext, paper: Paper, kit: &str, vault: &str) -> Result<(), gtk::cairo::Error> {
    let Some(cr) = page.cairo_context() else { return Ok(()) };
    cr.set_source_rgb(0.0, 0.0, 0.0);
    let dense: Zeroizing<String> = Zeroizing::new(kit.chars().filter(|c| *c != ' ').collect());
    text(page, &cr, "Inter Semi-Bold 20", paper.heading, 0.0, 0.0);
    text(page, &cr, "Inter 10", &format!("Vault {vault}   ·   made {}", today()), 0.0, 30.0);
    if kit.contains('\n') {
        let mut y = 60.0;
        for (at, line) in kit.lines().enumerate() {
            text(page, &cr, "JetBrains Mono 8", &format!("{:02}", at + 1), 0.0, y + 6.0);
            text(page, &cr, "JetBrains Mono Medium 15", line, 22.0, y);
            y += 28.0;
        }
        text(page, &cr, "Inter 10", paper.usage, 0.0, y + 24.0);
        return Ok(());
    }
    if let Some(code) = qr::encode(&dense) {
        cr.save()?;
        cr.translate(0.0, 60.0);
        qr::draw(&cr, &code, CODE_WIDTH)?;
        cr.restore()?;
        cr.set_source_rgb(0.0, 0.0, 0.0);
    }
    let (mut x, mut y) = (0.0, 60.0 + CODE_WIDTH + 24.0);
    let step = page.width() / 4.0;
    for (at, group) in kit.split(' ').enumerate() {
        if at > 0 && at % COLUMNS == 0 {
            (x, y) = (0.0, y + 28.0);
        }
        text(page, &cr, "JetBrains Mono 8", &format!("{:02}", at + 1), x, y + 6.0);
        text(page, &cr, "JetBrains Mono Medium 15", group, x + 22.0, y);
        x += step;
    }
    text(page, &cr, "Inter 10", paper.usage, 0.0, y + 52.0);
    Ok(())
}

fn text(page: &PrintContext, cr: &Context, font: &str, words: &str, x: f64, y: f64) {
    if let Some(layout) = page.create_pango_layout() {
        layout.set_font_description(Some(&FontDescription::from_string(font)));
        // As wide as the paper lets it be, in Pango's units.
        #[expect(clippy::cast_possible_truncation, reason = "a page is at most some thousand points wide")]
        layout.set_width((page.width() - x) as i32 * gtk::pango::SCALE);
        layout.set_text(words);
        let style = gtk::StyleContext::new();
        gtk::render_layout(&style, cr, x, y, &layout);
    }
}

/// Asks for a place and writes; what came of it in words, `None` when the person chose not to.
pub(crate) fn save(parent: &Window, paper: Paper, kit: &str, vault: &str) -> Result<Option<String>, String> {
    let chooser = FileChooserDialog::new(Some(paper.heading), Some(parent), FileChooserAction::Save);
    chooser.add_buttons(&[("_Cancel", ResponseType::Cancel), ("_Save", ResponseType::Accept)]);
    chooser.set_default_response(ResponseType::Accept);
    chooser.set_local_only(true);
    chooser.set_current_name(paper.file_name);
    let path = if chooser.run() == ResponseType::Accept { chooser.filename() } else { None };
    chooser.close();
    let Some(path) = path else { return Ok(None) };
    let text = Zeroizing::new(format!("{}\nVault {vault}, made {}\n\n{kit}\n\n{}\n", paper.heading, today(), paper.usage));
    match write(&path, text.as_bytes()) {
        Ok(()) => Ok(Some("Saved, closed to others. Move it off this machine.".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err("There is something of this name already. Nothing was written. Choose another name.".to_owned())
        }
        Err(error) => Err(format!("Not saved: {error}.")),
    }
}

/// A new file, mode 0600.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn days() {
        for (days, date) in [(0, (1970, 1, 1)), (59, (1970, 3, 1)), (11_016, (2000, 2, 29)), (20_453, (2025, 12, 31))] {
            assert_eq!(civil(days), date);
        }
    }

    #[test]
    fn a_file_is_new_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kit.txt");
        write(&path, b"kit").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(write(&path, b"again").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &link).unwrap();
        assert_eq!(write(&link, b"kit").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"kit");
    }
}
