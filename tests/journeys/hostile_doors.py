"""Doors that misbehave: garbage, floods, half lines, prompts for nothing. The desk answers clearly or hangs up, and works on."""
from world import *

keyring()
daemon = Daemon()
person = Person()
key = person.imports("paper")
pids = daemon.children()


say("the desk's socket: lines that are no requests")
for line in (b"", b"{}", b"[]", b"null", b"\xff\xfe\x00", b'{"ask":"nothing"}', b'{"ask":"place"}', b'{"ask":"book","symbol":"BTCUSDT","depth":1,"more":1}', b"[" * 100_000,
             b'{"ask":"book","symbol":"btc/usdt","depth":1}', b'{"ask":"book","symbol":"BTCUSDT","depth":-1}',
             b'{"ask":"suspect","id":1,"why":"a\\u202eb"}', b'{"ask":"suspect","id":1,"why":"a\\u001b[2J"}', b'{"ask":"suspect","id":1,"why":""}',
             b'{"ask":"suspect","id":1,"why":"' + b"x" * 201 + b'"}',
             b'{"ask":"place","symbol":"BTCUSDT","side":"buy","spec":{"limit":{"price":"1e9","quantity":"1","tif":"GTC"}}}',
             b'{"ask":"place","symbol":"BTCUSDT","side":"buy","spec":{"limit":{"price":"-1","quantity":"1","tif":"GTC"}}}'):
    answer = json.loads(ask_raw(line))
    assert answer["tell"] == "error" and answer["code"] == "not-understood", (line[:60], answer)
too_long = ask_raw(b'{"ask":"orders","live":true' + b" " * 5_000_000 + b"}")
assert too_long == "" or json.loads(too_long)["code"] == "not-understood", too_long[:100]

say("tickets and orders that nobody made")
for request in ({"ask": "cancel", "client_order_id": "x" * 5000}, {"ask": "order", "client_order_id": "' or 1=1 --"},
                {"ask": "prepare", "action": {"action": "recover", "generation": 1}},
                {"ask": "prepare", "action": {"action": "accept_pin", "host": "example.com:443", "spki_sha256": "x"}},
                {"ask": "prepare", "action": {"action": "forget_pin", "host": "a b", "spki_sha256": "x"}},
                {"ask": "prepare", "action": {"action": "delete", "id": 99999}},
                {"ask": "prepare", "action": {"action": "create_vault", "kdf_memory_mib": 1, "kdf_passes": 1}},
                {"ask": "prepare", "action": {"action": "import", "label": "a\nb", "venue": "binance"}}):
    answer = json.loads(ask_raw(json.dumps(request).encode()))
    assert answer["tell"] == "error" and answer["message"], (request, answer)
huge = "9" * 18
for spec in ({"market": {"size": {"base": huge}}}, {"market": {"size": {"quote": huge}}}, {"limit": {"price": huge, "quantity": huge, "tif": "GTC"}},
             {"market": {"size": {"base": "0"}}}, {"limit": {"price": "0", "quantity": "0.01", "tif": "GTC"}}):
    answer = json.loads(ask_raw(json.dumps({"ask": "place", "symbol": "BTCUSDT", "side": "buy", "spec": spec}).encode()))
    assert answer["tell"] == "error" and "nothing was sent" in answer["message"], (spec, answer)

say("many doors that say half a line and stay: other doors still come in after they are gone, and the kill switch works meanwhile")
stuck = [connect("desk", socket.SOCK_STREAM) for _ in range(80)]
for link in stuck:
    try:
        link.sendall(b'{"ask":')
    except OSError:
        pass
assert "frozen" in does("kill", "--why", "a flood")["words"] or does("session")["killed"]
for link in stuck:
    link.close()
eventually("doors come in", lambda: cli("session")[0] == 0)

say("the supervisor's socket: packets that are no requests")
links = []
while len(links) < 100:
    try:
        links.append(connect("supervisor", socket.SOCK_SEQPACKET))
    except BlockingIOError:
        time.sleep(0.05)
does("kill", "--why", "while a hundred doors are open, at length: " + "x" * 5_000)
for link in links:
    for packet in (b"\x00", b"P", b"P" + b"\xff" * 60, b"K" + b"x" * 900, b"?" * 1000):
        try:
            link.send(packet)
        except OSError:
            break
time.sleep(0.5)
for link in links:
    link.close()
with connect("supervisor", socket.SOCK_SEQPACKET) as link:
    # A prompt for a ticket that does not exist, without the descriptors that it announces.
    link.send(b"P" + os.urandom(16) + b"\x01\x01\x01")
    link.recv(1024)
eventually("no prompt is left", lambda: len(daemon.children()) == 2)
assert daemon.children() == pids, "something ended"

say("all goes on")
eventually("re-armed", lambda: person.with_code("rearm")[0] == 0, 90)
assert does(*buy())["fate"] == "filled"
kinds = [entry["kind"] for entry in does("audit", "list", "--last", 50)["entries"]]
assert kinds.count("killed") == 1, kinds
daemon.stop()
verifies(person)
