//! The terminal's prompt with a file to import, against a signer and a terminal that the test holds. Invariant: the terminal
//! never shows a secret, the signer gets key and secret and nothing else, and the file goes only when the person says so.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::pty::openpty;
use strongroom_signer_api::channel::{Channel, PACKET_LEN_MAX};
use strongroom_signer_api::errand::{Errand, Face, Slot};
use strongroom_signer_api::prompt::{Field, FromPrompt, Origin, ToPrompt};
use strongroom_signer_api::{About, Deed, Line};

const PATIENCE: Duration = Duration::from_secs(30);
const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

/// A prompt with its signer's end, and its terminal's if it has one.
struct Talk {
    child: Child,
    _supervisor: Channel,
    signer: Line,
    terminal: Option<File>,
    shown: Receiver<Vec<u8>>,
    seen: String,
}

impl Talk {
    fn begin(file: &Path, face: Face) -> Self {
        let (supervisor, inherited) = Channel::pair().unwrap();
        let (signer, given) = Channel::pair().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_strongroom-prompt"))
            .env_clear()
            .stdin(Stdio::from(inherited.into_fd()))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let file = File::open(file).unwrap();
        let pty = (face == Face::Terminal).then(|| openpty(None, None).unwrap());
        let errand = Errand { ticket: [7; 16], face, slots: vec![Slot::Import] };
        let fds: Vec<BorrowedFd<'_>> =
            std::iter::once(given.as_fd()).chain(pty.iter().map(|pty| pty.slave.as_fd())).chain([file.as_fd()]).collect();
        supervisor.send(&errand.encode(), &fds).unwrap();
        let (tell, shown) = channel();
        let terminal = pty.map(|pty| File::from(pty.master));
        if let Some(mut reading) = terminal.as_ref().map(|terminal| terminal.try_clone().unwrap()) {
            std::thread::spawn(move || {
                let mut chunk = [0; 4_096];
                while let Ok(len @ 1..) = reading.read(&mut chunk) {
                    if tell.send(chunk[..len].to_vec()).is_err() {
                        break;
                    }
                }
            });
        }
        let mut talk = Self { child, _supervisor: supervisor, signer: signer.into(), terminal, shown, seen: String::new() };
        let hello = talk.hear().expect("a hello");
        assert_eq!(FromPrompt::parse(&hello), Some(FromPrompt::Hello([7; 16])));
        talk.say(&ToPrompt::About(About::new(Deed::Import, "Import a key").with("Venue", "Binance")));
        talk
    }

    fn say(&mut self, message: &ToPrompt<'_>) {
        let mut bytes = Vec::new();
        message.write(&mut bytes);
        self.signer.send(&mut bytes, &[]).unwrap();
    }

    fn ask(&mut self, field: Field) {
        self.say(&ToPrompt::Ask(field, b"words"));
    }

    fn hear(&mut self) -> Option<Vec<u8>> {
        let mut buffer = vec![0; PACKET_LEN_MAX];
        self.signer.recv(&mut buffer).unwrap().map(|packet| buffer[..packet.len].to_vec())
    }

    fn answer(&mut self) -> String {
        let heard = self.hear().expect("an answer");
        let Some(FromPrompt::Answer(answer)) = FromPrompt::parse(&heard) else { panic!("no answer: {heard:?}") };
        String::from_utf8(answer.to_vec()).unwrap()
    }

    fn origin(&mut self) -> Origin {
        let heard = self.hear().expect("an origin");
        let Some(FromPrompt::From(origin, _)) = FromPrompt::parse(&heard) else { panic!("no origin: {heard:?}") };
        origin
    }

    /// Waits until the terminal says this, and types a line.
    fn reply(&mut self, words: &str, typed: &str) {
        self.sees(words);
        self.terminal.as_mut().unwrap().write_all(format!("{typed}\n").as_bytes()).unwrap();
    }

