//! Secrets that a real TPM 2.0 in software (swtpm) sealed. Invariant: each test has TPMs of its own, in folders and on ports of its own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends, also in its helpers")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{SHARE, Said, VAULT, unwrap, wrap};
use strongroom_signer_api::keeping::Kept;
use strongroom_signer_api::provider::Failure;
use strongroom_signer_api::tpm::TpmAccount;
use tempfile::TempDir;

/// Both ports answer within this.
const PATIENCE: Duration = Duration::from_secs(10);

/// A TPM that ends with its test.
struct Tpm {
    folder: TempDir,
    process: Child,
    port: u16,
}

impl Tpm {
    fn new() -> Self {
        Self::in_folder(tempfile::tempdir().unwrap())
    }

    /// Another one may take a port between the look and the start: then the next are tried.
    fn in_folder(folder: TempDir) -> Self {
        for _ in 0..10 {
            let port = two_ports().0.local_addr().unwrap().port();
            let mut process = Command::new("swtpm")
                .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear", "--tpmstate"])
                .arg(format!("dir={}", folder.path().display()))
                .args(["--server", &format!("type=tcp,bindaddr=127.0.0.1,port={port},disconnect")])
                .args(["--ctrl", &format!("type=tcp,bindaddr=127.0.0.1,port={}", port + 1)])
                .stderr(Stdio::null())
                .spawn()
                .expect("swtpm: install the package swtpm");
            let begun = Instant::now();
            while begun.elapsed() < PATIENCE && process.try_wait().unwrap().is_none() {
                if listens(&process, port) && listens(&process, port + 1) {
                    return Self { folder, process, port };
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            process.kill().unwrap();
            process.wait().unwrap();
        }
        panic!("swtpm did not start");
    }

    fn tcti(&self) -> String {
        format!("swtpm:host=127.0.0.1,port={}", self.port)
    }

    /// Another program at the same TPM.
    fn tool(&self, words: &[&str]) -> String {
        let done = self.try_tool(words);
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    fn try_tool(&self, words: &[&str]) -> Output {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env("TPM2TOOLS_TCTI", self.tcti()).current_dir(self.folder.path());
        command.output().expect("install the package tpm2-tools")
    }

    /// One wrong password for another program's key, and it takes no more for a while.
    fn is_locked_out(&self) {
        self.tool(&["tpm2_dictionarylockout", "-s", "-n", "1", "-t", "1000", "-l", "1000"]);
        self.tool(&["tpm2_createprimary", "-Q", "-C", "e", "-p", "right", "-c", "other.ctx"]);
        assert!(!self.try_tool(&["tpm2_create", "-Q", "-C", "other.ctx", "-P", "wrong"]).status.success());
        self.tool(&["tpm2_flushcontext", "-t"]);
        assert!(self.tool(&["tpm2_getcap", "properties-variable"]).lines().any(|line| line.split_whitespace().eq(["inLockout:", "1"])));
    }

    fn seal(&self) -> TpmAccount {
        match self.try_seal() {
            Said::Wrapped(Kept::Tpm(account)) => account,
            other => panic!("not sealed: {other:?}"),
        }
    }

    fn try_seal(&self) -> Said {
        seal_by(self.tcti())
    }

    fn holds(&self) -> String {
        ["handles-transient", "handles-loaded-session", "handles-saved-session"].map(|kind| self.tool(&["tpm2_getcap", kind])).concat()
    }

    /// Its owner puts a storage key there and shuts the rest.
    fn is_owned_with_key(&self, attributes: &str) {
        self.tool(&["tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-a", attributes, "-c", "key.ctx"]);
        self.tool(&["tpm2_evictcontrol", "-Q", "-C", "o", "-c", "key.ctx", "0x81000001"]);
        self.tool(&["tpm2_flushcontext", "-t"]);
        self.tool(&["tpm2_changeauth", "-c", "owner", "owned"]);
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// It listens there itself: an answer alone could be another test's TPM that was faster.
fn listens(process: &Child, port: u16) -> bool {
    let listening = format!(":{port:04X} 00000000:0000 0A");
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let inode = sockets.lines().find(|row| row.contains(&listening)).and_then(|row| row.split_whitespace().nth(9));
    let Some(socket) = inode.map(|inode| format!("socket:[{inode}]")) else { return false };
    let Ok(descriptors) = std::fs::read_dir(format!("/proc/{}/fd", process.id())) else { return false };
    descriptors.flatten().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|target| target.as_os_str() == socket.as_str()))
}

/// Two neighbours that are free.
fn two_ports() -> (TcpListener, TcpListener) {
    loop {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let next = first.local_addr().unwrap().port().checked_add(1);
        if let Some(Ok(second)) = next.map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port))) {
            return (first, second);
        }
    }
}

