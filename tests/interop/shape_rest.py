"""The documented field lists against a venue's REST answers, market data, orders, account."""

from cases import case, equal, eventually
from shape_world import OTHER, QUANTITY, SYMBOL

ALL_SYMBOLS = [SYMBOL, OTHER]

# Public requests whose answer must fit the shape of the same name: (shape, parameters).
PUBLIC = [
    ("GET /api/v3/ping", {}),
    ("GET /api/v3/time", {}),
    ("GET /api/v3/exchangeInfo", {}),
    ("GET /api/v3/executionRules", {"symbol": SYMBOL}),
    ("GET /api/v3/depth", {"symbol": SYMBOL, "limit": 5}),
    ("GET /api/v3/trades", {"symbol": SYMBOL, "limit": 5}),
    ("GET /api/v3/historicalTrades", {"symbol": SYMBOL, "limit": 5}),
    ("GET /api/v3/aggTrades", {"symbol": SYMBOL, "limit": 5}),
    ("GET /api/v3/klines", {"symbol": SYMBOL, "interval": "1m", "limit": 5}),
    ("GET /api/v3/uiKlines", {"symbol": SYMBOL, "interval": "1m", "limit": 5}),
    ("GET /api/v3/avgPrice", {"symbol": SYMBOL}),
    ("GET /api/v3/ticker/24hr", {"symbol": SYMBOL}),
    ("GET /api/v3/ticker/24hr [all]", {"symbols": ALL_SYMBOLS}),
    ("GET /api/v3/ticker/24hr [MINI]", {"symbol": SYMBOL, "type": "MINI"}),
    ("GET /api/v3/ticker/24hr [all MINI]", {"symbols": ALL_SYMBOLS, "type": "MINI"}),
    ("GET /api/v3/ticker/tradingDay", {"symbol": SYMBOL}),
    ("GET /api/v3/ticker/tradingDay [all]", {"symbols": ALL_SYMBOLS}),
    ("GET /api/v3/ticker/tradingDay [MINI]", {"symbol": SYMBOL, "type": "MINI"}),
    ("GET /api/v3/ticker/tradingDay [all MINI]", {"symbols": ALL_SYMBOLS, "type": "MINI"}),
    ("GET /api/v3/ticker/price", {"symbol": SYMBOL}),
    ("GET /api/v3/ticker/price [all]", {}),
    ("GET /api/v3/ticker/bookTicker", {"symbol": SYMBOL}),
    ("GET /api/v3/ticker/bookTicker [all]", {}),
    ("GET /api/v3/ticker", {"symbol": SYMBOL, "windowSize": "1h"}),
    ("GET /api/v3/ticker [all]", {"symbols": ALL_SYMBOLS}),
    ("GET /api/v3/ticker [MINI]", {"symbol": SYMBOL, "type": "MINI"}),
    ("GET /api/v3/ticker [all MINI]", {"symbols": ALL_SYMBOLS, "type": "MINI"}),
]

# Signed requests that need nothing to be there.
SIGNED = [
    ("GET /api/v3/account", {}),
    ("GET /api/v3/rateLimit/order", {}),
    ("GET /api/v3/account/commission", {"symbol": SYMBOL}),
    ("GET /api/v3/myFilters", {"symbol": SYMBOL}),
    ("GET /api/v3/myPreventedMatches", {"symbol": SYMBOL, "orderId": 1}),
    ("GET /api/v3/myAllocations", {"symbol": SYMBOL}),
    ("GET /api/v3/openOrders", {}),
    ("GET /api/v3/allOrderList", {}),
    ("GET /api/v3/openOrderList", {}),
    ("GET /sapi/v1/account/apiRestrictions", {}),
    ("GET /sapi/v1/capital/config/getall", {}),
    ("GET /sapi/v1/margin/allPairs", {}),
    ("GET /sapi/v1/margin/isolated/allPairs", {}),
]


def request_of(shape):
    method, path = shape.split(" [")[0].split(" ")
    return method, path


def add_table(table, is_signed):
    for shape, params in table:
        def check(world, shape=shape, params=params):
            send = world.rest.signed if is_signed else world.rest.open
            body = world.fits(shape, send(*request_of(shape), **params))
            if not is_signed and isinstance(body, list):
                assert body, "an empty array shows no shape"
        case(shape)(check)


add_table(PUBLIC, is_signed=False)
add_table(SIGNED, is_signed=True)


@case("GET /api/v3/ticker [bad window] refuses with the documented error object")
def bad_window(world):
    world.fits("error", world.rest.open("GET", "/api/v3/ticker", symbol=SYMBOL, windowSize="1y"), status=400)


@case("GET [invalid symbol] -1121 is an error object")
def invalid_symbol(world):
    body = world.fits("error", world.rest.open("GET", "/api/v3/depth", symbol="NOSUCH"), status=400)
    equal((body["code"], body["msg"]), (-1121, "Invalid symbol."), "refusal")


