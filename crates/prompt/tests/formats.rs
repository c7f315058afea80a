//! Files of other programs, one test for each form. Invariant: the keys of a venue that can be signed for come out whole, those
//! of every other are named, and no secret of theirs comes out at all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use strongroom_prompt::import::{FILE_LEN_MAX, FOUND_MAX, Form, Reading, Scheme, Trouble, Why, encode, parse};

const PASSPHRASE: &[u8] = b"correct horse";
const KEY: &str = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("vectors/", $name)).as_slice()
    };
}

/// `label|place|scheme|left|key|secret or why not` of each key.
fn told(reading: &Reading) -> Vec<String> {
    let short = |text: &str| match text {
        KEY => "KEY".to_owned(),
        SECRET => "SECRET".to_owned(),
        pem if pem.starts_with("-----BEGIN PRIVATE KEY-----\n") => "PEM".to_owned(),
        other => other.chars().take(24).collect(),
    };
    let row = |found: &strongroom_prompt::import::Found| {
        let secret = found.secret.as_ref().map_or_else(|why| format!("{why:?}"), |secret| short(secret));
        format!("{}|{}|{:?}|{}|{}|{secret}", found.label, found.place, found.scheme, found.left, short(&found.api_key))
    };
    reading.found.iter().map(row).collect()
}

fn read(bytes: &[u8], passphrase: Option<&[u8]>) -> Result<Reading, Trouble> {
    let result = parse(bytes, passphrase);
    assert!(strongroom_prompt::import::decode(&encode(&result)) == result, "it is told as it was found");
    result
}

fn rows(bytes: &[u8], passphrase: Option<&[u8]>) -> (Form, Vec<String>) {
    let reading = read(bytes, passphrase).unwrap_or_else(|trouble| panic!("{trouble:?}"));
    (reading.form, told(&reading))
}

fn trouble(bytes: &[u8], passphrase: Option<&[u8]>) -> Option<Trouble> {
    read(bytes, passphrase).err()
}

/// Every beginning of a file is refused with words, and none gives a key.
fn no_beginning_is_a_file(bytes: &[u8], passphrase: Option<&[u8]>, step: usize) {
    for len in (0..bytes.trim_ascii_end().len()).step_by(step) {
        assert!(read(&bytes[..len], passphrase).is_err(), "{len} bytes");
    }
}

#[test]
fn ccxt() {
    let (form, found) = rows(vector!("ccxt-keys.json"), None);
    assert_eq!(form, Form::Json);
    let okx = "o".repeat(24);
    let wallet = &["0x", &"ab".repeat(11)].concat();
    let bitmart = "b".repeat(24);
    assert_eq!(
        found,
        [
            "binance|binance|Shared||KEY|SECRET".to_owned(),
            format!("okx|okx|Shared|password|{okx}|Venue"),
            format!("hyperliquid|hyperliquid|Shared||{wallet}|Venue"),
            format!("bitmart|bitmart|Shared|uid|{bitmart}|Venue"),
        ]
    );
    no_beginning_is_a_file(vector!("ccxt-keys.json"), None, 1);
}

#[test]
fn what_is_not_supported_leaves_no_secret_behind() {
    let answer = encode(&read(vector!("ccxt-keys.json"), None));
    for planted in ["planted-okx-secret", "planted-okx-password", "cdcdcd", "memo"] {
        assert!(!answer.windows(planted.len()).any(|window| window == planted.as_bytes()), "{planted}");
    }
    let answer = encode(&read(vector!("freqtrade-config.json"), None));
    for planted in ["planted-password", "planted-jwt", "1234:telegram"] {
        assert!(!answer.windows(planted.len()).any(|window| window == planted.as_bytes()), "{planted}");
    }
}

