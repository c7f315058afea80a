//! What the signer and a key provider say to each other: one tag byte and raw bytes, read in place.
//!
//! Invariant: a share or a PIN is never decoded into owned text on the way, and one request has one answer.

use crate::keeping::ACCOUNT_LEN_MAX;

/// Bytes of a share.
pub const SHARE_LEN: usize = 32;
/// Bytes of a vault's name.
pub const VAULT_ID_LEN: usize = 16;
/// Longest PIN of a token, or token of a server.
pub const PIN_LEN_MAX: usize = 2 * 1_024;
/// Longest message either way.
pub const MESSAGE_LEN_MAX: usize = 1 + VAULT_ID_LEN + SHARE_LEN + 2 + PIN_LEN_MAX + ACCOUNT_LEN_MAX;
/// A provider that has not answered after so long is ended.
pub const PATIENCE_S: u64 = 30;

/// From the signer to the provider; borrowed from the packet.
#[derive(Debug, PartialEq, Eq)]
pub enum ToProvider<'a> {
    /// Let the keeper encrypt this share for this vault.
    Wrap {
        /// What it is bound to.
        vault_id: &'a [u8; VAULT_ID_LEN],
        /// The share.
        share: &'a [u8; SHARE_LEN],
        /// The token's PIN, or the server's token.
        pin: &'a [u8],
        /// Where; an [`crate::keeping::Account`] that is not complete yet.
        account: &'a [u8],
    },
    /// Let the keeper decrypt the share of this vault.
    Unwrap {
        /// What it is bound to.
        vault_id: &'a [u8; VAULT_ID_LEN],
        /// The token's PIN, or the server's token.
        pin: &'a [u8],
        /// Where, and the ciphertext.
        account: &'a [u8],
    },
}

/// From the provider to the signer; borrowed from the packet.
#[derive(Debug, PartialEq, Eq)]
pub enum FromProvider<'a> {
    /// The account, complete.
    Wrapped(&'a [u8]),
    /// The share.
    Share(&'a [u8; SHARE_LEN]),
    /// Neither.
    Failed(Failure),
}

impl<'a> ToProvider<'a> {
    /// Writes into `out`, which must be wiped by its owner. `false`: the PIN or the account is too long.
    #[must_use]
    pub fn write(&self, out: &mut Vec<u8>) -> bool {
        out.clear();
        let (pin, account) = match self {
            Self::Wrap { vault_id, share, pin, account } => {
                out.push(b'W');
                out.extend_from_slice(*vault_id);
                out.extend_from_slice(*share);
                (pin, account)
            }
            Self::Unwrap { vault_id, pin, account } => {
                out.push(b'U');
                out.extend_from_slice(*vault_id);
                (pin, account)
            }
        };
        let Some(len) = u16::try_from(pin.len()).ok().filter(|_| pin.len() <= PIN_LEN_MAX && account.len() <= ACCOUNT_LEN_MAX) else {
            return false;
        };
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(pin);
        out.extend_from_slice(account);
        true
    }

    /// Reads; `None` for anything else.
    pub fn parse(packet: &'a [u8]) -> Option<Self> {
        let (tag, rest) = packet.split_first()?;
        let (vault_id, rest) = rest.split_first_chunk()?;
        match tag {
            b'W' => {
                let (share, rest) = rest.split_first_chunk()?;
                let (pin, account) = split_pin(rest)?;
                Some(Self::Wrap { vault_id, share, pin, account })
            }
            b'U' => {
                let (pin, account) = split_pin(rest)?;
                Some(Self::Unwrap { vault_id, pin, account })
            }
            _ => None,
        }
    }
}

fn split_pin(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    let len = usize::from(u16::from_be_bytes(*len));
    rest.split_at_checked(len).filter(|(pin, account)| pin.len() <= PIN_LEN_MAX && account.len() <= ACCOUNT_LEN_MAX)
}

impl<'a> FromProvider<'a> {
    /// Writes into `out`, which must be wiped by its owner.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        match self {
            Self::Wrapped(account) => {
                out.push(b'W');
                out.extend_from_slice(account);
            }
            Self::Share(share) => {
                out.push(b'S');
                out.extend_from_slice(*share);
            }
            Self::Failed(failure) => out.extend_from_slice(&[b'F', *failure as u8]),
        }
    }

    /// Reads; `None` for anything else.
    pub fn parse(packet: &'a [u8]) -> Option<Self> {
        match packet {
            [b'W', account @ ..] if account.len() <= ACCOUNT_LEN_MAX => Some(Self::Wrapped(account)),
            [b'S', share @ ..] => Some(Self::Share(share.try_into().ok()?)),
            [b'F', number] => Failure::from_number(*number).map(Self::Failed),
            _ => None,
        }
    }
}

