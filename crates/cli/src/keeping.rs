//! Where the share of a slot is to be kept, as it can be typed. Invariant: what belongs to another kind of slot is refused, not
//! passed over.

use std::path::{Path, PathBuf};

use clap::Args;
use strongroom_model::{MachineSecret, ShareKeeper, SlotFor};

use crate::fail::Failure;
use crate::vault_arguments::SlotName;

/// Name of a key on a token, if none is given.
const KEY: &str = "strongroom";
/// Where the transit engine usually is.
const MOUNT: &str = "transit";

/// For `vault add-slot token`, `vault add-slot transit` and `vault add-slot service`.
#[derive(Args, Clone, Debug)]
pub(crate) struct KeeperOptions {
    /// token: the PKCS#11 library of its maker.
    #[arg(long, value_name = "FILE", required_if_eq("kind", "token"))]
    module: Option<PathBuf>,
    /// token: the token's name.
    #[arg(long, value_name = "NAME", required_if_eq("kind", "token"))]
    token: Option<String>,
    /// token: name of the key on it, made if it is not there [default: strongroom]; transit: name of the server's key.
    #[arg(long, value_name = "NAME", required_if_eq("kind", "transit"))]
    key: Option<String>,
    /// transit: the server, https://host:port.
    #[arg(long, value_name = "URL", required_if_eq("kind", "transit"))]
    address: Option<String>,
    /// transit: certificate of the authority that vouches for the server (PEM).
    #[arg(long, value_name = "FILE", required_if_eq("kind", "transit"))]
    ca: Option<PathBuf>,
    /// transit: where the engine is mounted [default: transit].
    #[arg(long, value_name = "PATH")]
    mount: Option<String>,
    /// transit: the namespace, on servers that have such.
    #[arg(long, value_name = "PATH")]
    namespace: Option<String>,
    /// service: the machine's TPM 2.0 seals the secret that it brings, instead of the keychain's [default way to it: device:/dev/tpmrm0;
    /// a simulator: swtpm:host=127.0.0.1,port=2321].
    #[arg(long, value_name = "WAY", num_args = 0..=1, default_missing_value = MachineSecret::TCTI)]
    tpm: Option<String>,
}

impl KeeperOptions {
    /// For whom the slot is.
    pub(crate) fn slot(self, kind: SlotName) -> Result<SlotFor, Failure> {
        let Self { module, token, key, address, ca, mount, namespace, tpm } = self;
        let (of_token, of_transit) =
            (module.is_some() || token.is_some(), [&address, &mount, &namespace].iter().any(|given| given.is_some()) || ca.is_some());
        let machine = match (kind, tpm) {
            (SlotName::Service, Some(tcti)) => Some(MachineSecret::Tpm { tcti }),
            (SlotName::Service, None) => Some(MachineSecret::Keychain),
            (_, Some(_)) => return Err(Failure::usage("--tpm is for `vault add-slot service`; a person's slot uses the keychain")),
            _ => None,
        };
        let kind = match kind {
            SlotName::Service if of_transit => SlotName::Transit,
            SlotName::Service => SlotName::Token,
            named => named,
        };
        match (kind, module, token, key, address, ca) {
            (SlotName::Person, None, None, None, None, None) if !of_transit => Ok(SlotFor::Person),
            (SlotName::Auditor, None, None, None, None, None) if !of_transit => Ok(SlotFor::Auditor),
            (SlotName::Token, Some(module), Some(token), key, None, None) if !of_transit => {
                let keeper = ShareKeeper::Token { module: text(&module)?, token, key: key.unwrap_or_else(|| KEY.to_owned()) };
                Ok(SlotFor::Shared { keeper, machine })
            }
            (SlotName::Transit, None, None, Some(key), Some(address), Some(ca)) if !of_token => {
                let (mount, namespace) = (mount.unwrap_or_else(|| MOUNT.to_owned()), namespace.unwrap_or_default());
                let keeper = ShareKeeper::Transit { address, ca_file: text(&ca)?, mount, key, namespace };
                Ok(SlotFor::Shared { keeper, machine })
            }
            _ => Err(Failure::usage("these options do not belong to this kind of slot; see `strongroom vault add-slot --help`")),
        }
    }
}

/// Paths are kept as text; one that is not UTF-8 would be another one later.
fn text(path: &Path) -> Result<String, Failure> {
    path.to_str().map(str::to_owned).ok_or_else(|| Failure::usage("the path is not UTF-8"))
}
