//! A person at a terminal. Invariant: the terminal's settings are put back however the asking ends, and what was shown
//! once does not stay in its scroll-back.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use strongroom_prompt::{Answer, empty, too_long, wait_for};
use strongroom_signer_api::About;
use strongroom_signer_api::channel::Channel;
use strongroom_signer_api::prompt::{ANSWER_LEN_MAX, Show};
use zeroize::Zeroizing;

const OTHER_SCREEN: &str = "\x1b[?1049h\x1b[H\x1b[2J";
const FIRST_SCREEN: &str = "\x1b[2J\x1b[3J\x1b[?1049l";

/// The terminal of a door.
pub(crate) struct Terminal<'a> {
    tty: File,
    supervisor: &'a Channel,
    settings: Termios,
    tells_progress: bool,
}

impl<'a> Terminal<'a> {
    pub(crate) fn new(tty: File, supervisor: &'a Channel) -> io::Result<Self> {
        let settings = tcgetattr(&tty)?;
        Ok(Self { tty, supervisor, settings, tells_progress: false })
    }

    fn set_echo(&self, echo: bool) -> io::Result<()> {
        let mut settings = self.settings.clone();
        settings.local_modes.set(LocalModes::ECHO, echo);
        settings.local_modes.insert(LocalModes::ICANON | LocalModes::ECHONL);
        Ok(tcsetattr(&self.tty, OptionalActions::Flush, &settings)?)
    }

    /// What this is about, in the signer's words.
    pub(crate) fn tell_about(&mut self, about: &About) -> io::Result<()> {
        writeln!(self.tty, "{}", about.title)?;
        for fact in &about.facts {
            writeln!(self.tty, "  {:<18} {}", fact.name, fact.value)?;
        }
        if let Some(tries) = about.tries_left {
            writeln!(self.tty, "  {:<18} {tries}", "Tries left")?;
        }
        Ok(())
    }

    /// Says something that is no secret.
    pub(crate) fn say(&mut self, words: &str) -> io::Result<()> {
        writeln!(self.tty, "{words}")
    }

    /// Over the line that it stood on before.
    pub(crate) fn tell_progress(&mut self, words: &str) -> io::Result<()> {
        self.tells_progress = true;
        write!(self.tty, "\r\x1b[K{words}")
    }

    pub(crate) fn end_progress(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.tells_progress) { write!(self.tty, "\r\x1b[K") } else { Ok(()) }
    }

    /// One line.
    pub(crate) fn ask(&mut self, words: &str, echo: bool) -> io::Result<Answer> {
        // What was typed before the question is dropped; what is typed after it counts.
        self.set_echo(echo)?;
        write!(self.tty, "{words}: ")?;
        let line = self.line();
        tcsetattr(&self.tty, OptionalActions::Now, &self.settings)?;
        line
    }

    /// A new password, twice.
    pub(crate) fn ask_twice(&mut self, words: &str) -> io::Result<Answer> {
        loop {
            let first = self.ask(words, false)?;
            let again = self.ask("Again", false)?;
            if first == again {
                return Ok(first);
            }
            writeln!(self.tty, "The two differ. Once more.")?;
        }
    }

    /// One line, or a block from `-----BEGIN` to `-----END`.
    pub(crate) fn ask_block(&mut self, words: &str) -> io::Result<Answer> {
        let mut block = self.ask(words, false)?;
        if !block.starts_with(b"-----BEGIN") {
            return Ok(block);
        }
        self.set_echo(false)?;
        let done = loop {
            match self.line() {
                Ok(line) if block.len() + line.len() + 1 > ANSWER_LEN_MAX => break Err(too_long()),
                Ok(line) => {
                    block.push(b'\n');
                    block.extend_from_slice(&line);
                    if line.starts_with(b"-----END") {
                        break Ok(());
                    }
                }
                Err(error) => break Err(error),
            }
        };
        tcsetattr(&self.tty, OptionalActions::Now, &self.settings)?;
        done.map(|()| block)
    }

    fn line(&mut self) -> io::Result<Answer> {
        let mut line = empty();
        let mut byte = Zeroizing::new([0]);
        loop {
            wait_for(&self.tty, self.supervisor)?;
            if self.tty.read(byte.as_mut_slice())? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "given up"));
            }
            match byte[0] {
                b'\n' => return Ok(line),
                _ if line.len() == ANSWER_LEN_MAX => return Err(too_long()),
                typed => line.push(typed),
            }
        }
    }

    /// Shows something once, on a screen of its own that is cleared.
    pub(crate) fn show(&mut self, show: Show, bytes: &[u8]) -> io::Result<()> {
        let (title, advice) = match show {
            Show::Kit => (
                "Recovery kit",
                "Write it down or print it, and keep it away from this computer. With this vault's file it opens everything.\nIt is shown only now.",
            ),
            Show::AuditorCode => (
                "Auditor's code",
                "Give it to the auditor, in writing. With the vault's file it reads the audit log; it opens no key.\nIt is shown only now.",
            ),
            Show::RecoveryCodes => (
                "Recovery codes",
                "Write them down or print them, and keep them where the phone is not. Each stands in for one one-time code.\nThey are shown only now.",
            ),
            Show::OtpUri => ("One-time codes", "Put this address into an authenticator app. It is shown only now."),
        };
        writeln!(self.tty, "{OTHER_SCREEN}{title}\n")?;
        for line in bytes.split(|byte| *byte == b'\n') {
            write!(self.tty, "    ")?;
            self.tty.write_all(line)?;
            writeln!(self.tty)?;
        }
        write!(self.tty, "\n{advice}\nPress Enter when done.")?;
        let done = self.line();
        write!(self.tty, "{FIRST_SCREEN}")?;
        done.map(|_| ())
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let _ = self.end_progress();
        let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.settings);
    }
}
