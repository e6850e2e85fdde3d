"""Decode rate of Dhan's feeds beside Dhan's own parsers, on the same packets.

    .venv/bin/python bench/decode_dhan.py [seconds per side]

Also run by ``bench/decode.py``.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.decode_peer import judge  # noqa: E402
from openalgo_desktop.brokers.families.dhanhq.depth import DepthCodec, FullDepthCodec  # noqa: E402
from openalgo_desktop.brokers.families.dhanhq.feed import DhanCodec  # noqa: E402
from openalgo_desktop.core.clock import SystemClock  # noqa: E402
from openalgo_desktop.core.enums import FeedMode  # noqa: E402
from tests.side.requirements import MAKERS  # noqa: E402
from tests.unit.brokers.dhanhq.dhan_frames import KINDS, book, index, packet  # noqa: E402

SCRIPT = ROOT / "tests/side/dhan_feed.py"
CLOCK = SystemClock()
FRAMES = 100
IDS = [(segment, 1000 + number) for segment in (1, 2) for number in range(500)]


def frames(kind: str, size: int) -> list[bytes]:
    """Frames of so many packets (of a deeper book: of one, both sides)."""
    rng = random.Random(1)
    if kind.startswith("depth"):
        return [book(int(kind[5:]), *rng.choice(IDS), rng) for _ in range(FRAMES)]
    return [
        b"".join(packet(kind, *rng.choice(IDS), rng) for _ in range(size)) for _ in range(FRAMES)
    ]


def ours(kind: str, made: list[bytes]) -> Callable[[bytes], int]:
    """A decoder that knows the instruments; two packets are one deeper book."""
    codecs = {"depth20": DepthCodec, "depth200": FullDepthCodec}
    table = index(IDS)
    codec = codecs.get(kind, DhanCodec)(table, CLOCK)
    codec.subscribe({row.key: FeedMode.DEPTH for row in table.rows()})
    each = 2 if kind in codecs else 1
    return lambda frame: each * len(list(codec.decode(frame)))


def report(seconds: float) -> bool:
    """Whether the aims hold: five times the maker's rate, of deeper books as fast as it."""
    side = (MAKERS, SCRIPT)
    good = judge(
        "Dhan", aim=5.0, kinds=tuple(KINDS), frames=frames, ours=ours, side=side, seconds=seconds
    )
    deep = ("depth20", "depth200")
    return good & judge(
        "Dhan deep", aim=1.0, kinds=deep, frames=frames, ours=ours, side=side, seconds=seconds,
        sizes=(1,),
    )  # fmt: skip


if __name__ == "__main__":
    report(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
