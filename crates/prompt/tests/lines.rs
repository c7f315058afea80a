//! Files of names and values, and pasted lines, as rows. Invariant: a row says all that is found in a text.

use strongroom_prompt::import::{Reading, parse};

/// The private key of RFC 8410, section 10.3: published, so no secret.
const PEM: &str =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

/// `label|api key|secret or why not` of each key, joined by blanks, and what else stands there; or the trouble.
fn read(text: &str) -> String {
    match parse(text.as_bytes(), None) {
        Err(trouble) => format!("{trouble:?}"),
        Ok(Reading { found, also, .. }) => {
            let secret = |secret: &str| if secret == PEM { "PEM".to_owned() } else { secret.to_owned() };
            let keys = found.iter().map(|found| {
                let secret = found.secret.as_ref().map_or_else(|why| format!("{why:?}"), |text| secret(text));
                let left = if found.left.is_empty() { String::new() } else { format!("|-{}", found.left) };
                format!("{}|{}|{secret}{left}", found.label, *found.api_key)
            });
            keys.chain(Some(also).filter(|also| !also.is_empty())).collect::<Vec<_>>().join(" ")
        }
    }
}

/// Rows: a file, and what is found in it.
#[test]
fn files() {
    let literal = PEM.trim().replace('\n', "\\n");
    let rows: &[(&str, &str)] = &[
        // Plain PEM, with line breaks of all kinds.
        (PEM, "||PEM"),
        (&PEM.replace('\n', "\r\n"), "||PEM"),
        (&literal, "||PEM"),
        (&format!("\u{feff}{PEM}"), "||PEM"),
        ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", "Damaged"),
        ("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----", "OtherKind"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA", "Damaged"),
        // NautilusTrader.
        ("BINANCE_API_KEY=k1\nBINANCE_API_SECRET=s1\n", "binance|k1|s1"),
        ("# mine\nexport BINANCE_API_KEY=\"k1\"\nexport BINANCE_API_SECRET='s1' # tail\n", "binance|k1|s1"),
        ("BINANCE_TESTNET_API_KEY=k\nBINANCE_TESTNET_API_SECRET=s", "binance testnet|k|s"),
        ("BINANCE_DEMO_API_KEY=k\nBINANCE_DEMO_API_SECRET=s", "binance demo|k|s"),
        ("BINANCE_API_SECRET=s\r\nOTHER=1\r\nBINANCE_API_KEY=k\r\n", "binance|k|s"),
        ("binance_api_key=k\nbinance_api_secret=s", "binance|k|s"),
        (
            "BYBIT_API_KEY=k\nBYBIT_API_SECRET=s\nBYBIT_TESTNET_API_KEY=k\nBYBIT_TESTNET_API_SECRET=s\nBYBIT_DEMO_API_KEY=k\nBYBIT_DEMO_API_SECRET=s",
            "bybit|k|Venue bybit testnet|k|Venue bybit demo|k|Venue",
        ),
        ("OKX_API_KEY=a\nOKX_API_SECRET=b\nOKX_API_PASSPHRASE=c", "okx|a|Venue|-OKX_API_PASSPHRASE"),
        (
            "COINBASE_API_KEY=organizations/o/apiKeys/k\nCOINBASE_API_SECRET=\"-----BEGIN EC PRIVATE KEY-----\\nAA\\n-----END EC PRIVATE KEY-----\\n\"",
            "coinbase|organizations/o/apiKeys/k|Venue",
        ),
        ("KRAKEN_FUTURES_DEMO_API_KEY=k\nKRAKEN_FUTURES_DEMO_API_SECRET=s", "kraken futures demo|k|Venue"),
        // ccxt's command line.
        ("BINANCE_APIKEY=k\nBINANCE_SECRET=s", "binance|k|s"),
        ("OKX_APIKEY=k\nOKX_SECRET=s\nOKX_PASSWORD=p", "okx|k|Venue|-OKX_PASSWORD"),
        // freqtrade.
        ("FREQTRADE__EXCHANGE__NAME=binance\nFREQTRADE__EXCHANGE__KEY=k\nFREQTRADE__EXCHANGE__SECRET=s", "binance|k|s"),
        (
            "FREQTRADE__EXCHANGE__KEY=k\nFREQTRADE__EXCHANGE__SECRET=s\nFREQTRADE__TELEGRAM__TOKEN=t",
            "freqtrade|k|s FREQTRADE__TELEGRAM__TOKEN",
        ),
        (
            "FREQTRADE__EXCHANGE__NAME=okx\nFREQTRADE__EXCHANGE__KEY=k\nFREQTRADE__EXCHANGE__SECRET=s\nFREQTRADE__EXCHANGE__PASSWORD=p\nFREQTRADE__EXCHANGE__UID=u",
            "okx|k|Venue|-FREQTRADE__EXCHANGE__PASSWORD, FREQTRADE__EXCHANGE__UID",
        ),
        // Kraken's and Alpaca's.
        (
            "KRAKEN_API_KEY=k\nKRAKEN_API_SECRET=s\nKRAKEN_FUTURES_API_KEY=a\nKRAKEN_FUTURES_API_SECRET=b",
            "kraken|k|Venue kraken futures|a|Venue",
        ),
        ("APCA_API_KEY_ID=k\nAPCA_API_SECRET_KEY=s", "alpaca|k|Venue"),
        ("APCA_API_KEY_ID=k\nAPCA_API_SECRET_KEY=s\nAPCA_API_BASE_URL=https://paper-api.alpaca.markets", "alpaca paper|k|Venue"),
        (&format!("BINANCE_API_KEY=k\nBINANCE_API_SECRET=\"{literal}\""), "binance|k|PEM"),
        (&format!("BINANCE_API_KEY=k\nBINANCE_API_SECRET=\"{}\"", PEM.trim()), "binance|k|PEM"),
        ("API_KEY=k\nAPI_SECRET=s", "|k|s"),
        ("BINANCEUS_API_KEY=k\nBINANCEUS_API_SECRET=s", "binanceus|k|Venue"),
        ("BINANCE_API_KEY=k", "binance|k|NoSecret"),
        ("OPENAI_API_KEY=k", "NoKey"),
        ("BINANCE_API_KEY=\nBINANCE_API_SECRET=", "NoKey"),
        ("BINANCE_API_KEY=k k\nBINANCE_API_SECRET=s", "binance||Broken"),
        ("BINANCE_API_KEY=your_api_key\nBINANCE_API_SECRET=your_api_secret", "OnlyPlaceholders"),
        // ccxt's JSON, flat and by exchange.
        (r#"{"apiKey":"k","secret":"s"}"#, "|k|s"),
        (r#"{"binance":{"apiKey":"k","secret":"s","options":{}}}"#, "binance|k|s"),
        (r#"{"exchange":"binance","apiKey":"k","secret":"s"}"#, "binance|k|s"),
        (r#"{"binance":{"apiKey":"k","secret":"s","password":"p","uid":"u"}}"#, "binance|k|s|-password, uid"),
        (&format!(r#"{{"binance":{{"apiKey":"k","secret":"{literal}"}}}}"#), "binance|k|PEM"),
        (r#"{"api_key":"k","api_secret":"s"}"#, "|k|s"),
        (r#"[{"binance":{"apiKey":"k","secret":"s"}}]"#, "binance|k|s"),
        (r#"{"binance":{"apiKey":"k"}}"#, "binance|k|NoSecret"),
        (r#"{"apiKey":"k"}"#, "NoKey"),
        (r#"{"apiKey":7,"secret":"s"}"#, "NoKey"),
        (r#"{"apiKey":"k","secret":"s""#, "Damaged"),
        (r#"{"apiKey":"k","secret":"s"} more"#, "Damaged"),
        // The paper venue's own list has its secrets elsewhere.
        (r#"[{"label":"trade","api_key":"k","scheme":"hmac-sha256","may_trade":true,"secret_file":"trade.secret"}]"#, "SecretElsewhere"),
        // Copied from a page.
        ("API Key: abc\nSecret Key: def", "|abc|def"),
        ("API Key\nabc\n\nSecret Key\ndef\n", "|abc|def"),
        ("API key\tabc\nAPI secret\tdef\nPassphrase: two words", "|abc|def|-passphrase"),
        ("abcdefghijklmnopqrst\nuvwxyzabcdefghijklmn", "|abcdefghijklmnopqrst|uvwxyzabcdefghijklmn"),
        ("dear key\nhow is your secret", "Unknown"),
        ("API Key: a b\nSecret: c", "Unknown"),
        ("API Key: abc", "Unknown"),
        // Neither.
        ("", "NotText"),
        ("a\0b", "NotText"),
        ("some words", "Unknown"),
        ("[1,2]", "NoKey"),
    ];
    for (text, wanted) in rows {
        assert_eq!(read(text), *wanted, "{text:?}");
    }
}

#[test]
fn two_lines_of_kraken_are_known_by_their_lengths() {
    let pair = format!("{}\n{}g==\n", "k".repeat(56), "s".repeat(85));
    assert_eq!(read(&pair), format!("kraken|{}|Venue", "k".repeat(56)));
}
