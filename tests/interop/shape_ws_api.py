"""The documented field lists against a venue's WebSocket API: frame, result, refusal, session."""

from cases import case, equal
from raw import Socket, signature
from shape_world import OTHER, QUANTITY, SYMBOL

ALL_SYMBOLS = [SYMBOL, OTHER]

# Methods without a signature: (shape, parameters).
PUBLIC = [
    ("ping", {}),
    ("time", {}),
    ("exchangeInfo", {"symbols": ALL_SYMBOLS}),
    ("executionRules", {"symbol": SYMBOL}),
    ("depth", {"symbol": SYMBOL, "limit": 5}),
    ("trades.recent", {"symbol": SYMBOL, "limit": 5}),
    ("trades.historical", {"symbol": SYMBOL, "limit": 5}),
    ("trades.aggregate", {"symbol": SYMBOL, "limit": 5}),
    ("klines", {"symbol": SYMBOL, "interval": "1m", "limit": 5}),
    ("uiKlines", {"symbol": SYMBOL, "interval": "1m", "limit": 5}),
    ("avgPrice", {"symbol": SYMBOL}),
    ("ticker.24hr", {"symbol": SYMBOL}),
    ("ticker.24hr [MINI]", {"symbol": SYMBOL, "type": "MINI"}),
    ("ticker.24hr [all]", {"symbols": ALL_SYMBOLS}),
    ("ticker.tradingDay", {"symbol": SYMBOL}),
    ("ticker.tradingDay [all]", {"symbols": ALL_SYMBOLS}),
    ("ticker", {"symbol": SYMBOL, "windowSize": "1h"}),
    ("ticker [MINI]", {"symbol": SYMBOL, "type": "MINI"}),
    ("ticker [all]", {"symbols": ALL_SYMBOLS}),
    ("ticker.price", {"symbol": SYMBOL}),
    ("ticker.price [all]", {}),
    ("ticker.book", {"symbol": SYMBOL}),
    ("ticker.book [all]", {}),
]

# Signed methods that need nothing to be there.
SIGNED = [
    ("account.status", {}),
    ("account.rateLimits.orders", {}),
    ("account.commission", {"symbol": SYMBOL}),
    ("openOrders.status", {}),
    ("openOrderLists.status", {}),
    ("allOrderLists", {}),
    ("myPreventedMatches", {"symbol": SYMBOL, "orderId": 1}),
    ("myAllocations", {"symbol": SYMBOL}),
    ("myFilters", {"symbol": SYMBOL}),
]


def result(world, shape, answer):
    """Checks the frame, then the result by its shape; gives the result."""
    assert "error" not in answer, f"refused: {answer.get('error')}"
    world.fits_body("answer", answer)
    equal(answer["status"], 200, "status")
    assert answer.get("rateLimits"), "rateLimits is part of every answer unless it was declined"
    return world.fits_body(shape, answer["result"])


def refused(world, answer, status, code):
    world.fits_body("refusal", answer)
    equal((answer["status"], answer["error"]["code"]), (status, code), "refusal")
    return answer["error"]


def add_table(table, is_signed):
    for shape, params in table:
        def check(world, shape=shape, params=params):
            with world.ws_api() as api:
                ask = api.ask_signed if is_signed else api.ask
                result(world, shape, ask(shape.split(" [")[0], **params))
        case(f"ws-api {shape}")(check)


add_table(PUBLIC, is_signed=False)
add_table(SIGNED, is_signed=True)


@case("ws-api id comes back as it was sent: integer, text, null")
def ids(world):
    with Socket(world.config, world.config.ws_api_url) as socket:
        for number in (7, "d3df8a21-98ea-4fe0-8f4e-0fcea5d418b7", None):
            socket.say({"id": number, "method": "ping"})
            equal(socket.hear()["id"], number, "id")
        socket.say({"id": 8, "method": "v3/ping"})
        equal(socket.hear()["status"], 200, "status of v3/ping")


