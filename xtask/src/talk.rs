//! One command with the secrets that it asks for. Invariant: a secret goes through a pipe of its own, never through
//! arguments, environment or a file.

use std::ffi::OsStr;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use anyhow::Context as _;
use command_fds::{CommandFdExt as _, FdMapping};

/// The first descriptor after the standard ones.
const FIRST_FD: i32 = 3;
/// Longest text read from a pipe, bytes.
const TEXT_LEN_MAX: usize = 64 * 1_024;

/// Gives an answer as soon as the text so far allows one.
pub(crate) type Answer = Box<dyn FnMut(&str) -> Option<String> + Send>;

/// A command being prepared.
pub(crate) struct Talk {
    command: Command,
    descriptors: Vec<FdMapping>,
    answering: Vec<(PipeReader, PipeWriter, Answer)>,
}

impl Talk {
    pub(crate) fn new(program: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        Self { command, descriptors: Vec::new(), answering: Vec::new() }
    }

    /// Offers a secret under a flag such as `--password-fd`.
    pub(crate) fn give(mut self, flag: &str, secret: &str) -> anyhow::Result<Self> {
        let (theirs, mut ours) = std::io::pipe()?;
        // Fits into the pipe's buffer, so nobody has to read yet.
        writeln!(ours, "{secret}")?;
        self.attach(flag, theirs.into());
        Ok(self)
    }

    /// Reads what the command says under one flag and answers under another.
    pub(crate) fn answer(mut self, says: &str, hears: &str, answer: Answer) -> anyhow::Result<Self> {
        let (reader, theirs_to_write) = std::io::pipe()?;
        let (theirs_to_read, writer) = std::io::pipe()?;
        self.attach(says, theirs_to_write.into());
        self.attach(hears, theirs_to_read.into());
        self.answering.push((reader, writer, answer));
        Ok(self)
    }

    fn attach(&mut self, flag: &str, parent_fd: std::os::fd::OwnedFd) {
        let child_fd = FIRST_FD + i32::try_from(self.descriptors.len()).unwrap_or(i32::MAX - FIRST_FD);
        self.command.arg(flag).arg(child_fd.to_string());
        self.descriptors.push(FdMapping { parent_fd, child_fd });
    }

    /// Runs it with its output on the screen.
    pub(crate) fn show(self) -> anyhow::Result<ExitStatus> {
        self.end(Stdio::inherit).map(|(status, _)| status)
    }

    /// Runs it and returns what it printed, with errors on the screen.
    pub(crate) fn read(self) -> anyhow::Result<(ExitStatus, String)> {
        self.end(Stdio::piped)
    }

    fn end(mut self, output: fn() -> Stdio) -> anyhow::Result<(ExitStatus, String)> {
        let program = self.command.get_program().to_string_lossy().into_owned();
        self.command.fd_mappings(self.descriptors).context("two secrets on one descriptor")?;
        let child = self.command.stdout(output()).spawn().with_context(|| format!("cannot start {program}"))?;
        // With the command go our copies of its ends, so that each pipe ends when the command does.
        drop(self.command);
        let answering: Vec<JoinHandle<()>> = self
            .answering
            .into_iter()
            .map(|(reader, writer, answer)| std::thread::spawn(move || converse(reader, writer, answer)))
            .collect();
        let ended = child.wait_with_output()?;
        for thread in answering {
            anyhow::ensure!(thread.join().is_ok(), "a conversation with {program} failed");
        }
        Ok((ended.status, String::from_utf8(ended.stdout)?))
    }
}

/// Until the answer is given, or the other side ends.
fn converse(mut reader: PipeReader, mut writer: PipeWriter, mut answer: Answer) {
    let mut text = Vec::new();
    let mut chunk = [0; 1_024];
    while text.len() < TEXT_LEN_MAX {
        let Ok(1..) = reader.read(&mut chunk).inspect(|len| text.extend_from_slice(&chunk[..*len])) else { return };
        if let Some(answer) = answer(&String::from_utf8_lossy(&text)) {
            // A reader that is gone shows in the command's exit code.
            let _ = writeln!(writer, "{answer}");
            return;
        }
    }
}
