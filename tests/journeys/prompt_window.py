"""A person at the prompt's window, by keyboard alone and through the screen reader's interface; the window ends with its errand."""
import ctypes.util
from world import *

read, write = os.pipe()
screen = start("Xvfb", "-displayfd", write, "-screen", "0", "1000x1000x24", "-nolisten", "tcp", pass_fds=(write,),
               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
os.close(write)
os.environ["DISPLAY"] = ":" + os.read(read, 16).decode().strip()
os.environ.setdefault("STRONGROOM_THEME", "dark")
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "desktop"))
from prompt import *

keyring()
daemon = Daemon()
THEME = os.environ["STRONGROOM_THEME"]


def picture(name):
    time.sleep(0.3)
    shot(f"prompt-{name}-{THEME}")


class Door:
    """A command that waits for the window."""

    def __init__(self, *arguments, fds=()):
        self.process = start(f"{BIN}/strongroom", "--dir", DIR, "--json", "--window", *arguments, pass_fds=fds, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        for fd in fds:
            os.close(fd)
        self.window = Window()
        assert executable(self.window.pid) == PROGRAM, executable(self.window.pid)

    def ends(self, code):
        """The exit code and JSON; the window's process is gone, and how soon after the last answer is told."""
        told, words = self.process.communicate(timeout=60)
        assert self.process.returncode == code, (self.process.returncode, told, words)
        eventually("the window's process is gone", lambda: gone([self.window.pid]))
        return json.loads(told) if told.strip() else {}

    def ends_after(self, act, code):
        """Acts, then measures until the process is gone."""
        act()
        begin = time.monotonic()
        while runs(self.window.pid):
            assert time.monotonic() - begin < 60, "the window's process stays"
            time.sleep(0.002)
        say(f"  gone {(time.monotonic() - begin) * 1000:.0f} ms after the last key")
        return self.ends(code)


def close_as_a_window_manager_does(window):
    """Asks the window to close, with the message that a close button sends."""
    x = ctypes.CDLL(ctypes.util.find_library("X11"))
    x.XOpenDisplay.restype, x.XInternAtom.restype = ctypes.c_void_p, ctypes.c_ulong

    class Message(ctypes.Structure):
        _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int), ("display", ctypes.c_void_p),
                    ("window", ctypes.c_ulong), ("message_type", ctypes.c_ulong), ("format", ctypes.c_int), ("data", ctypes.c_long * 5),
                    ("room", ctypes.c_long * 24)]
    display = ctypes.c_void_p(x.XOpenDisplay(os.environ["DISPLAY"].encode()))
    atom = lambda name: x.XInternAtom(display, name, 0)
    message = Message(type=33, send_event=1, window=int(window.id), message_type=atom(b"WM_PROTOCOLS"), format=32)
    message.data[0], message.data[1] = atom(b"WM_DELETE_WINDOW"), 0
    x.XSendEvent(display, ctypes.c_ulong(int(window.id)), 0, ctypes.c_long(0), ctypes.byref(message))
    x.XFlush(display)
    x.XCloseDisplay(display)


say("create a vault by keyboard alone")
door = Door("vault", "create", "--kdf-memory", "64")
window = door.window.page("new vault")
window.has_focus("New password")
window.type("tooshort")
window.says("Too short: 2 more bytes")
picture("new-password-weak")
assert not window.can_press("Create the vault")
window.keys("ctrl+a", "BackSpace")
window.type(PASSWORD)
window.says("Very strong: centuries at 10")
window.keys("Tab", "Tab")
window.has_focus("The same again")
window.type("correct horses")
window.says("The two differ.")
window.keys("ctrl+a", "BackSpace")
window.type(PASSWORD)
picture("new-password")
assert PASSWORD not in window.read("New password"), "a covered field must be covered for a screen reader, too"
window.keys("Return")
window.page("recovery kit")
kit = window.kit()
picture("kit")
window.keys("Return")
window.says("Type back group 16")
window.has_focus("Group 16")
window.kit(15)
window.type("zzzz")
window.says("That is another group")
picture("kit-wrong-group")
window.keys("ctrl+a", "BackSpace")
window.type(kit.split()[-1].lower())
picture("kit-group")
window.keys("Return")
window.page("one-time codes")
phone = Authenticator("secret=" + window.seed())
picture("one-time-codes")
window.has_focus("The six-digit code that it shows now")
window.type(phone.code())
told = door.ends_after(lambda: window.keys("Return"), 0)
assert state() == "unlocked", told

