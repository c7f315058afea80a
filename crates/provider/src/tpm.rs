//! A machine's own secret that its TPM 2.0 sealed. Invariant: the secret crosses to the TPM and back encrypted for the storage key
//! whose name the slot knows, and nothing of it stays in the TPM.
//!
//! Sources: TCG TPM 2.0 Library, part 3 (`TPM2_CreatePrimary`, `TPM2_Create`, `TPM2_Load`, `TPM2_Unseal`); TCG TPM v2.0 Provisioning
//! Guidance, 7.5.1 (storage root key), with template L-2 of the TCG EK Credential Profile.

use std::str::FromStr as _;

use strongroom_signer_api::provider::{Failure, SHARE_LEN};
use strongroom_signer_api::tpm::TpmAccount;
use tss_esapi::attributes::{ObjectAttributesBuilder, SessionAttributesBuilder};
use tss_esapi::constants::{SessionType, Tss2ResponseCode, Tss2ResponseCodeKind as Kind};
use tss_esapi::handles::{KeyHandle, PersistentTpmHandle};
use tss_esapi::interface_types::algorithm::{HashingAlgorithm, PublicAlgorithm};
use tss_esapi::interface_types::ecc::EccCurve;
use tss_esapi::interface_types::resource_handles::Hierarchy;
use tss_esapi::interface_types::session_handles::AuthSession;
use tss_esapi::structures::{
    Digest, EccParameter, EccPoint, KeyedHashScheme, Private, Public, PublicBuilder, PublicEccParametersBuilder, PublicKeyedHashParameters,
    SensitiveData, SymmetricDefinition, SymmetricDefinitionObject,
};
use tss_esapi::tcti_ldr::TctiNameConf;
use tss_esapi::traits::{Marshall as _, UnMarshall as _};
use tss_esapi::{Context, Error};
use zeroize::Zeroizing;

use crate::Share;

/// Where owners of TPMs put the storage root key.
const STORAGE_KEY: u32 = 0x8100_0001;
/// Bytes of a coordinate on P-256.
const COORDINATE_LEN: usize = 32;

/// Seals the secret for this TPM alone.
pub(crate) fn seal(account: TpmAccount, secret: &[u8; SHARE_LEN]) -> Result<TpmAccount, Failure> {
    let mut tpm = Tpm::connect(&account.tcti)?;
    let parent = tpm.storage_key(None)?;
    let name = tpm.name_of(parent)?;
    let session = tpm.session(parent)?;
    let data = SensitiveData::try_from(secret.as_slice()).map_err(|error| failure(&error))?;
    let public = sealed_object().map_err(|error| failure(&error))?;
    let sealed = tpm.context.execute_with_session(Some(session), |context| context.create(parent, public, None, Some(data), None, None));
    let sealed = sealed.map_err(|error| failure(&error))?;
    let public = sealed.out_public.marshall().map_err(|error| failure(&error))?;
    let done = TpmAccount { parent: name, maker: tpm.maker(), public, private: sealed.out_private.value().to_vec(), ..account };
    drop(tpm);
    // A secret that could not be had back would be a way in that opens nothing.
    match unseal(&done) {
        Ok(back) if back.as_slice() == secret => Ok(done),
        Err(failure) => Err(failure),
        Ok(_) => Err(Failure::TpmFailed),
    }
}

/// Gets it back.
pub(crate) fn unseal(account: &TpmAccount) -> Result<Share, Failure> {
    let mut tpm = Tpm::connect(&account.tcti)?;
    let parent = tpm.storage_key(Some(account))?;
    let session = tpm.session(parent)?;
    let public = Public::unmarshall(&account.public).map_err(|_| Failure::NotSealed)?;
    let private = Private::try_from(account.private.as_slice()).map_err(|_| Failure::NotSealed)?;
    let loaded = tpm.context.execute_with_session(Some(session), |context| context.load(parent, private, public));
    let object = loaded.map_err(|error| failure_of_load(&error))?;
    let secret = tpm.context.execute_with_session(Some(session), |context| context.unseal(object.into()));
    let secret = secret.map_err(|error| failure_of_load(&error))?;
    if secret.value().len() == SHARE_LEN { Ok(Zeroizing::new(secret.value().to_vec())) } else { Err(Failure::NotSealed) }
}

/// A TPM; keys and sessions that were made in it leave it with this.
struct Tpm {
    context: Context,
}

impl Tpm {
    fn connect(tcti: &str) -> Result<Self, Failure> {
        // The account was checked: only a device of the kernel's, or a simulator on this computer, gets so far.
        let way = TctiNameConf::from_str(tcti).map_err(|_| Failure::Account)?;
        let context = Context::new(way).map_err(|_| Failure::NoTpm)?;
        Ok(Self { context })
    }