def add_placement(kind):
    @case(f"POST /api/v3/order [{kind}]")
    def check(world):
        shape = f"POST /api/v3/order [{kind}]"
        world.fits(shape, world.place(newOrderRespType=kind))
        body = world.fits(shape, world.place(type="MARKET", timeInForce=None, newOrderRespType=kind))
        if kind == "FULL":
            equal(body["status"], "FILLED", "status")
            assert body["fills"], "a filled order has fills"


for answer_kind in ("ACK", "RESULT", "FULL"):
    add_placement(answer_kind)


@case("POST /api/v3/order [RESULT] of every conditional order shows its own fields")
def conditional_orders(world):
    shape = "POST /api/v3/order [RESULT]"
    far = {"newOrderRespType": "RESULT", "side": "SELL"}
    orders = [
        ({"type": "STOP_LOSS", "timeInForce": None, "stopPrice": world.price("0.9")}, {"stopPrice"}),
        ({"type": "STOP_LOSS_LIMIT", "stopPrice": world.price("0.9"), "price": world.price("0.89")}, {"stopPrice"}),
        ({"type": "TAKE_PROFIT", "timeInForce": None, "stopPrice": world.price("1.1")}, {"stopPrice"}),
        ({"type": "TAKE_PROFIT_LIMIT", "stopPrice": world.price("1.1"), "price": world.price("1.1")}, {"stopPrice"}),
        ({"type": "STOP_LOSS", "timeInForce": None, "trailingDelta": 500}, {"trailingDelta", "trailingTime"}),
        ({"type": "LIMIT", "price": world.price("1.1"), "icebergQty": "0.0005"}, {"icebergQty"}),
        ({"type": "LIMIT", "price": world.price("1.1"), "strategyId": 7, "strategyType": 1000001},
         {"strategyId", "strategyType"}),
    ]
    for order, own in orders:
        body = world.fits(shape, world.place(**far, **order))
        assert own <= set(body), f"{order['type']}: {sorted(own - set(body))} missing"
    world.cancel_all()


@case("POST /api/v3/order [RESULT] of an order that STP expires shows preventedMatchId and preventedQuantity")
def prevented(world):
    body = world.fits("POST /api/v3/order [RESULT]", world.self_trade("EXPIRE_TAKER"))
    equal(body["selfTradePreventionMode"], "EXPIRE_TAKER", "mode")
    assert "preventedMatchId" in body and "preventedQuantity" in body, f"not prevented: {body}"
    matches = world.fits("GET /api/v3/myPreventedMatches", world.rest.signed(
        "GET", "/api/v3/myPreventedMatches", symbol=SYMBOL, preventedMatchId=body["preventedMatchId"]))
    equal(matches[0]["takerOrderId"], body["orderId"], "taker")
    world.cancel_all()


@case("POST /api/v3/order/test")
def test_order(world):
    order = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": QUANTITY}
    world.fits("POST /api/v3/order/test", world.rest.signed("POST", "/api/v3/order/test", **order))
    world.fits("POST /api/v3/order/test [computeCommissionRates]", world.rest.signed(
        "POST", "/api/v3/order/test", **order, computeCommissionRates=True))


@case("GET /api/v3/order")
def query_order(world):
    world.fits("GET /api/v3/order", world.rest.signed("GET", "/api/v3/order", symbol=SYMBOL, orderId=world.resting()))


@case("GET /api/v3/openOrders [with an open order]")
def open_orders(world):
    world.resting()
    assert world.fits("GET /api/v3/openOrders", world.rest.signed("GET", "/api/v3/openOrders", symbol=SYMBOL)), "empty"


@case("GET /api/v3/allOrders")
def all_orders(world):
    world.resting()
    assert world.fits("GET /api/v3/allOrders", world.rest.signed("GET", "/api/v3/allOrders", symbol=SYMBOL)), "empty"


@case("GET /api/v3/myTrades")
def my_trades(world):
    order = world.resting(type="MARKET", timeInForce=None)
    ask = {"symbol": SYMBOL, "orderId": order}
    eventually(lambda: world.rest.signed("GET", "/api/v3/myTrades", **ask)[1], "the trade")
    world.fits("GET /api/v3/myTrades", world.rest.signed("GET", "/api/v3/myTrades", **ask))


@case("DELETE /api/v3/order")
def cancel_order(world):
    order = {"symbol": SYMBOL, "orderId": world.resting()}
    world.fits("DELETE /api/v3/order", world.rest.signed("DELETE", "/api/v3/order", **order))
    world.fits("error", world.rest.signed("DELETE", "/api/v3/order", **order), status=400)


@case("DELETE /api/v3/openOrders")
def cancel_open_orders(world):
    world.resting()
    assert world.fits("DELETE /api/v3/openOrders", world.cancel_all()), "empty"
    world.fits("error", world.cancel_all(), status=400)


