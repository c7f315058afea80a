"""A hostile script in the page tries everything that it can name. It may trade inside the limits; it gets nothing else."""
import http.server, re, threading
from window import *
from person import Person, prompt
import world

keyring()
screen()
daemon = Daemon()
known = world.Person()
known.imports("practice")
app = Window()
app.by("desk")
app.until("stream-state", "live")
_, secret = paper_key("trade")
secrets = [known.password, known.kit, known.phone.text, secret.strip()]
table = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src-tauri/table.rs")).read()
COMMANDS = re.findall(r"^\s+(\w+)\(", table, re.M)
assert len(COMMANDS) > 20

ASK = """
const ask = (name, args) => Promise.race([
  window.__TAURI_INTERNALS__.invoke(name, args).then((value) => ({ok: value === undefined ? null : value}), (error) => ({error: typeof error === 'string' ? error : JSON.stringify(error)})),
  new Promise((resolve) => setTimeout(() => resolve({error: 'no answer'}), 4000)),
]);
"""


def asks(name, arguments=None):
    return app.run(ASK + "return await ask(args[0], args[1])", name, arguments or {})


say("commands that are not in the table: none is heard")
OTHERS = ["plugin:shell|execute", "plugin:shell|open", "plugin:fs|read_file", "plugin:fs|write_file", "plugin:http|fetch", "plugin:process|exit",
          "plugin:dialog|open", "plugin:event|listen", "plugin:event|emit", "plugin:window|create", "plugin:window|close", "plugin:window|destroy",
          "plugin:window|set_title", "plugin:window|hide", "plugin:webview|create_webview_window", "plugin:webview|internal_toggle_devtools",
          "plugin:webview|print", "plugin:webview|set_webview_zoom", "plugin:app|version", "plugin:app|name", "plugin:path|resolve_directory",
          "plugin:resources|close", "plugin:image|from_path", "plugin:menu|new", "plugin:tray|new", "plugin:clipboard-manager|read_text",
          "plugin:updater|check", "plugin:single-instance|x", "tauri", "sign", "secret", "unlock", "prepare", "outcome", "password", "export",
          "withdraw", "transfer", "refused_by_isolation", "__proto__", "constructor", "hasOwnProperty", "toString"]
for name in OTHERS:
    told = asks(name)
    assert "error" in told, (name, told)

say("commands of the table with other arguments: none is heard")
for name in COMMANDS:
    told = asks(name, {"extra": 1, "password": "x"})
    assert "error" in told, (name, told)

say("past the isolation frame: a raw message is not heard")
raw = app.run("""
const tries = [];
for (const body of ['{}', '{"nonce":[1],"payload":[1]}', 'x']) {
  try {
    const answer = await fetch('ipc://localhost/vault', {method: 'POST', body, headers: {'Content-Type': 'application/json', 'Tauri-Callback': '1', 'Tauri-Error': '2', 'Tauri-Invoke-Key': 'x'}});
    tries.push(answer.status + ' ' + (await answer.text()).slice(0, 80));
  } catch (error) { tries.push('refused ' + String(error)); }
}
return tries;
""")
assert all("vault_id" not in told and "unlocked" not in told for told in raw), raw

say("what the table's commands answer holds no secret")
READS = {"hello": {}, "vault": {}, "session": {}, "keys": {}, "policy": {}, "instruments": {}, "orders": {"live": False}, "balances": {},
         "audit": {"before": None, "last": 50}, "candles": {"symbol": "BTCUSDT", "interval": "1m"}}
for name, arguments in READS.items():
    told = asks(name, arguments)
    assert "ok" in told, (name, told)
    text = json.dumps(told)
    assert not [secret for secret in secrets if secret in text], name

say("orders: inside the limits, never outside")
low = f"{best_bid() * 0.97:.2f}"
for order in ({"symbol": "BTCUSDT", "side": "buy", "spec": {"limit": {"price": low, "quantity": "5", "tif": "GTC"}}},
              {"symbol": "DOGEUSDT", "side": "buy", "spec": {"limit": {"price": "1", "quantity": "10", "tif": "GTC"}}},
              {"symbol": "BTCUSDT", "side": "buy", "spec": {"limit": {"price": "-1", "quantity": "1", "tif": "GTC"}}},
              {"symbol": "BTCUSDT", "side": "buy", "spec": {"withdraw": {"address": "x"}}}):
    assert "error" in asks("place", {"order": order}), order

say("what needs a person stays undone: the prompt asks a person, and no script can answer it")
policy = asks("policy")["ok"]
raised = {**policy, "order_notional_max": "9000000"}
line = does("session")["lines"][0]
for action in ({"action": "set_policy", "policy": raised}, {"action": "import", "label": "evil", "venue": "binance"}, {"action": "delete", "id": 4},
               {"action": "forget_pin", "host": line["host"], "spki_sha256": line["pins"][0]}):
    app.run(ASK + "window.__end = ask('act', {action: args[0], source: 'typed'}); return 1", action)
    window = prompt.Window()
    assert any(word in " ".join(window.texts()) for word in ("limits", "Import", "Delete", "no more")), window.texts()
    assert not window.can_press(next(node.get_name() for node in window.nodes(prompt.Atspi.Role.PUSH_BUTTON)
                                     if node.get_name() in ("Continue", "Delete this key", "Change the limits", "Confirm"))), "without a code"
    asks("give_up")
    eventually("no prompt", lambda: gone([window.pid]))
