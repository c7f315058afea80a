//! Shares that a real SoftHSM2 token keeps. Invariant: each test has tokens of its own in a folder of its own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends, also in its helpers")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{SHARE, Said, VAULT, unwrap, wrap};
use strongroom_signer_api::Account;
use strongroom_signer_api::keeping::{Kept, TokenAccount};
use strongroom_signer_api::provider::Failure;
use tempfile::TempDir;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &[u8] = b"1234";

struct Tokens {
    _folder: TempDir,
    conf: PathBuf,
}

impl Tokens {
    fn new(labels: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tokens = folder.path().join("tokens");
        std::fs::create_dir(&tokens).unwrap();
        let conf = folder.path().join("softhsm2.conf");
        let text = format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", tokens.display());
        std::fs::write(&conf, text).unwrap();
        let made = Self { _folder: folder, conf };
        labels.iter().for_each(|label| made.init(label));
        made
    }

    fn init(&self, label: &str) {
        self.util(&["--init-token", "--free", "--label", label, "--pin", "1234", "--so-pin", "12345678"]);
    }

    fn util(&self, arguments: &[&str]) {
        let done = Command::new("softhsm2-util").args(arguments).env("SOFTHSM2_CONF", &self.conf).stdout(Stdio::null()).status();
        assert!(done.expect("softhsm2-util: install the package softhsm2").success());
    }

    fn conf(&self) -> Option<&Path> {
        Some(&self.conf)
    }
}

fn on(token: &str) -> TokenAccount {
    TokenAccount { module: MODULE.to_owned(), token: token.to_owned(), key: "strongroom".to_owned(), ..Default::default() }
}

fn wrapped(tokens: &Tokens, token: &str) -> TokenAccount {
    match wrap(&Account::Token(on(token)), PIN, tokens.conf()) {
        Said::Wrapped(Kept::Share(Account::Token(account))) => account,
        other => panic!("not wrapped: {other:?}"),
    }
}

#[test]
fn a_share_comes_back_from_its_token_and_key() {
    let tokens = Tokens::new(&["desk", "other"]);
    let first = wrapped(&tokens, "desk");
    assert!(!first.serial.is_empty() && first.key_id.len() == 16 && first.wrapped.len() == 60);
    assert!(!first.wrapped.windows(8).any(|window| window == &SHARE[..8]));
    // The key is there now, and is used again.
    let second = wrapped(&tokens, "desk");
    assert_eq!((&first.key_id, &first.serial), (&second.key_id, &second.serial));
    assert_ne!(first.wrapped, second.wrapped);
    for account in [first, second] {
        let account = Account::Token(account);
        assert_eq!(unwrap(&account, VAULT, PIN, tokens.conf()), Said::Share(SHARE.to_vec()));
        assert_eq!(unwrap(&account, &[8; 16], PIN, tokens.conf()), Said::Failed(Failure::NotTheirs), "another vault");
    }
}

#[test]
fn what_was_changed_does_not_open() {
    let tokens = Tokens::new(&["desk"]);
    let account = wrapped(&tokens, "desk");
    for at in [0, 11, 12, 43, 44, account.wrapped.len() - 1] {
        let mut changed = account.clone();
        changed.wrapped[at] ^= 1;
        assert_eq!(unwrap(&Account::Token(changed), VAULT, PIN, tokens.conf()), Said::Failed(Failure::NotTheirs), "byte {at}");
    }
    let mut short = account.clone();
    short.wrapped.truncate(10);
    assert_eq!(unwrap(&Account::Token(short), VAULT, PIN, tokens.conf()), Said::Failed(Failure::NotTheirs));
}

#[test]
fn another_token_does_not_open_it() {
    let tokens = Tokens::new(&["desk", "other"]);
    let (desk, other) = (wrapped(&tokens, "desk"), wrapped(&tokens, "other"));
    let swapped = TokenAccount { wrapped: desk.wrapped.clone(), ..other };
    assert_eq!(unwrap(&Account::Token(swapped), VAULT, PIN, tokens.conf()), Said::Failed(Failure::NotTheirs));
    let elsewhere = Tokens::new(&["desk"]);
    let of_desk = Account::Token(desk.clone());
    assert_eq!(unwrap(&of_desk, VAULT, PIN, elsewhere.conf()), Said::Failed(Failure::NoToken), "the same name, another serial number");
    let of_a_key = Account::Token(TokenAccount { key: "gone".to_owned(), ..desk });
    assert_eq!(unwrap(&of_a_key, VAULT, PIN, tokens.conf()), Said::Failed(Failure::KeyMissing));
}

