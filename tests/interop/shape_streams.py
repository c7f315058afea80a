"""The documented field lists against a venue's market streams and user data events."""

from cases import case, equal
from raw import Socket
from shape_world import QUANTITY, SYMBOL

SLOW_S = 20

# Streams and their shapes: (stream, shape).
STREAMS = [
    ("btcusdt@aggTrade", "<symbol>@aggTrade"),
    ("btcusdt@trade", "<symbol>@trade"),
    ("btcusdt@kline_1m", "<symbol>@kline_<interval>"),
    ("btcusdt@kline_1s", "<symbol>@kline_<interval>"),
    ("btcusdt@kline_1h@+08:00", "<symbol>@kline_<interval>@+08:00"),
    ("btcusdt@miniTicker", "<symbol>@miniTicker"),
    ("btcusdt@ticker", "<symbol>@ticker"),
    ("btcusdt@ticker_1h", "<symbol>@ticker_<window>"),
    ("btcusdt@ticker_1d", "<symbol>@ticker_<window>"),
    ("btcusdt@bookTicker", "<symbol>@bookTicker"),
    ("btcusdt@avgPrice", "<symbol>@avgPrice"),
    ("btcusdt@depth5", "<symbol>@depth<levels>"),
    ("btcusdt@depth20@100ms", "<symbol>@depth<levels>"),
    ("btcusdt@depth", "<symbol>@depth"),
    ("btcusdt@depth@100ms", "<symbol>@depth"),
    # What binance-connector and python-binance ask by default for the slow speed.
    ("btcusdt@depth@1000ms", "<symbol>@depth"),
    ("btcusdt@depth5@1000ms", "<symbol>@depth<levels>"),
    ("!miniTicker@arr@1000ms", "!miniTicker@arr"),
    ("!miniTicker@arr", "!miniTicker@arr"),
    ("!ticker_1h@arr", "!ticker_<window>@arr"),
]


def nudge(world):
    """A trade and a change of the book, so that every stream has something to say."""
    world.place(type="MARKET", timeInForce=None)


for stream_name, stream_shape in STREAMS:
    def check_stream(world, stream=stream_name, shape=stream_shape):
        with Socket(world.config, f"{world.config.ws_url}/ws/{stream}") as socket:
            nudge(world)
            world.fits_body(shape, socket.hear(SLOW_S))
    case(f"stream {stream_name}")(check_stream)


@case("stream /stream?streams= wraps events as {stream, data}")
def combined(world):
    with Socket(world.config, f"{world.config.ws_url}/stream?streams=btcusdt@bookTicker/btcusdt@depth5@100ms") as socket:
        nudge(world)
        message = world.fits_body("combined", socket.hear(SLOW_S))
        assert message["stream"] in ("btcusdt@bookTicker", "btcusdt@depth5@100ms"), message["stream"]


@case("stream depth: U of an event is u of the one before plus one")
def depth_continues(world):
    with Socket(world.config, f"{world.config.ws_url}/ws/btcusdt@depth@100ms") as socket:
        last = socket.hear(SLOW_S)
        for _ in range(5):
            following = socket.hear(SLOW_S)
            equal(following["U"], last["u"] + 1, "first update id")
            last = following


@case("stream timeUnit=MICROSECOND gives microseconds")
def microseconds(world):
    with Socket(world.config, f"{world.config.ws_url}/stream?streams=btcusdt@trade&timeUnit=MICROSECOND") as socket:
        nudge(world)
        trade = socket.hear(SLOW_S)["data"]
        assert trade["E"] > 10**15 and trade["T"] > 10**15, f"E {trade['E']}, T {trade['T']}"


def ask(socket, message):
    socket.say(message)
    return socket.hear_until(lambda said: "id" in said and "e" not in said)[0]


@case("stream control: SUBSCRIBE, LIST_SUBSCRIPTIONS, UNSUBSCRIBE, SET_PROPERTY, GET_PROPERTY")
def control(world):
    with Socket(world.config, f"{world.config.ws_url}/ws") as socket:
        names = ["btcusdt@depth20"]
        said = world.fits_body("SUBSCRIBE", ask(socket, {"method": "SUBSCRIBE", "params": names, "id": 1}))
        equal(said["id"], 1, "id")
        said = world.fits_body("LIST_SUBSCRIPTIONS", ask(socket, {"method": "LIST_SUBSCRIPTIONS", "id": "a-b-c"}))
        equal((said["result"], said["id"]), (names, "a-b-c"), "list")
        world.fits_body("UNSUBSCRIBE", ask(socket, {"method": "UNSUBSCRIBE", "params": names, "id": 3}))
        world.fits_body("SET_PROPERTY", ask(socket, {"method": "SET_PROPERTY", "params": ["combined", True], "id": 4}))
        said = world.fits_body("GET_PROPERTY", ask(socket, {"method": "GET_PROPERTY", "params": ["combined"], "id": 5}))
        equal(said["result"], True, "combined")


