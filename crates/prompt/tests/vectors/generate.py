"""Writes the vectors beside it, with the original programs' own code where that can be installed.

    pip install eth-keyfile==0.10.0 eth-account OctoBot-Commons==1.10.6 ccxt==4.5.90 \
        python-rapidjson coinbase-advanced-py cryptography
    pip download --no-deps --no-binary :all: hummingbot==20260922   # for its config_crypt.py
    python generate.py PATH/TO/hummingbot/client/config/config_crypt.py

All keys are made here for the purpose and were never registered at a venue. The passphrase of all files is "correct horse".
"""

import base64, importlib.util, io, json, os, pathlib, subprocess, sys, types

HERE = pathlib.Path(__file__).parent
PASSPHRASE = "correct horse"
KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"  # Binance's documented example


def write(name, text):
    data = text if isinstance(text, bytes) else (text.rstrip("\n") + "\n").encode()
    (HERE / name).write_bytes(data)


def hummingbot(path):
    """Hummingbot's own config_crypt.py; only its folder of settings is replaced."""
    for name in ("hummingbot", "hummingbot.client", "hummingbot.client.settings"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["hummingbot.client.settings"].CONF_DIR_PATH = HERE
    spec = importlib.util.spec_from_file_location("config_crypt", path)
    crypt = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(crypt)
    secrets = crypt.ETHKeyFileSecretManger(PASSPHRASE)

    def connector(name, fields):
        rule = "#" * 30
        lines = [rule, f"###   {name} config   ###", rule, "", f"connector: {name}", ""]
        for field, value in fields.items():
            sealed = secrets.encrypt_secret_value(field, value)
            assert secrets.decrypt_secret_value(field, sealed) == value
            lines += [f"{field}: {sealed}", ""]
        write(f"hummingbot-{name}.yml", "\n".join(lines))
        return lines

    connector("binance", {"binance_api_key": KEY, "binance_api_secret": SECRET})
    connector("kraken", {"kraken_api_key": "k" * 56, "kraken_secret_key": "s" * 86 + "=="})
    # An initialisation vector that begins with a zero byte is written without it.
    real = crypt.Random.get_random_bytes
    crypt.Random = types.SimpleNamespace(get_random_bytes=lambda n: b"\0" + real(n - 1))
    connector("binance_perpetual", {"binance_perpetual_api_key": KEY, "binance_perpetual_api_secret": SECRET})
    crypt.Random = types.SimpleNamespace(get_random_bytes=real)
    crypt.PASSWORD_VERIFICATION_PATH = HERE / "hummingbot-password_verification"
    crypt.store_password_verification(secrets)


def octobot():
    """OctoBot's own library."""
    import octobot_commons.configuration.fields_utils as fields

    seal = lambda text: fields.encrypt(text).decode()
    config = {
        "crypto-currencies": {},
        "exchanges": {
            "binance": {"api-key": seal(KEY), "api-secret": seal(SECRET), "enabled": True, "sandboxed": False, "exchange-type": "spot"},
            "kucoin": {"api-key": seal("k" * 24), "api-secret": seal("s" * 36), "api-password": seal("pass"), "enabled": True},
            "hitbtc": {"api-key": "your-api-key-here", "api-secret": "your-api-secret-here", "enabled": False},
        },
        "trading": {"reference-market": "USDT", "risk": 0.5},
    }
    for name in ("api-key", "api-secret"):
        assert fields.decrypt(config["exchanges"]["binance"][name]) in (KEY, SECRET)
    write("octobot-config.json", json.dumps(config, indent=4))


def gocryptotrader():
    """Written from config/config_encryption.go with Python's cryptography; the program itself was not run."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    def exchange(name, **credentials):
        return {"name": name, "enabled": True, "api": {"authenticatedSupport": True, "credentials": credentials, "urlEndpoints": {}}}

    config = {
        "name": "Skynet",
        "encryptConfig": 1,
        "exchanges": [
            exchange("Binance", key=KEY, secret=SECRET),
            exchange("BTC Markets", key="Key", secret="Secret"),
            exchange("OKX", key="o" * 36, secret="s" * 32, clientID="pass", otpSecret=""),
        ],
    }
    plain = json.dumps(config, indent=1)
    write("gocryptotrader-config.json", plain)
    salt, nonce = b"~GCT~SO~SALTY~" + os.urandom(12), os.urandom(12)
    key = Scrypt(salt=salt, length=32, n=32768, r=8, p=1).derive(PASSPHRASE.encode())
    sealed = AESGCM(key).encrypt(nonce, plain.encode(), None)
    write("gocryptotrader-config.dat", b"THORS-HAMMER" + salt + b"ENCVER\x00\x01" + nonce + sealed)


def freqtrade():
    """Written from its documentation; python-rapidjson in freqtrade's mode reads it to the same values."""
    import rapidjson

    text = """// Mine
{
    "max_open_trades": 3,
    "stake_currency": "USDT", /* quote */
    "dry_run": false,
    "exchange": {
        "name": "binance",
        "key": "%s",
        "secret": "%s", // not "password"
        "password": "",
        "ccxt_config": {},
        "ccxt_async_config": {},
        "pair_whitelist": ["BTC/USDT", "ETH/USDT",],
        "pair_blacklist": ["BNB/.*"],
    },
    "telegram": {"enabled": true, "token": "1234:telegram", "chat_id": "99"},
    "api_server": {"enabled": true, "username": "me", "password": "planted-password", "jwt_secret_key": "planted-jwt", "ws_token": ""},
    "bot_name": "http://not.a.comment/",
}
""" % (KEY, SECRET)
    read = rapidjson.loads(text, parse_mode=rapidjson.PM_COMMENTS | rapidjson.PM_TRAILING_COMMAS)
    assert read["exchange"]["secret"] == SECRET and read["bot_name"].endswith(".comment/")
    write("freqtrade-config.json", text)


def ccxt():
    """Written from its manual; ccxt itself finds each exchange's required credentials in it."""
    import ccxt as library

    keys = {
        "binance": {"apiKey": KEY, "secret": SECRET, "options": {"defaultType": "spot"}},
        "okx": {"apiKey": "o" * 36, "secret": "planted-okx-secret", "password": "planted-okx-password"},
        "hyperliquid": {"walletAddress": "0x" + "ab" * 20, "privateKey": "0x" + "cd" * 32},
        "bitmart": {"apiKey": "b" * 40, "secret": "s" * 64, "uid": "memo"},
    }
    for name, values in keys.items():
        if name in library.exchanges:
            assert getattr(library, name)(values).check_required_credentials()
    write("ccxt-keys.json", json.dumps(keys, indent=2))


def coinbase():
    """Written from Coinbase's documentation; its library coinbase-advanced-py signs with both."""
    from coinbase.rest import RESTClient
    from coinbase import jwt_generator
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    ecdsa = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()).decode()
    name = "organizations/3f1c5a3e-0000-4000-8000-000000000001/apiKeys/3f1c5a3e-0000-4000-8000-000000000002"
    edwards = ed25519.Ed25519PrivateKey.generate()
    pair = edwards.private_bytes_raw() + edwards.public_key().public_bytes_raw()
    for file, key in (
        ("coinbase-ecdsa.json", {"name": name, "privateKey": ecdsa}),
        ("coinbase-ed25519.json", {"id": "3f1c5a3e-0000-4000-8000-000000000003", "privateKey": base64.b64encode(pair).decode()}),
    ):
        write(file, json.dumps(key, indent=3))
        try:
            client = RESTClient(key_file=io.StringIO(json.dumps(key)))
            print(file, "signs:", bool(jwt_generator.build_rest_jwt("GET /", client.api_key, client.api_secret.decode() if isinstance(client.api_secret, bytes) else client.api_secret)))
        except Exception as error:
            print(file, "is not read by the library:", repr(error)[:100])


