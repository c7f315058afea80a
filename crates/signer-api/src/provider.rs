//! What the signer and a key provider say to each other: frames with raw bytes behind the message, read in place.
//!
//! Invariant: a share or a PIN stands behind the message and is never decoded into owned text on the way, and one request has one answer.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::frame::{self, HEAD_LEN, Kind};
use crate::keeping::ACCOUNT_LEN_MAX;

/// Bytes of a share.
pub const SHARE_LEN: usize = 32;
/// Bytes of a vault's name.
pub const VAULT_ID_LEN: usize = 16;
/// Longest PIN of a token, or token of a server.
pub const PIN_LEN_MAX: usize = 2 * 1_024;
/// Longest message either way.
pub const MESSAGE_LEN_MAX: usize = HEAD_LEN + 128 + VAULT_ID_LEN + SHARE_LEN + PIN_LEN_MAX + ACCOUNT_LEN_MAX;
/// A provider that has not answered after so long is ended.
pub const PATIENCE_S: u64 = 30;

/// From the signer to the provider; borrowed from the packet.
#[derive(Debug, PartialEq, Eq)]
pub enum ToProvider<'a> {
    /// Let the keeper encrypt this share for this vault.
    Wrap {
        /// What it is bound to.
        vault_id: [u8; VAULT_ID_LEN],
        /// The share.
        share: &'a [u8; SHARE_LEN],
        /// The token's PIN, or the server's token.
        pin: &'a [u8],
        /// Where; an [`crate::keeping::Account`] that is not complete yet.
        account: Vec<u8>,
    },
    /// Let the keeper decrypt the share of this vault.
    Unwrap {
        /// What it is bound to.
        vault_id: [u8; VAULT_ID_LEN],
        /// The token's PIN, or the server's token.
        pin: &'a [u8],
        /// Where, and the ciphertext.
        account: Vec<u8>,
    },
}

/// From the provider to the signer; borrowed from the packet.
#[derive(Debug, PartialEq, Eq)]
pub enum FromProvider<'a> {
    /// The account, complete.
    Wrapped(Vec<u8>),
    /// The share.
    Share(&'a [u8; SHARE_LEN]),
    /// Neither.
    Failed(Failure),
}

/// The message of [`ToProvider`]; behind it the share, if there is one, and the PIN.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    wraps: bool,
    #[serde(with = "serde_bytes")]
    vault_id: [u8; VAULT_ID_LEN],
    #[serde(with = "serde_bytes")]
    account: Vec<u8>,
}

/// The message of [`FromProvider`]; the share is raw bytes behind it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Answered {
    Wrapped(#[serde(with = "serde_bytes")] Vec<u8>),
    Share,
    Failed(Failure),
}

impl<'a> ToProvider<'a> {
    /// Writes a frame into `out`, which must be wiped by its owner. `false`: the PIN or the account is too long.
    #[must_use]
    pub fn write(&self, out: &mut Vec<u8>) -> bool {
        let (share, vault_id, pin, account) = match self {
            Self::Wrap { vault_id, share, pin, account } => (&share[..], vault_id, pin, account),
            Self::Unwrap { vault_id, pin, account } => (&[][..], vault_id, pin, account),
        };
        out.clear();
        if pin.len() > PIN_LEN_MAX || account.len() > ACCOUNT_LEN_MAX {
            return false;
        }
        let mut tail = Zeroizing::new(Vec::with_capacity(SHARE_LEN + PIN_LEN_MAX));
        tail.extend_from_slice(share);
        tail.extend_from_slice(pin);
        let asked = Asked { wraps: !share.is_empty(), vault_id: *vault_id, account: account.clone() };
        frame::write_unnumbered(out, Kind::ToProvider, &asked, &tail);
        !out.is_empty()
    }

    /// Reads a frame; `None` for anything else.
    pub fn parse(packet: &'a [u8]) -> Option<Self> {
        let (Asked { wraps, vault_id, account }, tail) = frame::read(packet, Kind::ToProvider)?;
        let (share, pin) = if wraps { tail.split_first_chunk().map(|(share, pin)| (Some(share), pin))? } else { (None, tail) };
        if pin.len() > PIN_LEN_MAX || account.len() > ACCOUNT_LEN_MAX {
            return None;
        }
        Some(match share {
            Some(share) => Self::Wrap { vault_id, share, pin, account },
            None => Self::Unwrap { vault_id, pin, account },
        })
    }
}

