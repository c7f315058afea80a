"""What the shape checks share: a client without a library, the field lists, prices that rest and prices that trade."""

from decimal import Decimal, ROUND_DOWN

from raw import Rest, WsApi
from shape_match import Shapes

SYMBOL = "BTCUSDT"
OTHER = "ETHUSDT"
QUANTITY = "0.001"


class World:
    def __init__(self, config):
        self.config = config
        self.key = config.key()
        self.rest = Rest(config, self.key)
        self.shapes = Shapes()

    def fits(self, shape, answer, status=200):
        """Checks one REST answer and gives its body."""
        got_status, body, _ = answer
        assert got_status == status, f"HTTP {got_status}: {str(body)[:300]}"
        return self.fits_body(shape, body)

    def fits_body(self, shape, body):
        faults = self.shapes.faults(shape, body)
        assert not faults, "; ".join(faults)
        return body

    def ws_api(self):
        return WsApi(self.config, self.key)

    def price(self, share):
        """A price at this share of the best bid, on the tick of 0.01."""
        bid = Decimal(self.rest.open("GET", "/api/v3/ticker/bookTicker", symbol=SYMBOL)[1]["bidPrice"])
        return str((bid * Decimal(share)).quantize(Decimal("0.01"), ROUND_DOWN))

    def place(self, **more):
        """Places a resting limit buy, or what `more` says, and gives the answer."""
        order = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": QUANTITY}
        order |= more
        if order["type"] == "LIMIT" and "price" not in order:
            order["price"] = self.price("0.9")
        return self.rest.signed("POST", "/api/v3/order", **{name: value for name, value in order.items() if value})

    def resting(self, **more):
        """The id of a resting order."""
        status, body, _ = self.place(**more)
        assert status == 200, f"HTTP {status}: {str(body)[:300]}"
        return body["orderId"]

    def cancel_all(self, symbol=SYMBOL):
        return self.rest.signed("DELETE", "/api/v3/openOrders", symbol=symbol)

    def self_trade(self, mode):
        """Sells into an own buy that is alone at the best price; gives the seller's answer."""
        for _ in range(5):
            self.cancel_all()
            ask = Decimal(self.rest.open("GET", "/api/v3/ticker/bookTicker", symbol=SYMBOL)[1]["askPrice"])
            price = str(ask - Decimal("0.01"))
            maker = self.place(price=price, type="LIMIT_MAKER", timeInForce=None, newOrderRespType="RESULT")
            if maker[0] != 200:
                continue
            taker = self.place(side="SELL", price=price, timeInForce="IOC", selfTradePreventionMode=mode,
                               newOrderRespType="RESULT")
            # The market may have come between; then the two did not meet.
            if taker[0] != 200 or taker[1]["status"] == "EXPIRED_IN_MATCH":
                return taker
        return taker

    def oco(self):
        """Parameters of a sell pair far from the market on both sides."""
        return {"symbol": SYMBOL, "side": "SELL", "quantity": QUANTITY, "aboveType": "LIMIT_MAKER",
                "abovePrice": self.price("1.1"), "belowType": "STOP_LOSS_LIMIT", "belowPrice": self.price("0.89"),
                "belowStopPrice": self.price("0.9"), "belowTimeInForce": "GTC", "newOrderRespType": "RESULT"}

    def oto(self):
        return {"symbol": SYMBOL, "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": self.price("0.9"),
                "workingQuantity": QUANTITY, "workingTimeInForce": "GTC", "pendingType": "LIMIT", "pendingSide": "SELL",
                "pendingPrice": self.price("1.1"), "pendingQuantity": QUANTITY, "pendingTimeInForce": "GTC",
                "newOrderRespType": "RESULT"}

    def otoco(self):
        return {"symbol": SYMBOL, "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": self.price("0.9"),
                "workingQuantity": QUANTITY, "workingTimeInForce": "GTC", "pendingSide": "SELL",
                "pendingQuantity": QUANTITY, "pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": self.price("1.1"),
                "pendingBelowType": "STOP_LOSS", "pendingBelowStopPrice": self.price("0.8"),
                "newOrderRespType": "RESULT"}


def make_world(config):
    world = World(config)
    world.cancel_all()
    return world
