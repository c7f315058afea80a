//! The provider's process, asked as the signer asks. Invariant: each request has a process of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use std::os::fd::AsFd as _;
use strongroom_signer_api::Line;
use strongroom_signer_api::channel::{Channel, PACKET_LEN_MAX};
use strongroom_signer_api::keeping::Kept;
use strongroom_signer_api::provider::{Failure, FromProvider, ToProvider};

/// The vault that shares are for.
pub(crate) const VAULT: &[u8; 16] = &[7; 16];
/// A share.
pub(crate) const SHARE: &[u8; 32] = b"a share of thirty-two bytes here";

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Wrapped(Kept),
    Share(Vec<u8>),
    Failed(Failure),
}

/// Runs the program for one request.
pub(crate) fn ask(request: &ToProvider<'_>, softhsm_conf: Option<&Path>) -> Said {
    let (ours, theirs) = Channel::pair().unwrap();
    let (signer, provider) = Channel::pair().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom-provider"));
    command.env_clear().env("TSS2_LOG", "all+none").stdin(theirs.into_fd()).stdout(Stdio::null());
    if let Some(conf) = softhsm_conf {
        command.env("SOFTHSM2_CONF", conf);
    }
    let mut child = command.spawn().unwrap();
    drop(command);
    ours.send(b"P", &[provider.as_fd()]).unwrap();
    drop(provider);
    let mut bytes = Vec::new();
    assert!(request.write(&mut bytes));
    let mut signer = Line::from(signer);
    signer.send(&mut bytes, &[]).unwrap();
    let mut buffer = vec![0; PACKET_LEN_MAX];
    let packet = signer.recv(&mut buffer).unwrap().expect("an answer");
    let said = match FromProvider::parse(&buffer[..packet.len]).expect("understood") {
        FromProvider::Wrapped(account) => Said::Wrapped(Kept::decode(&account).expect("an account")),
        FromProvider::Share(share) => Said::Share(share.to_vec()),
        FromProvider::Failed(failure) => Said::Failed(failure),
    };
    assert!(child.wait().unwrap().success());
    assert!(signer.recv(&mut buffer).unwrap().is_none(), "one answer");
    said
}

/// Lets the keeper wrap [`SHARE`].
pub(crate) fn wrap(account: &(impl Clone + Into<Kept>), pin: &[u8], conf: Option<&Path>) -> Said {
    ask(&ToProvider::Wrap { vault_id: *VAULT, share: SHARE, pin, account: account.clone().into().encode() }, conf)
}

/// Lets the keeper unwrap it for a vault.
pub(crate) fn unwrap(account: &(impl Clone + Into<Kept>), vault_id: &[u8; 16], pin: &[u8], conf: Option<&Path>) -> Said {
    ask(&ToProvider::Unwrap { vault_id: *vault_id, pin, account: account.clone().into().encode() }, conf)
}