/// Declares the reasons with their numbers and words.
macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $fact:literal, $action:literal;)*) => {
        /// Why a provider could not do it; each says what a person can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Failure {
            $($(#[$doc])* $name = $number,)*
        }

        impl Failure {
            /// All, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What is so.
            pub const fn fact(self) -> &'static str {
                match self { $(Self::$name => $fact,)* }
            }

            /// What to do.
            pub const fn action(self) -> &'static str {
                match self { $(Self::$name => $action,)* }
            }
        }
    };
}

failures! {
    /// The account is not one.
    Account = 1, "where the share is kept cannot be read", "Use the program that made the slot";
    /// The path of the module is relative, or others can write there.
    ModuleUnsafe = 2, "the module's path is not absolute, or others than its owner can write to its file or a folder above it",
        "Name a file that only root or you can write to";
    /// The dynamic loader or the module's own start failed.
    ModuleNotLoaded = 3, "the module could not be loaded, or did not start", "Check its path and its configuration";
    /// No such token.
    NoToken = 4, "no token with this name and serial number is there", "Plug it in, or check its name";
    /// Two have the name.
    TokenTwice = 5, "several tokens have this name", "Give each a name of its own";
    /// No PIN was set.
    TokenNotReady = 6, "the token has no PIN yet", "Set one with the tools of its maker";
    /// Wrong PIN.
    WrongPin = 7, "the token refused the PIN", "Try again; too many wrong PINs lock the token";
    /// Wrong PIN, and few tries are left.
    WrongPinFew = 8, "the token refused the PIN, and says that few tries are left", "Make sure of the PIN before the next try";
    /// Wrong PIN, and one try is left.
    WrongPinLast = 9, "the token refused the PIN, and says that one try is left before it locks", "Make sure of the PIN before the last try";
    /// No PIN is looked at any more.
    PinLocked = 10, "the token's PIN is locked", "Unlock it with the security officer's PIN, and open the vault in another way until then";
    /// The key is not there.
    KeyMissing = 11, "the key is not there, or cannot be used", "Check its name; on a key server, make it with derived=true";
    /// Two have the name.
    KeyTwice = 12, "several keys have this name", "Name a key that is there once, or a new one";
    /// It could leave its keeper.
    KeyUnfit = 13, "the key can be read out of its keeper, or is not an AES key of 256 bits", "Name another key";
    /// The token is too simple.
    NoAesGcm = 14, "the token cannot encrypt with AES-GCM", "Use another token";
    /// The token failed.
    TokenFailed = 15, "the token or its module failed", "Look into its maker's log, and try again";
    /// Nothing that decrypts.
    NotTheirs = 16, "what is stored with the slot was not encrypted by this key for this vault, or was changed",
        "Check that it is the right token or server; otherwise open the vault in another way and make the slot anew";
    /// The file with the authority's certificate.
    CaUnreadable = 17, "the file with the authority's certificate cannot be read, or others can write to it",
        "Name a PEM file that only root or you can write to";
    /// No connection.
    Unreachable = 18, "the key server cannot be reached", "Check its address and the network";
    /// TLS without a certificate of the authority.
    NotTrusted = 19, "the key server's certificate is not of the named authority, not for its name, or out of date",
        "Nothing was sent to it. Compare the certificate with its operator";
    /// No TLS that is good enough.
    NoTls = 20, "the key server does not speak TLS 1.3", "Let its operator turn it on";
    /// Token or rights.
    Denied = 21, "the key server denied it: the token is wrong or has ended, or may not use this key",
        "Get a token that may read the key and use encrypt and decrypt with it";
    /// The server is sealed.
    ServerSealed = 22, "the key server is sealed or not ready", "Let its operator unseal it";
    /// Without derivation a share would not be bound to its vault.
    NotDerived = 23, "the key of the server is not made for derived keys", "Make it with derived=true";
    /// Something else.
    ServerRefused = 24, "the key server refused the request", "Look into its audit log, and name the active server's own address";
    /// Not what the documents say.
    Garbled = 25, "the key server's answer was not understood", "Check that the address is a Vault's or an OpenBao's";
    /// It cannot be a PIN.
    PinUnfit = 26, "that cannot be a PIN or a token: it is empty, too long, or has letters that neither has", "Try again";
    /// No TPM, or no right to use it.
    NoTpm = 27, "no TPM answers there, or this user may not use it",
        "Check that it is there and on, and that the user is in the group of its device (often tss)";
    /// Neither its storage key nor its other key is the one of that time.
    OtherTpm = 28, "this is not the TPM that the slot was made with",
        "Use the machine that the slot was made on; on a new one open the vault as a person, remove the slot and add it again";
    /// The same TPM with another storage key.
    TpmCleared = 29, "the TPM was cleared after the slot was made, so what it sealed is gone for good",
        "Open the vault as a person, remove the slot and add it again";
    /// Too many wrong tries, perhaps of another program.
    TpmLockedOut = 30, "the TPM is locked out after too many wrong tries",
        "Wait until it forgets them, or let its owner end the lockout; if it stays so, open the vault as a person, remove the slot and add it again";
    /// The storage hierarchy has a password.
    TpmOwned = 31, "the TPM's owner set a password, and it keeps no storage key at 0x81000001 that could be used",
        "Let its owner put a storage key there (tpm2_createprimary, tpm2_evictcontrol)";
    /// Its storage key is the right one, and does not load it.
    NotSealed = 32, "what is stored with the slot was not sealed by this TPM, or was changed",
        "Open the vault as a person, remove the slot and add it again";
    /// Something else.
    TpmFailed = 33, "the TPM or the library that speaks with it failed", "Look into the kernel's log, and try again";
}

