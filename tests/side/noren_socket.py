"""Runs in a side environment: the handler of frames of Noren's own client, with the callback that
its documentation leaves to the user: the last value of every field, token by token.

In: {"frames": [text], "seconds": float}. Out: {"rate": packets per second}, the best of all rounds
by processor time.
"""

import json
import sys
import time
from typing import Any

from NorenRestApiPy.NorenApi import NorenApi


def main() -> None:
    request = json.load(sys.stdin)
    known: dict[str, dict[str, Any]] = {}

    def take(packet: dict[str, Any]) -> None:
        known.setdefault(packet["tk"], {}).update(packet)

    api = NorenApi("", "")
    api._NorenApi__subscribe_callback = take
    handle = api._NorenApi__on_data_callback
    best, end = 0.0, time.perf_counter() + request["seconds"]
    while time.perf_counter() < end:
        started = time.process_time()
        for frame in request["frames"]:
            handle(message=frame)
        best = max(best, len(request["frames"]) / (time.process_time() - started))
    json.dump({"rate": best}, sys.stdout)


main()