@case("ws-api returnRateLimits false, in the request or in the URL, leaves rateLimits away")
def no_rate_limits(world):
    with world.ws_api() as api:
        assert "rateLimits" not in api.ask("time", returnRateLimits=False), "rateLimits despite the parameter"
    with Socket(world.config, world.config.ws_api_url + "?returnRateLimits=false") as socket:
        socket.say({"id": 1, "method": "time"})
        assert "rateLimits" not in socket.hear(), "rateLimits despite the URL"


@case("ws-api [invalid symbol] is a refusal with status 400")
def invalid_symbol(world):
    with world.ws_api() as api:
        refused(world, api.ask("depth", symbol="NOSUCH"), 400, -1121)


@case("ws-api [bad signature] is a refusal with -1022")
def bad_signature(world):
    with world.ws_api() as api:
        params = {"apiKey": world.key.api_key, "timestamp": 1, "signature": "00" * 32}
        answer = api.ask("account.status", **params)
        world.fits_body("refusal", answer)
        assert answer["error"]["code"] in (-1021, -1022), answer["error"]


def limit(world, **more):
    return {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": QUANTITY,
            "price": world.price("0.9")} | more


def add_placement(kind):
    @case(f"ws-api order.place [{kind}]")
    def check(world):
        with world.ws_api() as api:
            result(world, f"order.place [{kind}]", api.ask_signed("order.place", **limit(world, newOrderRespType=kind)))


for answer_kind in ("ACK", "RESULT", "FULL"):
    add_placement(answer_kind)


@case("ws-api order.test")
def test_order(world):
    with world.ws_api() as api:
        result(world, "order.test", api.ask_signed("order.test", **limit(world)))
        answer = api.ask_signed("order.test", **limit(world, computeCommissionRates=True))
        result(world, "order.test [computeCommissionRates]", answer)


@case("ws-api order.status, openOrders.status, allOrders, order.cancel")
def one_order(world):
    with world.ws_api() as api:
        order = {"symbol": SYMBOL, "orderId": world.resting()}
        result(world, "order.status", api.ask_signed("order.status", **order))
        assert result(world, "openOrders.status", api.ask_signed("openOrders.status", symbol=SYMBOL)), "empty"
        assert result(world, "allOrders", api.ask_signed("allOrders", symbol=SYMBOL)), "empty"
        equal(result(world, "order.cancel", api.ask_signed("order.cancel", **order))["status"], "CANCELED", "status")
        refused(world, api.ask_signed("order.cancel", **order), 400, -2011)


@case("ws-api a number sent as text is the same number")
def numbers_as_text(world):
    with world.ws_api() as api:
        order = {"symbol": SYMBOL, "orderId": str(world.resting()), "recvWindow": "5000"}
        result(world, "order.status", api.ask_signed("order.status", **order))
        result(world, "depth", api.ask("depth", symbol=SYMBOL, limit="5"))
        result(world, "exchangeInfo", api.ask("exchangeInfo", symbols='["BTCUSDT","ETHUSDT"]'))


@case("ws-api openOrders.cancelAll")
def cancel_all(world):
    world.resting()
    with world.ws_api() as api:
        assert result(world, "openOrders.cancelAll", api.ask_signed("openOrders.cancelAll", symbol=SYMBOL)), "empty"


@case("ws-api order.cancelReplace, and its refusals with data")
def cancel_replace(world):
    with world.ws_api() as api:
        params = limit(world, cancelReplaceMode="STOP_ON_FAILURE")
        answer = api.ask_signed("order.cancelReplace", **params, cancelOrderId=world.resting())
        result(world, "order.cancelReplace", answer)
        error = refused(world, api.ask_signed("order.cancelReplace", **params, cancelOrderId=1), 400, -2022)
        equal((error["data"]["cancelResult"], error["data"]["newOrderResult"]), ("FAILURE", "NOT_ATTEMPTED"), "data")
        params["cancelReplaceMode"] = "ALLOW_FAILURE"
        error = refused(world, api.ask_signed("order.cancelReplace", **params, cancelOrderId=1), 409, -2021)
        equal((error["data"]["cancelResult"], error["data"]["newOrderResult"]), ("FAILURE", "SUCCESS"), "data")
    world.cancel_all()


