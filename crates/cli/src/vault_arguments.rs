//! What can be typed of the vault and its keys. Invariant: no argument is a secret.

use clap::{Args, Subcommand, ValueEnum};
use strongroom_model::{KeyDetails, KeyEdit, KeyScope, Remark, Role, Scheme};

use crate::descriptors::{
    CodeFds, KeyFds, NewCodesFds, NewKitFds, NewPhoneFds, NewSlotFds, NewVaultFds, PasswordChangeFds, RecoveryFds, RekeyFds, UnlockFds,
};
use crate::keeping::KeeperOptions;

#[derive(Subcommand)]
pub(crate) enum VaultCommand {
    /// Make a vault: password, recovery kit, one-time codes.
    #[command(after_help = "Example:\n  strongroom vault create")]
    Create {
        /// Memory of the key derivation in MiB, at least 64 [default: as much as takes this machine most of a second].
        #[arg(long)]
        kdf_memory: Option<u32>,
        /// Passes of the key derivation, at least 3 [default: likewise, or 3 with --kdf-memory].
        #[arg(long)]
        kdf_passes: Option<u32>,
        #[command(flatten)]
        secrets: NewVaultFds,
    },
    /// Where the vault stands, and the walls around the signer.
    #[command(after_help = "Example:\n  strongroom vault status --json")]
    Status,
    /// Open the vault, or the session.
    #[command(
        after_help = "Examples:\n  strongroom vault unlock --password-fd 3 3<password-file\n  strongroom vault unlock --slot 4\n  strongroom vault unlock --slot 5 --pin-fd 3 3<token-file"
    )]
    Unlock {
        /// By this slot, whose share a token or a key server keeps.
        #[arg(long, value_name = "N")]
        slot: Option<u16>,
        #[command(flatten)]
        secrets: UnlockFds,
    },
    /// Open it with the recovery kit and set a new password.
    #[command(after_help = "Example:\n  strongroom vault recover")]
    Recover {
        #[command(flatten)]
        secrets: RecoveryFds,
    },
    /// Open a backup with the recovery kit and set a new password; it takes the vault's place once the kit fits.
    #[command(after_help = "Example:\n  strongroom vault status\n  strongroom vault restore 7")]
    Restore {
        /// Generation of the backup.
        generation: u64,
        #[command(flatten)]
        secrets: RecoveryFds,
    },
    /// Set a new password; needs a code and the present password.
    #[command(after_help = "Examples:\n  strongroom vault passwd\n  strongroom vault passwd --slot 4")]
    Passwd {
        /// Of this slot, whose share a token or a key server keeps [default: that by which the vault was opened].
        #[arg(long, value_name = "N")]
        slot: Option<u16>,
        #[command(flatten)]
        secrets: PasswordChangeFds,
    },
    /// Print a new recovery kit; needs a code. The old one opens the vault no more.
    #[command(after_help = "Example:\n  strongroom vault kit")]
    Kit {
        #[command(flatten)]
        secrets: NewKitFds,
    },
    /// Print ten recovery codes for a lost phone, each of which stands in for one one-time code; needs a code. Earlier ones count no more.
    #[command(after_help = "Example:\n  strongroom vault codes")]
    Codes {
        #[command(flatten)]
        secrets: NewCodesFds,
    },
    /// Put the one-time codes onto a new phone; needs a code of the old one, or a recovery code. Those of the old one count no more, nor do
    /// recovery codes of before.
    #[command(after_help = "Example:\n  strongroom vault phone")]
    Phone {
        #[command(flatten)]
        secrets: NewPhoneFds,
    },
    /// The ways into the vault.
    #[command(after_help = "Example:\n  strongroom vault slots")]
    Slots,
    /// Let somebody else in: a person with a password, alone or with a share that a token or a key server keeps; an auditor who
    /// reads the log only; a machine that trades without a person, with the keys that are marked for it. Needs a code.
    #[command(
        after_help = "Examples:\n  strongroom vault add-slot person --label alice\n  strongroom vault add-slot auditor --label audit\n  strongroom vault add-slot token --label bob --module /usr/lib/softhsm/libsofthsm2.so --token desk\n  strongroom vault add-slot transit --label eve --address https://vault.example:8200 --ca /etc/vault/ca.pem --key strongroom\n  strongroom vault add-slot service --label gateway --address https://vault.example:8200 --ca /etc/vault/ca.pem --key strongroom\n  strongroom vault add-slot service --label gateway --tpm --module /usr/lib/softhsm/libsofthsm2.so --token desk"
    )]
    AddSlot {
        /// For whom.
        #[arg(value_enum)]
        kind: SlotName,
        /// Your name for it.
        #[arg(long)]
        label: String,
        /// What a person may do: viewer, trader, risk, key-admin, auditor, with commas between [default: everything].
        #[arg(long, value_delimiter = ',')]
        roles: Vec<Role>,
        #[command(flatten)]
        keeper: Box<KeeperOptions>,
        #[command(flatten)]
        secrets: NewSlotFds,
    },
    /// Say anew what the owner of a slot may do; needs a code.
    #[command(after_help = "Example:\n  strongroom vault roles 3 viewer,trader")]
    Roles {
        /// Number of the slot: a person's.
        slot: u16,
        /// viewer, trader, risk, key-admin, auditor, with commas between.
        #[arg(value_delimiter = ',', required = true)]
        roles: Vec<Role>,
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// Copy the vault's file, encrypted as it is, into the profile's folder of exports; needs a code.
    #[command(after_help = "Example:\n  strongroom vault backup")]
    Backup {
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// Close a way into the vault; needs a code.
    #[command(after_help = "Example:\n  strongroom vault remove-slot 3")]
    RemoveSlot {
        /// Its number.
        slot: u16,
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// New keys for everything, after a key may have been seen; needs a code and the present password.
    #[command(after_help = "Example:\n  strongroom vault rekey")]
    Rekey {
        #[command(flatten)]
        secrets: RekeyFds,
    },
    /// End the session; seals when nothing is live.
    #[command(after_help = "Example:\n  strongroom vault lock")]
    Lock,
    /// End the signer: nothing can be signed.
    #[command(after_help = "Example:\n  strongroom vault seal")]
    Seal,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Take in an API key; needs a code.
    #[command(after_help = "Example:\n  strongroom key import --label main --secret-fd 3 3<private-key.pem")]
    Import {
        /// Your name for it.
        #[arg(long)]
        label: String,
        /// Where it is valid.
        #[arg(long, value_enum, default_value_t = VenueName::Binance)]
        venue: VenueName,
        #[command(flatten)]
        secrets: KeyFds,
    },
    /// All keys, without their secrets.
    #[command(after_help = "Example:\n  strongroom key list")]
    List,
    /// Replace a key: the new one is tested, then takes over; the old one stays until you revoked it. Needs a code.
    #[command(
        after_help = "Examples:\n  strongroom key rotate 4\n  strongroom key rotate 4 --generate ed25519\n  strongroom key continue 4"
    )]
    Rotate {
        /// Number of the old key.
        id: u64,
        /// Make the new key in the vault, of this kind, instead of taking one in.
        #[arg(long, value_enum)]
        generate: Option<SchemeName>,
        #[command(flatten)]
        secrets: KeyFds,
    },
    /// Make a key pair in the vault: only its public half leaves; needs a code.
    #[command(after_help = "Example:\n  strongroom key generate --label main\n  strongroom key edit 5 --api-key <name at the venue>")]
    Generate {
        /// Your name for it.
        #[arg(long)]
        label: String,
        /// Where it is to be valid.
        #[arg(long, value_enum, default_value_t = VenueName::Binance)]
        venue: VenueName,
        /// How it is to sign.
        #[arg(long, value_enum, default_value_t = SchemeName::Ed25519)]
        scheme: SchemeName,
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// The public half of a key pair, as PEM.
    #[command(after_help = "Example:\n  strongroom key public 5 >public.pem")]
    Public {
        /// Number of the key.
        id: u64,
    },
    /// Change what is noted of a key, or tell the venue's name of a generated one; needs a code.
    #[command(after_help = "Example:\n  strongroom key edit 5 --rotate-days 30 --address 203.0.113.7 --notes \"the desk's\"")]
    Edit {
        /// Number of the key.
        id: u64,
        #[command(flatten)]
        edit: EditOptions,
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// Do what can be done of a rotation now: try the new key, or see whether the old one is revoked.
    #[command(after_help = "Example:\n  strongroom key continue 5")]
    Continue {
        /// Number of the new key, or of the old one.
        id: u64,
    },
    /// Keys that should be replaced, and rotations that wait.
    #[command(after_help = "Example:\n  strongroom key due")]
    Due,
    /// Say that something is wrong with a key: it becomes due.
    #[command(after_help = "Example:\n  strongroom key suspect 4 --why \"orders that are not mine\"")]
    Suspect {
        /// Number of the key.
        id: u64,
        /// What is wrong.
        #[arg(long, value_parser = Remark::parse)]
        why: Remark,
    },
    /// Encrypt a key for somebody else, as an age file in the profile's folder; needs a code.
    #[command(after_help = "Example:\n  strongroom key export 4 --to age1...")]
    Export {
        /// Number of the key.
        id: u64,
        /// Their age recipient.
        #[arg(long)]
        to: String,
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// Forget a key; needs a code.
    #[command(after_help = "Example:\n  strongroom key delete 4")]
    Delete {
        /// Number of the key.
        id: u64,
        #[command(flatten)]
        secrets: CodeFds,
    },
}

/// For whom a slot can be added.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SlotName {
    /// With a password, at this computer.
    Person,
    /// With a printed code: reads the log, opens no key.
    Auditor,
    /// With a password and a share that a PKCS#11 token keeps.
    Token,
    /// With a password and a share that a key server keeps: the transit engine of a Vault or an OpenBao.
    Transit,
    /// A machine without a person and without a password: this computer's keychain, or with --tpm its TPM, and a share that a token or
    /// a key server keeps.
    Service,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum VenueName {
    /// Binance spot and the paper venue.
    Binance,
}

/// Kinds of key pairs that a vault makes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SchemeName {
    /// RFC 8032; Binance recommends it.
    Ed25519,
    /// RSA with 2,048 bits, PKCS #1 v1.5 and SHA-256.
    Rsa,
    /// ECDSA on P-256; no venue that is built in takes it yet.
    P256,
}

impl SchemeName {
    pub(crate) const fn scheme(self) -> Scheme {
        match self {
            Self::Ed25519 => Scheme::Ed25519,
            Self::Rsa => Scheme::RsaSha256,
            Self::P256 => Scheme::EcdsaP256,
        }
    }
}

/// What `key edit` changes; what is not given stays.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct EditOptions {
    /// Your name for it.
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// The venue's name of a generated key.
    #[arg(long)]
    pub(crate) api_key: Option<String>,
    /// The account or sub-account at the venue.
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// An address that the venue accepts it from; several times for more, once empty for any.
    #[arg(long = "address")]
    pub(crate) addresses: Vec<String>,
    /// Replace it after so many days.
    #[arg(long)]
    pub(crate) rotate_days: Option<u32>,
    /// Whether machines that open the vault without a person may sign with it.
    #[arg(long, value_name = "YES OR NO", value_parser = yes_or_no)]
    pub(crate) services: Option<bool>,
    /// Anything else.
    #[arg(long)]
    pub(crate) notes: Option<String>,
    /// For what it may be used here, as JSON of a scope, such as {"instruments":["BTCUSDT"],"side":"buy","notional_max":"500"}; {} for
    /// everything.
    #[arg(long, value_name = "JSON", value_parser = scope)]
    pub(crate) scope: Option<KeyScope>,
}

fn scope(text: &str) -> Result<KeyScope, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

impl EditOptions {
    /// The edit, given what is noted now.
    pub(crate) fn edit(self, mut now: KeyDetails) -> KeyEdit {
        let before = now.clone();
        now.account = self.account.unwrap_or(now.account);
        now.rotate_days = self.rotate_days.unwrap_or(now.rotate_days);
        now.services = self.services.unwrap_or(now.services);
        now.notes = self.notes.unwrap_or(now.notes);
        now.scope = self.scope.map_or(now.scope, Box::new);
        if !self.addresses.is_empty() {
            now.addresses = self.addresses.into_iter().filter(|address| !address.is_empty()).collect();
        }
        KeyEdit { label: self.label, api_key: self.api_key, details: (now != before).then_some(now) }
    }
}

fn yes_or_no(said: &str) -> Result<bool, String> {
    match said {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("say yes or no".to_owned()),
    }
}
