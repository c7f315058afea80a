//! What signer and provider say, how a share is had, and what a key server answers. Invariant: messages and accounts that are read
//! are written back to the same bytes; an answer is no longer than what came.

use strongroom_signer_api::keeping::{Account, Keeping, Kept, TokenAccount, TransitAccount};
use strongroom_signer_api::provider::{Failure, FromProvider, ToProvider};
use strongroom_signer_api::tpm::TpmAccount;

/// One of each.
pub fn seeds() -> Vec<Vec<u8>> {
    let token = Account::Token(TokenAccount {
        module: "/usr/lib/module.so".to_owned(),
        token: "desk".to_owned(),
        serial: "1".to_owned(),
        key: "strongroom".to_owned(),
        key_id: vec![1; 16],
        wrapped: vec![2; 60],
    });
    let transit = Account::Transit(TransitAccount {
        address: "https://[::1]:8200".to_owned(),
        ca_file: "/etc/ca.pem".to_owned(),
        mount: "transit".to_owned(),
        key: "strongroom".to_owned(),
        namespace: "team/a".to_owned(),
        wrapped: b"vault:v1:AAAA".to_vec(),
    });
    let tpm = TpmAccount {
        tcti: "device:/dev/tpmrm0".to_owned(),
        parent: vec![3; 34],
        maker: vec![4; 34],
        public: vec![5; 78],
        private: vec![6; 190],
    };
    let both = Keeping { tpm: Some(tpm.clone()), share: token.clone() };
    let mut seeds = vec![
        both.encode(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec(),
        b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\n{\r\n1\r\n}\r\n0\r\n\r\n".to_vec(),
    ];
    let mut out = Vec::new();
    for account in [token.encode(), transit.encode(), Kept::from(tpm).encode()] {
        let wrap = ToProvider::Wrap { vault_id: [3; 16], share: &[4; 32], pin: b"1234", account: account.clone() };
        for message in [wrap, ToProvider::Unwrap { vault_id: [3; 16], pin: b"1234", account: account.clone() }] {
            assert!(message.write(&mut out));
            seeds.push(out.clone());
        }
        FromProvider::Wrapped(account.clone()).write(&mut out);
        seeds.push(out.clone());
        seeds.push(account);
    }
    for message in [FromProvider::Share(&[5; 32]), FromProvider::Failed(Failure::WrongPin)] {
        message.write(&mut out);
        seeds.push(out.clone());
    }
    seeds
}

/// Reads all of them.
pub fn check(data: &[u8]) {
    let mut out = Vec::new();
    if let Some(message) = ToProvider::parse(data) {
        assert!(message.write(&mut out));
        crate::assert_same_frame(&out, data);
    }
    if let Some(message) = FromProvider::parse(data) {
        message.write(&mut out);
        crate::assert_same_frame(&out, data);
    }
    if let Some(kept) = Kept::decode(data) {
        assert_eq!(kept.encode(), data);
    }
    if let Some(keeping) = Keeping::decode(data) {
        assert_eq!(keeping.encode(), data);
        assert!(keeping.trouble().is_none() && !keeping.words().contains(char::is_control));
        assert_eq!(keeping.tpm.is_none(), Account::decode(data).is_some());
    }
    let mut bytes = data.to_vec();
    if let Some((status, body)) = strongroom_provider::read_answer(&mut bytes) {
        assert!(status < 1_000 && body.len() < data.len());
    }
}