@case("DELETE /api/v3/openOrders [with an order list]")
def cancel_open_lists(world):
    world.resting()
    world.fits("POST /api/v3/orderList/oco", world.rest.signed("POST", "/api/v3/orderList/oco", **world.oco()))
    body = world.fits("DELETE /api/v3/openOrders", world.cancel_all())
    equal(sorted("contingencyType" in item for item in body), [False, True], "an order and an order list")


def replace(world, order, **more):
    params = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": QUANTITY,
              "price": world.price("0.91"), "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": order} | more
    params = {name: value for name, value in params.items() if value}
    return world.rest.signed("POST", "/api/v3/order/cancelReplace", **params)


@case("POST /api/v3/order/cancelReplace")
def cancel_replace(world):
    body = world.fits("POST /api/v3/order/cancelReplace", replace(world, world.resting()))
    equal((body["cancelResult"], body["newOrderResult"]), ("SUCCESS", "SUCCESS"), "results")


@case("POST /api/v3/order/cancelReplace [cancel fails]")
def cancel_replace_stops(world):
    world.fits("POST /api/v3/order/cancelReplace [cancel fails]", replace(world, 1), status=400)


@case("POST /api/v3/order/cancelReplace [new order fails]")
def cancel_replace_loses(world):
    answer = replace(world, world.resting(), type="LIMIT_MAKER", timeInForce=None, price=world.price("1.05"))
    world.fits("POST /api/v3/order/cancelReplace [new order fails]", answer, status=409)


@case("POST /api/v3/order/cancelReplace [only new order succeeds]")
def cancel_replace_only_new(world):
    world.fits("POST /api/v3/order/cancelReplace [only new order succeeds]",
               replace(world, 1, cancelReplaceMode="ALLOW_FAILURE"), status=409)


@case("POST /api/v3/order/cancelReplace [both fail]")
def cancel_replace_both_fail(world):
    answer = replace(world, 1, cancelReplaceMode="ALLOW_FAILURE", quantity="80")
    world.fits("POST /api/v3/order/cancelReplace [both fail]", answer, status=400)


@case("PUT /api/v3/order/amend/keepPriority and GET /api/v3/order/amendments")
def amend(world):
    order = world.resting(quantity="0.002")
    world.fits("PUT /api/v3/order/amend/keepPriority", world.rest.signed(
        "PUT", "/api/v3/order/amend/keepPriority", symbol=SYMBOL, orderId=order, newQty="0.001"))
    ask = {"symbol": SYMBOL, "orderId": order}
    eventually(lambda: world.rest.signed("GET", "/api/v3/order/amendments", **ask)[1], "the amendment")
    body = world.fits("GET /api/v3/order/amendments", world.rest.signed("GET", "/api/v3/order/amendments", **ask))
    equal(len(body), 1, "amendments")


@case("PUT /api/v3/order/amend/keepPriority [in an order list]")
def amend_in_list(world):
    body = world.rest.signed("POST", "/api/v3/orderList/oto", **world.oto() | {"workingQuantity": "0.002"})[1]
    assert "orders" in body, f"no order list: {body}"
    world.fits("PUT /api/v3/order/amend/keepPriority [in an order list]", world.rest.signed(
        "PUT", "/api/v3/order/amend/keepPriority", symbol=SYMBOL, orderId=body["orders"][0]["orderId"],
        newQty=QUANTITY))
    world.cancel_all()


def add_order_list(kind):
    @case(f"POST /api/v3/orderList/{kind}")
    def check(world):
        params = getattr(world, kind)()
        body = world.fits(f"POST /api/v3/orderList/{kind}", world.rest.signed("POST", f"/api/v3/orderList/{kind}", **params))
        number = {"orderListId": body["orderListId"]}
        world.fits("GET /api/v3/orderList", world.rest.signed("GET", "/api/v3/orderList", **number))
        assert world.fits("GET /api/v3/openOrderList", world.rest.signed("GET", "/api/v3/openOrderList")), "none open"
        assert world.fits("GET /api/v3/allOrderList", world.rest.signed("GET", "/api/v3/allOrderList")), "none listed"
        gone = world.rest.signed("DELETE", "/api/v3/orderList", symbol=SYMBOL, **number)
        equal(world.fits("DELETE /api/v3/orderList", gone)["listOrderStatus"], "ALL_DONE", "list status")


for list_kind in ("oco", "oto", "otoco"):
    add_order_list(list_kind)


@case("POST /api/v3/order/oco")
def deprecated_oco(world):
    params = {"symbol": SYMBOL, "side": "SELL", "quantity": QUANTITY, "price": world.price("1.1"),
              "stopPrice": world.price("0.9"), "stopLimitPrice": world.price("0.89"), "stopLimitTimeInForce": "GTC",
              "newOrderRespType": "RESULT"}
    world.fits("POST /api/v3/order/oco", world.rest.signed("POST", "/api/v3/order/oco", **params))
    world.cancel_all()
