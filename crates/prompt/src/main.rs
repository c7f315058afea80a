//! Asks a person on a terminal, or reads descriptors, and hands the answers to the signer; or reads a file behind walls.
//!
//! Invariant: nothing is asked twice or kept: each answer goes to the signer and is wiped before the next question.

mod importing;
mod terminal;

use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use strongroom_prompt::import::reader;
use strongroom_prompt::{Answer, Line, Slots, Start, close_windows, wait_at_most, wait_for, wait_words};
use strongroom_signer_api::About;
use strongroom_signer_api::channel::Channel;
use strongroom_signer_api::prompt::{Field, FromPrompt, Show, ToPrompt};

use crate::importing::Taken;
use crate::terminal::Terminal;

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// How often a wait is told.
const TOLD_EVERY: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let is_reader = std::env::args().nth(1).as_deref() == Some(reader::ARGUMENT);
    match if is_reader { reader::run().map(|()| true) } else { run() } {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("strongroom-prompt: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> io::Result<bool> {
    close_windows()?;
    let Start { supervisor, mut line, face, terminal, slots } = Start::receive()?;
    if face.is_window() {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "this is the terminal's prompt"));
    }
    let terminal = terminal.map(|tty| Terminal::new(tty, &supervisor)).transpose()?;
    let mut prompt = Prompt { supervisor: &supervisor, terminal, slots, venue: String::new(), taken: None };
    // What the signer expects of the work on the next answer.
    let mut expected = None;
    let mut takes = None;
    loop {
        // The signer may be deriving a key: that takes its time. If the door gives up, the supervisor hangs up.
        prompt.wait(&line, takes.take())?;
        let told = match line.hear()? {
            ToPrompt::About(about) => {
                prompt.tell_about(&about)?;
                continue;
            }
            ToPrompt::Takes(ms) => {
                expected = Some(Duration::from_millis(ms.into()));
                continue;
            }
            ToPrompt::Ask(field, words) => {
                let told = prompt.answer(field, &String::from_utf8_lossy(words));
                if let (Field::ApiKey, Ok(_), Some(taken)) = (field, &told, &prompt.taken) {
                    line.tell(&FromPrompt::From(taken.origin, taken.source.as_bytes()))?;
                }
                told.map(Some)
            }
            ToPrompt::Show(show, bytes) => prompt.show(show, bytes).map(|()| None),
            ToPrompt::End(done, _) => {
                if done {
                    prompt.offer_to_wipe()?;
                }
                return Ok(done);
            }
        };
        takes = expected.take();
        tell(&mut line, told)?;
    }
}

/// The answer, or that it was shown; what could not be done is a cancellation.
fn tell(line: &mut Line, told: io::Result<Option<Answer>>) -> io::Result<()> {
    match told {
        Ok(Some(answer)) => line.tell(&FromPrompt::Answer(&answer)),
        Ok(None) => line.tell(&FromPrompt::Shown),
        Err(error) => {
            line.tell(&FromPrompt::Cancel)?;
            Err(error)
        }
    }
}

struct Prompt<'a> {
    supervisor: &'a Channel,
    terminal: Option<Terminal<'a>>,
    slots: Slots,
    /// Where a key to import is for.
    venue: String,
    /// What a file to import gave.
    taken: Option<Taken>,
}

impl Prompt<'_> {
    /// Until the signer says something; on a terminal it is told meanwhile how far it probably is.
    fn wait(&mut self, line: &Line, expected: Option<Duration>) -> io::Result<()> {
        let (Some(expected), Some(terminal)) = (expected, &mut self.terminal) else { return wait_for(line, self.supervisor) };
        let start = Instant::now();
        while !wait_at_most(line, self.supervisor, Some(TOLD_EVERY))? {
            let (percent, words) = wait_words("The key is derived", start.elapsed(), expected);
            terminal.tell_progress(&format!("{percent} %. {words}"))?;
        }
        terminal.end_progress()
    }

    fn tell_about(&mut self, about: &About) -> io::Result<()> {
        about.fact("Venue").unwrap_or_default().clone_into(&mut self.venue);
        self.terminal.as_mut().map_or(Ok(()), |terminal| terminal.tell_about(about))
    }

    fn answer(&mut self, field: Field, words: &str) -> io::Result<Answer> {
        if let Some(given) = self.slots.answer(field, self.supervisor) {
            return given;
        }
        if let Some(taken) = self.imported(field)? {
            return Ok(taken);
        }
        let Some(terminal) = &mut self.terminal else {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("no terminal, and no descriptor for: {words}")));
        };
        match field {
            Field::NewPassword => terminal.ask_twice(words),
            Field::ApiKey | Field::Totp | Field::KitGroup => terminal.ask(words, true),
            Field::ApiSecret => terminal.ask_block(words),
            Field::Password | Field::Kit | Field::Pin => terminal.ask(words, false),
        }
    }

    /// The key, and then its secret, of the file that the door gave along.
    fn imported(&mut self, field: Field) -> io::Result<Option<Answer>> {
        if !matches!(field, Field::ApiKey | Field::ApiSecret) {
            return Ok(None);
        }
        if let Some(file) = self.slots.take_import() {
            let taken = importing::take(file, self.terminal.as_mut(), &self.venue);
            if let (Err(error), Some(terminal)) = (&taken, &mut self.terminal) {
                terminal.say(&error.to_string())?;
            }
            self.taken = Some(taken?);
        }
        let Some(taken) = &mut self.taken else { return Ok(None) };
        let answer = std::mem::take(if field == Field::ApiKey { &mut taken.api_key } else { &mut taken.secret });
        Ok(Some(answer).filter(|answer| !answer.is_empty()))
    }

    /// The file still holds what was imported.
    fn offer_to_wipe(&mut self) -> io::Result<()> {
        match (self.taken.take(), &mut self.terminal) {
            (Some(taken), Some(terminal)) => taken.offer_to_wipe(terminal),
            _ => Ok(()),
        }
    }

    fn show(&mut self, show: Show, bytes: &[u8]) -> io::Result<()> {
        if let Some(written) = self.slots.show(show, bytes) {
            return written;
        }
        let nowhere = "no terminal, and no descriptor to write the recovery kit or the code address to";
        let Some(terminal) = &mut self.terminal else { return Err(io::Error::new(io::ErrorKind::NotFound, nowhere)) };
        terminal.show(show, bytes)
    }
}
