"""Decode rate of the Kite ticker: ours against Zerodha's own parser, on the same frames.

    .venv/bin/python bench/decode.py [seconds per side]

The official parser runs in a side environment (made on first use) under the same interpreter.
"""

from __future__ import annotations

import random
import struct
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from openalgo_desktop.brokers.zerodha.ticker import KiteCodec  # noqa: E402
from openalgo_desktop.core.clock import SystemClock  # noqa: E402
from openalgo_desktop.core.enums import FeedMode  # noqa: E402
from openalgo_desktop.core.instruments import InstrumentTable  # noqa: E402
from openalgo_desktop.core.model import Instrument  # noqa: E402
from tests import side_env  # noqa: E402
from tests.unit.brokers.zerodha.kite_frames import frame, packet, token  # noqa: E402

AIM, LIMIT = 5.0, 4.0
FRAMES, PER_FRAME = 100, 20


def our_rate(frames: list[bytes], seconds: float) -> float:
    """Packets per second of our codec."""
    tokens = {struct.unpack_from(">I", f, 4 + at)[0] for f in frames for at in offsets(f)}
    table = InstrumentTable()
    table.load(Instrument(symbol=str(t), exchange="NSE", token=f"{t}::::1") for t in tokens)
    codec = KiteCodec(table, SystemClock())
    codec.subscribe({("NSE", str(t)): FeedMode.DEPTH for t in tokens})
    done, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        for data in frames:
            done += len(list(codec.decode(data)))
    return done / spent


def offsets(data: bytes) -> list[int]:
    """Where the packets of a frame begin, counted from the first."""
    places, at = [], 2
    while at < len(data):
        places.append(at - 2)
        at += 2 + struct.unpack_from(">H", data, at)[0]
    return places


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    rng = random.Random(1)
    spent = {"ours": 0.0, "official": 0.0}  # seconds for one packet of each kind
    print(f"{FRAMES} frames of {PER_FRAME} packets; packets per second")
    for kind in ("ltp", "quote", "full"):
        frames = [
            frame([packet(kind, token(n * 100 + m, 2), rng) for m in range(PER_FRAME)])
            for n in range(FRAMES)
        ]
        official = side_env.run(
            ("kiteconnect==5.2.2",),
            ROOT / "tests/side/kite_ticker.py",
            {"frames": [f.hex() for f in frames], "seconds": seconds},
        )["rate"]
        ours = our_rate(frames, seconds)
        spent["ours"] += 1 / ours
        spent["official"] += 1 / official
        print(f"{kind:6} ours {ours:12,.0f}   official {official:12,.0f}   {ours / official:5.1f}x")
    ratio = spent["official"] / spent["ours"]
    print(f"as many of each kind: {ratio:.1f}x; aim {AIM:.0f}x, limit {LIMIT:.0f}x")
    return 0 if ratio >= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
