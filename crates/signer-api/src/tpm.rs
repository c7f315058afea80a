//! What a TPM 2.0 sealed for a machine, and how that TPM is reached.
//!
//! Invariant: a TPM is reached through the kernel's device or a program on this computer, and through no library, path or network
//! that a file could name.

use crate::keeping::{ACCOUNT_LEN_MAX, WRAPPED_LEN_MAX, read_part, text, write};

/// Its number among the keepers.
const TPM: u8 = 3;
/// Longest way to a TPM.
const TCTI_LEN_MAX: usize = 64;
/// Longest name of an object of a TPM: an algorithm and a digest.
const NAME_LEN_MAX: usize = 68;

/// A secret that a TPM sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TpmAccount {
    /// How the TPM is reached: `device:/dev/tpmrm0`, `swtpm:host=127.0.0.1,port=2321`.
    pub tcti: String,
    /// Name of the storage key that it was sealed under; empty until it is sealed.
    pub parent: Vec<u8>,
    /// Name of a key that stays the same when the TPM is cleared; empty where none could be had.
    pub maker: Vec<u8>,
    /// The sealed object's public part; empty until it is sealed.
    pub public: Vec<u8>,
    /// The sealed object's private part, which that TPM alone can read; empty until it is sealed.
    pub private: Vec<u8>,
}

impl TpmAccount {
    /// What is wrong with it, for people; nothing: it can be used.
    pub(crate) fn trouble(&self) -> Option<&'static str> {
        let is_way = self.tcti.len() <= TCTI_LEN_MAX && (is_device(&self.tcti) || is_swtpm(&self.tcti));
        (!is_way).then_some("a TPM is named as device:/dev/tpmrm0 (or another number, or /dev/tpm0) or swtpm:host=127.0.0.1,port=2321")
    }

    /// Whether the secret was sealed.
    pub(crate) fn is_complete(&self) -> bool {
        !self.parent.is_empty() && !self.public.is_empty() && !self.private.is_empty()
    }

    /// Whether this is `asked` with the TPM's own parts filled in.
    pub(crate) fn completes(&self, asked: &Self) -> bool {
        self.is_complete() && *asked == Self { tcti: self.tcti.clone(), ..Default::default() }
    }

    /// For people: which TPM.
    pub(crate) fn words(&self) -> String {
        format!("the TPM at {}", self.tcti)
    }

    /// As bytes, like the accounts of those who keep shares.
    pub(crate) fn encode(&self) -> Vec<u8> {
        write(TPM, &[self.tcti.as_bytes(), &self.parent, &self.maker, &self.public, &self.private])
    }

    /// What those bytes begin with, and what follows it; nothing: no TPM's account, or one that could not be used.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (number, mut rest) = bytes.split_first().filter(|_| bytes.len() <= ACCOUNT_LEN_MAX)?;
        let mut part = |len_max| read_part(&mut rest, len_max);
        let account = Self {
            tcti: text(part(TCTI_LEN_MAX)?)?,
            parent: part(NAME_LEN_MAX)?.to_vec(),
            maker: part(NAME_LEN_MAX)?.to_vec(),
            public: part(WRAPPED_LEN_MAX)?.to_vec(),
            private: part(WRAPPED_LEN_MAX)?.to_vec(),
        };
        (*number == TPM && account.trouble().is_none()).then_some((account, rest))
    }
}

/// A character device of the kernel's; any other path would be written to.
fn is_device(tcti: &str) -> bool {
    let number = tcti.strip_prefix("device:/dev/tpm").map(|rest| rest.strip_prefix("rm").unwrap_or(rest));
    number.is_some_and(|number| (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A simulator on this computer: what it is told crosses no network. Its second port is the one behind the named one.
fn is_swtpm(tcti: &str) -> bool {
    let rest = tcti.strip_prefix("swtpm:host=127.0.0.1,port=").or_else(|| tcti.strip_prefix("swtpm:host=::1,port="));
    rest.is_some_and(|port| port.parse::<u16>().is_ok_and(|number| (1..u16::MAX).contains(&number) && number.to_string() == port))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows: a way, and whether it is one.
    #[test]
    fn ways_to_a_tpm() {
        for (tcti, is_way) in [
            (strongroom_model::MachineSecret::TCTI, true),
            ("device:/dev/tpm0", true),
            ("device:/dev/tpmrm12", true),
            ("swtpm:host=127.0.0.1,port=2321", true),
            ("swtpm:host=::1,port=1", true),
            ("swtpm:host=127.0.0.1,port=65535", false),
            ("swtpm:host=127.0.0.1,port=0", false),
            ("swtpm:host=127.0.0.1,port=+80", false),
            ("swtpm:host=127.0.0.1,port=080", false),
            ("swtpm:host=127.0.0.1,port=80,host=tpm.example", false),
            ("swtpm:host=tpm.example,port=2321", false),
            ("swtpm:path=/run/swtpm", false),
            ("swtpm", false),
            ("device:/dev/tpmrm", false),
            ("device:/dev/tpm1234", false),
            ("device:/dev/tpmrm0/../sda", false),
            ("device:/dev/sda", false),
            ("device:", false),
            ("mssim:host=127.0.0.1,port=2321", false),
            ("tabrmd:bus_type=session", false),
            ("cmd:tpm2_send", false),
            ("/tmp/libevil.so", false),
            ("", false),
        ] {
            let account = TpmAccount { tcti: tcti.to_owned(), ..Default::default() };
            assert_eq!(account.trouble().is_none(), is_way, "{tcti}");
        }
    }
}
