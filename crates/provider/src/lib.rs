//! Asks whoever keeps a slot's share: a token through PKCS#11, or a key server through its transit engine; or the machine's TPM for
//! the secret that it sealed.
//!
//! Invariant: a share leaves here only in the answer to the signer, and every failure has a reason from a closed list.

mod files;
mod http;
mod line;
mod token;
mod tpm;
mod transit;

use strongroom_signer_api::keeping::{Account, Kept};
use strongroom_signer_api::provider::{Failure, FromProvider, MESSAGE_LEN_MAX, SHARE_LEN, ToProvider, VAULT_ID_LEN};
use zeroize::Zeroizing;

pub use http::read_answer;

/// Besides the vault's name, what a share is encrypted for.
const PURPOSE: &[u8] = b"strongroom/v1/share";

/// A share on its way.
type Share = Zeroizing<Vec<u8>>;

/// Room for the longest message, which never grows.
pub fn message() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(MESSAGE_LEN_MAX))
}

/// Does what the signer asks and writes the answer into `out`.
pub fn serve(request: &ToProvider<'_>, out: &mut Vec<u8>) {
    let served = match request {
        ToProvider::Wrap { vault_id, share, pin, account } => wrap(vault_id, share, pin, account).map(|account| {
            FromProvider::Wrapped(account.encode()).write(out);
        }),
        ToProvider::Unwrap { vault_id, pin, account } => unwrap(vault_id, pin, account).and_then(|share| {
            let share = share.as_slice().try_into().map_err(|_| Failure::NotTheirs)?;
            FromProvider::Share(share).write(out);
            Ok(())
        }),
    };
    if let Err(failure) = served {
        FromProvider::Failed(failure).write(out);
    }
}

fn wrap(vault_id: &[u8; VAULT_ID_LEN], share: &[u8; SHARE_LEN], pin: &[u8], account: &[u8]) -> Result<Kept, Failure> {
    let bound = bound_to(vault_id);
    Ok(match Kept::decode(account).filter(|account| !account.is_complete()).ok_or(Failure::Account)? {
        Kept::Share(Account::Token(account)) => Account::Token(token::wrap(account, &bound, pin, share)?).into(),
        Kept::Share(Account::Transit(account)) => Account::Transit(transit::wrap(account, &bound, pin, share)?).into(),
        Kept::Tpm(account) => tpm::seal(account, share)?.into(),
    })
}

fn unwrap(vault_id: &[u8; VAULT_ID_LEN], pin: &[u8], account: &[u8]) -> Result<Share, Failure> {
    let bound = bound_to(vault_id);
    match Kept::decode(account).filter(Kept::is_complete).ok_or(Failure::Account)? {
        Kept::Share(Account::Token(account)) => token::unwrap(&account, &bound, pin),
        Kept::Share(Account::Transit(account)) => transit::unwrap(&account, &bound, pin),
        Kept::Tpm(account) => tpm::unseal(&account),
    }
}

/// What a keeper is told besides the share, and has to be told again.
fn bound_to(vault_id: &[u8; VAULT_ID_LEN]) -> Vec<u8> {
    [&vault_id[..], PURPOSE].concat()
}
