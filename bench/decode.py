"""Decode rate of the Kite ticker: ours against Zerodha's own parser, on the same frames; then
every ``decode_<broker>.py`` beside this file: brokers beside their makers' libraries, the
families' feeds beside the least that any reader has to do.

    .venv/bin/python bench/decode.py [seconds per side]

The official parser runs in a side environment (made on first use) under the same interpreter.
Both are judged by processor time and their best round, so a busy machine gives the same ratio.
"""

from __future__ import annotations

import importlib
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
FRAMES = 100
#: Packets in a frame: a quiet line, a usual moment, a busy one.
SIZES, JUDGED = (1, 20, 100), 20


def our_rate(frames: list[bytes], seconds: float) -> float:
    """Packets per second of processor time, the best of all rounds over the frames."""
    tokens = {struct.unpack_from(">I", f, 4 + at)[0] for f in frames for at in offsets(f)}
    table = InstrumentTable()
    table.load(Instrument(symbol=str(t), exchange="NSE", token=f"{t}::::1") for t in tokens)
    codec = KiteCodec(table, SystemClock())
    codec.subscribe({("NSE", str(t)): FeedMode.DEPTH for t in tokens})
    best, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        done, started = 0, time.process_time()
        for data in frames:
            done += len(list(codec.decode(data)))
        best = max(best, done / (time.process_time() - started))
    return best


def offsets(data: bytes) -> list[int]:
    """Where the packets of a frame begin, counted from the first."""
    places, at = [], 2
    while at < len(data):
        places.append(at - 2)
        at += 2 + struct.unpack_from(">H", data, at)[0]
    return places


def compare(per_frame: int, seconds: float) -> float:
    """Print the rates of each kind; the ratio over as many packets of each."""
    rng = random.Random(1)
    spent = {"ours": 0.0, "official": 0.0}  # seconds for one packet of each kind
    for kind in ("ltp", "quote", "full"):
        frames = [
            frame([packet(kind, token(n * 100 + m, 2), rng) for m in range(per_frame)])
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
        print(
            f"{per_frame:4} a frame  {kind:6} ours {ours:12,.0f}   official {official:12,.0f}"
            f"   {ours / official:5.1f}x"
        )
    return spent["official"] / spent["ours"]


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    print("packets per second")
    ratios = {size: compare(size, seconds) for size in SIZES}
    for size, ratio in ratios.items():
        print(f"as many of each kind, {size} packets a frame: {ratio:.1f}x")
    print(f"aim {AIM:.0f}x at {JUDGED} packets a frame, limit {LIMIT:.0f}x")
    good = ratios[JUDGED] >= LIMIT
    for path in sorted(Path(__file__).parent.glob("decode_*.py")):
        report = getattr(importlib.import_module(f"bench.{path.stem}"), "report", None)
        good &= report is None or report(seconds) is not False
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
