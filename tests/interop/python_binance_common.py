"""Points an unmodified python-binance at a venue by its URL attributes and names what its journeys share."""

from decimal import Decimal

from binance import AsyncClient, BinanceSocketManager, Client

SYMBOL, OTHER = "BTCUSDT", "ETHUSDT"
QUANTITY = "0.001"
QUANTITY_NUMBER = Decimal(QUANTITY)


def point(config):
    """The URL attributes of the classes; they hold for every client made afterwards."""
    for kind in (Client, AsyncClient):
        kind.API_URL = config.rest_url + "/api"
        kind.MARGIN_API_URL = config.rest_url + "/sapi"
        kind.WS_API_URL = config.ws_api_url
    BinanceSocketManager.STREAM_URL = config.ws_url + "/"


def credentials(key):
    if key.kind == "hmac":
        return {"api_key": key.api_key, "api_secret": key.secret}
    return {"api_key": key.api_key, "private_key": key.secret}


def at(bid, share):
    """A price at this share of the bid, on the tick of 0.01."""
    return str((Decimal(bid) * Decimal(share)).quantize(Decimal("0.01")))


def balances(account):
    return {one["asset"]: (Decimal(one["free"]), Decimal(one["locked"])) for one in account["balances"]}


def oco(price):
    """A sell pair far from the market; `price` gives the price at a share of the market's."""
    return {"symbol": SYMBOL, "side": "SELL", "quantity": QUANTITY, "aboveType": "LIMIT_MAKER", "abovePrice": price("1.1"),
            "belowType": "STOP_LOSS_LIMIT", "belowPrice": price("0.89"), "belowStopPrice": price("0.9"),
            "belowTimeInForce": "GTC"}


def oto(price):
    return {"symbol": SYMBOL, "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": price("0.9"),
            "workingQuantity": QUANTITY, "workingTimeInForce": "GTC", "pendingType": "MARKET", "pendingSide": "SELL",
            "pendingQuantity": QUANTITY}


def otoco(price):
    return {"symbol": SYMBOL, "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": price("0.9"),
            "workingQuantity": QUANTITY, "workingTimeInForce": "GTC", "pendingSide": "SELL", "pendingQuantity": QUANTITY,
            "pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": price("1.1"), "pendingBelowType": "STOP_LOSS",
            "pendingBelowStopPrice": price("0.8")}
