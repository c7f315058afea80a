//! Names the build: the beginning of a SHA-256 of the sources in which the types of messages stand. In a frame their fields are numbers,
//! which mean nothing to a program that was made from other sources.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// All crates of which a type can stand in a message.
const CRATES: [&str; 3] = ["model", "guard", "signer-api"];

fn main() -> io::Result<()> {
    let own = env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("cargo says no folder"))?;
    let crates = Path::new(&own).join("..");
    let mut hash = Sha256::new();
    for name in CRATES {
        let root = crates.join(name).join("src");
        println!("cargo::rerun-if-changed={}", root.display());
        for file in sources(&root)? {
            let (name, text) = (file.to_string_lossy(), fs::read(&file)?);
            // Each behind its length, so that nothing moves from one to the next unseen.
            for part in [name.strip_prefix(&*root.to_string_lossy()).unwrap_or_default().as_bytes(), &text] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
    }
    let version = hash.finalize().iter().take(size_of::<u32>()).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    println!("cargo::rustc-env=STRONGROOM_MESSAGES={version}");
    Ok(())
}

/// All Rust files below `folder`, in one order everywhere.
fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        if entry.is_dir() {
            files.extend(sources(&entry)?);
        } else if entry.extension().is_some_and(|extension| extension == "rs") && !is_hidden(&entry) {
            files.push(entry);
        }
    }
    Ok(files)
}

/// As what an editor leaves beside a file.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}
