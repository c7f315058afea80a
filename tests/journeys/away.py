"""The screen is locked, the computer goes to sleep, something is changed behind the desk's back: the vault is closed, and says why."""
from world import *
import threading
from gi.repository import Gio, GLib

LOGIND = """<node><interface name="org.freedesktop.login1.Manager">
<method name="Inhibit"><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="h" direction="out"/></method><signal name="PrepareForSleep"><arg type="b"/></signal></interface></node>"""
SESSION = """<node><interface name="org.freedesktop.login1.Session"><property name="User" type="(uo)" access="read"/>
<signal name="Lock"/></interface></node>"""
OURS, THEIRS = "/org/freedesktop/login1/session/_31", "/org/freedesktop/login1/session/_32"


class Logind:
    """Speaks as logind does, on a bus of the test. Written from its documentation (org.freedesktop.login1(5))."""

    def __init__(self):
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.held = []
        manager = Gio.DBusNodeInfo.new_for_xml(LOGIND).interfaces[0]
        session = Gio.DBusNodeInfo.new_for_xml(SESSION).interfaces[0]
        self.bus.register_object("/org/freedesktop/login1", manager, self.called, None, None)
        for path in (OURS, THEIRS):
            self.bus.register_object(path, session, None, self.asked, None)
        Gio.bus_own_name_on_connection(self.bus, "org.freedesktop.login1", 0, None, None)
        threading.Thread(target=GLib.MainLoop().run, daemon=True).start()

    def called(self, bus, sender, path, interface, method, parameters, invocation):
        assert parameters.unpack()[0] == "sleep" and parameters.unpack()[3] == "delay", parameters
        read, write = os.pipe()
        os.set_blocking(read, False)
        self.held.append(read)
        fds = Gio.UnixFDList.new_from_array([write])
        invocation.return_value_with_unix_fd_list(GLib.Variant("(h)", (0,)), fds)

    def asked(self, bus, sender, path, interface, name):
        return GLib.Variant("(uo)", (os.getuid() if path == OURS else os.getuid() + 1, "/org/freedesktop/login1/user/self"))

    def say(self, path, interface, signal, parameters=None):
        self.bus.emit_signal(None, path, interface, signal, parameters)

    def lets_sleep(self):
        """Whether nobody holds sleep up any more."""
        try:
            return os.read(self.held[-1], 1) == b""
        except BlockingIOError:
            return False


os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = os.environ["DBUS_SESSION_BUS_ADDRESS"]
logind = Logind()
keyring()
daemon = Daemon("--paper")
person = Person()
person.imports("paper")
eventually("logind is asked to wait", lambda: len(logind.held) == 1)
assert dict(does("vault", "status")["watched"])["sleep waits until the vault is locked"]
MANAGER, LOCK = "org.freedesktop.login1.Manager", "org.freedesktop.login1.Session"


def because():
    return does("vault", "status")["because"]


say("another user's screen is not ours; our own closes the vault")
logind.say(THEIRS, LOCK, "Lock")
time.sleep(1)
assert state() == "unlocked"
logind.say(OURS, LOCK, "Lock")
eventually("sealed", lambda: state() == "sealed")
assert because() == "the screen was locked, and nothing was live", because()
person.unlocks()

say("with an order live it is locked, not sealed, and says why")
resting = rest_an_order()
changed = GLib.Variant("(sa{sv}as)", (LOCK, {"LockedHint": GLib.Variant("b", True)}, []))
logind.say(OURS, "org.freedesktop.DBus.Properties", "PropertiesChanged", changed)
eventually("locked", lambda: state() == "locked")
assert because() == "the screen was locked", because()
assert does("order", "cancel", resting)["fate"] == "canceled"
person.unlocks()

say("sleep waits until the vault is closed")
assert not logind.lets_sleep()
logind.say("/org/freedesktop/login1", MANAGER, "PrepareForSleep", GLib.Variant("(b)", (True,)))
eventually("the computer may sleep", logind.lets_sleep)
eventually("sealed", lambda: state() == "sealed")
assert because() == "the computer went to sleep, and nothing was live", because()
logind.say("/org/freedesktop/login1", MANAGER, "PrepareForSleep", GLib.Variant("(b)", (False,)))
eventually("and waits again", lambda: len(logind.held) == 2)
person.unlocks()

say("a screen saver of the session")
logind.say("/org/gnome/ScreenSaver", "org.gnome.ScreenSaver", "ActiveChanged", GLib.Variant("(b)", (False,)))
time.sleep(0.5)
assert state() == "unlocked"
logind.say("/org/gnome/ScreenSaver", "org.gnome.ScreenSaver", "ActiveChanged", GLib.Variant("(b)", (True,)))
eventually("sealed", lambda: state() == "sealed")
person.unlocks()

say("a vault's file that is changed behind the desk's back seals, and says so")
path = f"{DIR}/vault.srv"
data = open(path, "rb").read()
with open(path, "r+b") as file:
    file.seek(len(data) - 1)
    file.write(bytes([data[-1] ^ 1]))
does("vault", "status")
with open(path, "wb") as file:
    file.write(b"damaged")
eventually("sealed", lambda: state() == "sealed", 30)
assert "damaged" in because() or "not the one" in because(), because()
with open(path, "wb") as file:
    file.write(data)
person.unlocks()

say("so does a log whose end is changed")
import sqlite3
database = sqlite3.connect(f"{DIR}/desk.db", timeout=10)
database.execute("DELETE FROM audit_leaf WHERE seq = (SELECT MAX(seq) FROM audit_leaf)")
database.commit()
database.close()
eventually("sealed", lambda: state() == "sealed", 30)
assert "audit log" in because(), because()
daemon.stop()