    fn sees(&mut self, words: &str) {
        while !self.seen.contains(words) {
            let more = self.shown.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {words:?} in {:?}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
        // What comes next is said after it.
        let at = self.seen.find(words).unwrap() + words.len();
        assert!(!self.seen.contains(SECRET));
        self.seen.drain(..at);
    }

    fn ends(&mut self, code: i32) {
        assert_eq!(self.child.wait().unwrap().code(), Some(code), "{:?}", self.seen);
    }
}

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)).unwrap()
}

#[test]
fn an_encrypted_file_is_opened_previewed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.dat");
    std::fs::write(&path, vector("gocryptotrader-config.dat")).unwrap();
    let mut talk = Talk::begin(&path, Face::Terminal);
    talk.ask(Field::ApiKey);
    talk.sees("This file is encrypted");
    talk.reply("Passphrase of the file", "correct house");
    talk.sees("The passphrase does not open this file");
    talk.reply("Passphrase of the file", "correct horse");
    talk.sees("GoCryptoTrader configuration");
    talk.sees("1. binance");
    talk.sees("••••••••, 64 characters");
    talk.sees("2. okx");
    talk.sees("not supported yet");
    // The second cannot be taken.
    talk.reply("Number of the key to take", "2");
    talk.sees("That is not the number");
    talk.reply("Number of the key to take", "1");
    assert_eq!(talk.origin(), Origin::EncryptedFile);
    assert!(talk.answer().starts_with("vmPUZE6m"));
    talk.ask(Field::ApiSecret);
    assert_eq!(talk.answer(), SECRET);
    assert!(path.exists());
    talk.say(&ToPrompt::End(true, b"Stored in the vault."));
    talk.sees("The key is in the vault. It still stands in");
    talk.sees("One more key is in it");
    talk.sees("snapshots, backups");
    talk.reply("type delete", "delete");
    talk.sees("Overwritten with zeros and deleted");
    talk.ends(0);
    assert!(!path.exists());
}

#[test]
fn the_file_stays_when_it_is_not_said_or_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.env");
    for stored in [true, false] {
        std::fs::write(&path, format!("BINANCE_API_KEY=abc\nBINANCE_API_SECRET={SECRET}\n")).unwrap();
        let mut talk = Talk::begin(&path, Face::Terminal);
        talk.ask(Field::ApiKey);
        talk.reply("Number of the key to take", "1");
        assert_eq!(talk.origin(), Origin::PlainFile);
        assert_eq!(talk.answer(), "abc");
        talk.ask(Field::ApiSecret);
        assert_eq!(talk.answer(), SECRET);
        talk.say(&ToPrompt::End(stored, b"words"));
        if stored {
            talk.reply("type delete", "no");
            talk.sees("The file stays as it is");
        }
        talk.ends(if stored { 0 } else { 1 });
        assert!(path.exists());
    }
}

#[test]
fn with_nobody_there_one_key_is_taken_and_no_file_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, vector("freqtrade-config.json")).unwrap();
    let mut talk = Talk::begin(&path, Face::Absent);
    talk.ask(Field::ApiKey);
    assert_eq!(talk.origin(), Origin::PlainFile);
    assert!(talk.answer().starts_with("vmPUZE6m"));
    talk.ask(Field::ApiSecret);
    assert_eq!(talk.answer(), SECRET);
    talk.say(&ToPrompt::End(true, b"Stored in the vault."));
    talk.ends(0);
    assert!(path.exists());
    // Encrypted, or of another venue: given up, and the signer hears it.
    for name in ["hummingbot-binance.yml", "kraken-config.toml"] {
        std::fs::write(&path, vector(name)).unwrap();
        let mut talk = Talk::begin(&path, Face::Absent);
        talk.ask(Field::ApiKey);
        let heard = talk.hear().expect("something");
        assert_eq!(FromPrompt::parse(&heard), Some(FromPrompt::Cancel), "{name}");
        talk.ends(2);
    }
}
