"""A full disk under the paper venue: no order is acknowledged that is not kept, nothing acknowledged is lost, and it goes on when there
is room again.

Needs a mount namespace of its own: the venue's data lies on a small file system in memory that is really full.
"""
from paper_venue import *

FOLDER = f"{WORK}/venue"
os.makedirs(FOLDER)
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", FOLDER], check=True)
venue = Venue(FOLDER, "--seed", 3)
ballast = f"{FOLDER}/ballast"
known, count = {}, 0


def place():
    global count
    count += 1
    name = f"disk-{count}"
    order = venue.ask("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.0002", price="60000",
                      newClientOrderId=name)
    known[name] = order["orderId"]


def told():
    return {order["clientOrderId"]: order["orderId"] for order in venue.ask("GET", "/api/v3/openOrders", symbol="BTCUSDT")}


say("orders while there is room")
for _ in range(5):
    place()

say("the disk is full: orders are refused with a 5xx, and what was answered is what there is")
fill(ballast)
refused = None
for _ in range(90):
    try:
        place()
    except urllib.error.HTTPError as error:
        refused = error.code, json.loads(error.read())["code"]
        break
assert refused and refused[0] >= 500, (refused, count)
say(f"{len(known)} orders acknowledged, then {refused}")

say("killed on the full disk: it opens again, and every acknowledged order is there")
venue.kill()
unsure = f"disk-{count}"
os.remove(ballast)
venue.start()
found = told()
assert {name: found.get(name) for name in known} == known, (found, known)
# Of the refused one the client was told a 5xx: its outcome is unknown, and one question tells.
assert set(found) - set(known) <= {unsure}, found

say("it goes on")
place()
assert told().items() >= known.items()
venue.kill()
venue.start()
assert told().items() >= known.items()

say("a full disk that has room again without a restart: the venue recovers by itself")
fill(ballast)
for _ in range(90):
    try:
        place()
    except urllib.error.HTTPError:
        break
else:
    raise AssertionError("the disk was never full")
os.remove(ballast)


def again():
    try:
        place()
        return True
    except urllib.error.HTTPError:
        return False


eventually("orders are taken again", again, 15)
venue.kill()
venue.start()
assert told().items() >= known.items()
venue.process.terminate()
assert venue.process.wait(15) == 0
