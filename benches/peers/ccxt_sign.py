"""How long ccxt takes from create_order to its fetch, where a request would leave. Nothing is sent.

Usage: ccxt_sign.py KEYS.json VENUE.json; KEYS holds [{"scheme": ..., "api_key": ..., "secret": ...}].
Prints one JSON line: versions, and nanoseconds of every sample by scheme, warm and after a pause each.
"""

import json
import platform
import sys
import time
from pathlib import Path

import ccxt

SAMPLES = 5_000
WARM_UP = 500
IDLE = 300
IDLE_GAP_S = 0.02
KEYS, VENUE = (json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:3])


class Halted(ccxt.binance):
    """ccxt's Binance, stopped where it would send."""

    reached_ns = 0
    left = None

    def fetch(self, url, method="GET", headers=None, body=None):
        self.reached_ns = time.perf_counter_ns()
        self.left = (url, method, headers, body)
        return {"symbols": [VENUE["market"]]} if "exchangeInfo" in url else VENUE["answer"]


def measure(key):
    # Without its rate limiter, which would only make it wait.
    venue = Halted({"apiKey": key["api_key"], "secret": key["secret"], "enableRateLimit": False, "options": VENUE["options"]})
    venue.has["fetchCurrencies"] = False
    venue.load_markets()

    def took_ns(gap_s):
        if gap_s:
            time.sleep(gap_s)
        start_ns = time.perf_counter_ns()
        venue.create_order(*VENUE["order"])
        return venue.reached_ns - start_ns

    warm = [took_ns(0) for _ in range(WARM_UP + SAMPLES)][WARM_UP:]
    idle = [took_ns(IDLE_GAP_S) for _ in range(IDLE)]
    assert "signature=" in venue.left[3], venue.left
    return {"warm": warm, "from idle": idle}


def main():
    print(json.dumps({
        "ccxt": ccxt.__version__,
        "runtime": f"Python {platform.python_version()}",
        "took_ns": {key["scheme"]: measure(key) for key in KEYS},
    }))


if __name__ == "__main__":
    main()
