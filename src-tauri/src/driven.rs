//! `strongroom-app-driven`: the same window for tests and measurements. Invariant: it is in no package.

fn main() -> std::process::ExitCode {
    strongroom_app::main(strongroom_app::Build::Driven)
}
