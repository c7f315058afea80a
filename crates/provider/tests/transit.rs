//! Shares that a key server keeps: a strict one, written from the documentation, see `strict_transit/mod.rs`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends, also in its helpers")]

mod common;
mod strict_transit;

use common::{SHARE, Said, VAULT, unwrap, wrap};
use strict_transit::{Key, StrictTransit};
use strongroom_signer_api::Account;
use strongroom_signer_api::keeping::{Kept, TransitAccount};
use strongroom_signer_api::provider::Failure;
use tempfile::TempDir;

const TOKEN: &[u8] = b"hvs.CAESIJ-a-token";

struct World {
    folder: TempDir,
    server: StrictTransit,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = StrictTransit::start(folder.path(), std::str::from_utf8(TOKEN).unwrap()).unwrap();
        Self { folder, server }
    }

    fn account(&self) -> TransitAccount {
        TransitAccount {
            address: self.server.address.clone(),
            ca_file: self.server.ca_file.to_str().unwrap().to_owned(),
            mount: "transit".to_owned(),
            key: "strongroom".to_owned(),
            ..Default::default()
        }
    }

    fn wrapped(&self) -> TransitAccount {
        match wrap(&Account::Transit(self.account()), TOKEN, None) {
            Said::Wrapped(Kept::Share(Account::Transit(account))) => account,
            other => panic!("not wrapped: {other:?}"),
        }
    }

    fn fails(&self, account: TransitAccount, token: &[u8]) -> Failure {
        match wrap(&Account::Transit(account), token, None) {
            Said::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    fn opens(&self, account: &TransitAccount, vault_id: &[u8; 16], token: &[u8]) -> Said {
        unwrap(&Account::Transit(account.clone()), vault_id, token, None)
    }
}

#[test]
fn a_share_comes_back_from_its_server_and_key() {
    let world = World::new();
    let account = world.wrapped();
    assert!(account.wrapped.starts_with(b"vault:v1:"));
    assert_eq!(world.opens(&account, VAULT, TOKEN), Said::Share(SHARE.to_vec()));
    assert_eq!(world.opens(&account, &[8; 16], TOKEN), Said::Failed(Failure::NotTheirs), "another vault, another context");
    let seen: Vec<String> = world.server.with(|state| state.log.iter().map(|(request, _)| request.clone()).collect());
    assert_eq!(
        seen[..4],
        [
            "GET /v1/transit/keys/strongroom",
            "POST /v1/transit/encrypt/strongroom",
            "POST /v1/transit/decrypt/strongroom",
            "POST /v1/transit/decrypt/strongroom"
        ]
    );
}

#[test]
fn what_was_changed_does_not_open() {
    let world = World::new();
    let account = world.wrapped();
    let mut flipped = account.clone();
    flipped.wrapped[12] = if flipped.wrapped[12] == b'A' { b'B' } else { b'A' };
    let of_another_key = TransitAccount { key: "another".to_owned(), ..account.clone() };
    world.server.with(|state| state.keys.insert("another".to_owned(), Key::good()));
    for changed in [
        flipped,
        of_another_key,
        TransitAccount { wrapped: b"vault:v1:".to_vec(), ..account.clone() },
        TransitAccount { wrapped: b"vault:v1:\",\"x\":\"".to_vec(), ..account.clone() },
        TransitAccount { wrapped: b"plain".to_vec(), ..account },
    ] {
        assert_eq!(world.opens(&changed, VAULT, TOKEN), Said::Failed(Failure::NotTheirs), "{changed:?}");
    }
}

#[test]
fn a_wrong_token_is_denied() {
    let world = World::new();
    let account = world.wrapped();
    assert_eq!(world.opens(&account, VAULT, b"hvs.another"), Said::Failed(Failure::Denied));
    assert_eq!(world.fails(world.account(), b"hvs.another"), Failure::Denied);
    for token in [&b""[..], b"two words", b"line\r\nX-Vault-Namespace: x", "t\u{f6}ken".as_bytes()] {
        assert_eq!(world.opens(&account, VAULT, token), Said::Failed(Failure::PinUnfit));
    }
    assert_eq!(world.opens(&account, VAULT, b"hvs.CAESIJ-a-token\n"), Said::Share(SHARE.to_vec()), "the end of a line is no part of it");
}

#[test]
fn only_a_key_that_derives_and_stays_is_used() {
    let world = World::new();
    world.server.with(|state| {
        state.keys.insert("plain".to_owned(), Key { derived: false, ..Key::good() });
        state.keys.insert("leaves".to_owned(), Key { exportable: true, ..Key::good() });
        state.keys.insert("chacha".to_owned(), Key { kind: "chacha20-poly1305", ..Key::good() });
    });
    for (key, failure) in
        [("plain", Failure::NotDerived), ("leaves", Failure::KeyUnfit), ("chacha", Failure::KeyUnfit), ("missing", Failure::KeyMissing)]
    {
        assert_eq!(world.fails(TransitAccount { key: key.to_owned(), ..world.account() }, TOKEN), failure, "{key}");
    }
    let elsewhere = TransitAccount { mount: "elsewhere".to_owned(), ..world.account() };
    assert_eq!(world.fails(elsewhere, TOKEN), Failure::KeyMissing);
}

#[test]
fn a_server_that_cannot_be_had_is_told() {
    let world = World::new();
    let account = world.wrapped();
    world.server.with(|state| state.is_sealed = true);
    assert_eq!(world.opens(&account, VAULT, TOKEN), Said::Failed(Failure::ServerSealed));
    world.server.with(|state| state.is_sealed = false);
    // Nobody listens at a port that was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nowhere = TransitAccount { address: format!("https://127.0.0.1:{port}"), ..account.clone() };
    assert_eq!(world.opens(&nowhere, VAULT, TOKEN), Said::Failed(Failure::Unreachable));
    let unreadable = TransitAccount { ca_file: world.folder.path().join("none.pem").to_str().unwrap().to_owned(), ..account };
    assert_eq!(world.opens(&unreadable, VAULT, TOKEN), Said::Failed(Failure::CaUnreadable));
}

#[test]
fn a_server_of_another_authority_is_told_no_token() {
    let (world, other) = (World::new(), World::new());
    let account = world.wrapped();
    let before = world.server.with(|state| state.log.len());
    let mistrusted = TransitAccount { ca_file: other.account().ca_file, ..account.clone() };
    assert_eq!(world.opens(&mistrusted, VAULT, TOKEN), Said::Failed(Failure::NotTrusted));
    let port = account.address.rsplit(':').next().unwrap();
    let other_name = TransitAccount { address: format!("https://localhost:{port}"), ..account };
    assert_eq!(world.opens(&other_name, VAULT, TOKEN), Said::Failed(Failure::NotTrusted), "a name that is not in its certificate");
    assert_eq!(world.server.with(|state| state.log.len()), before, "nothing was asked of it");
}
