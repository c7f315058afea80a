//! Actions that need a person: opens a prompt through the supervisor and waits for the outcome.
//!
//! Invariant: descriptors are passed on unread; what a person types goes to the prompt, not here.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use strongroom_desk_api::supervisor::{Errand, Face, Field, Show, Slot, SupervisorClient, ToSupervisor};
use strongroom_desk_api::{Ask, DeskClient, DoorAction, Tell};
use strongroom_model::SlotFor;

use crate::descriptors::{
    CodeFds, KeyFds, NewCodesFds, NewKitFds, NewPhoneFds, NewSlotFds, NewVaultFds, PasswordChangeFds, RecoveryFds, RekeyFds, UnlockFds,
};
use crate::fail::Failure;

/// A person has so long to answer all questions.
const PERSON_TIMEOUT: Duration = Duration::from_secs(600);

/// Which descriptor is for what.
pub(crate) struct Descriptors {
    given: Vec<(Slot, u32)>,
    /// Everything that will be asked or shown: if all of it is given, no terminal is needed.
    wanted: usize,
}

impl Descriptors {
    fn new(slots: &[(Slot, Option<u32>)]) -> Self {
        Self { given: slots.iter().filter_map(|(slot, number)| number.map(|number| (*slot, number))).collect(), wanted: slots.len() }
    }

    /// Something that can be given along, and need not.
    fn with(mut self, slot: Slot, number: Option<u32>) -> Self {
        self.given.extend(number.map(|number| (slot, number)));
        self
    }

    pub(crate) fn for_new_vault(secrets: &NewVaultFds) -> Self {
        Self::new(&[
            (Slot::Answer(Field::NewPassword), secrets.password_fd),
            (Slot::Shown(Show::Kit), secrets.kit_out_fd),
            (Slot::Answer(Field::KitGroup), secrets.kit_fd),
            (Slot::Shown(Show::OtpUri), secrets.totp_out_fd),
            (Slot::Answer(Field::Totp), secrets.totp_fd),
        ])
    }

    /// Which slot opens is known to the signer alone: a PIN is asked if that slot needs one.
    pub(crate) fn for_unlock(slot: Option<u16>, secrets: &UnlockFds) -> Self {
        let (password, pin) = ((Slot::Answer(Field::Password), secrets.password_fd), (Slot::Answer(Field::Pin), secrets.pin_fd));
        if slot.is_some() { Self::new(&[password, pin]) } else { Self::new(&[password]).with(pin.0, pin.1) }
    }

    /// As for unlocking, a PIN is asked if the slot needs one.
    pub(crate) fn for_password_change(slot: Option<u16>, secrets: &PasswordChangeFds) -> Self {
        let asked = [
            (Slot::Answer(Field::Totp), secrets.totp_fd),
            (Slot::Answer(Field::Password), secrets.password_fd),
            (Slot::Answer(Field::NewPassword), secrets.new_password_fd),
        ];
        let pin = (Slot::Answer(Field::Pin), secrets.pin_fd);
        if slot.is_some() { Self::new(&[&asked[..], &[pin]].concat()) } else { Self::new(&asked).with(pin.0, pin.1) }
    }

    pub(crate) fn for_new_kit(secrets: &NewKitFds) -> Self {
        Self::new(&[
            (Slot::Answer(Field::Totp), secrets.totp_fd),
            (Slot::Shown(Show::Kit), secrets.kit_out_fd),
            (Slot::Answer(Field::KitGroup), secrets.kit_fd),
        ])
    }

    pub(crate) fn for_new_codes(secrets: &NewCodesFds) -> Self {
        Self::new(&[
            (Slot::Answer(Field::Totp), secrets.totp_fd),
            (Slot::Shown(Show::RecoveryCodes), secrets.codes_out_fd),
            (Slot::Answer(Field::KitGroup), secrets.codes_fd),
        ])
    }

    pub(crate) fn for_new_phone(secrets: &NewPhoneFds) -> Self {
        Self::new(&[(Slot::Answer(Field::Totp), secrets.totp_fd), (Slot::Shown(Show::OtpUri), secrets.totp_out_fd)])
    }

    pub(crate) fn for_new_slot(kind: &SlotFor, secrets: &NewSlotFds) -> Self {
        match kind {
            SlotFor::Person => {
                Self::new(&[(Slot::Answer(Field::Totp), secrets.totp_fd), (Slot::Answer(Field::NewPassword), secrets.new_password_fd)])
            }
            SlotFor::Shared { machine: Some(_), .. } => {
                Self::new(&[(Slot::Answer(Field::Totp), secrets.totp_fd), (Slot::Answer(Field::Pin), secrets.pin_fd)])
            }
            SlotFor::Shared { .. } => Self::new(&[
                (Slot::Answer(Field::Totp), secrets.totp_fd),
                (Slot::Answer(Field::NewPassword), secrets.new_password_fd),
                (Slot::Answer(Field::Pin), secrets.pin_fd),
            ]),
            SlotFor::Auditor => Self::new(&[
                (Slot::Answer(Field::Totp), secrets.totp_fd),
                (Slot::Shown(Show::AuditorCode), secrets.code_out_fd),
                (Slot::Answer(Field::KitGroup), secrets.code_fd),
            ]),
        }
    }

