"""Rules over what adds up: what was signed, held and lost, what stops a bot or everything; a day's worth outlives restarts."""
from limits import *

say("what one bot may sign in a day")
tightens(thresholds=[{"of": {"bot": "grid"}, "day_notional_max": "100"}])
bots = ("order", "place", "ETHUSDT", "buy", "--market", "--quote", "60", "--id")
assert does(*bots, "grid-1")["fate"] == "filled"
assert "bot grid signed in 24 hours from 60 above 100" in fails(1, "threshold", *bots, "grid-2")
assert does(*bots, "other-1")["fate"] == "filled"
loosens(thresholds=[])

say("what may be held at the venue")
tightens(desk={"exposure_of": [{"of": {"venue": "binance"}, "max": "1"}]})
more = ("order", "place", "ETHUSDT", "buy", "--market", "--quote", "60")
eventually("what is held is known", lambda: cli(*more)[1]["error"]["code"] == "exposure")
assert "at venue binance" in fails(1, "exposure", *more)
loosens(desk={"exposure_of": []})

say("a bot that trades the same again and again is stopped, and nobody else")
tightens(desk={"fills_per_minute": 2})
again = ("order", "place", "BTCUSDT", "sell", "--market", "--quantity", "0.001", "--id")
for number in range(3):
    assert does(*again, f"wild-{number}")["fate"] == "filled"
eventually("the bot is stopped", lambda: any("bot wild" in stop for stop in does("vault", "status")["stopped"]))
told = fails(5, "kill-switch", *again, "wild-3")
assert "bot wild" in told and "repeated-execution" in told, told
assert does("vault", "status").get("killed") is None
assert does(*again, "calm-1")["fate"] == "filled"
assert entries("killed")[-1]["scope"] == "bot wild", entries("killed")[-1]

say("whoever places by hand is stopped by the slot")
for _ in range(2):
    does(*again[:-1])
eventually("the person is stopped", lambda: any("slot" in stop for stop in does("vault", "status")["stopped"]))
fails(5, "kill-switch", *again[:-1])
loosens(desk={"fills_per_minute": None})
code, told = person.with_code("rearm")
assert code == 0, told
assert does(*again, "wild-4")["fate"] == "filled"
assert entries("rearmed")[-1]["person"] == 1 and entries("policy-changed")[-1]["person"] == 1, entries("rearmed")

say("what was signed in a day counts on, through a seal")
for worth in (400, 410, 420, 430):
    assert does("order", "place", "ETHUSDT", "buy", "--market", "--quote", worth)["fate"] == "filled"
tightens(day_notional_max="2000")
told = fails(1, "day-notional", "order", "place", "ETHUSDT", "buy", "--market", "--quote", "400")
assert "signed in 24 hours" in told, told
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
person.unlocks()
fails(1, "day-notional", "order", "place", "ETHUSDT", "buy", "--market", "--quote", "400")

say("a loss beyond the limit engages the kill switch, and re-arming alone does not help")
loosens(day_notional_max="5000000")
assert does(*resting())["fate"] == "working"
tightens(desk={"day_loss_max": "0.000001"})
eventually("the kill switch", lambda: "day-loss" in (does("vault", "status").get("killed") or ""))
eventually("what rested is cancelled", lambda: live_orders() == [])
fails(5, "kill-switch", *buy())
code, told = person.with_code("rearm")
assert code == 0, told
eventually("it engages again", lambda: does("vault", "status").get("killed"))
loosens(desk={"day_loss_max": None})
code, told = person.with_code("rearm")
assert code == 0, told
assert does(*buy())["fate"] == "filled"

say("the limits have a history")
history = does("policy", "history")["history"]
assert len(history) >= 8, history
assert any(row["changes"].get("desk.day_loss_max", {}).get("to") == "0.000001" for row in history), history

ends()
