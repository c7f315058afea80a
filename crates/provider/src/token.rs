//! A share that a PKCS#11 token keeps. Invariant: the key is on the token and cannot leave it; what it encrypted opens only
//! for the same vault.

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::RawAuthPin;
use strongroom_signer_api::keeping::TokenAccount;
use strongroom_signer_api::provider::{Failure, SHARE_LEN};
use zeroize::Zeroizing;

use crate::{Share, files};

const NONCE_LEN: usize = 12;
const TAG_BITS: u64 = 128;
const KEY_LEN: u64 = 32;
/// Of the number that a new key gets.
const KEY_ID_LEN: usize = 16;

/// Encrypts the share by the key of that name, which is made if it is not there.
pub(crate) fn wrap(account: TokenAccount, bound: &[u8], pin: &[u8], share: &[u8; SHARE_LEN]) -> Result<TokenAccount, Failure> {
    let open = Open::session(&account, pin)?;
    let (key, key_id) = match open.find(&[Attribute::Label(account.key.clone().into_bytes())])? {
        Some(key) => (key, open.id_of(key)?),
        None => open.make(&account.key)?,
    };
    open.check(key)?;
    let mut wrapped = vec![0; NONCE_LEN];
    getrandom::fill(&mut wrapped).map_err(|_| Failure::TokenFailed)?;
    let mut nonce = wrapped.clone();
    let params = GcmParams::new(&mut nonce, bound, TAG_BITS.into()).map_err(|_| Failure::TokenFailed)?;
    wrapped.extend(open.session.encrypt(&Mechanism::AesGcm(params), key, share).map_err(|error| failure(&error))?);
    let done = TokenAccount { serial: open.serial.clone(), key_id, wrapped, ..account };
    // A share that could not be had back would lock its owner out.
    match open.decrypt(&done, bound) {
        Ok(back) if back.as_slice() == share => Ok(done),
        _ => Err(Failure::TokenFailed),
    }
}

/// Decrypts it again.
pub(crate) fn unwrap(account: &TokenAccount, bound: &[u8], pin: &[u8]) -> Result<Share, Failure> {
    Open::session(account, pin)?.decrypt(account, bound)
}

/// A token that somebody is logged in to. The module ends with the process.
struct Open {
    session: Session,
    serial: String,
}

impl Open {
    fn session(account: &TokenAccount, pin: &[u8]) -> Result<Self, Failure> {
        let path = files::trusted(&account.module).ok_or(Failure::ModuleUnsafe)?;
        let module = Pkcs11::new(path).map_err(|_| Failure::ModuleNotLoaded)?;
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(_) => return Err(Failure::ModuleNotLoaded),
        }
        let (slot, serial) = slot_of(&module, account)?;
        let session = module.open_rw_session(slot).map_err(|error| failure(&error))?;
        let facts = module.get_token_info(slot).map_err(|error| failure(&error))?;
        if facts.login_required() {
            if pin.is_empty() || pin.contains(&0) {
                return Err(Failure::PinUnfit);
            }
            let pin = RawAuthPin::new(Box::new(pin.to_vec()));
            match session.login_with_raw(UserType::User, &pin) {
                Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
                Err(error) => return Err(refusal(&module, slot, &error)),
            }
        }
        Ok(Self { session, serial })
    }

    /// The one key with these attributes.
    fn find(&self, named: &[Attribute]) -> Result<Option<ObjectHandle>, Failure> {
        let mut wanted = vec![Attribute::Class(ObjectClass::SECRET_KEY)];
        wanted.extend_from_slice(named);
        match self.session.find_objects(&wanted).map_err(|error| failure(&error))?[..] {
            [] => Ok(None),
            [key] => Ok(Some(key)),
            _ => Err(Failure::KeyTwice),
        }
    }

    fn make(&self, label: &str) -> Result<(ObjectHandle, Vec<u8>), Failure> {
        let mut id = vec![0; KEY_ID_LEN];
        getrandom::fill(&mut id).map_err(|_| Failure::TokenFailed)?;
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(KEY_LEN.into()),
            Attribute::Label(label.as_bytes().to_vec()),
            Attribute::Id(id.clone()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Wrap(false),
            Attribute::Unwrap(false),
        ];
        let key = self.session.generate_key(&Mechanism::AesKeyGen, &template).map_err(|error| failure(&error))?;
        Ok((key, id))
    }

    fn id_of(&self, key: ObjectHandle) -> Result<Vec<u8>, Failure> {
        let attributes = self.session.get_attributes(key, &[AttributeType::Id]).map_err(|error| failure(&error))?;
        let id = attributes.into_iter().find_map(|attribute| if let Attribute::Id(id) = attribute { Some(id) } else { None });
        Ok(id.unwrap_or_default())
    }

    /// An AES key of 256 bits that cannot leave the token.
    fn check(&self, key: ObjectHandle) -> Result<(), Failure> {
        let wanted = [
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(KEY_LEN.into()),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
        ];
        let kinds = [AttributeType::KeyType, AttributeType::ValueLen, AttributeType::Sensitive, AttributeType::Extractable];
        let found = self.session.get_attributes(key, &kinds).map_err(|_| Failure::KeyUnfit)?;
        if wanted.iter().all(|attribute| found.contains(attribute)) { Ok(()) } else { Err(Failure::KeyUnfit) }
    }

    fn decrypt(&self, account: &TokenAccount, bound: &[u8]) -> Result<Share, Failure> {
        let mut named = vec![Attribute::Label(account.key.clone().into_bytes())];
        if !account.key_id.is_empty() {
            named.push(Attribute::Id(account.key_id.clone()));
        }
        let key = self.find(&named)?.ok_or(Failure::KeyMissing)?;
        let (nonce, sealed) = account.wrapped.split_at_checked(NONCE_LEN).ok_or(Failure::NotTheirs)?;
        let mut nonce = nonce.to_vec();
        let params = GcmParams::new(&mut nonce, bound, TAG_BITS.into()).map_err(|_| Failure::TokenFailed)?;
        // Tokens tell a wrong tag from other failures in many ways, or not at all: whatever fails here is not theirs.
        match self.session.decrypt(&Mechanism::AesGcm(params), key, sealed) {
            Ok(share) if share.len() == SHARE_LEN => Ok(Zeroizing::new(share)),
            Ok(_) => Err(Failure::NotTheirs),
            Err(Error::Pkcs11(RvError::DeviceRemoved | RvError::TokenNotPresent, _)) => Err(Failure::NoToken),
            Err(_) => Err(Failure::NotTheirs),
        }
    }
}