fn seal_by(tcti: String) -> Said {
    wrap(&TpmAccount { tcti, ..Default::default() }, b"", None)
}

fn unseal(account: &TpmAccount) -> Said {
    unwrap(account, VAULT, b"", None)
}

const STORAGE: &str = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt";

#[test]
fn a_secret_comes_back_and_nothing_stays_in_the_tpm() {
    let tpm = Tpm::new();
    let (first, second) = (tpm.seal(), tpm.seal());
    assert_eq!((first.parent.len(), first.maker.len()), (34, 34));
    assert_eq!((&first.parent, &first.maker), (&second.parent, &second.maker), "the same seed gives the same keys");
    assert!(first.parent != first.maker && first.private != second.private);
    for account in [&first, &second] {
        assert!(!account.public.iter().chain(&account.private).copied().collect::<Vec<_>>().windows(8).any(|part| part == &SHARE[..8]));
        assert_eq!(unseal(account), Said::Share(SHARE.to_vec()));
    }
    assert_eq!(tpm.holds(), "", "keys or sessions were left in it");
    // It lives on: a machine that starts anew opens the same.
    let port = tpm.port;
    tpm.tool(&["tpm2_shutdown", "-c"]);
    let restarted = Tpm::in_folder(copy_of(&tpm.folder));
    assert_ne!(port, restarted.port);
    assert_eq!(unseal(&TpmAccount { tcti: restarted.tcti(), ..first }), Said::Share(SHARE.to_vec()));
}

