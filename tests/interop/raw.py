"""Speaks to a venue without any client library: signed REST requests, streams and the WebSocket API, as documented."""

import base64
import hashlib
import hmac
import itertools
import json
import ssl
import time
import urllib.parse

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from websockets.sync.client import connect

TIMEOUT_S = 10


def signature(key, payload):
    if key.kind == "hmac":
        return hmac.new(key.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    private = serialization.load_pem_private_key(key.secret.encode(), None)
    signed = private.sign(payload.encode()) if key.kind == "ed25519" else \
        private.sign(payload.encode(), padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signed).decode()


def now_ms():
    return int(time.time() * 1000)


class Rest:
    """REST requests; an answer is (HTTP status, parsed body, headers)."""

    def __init__(self, config, key):
        self.config, self.key = config, key
        self.session = requests.Session()
        self.session.verify = config.ca_file

    def open(self, method, path, **params):
        return self.send(method, path, urllib.parse.urlencode(flat(params)), {})

    def signed(self, method, path, **params):
        query = urllib.parse.urlencode({**flat(params), "timestamp": now_ms()})
        query += "&signature=" + urllib.parse.quote(signature(self.key, query), safe="")
        return self.send(method, path, query, {"X-MBX-APIKEY": self.key.api_key})

    def send(self, method, path, query, headers):
        url = f"{self.config.rest_url}{path}" + (f"?{query}" if query else "")
        answer = self.session.request(method, url, headers=headers, timeout=TIMEOUT_S)
        try:
            body = answer.json()
        except ValueError:
            body = answer.text
        return answer.status_code, body, answer.headers


def flat(params):
    return {name: json.dumps(value, separators=(",", ":")) if isinstance(value, list) else
            str(value).lower() if isinstance(value, bool) else value for name, value in params.items()}


class Socket:
    """One WebSocket connection; messages are parsed JSON."""

    def __init__(self, config, url):
        self.connection = connect(url, ssl=ssl.create_default_context(cafile=config.ca_file), open_timeout=TIMEOUT_S,
                                  max_size=None)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.connection.close()

    def say(self, message):
        self.connection.send(json.dumps(message))

    def hear(self, within_s=TIMEOUT_S):
        return json.loads(self.connection.recv(timeout=within_s))

    def hear_until(self, is_it, within_s=TIMEOUT_S):
        """The first message that is it, and all that came before."""
        end, before = time.monotonic() + within_s, []
        while True:
            message = self.hear(max(0.01, end - time.monotonic()))
            if is_it(message):
                return message, before
            before.append(message)


class WsApi(Socket):
    """The WebSocket API; user data events that arrive between answers wait in `events`."""

    def __init__(self, config, key):
        super().__init__(config, config.ws_api_url)
        self.key, self.ids, self.events = key, itertools.count(1), []

    def ask(self, method, **params):
        number = next(self.ids)
        self.say({"id": number, "method": method, **({"params": params} if params else {})})
        answer, before = self.hear_until(lambda message: message.get("id") == number)
        self.events += before
        return answer

    def ask_signed(self, method, **params):
        params = {"apiKey": self.key.api_key, "timestamp": now_ms(), **params}
        payload = "&".join(f"{name}={text(params[name])}" for name in sorted(params))
        return self.ask(method, **params, signature=signature(self.key, payload))

    def event(self, kind, within_s=TIMEOUT_S):
        """The next user data message of a kind, with its frame."""
        for index, message in enumerate(self.events):
            if message.get("event", {}).get("e") == kind:
                return self.events.pop(index)
        message, before = self.hear_until(lambda said: said.get("event", {}).get("e") == kind, within_s)
        self.events += before
        return message


def text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)