@case("stream control: an unknown method is refused with code 2")
def control_refused(world):
    with Socket(world.config, f"{world.config.ws_url}/ws") as socket:
        socket.say({"method": "NONSENSE", "id": 1})
        said = socket.hear()
        said = said.get("error", said)
        world.fits_body("stream error", said)
        equal(said["code"], 2, "code")


@case("stream: a path that names no stream opens and waits for SUBSCRIBE")
def unnamed_path(world):
    with Socket(world.config, f"{world.config.ws_url}/ws/0") as socket:
        world.fits_body("SUBSCRIBE", ask(socket, {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1}))


@case("stream: a close frame is answered by a close frame")
def closing(world):
    with Socket(world.config, f"{world.config.ws_url}/ws/btcusdt@depth20@100ms") as socket:
        socket.hear()
        socket.connection.close(1000)
        equal(socket.connection.close_code, 1000, "close code")


def subscribed(world):
    api = world.ws_api()
    answer = api.ask_signed("userDataStream.subscribe.signature")
    assert answer.get("status") == 200, f"not subscribed: {answer}"
    return api


@case("event executionReport NEW, CANCELED and outboundAccountPosition of a resting order")
def resting_events(world):
    with subscribed(world) as api:
        order = world.resting()
        message = api.event("executionReport")
        world.fits_body("event", message)
        report = world.fits_body("executionReport", message["event"])
        equal((report["x"], report["X"], report["i"], report["C"], report["N"]), ("NEW", "NEW", order, "", None), "report")
        position = world.fits_body("outboundAccountPosition", api.event("outboundAccountPosition")["event"])
        assert "USDT" in {balance["a"] for balance in position["B"]}, f"balances {position['B']}"
        world.rest.signed("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order)
        report = world.fits_body("executionReport", api.event("executionReport")["event"])
        equal((report["x"], report["X"], report["i"]), ("CANCELED", "CANCELED", order), "report")
        assert report["C"] and report["C"] != report["c"], "C names the order that was cancelled, c the cancel"


@case("event executionReport NEW then TRADE of a market order, with fee and trade id")
def trade_events(world):
    with subscribed(world) as api:
        order = world.resting(type="MARKET", timeInForce=None)
        reports = [world.fits_body("executionReport", api.event("executionReport")["event"]) for _ in range(2)]
        equal([report["x"] for report in reports], ["NEW", "TRADE"], "execution types")
        trade = reports[1]
        equal((trade["i"], trade["X"], trade["z"].rstrip("0")), (order, "FILLED", QUANTITY), "the fill")
        assert trade["t"] >= 0 and trade["N"] == "BTC" and float(trade["n"]) > 0, f"trade id and fee: {trade}"


@case("event listStatus of an order list, with a report for each order")
def list_events(world):
    with subscribed(world) as api:
        body = world.fits("POST /api/v3/orderList/oco", world.rest.signed("POST", "/api/v3/orderList/oco", **world.oco()))
        status = world.fits_body("listStatus", api.event("listStatus")["event"])
        equal((status["c"], status["l"], status["g"]), ("OCO", "EXEC_STARTED", body["orderListId"]), "list")
        for _ in range(2):
            report = world.fits_body("executionReport", api.event("executionReport")["event"])
            equal(report["g"], body["orderListId"], "list of the report")
        world.cancel_all()
        status = api.event("listStatus")["event"]
        equal((status["l"], status["L"]), ("ALL_DONE", "ALL_DONE"), "list after cancelling")


@case("event executionReport TRADE_PREVENTION of an order that STP expires")
def prevention_event(world):
    with subscribed(world) as api:
        taker = world.self_trade("EXPIRE_TAKER")
        equal(taker[0], 200, f"answer {taker[1]}")
        for _ in range(12):
            report = world.fits_body("executionReport", api.event("executionReport")["event"])
            if report["x"] == "TRADE_PREVENTION":
                break
        equal((report["x"], report["X"], report["V"]), ("TRADE_PREVENTION", "EXPIRED_IN_MATCH", "EXPIRE_TAKER"), "report")
        assert {"v", "A", "B", "u", "U", "Cs", "pl", "pL", "pY"} <= set(report), f"conditional fields: {sorted(report)}"


@case("event eventStreamTerminated after userDataStream.unsubscribe")
def terminated(world):
    with subscribed(world) as api:
        api.ask("userDataStream.unsubscribe")
        world.fits_body("eventStreamTerminated", api.event("eventStreamTerminated")["event"])
