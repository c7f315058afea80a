"""The real window in a world of its own: Xvfb, keyring, tauri-driver, WebKitWebDriver, the paper venue, and a person.

A story is started by tests/tests/desktop.rs as `STORY.py BIN_DIR WORK_DIR`, inside a private session bus. It sees the
window as a person does: through the screen, the mouse, the keyboard, and the accessibility tree of the prompt.
"""
import atexit, http.client, json, os, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "journeys"))
from world import *  # noqa: E402,F401,F403

SHOTS = os.environ.get("STRONGROOM_SHOTS")
DRIVER = os.environ.get("STRONGROOM_TAURI_DRIVER", "tauri-driver")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Enter": "\ue007", "Tab": "\ue004", "Escape": "\ue00c", "Space": " ", "Control": "\ue009", "Shift": "\ue008", "Alt": "\ue00a",
        "Up": "\ue013", "Down": "\ue015", "Left": "\ue012", "Right": "\ue014", "Backspace": "\ue003", "Delete": "\ue017", "F6": "\ue036",
        "F12": "\ue03c"}


def screen(size="1440x900"):
    """A screen of this story alone."""
    read, write = os.pipe()
    process = start("Xvfb", "-displayfd", write, "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset", pass_fds=(write,),
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    # To the end of the line: a pipe that is closed before would end the screen.
    with os.fdopen(read) as told:
        number = told.readline().strip()
    os.environ["DISPLAY"] = f":{number}"
    return process


def picture(name):
    """What the whole screen shows, if pictures are wanted."""
    if SHOTS:
        os.makedirs(SHOTS, exist_ok=True)
        subprocess.run(["import", "-window", "root", os.path.join(SHOTS, f"{name}.png")], check=True, stderr=subprocess.DEVNULL)


def listening(port):
    """Whether somebody listens, without a connection: the driver would take its end for that of the session."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in open(f"/proc/net/{name}").readlines()[1:]]
    return any(row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port for row in rows)


class NoSuchElement(Exception):
    pass


class Window:
    """strongroom-app-driven under WebKitWebDriver."""

    def __init__(self, *arguments, dir=DIR, environment=None):
        self.dir = dir
        # The desk that the window starts must not outlive the story.
        atexit.register(desk_ended, dir)
        looks(dir)
        ports = [free_port(), free_port()]
        more = {**os.environ, **(environment or {})}
        self.log = open(os.path.join(WORK, f"driver-{time.time_ns()}.log"), "w+")
        self.driver = start(DRIVER, "--port", ports[0], "--native-port", ports[1], "--native-driver", "/usr/bin/WebKitWebDriver",
                            env=more, stdout=self.log, stderr=self.log)
        # Both: a session that is asked for before the driver behind the driver listens is cut off.
        eventually("tauri-driver", lambda: all(map(listening, ports)))
        self.line = http.client.HTTPConnection("127.0.0.1", ports[0], timeout=60)
        options = {"application": f"{BIN}/strongroom-app-driven", "args": ["--dir", dir, *arguments]}
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {"tauri:options": options}}}, plain=True)
        self.session = f"/session/{answer['sessionId']}"
        self.call("POST", "/timeouts", {"script": 20_000, "implicit": 0, "pageLoad": 30_000})

    def call(self, method, path, body=None, plain=False):
        path = path if plain else self.session + path
        data = None if body is None and method == "GET" else json.dumps(body or {}).encode()
        # One connection that stays: the driver behind the driver mistakes a closing one for a broken one.
        self.line.request(method, path, data, {"Content-Type": "application/json", "Connection": "keep-alive"})
        answer = self.line.getresponse()
        told = json.load(answer)["value"]
        if answer.status == 200:
            return told
        if told.get("error") in ("no such element", "stale element reference"):
            raise NoSuchElement(told["message"])
        raise AssertionError((method, path, told))

    # -- looking
    def all(self, css):
        return [found[ELEMENT] for found in self.call("POST", "/elements", {"using": "css selector", "value": css})]

    def see(self, css, seconds=20):
        return eventually(css, lambda: (self.all(css) or [None])[0], seconds)

    def by(self, testid, seconds=20):
        return self.see(f'[data-testid="{testid}"]', seconds)

    def has(self, testid):
        return bool(self.all(f'[data-testid="{testid}"]'))

    def text(self, element):
        return self.call("GET", f"/element/{element}/text")

    def says(self, testid, seconds=20):
        """The text of an element, even while the page redraws it."""
        def read():
            try:
                return self.text(self.by(testid, 1))
            except (NoSuchElement, AssertionError):
                return None
        return eventually(f"text of {testid}", read, seconds)

    def until(self, testid, words, seconds=20):
        """Waits until an element says this."""
        last = [None]

        def said():
            try:
                found = self.all(f'[data-testid="{testid}"]')
                last[0] = self.text(found[0]) if found else None
            except NoSuchElement:
                last[0] = None
            return last[0] is not None and words.lower() in last[0].lower()
        try:
            return eventually(f"{testid} says {words!r}", said, seconds)
        except AssertionError:
            raise AssertionError(f"{testid} never says {words!r}; it says {last[0]!r}") from None

    def gone(self, testid, seconds=20):
        eventually(f"{testid} is gone", lambda: not self.has(testid), seconds)

    def body(self):
        return self.run("return document.body.innerText")

    def cut_off(self):
        """Cells with buttons that do not fit into them: the end of the last one is cut off."""
        return self.run("return [...document.querySelectorAll('td:has(button)')].filter((cell) => cell.scrollWidth > cell.clientWidth)"
                        ".map((cell) => cell.textContent)")

    def run(self, script, *arguments):
        """Runs script in the page; started from a timer, as pages' own code is."""
        code = ("const done = arguments[arguments.length - 1]; const args = Array.from(arguments).slice(0, -1);"
                "setTimeout(async () => { try { done({ok: await (async (...args) => {" + script + "})(...args)}) }"
                "catch (error) { done({error: String(error && error.message || error)}) } }, 0);")
        told = self.call("POST", "/execute/async", {"script": code, "args": list(arguments)})
        if "error" in told:
            raise AssertionError(told["error"])
        return told["ok"]

    def title(self):
        return self.call("GET", "/title")

    def picture(self, name):
        """What the person sees; the driver's own pictures are not the screen's."""
        if SHOTS:
            time.sleep(0.4)
            picture(name)

    # -- mouse
    def click(self, testid):
        def clicked():
            try:
                self.call("POST", f"/element/{self.by(testid)}/click")
                return True
            except NoSuchElement:
                return False
            except AssertionError as covered:
                # a dialog that is about to go: a person waits until it is gone
                if "intercepted" in str(covered):
                    return False
                raise
        eventually(f"a click on {testid}", clicked)

    def fill(self, testid, text):
        """Replaces what stands in a field, as a person does."""
        self.click(testid)
        self.press("Control", "a")
        self.types(text)

    def choose(self, testid, value):
        """An option of a list, by its value."""
        option = self.see(f'[data-testid="{testid}"] option[value="{value}"]')
        self.run("document.querySelector(args[0]).scrollIntoView({block: 'nearest'})", f'[data-testid="{testid}"]')
        self.call("POST", f"/element/{option}/click")

    def attribute(self, testid, name):
        return self.call("GET", f"/element/{self.by(testid)}/attribute/{name}")

    def sends(self):
        """Sends the ticket, once nothing stands against it."""
        eventually("the order can be sent", lambda: self.attribute("submit", "aria-disabled") != "true")
        self.click("submit")

    # -- keyboard
    def press(self, *keys, hold=0):
        """Presses keys together, as a person does; `hold`: milliseconds."""
        codes = [KEYS.get(key, key) for key in keys]
        actions = [{"type": "keyDown", "value": code} for code in codes]
        if hold:
            actions.append({"type": "pause", "duration": hold})
        actions += [{"type": "keyUp", "value": code} for code in reversed(codes)]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def types(self, text):
        actions = [{"type": kind, "value": letter} for letter in text for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def focused(self):
        return self.run("return document.activeElement?.dataset?.testid ?? document.activeElement?.tagName")

    def tab_to(self, testid, most=80):
        """Moves the focus by Tab alone until it is there."""
        for _ in range(most):
            if self.focused() == testid:
                return
            self.press("Tab")
        raise AssertionError(f"Tab never reaches {testid}; the focus is on {self.focused()}")

    def pids(self):
        """The window's process and those of its web engine."""
        return window_pids()

    def close(self):
        try:
            self.call("DELETE", "")
        except Exception:
            pass
        self.driver.kill()
        self.driver.wait()


def looks(dir, theme=os.environ.get("STRONGROOM_THEME")):
    """The theme that pictures are wanted in, as the window's own settings keep it."""
    if theme:
        os.makedirs(dir, 0o700, exist_ok=True)
        with open(os.path.join(dir, "window.json"), "w") as file:
            json.dump({"theme": theme, "density": "standard", "pnl": "blue-orange", "motion": "system", "single_keys": True}, file)


def window_pids():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            name = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
            own = open(f"/proc/{pid}/environ", "rb").read()
        except OSError:
            continue
        if (name.startswith("strongroom-app") or name.startswith("WebKit")) and name != "WebKitWebDriver" and WORK.encode() in own:
            found.append((int(pid), name))
    return found


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def desk_ended(dir=DIR):
    """Stops what the window started; the story's own end must leave nothing."""
    subprocess.run([f"{BIN}/strongroom", "--dir", dir, "stop"], capture_output=True, timeout=20)


def seen_at_the_end(kind, error, trace):
    """A story that fails leaves a picture of what the person saw, if pictures are wanted."""
    try:
        picture("failure")
    finally:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = seen_at_the_end
