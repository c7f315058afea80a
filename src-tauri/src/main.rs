//! `strongroom-app`: the desktop window. Invariant: nobody drives or inspects it from outside.

fn main() -> std::process::ExitCode {
    strongroom_app::main(strongroom_app::Build::Shipped)
}
