"""An unmodified ccxt lists markets, places, sees and cancels an order on the paper venue, with each of its keys.

Usage: ccxt_journey.py CONFIG.json, with REQUESTS_CA_BUNDLE naming the venue's authority. CONFIG holds
{"rest_url": ..., "keys": [{"label": ..., "api_key": ..., "secret_file": ...}]}; secrets stay in their files.
Prints one JSON line; any failure is a traceback and a non-zero exit.
"""

import json
import pathlib
import sys

import ccxt

SYMBOL = "BTC/USDT"
# Below the market by this share, so that the order rests.
PASSIVE = 0.9
AMOUNT_BTC = 0.001
# Worth more than the account has, less than the largest order allowed.
UNAFFORDABLE_BTC = 50


def client(rest_url, key):
    return ccxt.binance({
        "apiKey": key["api_key"],
        "secret": pathlib.Path(key["secret_file"]).read_text(),
        # ccxt reads REQUESTS_CA_BUNDLE only when told to trust the environment.
        "requests_trust_env": True,
        "options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "warnOnFetchOpenOrdersWithoutSymbol": False},
        "urls": {"api": {
            "public": rest_url + "/api/v3",
            "private": rest_url + "/api/v3",
            "v1": rest_url + "/api/v1",
            "sapi": rest_url + "/sapi/v1",
        }},
    })


def journey(rest_url, key):
    venue = client(rest_url, key)
    markets = venue.load_markets()
    ticker = venue.fetch_ticker(SYMBOL)
    book = venue.fetch_order_book(SYMBOL, 20)
    trades = venue.fetch_trades(SYMBOL)
    candles = venue.fetch_ohlcv(SYMBOL, "1m", limit=200)
    before = venue.fetch_balance()
    price = venue.price_to_precision(SYMBOL, book["bids"][0][0] * PASSIVE)
    placed = venue.create_order(SYMBOL, "limit", "buy", AMOUNT_BTC, price)
    seen = venue.fetch_order(placed["id"], SYMBOL)
    open_ids = [order["id"] for order in venue.fetch_open_orders(SYMBOL)]
    locked = venue.fetch_balance()["USDT"]["used"]
    cancelled = venue.cancel_order(placed["id"], SYMBOL)
    left = venue.fetch_open_orders()
    bought = venue.create_order(SYMBOL, "market", "buy", AMOUNT_BTC)
    mine = venue.fetch_my_trades(SYMBOL)
    fee = venue.private_get_account_commission({"symbol": venue.market_id(SYMBOL)})["standardCommission"]
    try:
        venue.create_order(SYMBOL, "limit", "buy", UNAFFORDABLE_BTC, price)
        refusal = None
    except ccxt.InsufficientFunds as error:
        refusal = type(error).__name__
    return {
        "key": key["label"],
        "markets": sorted(markets),
        "has_price": ticker["last"] > 0,
        "levels": [len(book["bids"]), len(book["asks"])],
        "trades": len(trades),
        "candles": len(candles),
        "free_usdt": before["USDT"]["free"],
        "seen": [seen["status"], seen["id"] == placed["id"], placed["id"] in open_ids],
        "locked": locked > 0,
        "cancelled": cancelled["status"],
        "left": len(left),
        "bought": [bought["status"], bought["filled"]],
        "mine": len(mine) >= 1,
        "taker_fee": float(fee["taker"]),
        "refusal": refusal,
    }


def main():
    config = json.loads(pathlib.Path(sys.argv[1]).read_text())
    journeys = [journey(config["rest_url"], key) for key in config["keys"]]
    print(json.dumps({"ccxt": ccxt.__version__, "journeys": journeys}))


if __name__ == "__main__":
    main()
