"""A person with limits on the paper venue, and the words to change them: what `rules.py` and `sums.py` begin with."""
from world import *

keyring()
daemon = Daemon("--paper")
person = Person()
person.imports("paper")
limits = f"{WORK}/limits.json"


def present():
    return does("policy", "show")["policy"]


def file(desk=None, **changes):
    """New limits from the present ones; `desk`: changes of its rules."""
    policy = present()
    changed = {**policy, **changes, "desk": {**policy["desk"], **(desk or {})}}
    with open(limits, "w") as out:
        json.dump(changed, out)
    return limits


def tightens(**changes):
    assert not does("policy", "diff", file(**changes))["needs_code"], changes
    does("policy", "set", limits)


def loosens(**changes):
    assert does("policy", "diff", file(**changes))["needs_code"], changes
    code, told = person.with_code("policy", "set", limits)
    assert code == 0, told


def resting(*more):
    return ("order", "place", "BTCUSDT", "buy", "--limit", int(best_bid() * 0.97), "--quantity", "0.01", *more)


def entries(kind):
    return [entry["payload"] for entry in does("audit", "list", "--last", 50)["entries"] if entry["kind"] == kind]


def ends():
    verifies(person)
    daemon.stop()
    say("done")
