//! Builds the list of commands into the program. Invariant: what is not in the table cannot be asked.

include!("src/table.rs");

macro_rules! names {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => { &[$(stringify!($name)),*] };
}

/// Every command of the window.
const COMMANDS: &[&str] = table!(names);

fn main() {
    let page = std::path::Path::new("../ui/dist/index.html");
    println!("cargo:rerun-if-changed=../ui/dist");
    println!("cargo:rerun-if-changed=isolation");
    println!("cargo:rerun-if-changed=src/table.rs");
    assert!(page.exists(), "the page is not built: run `cargo xtask ui` first (or any of `cargo xtask run`, `cargo xtask test`)");
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)) {
        panic!("the window cannot be configured: {error:#}");
    }
}
