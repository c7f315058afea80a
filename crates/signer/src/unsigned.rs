//! Why a request is not signed, where no rule of the guard looks. Invariant: whoever asked is told what would be signed.

use strongroom_guard::Reason;
use strongroom_model::{CredentialId, CredentialInfo, KeyStage};
use strongroom_signer_api::Refusal;

pub(crate) fn not_offered(why: impl ToString, passes: &str) -> Refusal {
    Refusal::Guard(Reason::NotOffered { why: why.to_string(), passes: passes.to_owned() })
}

pub(crate) const fn no_key(wanted: Option<CredentialId>) -> Refusal {
    Refusal::Guard(if wanted.is_some() { Reason::NoKey } else { Reason::NoKeyInUse })
}

pub(crate) const fn stage_words(info: &CredentialInfo) -> &'static str {
    match info.stage {
        _ if info.api_key.is_empty() => "not named by the venue yet",
        KeyStage::New => "not tried yet",
        KeyStage::Active => "in use",
        KeyStage::Spare => "kept in reserve",
        KeyStage::Retiring => "replaced by another",
    }
}