#[test]
fn wrong_pins_are_told() {
    let tokens = Tokens::new(&["desk"]);
    let account = Account::Token(wrapped(&tokens, "desk"));
    for pin in [&b"9999"[..], b"1", b"12345678901234567890"] {
        let Said::Failed(failure) = unwrap(&account, VAULT, pin, tokens.conf()) else { panic!("{pin:?} opened it") };
        assert!(failure.is_wrong_pin(), "{failure:?}");
    }
    assert_eq!(unwrap(&account, VAULT, b"", tokens.conf()), Said::Failed(Failure::PinUnfit));
    assert_eq!(unwrap(&account, VAULT, PIN, tokens.conf()), Said::Share(SHARE.to_vec()));
}

#[test]
fn a_token_that_is_not_there_is_told() {
    let tokens = Tokens::new(&["desk", "twice", "twice"]);
    let fails = |account: TokenAccount| match wrap(&Account::Token(account), PIN, tokens.conf()) {
        Said::Failed(failure) => failure,
        other => panic!("{other:?}"),
    };
    assert_eq!(fails(on("elsewhere")), Failure::NoToken);
    assert_eq!(fails(on("twice")), Failure::TokenTwice);
    assert_eq!(fails(TokenAccount { module: "/nonexistent.so".to_owned(), ..on("desk") }), Failure::ModuleUnsafe);
    assert_eq!(fails(TokenAccount { module: "/etc/passwd".to_owned(), ..on("desk") }), Failure::ModuleNotLoaded);
    assert_eq!(fails(wrapped(&tokens, "desk")), Failure::Account, "wrapped already");
    assert_eq!(unwrap(&Account::Token(on("desk")), VAULT, PIN, tokens.conf()), Said::Failed(Failure::Account), "not wrapped yet");
}

/// A module that others may write to could be anything.
#[test]
fn a_module_in_an_open_folder_is_not_loaded() {
    use std::os::unix::fs::PermissionsExt as _;
    let tokens = Tokens::new(&["desk"]);
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open");
    std::fs::create_dir(&open).unwrap();
    let copy = open.join("module.so");
    std::fs::copy(MODULE, &copy).unwrap();
    let account = Account::Token(TokenAccount { module: copy.to_str().unwrap().to_owned(), ..on("desk") });
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(wrap(&account, PIN, tokens.conf()), Said::Failed(Failure::ModuleUnsafe));
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(wrap(&account, PIN, tokens.conf()), Said::Wrapped(_)));
}

/// A key that was brought in and may be read out again keeps nothing.
#[test]
fn a_key_that_can_leave_is_not_used() {
    use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
    use cryptoki::object::{Attribute, KeyType, ObjectClass};
    use cryptoki::session::UserType;
    use cryptoki::types::AuthPin;

    // This process loads the module itself: it reads its configuration once, so it may be this test's alone.
    let tokens = Tokens::new(&["desk"]);
    let maker = std::env::current_exe().unwrap();
    if std::env::var_os("SOFTHSM2_CONF").is_none() {
        let made = Command::new(maker)
            .args(["--exact", "a_key_that_can_leave_is_not_used", "--nocapture"])
            .env("SOFTHSM2_CONF", &tokens.conf)
            .stdout(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let Said::Failed(failure) = wrap(&Account::Token(on("desk")), PIN, tokens.conf()) else { panic!("it was used") };
        assert_eq!(failure, Failure::KeyUnfit);
        return;
    }
    let module = Pkcs11::new(MODULE).unwrap();
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let is_desk = |slot: &cryptoki::slot::Slot| module.get_token_info(*slot).is_ok_and(|facts| facts.label() == "desk");
    let slot = module.get_slots_with_token().unwrap().into_iter().find(is_desk).unwrap();
    let session = module.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::new("1234".into()))).unwrap();
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Value(vec![5; 32]),
        Attribute::Label(b"strongroom".to_vec()),
        Attribute::Token(true),
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
    ];
    session.create_object(&template).unwrap();
}