say("lock; a wrong password; unlock")
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
door = Door("vault", "unlock")
window = door.window.page("unlock")
window.has_focus("Password")
assert not window.can_press("Unlock")
window.type("not the password")
picture("password")
told = door.ends_after(lambda: window.keys("Return"), 5)
assert told["error"]["code"] == "wrong-factor", told
time.sleep(1.2)
door = Door("vault", "unlock")
window = door.window.page("unlock")
window.keys("Caps_Lock")
window.says("Caps Lock is on")
picture("password-caps-lock")
window.keys("Caps_Lock")
window.fill("Password", PASSWORD)
window.press("Unlock")
door.ends(0)
assert state() == "unlocked"

say("given up: Escape, the button, the window's close button; nothing was changed")
for leave in (lambda window: window.keys("Escape"), lambda window: window.press("Cancel"), close_as_a_window_manager_does):
    does("vault", "seal")
    eventually("sealed", lambda: state() == "sealed")
    door = Door("vault", "unlock")
    window = door.window.page("unlock")
    window.has_focus("Password")
    window.type("half a pass")
    told = door.ends_after(lambda: leave(window), 5)
    assert "nothing was changed" in told["error"]["message"], told
    assert state() == "sealed"
door = Door("vault", "unlock")
window = door.window.page("unlock")
window.fill("Password", PASSWORD)
window.has_focus("Password")
# Given up while the key is derived: the password is right, and the vault stays sealed.
told = door.ends_after(lambda: window.keys("Return", "Escape"), 5)
assert "nothing was changed" in told["error"]["message"], told
assert state() == "sealed"
door = Door("vault", "unlock")
door.window.page("unlock").fill("Password", PASSWORD)
door.window.press("Unlock")
door.ends(0)

say("import by typing")
api_key, secret = paper_key("trade")
door = Door("key", "import", "--label", "typed")
window = door.window.page("confirm a new key")
window.says("Import a key for Binance as “typed”")
window.says("from the signer")
window.has_focus("Six-digit code")
window.type("12x34")
assert window.read("Six-digit code") == "1234"
picture("step-up")
window.keys("ctrl+a")
window.type(phone.code())
window.keys("Return")
window.page("import a key").has_focus("API key")
window.type(api_key)
window.keys("Tab")
window.type(secret.strip())
picture("import-typed")
assert secret.strip() not in window.read("API secret, or private key (Ed25519 or RSA, PEM)")
told = door.ends_after(lambda: window.keys("Return"), 0)
typed_key = told["key"]["id"]
assert does("order", "place", "BTCUSDT", "buy", "--market", "--quantity", "0.01")["fate"] == "filled"

say("step-up for a deletion, refused and granted")
door = Door("key", "delete", str(typed_key))
window = door.window.page("confirm a deletion")
window.says("Delete the key “typed”")
picture("deletion")
door.ends_after(lambda: window.press("Refuse"), 5)
assert len(does("key", "list")["keys"]) == 1
door = Door("key", "delete", str(typed_key))
window = door.window.page("confirm a deletion")
window.has_focus("Six-digit code")
window.type(phone.code())
picture("deletion-code")
window.press("Delete this key")
door.ends(0)
assert does("key", "list")["keys"] == []