assert asks("policy")["ok"] == policy and len(does("key", "list")["keys"]) == 1
assert does("session")["lines"][0]["pins"] == line["pins"]
for action in ({"action": "accept_pin", "host": line["host"], "spki_sha256": "A" * 43 + "="}, {"action": "recover", "generation": 1}):
    told = asks("act", {"action": action, "source": "typed"})
    assert "error" in told and "no answer" not in told["error"], (action, told)
assert "error" in asks("act", {"action": {"action": "withdraw"}, "source": "typed"})
assert "error" in asks("act", {"action": {"action": "unlock"}, "source": "/etc/passwd"})

say("presence cannot be claimed: whatever a script does, the session's idle time runs")
before = does("session")["idle_left_ms"]
for _ in range(6):
    app.run("""
for (const kind of ['keydown', 'keyup', 'pointerdown', 'pointermove', 'mousemove', 'click'])
  document.body.dispatchEvent(new (kind.startsWith('key') ? KeyboardEvent : MouseEvent)(kind, {bubbles: true, key: 'a'}));
""")
    for name, arguments in (("session", {}), ("orders", {"live": True}), ("place", {"order": {"symbol": "BTCUSDT", "side": "buy", "spec": {"limit": {"price": "1", "quantity": "0.00001", "tif": "GTC"}}}})):
        asks(name, arguments)
    time.sleep(1)
idle = does("session")["idle_left_ms"]
assert idle < before - 5_000, "idle all the same"
prompt.xdotool("mousemove", 300, 300, "mousemove", 320, 310)
eventually("a real pointer is a person", lambda: does("session")["idle_left_ms"] > idle)

say("the network, other pages, new code: the content policy lets nothing out or in")
heard = []


class Ear(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        heard.append(self.path)
        self.send_response(200)
        self.end_headers()
    do_POST = do_GET

    def log_message(self, *_):
        pass


ear = http.server.HTTPServer(("127.0.0.1", 0), Ear)
threading.Thread(target=ear.serve_forever, daemon=True).start()
out = app.run("""
const to = args[0]; const done = {};
const attempt = async (name, f) => { try { done[name] = String(await f()).slice(0, 60) } catch (error) { done[name] = 'refused' } };
await attempt('fetch', () => fetch(to + '/fetch').then((answer) => 'out ' + answer.status));
await attempt('beacon', () => navigator.sendBeacon(to + '/beacon') ? 'queued' : 'refused');
await attempt('socket', () => new Promise((yes, no) => { const s = new WebSocket(to.replace('http', 'ws')); s.onopen = () => yes('out'); s.onerror = no }));
await attempt('image', () => new Promise((yes, no) => { const i = new Image(); i.onload = () => yes('out'); i.onerror = no; i.src = to + '/image' }));
await attempt('frame', () => { const f = document.createElement('iframe'); f.src = to + '/frame'; document.body.append(f); return 'tried' });
await attempt('script', () => new Promise((yes, no) => { const s = document.createElement('script'); s.onload = () => yes('out'); s.onerror = no; s.src = to + '/script'; document.head.append(s) }));
await attempt('eval', () => (0, eval)('1+1') === 2 ? 'ran' : 'refused');
await attempt('function', () => new Function('return 2')() === 2 ? 'ran' : 'refused');
await attempt('markup', () => { const d = document.createElement('div'); d.innerHTML = '<img src=x onerror="window.__ran=1">'; document.body.append(d); return window.__ran ? 'ran' : 'tried' });
await attempt('worker', () => { new Worker(URL.createObjectURL(new Blob(['1']))); return 'ran' });
await attempt('open', () => window.open(to + '/open') ? 'ran' : 'refused');
await attempt('form', () => { const f = document.createElement('form'); f.action = to + '/form'; f.method = 'post'; document.body.append(f); f.submit(); return 'tried' });
await attempt('clipboard', () => navigator.clipboard.readText());
await new Promise((yes) => setTimeout(yes, 800));
return done;
""", f"http://127.0.0.1:{ear.server_port}")
for name in ("fetch", "socket", "image", "script", "eval", "function", "worker", "open", "clipboard"):
    assert out.get(name, "refused").startswith("refused"), out
assert out["markup"] != "ran", out
app.call("POST", "/execute/sync", {"script": "setTimeout(() => { location.href = arguments[0] }, 10)", "args": [f"http://127.0.0.1:{ear.server_port}/away"]})
time.sleep(1)
assert heard == [], heard
assert app.call("GET", "/url").startswith("tauri://localhost"), app.call("GET", "/url")
app.close()
daemon.stop()