#[test]
fn freqtrade() {
    let file = vector!("freqtrade-config.json");
    let reading = read(file, None).ok().unwrap();
    assert_eq!((reading.form, told(&reading)), (Form::Freqtrade, vec!["binance|exchange|Shared||KEY|SECRET".to_owned()]));
    assert_eq!(reading.also, "telegram.token, telegram.chat_id, api_server.password, api_server.jwt_secret_key");
    no_beginning_is_a_file(file, None, 1);
    let other = std::str::from_utf8(file)
        .unwrap()
        .replace("\"name\": \"binance\"", "\"name\": \"okx\"")
        .replace("\"password\": \"\"", "\"password\": \"p\"");
    assert_eq!(rows(other.as_bytes(), None).1, ["okx|exchange|Shared|password|KEY|Venue"]);
    let private = r#"{"exchange":{"key":"k","secret":"s"}}"#;
    assert_eq!(rows(private.as_bytes(), None), (Form::Freqtrade, vec!["|exchange|Shared||k|s".to_owned()]));
    let public = r#"{"stake_currency":"USDT","exchange":{"name":"binance","key":"","secret":""},"add_config_files":["private.json"]}"#;
    assert_eq!(trouble(public.as_bytes(), None), Some(Trouble::AddConfigFiles));
    let example = r#"{"exchange":{"name":"binance","key":"your_exchange_key","secret":"your_exchange_secret"}}"#;
    assert_eq!(trouble(example.as_bytes(), None), Some(Trouble::OnlyPlaceholders));
}

#[test]
fn hummingbot() {
    let file = vector!("hummingbot-binance.yml");
    let expected = "binance|binance_api_key, binance_api_secret|Shared||KEY|SECRET";
    assert_eq!(trouble(file, None), Some(Trouble::NeedsPassphrase));
    assert_eq!(rows(file, Some(PASSPHRASE)), (Form::Hummingbot, vec![expected.to_owned()]));
    assert_eq!(trouble(file, Some(b"correct house")), Some(Trouble::WrongPassphrase));
    // An initialisation vector that is written without its leading zero.
    let short = "binance perpetual|binance_perpetual_api_key, binance_perpetual_api_secret|Shared||KEY|SECRET";
    assert_eq!(rows(vector!("hummingbot-binance_perpetual.yml"), Some(PASSPHRASE)).1, [short]);
    // Another venue's is named and not opened: it needs no passphrase.
    let (form, found) = rows(vector!("hummingbot-kraken.yml"), None);
    assert_eq!((form, found.as_slice()), (Form::Hummingbot, &["kraken|kraken_api_key, kraken_secret_key|Shared|||Venue".to_owned()][..]));
    assert_eq!(trouble(vector!("hummingbot-password_verification"), None), Some(Trouble::PasswordCheck));
}

