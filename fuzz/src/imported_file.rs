//! Files that people import keys from. Invariant: what is found passes the check of what a walled reader may answer.

use strongroom_prompt::import::{FOUND_MAX, decode, encode, parse};

/// One file of each form.
pub fn seeds() -> Vec<Vec<u8>> {
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    let env = "# mine\nexport BINANCE_API_KEY=\"k\"\nBINANCE_API_SECRET='s' # tail\nFREQTRADE__EXCHANGE__NAME=okx\nFREQTRADE__EXCHANGE__KEY=a\nFREQTRADE__EXCHANGE__SECRET=b\n";
    let json = r#"{"binance":{"apiKey":"k","secret":"s","options":{}},"list":[{"api_key":"a","api_secret":"b","secret_file":"c"}]}"#;
    [pem.to_owned(), pem.replace('\n', "\\n"), env.to_owned(), format!("A_API_KEY=k\nA_API_SECRET=\"{pem}\""), json.to_owned()]
        .into_iter()
        .map(String::into_bytes)
        .collect()
}

/// Reads as the walled reader does, answers, and reads the answer as the prompt does.
pub fn check(data: &[u8]) {
    let result = parse(data);
    if let Ok(found) = &result {
        assert!((1..=FOUND_MAX).contains(&found.len()));
    }
    assert!(decode(&encode(&result)) == result);
    if let Ok(found) = decode(data) {
        assert_eq!(*encode(&Ok(found)), data);
    }
}
