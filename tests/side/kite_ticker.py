"""Runs in a side environment: Zerodha's own ticker parser over frames given as hex texts.

In: {"frames": [hex], "seconds": float}. Out: {"ticks": [[tick]], "rate": packets per second}. With
``seconds`` the frames are parsed again and again for that long and only the rate is given.
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
        done, started = 0, time.perf_counter()
        while (spent := time.perf_counter() - started) < request["seconds"]:
            for frame in frames:
                done += len(ticker._parse_binary(frame))
        answer = {"rate": done / spent}
    json.dump(answer, sys.stdout, default=plain)


main()
