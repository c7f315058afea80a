//! How a slot's secrets are had: which token or key server keeps the key, and what it made of the share; what a TPM sealed.
//!
//! Invariant: an account has one encoding and holds no secret; what is in it was checked when it was read.

use strongroom_model::{MachineSecret, ShareKeeper, is_plain};

use crate::tpm::TpmAccount;

/// Longest account; a vault keeps no longer one.
pub const ACCOUNT_LEN_MAX: usize = 4 * 1_024;
/// Longest path.
const PATH_LEN_MAX: usize = 1_024;
/// Longest name of a token, key, server, mount or namespace.
const NAME_LEN_MAX: usize = 255;
/// Longest number of a key on a token.
const KEY_ID_LEN_MAX: usize = 255;
/// Longest ciphertext of a share.
pub(crate) const WRAPPED_LEN_MAX: usize = 512;
/// The keepers' numbers.
const TOKEN: u8 = 1;
const TRANSIT: u8 = 2;
// 3 is a TPM's: `crate::tpm`.

/// How all that a slot needs is had, besides what a person types or the keychain keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// The machine's own secret, if a TPM sealed it.
    pub tpm: Option<TpmAccount>,
    /// The share.
    pub share: Account,
}

impl Keeping {
    /// For a slot that is to be added.
    pub fn asked(keeper: &ShareKeeper, machine: Option<&MachineSecret>) -> Self {
        let tpm = match machine {
            Some(MachineSecret::Tpm { tcti }) => Some(TpmAccount { tcti: tcti.clone(), ..Default::default() }),
            Some(MachineSecret::Keychain) | None => None,
        };
        Self { tpm, share: Account::asked(keeper) }
    }

    /// What is wrong with it, for people; nothing: it can be used.
    pub fn trouble(&self) -> Option<&'static str> {
        self.tpm.as_ref().and_then(TpmAccount::trouble).or_else(|| self.share.trouble())
    }

    /// Whether everything was wrapped.
    pub fn is_complete(&self) -> bool {
        self.tpm.as_ref().is_none_or(TpmAccount::is_complete) && self.share.is_complete()
    }

    /// For people: who keeps what, and where.
    pub fn words(&self) -> String {
        match &self.tpm {
            Some(tpm) => format!("{}, besides {}", self.share.words(), tpm.words()),
            None => self.share.words(),
        }
    }

    /// As bytes: the account of the TPM, if there is one, and the account of the share.
    pub fn encode(&self) -> Vec<u8> {
        let tpm = self.tpm.as_ref().map(TpmAccount::encode).unwrap_or_default();
        [tpm, self.share.encode()].concat()
    }

    /// Reads those bytes; `None` for anything else, and for what could not be used.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > ACCOUNT_LEN_MAX {
            return None;
        }
        match TpmAccount::read(bytes) {
            Some((tpm, share)) => Some(Self { tpm: Some(tpm), share: Account::decode(share)? }),
            None => Some(Self { tpm: None, share: Account::decode(bytes)? }),
        }
    }
}

/// How one secret of a slot is had: what a provider is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The share.
    Share(Account),
    /// The machine's own secret.
    Tpm(TpmAccount),
}

impl Kept {
    /// Whether it was wrapped.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Share(of) => of.is_complete(),
            Self::Tpm(of) => of.is_complete(),
        }
    }

    /// Whether this is `asked` with the keeper's own parts filled in, and with nothing else changed.
    pub fn completes(&self, asked: &Self) -> bool {
        match (self, asked) {
            (Self::Share(of), Self::Share(asked)) => of.completes(asked),
            (Self::Tpm(of), Self::Tpm(asked)) => of.completes(asked),
            _ => false,
        }
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Share(of) => of.encode(),
            Self::Tpm(of) => of.encode(),
        }
    }

    /// Reads those bytes; `None` for anything else, and for what could not be used.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match TpmAccount::read(bytes) {
            Some((tpm, rest)) => rest.is_empty().then_some(Self::Tpm(tpm)),
            None => Account::decode(bytes).map(Self::Share),
        }
    }
}

impl From<Account> for Kept {
    fn from(of: Account) -> Self {
        Self::Share(of)
    }
}

impl From<TpmAccount> for Kept {
    fn from(of: TpmAccount) -> Self {
        Self::Tpm(of)
    }
}

/// How a share is had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// A token with PKCS#11.
    Token(TokenAccount),
    /// The transit engine of a HashiCorp Vault or an OpenBao.
    Transit(TransitAccount),
}

