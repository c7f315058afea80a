//! Asks a person on a terminal, or reads descriptors, and hands the answers to the signer.
//!
//! Invariant: what is typed lives in fixed buffers that are wiped, and goes to the signer's channel and nowhere else;
//! the process ends with its errand.

mod terminal;

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use rustix::process::{DumpableBehavior, Resource, Rlimit};
use strongroom_signer_api::channel::{Channel, PACKET_LEN_MAX};
use strongroom_signer_api::errand::{Errand, Slot};
use strongroom_signer_api::prompt::{ANSWER_LEN_MAX, Field, FromPrompt, Show, ToPrompt};
use zeroize::Zeroizing;

use crate::terminal::Terminal;

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// A buffer of the length that an answer can have, which never grows.
type Answer = Zeroizing<Vec<u8>>;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("strongroom-prompt: {error}");
            ExitCode::from(2)
        }
    }
}

fn close_windows() -> io::Result<()> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    rustix::thread::set_no_new_privs(true)?;
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // Away from any terminal's job control: the terminal is the door's, this process only reads it.
    let _ = rustix::process::setsid();
    Ok(())
}

fn run() -> io::Result<bool> {
    close_windows()?;
    let supervisor = Channel::inherited()?;
    let mut buffer = Zeroizing::new(vec![0; PACKET_LEN_MAX]);
    let refused = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let packet = supervisor.recv(&mut buffer)?.ok_or_else(|| refused("no errand"))?;
    let errand = Errand::decode(&buffer[..packet.len]).ok_or_else(|| refused("an errand that is not understood"))?;
    let mut fds = packet.fds.into_iter();
    let signer = Channel::from_fd(fds.next().ok_or_else(|| refused("no signer"))?);
    let terminal = if errand.terminal { fds.next().map(|fd| Terminal::new(File::from(fd), &supervisor)).transpose()? } else { None };
    let slots: Vec<(Slot, File)> = errand.slots.iter().copied().zip(fds.map(File::from)).collect();
    let mut prompt =
        Prompt { signer, supervisor: &supervisor, terminal, slots, out: Zeroizing::new(Vec::with_capacity(ANSWER_LEN_MAX + 1)) };
    prompt.tell(&FromPrompt::Hello(errand.ticket))?;
    loop {
        // The signer may be deriving a key: that takes its time. If the door gives up, the supervisor hangs up.
        prompt.wait_for_signer()?;
        let Some(packet) = prompt.signer.recv(&mut buffer)? else {
            return Err(refused("the signer has ended"));
        };
        match ToPrompt::parse(&buffer[..packet.len]).ok_or_else(|| refused("the signer was not understood"))? {
            ToPrompt::Ask(field, words) => match prompt.answer(field, &String::from_utf8_lossy(words)) {
                Ok(answer) => prompt.tell(&FromPrompt::Answer(&answer))?,
                Err(error) => {
                    prompt.tell(&FromPrompt::Cancel)?;
                    return Err(error);
                }
            },
            ToPrompt::Show(show, bytes) => {
                if let Err(error) = prompt.show(show, bytes) {
                    prompt.tell(&FromPrompt::Cancel)?;
                    return Err(error);
                }
                prompt.tell(&FromPrompt::Shown)?;
            }
            ToPrompt::End(done, _) => return Ok(done),
        }
    }
}

struct Prompt<'a> {
    signer: Channel,
    supervisor: &'a Channel,
    terminal: Option<Terminal<'a>>,
    slots: Vec<(Slot, File)>,
    out: Answer,
}

impl Prompt<'_> {
    fn tell(&mut self, message: &FromPrompt<'_>) -> io::Result<()> {
        message.write(&mut self.out);
        self.signer.send(&self.out, &[])?;
        self.out.clear();
        Ok(())
    }

    fn wait_for_signer(&self) -> io::Result<()> {
        terminal::wait_for(&self.signer, self.supervisor)
    }

    fn answer(&mut self, field: Field, words: &str) -> io::Result<Answer> {
        if let Some((_, file)) = self.slots.iter_mut().find(|(slot, _)| *slot == Slot::Answer(field)) {
            return if field == Field::ApiSecret { read_all(file, self.supervisor) } else { read_line(file, self.supervisor) };
        }
        let Some(terminal) = &mut self.terminal else {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("no terminal, and no descriptor for: {words}")));
        };
        match field {
            Field::NewPassword => terminal.ask_twice(words),
            Field::ApiKey | Field::Totp | Field::KitGroup => terminal.ask(words, true),
            Field::ApiSecret => terminal.ask_block(words),
            Field::Password | Field::Kit => terminal.ask(words, false),
        }
    }

    fn show(&mut self, show: Show, bytes: &[u8]) -> io::Result<()> {
        if let Some((_, file)) = self.slots.iter_mut().find(|(slot, _)| *slot == Slot::Shown(show)) {
            file.write_all(bytes)?;
            return file.write_all(b"\n");
        }
        match &mut self.terminal {
            Some(terminal) => terminal.show(show, bytes),
            None => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "no terminal, and no descriptor to write the recovery kit or the code address to",
            )),
        }
    }
}

fn empty() -> Answer {
    Zeroizing::new(Vec::with_capacity(ANSWER_LEN_MAX))
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("an answer has at most {ANSWER_LEN_MAX} bytes"))
}

/// One line without its end; byte by byte, so that nothing of a later answer is taken.
fn read_line(file: &mut File, supervisor: &Channel) -> io::Result<Answer> {
    let mut line = empty();
    let mut byte = Zeroizing::new([0]);
    loop {
        terminal::wait_for(file, supervisor)?;
        if file.read(byte.as_mut_slice())? == 0 || byte[0] == b'\n' {
            break;
        }
        if line.len() == ANSWER_LEN_MAX {
            return Err(too_long());
        }
        line.push(byte[0]);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

/// Everything up to the end.
fn read_all(file: &mut File, supervisor: &Channel) -> io::Result<Answer> {
    let mut block = empty();
    let mut chunk = Zeroizing::new([0; 512]);
    loop {
        terminal::wait_for(file, supervisor)?;
        let len = file.read(chunk.as_mut_slice())?;
        if len == 0 {
            return Ok(block);
        }
        if block.len() + len > ANSWER_LEN_MAX {
            return Err(too_long());
        }
        block.extend_from_slice(&chunk[..len]);
    }
}
