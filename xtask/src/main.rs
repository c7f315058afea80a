//! The project's own commands. Invariant: every step that people or machines need to build, check and try the product
//! is here; scripts elsewhere only call it.

mod bench;
mod check;
mod keyring;
mod layers;
mod place;
mod run;
mod setup;
mod stage;
mod suite;
mod talk;
mod tidy;
mod tools;
mod tour;
mod ui;
mod window;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::place::Place;

/// Builds, runs, tests and checks Strongroom.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Sets up, builds, and opens the window on a fresh vault and the embedded paper venue.
    Run {
        /// Install system packages without asking.
        #[arg(long)]
        yes: bool,
        /// Show the same job in the terminal, step by step.
        #[arg(long)]
        terminal: bool,
    },
    /// Sets up and runs every test; at most 25 minutes from cold on two cores.
    Test {
        /// Also what takes longer: fuzzing, soaks, many clients.
        #[arg(long)]
        long: bool,
        /// Install system packages without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Format, lints, layers, tidiness.
    Check,
    /// Builds the window's page.
    Ui,
    /// Leaves a picture of every screen and of the main states, dark and light.
    Shots {
        /// Folder for them.
        folder: PathBuf,
        /// Install system packages without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Compares the layer table of docs/architecture.md with the crates.
    Layers,
    /// Runs one benchmark and keeps its raw output under benches/results/.
    Bench {
        /// Name of the benchmark.
        name: String,
        /// Rows as JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Checks a file of vectors against the code.
    Vectors {
        /// The file.
        file: PathBuf,
    },
    /// The window's part of `run` inside the private session.
    #[command(hide = true)]
    Window {
        /// Folder of the built programs.
        #[arg(long)]
        programs: PathBuf,
        /// Folder of the profile, which does not exist yet.
        #[arg(long)]
        profile: PathBuf,
    },
    /// The terminal's part of `run` inside the private session.
    #[command(hide = true)]
    Tour {
        /// Folder of the built programs.
        #[arg(long)]
        programs: PathBuf,
        /// Folder of the profile, which does not exist yet.
        #[arg(long)]
        profile: PathBuf,
    },
}

fn main() -> ExitCode {
    match perform(Arguments::parse().task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `false`: it ran to its end and what it looked at is not as it should be.
fn perform(task: Task) -> anyhow::Result<bool> {
    let place = Place::find()?;
    match task {
        Task::Run { yes, terminal } => run::run(&place, yes, terminal),
        Task::Test { long, yes } => suite::run(&place, long, yes),
        Task::Check => check::run(&place),
        Task::Shots { folder, yes } => window::shots(&place, &folder, yes),
        Task::Window { programs, profile } => window::inside(&programs, &profile),
        Task::Ui => ui::build(&place).map(|()| true),
        Task::Layers => layers::run(&place),
        Task::Bench { name, json } => bench::run(&place, &name, json),
        Task::Vectors { file } => {
            let file = std::path::absolute(file)?;
            Ok(place.cargo(["run", "--quiet", "-p", "strongroom-tests", "--bin", "vectors", "--"]).arg(file).status()?.success())
        }
        Task::Tour { programs, profile } => tour::run(&programs, &profile),
    }
}
