//! A file to import, at a terminal or with nobody there. Invariant: what a file holds is shown, with its secrets covered, before
//! anything is taken from it; the secret stays here until the signer asks for it, and the file until the key is stored.

use std::fs::File;
use std::io;
use std::path::Path;

use strongroom_prompt::import::child::{Reader, bytes_of, patience};
use strongroom_prompt::import::{Found, Reading, Trouble, wipe};
use strongroom_prompt::{Answer, answer, empty};
use strongroom_signer_api::prompt::Origin;

use crate::terminal::Terminal;

/// A key that was taken from a file.
pub(crate) struct Taken {
    /// Empty when the file does not have it.
    pub(crate) api_key: Answer,
    pub(crate) secret: Answer,
    pub(crate) origin: Origin,
    /// The kind of file.
    pub(crate) source: &'static str,
    file: File,
    /// What else is lost with the file, in words.
    beside: Vec<String>,
}

/// Reads the file behind walls, shows what is in it, and takes the key that the person chooses.
pub(crate) fn take(mut file: File, terminal: Option<&mut Terminal<'_>>, venue: &str) -> io::Result<Taken> {
    let bytes = bytes_of(&mut file).map_err(refused)?;
    let Some(terminal) = terminal else {
        let reading = read(&bytes, &empty()).map_err(refused)?;
        let origin = Origin::PlainFile;
        let mut fitting = (0..reading.found.len()).filter(|at| reading.found[*at].why_not(venue).is_none());
        return match (fitting.next(), fitting.next()) {
            (Some(at), None) => taken(file, reading, at, origin),
            (Some(_), Some(_)) => Err(io::Error::other("several keys are in the file, and nobody is there to choose one")),
            (None, _) => Err(io::Error::other(no_key(&reading, venue))),
        };
    };
    let (reading, origin) = open(&bytes, terminal)?;
    terminal.say(&format!("In this file ({}):", reading.form.words()))?;
    for (at, found) in reading.found.iter().enumerate() {
        for line in told(at + 1, found, venue) {
            terminal.say(&line)?;
        }
    }
    if !reading.also.is_empty() {
        terminal.say(&format!("Other secrets in it, not taken: {}", reading.also))?;
    }
    if let Some(warning) = reading.form.warning() {
        terminal.say(warning)?;
    }
    if reading.found.iter().all(|found| found.why_not(venue).is_some()) {
        return Err(io::Error::other(no_key(&reading, venue)));
    }
    loop {
        let typed = terminal.ask("Number of the key to take", true)?;
        let number = std::str::from_utf8(typed.trim_ascii()).ok().and_then(|typed| typed.parse::<usize>().ok());
        let at = number.and_then(|number| number.checked_sub(1));
        if let Some(at) = at.filter(|at| reading.found.get(*at).is_some_and(|found| found.why_not(venue).is_none())) {
            return taken(file, reading, at, origin);
        }
        terminal.say("That is not the number of a key that can be taken.")?;
    }
}

/// Asks for the passphrase as often as it takes.
fn open(bytes: &[u8], terminal: &mut Terminal<'_>) -> io::Result<(Reading, Origin)> {
    let mut passphrase = empty();
    loop {
        let trouble = match read(bytes, &passphrase) {
            Ok(reading) if passphrase.is_empty() => return Ok((reading, Origin::PlainFile)),
            Ok(reading) => return Ok((reading, Origin::EncryptedFile)),
            Err(trouble @ (Trouble::NeedsPassphrase | Trouble::WrongPassphrase)) => trouble,
            Err(trouble) => return Err(refused(trouble)),
        };
        terminal.say(trouble.words())?;
        // The one before does not wait for the next one.
        drop(std::mem::take(&mut passphrase));
        passphrase = terminal.ask("Passphrase of the file", false)?;
        terminal.say("Opening the file. This can take some seconds.")?;
    }
}

fn read(bytes: &[u8], passphrase: &[u8]) -> Result<Reading, Trouble> {
    let mut reader = Reader::start().map_err(|_| Trouble::NoWalls)?;
    reader.feed(bytes, passphrase)?;
    reader.hear(patience(passphrase))
}

fn taken(file: File, mut reading: Reading, at: usize, origin: Origin) -> io::Result<Taken> {
    let found = reading.found.swap_remove(at);
    let secret = found.secret.map_err(|why| io::Error::other(why.words()))?;
    let beside = reading.form.lost_with_it(reading.found.len(), &reading.also);
    Ok(Taken {
        api_key: answer(found.api_key.as_bytes())?,
        secret: answer(secret.as_bytes())?,
        origin,
        source: reading.form.words(),
        file,
        beside,
    })
}

/// The preview of one key.
fn told(number: usize, found: &Found, venue: &str) -> Vec<String> {
    let mut lines = vec![format!("  {number}. {}", if found.label.is_empty() { "no venue named" } else { &found.label })];
    for (name, value) in found.facts(venue) {
        lines.push(format!("     {name:<12} {value}"));
    }
    lines
}

fn no_key(reading: &Reading, venue: &str) -> String {
    let why = reading.found.first().and_then(|found| found.why_not(venue)).map_or("", |why| why.words());
    format!("no key of this file can be taken ({why}); nothing was stored")
}

fn refused(trouble: Trouble) -> io::Error {
    io::Error::other(trouble.words())
}

impl Taken {
    /// The key is stored: offers to overwrite and delete the file.
    pub(crate) fn offer_to_wipe(self, terminal: &mut Terminal<'_>) -> io::Result<()> {
        let Some(path) = wipe::path_of(&self.file) else { return Ok(()) };
        terminal.say(&format!("The key is in the vault. It still stands in {} too.", shown(&path)))?;
        for line in &self.beside {
            terminal.say(line)?;
        }
        terminal.say(wipe::WORDS)?;
        if *terminal.ask("To overwrite and delete the file now, type delete", true)? != b"delete"[..] {
            return terminal.say("The file stays as it is.");
        }
        match wipe::wipe(&self.file, &path) {
            Ok(()) => terminal.say("Overwritten with zeros and deleted."),
            Err(kept) => terminal.say(kept.words()),
        }
    }
}

/// A path without what could move a cursor.
fn shown(path: &Path) -> String {
    path.display().to_string().chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