    pub(crate) fn for_rekey(secrets: &RekeyFds) -> Self {
        Self::new(&[
            (Slot::Answer(Field::Totp), secrets.totp_fd),
            (Slot::Answer(Field::Password), secrets.password_fd),
            (Slot::Shown(Show::Kit), secrets.kit_out_fd),
            (Slot::Answer(Field::KitGroup), secrets.kit_fd),
        ])
    }

    pub(crate) fn for_recovery(secrets: &RecoveryFds) -> Self {
        Self::new(&[(Slot::Answer(Field::Kit), secrets.kit_fd), (Slot::Answer(Field::NewPassword), secrets.password_fd)])
    }

    pub(crate) fn for_key(secrets: &KeyFds) -> Self {
        Self::new(&[
            (Slot::Answer(Field::Totp), secrets.totp_fd),
            (Slot::Answer(Field::ApiKey), secrets.key_fd),
            (Slot::Answer(Field::ApiSecret), secrets.secret_fd),
        ])
        .with(Slot::Import, secrets.file_fd)
    }

    pub(crate) fn for_code(secrets: &CodeFds) -> Self {
        Self::new(&[(Slot::Answer(Field::Totp), secrets.totp_fd)])
    }

    /// A window asks everything itself and takes files only; a terminal takes descriptors instead of answers too.
    fn fit(&self, window: bool) -> Result<(), Failure> {
        if window && self.given.iter().any(|(slot, _)| *slot != Slot::Import) {
            return Err(Failure::usage("with --window the window asks; give no descriptors of answers"));
        }
        Ok(())
    }

    fn open(&self) -> Result<Vec<(Slot, File)>, Failure> {
        let open = |(slot, number): &(Slot, u32)| {
            let write = matches!(slot, Slot::Shown(_));
            let file = OpenOptions::new().read(!write).write(write).open(format!("/proc/self/fd/{number}"));
            file.map(|file| (*slot, file)).map_err(|error| Failure::usage(&format!("descriptor {number} cannot be used: {error}")))
        };
        self.given.iter().map(open).collect()
    }
}

/// The person's terminal. Its settings are put back even when the prompt is killed while it asks.
struct Terminal {
    tty: File,
    settings: Termios,
}

impl Terminal {
    fn open() -> Option<Self> {
        let tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        let settings = tcgetattr(&tty).ok()?;
        Some(Self { tty, settings })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.settings);
    }
}

/// Prepares, asks the person, waits for the end.
pub(crate) fn run(dir: &Path, action: DoorAction, descriptors: &Descriptors, window: bool) -> Result<Tell, Failure> {
    descriptors.fit(window)?;
    let slots = descriptors.open()?;
    let mut desk = DeskClient::connect(dir).map_err(|error| Failure::not_running(dir, &error))?;
    let ticket = match desk.ask(&Ask::Prepare { action }).map_err(|error| Failure::desk_silent(&error))? {
        Tell::Prepared { ticket, .. } => ticket,
        other => return Ok(other),
    };
    let terminal = if !window && slots.len() < descriptors.wanted { Terminal::open() } else { None };
    let face = match (&terminal, window) {
        (_, true) => Face::Window,
        (Some(_), _) => Face::Terminal,
        _ => Face::Absent,
    };
    let bytes = (0..ticket.len()).step_by(2).filter_map(|at| ticket.get(at..at + 2)).map(|pair| u8::from_str_radix(pair, 16));
    let bytes = bytes.collect::<Result<Vec<_>, _>>().ok().and_then(|bytes| bytes.try_into().ok());
    let Some(bytes) = bytes else { return Err(Failure::refused("ticket", "the desk's ticket cannot be read".to_owned())) };
    let errand = Errand { ticket: bytes, face, slots: slots.iter().map(|(slot, _)| *slot).collect() };
    let fds: Vec<BorrowedFd<'_>> =
        terminal.iter().map(|terminal| &terminal.tty).chain(slots.iter().map(|(_, file)| file)).map(File::as_fd).collect();
    let supervisor = SupervisorClient::connect(dir).map_err(|error| Failure::not_running(dir, &error))?;
    let (answered, said) =
        supervisor.ask(&ToSupervisor::Prompt(errand), &fds, PERSON_TIMEOUT).map_err(|error| Failure::desk_silent(&error))?;
    if !answered && said != "not done" {
        return Err(Failure::refused("prompt", said));
    }
    desk.ask(&Ask::Outcome { ticket }).map_err(|error| Failure::desk_silent(&error))
}