@case("ws-api order.amend.keepPriority, order.amendments")
def amend(world):
    with world.ws_api() as api:
        order = {"symbol": SYMBOL, "orderId": world.resting(quantity="0.002")}
        result(world, "order.amend.keepPriority", api.ask_signed("order.amend.keepPriority", **order, newQty=QUANTITY))
        assert result(world, "order.amendments", api.ask_signed("order.amendments", **order)), "empty"
    world.cancel_all()


@case("ws-api myTrades")
def my_trades(world):
    order = world.resting(type="MARKET", timeInForce=None)
    with world.ws_api() as api:
        assert result(world, "myTrades", api.ask_signed("myTrades", symbol=SYMBOL, orderId=order)), "empty"


def add_order_list(kind):
    @case(f"ws-api orderList.place.{kind}, orderList.status, orderList.cancel")
    def check(world):
        with world.ws_api() as api:
            answer = api.ask_signed(f"orderList.place.{kind}", **getattr(world, kind)())
            number = result(world, f"orderList.place.{kind}", answer)["orderListId"]
            result(world, "orderList.status", api.ask_signed("orderList.status", orderListId=number))
            assert result(world, "openOrderLists.status", api.ask_signed("openOrderLists.status")), "none open"
            assert result(world, "allOrderLists", api.ask_signed("allOrderLists")), "none listed"
            result(world, "orderList.cancel", api.ask_signed("orderList.cancel", symbol=SYMBOL, orderListId=number))


for list_kind in ("oco", "oto", "otoco"):
    add_order_list(list_kind)


@case("ws-api userDataStream.subscribe.signature, session.subscriptions, userDataStream.unsubscribe")
def signature_subscription(world):
    with world.ws_api() as api:
        answer = api.ask_signed("userDataStream.subscribe.signature")
        number = result(world, "userDataStream.subscribe.signature", answer)
        equal(number["subscriptionId"], 0, "first subscription")
        refused(world, api.ask_signed("userDataStream.subscribe.signature"), 400, -2035)
        equal(result(world, "session.subscriptions", api.ask("session.subscriptions")), [number], "subscriptions")
        assert api.ask("session.status")["result"]["userDataStream"] is True, "userDataStream"
        result(world, "userDataStream.unsubscribe", api.ask("userDataStream.unsubscribe", **number))


@case("ws-api session.logon with Ed25519, then signed methods without signature, session.status, session.logout")
def session(world):
    world_key = world.config.key("ed25519")
    with world.ws_api() as api:
        api.key = world_key
        said = result(world, "session.logon", api.ask_signed("session.logon"))
        equal(said["apiKey"], world_key.api_key, "key of the session")
        equal(result(world, "session.status", api.ask("session.status"))["apiKey"], world_key.api_key, "status")
        now = api.ask("time")["result"]["serverTime"]
        result(world, "account.status", api.ask("account.status", timestamp=now))
        result(world, "userDataStream.subscribe", api.ask("userDataStream.subscribe"))
        result(world, "userDataStream.unsubscribe", api.ask("userDataStream.unsubscribe"))
        said = result(world, "session.logout", api.ask("session.logout"))
        equal((said["apiKey"], said["authorizedSince"]), (None, None), "after logout")


@case("ws-api session.logon with HMAC is refused")
def session_needs_ed25519(world):
    with world.ws_api() as api:
        api.key = world.config.key("hmac")
        answer = api.ask_signed("session.logon")
        world.fits_body("refusal", answer)


@case("ws-api a percent-encoded signature payload is refused with -1022")
def encoded_payload(world):
    with world.ws_api() as api:
        now = api.ask("time")["result"]["serverTime"]
        params = {"apiKey": world.key.api_key, "timestamp": now, "symbol": SYMBOL, "origClientOrderId": "desk:1"}
        payload = "&".join(f"{name}={params[name]}" for name in sorted(params)).replace(":", "%3A")
        refused(world, api.ask("order.status", **params, signature=signature(world.key, payload)), 400, -1022)
