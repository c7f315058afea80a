"""A page that hangs: the kill switch works from the keyboard all the same, and the desk goes on."""
from window import *
from person import prompt
import world

keyring()
screen()
daemon = Daemon()
known = world.Person()
known.imports("practice")
app = Window()
app.by("desk")
app.until("stream-state", "live")
resting = rest_an_order()

say("the page hangs for good")
app.call("POST", "/execute/sync", {"script": "setTimeout(() => { for (;;) {} }, 50); return 1", "args": []})
time.sleep(1)
assert state() == "unlocked" and live_orders() == [resting], "the desk does not wait for a page"

say("F12 is held")
window = prompt.xdotool("search", "--onlyvisible", "--name", "^Strongroom").stdout.split()[0]
prompt.xdotool("windowfocus", "--sync", window)
for keys in (["F12"], ["ctrl", "shift", "BackSpace"]):
    for key in keys:
        prompt.xdotool("keydown", key)
    time.sleep(0.4)
    prompt.xdotool("keyup", keys[0])
    time.sleep(1.5)
    assert not does("session")["killed"], f"{keys[0]} was let go"
    for key in keys:
        prompt.xdotool("keyup", key)
prompt.xdotool("keydown", "F12")
time.sleep(0.6)
assert not does("session")["killed"], "a short press is not enough"
time.sleep(1.0)
prompt.xdotool("keyup", "F12")
eventually("the kill switch is engaged", lambda: does("session")["killed"])
eventually("what rested is cancelled", lambda: not live_orders())
title = eventually("the window says so past its page", lambda: (lambda name: "Kill switch engaged" in name and name)(
    prompt.xdotool("getwindowname", window).stdout.strip()))
say(f"  {title}")
picture("page-hung-killed")
assert any("kill keys were held" in str(entry["payload"]) for entry in does("audit", "list", "--last", 20)["entries"])

say("and while the window is not there, by the keys of the whole desktop")
code, told = known.with_code("rearm")
assert code == 0, told
prompt.xdotool("windowunmap", "--sync", window)
everywhere = ["ctrl", "alt", "shift", "F12"]
for key in everywhere:
    prompt.xdotool("keydown", key)
time.sleep(0.5)
prompt.xdotool("keyup", "F12")
time.sleep(1.5)
assert not does("session")["killed"], "a short press is not enough"
prompt.xdotool("keydown", "F12")
time.sleep(1.8)
for key in reversed(everywhere):
    prompt.xdotool("keyup", key)
eventually("the kill switch is engaged", lambda: does("session")["killed"])
assert any("keys of the desktop were held" in str(entry["payload"]) for entry in does("audit", "list", "--last", 20)["entries"])
app.driver.kill()

say("a kill that could not be confirmed is never shown as done")
for pid, _ in window_pids():
    os.kill(pid, signal.SIGKILL)
code, told = known.with_code("rearm")
assert code == 0, told
app = Window()
app.by("desk")
os.kill(daemon.process.pid, signal.SIGSTOP)
app.press("F12", hold=1_600)
app.until("kill-sheet", "not confirmed", 20)
assert "signer frozen" not in app.body(), app.body()
os.kill(daemon.process.pid, signal.SIGCONT)
app.close()
daemon.stop()