say("import from a file that the door hands over unread")
practice = os.path.join(DIR, "paper", "practice.env")
assert os.stat(practice).st_mode & 0o777 == 0o600
door = Door("key", "import", "--label", "practice", "--file-fd", str(fd := os.open(practice, os.O_RDONLY)), fds=(fd,))
window = door.window.page("confirm a new key")
window.fill("Six-digit code", phone.code())
window.press("Continue")
window.page("import a key")
window.says("environment file")
window.says("HMAC-SHA-256")
picture("import-file")
assert not any(secret.strip() in text for text in window.texts())
window.has_focus("Import this key")
told = door.ends_after(lambda: window.keys("Return"), 0)
assert told["key"]["api_key"] == api_key and told["key"]["origin"] == "plain_file", told
assert [key["key"]["origin"] for key in does("key", "list")["keys"]] == ["plain_file"]
assert does("order", "place", "BTCUSDT", "buy", "--market", "--quantity", "0.01")["fate"] == "filled"

say("files without a key of this venue are refused in words")
for name, text, words in [("list.json", open(os.path.join(DIR, "paper", "keys.json")).read(), "practice.env"),
                          ("bybit.env", "BYBIT_API_KEY=abc\nBYBIT_API_SECRET=def\n", "another venue")]:
    path = os.path.join(WORK, name)
    open(path, "w").write(text)
    door = Door("key", "import", "--label", "other", "--file-fd", str(fd := os.open(path, os.O_RDONLY)), fds=(fd,))
    window = door.window.page("confirm a new key")
    window.fill("Six-digit code", phone.code())
    window.press("Continue")
    window.page("import a key").says(words)
    assert not window.can_press("Import this key")
    picture(f"import-{name.split('.')[0]}")
    window.keys("Escape")
    door.ends(5)

say("recover with the kit")
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
door = Door("vault", "recover")
window = door.window.page("recover")
window.fill("Recovery kit", kit.lower().replace(" ", "-"))
window.says("16 of 16 groups")
picture("recover")
window.press("Open the vault")
window.page("new password")
window.fill("New password", "another battery staple horse")
window.fill("The same again", "another battery staple horse")
window.press("Set the password")
door.ends(0)
assert state() == "unlocked"

say("a long derivation: how far it is, and given up in the middle of it")
NOW = "another battery staple horse"
limits = os.path.join(WORK, "limits.json")
json.dump({**does("policy", "show")["policy"], "kdf_floor": {"memory_mib": 512, "passes": 12}}, open(limits, "w"))
fd = given(phone.code() + "\n")
does("policy", "set", limits, "--totp-fd", fd, fds=(fd,))


def seal():
    does("vault", "seal")
    eventually("sealed", lambda: state() == "sealed")


def answered(password):
    door = Door("vault", "unlock")
    window = door.window.page("unlock")
    window.fill("Password", password)
    window.has_focus("Password")
    window.keys("Return")
    return door, window


seal()
door, window = answered(NOW)
door.ends(0)
seal()
vault = open(f"{DIR}/vault.srv", "rb").read()
for password, code in ((NOW, "given-up"), ("not the password", "wrong-factor")):
    door, window = answered(password)
    window.says("s of about")
    picture("progress")
    window.keys("Escape")
    begin = time.monotonic()
    while runs(window.pid):
        assert time.monotonic() - begin < 0.25, "the window stays while the key is derived"
        time.sleep(0.002)
    told = door.ends(5)
    assert told["error"]["code"] == code, told
    assert state() == "sealed" and open(f"{DIR}/vault.srv", "rb").read() == vault
    time.sleep(1.2)
door, window = answered(NOW)
door.ends(0)
seal()

say("the door ends: the window ends; the supervisor ends: the window ends")
door = Door("vault", "unlock")
door.process.kill()
eventually("the window's process is gone", lambda: gone([door.window.pid]))
door = Door("vault", "unlock")
daemon.process.kill()
eventually("the window's process is gone", lambda: gone([door.window.pid]))

say("no display: refused in words, and nothing is asked")
door.process.wait(20)
del os.environ["DISPLAY"]
daemon = Daemon()
code, told = cli("--window", "vault", "unlock")
assert code == 1 and "desktop session" in told["error"]["message"], told
daemon.stop()
os.environ["DISPLAY"] = ":99999"
daemon = Daemon()
code, told = cli("--window", "vault", "unlock")
assert code == 1 and "could not be shown" in told["error"]["message"], told
daemon.stop()
