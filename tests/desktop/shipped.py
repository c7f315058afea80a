"""The window as people get it: nobody drives or inspects it, nothing is preloaded, a second start only shows the first."""
from window import *
from person import prompt

screen()

say("without a display: it says so and starts nothing")
bare = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
for environment, words in ((bare, "no display"), ({**bare, "DISPLAY": ":99999"}, "cannot be opened")):
    done = subprocess.run([f"{BIN}/strongroom-app", "--dir", DIR], env=environment, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and words in done.stderr, done
    assert not os.path.exists(os.path.join(DIR, "run")), "nothing was started"

keyring()
atexit.register(desk_ended, DIR)
say("a module that the person's own GTK settings name: built, and named there")
module = os.path.join(WORK, "module.so")
subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-o", module, "-"], input=b"void gtk_module_init(void) {}", check=True, timeout=60)
config = os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.environ["HOME"], ".config"), "gtk-3.0")
os.makedirs(config)
with open(os.path.join(config, "settings.ini"), "w") as settings:
    settings.write(f"[Settings]\ngtk-modules={module}\n")
say("variables that drive, inspect or preload do not reach it")
hostile = {"TAURI_WEBVIEW_AUTOMATION": "true", "WEBKIT_INSPECTOR_SERVER": "127.0.0.1:9", "WEBKIT_INSPECTOR_HTTP_SERVER": "127.0.0.1:9",
           "GTK_MODULES": "evil", "LD_PRELOAD": "", "LD_LIBRARY_PATH": "/nowhere", "GIO_EXTRA_MODULES": "/nowhere", "GTK_PATH": "/nowhere",
           "WEBKIT_EXEC_PATH": "/nowhere", "STRONGROOM_STARTED_US": "1"}
app = start(f"{BIN}/strongroom-app", "--dir", DIR, env={**os.environ, **hostile}, stderr=subprocess.DEVNULL)
window = eventually("the window", lambda: prompt.xdotool("search", "--onlyvisible", "--name", "^Strongroom").stdout.split())
own = open(f"/proc/{app.pid}/environ", "rb").read().decode().split("\0")
names = {line.split("=")[0] for line in own if line}
assert not names & (set(hostile) - {"STRONGROOM_STARTED_US"}), names
eventually("the desk answers", lambda: cli("session")[0] == 0)
for pid, name in eventually("a web process", lambda: [found for found in window_pids() if found[1] == "WebKitWebProcess"]):
    names = {line.split("=")[0] for line in open(f"/proc/{pid}/environ", "rb").read().decode().split("\0") if line}
    assert not names & (set(hostile) - {"STRONGROOM_STARTED_US"}), (name, names)

say("it is loaded into the window, which holds no secret, and not into the prompt")
assert module in open(f"/proc/{app.pid}/maps").read(), "else this test sees nothing"
door = start(f"{BIN}/strongroom", "--dir", DIR, "--window", "vault", "create", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
asked = prompt.Window().page("new vault")
assert module not in open(f"/proc/{asked.pid}/maps").read()
asked.press("Cancel")
door.wait(timeout=20)
eventually("no prompt", lambda: gone([asked.pid]))

say("a second start shows the first and ends")
second = subprocess.run([f"{BIN}/strongroom-app", "--dir", DIR], capture_output=True, text=True, timeout=30)
assert second.returncode == 0 and app.poll() is None, second
assert len(prompt.xdotool("search", "--onlyvisible", "--name", "^Strongroom").stdout.split()) == 1

say("a driver gets no session")
ports = [free_port(), free_port()]
driver = start(DRIVER, "--port", ports[0], "--native-port", ports[1], "--native-driver", "/usr/bin/WebKitWebDriver",
               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
eventually("tauri-driver", lambda: all(map(listening, ports)))
line = http.client.HTTPConnection("127.0.0.1", ports[0], timeout=25)
options = {"application": f"{BIN}/strongroom-app", "args": ["--dir", DIR + "-other"]}
try:
    line.request("POST", "/session", json.dumps({"capabilities": {"alwaysMatch": {"tauri:options": options}}}),
                 {"Content-Type": "application/json", "Connection": "keep-alive"})
    answer = line.getresponse()
    assert answer.status != 200, "a shipped window was driven"
except TimeoutError:
    pass
driver.kill()
for pid, _ in window_pids():
    if DIR + "-other" in open(f"/proc/{pid}/cmdline").read():
        os.kill(pid, signal.SIGKILL)
desk_ended(DIR + "-other")

desk_ended()
