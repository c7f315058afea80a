//! The walled reader as a process. Invariant: it answers, behind its walls, and ends well.

use std::io::Write as _;
use std::process::{Command, Stdio};

use strongroom_prompt::import::{Reading, Trouble, decode, reader};

/// What the reader makes of a passphrase and these bytes.
fn read(bytes: &[u8], passphrase: &[u8]) -> Result<Reading, Trouble> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_strongroom-prompt-window"))
        .arg(reader::ARGUMENT)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program");
    let len = u16::try_from(passphrase.len()).expect("a short one").to_be_bytes();
    // A reader that has heard enough does not read on.
    let _ = child.stdin.take().expect("a pipe").write_all(&[&len, passphrase, bytes].concat());
    let output = child.wait_with_output().expect("an end");
    assert!(output.status.success(), "{}", output.status);
    decode(&output.stdout)
}

#[test]
fn it_reads_behind_its_walls() {
    let found = read(b"BINANCE_API_KEY=k\nBINANCE_API_SECRET=s\n", b"").ok().unwrap().found;
    assert_eq!((found.len(), found[0].api_key.as_str(), found[0].secret.as_ref().ok().map(|secret| secret.as_str())), (1, "k", Some("s")));
    let json = read(br#"{"binance":{"apiKey":"k","secret":"s"}}"#, b"").ok().unwrap().found;
    assert_eq!(json[0].venue, "binance");
    for (bytes, trouble) in
        [(vec![0xff; 100], Trouble::NotText), (vec![b'['; 60_000], Trouble::Damaged), (vec![b'a'; 5_000_000], Trouble::TooLong)]
    {
        assert_eq!(read(&bytes, b"").err(), Some(trouble));
    }
}

/// Everything that a passphrase opens needs memory and time that the walls leave.
#[test]
fn it_opens_what_is_encrypted() {
    let vector = |name: &str| std::fs::read(format!("{}/../prompt/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"))).expect("a vector");
    for name in ["hummingbot-binance.yml", "gocryptotrader-config.dat", "pem-pbkdf2.pem", "pem-scrypt.pem"] {
        let file = vector(name);
        assert_eq!(read(&file, b"").err(), Some(Trouble::NeedsPassphrase), "{name}");
        assert_eq!(read(&file, b"wrong").err(), Some(Trouble::WrongPassphrase), "{name}");
        assert!(read(&file, b"correct horse").is_ok_and(|reading| reading.found[0].secret.is_ok()), "{name}");
    }
    for name in ["octobot-config.json", "kraken-config.toml", "freqtrade-config.json", "coinbase-ecdsa.json", "ccxt-keys.json"] {
        assert!(read(&vector(name), b"").is_ok(), "{name}");
    }
    assert_eq!(read(&vector("pem-costly.pem"), b"correct horse").err(), Some(Trouble::Costly));
}
