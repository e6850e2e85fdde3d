"""Decode rates of Fyers' market feed and of its 50-level books beside the maker's own clients, on
the same frames.

.venv/bin/python bench/decode_fyers.py [seconds per side]
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.decode_peer import judge  # noqa: E402
from openalgo_desktop.core.clock import SystemClock  # noqa: E402
from tests.side.requirements import FYERS  # noqa: E402
from tests.unit.brokers.fyers import frames as made_of  # noqa: E402

AIM, AIM_BOOKS, FRAMES, MOST = 5.0, 2.0, 50, 160
#: Kinds of items: all values changed, some of them, books, indices.
KINDS = ("quote", "part", "depth", "index")


def names(kind: str) -> list[str]:
    """Topics of a kind, as many as the largest frame has."""
    start = {"depth": "dp", "index": "if"}.get(kind, "sf")
    every = (name for number in range(7 * MOST) for name in made_of.topics(number))
    return [name for name in every if name.startswith(start)][:MOST]


def frames(kind: str, size: int) -> list[bytes]:
    """A frame of snapshots, then of updates."""
    rng = random.Random(1)
    numbers = {name: place for place, name in enumerate(names(kind)[:size], 1)}
    absent = 0.7 if kind == "part" else 0.0
    first = [made_of.snapshot(n, at, made_of.values(n[:2], rng, 0.0)) for n, at in numbers.items()]
    made = [made_of.frame(first)]
    for _ in range(FRAMES):
        items = [
            made_of.update(at, made_of.values(name[:2], rng, absent))
            for name, at in numbers.items()
        ]
        made.append(made_of.frame(items))
    return made


def ours(kind: str, made: list[bytes]) -> Callable[[bytes], int]:
    """Our codec, with all instruments subscribed."""
    decode = made_of.codec(7 * MOST, SystemClock()).decode
    return lambda data: len(list(decode(data)))


def books(kind: str, size: int) -> list[bytes]:
    """Snapshots, then messages in which a few levels of each book changed."""
    rng = random.Random(1)
    tickers = [made_of.ticker(number) for number in range(size)]
    made = [made_of.book(tickers, rng, levels=0, whole=True)]
    return made + [made_of.book(tickers, rng, levels=4) for _ in range(FRAMES)]


def our_books(kind: str, made: list[bytes]) -> Callable[[bytes], int]:
    """Our codec of the books."""
    decode = made_of.book_codec(MOST, SystemClock())[0].decode
    return lambda data: len(list(decode(data)))


def report(seconds: float) -> bool:
    """Print the rates; whether the aims hold."""
    side = (FYERS, ROOT / "tests/side/fyers_sockets.py")
    market = judge(
        "fyers", aim=AIM, kinds=KINDS, frames=frames, ours=ours, side=side, seconds=seconds
    )
    deep = judge(
        "fyers books",
        aim=AIM_BOOKS,
        kinds=("book",),
        frames=books,
        ours=our_books,
        side=side,
        seconds=seconds,
    )
    return market and deep


if __name__ == "__main__":
    raise SystemExit(0 if report(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0) else 1)
