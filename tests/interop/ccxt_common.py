"""Points an unmodified ccxt at a venue, by its documented settings only, and names what its journeys share."""

import urllib.parse
from decimal import Decimal

SYMBOL, OTHER = "BTC/USDT", "ETH/USDT"
AMOUNT = 0.001


def settings(config, key):
    """Constructor options: the key, and the venue's authority for requests (environment) and for aiohttp (a file)."""
    return {"apiKey": key.api_key, "secret": key.secret, "requests_trust_env": True, "cafile": config.ca_file}


def point(client, config):
    """Every host of ccxt's table `urls.api` becomes the venue's; paths stay, futures hosts included."""
    for name, url in client.urls["api"].items():
        if isinstance(url, str):
            client.urls["api"][name] = config.rest_url + urllib.parse.urlsplit(url).path
    if "ws" in client.urls["api"]:
        client.urls["api"]["ws"]["spot"] = config.ws_url + "/ws"
        client.urls["api"]["ws"]["ws-api"]["spot"] = config.ws_api_url
    return client


def free_and_used(balance):
    return {code: (Decimal(str(balance[code]["free"])), Decimal(str(balance[code]["used"])))
            for code in ("BTC", "USDT")}


def total(balance, code):
    return Decimal(str(balance[code]["total"]))
