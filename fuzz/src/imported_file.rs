//! Files that people import keys from. Invariant: what is found passes the check of what a walled reader may answer, and no
//! input costs more than its bound.

use strongroom_prompt::import::{FOUND_MAX, decode, encode, parse_within};

/// Work for a passphrase, far below what a person's file may cost: many inputs a second are worth more.
const WORK_MAX: u64 = 4_096;
const PASSPHRASE: &[u8] = b"correct horse";

/// The importers' vectors, with or without a passphrase.
const VECTORS: &[&[u8]] = &[
    include_bytes!("../../crates/prompt/tests/vectors/ccxt-keys.json"),
    include_bytes!("../../crates/prompt/tests/vectors/coinbase-ecdsa.json"),
    include_bytes!("../../crates/prompt/tests/vectors/coinbase-ed25519.json"),
    include_bytes!("../../crates/prompt/tests/vectors/freqtrade-config.json"),
    include_bytes!("../../crates/prompt/tests/vectors/gocryptotrader-config.dat"),
    include_bytes!("../../crates/prompt/tests/vectors/gocryptotrader-config.json"),
    include_bytes!("../../crates/prompt/tests/vectors/hummingbot-binance.yml"),
    include_bytes!("../../crates/prompt/tests/vectors/hummingbot-kraken.yml"),
    include_bytes!("../../crates/prompt/tests/vectors/hummingbot-password_verification"),
    include_bytes!("../../crates/prompt/tests/vectors/kraken-config.toml"),
    include_bytes!("../../crates/prompt/tests/vectors/octobot-config.json"),
    include_bytes!("../../crates/prompt/tests/vectors/pem-ec.pem"),
    include_bytes!("../../crates/prompt/tests/vectors/pem-pbkdf2.pem"),
    include_bytes!("../../crates/prompt/tests/vectors/pem-rsa.pem"),
    include_bytes!("../../crates/prompt/tests/vectors/pem-scrypt.pem"),
];

/// One file of each form; the first byte says whether a passphrase comes along.
pub fn seeds() -> Vec<Vec<u8>> {
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    let env = "# mine\nexport BINANCE_API_KEY=\"k\"\nBINANCE_API_SECRET='s' # tail\nFREQTRADE__EXCHANGE__NAME=okx\nFREQTRADE__EXCHANGE__KEY=a\nFREQTRADE__EXCHANGE__SECRET=b\nFREQTRADE__EXCHANGE__PASSWORD=c\n";
    let json = r#"{"binance":{"apiKey":"k","secret":"s","options":{}},"list":[{"api_key":"a","api_secret":"b","secret_file":"c"}]}"#;
    let commented =
        "// mine\n{\"exchange\": {\"name\": \"binance\", \"key\": \"k\", \"secret\": \"s\",}, /* more */ \"telegram\": {\"token\": \"t\"}}";
    let yml = "connector: binance\n\nbinance_api_key: k\n\nbinance_api_secret: s\n";
    let texts = [
        pem.to_owned(),
        pem.replace('\n', "\\n"),
        env.to_owned(),
        format!("A_API_KEY=k\nA_API_SECRET=\"{pem}\""),
        json.to_owned(),
        commented.to_owned(),
        yml.to_owned(),
        "API Key: abc\nSecret Key: def\nPassphrase: g h\n".to_owned(),
        "[binance]\napi_key = \"k\"\napi_secret = 's'\n".to_owned(),
    ];
    let files = texts.iter().map(String::as_bytes).chain(VECTORS.iter().copied());
    // What a passphrase costs stays within the bound only if the file asks for little.
    let cheap = |file: &[u8]| String::from_utf8_lossy(file).replace("31303030303030", "31303234").into_bytes();
    let hummingbot = VECTORS.iter().filter(|file| file.starts_with(b"####")).map(|file| cheap(file));
    let files: Vec<Vec<u8>> = files.map(<[u8]>::to_vec).chain(hummingbot).collect();
    files.iter().flat_map(|file| [0, 1].map(|first| [&[first], file.as_slice()].concat())).collect()
}

/// Reads as the walled reader does, answers, and reads the answer as the prompt does.
pub fn check(data: &[u8]) {
    let Some((first, file)) = data.split_first() else { return };
    let result = parse_within(file, Some(PASSPHRASE).filter(|_| first % 2 == 1), WORK_MAX);
    if let Ok(reading) = &result {
        assert!((1..=FOUND_MAX).contains(&reading.found.len()));
        assert!(reading.found.iter().all(|found| found.secret.is_err() || found.why_not("binance").is_none()));
    }
    assert!(decode(&encode(&result)) == result);
    if let Ok(reading) = decode(data) {
        assert_eq!(*encode(&Ok(reading)), data);
    }
}
