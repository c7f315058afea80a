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
daemon.stop()