/// A key on a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenAccount {
    /// Path of the PKCS#11 library.
    pub module: String,
    /// The token's name.
    pub token: String,
    /// The token's serial number; empty until the share is wrapped.
    pub serial: String,
    /// The key's name.
    pub key: String,
    /// The key's `CKA_ID`; empty until the share is wrapped.
    pub key_id: Vec<u8>,
    /// Nonce, ciphertext and tag of the share; empty until it is wrapped.
    pub wrapped: Vec<u8>,
}

/// A key on a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransitAccount {
    /// `https://host` or `https://host:port`.
    pub address: String,
    /// Path of the authority's certificate, PEM.
    pub ca_file: String,
    /// Where the engine is mounted.
    pub mount: String,
    /// The key's name.
    pub key: String,
    /// The namespace, if there are such; else empty.
    pub namespace: String,
    /// `vault:v1:…`; empty until the share is wrapped.
    pub wrapped: Vec<u8>,
}

impl Account {
    /// For a slot whose share is to be kept there.
    pub fn asked(keeper: &ShareKeeper) -> Self {
        match keeper {
            ShareKeeper::Token { module, token, key } => {
                Self::Token(TokenAccount { module: module.clone(), token: token.clone(), key: key.clone(), ..Default::default() })
            }
            ShareKeeper::Transit { address, ca_file, mount, key, namespace } => Self::Transit(TransitAccount {
                address: address.trim_end_matches('/').to_owned(),
                ca_file: ca_file.clone(),
                mount: mount.clone(),
                key: key.clone(),
                namespace: namespace.clone(),
                wrapped: Vec::new(),
            }),
        }
    }

    /// What is wrong with it, for people; nothing: it can be used.
    pub fn trouble(&self) -> Option<&'static str> {
        let is_path = |path: &str| path.starts_with('/') && path.len() <= PATH_LEN_MAX && !path.contains('\0');
        match self {
            Self::Token(TokenAccount { module, .. }) if !is_path(module) => Some("name the module by its whole path, from / on"),
            Self::Token(TokenAccount { token, key, .. }) if token.is_empty() || key.is_empty() => Some("name the token and its key"),
            Self::Token(_) => None,
            Self::Transit(TransitAccount { address, .. }) if host_and_port(address).is_none() => {
                Some("a key server is named as https://host or https://host:port")
            }
            Self::Transit(TransitAccount { ca_file, .. }) if !is_path(ca_file) => {
                Some("name the authority's certificate by its whole path, from / on")
            }
            Self::Transit(TransitAccount { mount, .. }) if !is_url_path(mount) => Some("the mount has letters that no mount has"),
            Self::Transit(TransitAccount { key, .. }) if key.contains('/') || !is_url_path(key) => {
                Some("the key's name has letters that no key's name has")
            }
            Self::Transit(TransitAccount { namespace, .. }) if !namespace.is_empty() && !is_url_path(namespace) => {
                Some("the namespace has letters that no namespace has")
            }
            Self::Transit(_) => None,
        }
    }

    /// Whether the share was wrapped.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Token(of) => !of.wrapped.is_empty(),
            Self::Transit(of) => !of.wrapped.is_empty(),
        }
    }

    /// Whether this is `asked` with the keeper's own parts filled in, and with nothing else changed.
    pub fn completes(&self, asked: &Self) -> bool {
        let stripped = match self {
            Self::Token(of) => Self::Token(TokenAccount { serial: String::new(), key_id: Vec::new(), wrapped: Vec::new(), ..of.clone() }),
            Self::Transit(of) => Self::Transit(TransitAccount { wrapped: Vec::new(), ..of.clone() }),
        };
        self.is_complete() && stripped == *asked
    }

    /// For people: who keeps the share, and where.
    pub fn words(&self) -> String {
        match self {
            Self::Token(TokenAccount { module, token, serial, key, .. }) => {
                let serial = if serial.is_empty() { String::new() } else { format!(" ({serial})") };
                format!("token “{token}”{serial}, key “{key}”, {module}")
            }
            Self::Transit(TransitAccount { address, mount, key, .. }) => format!("key server {address}, {mount}, key “{key}”"),
        }
    }

    /// As bytes: the keeper's number, then each part behind its length (`u16`).
    pub fn encode(&self) -> Vec<u8> {
        let (number, parts) = match self {
            Self::Token(TokenAccount { module, token, serial, key, key_id, wrapped }) => {
                (TOKEN, [module.as_bytes(), token.as_bytes(), serial.as_bytes(), key.as_bytes(), key_id, wrapped])
            }
            Self::Transit(TransitAccount { address, ca_file, mount, key, namespace, wrapped }) => {
                (TRANSIT, [address.as_bytes(), ca_file.as_bytes(), mount.as_bytes(), key.as_bytes(), namespace.as_bytes(), wrapped])
            }
        };
        write(number, &parts)
    }

    /// Reads those bytes; `None` for anything else, and for what could not be used.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (number, mut rest) = bytes.split_first().filter(|_| bytes.len() <= ACCOUNT_LEN_MAX)?;
        let mut part = |len_max| read_part(&mut rest, len_max);
        let account = match *number {
            TOKEN => Self::Token(TokenAccount {
                module: text(part(PATH_LEN_MAX)?)?,
                token: text(part(NAME_LEN_MAX)?)?,
                serial: text(part(NAME_LEN_MAX)?)?,
                key: text(part(NAME_LEN_MAX)?)?,
                key_id: part(KEY_ID_LEN_MAX)?.to_vec(),
                wrapped: part(WRAPPED_LEN_MAX)?.to_vec(),
            }),
            TRANSIT => Self::Transit(TransitAccount {
                address: text(part(NAME_LEN_MAX)?)?,
                ca_file: text(part(PATH_LEN_MAX)?)?,
                mount: text(part(NAME_LEN_MAX)?)?,
                key: text(part(NAME_LEN_MAX)?)?,
                namespace: text(part(NAME_LEN_MAX)?)?,
                wrapped: part(WRAPPED_LEN_MAX)?.to_vec(),
            }),
            _ => return None,
        };
        (rest.is_empty() && account.trouble().is_none()).then_some(account)
    }
}