fn copy_of(folder: &TempDir) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).filter(|entry| entry.file_type().unwrap().is_file()) {
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

#[test]
fn what_was_changed_does_not_open() {
    let tpm = Tpm::new();
    let account = tpm.seal();
    let flipped = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    for at in [0, 2, 33, 34, 60, account.private.len() - 1] {
        let changed = TpmAccount { private: flipped(&account.private, at), ..account.clone() };
        assert_eq!(unseal(&changed), Said::Failed(Failure::NotSealed), "byte {at} of the private part");
    }
    for at in [0, 3, 7, 20, account.public.len() - 1] {
        let changed = TpmAccount { public: flipped(&account.public, at), ..account.clone() };
        assert_eq!(unseal(&changed), Said::Failed(Failure::NotSealed), "byte {at} of the public part");
    }
    let mut short = account.clone();
    short.private.truncate(20);
    assert_eq!(unseal(&short), Said::Failed(Failure::NotSealed));
    assert_eq!(unseal(&TpmAccount { public: vec![0], ..account.clone() }), Said::Failed(Failure::NotSealed));
    assert_eq!(unseal(&account), Said::Share(SHARE.to_vec()));
    assert_eq!(tpm.holds(), "", "a failure leaves keys or sessions in it");
}

#[test]
fn another_tpm_a_cleared_one_and_none_are_told_apart() {
    let (own, other) = (Tpm::new(), Tpm::new());
    let account = own.seal();
    let at = |tcti: String| TpmAccount { tcti, ..account.clone() };
    assert_eq!(unseal(&at(other.tcti())), Said::Failed(Failure::OtherTpm));
    let pretending = TpmAccount { parent: other.seal().parent, ..at(other.tcti()) };
    assert_eq!(unseal(&pretending), Said::Failed(Failure::NotSealed), "named after the other's key");
    own.tool(&["tpm2_clear"]);
    assert_eq!(unseal(&account), Said::Failed(Failure::TpmCleared));
    assert_eq!(unseal(&TpmAccount { maker: Vec::new(), ..account.clone() }), Said::Failed(Failure::OtherTpm), "nothing to tell it by");
    let nobody = two_ports();
    let nowhere = format!("swtpm:host=127.0.0.1,port={}", nobody.0.local_addr().unwrap().port());
    drop(nobody);
    assert_eq!(unseal(&at(nowhere.clone())), Said::Failed(Failure::NoTpm));
    assert_eq!(seal_by(nowhere), Said::Failed(Failure::NoTpm));
    assert_eq!(seal_by("device:/dev/tpm999".to_owned()), Said::Failed(Failure::NoTpm));
    assert_eq!(seal_by("tabrmd".to_owned()), Said::Failed(Failure::Account), "no other way to a TPM is taken");
}

#[test]
fn an_owners_storage_key_is_used_where_the_owner_shut_the_rest() {
    let tpm = Tpm::new();
    let before = tpm.seal();
    tpm.tool(&["tpm2_changeauth", "-c", "owner", "owned"]);
    assert_eq!(tpm.try_seal(), Said::Failed(Failure::TpmOwned));
    assert_eq!(unseal(&before), Said::Failed(Failure::TpmOwned));
    tpm.tool(&["tpm2_changeauth", "-c", "owner", "-p", "owned"]);
    assert_eq!(unseal(&before), Said::Share(SHARE.to_vec()));
    tpm.is_owned_with_key(&format!("{STORAGE}|noda"));
    let account = tpm.seal();
    assert_ne!(account.parent, before.parent);
    assert_eq!(unseal(&account), Said::Share(SHARE.to_vec()));
    assert_eq!(tpm.holds(), "");
}

#[test]
fn a_storage_key_that_could_leave_the_tpm_is_not_used() {
    let tpm = Tpm::new();
    tpm.is_owned_with_key(&STORAGE.replace("fixedtpm|fixedparent|", ""));
    assert_eq!(tpm.try_seal(), Said::Failed(Failure::TpmOwned));
}

/// Wrong tries of other programs shut nobody out, unless the owner's storage key is one that counts them.
#[test]
fn a_lockout_is_told_where_it_matters() {
    let tpm = Tpm::new();
    let account = tpm.seal();
    tpm.is_locked_out();
    assert_eq!(unseal(&account), Said::Share(SHARE.to_vec()), "it counts no tries");
    let counting = Tpm::new();
    counting.is_owned_with_key(STORAGE);
    let account = counting.seal();
    assert_eq!(unseal(&account), Said::Share(SHARE.to_vec()));
    counting.is_locked_out();
    assert_eq!(unseal(&account), Said::Failed(Failure::TpmLockedOut));
}

/// The end of a length, and the command's code.
const START_AUTH_SESSION: &[u8] = &[0, 0, 1, 0x76];

/// Listens in on the way to a TPM. What both sides said is in `heard`.
fn listen_in(tpm: &Tpm, heard: &Arc<Mutex<Vec<u8>>>) -> u16 {
    let (server, control) = two_ports();
    let port = server.local_addr().unwrap().port();
    for (listener, to) in [(server, tpm.port), (control, tpm.port + 1)] {
        let heard = heard.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)) else { return };
                for (mut from, mut into) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                    let heard = heard.clone();
                    std::thread::spawn(move || {
                        let mut part = [0; 4_096];
                        while let Ok(len @ 1..) = from.read(&mut part) {
                            heard.lock().unwrap().extend_from_slice(&part[..len]);
                            if into.write_all(&part[..len]).is_err() {
                                break;
                            }
                        }
                        let _ = into.shutdown(Shutdown::Write);
                    });
                }
            }
        });
    }
    port
}

#[test]
fn the_secret_does_not_cross_to_the_tpm_in_clear() {
    let (tpm, heard) = (Tpm::new(), Arc::new(Mutex::new(Vec::new())));
    let tcti = format!("swtpm:host=127.0.0.1,port={}", listen_in(&tpm, &heard));
    let Said::Wrapped(Kept::Tpm(account)) = seal_by(tcti) else { panic!("not sealed") };
    assert_eq!(unseal(&account), Said::Share(SHARE.to_vec()));
    let heard = heard.lock().unwrap();
    let has = |part: &[u8]| heard.windows(part.len()).any(|window| window == part);
    // The control: the way was listened to, and what is not secret is in it.
    assert!(has(&account.parent[2..]) || has(&account.public[2..]), "{} bytes heard", heard.len());
    assert!(!SHARE.chunks(8).any(has), "a part of the secret was heard");
    // Nor could the sessions' keys be derived by whoever listened: each was salted for a key of the TPM's, not for TPM_RH_NULL.
    let begun: Vec<_> = heard.windows(10).filter_map(|part| part.strip_prefix(START_AUTH_SESSION)?.first_chunk::<4>()).collect();
    assert!(begun.len() >= 3 && begun.iter().all(|key| **key != [0x40, 0, 0, 7]), "{begun:02x?}");
}
