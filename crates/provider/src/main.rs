//! Serves one request of the signer about a share that somebody keeps, or a secret that a TPM sealed, and ends.
//!
//! Invariant: foreign modules are loaded, key servers and TPMs are reached here and nowhere else in the product; what this process
//! holds of a vault is one share or one such secret, which opens nothing alone.

use std::io;
use std::process::ExitCode;

use nix::sys::mman::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use strongroom_provider::{message, serve};
use strongroom_signer_api::Line;
use strongroom_signer_api::channel::{Channel, PACKET_LEN_MAX};
use strongroom_signer_api::provider::ToProvider;
use zeroize::Zeroizing;

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("strongroom-provider: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    close_windows()?;
    let (mut buffer, mut out) = (Zeroizing::new(vec![0; PACKET_LEN_MAX]), message());
    // As much of it as the limit allows, before anything secret is here; what a module maps later is its own affair.
    let _ = mlockall(MlockAllFlags::MCL_CURRENT);
    let supervisor = Channel::inherited()?;
    let mut errand = [0; 8];
    let packet = supervisor.recv(&mut errand)?.ok_or_else(|| refused("no errand"))?;
    let mut signer = packet.fds.into_iter().next().map(|fd| Line::from(Channel::from_fd(fd))).ok_or_else(|| refused("no signer"))?;
    let packet = signer.recv(&mut buffer)?.ok_or_else(|| refused("the signer asked nothing"))?;
    let request = buffer.get(..packet.len).and_then(ToProvider::parse).ok_or_else(|| refused("the signer was not understood"))?;
    serve(&request, &mut out);
    signer.send(&mut out, &[])
}

/// First thing at start: nobody may look in, nothing may be dumped, and the supervisor's end is this process's.
fn close_windows() -> io::Result<()> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    rustix::thread::set_no_new_privs(true)?;
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    Ok(())
}

fn refused(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