/// Host and port of a server's address; `None` for anything but `https://host` with or without a port.
pub fn host_and_port(address: &str) -> Option<(&str, u16)> {
    let authority = address.strip_prefix("https://")?;
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, 443),
        Some((host, port)) => (host, port.strip_prefix(':')?.parse().ok()?),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, 443),
        },
    };
    let is_v6 = authority.starts_with('[');
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-') || (is_v6 && c == ':');
    (!host.is_empty() && port != 0 && host.chars().all(fits)).then_some((host, port))
}

/// Segments that need no escape, and none that leads upwards.
fn is_url_path(path: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    path.len() <= NAME_LEN_MAX && path.split('/').all(|part| !part.is_empty() && !matches!(part, "." | "..") && part.chars().all(fits))
}

/// The keeper's number, then each part behind its length.
pub(crate) fn write(number: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![number];
    for part in parts {
        bytes.extend_from_slice(&u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// The next part, taken from `rest`; nothing: it is cut, or longer than it may be.
pub(crate) fn read_part<'a>(rest: &mut &'a [u8], len_max: usize) -> Option<&'a [u8]> {
    let (len, after) = rest.split_first_chunk()?;
    let (part, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    *rest = after;
    (part.len() <= len_max).then_some(part)
}

pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().filter(|text| text.chars().all(is_plain)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> TokenAccount {
        TokenAccount {
            module: "/usr/lib/softhsm/libsofthsm2.so".to_owned(),
            token: "desk".to_owned(),
            serial: "6d2e8b1a".to_owned(),
            key: "strongroom".to_owned(),
            key_id: vec![1, 0, 255],
            wrapped: vec![9; 60],
        }
    }

    fn transit() -> TransitAccount {
        TransitAccount {
            address: "https://vault.example:8200".to_owned(),
            ca_file: "/etc/vault/ca.pem".to_owned(),
            mount: "teams/transit".to_owned(),
            key: "strongroom".to_owned(),
            namespace: String::new(),
            wrapped: b"vault:v1:abcd".to_vec(),
        }
    }

    fn tpm() -> TpmAccount {
        TpmAccount {
            tcti: "device:/dev/tpmrm0".to_owned(),
            parent: vec![3; 34],
            maker: vec![4; 34],
            public: vec![5; 78],
            private: vec![6; 190],
        }
    }

    #[test]
    fn what_a_slot_needs_reads_as_it_was_written() {
        for share in [Account::Token(token()), Account::Transit(transit())] {
            let bytes = share.encode();
            assert_eq!(Keeping::decode(&bytes), Some(Keeping { tpm: None, share: share.clone() }), "as it was before there were TPMs");
            let both = Keeping { tpm: Some(tpm()), share };
            let bytes = both.encode();
            assert_eq!(Account::decode(&bytes), None, "a program that knows no TPM does not read it");
            assert_eq!(Keeping::decode(&bytes), Some(both));
            for len in 0..bytes.len() {
                assert_eq!(Keeping::decode(&bytes[..len]), None, "{len}");
            }
            assert_eq!(Keeping::decode(&[&bytes[..], &[0]].concat()), None);
        }
        let alone = tpm().encode();
        assert_eq!((Keeping::decode(&alone), Kept::decode(&alone)), (None, Some(Kept::Tpm(tpm()))));
        assert_eq!(Kept::decode(&[&alone[..], &[0]].concat()), None);
        assert_eq!(Keeping::decode(&[&alone[..], &alone].concat()), None);
        let longest = Keeping {
            tpm: Some(TpmAccount { public: vec![0; WRAPPED_LEN_MAX], private: vec![0; WRAPPED_LEN_MAX], ..tpm() }),
            share: Account::Token(TokenAccount { module: format!("/{}", "m".repeat(PATH_LEN_MAX - 1)), ..token() }),
        };
        assert_eq!(Keeping::decode(&longest.encode()), Some(longest));
    }

    #[test]
    fn an_account_reads_as_it_was_written() {
        for account in [Account::Token(token()), Account::Transit(transit())] {
            let bytes = account.encode();
            assert_eq!(Account::decode(&bytes), Some(account.clone()));
            for len in 0..bytes.len() {
                assert_eq!(Account::decode(&bytes[..len]), None, "{len}");
            }
            assert_eq!(Account::decode(&[&bytes[..], &[0]].concat()), None);
            assert_eq!(Account::decode(&[&[9], &bytes[1..]].concat()), None);
        }
    }

    /// Rows: an address, and whether it is one.
    #[test]
    fn addresses() {
        for (address, found) in [
            ("https://vault.example", Some(("vault.example", 443))),
            ("https://vault.example:8200", Some(("vault.example", 8200))),
            ("https://127.0.0.1:8200", Some(("127.0.0.1", 8200))),
            ("https://[::1]:8200", Some(("::1", 8200))),
            ("https://[::1]", Some(("::1", 443))),
            ("http://127.0.0.1:8200", None),
            ("https://user@vault.example", None),
            ("https://vault.example/v1", None),
            ("https://vault.example:0", None),
            ("https://vault.example:99999", None),
            ("https://::1", None),
            ("https://", None),
            ("vault.example", None),
        ] {
            assert_eq!(host_and_port(address), found, "{address}");
        }
    }

    /// Rows: what can be wrong.
    #[test]
    fn what_cannot_be_used_is_not_read() {
        let bad = [
            Account::Token(TokenAccount { module: "libsofthsm2.so".to_owned(), ..token() }),
            Account::Token(TokenAccount { token: String::new(), ..token() }),
            Account::Token(TokenAccount { token: "de\u{1b}sk".to_owned(), ..token() }),
            Account::Token(TokenAccount { wrapped: vec![0; WRAPPED_LEN_MAX + 1], ..token() }),
            Account::Transit(TransitAccount { address: "http://127.0.0.1:8200".to_owned(), ..transit() }),
            Account::Transit(TransitAccount { mount: "../sys".to_owned(), ..transit() }),
            Account::Transit(TransitAccount { key: "a/b".to_owned(), ..transit() }),
            Account::Transit(TransitAccount { key: "a b".to_owned(), ..transit() }),
            Account::Transit(TransitAccount { namespace: "a\r\nb".to_owned(), ..transit() }),
            Account::Transit(TransitAccount { ca_file: "ca.pem".to_owned(), ..transit() }),
        ];
        for account in bad {
            assert_eq!(Kept::decode(&account.encode()), None, "{account:?}");
        }
        let bad = [
            TpmAccount { tcti: "tabrmd".to_owned(), ..tpm() },
            TpmAccount { tcti: "device:/dev/tpm0\n".to_owned(), ..tpm() },
            TpmAccount { private: vec![0; WRAPPED_LEN_MAX + 1], ..tpm() },
            TpmAccount { parent: vec![0; 69], ..tpm() },
        ];
        for account in bad {
            assert_eq!(Kept::decode(&account.encode()), None, "{account:?}");
        }
    }

    #[test]
    fn only_the_keepers_parts_may_be_filled_in() {
        let asked = Account::asked(&ShareKeeper::Token { module: token().module, token: token().token, key: token().key });
        assert!(asked.trouble().is_none() && !asked.completes(&asked));
        assert!(Account::Token(token()).completes(&asked));
        assert!(!Account::Token(TokenAccount { key: "another".to_owned(), ..token() }).completes(&asked));
        assert!(!Account::Transit(transit()).completes(&asked));
        let asked = TpmAccount { tcti: tpm().tcti, ..Default::default() };
        assert!(asked.trouble().is_none() && tpm().completes(&asked));
        assert!(!TpmAccount { tcti: "device:/dev/tpm0".to_owned(), ..tpm() }.completes(&asked));
        assert!(!TpmAccount { private: Vec::new(), ..tpm() }.completes(&asked));
        assert!(!Kept::Tpm(tpm()).completes(&Kept::Share(Account::Token(token()))));
    }
}