/// The token of that name, and of that serial number once it is known.
fn slot_of(module: &Pkcs11, account: &TokenAccount) -> Result<(Slot, String), Failure> {
    let mut found = Vec::new();
    for slot in module.get_slots_with_token().map_err(|error| failure(&error))? {
        // A token that cannot be asked is none that can be used.
        let Ok(facts) = module.get_token_info(slot) else { continue };
        let is_it = facts.label() == account.token && (account.serial.is_empty() || facts.serial_number() == account.serial);
        if facts.token_initialized() && is_it {
            found.push((slot, facts));
        }
    }
    match &found[..] {
        [] => Err(Failure::NoToken),
        [(_, facts)] if facts.user_pin_locked() => Err(Failure::PinLocked),
        [(_, facts)] if facts.login_required() && !facts.user_pin_initialized() => Err(Failure::TokenNotReady),
        [(slot, facts)] => Ok((*slot, facts.serial_number().to_owned())),
        _ => Err(Failure::TokenTwice),
    }
}

/// Why nobody was let in, with what the token says of its remaining tries.
fn refusal(module: &Pkcs11, slot: Slot, error: &Error) -> Failure {
    let is_wrong = matches!(error, Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _));
    match module.get_token_info(slot) {
        Ok(facts) if is_wrong && facts.user_pin_locked() => Failure::PinLocked,
        Ok(facts) if is_wrong && facts.user_pin_final_try() => Failure::WrongPinLast,
        Ok(facts) if is_wrong && facts.user_pin_count_low() => Failure::WrongPinFew,
        _ if is_wrong => Failure::WrongPin,
        _ => failure(error),
    }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Pkcs11(RvError::PinLocked, _) => Failure::PinLocked,
        Error::Pkcs11(RvError::UserPinNotInitialized, _) => Failure::TokenNotReady,
        Error::Pkcs11(RvError::DeviceRemoved | RvError::TokenNotPresent, _) => Failure::NoToken,
        Error::Pkcs11(RvError::MechanismInvalid | RvError::MechanismParamInvalid, _) => Failure::NoAesGcm,
        Error::Pkcs11(RvError::KeyFunctionNotPermitted | RvError::KeyTypeInconsistent | RvError::KeySizeRange, _) => Failure::KeyUnfit,
        _ => Failure::TokenFailed,
    }
}