impl Failure {
    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|failure| *failure as u8 == number)
    }

    /// Whether a person's PIN or token was wrong, or can have been.
    pub const fn is_wrong_pin(self) -> bool {
        matches!(self, Self::WrongPin | Self::WrongPinFew | Self::WrongPinLast | Self::Denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read_as_they_were_written() {
        let mut out = Vec::new();
        let (vault_id, share) = (&[1; VAULT_ID_LEN], &[2; SHARE_LEN]);
        let longest = [b'9'; PIN_LEN_MAX];
        for (pin, account) in [(&b""[..], &b""[..]), (b"1234", b"account"), (&longest, &[7; ACCOUNT_LEN_MAX])] {
            for message in [ToProvider::Wrap { vault_id, share, pin, account }, ToProvider::Unwrap { vault_id, pin, account }] {
                assert!(message.write(&mut out) && out.len() <= MESSAGE_LEN_MAX);
                assert_eq!(ToProvider::parse(&out), Some(message));
            }
        }
        for message in [FromProvider::Wrapped(b"account"), FromProvider::Share(share)]
            .into_iter()
            .chain(Failure::ALL.iter().map(|failure| FromProvider::Failed(*failure)))
        {
            message.write(&mut out);
            assert_eq!(FromProvider::parse(&out), Some(message));
        }
    }

    #[test]
    fn nothing_else_is_read() {
        let mut out = Vec::new();
        let too_long = [b'9'; PIN_LEN_MAX + 1];
        assert!(!ToProvider::Unwrap { vault_id: &[1; VAULT_ID_LEN], pin: &too_long, account: b"" }.write(&mut out));
        let head = [&b"U"[..], &[1; VAULT_ID_LEN]].concat();
        for bad in [
            vec![],
            vec![b'U'],
            head.clone(),
            [&head[..], &[0]].concat(),
            [&head[..], &[0, 2, b'1']].concat(),
            [&head[..], &[8, 1], &too_long].concat(),
            [&head[..], &[0, 0], &[0; ACCOUNT_LEN_MAX + 1]].concat(),
            [&b"X"[..], &head[1..], &[0, 0]].concat(),
        ] {
            assert_eq!(ToProvider::parse(&bad), None, "{bad:?}");
        }
        for bad in [&b""[..], b"F", b"F\0", b"F\xff", b"S", &[b'S'; SHARE_LEN], &[b'S'; SHARE_LEN + 2], b"X"] {
            assert_eq!(FromProvider::parse(bad), None, "{bad:?}");
        }
    }

    /// A number is said on the wire: two reasons must not share one.
    #[test]
    fn failures_are_told_apart() {
        for (at, failure) in Failure::ALL.iter().enumerate() {
            assert_eq!(usize::from(*failure as u8), at + 1);
            assert!(!failure.fact().ends_with('.') && !failure.action().ends_with('.'));
        }
    }
}
