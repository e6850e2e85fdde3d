"""Decode rate of XTS feeds, in both forms, beside the least that any reader has to do: parsing the
JSON (``json.loads``, what Socket.IO clients in Python use), or unpacking the deflated packet.

    .venv/bin/python bench/decode_xts.py [seconds per side]

Also run by ``bench/decode.py``. Judged by processor time and the best round.
"""

from __future__ import annotations

import json
import random
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from openalgo_desktop.brokers.families.xts.codec import XtsCodec  # noqa: E402
from openalgo_desktop.brokers.kit.feed.codec import Message  # noqa: E402
from openalgo_desktop.core.clock import SystemClock  # noqa: E402
from openalgo_desktop.core.enums import FeedMode  # noqa: E402
from openalgo_desktop.core.instruments import InstrumentTable  # noqa: E402
from openalgo_desktop.core.model import Instrument  # noqa: E402
from openalgo_desktop.core.ticks import Depth, Level, Tick  # noqa: E402
from tests.emulators.xts_feed import DEPTH, LTP, TOUCHLINE, message, packet  # noqa: E402

EVENTS = 500
KINDS = {"ltp": LTP, "quote": TOUCHLINE, "depth": DEPTH}
_HEAD = 17  # bytes before the deflated message


def ticks() -> list[Tick]:
    """Prices of many instruments."""
    rng = random.Random(1)
    found = []
    for number in range(EVENTS):
        price = round(rng.uniform(50, 5000), 2)
        sides = [
            tuple(Level(round(price + sign * i / 20, 2), rng.randint(1, 9999), i) for i in range(5))
            for sign in (-1, 1)
        ]
        found.append(
            Tick(str(number), "NSE", price, FeedMode.DEPTH, 0, 0, price, price, price, price,
                 rng.randint(1, 10**8), 10, price, depth=Depth(*sides))
        )  # fmt: skip
    return found


def rate(work: Callable[[Any], object], events: Sequence[Any], seconds: float) -> float:
    """Events per second of processor time, the best of all rounds."""
    best, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.process_time()
        for event in events:
            work(event)
        best = max(best, len(events) / (time.process_time() - started))
    return best


def codec() -> XtsCodec:
    """A codec that knows all instruments of the bench."""
    table = InstrumentTable()
    table.load(Instrument(symbol=str(n), exchange="NSE", token=str(n)) for n in range(EVENTS))
    made = XtsCodec(table, SystemClock())
    made.subscribe({("NSE", str(n)): FeedMode.DEPTH for n in range(EVENTS)})
    return made


def report(seconds: float) -> None:
    """Print the rates of each kind and form."""
    made, source = codec(), ticks()

    def decode(event: Message) -> None:
        assert len(list(made.decode(event))) == 1

    print("XTS events per second")
    for name, code in KINDS.items():
        data = [message(tick, code, 1, int(tick.symbol), 1.7e9) for tick in source]
        texts = [json.dumps(row) for row in data]
        ours = rate(decode, [Message(f"{code}-json-full", text) for text in texts], seconds)
        floor = rate(json.loads, texts, seconds)
        print(f"json    {name:6} ours {ours:10,.0f}   json.loads {floor:10,.0f}"
              f"   {ours / floor:5.2f}x")  # fmt: skip
        if code == LTP:
            continue  # no published layout
        packed = [packet(row, deflated=True) for row in data]
        ours = rate(decode, [Message("xts-binary-packet", p) for p in packed], seconds)
        floor = rate(lambda body: zlib.decompress(body, -15), [p[_HEAD:] for p in packed], seconds)
        print(f"binary  {name:6} ours {ours:10,.0f}   inflate    {floor:10,.0f}"
              f"   {ours / floor:5.2f}x")  # fmt: skip


if __name__ == "__main__":
    report(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
