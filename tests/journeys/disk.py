"""A full disk on save and on audit: refused with words, nothing lost, and it goes on when there is room again.

Needs a mount namespace of its own: the profile lies on a small file system in memory that is really full.
"""
from world import *

os.makedirs(DIR)
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", DIR], check=True)
venue = Venue()
daemon, person = trades_at(venue)
assert does(*buy())["fate"] == "filled"
before = does("order", "list", "--all")["orders"]
ballast = f"{DIR}/ballast"

say("a full disk on save: the key is not imported, the old vault stays whole")
fill(ballast)
api_key, secret = paper_key("ed25519", venue.folder)
code, told = person.with_code("key", "import", "--label", "second", key=api_key + "\n", secret=secret)
assert code != 0 and told["error"]["message"], told
say(told["error"]["message"])
assert len(does("key", "list")["keys"]) == 1

policy = does("policy", "show")["policy"]
limits = f"{WORK}/limits.json"
json.dump({**policy, "order_notional_max": "100"}, open(limits, "w"))
vault = open(f"{DIR}/vault.srv", "rb").read()
code, told = cli("policy", "set", limits)
assert code != 0 and "disk is full" in told["error"]["message"], told
assert open(f"{DIR}/vault.srv", "rb").read() == vault and does("policy", "show")["policy"] == policy

say("a full disk on audit: an order that cannot be recorded is not sent")
trades = venue.trades()
refused = False
for _ in range(40):
    code, told = cli(*buy("0.001"))
    if code != 0:
        refused = True
        break
    trades = venue.trades()
assert refused and "nothing was sent" in told["error"]["message"], told
say(told["error"]["message"])
assert venue.trades() == trades

say("the kill switch works on a full disk")
does("kill", "--why", "the disk is full")
assert cli(*buy("0.001"))[0] != 0

say("with room again it goes on, and a new start finds everything")
os.unlink(ballast)
eventually("re-armed", lambda: person.with_code("rearm")[0] == 0, 90)
assert does(*buy("0.001"))["fate"] == "filled"
person_has = {order["client_order_id"] for order in before}
daemon.stop()
daemon = Daemon(*venue.arguments())
person.unlocks()
assert person_has <= {order["client_order_id"] for order in does("order", "list", "--all")["orders"]}
assert len(does("key", "list")["keys"]) == 1
code, told = person.with_code("key", "import", "--label", "second", key=api_key + "\n", secret=secret)
assert code == 0, told
daemon.stop()
verifies(person)
