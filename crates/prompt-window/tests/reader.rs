//! The walled reader as a process. Invariant: it answers, behind its walls, and ends well.

use std::io::Write as _;
use std::process::{Command, Stdio};

use strongroom_prompt::import::{Trouble, decode, reader};

/// What the reader makes of these bytes.
fn read(bytes: &[u8]) -> Result<Vec<strongroom_prompt::import::Found>, Trouble> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_strongroom-prompt-window"))
        .arg(reader::ARGUMENT)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program");
    // A reader that has heard enough does not read on.
    let _ = child.stdin.take().expect("a pipe").write_all(bytes);
    let output = child.wait_with_output().expect("an end");
    assert!(output.status.success(), "{}", output.status);
    decode(&output.stdout)
}

#[test]
fn it_reads_behind_its_walls() {
    let found = read(b"BINANCE_API_KEY=k\nBINANCE_API_SECRET=s\n").ok().unwrap();
    assert_eq!((found.len(), found[0].api_key.as_str(), found[0].secret.as_str()), (1, "k", "s"));
    let json = read(br#"{"binance":{"apiKey":"k","secret":"s"}}"#).ok().unwrap();
    assert_eq!(json[0].name, "binance");
    for (bytes, trouble) in
        [(vec![0xff; 100], Trouble::NotText), (vec![b'['; 60_000], Trouble::Unknown), (vec![b'a'; 70_000], Trouble::TooLong)]
    {
        assert_eq!(read(&bytes).err(), Some(trouble));
    }
}
