"""Decode rate of Upstox' protobuf feed beside the maker's own streamer, on the same frames.

.venv/bin/python bench/decode_upstox.py [seconds per side]
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
from tests.side.requirements import MAKERS  # noqa: E402
from tests.unit.brokers.upstox.feed_frames import codec, frame  # noqa: E402

AIM, FRAMES, MOST = 2.0, 50, 100


def frames(kind: str, size: int) -> list[bytes]:
    """Frames of one kind of feed."""
    rng = random.Random(1)
    return [frame([kind] * size, rng) for _ in range(FRAMES)]


def ours(kind: str, made: list[bytes]) -> Callable[[bytes], int]:
    """Our codec, with all instruments subscribed."""
    decode = codec(MOST, SystemClock()).decode
    return lambda data: len(list(decode(data)))


def report(seconds: float) -> bool:
    """Print the rates; whether the aim holds."""
    return judge(
        "upstox",
        aim=AIM,
        kinds=("ltpc", "full", "full_d30", "index"),
        frames=frames,
        ours=ours,
        side=(MAKERS, ROOT / "tests/side/upstox_streamer.py"),
        seconds=seconds,
    )


if __name__ == "__main__":
    raise SystemExit(0 if report(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0) else 1)