    /// The storage root key: made anew from the TPM's own seed, which gives the same key each time; where only the TPM's owner may do
    /// that, the one that the owner put into it.
    fn storage_key(&mut self, sealed: Option<&TpmAccount>) -> Result<KeyHandle, Failure> {
        let is_it = |name: &[u8]| sealed.is_none_or(|account| account.parent == name);
        let is_owned = match self.primary(Hierarchy::Owner) {
            Ok(key) => {
                if is_it(&self.name_of(key)?) {
                    return Ok(key);
                }
                self.context.flush_context(key.into()).map_err(|error| failure(&error))?;
                false
            }
            Err(Failure::TpmOwned) => true,
            Err(other) => return Err(other),
        };
        if let Some((key, name)) = self.kept_storage_key()
            && is_it(&name)
        {
            return Ok(key);
        }
        Err(match sealed {
            _ if is_owned => Failure::TpmOwned,
            Some(account) if !account.maker.is_empty() && account.maker == self.maker() => Failure::TpmCleared,
            _ => Failure::OtherTpm,
        })
    }

    /// The one that the TPM's owner put into it, if it is one that could be trusted with a secret, and its name.
    fn kept_storage_key(&mut self) -> Option<(KeyHandle, Vec<u8>)> {
        let handle = PersistentTpmHandle::new(STORAGE_KEY).ok()?;
        let key = KeyHandle::from(self.context.tr_from_tpm_public(handle.into()).ok()?);
        let (public, name, _) = self.context.read_public(key).ok()?;
        let is = public.object_attributes();
        let stays = is.fixed_tpm() && is.fixed_parent() && is.sensitive_data_origin();
        (stays && is.restricted() && is.decrypt() && !is.sign_encrypt()).then(|| (key, name.value().to_vec()))
    }

    /// Name of a key from the seed that clearing leaves as it is: tells a cleared TPM from another one. Nothing: its owner keeps it shut.
    fn maker(&mut self) -> Vec<u8> {
        let Ok(key) = self.primary(Hierarchy::Endorsement) else { return Vec::new() };
        let name = self.name_of(key).unwrap_or_default();
        let _ = self.context.flush_context(key.into());
        name
    }

    fn primary(&mut self, hierarchy: Hierarchy) -> Result<KeyHandle, Failure> {
        let template = storage_template().map_err(|error| failure(&error))?;
        let made = self.context.execute_with_session(Some(AuthSession::Password), |context| {
            context.create_primary(hierarchy, template, None, None, None, None)
        });
        made.map(|made| made.key_handle).map_err(|error| failure(&error))
    }

    fn name_of(&mut self, key: KeyHandle) -> Result<Vec<u8>, Failure> {
        self.context.tr_get_name(key.into()).map(|name| name.value().to_vec()).map_err(|error| failure(&error))
    }

    /// Salted for the storage key, so that only the TPM which has it learns the session's key; both directions are encrypted.
    fn session(&mut self, salted_for: KeyHandle) -> Result<AuthSession, Failure> {
        let context = &mut self.context;
        let begun = context.start_auth_session(
            Some(salted_for),
            None,
            None,
            SessionType::Hmac,
            SymmetricDefinition::AES_128_CFB,
            HashingAlgorithm::Sha256,
        );
        let session = begun.map_err(|error| failure(&error))?.ok_or(Failure::TpmFailed)?;
        let (attributes, mask) = SessionAttributesBuilder::new().with_decrypt(true).with_encrypt(true).with_continue_session(true).build();
        context.tr_sess_set_attributes(session, attributes, mask).map_err(|error| failure(&error))?;
        Ok(session)
    }
}

/// ECC P-256, AES-128-CFB, SHA-256.
fn storage_template() -> Result<Public, Error> {
    let attributes = ObjectAttributesBuilder::new()
        .with_fixed_tpm(true)
        .with_fixed_parent(true)
        .with_sensitive_data_origin(true)
        .with_user_with_auth(true)
        .with_no_da(true)
        .with_restricted(true)
        .with_decrypt(true)
        .build()?;
    let parameters =
        PublicEccParametersBuilder::new_restricted_decryption_key(SymmetricDefinitionObject::AES_128_CFB, EccCurve::NistP256).build()?;
    let zeros = || EccParameter::try_from(vec![0; COORDINATE_LEN]);
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::Ecc)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_ecc_parameters(parameters)
        .with_ecc_unique_identifier(EccPoint::new(zeros()?, zeros()?))
        .build()
}

/// Bytes that stay with this TPM and under this key. It has no password, so no number of tries locks the TPM.
fn sealed_object() -> Result<Public, Error> {
    let attributes =
        ObjectAttributesBuilder::new().with_fixed_tpm(true).with_fixed_parent(true).with_user_with_auth(true).with_no_da(true).build()?;
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::KeyedHash)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_keyed_hash_parameters(PublicKeyedHashParameters::new(KeyedHashScheme::Null))
        .with_keyed_hash_unique_identifier(Digest::default())
        .build()
}

/// The storage key is the right one: whatever the TPM finds wrong with what it is given is wrong with that.
fn failure_of_load(error: &Error) -> Failure {
    match (failure(error), error) {
        (Failure::TpmFailed, Error::WrapperError(_) | Error::Tss2Error(Tss2ResponseCode::FormatOne(_))) => Failure::NotSealed,
        (other, _) => other,
    }
}

fn failure(error: &Error) -> Failure {
    let Error::Tss2Error(code) = error else { return Failure::TpmFailed };
    match code.kind() {
        Some(Kind::Lockout) => Failure::TpmLockedOut,
        Some(Kind::BadAuth | Kind::AuthFail | Kind::Hierarchy | Kind::AuthUnavailable) => Failure::TpmOwned,
        _ => Failure::TpmFailed,
    }
}
