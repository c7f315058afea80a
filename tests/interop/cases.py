"""Runs named cases of one client against a venue and says, one JSON line each, which of them held.

A journey is a plain script: `journey.py CONFIG.json`. CONFIG holds {"rest_url", "ws_url", "ws_api_url", "ca_file",
"keys": [{"label", "api_key", "kind": "hmac" | "ed25519" | "rsa", "secret_file"}], "only": [names]}; secrets stay in
their files. `only` chooses cases by name or by the beginning of a name; absent or empty, all run. Every case prints
{"case": ..., "ok": true | false, "why": ...}; the exit code is 1 when one failed.
"""

import asyncio
import concurrent.futures
import inspect
import json
import os
import pathlib
import sys
import time
import traceback
from dataclasses import dataclass
from decimal import Decimal

CASES = []
# Synchronous clients keep the event loop of the thread that made them, so all their cases run in this one.
THREAD = concurrent.futures.ThreadPoolExecutor(max_workers=1)


@dataclass(frozen=True)
class Key:
    label: str
    api_key: str
    kind: str
    secret_file: str

    @property
    def secret(self):
        text = pathlib.Path(self.secret_file).read_text()
        return text.strip() if self.kind == "hmac" else text


@dataclass(frozen=True)
class Config:
    rest_url: str
    ws_url: str
    ws_api_url: str
    ca_file: str
    keys: list
    only: list

    def key(self, kind=None):
        """The first key of a kind, or simply the first."""
        for key in self.keys:
            if kind in (None, key.kind):
                return key
        raise Skipped(f"no {kind} key in the configuration")


class Skipped(Exception):
    """A case that this configuration cannot run; it counts as failed, so that nothing passes unseen."""


def read_config(path):
    said = json.loads(pathlib.Path(path).read_text())
    keys = [Key(key["label"], key["api_key"], key.get("kind", "hmac"), key["secret_file"]) for key in said["keys"]]
    config = Config(said["rest_url"], said.get("ws_url", ""), said.get("ws_api_url", ""), said["ca_file"], keys,
                    said.get("only") or [])
    return config


def trust(config):
    """Starts this program again with the venue's authority where the clients' libraries look for one at their start."""
    wanted = {name: config.ca_file for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "WEBSOCKET_CLIENT_CA_BUNDLE")}
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | wanted)


def case(name):
    """Marks a function as a case; its name says the client's call and what must come back."""
    def mark(function):
        CASES.append((name, function))
        return function
    return mark


def is_wanted(config, name):
    return not config.only or any(name == only or name.startswith(only) for only in config.only)


def say(name, why):
    print(json.dumps({"case": name, "ok": why is None, "why": why}), flush=True)
    return why is None


def reason(error):
    if isinstance(error, AssertionError) and error.args:
        return str(error)[:400]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    where = f" (line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {str(error)[:400]}{where}"


def run(make_world, close_world=None):
    """Runs all cases on one world, made from the configuration; a case may be a coroutine function."""
    if len(sys.argv) != 2:
        sys.exit("usage: journey.py CONFIG.json")
    config = read_config(sys.argv[1])
    trust(config)
    sys.exit(0 if asyncio.run(run_all(config, make_world, close_world)) else 1)


async def called(function, *arguments):
    """Runs a coroutine function here and a plain one in the other thread, where a client may have a loop of its own."""
    if inspect.iscoroutinefunction(function):
        return await function(*arguments)
    return await asyncio.get_running_loop().run_in_executor(THREAD, function, *arguments)


async def run_all(config, make_world, close_world):
    are_all_ok = True
    try:
        world = await called(make_world, config)
    except Exception as error:
        return say("the client can be made", reason(error))
    for name, function in CASES:
        if not is_wanted(config, name):
            continue
        try:
            async with asyncio.timeout(60):
                await called(function, world)
            are_all_ok &= say(name, None)
        except Exception as error:
            are_all_ok &= say(name, reason(error))
    if close_world:
        await called(close_world, world)
    return are_all_ok


def equal(got, wanted, what):
    assert got == wanted, f"{what}: wanted {wanted!r}, got {got!r}"


def decimal(value):
    """A Decimal from what a client gives: text, or a float whose shortest text is the venue's."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def raises(kind, call, *texts):
    """The error that the call must raise; every text must be in it."""
    try:
        got = call()
    except kind as error:
        return has_texts(error, texts)
    raise AssertionError(f"wanted {kind.__name__}, got an answer: {str(got)[:200]}")


async def raises_async(kind, call, *texts):
    try:
        got = await call()
    except kind as error:
        return has_texts(error, texts)
    raise AssertionError(f"wanted {kind.__name__}, got an answer: {str(got)[:200]}")


def has_texts(error, texts):
    for text in texts:
        assert text in str(error), f"wanted {text!r} in {type(error).__name__}: {str(error)[:300]}"
    return error


def eventually(look, what, within_s=10.0):
    """The first true value that a look gives; history and user data may lag a little behind an answer."""
    end = time.monotonic() + within_s
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < end, f"not seen within {within_s} s: {what}"
        time.sleep(0.1)