/// A connector with one field changed inside of its keyfile.
fn altered(from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(vector!("hummingbot-binance.yml")).unwrap();
    let lines = text.lines().map(|line| match line.split_once(": ") {
        Some((name, value)) if value.starts_with("7b22") => {
            let json =
                String::from_utf8((0..value.len()).step_by(2).map(|at| u8::from_str_radix(&value[at..at + 2], 16).unwrap()).collect());
            let json = json.unwrap();
            assert!(json.contains(from), "{json}");
            let hex: String = json.replacen(from, to, 1).bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("{name}: {hex}")
        }
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n").into_bytes()
}

#[test]
fn hummingbot_altered() {
    for (from, to, expected) in [
        ("\"mac\": \"", "\"mac\": \"00", Trouble::Damaged),
        ("\"ciphertext\": \"", "\"ciphertext\": \"00", Trouble::WrongPassphrase),
        ("\"salt\": \"", "\"salt\": \"00", Trouble::WrongPassphrase),
        ("\"iv\": \"", "\"iv\": \"000000000000000000000000000000000001", Trouble::Damaged),
        ("\"c\": 1000000", "\"c\": 5000001", Trouble::Costly),
        ("\"c\": 1000000", "\"c\": 18446744073709551615", Trouble::Costly),
        ("\"c\": 1000000", "\"c\": 0", Trouble::Damaged),
        ("\"c\": 1000000", "\"c\": -1", Trouble::Damaged),
        ("\"dklen\": 32", "\"dklen\": 4294967296", Trouble::OtherCipher),
        ("\"kdf\": \"pbkdf2\"", "\"kdf\": \"scrypt\"", Trouble::OtherCipher),
        ("aes-128-ctr", "aes-128-cbc", Trouble::OtherCipher),
        ("\"version\": 3", "\"version\": 4", Trouble::OtherCipher),
        ("\"crypto\"", "\"crypto\": 1, \"crypto\"", Trouble::Damaged),
    ] {
        assert_eq!(trouble(&altered(from, to), Some(PASSPHRASE)), Some(expected), "{to}");
    }
    // A digit of the checksum itself.
    let text = String::from_utf8(vector!("hummingbot-binance.yml").to_vec()).unwrap();
    let at = text.find("226d6163223a2022").unwrap() + 17;
    let mut turned = text.clone().into_bytes();
    turned[at] = if turned[at] == b'1' { b'2' } else { b'1' };
    assert_eq!(trouble(&turned, Some(PASSPHRASE)), Some(Trouble::WrongPassphrase));
    no_beginning_is_a_file(text.as_bytes(), None, 7);
    // References and nested lists have no place in a connector.
    for hostile in [
        "connector: &a binance\nbinance_api_key: *a\nbinance_api_secret: *a",
        "connector: binance\nbinance_api_key: [a]",
        "connector: {a: {b: c}}",
    ] {
        assert!(trouble(hostile.as_bytes(), Some(PASSPHRASE)).is_some(), "{hostile}");
    }
}

/// The values of a shared file of vectors.
fn shared(pointer: &str) -> String {
    let file: serde_json::Value = serde_json::from_slice(vector!("import-formats.json")).unwrap();
    file.pointer(pointer).and_then(serde_json::Value::as_str).unwrap().to_owned()
}

#[test]
fn the_shared_vectors() {
    use base64::Engine as _;
    let field = shared("/hummingbot/yaml_value_hex");
    let yml = format!("connector: binance\nbinance_api_key: plain-key\nbinance_api_secret: {field}\n");
    let (_, found) = rows(yml.as_bytes(), Some(shared("/hummingbot/password").as_bytes()));
    assert_eq!(found, [format!("binance|binance_api_key, binance_api_secret|Shared||plain-key|{}", shared("/hummingbot/plaintext"))]);
    let file = base64::engine::general_purpose::STANDARD.decode(shared("/gocryptotrader/file_base64")).unwrap();
    // It opens; what stands in it are the program's own examples.
    assert_eq!(trouble(&file, Some(shared("/gocryptotrader/password").as_bytes())), Some(Trouble::OnlyPlaceholders));
    assert_eq!(trouble(shared("/gocryptotrader/plaintext").as_bytes(), None), Some(Trouble::OnlyPlaceholders));
    assert_eq!(trouble(&file, Some(b"correct house")), Some(Trouble::WrongPassphrase));
}

#[test]
fn gocryptotrader() {
    let okx = "o".repeat(24);
    let expected = [
        "binance|exchanges.1.api.credentials|Shared||KEY|SECRET".to_owned(),
        format!("okx|exchanges.3.api.credentials|Shared|clientID|{okx}|Venue"),
    ];
    let (plain, sealed) = (vector!("gocryptotrader-config.json"), vector!("gocryptotrader-config.dat"));
    assert_eq!(rows(plain, None), (Form::GoCryptoTrader, expected.to_vec()));
    assert_eq!(trouble(sealed, None), Some(Trouble::NeedsPassphrase));
    assert_eq!(rows(sealed, Some(PASSPHRASE)), (Form::GoCryptoTrader, expected.to_vec()));
    assert_eq!(trouble(sealed, Some(b"x")), Some(Trouble::WrongPassphrase));
    // A bit anywhere behind the version: nonce, text, tag.
    for at in [46, 60, sealed.len() / 2, sealed.len() - 1] {
        let mut turned = sealed.to_vec();
        turned[at] ^= 1;
        assert_eq!(trouble(&turned, Some(PASSPHRASE)), Some(Trouble::WrongPassphrase), "{at}");
    }
    // Cut in its head it is damaged; cut behind it, its tag says so.
    for len in 12..sealed.len() {
        let cut = if len < 74 || len == sealed.len() - 1 { trouble(&sealed[..len], Some(PASSPHRASE)) } else { continue };
        let expected = if len <= 46 + 12 + 16 - 12 { Trouble::Damaged } else { Trouble::WrongPassphrase };
        assert!(cut == Some(expected) || len < 74 && cut == Some(Trouble::Damaged), "{len}: {cut:?}");
    }
    // Before ENCVER, and before the salt: nothing says that these were not altered.
    let legacy = [&sealed[..38], &sealed[46..]].concat();
    let oldest = [b"THORS-HAMMER".as_slice(), &sealed[46..]].concat();
    for old in [legacy, oldest] {
        assert_eq!(trouble(&old, Some(PASSPHRASE)), Some(Trouble::Legacy));
        assert_eq!(trouble(&old, None), Some(Trouble::Legacy));
    }
    let mut newer = sealed.to_vec();
    newer[45] = 2;
    assert_eq!(trouble(&newer, Some(PASSPHRASE)), Some(Trouble::OtherCipher));
}

#[test]
fn octobot() {
    let file = vector!("octobot-config.json");
    let (form, found) = rows(file, None);
    let kucoin = "k".repeat(24);
    assert_eq!(form, Form::OctoBot);
    assert!(form.warning().is_some());
    assert_eq!(
        found,
        ["binance|exchanges.binance|Shared||KEY|SECRET".to_owned(), format!("kucoin|exchanges.kucoin|Shared|api-password|{kucoin}|Venue")]
    );
    no_beginning_is_a_file(file, None, 1);
    // A token of another key, or one that was altered, is named and not taken.
    let text = std::str::from_utf8(file).unwrap();
    let at = text.find("\"api-secret\": \"").unwrap() + 60;
    let turned = [&text[..at], if text[at..].starts_with('A') { "B" } else { "A" }, &text[at + 1..]].concat();
    assert_eq!(rows(turned.as_bytes(), None).1[0], "binance|exchanges.binance|Unknown||KEY|Locked");
    let plain = r#"{"exchanges":{"binance":{"api-key":"k","api-secret":"s"}}}"#;
    assert_eq!(rows(plain.as_bytes(), None).1, ["binance|exchanges.binance|Shared||k|s"]);
    let example = r#"{"exchanges":{"binance":{"api-key":"your-api-key-here","api-secret":"your-api-secret-here"}}}"#;
    assert_eq!(trouble(example.as_bytes(), None), Some(Trouble::OnlyPlaceholders));
}

#[test]
fn coinbase() {
    for (file, scheme) in [(vector!("coinbase-ecdsa.json"), Scheme::Ec), (vector!("coinbase-ed25519.json"), Scheme::Ed25519)] {
        let reading = read(file, None).ok().unwrap();
        let [found] = &reading.found[..] else { panic!("one key") };
        assert_eq!((reading.form, found.venue.as_str(), found.scheme), (Form::Coinbase, "coinbase", scheme));
        assert!(found.secret == Err(Why::Venue) && !found.api_key.is_empty());
        no_beginning_is_a_file(file, None, 1);
    }
}

#[test]
fn kraken() {
    let (form, found) = rows(vector!("kraken-config.toml"), None);
    assert_eq!(form, Form::KrakenCli);
    let start = |row: &str| row.rsplit_once('|').map(|(_, why)| (row.split('|').take(2).collect::<Vec<_>>().join("|"), why.to_owned()));
    let starts: Vec<_> = found.iter().filter_map(|row| start(row)).collect();
    assert_eq!(
        starts,
        [("kraken|auth.api_key".to_owned(), "Venue".to_owned()), ("kraken futures|auth.futures_api_key".to_owned(), "Venue".to_owned())]
    );
    // Any other TOML with pairs.
    let toml = "[binance]\napi_key = \"k\" # mine\napi_secret = 's'\n";
    assert_eq!(rows(toml.as_bytes(), None), (Form::Toml, vec!["binance|binance|Shared||k|s".to_owned()]));
    assert_eq!(trouble(b"[auth]\napi_key = \"k", None), Some(Trouble::Damaged));
    let deep = format!("[a]\nb = {}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(trouble(deep.as_bytes(), None), Some(Trouble::Damaged));
}

#[test]
fn pem() {
    let plain = rows(vector!("pem-ed25519.pem"), None);
    assert_eq!(plain, (Form::Pem, vec!["|the whole file|Ed25519|||PEM".to_owned()]));
    let secret = |bytes: &[u8], passphrase| read(bytes, passphrase).ok().and_then(|reading| reading.found.into_iter().next()?.secret.ok());
    for sealed in [vector!("pem-pbkdf2.pem"), vector!("pem-sha512.pem"), vector!("pem-scrypt.pem")] {
        assert_eq!(trouble(sealed, None), Some(Trouble::NeedsPassphrase));
        assert_eq!(trouble(sealed, Some(b"wrong")), Some(Trouble::WrongPassphrase));
        assert!(secret(sealed, Some(PASSPHRASE)) == secret(vector!("pem-ed25519.pem"), None));
        let literal = std::str::from_utf8(sealed).unwrap().trim().replace('\n', "\\n");
        assert!(secret(literal.as_bytes(), Some(PASSPHRASE)).is_some());
        no_beginning_is_a_file(sealed, Some(PASSPHRASE), 5);
    }
    assert_eq!(trouble(vector!("pem-costly.pem"), Some(PASSPHRASE)), Some(Trouble::Costly));
    assert_eq!(trouble(vector!("pem-des3.pem"), Some(PASSPHRASE)), Some(Trouble::OtherCipher));
    assert_eq!(trouble(vector!("pem-ec.pem"), Some(PASSPHRASE)), Some(Trouble::OtherKind));
    for (file, is_sealed) in [(vector!("pem-rsa.pem"), false), (vector!("pem-rsa-pbkdf2.pem"), true)] {
        assert_eq!(rows(file, Some(PASSPHRASE)).1, ["|the whole file|Rsa|||PEM"]);
        assert_eq!(trouble(file, None), is_sealed.then_some(Trouble::NeedsPassphrase));
        no_beginning_is_a_file(file, Some(PASSPHRASE), 50);
    }
    assert_eq!(trouble(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", None), Some(Trouble::OtherPem));
    assert_eq!(trouble(b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", None), Some(Trouble::OtherPem));
}

/// An encrypted private key beside its name: the passphrase is asked for when the key can be used, and only then.
#[test]
fn pem_in_other_files() {
    let sealed = std::str::from_utf8(vector!("pem-pbkdf2.pem")).unwrap().trim().replace('\n', "\\n");
    let env = format!("BINANCE_API_KEY=k\nBINANCE_API_SECRET=\"{sealed}\"\n");
    assert_eq!(trouble(env.as_bytes(), None), Some(Trouble::NeedsPassphrase));
    assert_eq!(rows(env.as_bytes(), Some(PASSPHRASE)).1, ["binance|lines 1 and 2|Ed25519||k|PEM"]);
    let other = env.replace("BINANCE", "COINBASE");
    assert_eq!(rows(other.as_bytes(), None).1, ["coinbase|lines 1 and 2|Unknown||k|Venue"]);
    let rsa = std::str::from_utf8(vector!("pem-rsa.pem")).unwrap().trim().replace('\n', "\\n");
    let json = format!(r#"{{"binance":{{"apiKey":"k","secret":"{rsa}"}},"binanceusdm":{{"apiKey":"a","secret":"b"}}}}"#);
    assert_eq!(rows(json.as_bytes(), None).1, ["binance|binance|Rsa||k|PEM", "binance usd-m futures|binanceusdm|Shared||a|b"]);
}

#[test]
fn bounds() {
    assert_eq!(trouble(&vec![b'a'; FILE_LEN_MAX + 1], None), Some(Trouble::TooLong));
    assert_eq!(trouble(b"\xff\xfe", None), Some(Trouble::NotText));
    let lines: String = (0..=2_000).map(|n| format!("V{n}_API_KEY=k\n")).collect();
    assert_eq!(trouble(lines.as_bytes(), None), Some(Trouble::TooLong));
    let many: String = (0..=FOUND_MAX).map(|n| format!("V{n}_API_KEY=k\nV{n}_API_SECRET=s\n")).collect();
    assert_eq!(trouble(many.as_bytes(), None), Some(Trouble::TooMany));
    let long = format!("BINANCE_API_KEY={}\nBINANCE_API_SECRET=s", "k".repeat(257));
    assert_eq!(rows(long.as_bytes(), None).1, ["binance|lines 1 and 2|Shared|||Broken"]);
    for deep in ["[", "{\"a\":"] {
        assert_eq!(trouble(deep.repeat(100_000).as_bytes(), None), Some(Trouble::Damaged));
    }
    // A hostile name is shown without what could move a cursor, and not at any length.
    let odd = format!(r#"{{"\u001b[2J{}":{{"apiKey":"k","secret":"s"}}}}"#, "x".repeat(1_000));
    let reading = read(odd.as_bytes(), None).ok().unwrap();
    assert!(reading.found[0].place.len() <= 160 && !reading.found[0].place.contains('\u{1b}'));
}
