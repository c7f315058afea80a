"""How long ccxt takes from create_order to its fetch, where a request would leave. Nothing is sent.

Usage: ccxt_sign.py KEYS.json, which holds [{"scheme": ..., "api_key": ..., "secret": ...}].
Prints one JSON line: versions, and nanoseconds of every sample by scheme, warm and after a pause each.
"""

import json
import platform
import sys
import time

import ccxt

SAMPLES = 5_000
WARM_UP = 500
IDLE = 300
IDLE_GAP_S = 0.02

# One entry of exchangeInfo, as Binance documents it.
MARKET = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "baseAssetPrecision": 8,
    "quoteAsset": "USDT",
    "quotePrecision": 8,
    "quoteAssetPrecision": 8,
    "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
    "isSpotTradingAllowed": True,
    "isMarginTradingAllowed": False,
    "permissions": ["SPOT"],
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.00", "stepSize": "0.00001"},
        {"filterType": "NOTIONAL", "minNotional": "5.00", "maxNotional": "9000000.00"},
    ],
}
# What a venue answers, so that create_order ends as it does in earnest.
ANSWER = {
    "symbol": "BTCUSDT",
    "orderId": 1,
    "clientOrderId": "measured-0123456789abcdef",
    "transactTime": 1_800_000_000_000,
    "price": "50000.00",
    "origQty": "0.01000",
    "executedQty": "0.00000",
    "cummulativeQuoteQty": "0.00000",
    "status": "NEW",
    "timeInForce": "GTC",
    "type": "LIMIT",
    "side": "BUY",
    "fills": [],
}


class Halted(ccxt.binance):
    """ccxt's Binance, stopped where it would send."""

    reached_ns = 0
    left = None

    def fetch(self, url, method="GET", headers=None, body=None):
        self.reached_ns = time.perf_counter_ns()
        self.left = (url, method, headers, body)
        return {"symbols": [MARKET]} if "exchangeInfo" in url else ANSWER


def measure(key):
    # Without its rate limiter, which would only make it wait.
    options = {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchMargins": False, "fetchCurrencies": False}
    venue = Halted({"apiKey": key["api_key"], "secret": key["secret"], "enableRateLimit": False, "options": options})
    venue.has["fetchCurrencies"] = False
    venue.load_markets()
    params = {"newClientOrderId": "measured-0123456789abcdef", "recvWindow": 5000}

    def took_ns(gap_s):
        if gap_s:
            time.sleep(gap_s)
        start_ns = time.perf_counter_ns()
        venue.create_order("BTC/USDT", "limit", "buy", 0.01, 50_000, params)
        return venue.reached_ns - start_ns

    warm = [took_ns(0) for _ in range(WARM_UP + SAMPLES)][WARM_UP:]
    idle = [took_ns(IDLE_GAP_S) for _ in range(IDLE)]
    assert "signature=" in venue.left[3], venue.left
    return {"warm": warm, "from idle": idle}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        keys = json.load(file)
    print(json.dumps({
        "ccxt": ccxt.__version__,
        "python": platform.python_version(),
        "took_ns": {key["scheme"]: measure(key) for key in keys},
    }))


if __name__ == "__main__":
    main()
