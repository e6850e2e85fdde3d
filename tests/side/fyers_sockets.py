"""Runs in a side environment: Fyers' own clients over frames given as hex texts.

In: {"frames": [hex], "seconds": float, "kind": str}; ``kind`` "book" is for the client of the
50-level books, all others for that of the market feed. Out: {"messages": [[message]]}, or with
``seconds`` {"rate": messages per second of processor time, the best of all rounds}.
"""

import json
import logging
import sys
import time
import types
from pathlib import Path

# Loggers that write files, a web client, setuptools: what the modules import and do not need here.
logging.FileHandler = lambda *args, **more: logging.NullHandler()


def stub(name: str, **names: object) -> None:
    module = types.ModuleType(name)
    module.__dict__.update(names)
    sys.modules[name] = module


class Quiet:
    def __init__(self, *args: object, **more: object) -> None:
        pass

    def exception(self, error: object) -> None:
        raise RuntimeError(f"the library failed: {error!r}")

    debug = error = exception


def resource(package: str, name: str) -> str:
    return str(Path(sys.modules[package].__file__).parent / name)


stub("requests")
stub("pkg_resources", resource_filename=resource)
stub("fyers_apiv3.fyers_logger", FyersLogger=Quiet)

from fyers_apiv3.FyersWebsocket import data_ws, tbt_ws  # noqa: E402


class Names(dict):
    """Symbols by topic: every topic is known, under its own name."""

    def __missing__(self, name: str) -> str:
        return name


def hsm(take):
    """The market feed's client."""
    socket = data_ws.FyersDataSocket("token", log_path="", on_message=take)
    socket.symbol_token = Names()
    return socket._FyersDataSocket__response_msg


def books(take):
    """The client of the books."""
    socket = object.__new__(tbt_ws.FyersTbtSocket)
    socket._datastore = tbt_ws.DataStore()
    socket.diff_only = False
    socket.tbtlogger = Quiet()
    socket.onDepthUpdate = take
    return socket._FyersTbtSocket__on_message


def plain(depth) -> dict:
    """What a book says, as it is now."""
    return json.loads(json.dumps({k: v for k, v in vars(depth).items() if k[:2] != "on"}))


def main() -> None:
    request = json.load(sys.stdin)
    frames = [bytes.fromhex(text) for text in request["frames"]]
    is_book = request.get("kind") == "book"
    if not request.get("seconds"):
        messages: list = []
        if is_book:
            read = books(
                lambda ticker, depth: messages[-1].append({"symbol": ticker, **plain(depth)})
            )
        else:
            read = hsm(lambda message: messages[-1].append(dict(message)))
        for frame in frames:
            messages.append([])
            read(frame)
        json.dump({"messages": messages}, sys.stdout)
        return
    done = 0

    def count(*message: object) -> None:
        nonlocal done
        done += 1

    read = books(count) if is_book else hsm(count)
    best, end = 0.0, time.perf_counter() + request["seconds"]
    while time.perf_counter() < end:
        done, started = 0, time.process_time()
        for frame in frames:
            read(frame)
        best = max(best, done / (time.process_time() - started))
    json.dump({"rate": best}, sys.stdout)


main()