impl<'a> FromProvider<'a> {
    /// Writes a frame into `out`, which must be wiped by its owner.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (answered, tail) = match self {
            Self::Wrapped(account) => (Answered::Wrapped(account.clone()), &[][..]),
            Self::Share(share) => (Answered::Share, &share[..]),
            Self::Failed(failure) => (Answered::Failed(*failure), &[][..]),
        };
        frame::write_unnumbered(out, Kind::FromProvider, &answered, tail);
    }

    /// Reads a frame; `None` for anything else.
    pub fn parse(packet: &'a [u8]) -> Option<Self> {
        match frame::read(packet, Kind::FromProvider)? {
            (Answered::Wrapped(account), b"") if account.len() <= ACCOUNT_LEN_MAX => Some(Self::Wrapped(account)),
            (Answered::Share, share) => Some(Self::Share(share.try_into().ok()?)),
            (Answered::Failed(failure), b"") => Some(Self::Failed(failure)),
            _ => None,
        }
    }
}

/// Declares the reasons with their words.
macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident: $fact:literal, $action:literal;)*) => {
        /// Why a provider could not do it; each says what a person can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Failure {
            $($(#[$doc])* $name,)*
        }

        impl Failure {
            /// All.
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
    Account: "where the share is kept cannot be read", "Use the program that made the slot";
    /// The path of the module is relative, or others can write there.
    ModuleUnsafe: "the module's path is not absolute, or others than its owner can write to its file or a folder above it",
        "Name a file that only root or you can write to";
    /// The dynamic loader or the module's own start failed.
    ModuleNotLoaded: "the module could not be loaded, or did not start", "Check its path and its configuration";
    /// No such token.
    NoToken: "no token with this name and serial number is there", "Plug it in, or check its name";
    /// Two have the name.
    TokenTwice: "several tokens have this name", "Give each a name of its own";
    /// No PIN was set.
    TokenNotReady: "the token has no PIN yet", "Set one with the tools of its maker";
    /// Wrong PIN.
    WrongPin: "the token refused the PIN", "Try again; too many wrong PINs lock the token";
    /// Wrong PIN, and few tries are left.
    WrongPinFew: "the token refused the PIN, and says that few tries are left", "Make sure of the PIN before the next try";
    /// Wrong PIN, and one try is left.
    WrongPinLast: "the token refused the PIN, and says that one try is left before it locks", "Make sure of the PIN before the last try";
    /// No PIN is looked at any more.
    PinLocked: "the token's PIN is locked", "Unlock it with the security officer's PIN, and open the vault in another way until then";
    /// The key is not there.
    KeyMissing: "the key is not there, or cannot be used", "Check its name; on a key server, make it with derived=true";
    /// Two have the name.
    KeyTwice: "several keys have this name", "Name a key that is there once, or a new one";
    /// It could leave its keeper.
    KeyUnfit: "the key can be read out of its keeper, or is not an AES key of 256 bits", "Name another key";
    /// The token is too simple.
    NoAesGcm: "the token cannot encrypt with AES-GCM", "Use another token";
    /// The token failed.
    TokenFailed: "the token or its module failed", "Look into its maker's log, and try again";
    /// Nothing that decrypts.
    NotTheirs: "what is stored with the slot was not encrypted by this key for this vault, or was changed",
        "Check that it is the right token or server; otherwise open the vault in another way and make the slot anew";
    /// The file with the authority's certificate.
    CaUnreadable: "the file with the authority's certificate cannot be read, or others can write to it",
        "Name a PEM file that only root or you can write to";
    /// No connection.
    Unreachable: "the key server cannot be reached", "Check its address and the network";
    /// TLS without a certificate of the authority.
    NotTrusted: "the key server's certificate is not of the named authority, not for its name, or out of date",
        "Nothing was sent to it. Compare the certificate with its operator";
    /// No TLS that is good enough.
    NoTls: "the key server does not speak TLS 1.3", "Let its operator turn it on";
    /// Token or rights.
    Denied: "the key server denied it: the token is wrong or has ended, or may not use this key",
        "Get a token that may read the key and use encrypt and decrypt with it";
    /// The server is sealed.
    ServerSealed: "the key server is sealed or not ready", "Let its operator unseal it";
    /// Without derivation a share would not be bound to its vault.
    NotDerived: "the key of the server is not made for derived keys", "Make it with derived=true";
    /// Something else.
    ServerRefused: "the key server refused the request", "Look into its audit log, and name the active server's own address";
    /// Not what the documents say.
    Garbled: "the key server's answer was not understood", "Check that the address is a Vault's or an OpenBao's";
    /// It cannot be a PIN.
    PinUnfit: "that cannot be a PIN or a token: it is empty, too long, or has letters that neither has", "Try again";
    /// No TPM, or no right to use it.
    NoTpm: "no TPM answers there, or this user may not use it",
        "Check that it is there and on, and that the user is in the group of its device (often tss)";
    /// Neither its storage key nor its other key is the one of that time.
    OtherTpm: "this is not the TPM that the slot was made with",
        "Use the machine that the slot was made on; on a new one open the vault as a person, remove the slot and add it again";
    /// The same TPM with another storage key.
    TpmCleared: "the TPM was cleared after the slot was made, so what it sealed is gone for good",
        "Open the vault as a person, remove the slot and add it again";
    /// Too many wrong tries, perhaps of another program.
    TpmLockedOut: "the TPM is locked out after too many wrong tries",
        "Wait until it forgets them, or let its owner end the lockout; if it stays so, open the vault as a person, remove the slot and add it again";
    /// The storage hierarchy has a password.
    TpmOwned: "the TPM's owner set a password, and it keeps no storage key at 0x81000001 that could be used",
        "Let its owner put a storage key there (tpm2_createprimary, tpm2_evictcontrol)";
    /// Its storage key is the right one, and does not load it.
    NotSealed: "what is stored with the slot was not sealed by this TPM, or was changed",
        "Open the vault as a person, remove the slot and add it again";
    /// Something else.
    TpmFailed: "the TPM or the library that speaks with it failed", "Look into the kernel's log, and try again";
}

impl Failure {
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
        let (vault_id, share) = ([200; VAULT_ID_LEN], &[2; SHARE_LEN]);
        let longest = [b'9'; PIN_LEN_MAX];
        for (pin, account) in [(&b""[..], &b""[..]), (b"1234", b"account"), (&longest, &[200; ACCOUNT_LEN_MAX])] {
            let account = account.to_vec();
            for message in [
                ToProvider::Wrap { vault_id, share, pin, account: account.clone() },
                ToProvider::Unwrap { vault_id, pin, account: account.clone() },
            ] {
                assert!(message.write(&mut out) && out.len() <= MESSAGE_LEN_MAX);
                assert_eq!(ToProvider::parse(&out), Some(message));
            }
        }
        for message in [FromProvider::Wrapped(b"account".to_vec()), FromProvider::Share(share)]
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
        let (too_long, vault_id) = ([b'9'; PIN_LEN_MAX + 1], [1; VAULT_ID_LEN]);
        for (pin, account_len) in [(&too_long[..], 0), (b"", ACCOUNT_LEN_MAX + 1)] {
            let account = vec![0; account_len];
            assert!(!ToProvider::Unwrap { vault_id, pin, account: account.clone() }.write(&mut out) && out.is_empty());
            frame::write_unnumbered(&mut out, Kind::ToProvider, &Asked { wraps: false, vault_id, account }, pin);
            assert_eq!(ToProvider::parse(&out), None);
        }
        let asked = Asked { wraps: true, vault_id, account: Vec::new() };
        frame::write_unnumbered(&mut out, Kind::ToProvider, &asked, &[1; SHARE_LEN - 1]);
        assert_eq!(ToProvider::parse(&out), None, "half a share");
        let mut bad = vec![Vec::new(), b"U".to_vec(), out.clone()];
        let longer = Answered::Wrapped(vec![0; ACCOUNT_LEN_MAX + 1]);
        let wrapped = Answered::Wrapped(Vec::new());
        for (answered, tail) in
            [(longer, &b""[..]), (wrapped, b"x"), (Answered::Share, &[1; SHARE_LEN + 1]), (Answered::Failed(Failure::NoToken), b"x")]
        {
            frame::write_unnumbered(&mut out, Kind::FromProvider, &answered, tail);
            bad.push(out.clone());
        }
        frame::write_unnumbered(&mut out, Kind::FromPrompt, &Answered::Share, &[1; SHARE_LEN]);
        bad.push(out);
        for bytes in bad {
            assert_eq!(FromProvider::parse(&bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn words_are_joined_by_others() {
        for failure in Failure::ALL {
            assert!(!failure.fact().ends_with('.') && !failure.action().ends_with('.'), "{failure:?}");
        }
    }
}
