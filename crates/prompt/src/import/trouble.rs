//! Why nothing is taken from a file. Invariant: a closed list; the words come from here, never from the file.

/// Why no key is taken from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Trouble {
    /// Empty, or not text.
    NotText = 1,
    /// Longer than [`super::FILE_LEN_MAX`], or more assignments than are looked through.
    TooLong = 2,
    /// No form that is known.
    Unknown = 3,
    /// A known form without a key and its secret.
    NoKey = 4,
    /// Encrypted, and no passphrase was given.
    NeedsPassphrase = 5,
    /// A private key that is RSA or EC.
    OtherKind = 6,
    /// A list that names files with the secrets.
    SecretElsewhere = 7,
    /// More keys than [`super::FOUND_MAX`].
    TooMany = 8,
    /// The reader's walls do not stand on this system.
    NoWalls = 9,
    /// The reader ended without an answer.
    NoAnswer = 10,
    /// The passphrase does not open it, or it was altered: where a file has a checksum, both look alike.
    WrongPassphrase = 11,
    /// A known form that is cut short or cannot be right.
    Damaged = 12,
    /// It asks for more work or memory than [`super::WORK_MAX`] allows.
    Costly = 13,
    /// A cipher or a version that is not known here.
    OtherCipher = 14,
    /// GoCryptoTrader's encryption before it was authenticated.
    Legacy = 15,
    /// Example values stand where the keys should.
    OnlyPlaceholders = 16,
    /// A freqtrade configuration that takes its key from another file.
    AddConfigFiles = 17,
    /// Hummingbot's file that checks the password.
    PasswordCheck = 18,
    /// PEM that is no private key in PKCS#8.
    OtherPem = 19,
}

impl Trouble {
    const ALL: [Self; 19] = [
        Self::NotText,
        Self::TooLong,
        Self::Unknown,
        Self::NoKey,
        Self::NeedsPassphrase,
        Self::OtherKind,
        Self::SecretElsewhere,
        Self::TooMany,
        Self::NoWalls,
        Self::NoAnswer,
        Self::WrongPassphrase,
        Self::Damaged,
        Self::Costly,
        Self::OtherCipher,
        Self::Legacy,
        Self::OnlyPlaceholders,
        Self::AddConfigFiles,
        Self::PasswordCheck,
        Self::OtherPem,
    ];

    /// Fact, effect, action.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotText => "This is no text file. Nothing was taken from it. Choose a file with a key, or type the key.",
            Self::TooLong => {
                "This file is longer than 4 MiB, or has over 2,000 lines of names. It was not read. Copy the key's lines into a file of their own."
            }
            Self::Unknown => "This file's form is not known. Nothing was taken from it. Choose another, or type the key.",
            Self::NoKey => "No API key with its secret is in this file. Nothing was taken from it. Choose another, or type the key.",
            Self::NeedsPassphrase => "This file is encrypted. Nothing was taken from it yet. Give its passphrase.",
            Self::OtherKind => "This private key is neither Ed25519 nor RSA. It cannot be used here. Make an Ed25519 key at the venue.",
            Self::SecretElsewhere => "This list names other files that hold the secrets. Choose practice.env beside it.",
            Self::TooMany => "More than 32 keys are in this file. Nothing was taken. Copy one key into a file of its own.",
            Self::NoWalls => "This system cannot wall off the process that reads files. The file was not read. Type or paste the key.",
            Self::NoAnswer => "The process that reads files gave up on this one. Nothing was taken from it. Type or paste the key.",
            Self::WrongPassphrase => {
                "The passphrase does not open this file, or the file was altered. Nothing was taken. Try the passphrase again."
            }
            Self::Damaged => "This file is cut short or damaged. Nothing was taken from it. Choose another copy, or type the key.",
            Self::Costly => {
                "This file asks for more computing than any program's file should. It was not opened. Do not trust it; type the key."
            }
            Self::OtherCipher => {
                "This file is encrypted in a way that is not known here. It was not opened. Let its program show the key, and type it."
            }
            Self::Legacy => {
                "This file is encrypted as old versions of GoCryptoTrader did it: nothing in it proves that it was not altered. It was not \
                 opened. Let a current GoCryptoTrader load and save it, and choose it again."
            }
            Self::OnlyPlaceholders => "This file has example values in place of keys. Nothing was taken from it. Choose the one in use.",
            Self::AddConfigFiles => {
                "This freqtrade configuration holds no key; it names others under add_config_files. Choose the one with the key."
            }
            Self::PasswordCheck => {
                "This is Hummingbot's check of its password; it holds no key. Choose a file in its folder conf/connectors."
            }
            Self::OtherPem => {
                "This PEM block is no private key in PKCS#8. Nothing was taken from it. Choose the private key, or write it in PKCS#8."
            }
        }
    }

    pub(super) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| *trouble as u8 == number)
    }
}

/// Why one key of a file cannot be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Why {
    /// Its venue is none that can be signed for.
    Venue = 1,
    /// RSA or EC.
    Kind = 2,
    /// No secret stands beside it.
    NoSecret = 3,
    /// Blanks or line breaks where none can be, or too long.
    Broken = 4,
    /// It is encrypted under a key that is not the program's own.
    Locked = 5,
}

impl Why {
    const ALL: [Self; 5] = [Self::Venue, Self::Kind, Self::NoSecret, Self::Broken, Self::Locked];

    /// For the preview.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Venue => "not supported yet: Strongroom cannot sign for this venue",
            Self::Kind => "not supported: neither Ed25519 nor RSA; make an Ed25519 key at the venue",
            Self::NoSecret => "no secret stands beside it",
            Self::Broken => "key or secret is cut or has blanks in it",
            Self::Locked => "encrypted under a key that is not the program's own",
        }
    }

    pub(super) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|why| *why as u8 == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_one_thing() {
        for number in 0..=u8::MAX {
            assert!(Trouble::from_number(number).is_none_or(|trouble| trouble as u8 == number));
            assert!(Why::from_number(number).is_none_or(|why| why as u8 == number));
        }
        assert!(Trouble::ALL.iter().all(|trouble| Trouble::from_number(*trouble as u8) == Some(*trouble)));
    }
}
