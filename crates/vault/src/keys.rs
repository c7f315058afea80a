//! The keys that a slot gives out. Invariant: what a role may not do, its slot does not carry.

use crate::cells::Key;
use crate::entropy::{Entropy, make_secret};
use crate::primitives::{Broken, KEY_LEN, TAG_LEN, derive};
use crate::secret::SecretBox;
use crate::slots::{SealSlotError, SlotKind};
use crate::wire::{Fields, len16};

/// The keys behind a slot. What a role may not do, its slot does not carry.
pub(crate) struct Keys {
    pub(crate) header: Key,
    pub(crate) root: Option<Key>,
    pub(crate) audit_read: Option<Key>,
    /// Derived from the root; a service has it without the root.
    pub(crate) service: Option<Key>,
}

const KEY_HEADER: u16 = 1;
const KEY_ROOT: u16 = 2;
const KEY_AUDIT_READ: u16 = 3;
const KEY_SERVICE: u16 = 4;

/// The part of the root that a service may have.
fn service_key(root: &Key) -> Result<Key, Broken> {
    Key::take(&derive(root.bytes(), &[], &[b"strongroom/v1/service"])?).ok_or(Broken)
}

fn make_key(entropy: &mut dyn Entropy) -> Result<Key, SealSlotError> {
    Ok(Key::take(&make_secret(entropy, KEY_LEN)?).ok_or(Broken)?)
}

impl Keys {
    pub(crate) fn make(entropy: &mut dyn Entropy) -> Result<Self, SealSlotError> {
        let header = make_key(entropy)?;
        let root = make_key(entropy)?;
        let audit_read = Some(make_key(entropy)?);
        Ok(Self { header, service: Some(service_key(&root)?), root: Some(root), audit_read })
    }

    /// New keys for everything but the log, which was sealed to its reading key and must stay readable.
    pub(crate) fn remake(&self, entropy: &mut dyn Entropy) -> Result<Self, SealSlotError> {
        let made = Self::make(entropy)?;
        let kept = self.audit_read.as_ref().and_then(|key| key.bytes().try_into().ok().map(Key::keep));
        Ok(Self { audit_read: kept.or(made.audit_read), ..made })
    }

    /// Whether all of them lie in memory that was reserved for keys.
    pub(crate) fn are_kept(&self) -> bool {
        [&self.root, &self.audit_read, &self.service].into_iter().flatten().chain([&self.header]).all(Key::is_kept)
    }

    /// What a slot of that kind holds: `count u16 | (key id u16 | key 32)*` with room for a tag behind.
    pub(crate) fn to_payload(&self, kind: u16) -> SecretBox {
        let of = |wanted: SlotKind| kind == wanted.number();
        let (is_service, is_auditor) = (of(SlotKind::Service), of(SlotKind::Auditor));
        let all = [
            (KEY_HEADER, Some(&self.header), true),
            (KEY_ROOT, self.root.as_ref(), !is_service && !is_auditor),
            (KEY_AUDIT_READ, self.audit_read.as_ref(), !is_service),
            (KEY_SERVICE, self.service.as_ref(), is_service),
        ];
        let held: Vec<_> = all.into_iter().filter_map(|(id, key, held)| Some((id, key.filter(|_| held)?))).collect();
        let mut payload = SecretBox::zeroed(2 + held.len() * (2 + KEY_LEN) + TAG_LEN);
        let count = len16(held.len()).to_be_bytes();
        let numbered = held.iter().flat_map(|(id, key)| id.to_be_bytes().into_iter().chain(key.bytes().iter().copied()));
        for (place, byte) in payload.bytes_mut().iter_mut().zip(count.into_iter().chain(numbered)) {
            *place = byte;
        }
        payload
    }

    /// Key ids strictly ascend; ids of later versions are passed over; the header's key must be there.
    pub(crate) fn from_payload(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let (mut header, mut root, mut audit_read, mut service) = (None, None, None, None);
        let mut last = 0;
        for _ in 0..fields.u16()? {
            let id = fields.u16()?;
            let key: &[u8; KEY_LEN] = fields.take(KEY_LEN)?.try_into().ok()?;
            if id <= last {
                return None;
            }
            last = id;
            match id {
                KEY_HEADER => header = Some(Key::keep(key)),
                KEY_ROOT => root = Some(Key::keep(key)),
                KEY_AUDIT_READ => audit_read = Some(Key::keep(key)),
                KEY_SERVICE => service = Some(Key::keep(key)),
                _ => {}
            }
        }
        fields.end(())?;
        if let Some(root) = &root {
            service = Some(service_key(root).ok()?);
        }
        Some(Self { header: header?, root, audit_read, service })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        Key::keep(&[byte; KEY_LEN])
    }

    #[test]
    fn a_role_carries_only_its_keys() {
        let all = Keys { header: key(1), root: Some(key(2)), audit_read: Some(key(3)), service: service_key(&key(2)).ok() };
        let of = |kind: SlotKind| {
            let payload = all.to_payload(kind.number());
            Keys::from_payload(&payload.bytes()[..payload.len() - TAG_LEN]).unwrap()
        };
        let auditor = of(SlotKind::Auditor);
        assert!(auditor.root.is_none() && auditor.service.is_none() && auditor.audit_read.unwrap().bytes() == [3; KEY_LEN]);
        let service = of(SlotKind::Service);
        assert!(service.root.is_none() && service.audit_read.is_none());
        for person in [SlotKind::PasswordDevice, SlotKind::RecoveryKit, SlotKind::Hsm] {
            let person = of(person);
            assert!(person.root.is_some() && person.audit_read.is_some());
            assert!(person.service.unwrap().bytes() == service.service.as_ref().unwrap().bytes());
        }
    }

    #[test]
    fn payloads_in_another_form_are_refused() {
        let entry = |id: u8| [vec![0, id], vec![9; KEY_LEN]].concat();
        let good = [vec![0, 2], entry(1), entry(9)].concat();
        assert!(Keys::from_payload(&good).is_some());
        for bad in [
            [vec![0, 2], entry(2), entry(1)].concat(),
            [vec![0, 2], entry(1), entry(1)].concat(),
            [vec![0, 1], entry(2)].concat(),
            [vec![0, 1], entry(1), vec![0]].concat(),
            good[..good.len() - 1].to_vec(),
            vec![],
        ] {
            assert!(Keys::from_payload(&bad).is_none());
        }
    }
}
