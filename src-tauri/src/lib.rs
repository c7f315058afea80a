//! The desktop window: shows what the desk tells and asks it for listed things.
//!
//! Invariant: no secret and no order logic is here; passwords, codes and API secrets are typed into the prompt, which is
//! another process. The page reaches nothing but the commands of `table.rs`.

include!("../table.rs");

mod close;
mod commands;
mod desk;
mod environment;
mod global;
mod hold;
mod market;
mod person;
mod settings;
mod start;
mod verify;
mod views;
mod window;

pub use environment::Build;
pub use views::{AuditPage, Hello, Killed, Order, Outcome, Push, Source, Verified};

use std::process::ExitCode;

/// Codes and secrets are typed into the prompt, not here; what passes through anyway is wiped as it is freed.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// Runs the window until it is closed.
pub fn main(build: Build) -> ExitCode {
    match run(build) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("strongroom-app: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(build: Build) -> anyhow::Result<()> {
    environment::clean(build)?;
    let arguments = start::arguments();
    environment::need_display()?;
    window::open(arguments, build)
}

#[cfg(test)]
mod bindings;
