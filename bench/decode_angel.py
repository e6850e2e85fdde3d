"""Decode rate of Smart Stream: ours against Angel One's own parser, on the same packets. The feed
sends one packet a message.

    .venv/bin/python bench/decode_angel.py [seconds per side]
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.decode_peer import judge  # noqa: E402
from openalgo_desktop.brokers.angel.feed import AngelCodec  # noqa: E402
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex  # noqa: E402
from openalgo_desktop.core.clock import SystemClock  # noqa: E402
from openalgo_desktop.core.enums import FeedMode  # noqa: E402
from openalgo_desktop.core.model import Instrument  # noqa: E402
from tests.side.requirements import MAKERS  # noqa: E402
from tests.unit.brokers.angel.smart_packets import packet  # noqa: E402

AIM = 5.0
FRAMES = 400
TOKENS = 50  # books of 20 levels are of no more
KINDS = {"ltp": 1, "quote": 2, "snap": 3, "depth 20": 4}


def frames(kind: str, size: int) -> list[bytes]:
    """Messages of one mode."""
    rng = random.Random(1)
    return [packet(KINDS[kind], 1, str(number % TOKENS), rng) for number in range(FRAMES)]


def ours(kind: str, made: list[bytes]) -> Callable[[bytes], int]:
    """Our decoder with the instruments of the messages."""
    rows = [Instrument(str(n), "NSE", token=str(n), brexchange="NSE") for n in range(TOKENS)]
    codec = AngelCodec(BrokerIndex(rows), SystemClock(), {})
    codec.deepen({row.key: 20 for row in rows})
    codec.subscribe({row.key: FeedMode.DEPTH for row in rows})
    return lambda frame: len(list(codec.decode(frame)))


def report(seconds: float) -> bool:
    """Print the rates; whether the aim holds."""
    side = (MAKERS, ROOT / "tests/side/smart_stream.py")
    return judge(
        "Angel One",
        aim=AIM,
        kinds=list(KINDS),
        frames=frames,
        ours=ours,
        side=side,
        seconds=seconds,
        sizes=(1,),
    )


if __name__ == "__main__":
    raise SystemExit(0 if report(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0) else 1)
