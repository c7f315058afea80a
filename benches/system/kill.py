"""The kill switch on whole systems, beside `benches/benches/kill.rs`: from the trigger at a door to the first cancel at the venue, and to the last
confirmation over three paper venues. Arguments: folder of release programs, folder to work in. Prints rows for `cargo xtask bench`."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/journeys"))
from world import *

# One use of the kill switch reaches one bot's order; so many are engaged before a code takes them back.
SCOPES, ROUNDS = 25, 5
DRILLS, ORDERS = 3, 67


def row(name, value, unit, target=None, samples=1):
    print("row " + json.dumps({"name": name, "value": round(value, 2), "unit": unit, "target": target, "samples": samples}), flush=True)


def part(values, percent):
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


class Profile:
    def __init__(self, name):
        self.dir = DIR if name == "first" else f"{WORK}/{name}"
        os.makedirs(self.dir, mode=0o700, exist_ok=True)
        self.daemon = Daemon("--paper", dir=self.dir)
        self.person = Person(dir=self.dir)
        self.person.imports("paper")

    def rearms(self):
        code, told = self.person.with_code("rearm")
        assert code == 0, told

    def does(self, *arguments):
        return does(*arguments, dir=self.dir)


def desk():
    link = connect("desk", socket.SOCK_STREAM)
    return link, link.makefile("r")


def asks(door, ask):
    link, lines = door
    link.sendall((json.dumps(ask) + "\n").encode())
    return json.loads(lines.readline())


keyring()
first = Profile("first")
door = desk()
firsts = []
say("one order at a time: from the trigger to its cancel at the venue")
for _ in range(ROUNDS):
    for number in range(SCOPES):
        bot = f"b{number}"
        order = first.does("order", "place", "BTCUSDT", "buy", "--limit", int(best_bid() * 0.9) - number, "--quantity", "0.001",
                           "--id", f"{bot}-{time.time_ns()}")
        assert order["fate"] == "working", order
        began = time.time()
        asks(door, {"ask": "kill", "why": "measured", "scope": {"bot": bot}})
        while True:
            report = asks(door, {"ask": "kill_report"})["report"]
            if report and report["orders"] == 1 and not report["left"] and report["began"] >= began * 1e6:
                break
        firsts.append((report["first_cancel"] / 1e6 - began) * 1e3)
    first.rearms()
row("from the trigger at a door to the first cancel on its way, median", part(firsts, 50), "ms", None, len(firsts))
row("from the trigger at a door to the first cancel on its way, p99", part(firsts, 99), "ms", 20, len(firsts))

say("200 orders over three paper venues")
others = [Profile("second"), Profile("third")]
drills = []
for _ in range(DRILLS):
    drilled = does("kill-drill", "--orders", ORDERS, "--profile", others[0].dir, "--profile", others[1].dir, timeout=300)["drill"]
    assert sum(venue["orders"] for venue in drilled) == 3 * ORDERS and not any(venue["left"] for venue in drilled), drilled
    drills.append(drilled)
    for profile in [first, *others]:
        profile.rearms()
worst = [max(venue["last_gone_us"] for venue in drilled) / 1e3 for drilled in drills]
row(f"{3 * ORDERS} open orders over three paper venues, to the last confirmation, median", part(worst, 50), "ms", 2000, DRILLS)
row(f"{3 * ORDERS} open orders over three paper venues, to the last confirmation, highest", max(worst), "ms", 2000, DRILLS)
every = [venue for drilled in drills for venue in drilled]
row("the same, to the signer's freeze, highest", max(venue["frozen_us"] for venue in every) / 1e3, "ms", None, len(every))
row("the same, to the first cancel on its way, highest", max(venue["first_cancel_us"] for venue in every) / 1e3, "ms", None, len(every))
for profile in [first, *others]:
    profile.daemon.stop()
