"""Runs in a side environment: Zerodha's own ticker parser over frames given as hex texts.

In: {"frames": [hex], "seconds": float}. Out: {"ticks": [[tick]], "rate": packets per second}. With
``seconds`` the frames are parsed again and again for that long and only the best rate of all rounds
is given, by processor time: what else the machine does must not count.
"""

import json
import sys
import time
from datetime import datetime

from kiteconnect import KiteTicker


def plain(value: object) -> object:
    """Times as epoch seconds."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    raise TypeError(value)


def main() -> None:
    request = json.load(sys.stdin)
    frames = [bytes.fromhex(text) for text in request["frames"]]
    ticker = KiteTicker("key", "token")
    if not request.get("seconds"):
        answer = {"ticks": [ticker._parse_binary(frame) for frame in frames]}
    else:
        best, end = 0.0, time.perf_counter() + request["seconds"]
        while time.perf_counter() < end:
            done, started = 0, time.process_time()
            for frame in frames:
                done += len(ticker._parse_binary(frame))
            best = max(best, done / (time.process_time() - started))
        answer = {"rate": best}
    json.dump(answer, sys.stdout, default=plain)


main()
