"""`strongroom paper` for other programs: one line of JSON, a signed read and an order by a stranger, a recording replayed."""
from world import *


def paper(*arguments):
    process = start(f"{BIN}/strongroom", "--json", "paper", "--listen", "127.0.0.1:0", *arguments, stdout=subprocess.PIPE, text=True)
    facts = json.loads(process.stdout.readline())
    assert set(facts) == {"rest_url", "ws_url", "ws_api_url", "ca_file", "api_key", "secret_file"}, facts
    return process, facts, ssl.create_default_context(cafile=facts["ca_file"])


def get(path, signed=False, method="GET", **params):
    if signed:
        params["timestamp"] = get("/api/v3/time")["serverTime"]
    query = urllib.parse.urlencode(params)
    if signed:
        secret = open(facts["secret_file"]).read().strip()
        query += "&signature=" + hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    request = urllib.request.Request(f"{facts['rest_url']}{path}?{query}", method=method, headers={"X-MBX-APIKEY": facts["api_key"]})
    answer = urllib.request.urlopen(request, context=tls)
    assert answer.headers["x-mbx-used-weight-1m"], answer.headers
    return json.load(answer)


say("a simulated market that is alive")
process, facts, tls = paper("--data-dir", f"{WORK}/one", "--seed", 7)
assert os.stat(facts["secret_file"]).st_mode & 0o777 == 0o600
assert {"BTCUSDT", "ETHUSDT"} <= {symbol["symbol"] for symbol in get("/api/v3/exchangeInfo")["symbols"]}
assert len(get("/api/v3/klines", symbol="BTCUSDT", interval="1m", limit=200)) == 200
first = get("/api/v3/depth", symbol="BTCUSDT", limit=20)
eventually("depth moves", lambda: get("/api/v3/depth", symbol="BTCUSDT", limit=20)["lastUpdateId"] > first["lastUpdateId"])
trades = get("/api/v3/trades", symbol="BTCUSDT", limit=1)
eventually("trades happen", lambda: get("/api/v3/trades", symbol="BTCUSDT", limit=1) != trades, 60)
funds = {balance["asset"]: float(balance["free"]) for balance in get("/api/v3/account", signed=True)["balances"]}
assert funds["BTC"] > 0 and funds["USDT"] > 0, funds
order = get("/api/v3/order", signed=True, method="POST", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
assert order["status"] == "FILLED", order
try:
    get("/api/v3/order", signed=True, method="POST", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.0000001")
    raise AssertionError("a quantity below the lot size was accepted")
except urllib.error.HTTPError as error:
    assert error.code == 400 and json.load(error)["code"] == -1013

say("recorded by the terminal, packed, while it is asked where it is")
done = subprocess.run([f"{BIN}/strongroom", "--json", "paper", "--data-dir", f"{WORK}/one", "where"], capture_output=True, text=True)
assert json.loads(done.stdout)["of"]["rest_url"] == facts["rest_url"], done
command = [f"{BIN}/strongroom", "paper", "--data-dir", f"{WORK}/one", "record", f"{WORK}/feed.jsonl.gz", "--symbol", "BTCUSDT", "--symbol", "ETHUSDT"]
done = subprocess.run([*command, "--seconds", "4"], capture_output=True, text=True, timeout=60)
assert done.returncode == 0 and "2 of 2 books whole" in done.stdout, done
done = subprocess.run(command, capture_output=True, text=True, timeout=60)
assert done.returncode == 1 and "cannot be made" in done.stderr, done
command = [f"{BIN}/strongroom", "paper", "--data-dir", f"{WORK}/one", "record", f"{WORK}/nothing.jsonl", "--symbol", "nope", "--seconds", "3"]
done = subprocess.run(command, capture_output=True, text=True, timeout=60)
assert done.returncode == 1 and "-1121" in done.stderr and not os.path.exists(f"{WORK}/nothing.jsonl"), done

say("interrupted, it ends in order")
process.send_signal(signal.SIGINT)
assert process.wait(15) == 0

say("the recording is followed")
recording = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fixtures")
files = [os.path.join(folder, name) for folder, _, names in os.walk(recording) for name in names if ".jsonl" in name]
assert files, recording
process, facts, tls = paper("--data-dir", f"{WORK}/two", "--replay", files[0])
listed = [symbol["symbol"] for symbol in get("/api/v3/exchangeInfo")["symbols"]]
assert listed, "nothing is listed"
eventually("a book of what was recorded", lambda: get("/api/v3/depth", symbol=listed[0], limit=20)["bids"])
say(f"recorded: {listed}")
process.terminate()
assert process.wait(15) == 0

say("what the terminal recorded is followed, with the usual markets beside it")
process, facts, tls = paper("--data-dir", f"{WORK}/four", "--replay", f"{WORK}/feed.jsonl.gz", "--both")
assert {symbol["symbol"] for symbol in get("/api/v3/exchangeInfo")["symbols"]} == {"BTCUSDT", "ETHUSDT", "ETHBTC", "BNBUSDT", "SOLUSDT"}
for symbol in ("BTCUSDT", "SOLUSDT"):
    first = get("/api/v3/depth", symbol=symbol, limit=20)
    assert first["bids"] and first["asks"], first
    eventually("it moves", lambda: get("/api/v3/depth", symbol=symbol, limit=20)["lastUpdateId"] > first["lastUpdateId"])
process.terminate()
assert process.wait(15) == 0

say("what cannot be: another machine's address, a file that is no recording")
done = subprocess.run([f"{BIN}/strongroom", "paper", "--listen", "0.0.0.0:0", "--data-dir", f"{WORK}/three"], capture_output=True, text=True)
assert done.returncode == 1 and "loopback" in done.stderr, done
done = subprocess.run([f"{BIN}/strongroom", "paper", "--replay", os.path.abspath(__file__), "--data-dir", f"{WORK}/three"], capture_output=True, text=True)
assert done.returncode == 1 and done.stderr.startswith("strongroom: "), done