def pem():
    """OpenSSL itself."""
    def openssl(*words):
        return subprocess.run(["openssl", *words], check=True, capture_output=True).stdout

    for kind, words in {
        "ed25519": ["-algorithm", "ed25519"],
        "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        "ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    }.items():
        write(f"pem-{kind}.pem", openssl("genpkey", *words))
    source = ["pkcs8", "-topk8", "-passout", f"pass:{PASSPHRASE}", "-in"]
    plain = str(HERE / "pem-ed25519.pem")
    for name, words in {
        "pbkdf2": ["-v2", "aes-256-cbc"],
        "sha512": ["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512", "-iter", "100000"],
        "scrypt": ["-scrypt"],
        "costly": ["-v2", "aes-256-cbc", "-iter", "5000001"],
        "des3": ["-v2", "des3"],
    }.items():
        write(f"pem-{name}.pem", openssl(*source, plain, *words))
    write("pem-rsa-pbkdf2.pem", openssl(*source, str(HERE / "pem-rsa.pem"), "-v2", "aes-256-cbc"))


def written():
    """From the documentation of kraken-cli and of the conventions; no program was run."""
    write("kraken-config.toml", '# kraken-cli\n[auth]\napi_key = "%s"\napi_secret = "%s"\nfutures_api_key = "%s"\nfutures_api_secret = "%s"\n' % (
        base64.b64encode(b"k" * 42).decode(), base64.b64encode(b"s" * 64).decode(), base64.b64encode(b"f" * 42).decode(), base64.b64encode(b"t" * 64).decode()))


if __name__ == "__main__":
    hummingbot(sys.argv[1])
    for make in (octobot, gocryptotrader, freqtrade, ccxt, coinbase, pem, written):
        make()
