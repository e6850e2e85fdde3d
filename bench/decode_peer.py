"""Decode rates beside a maker's own library, on the same frames, for ``bench/decode_<broker>.py``.

Both sides are judged by processor time and their best round, so a busy machine gives the same
ratio. The library runs in a side environment under the same interpreter.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import side_env  # noqa: E402

#: Packets in a frame: a quiet line, a usual moment, a busy one; the aims are of the second.
SIZES, JUDGED = (1, 20, 100), 20


def rate(decode: Callable[[bytes], int], frames: Sequence[bytes], seconds: float) -> float:
    """Packets per second of processor time, the best of all rounds over the frames. ``decode``
    gives the number of packets that it read."""
    best, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        done, started = 0, time.process_time()
        for data in frames:
            done += decode(data)
        best = max(best, done / (time.process_time() - started))
    return best


def judge(
    title: str,
    *,
    aim: float,
    kinds: Sequence[str],
    frames: Callable[[str, int], list[bytes]],
    ours: Callable[[str, list[bytes]], Callable[[bytes], int]],
    side: tuple[Sequence[str], Path],
    seconds: float,
    sizes: Sequence[int] = SIZES,
) -> bool:
    """Print the rates of each kind and size; whether the aim holds at ``JUDGED`` packets a frame
    (or the only size), over as many packets of each kind.

    ``frames(kind, size)`` makes frames of ``size`` packets, ``ours(kind, frames)`` a decoder that
    knows their instruments. ``side``: requirements (installed bare) and script, which takes
    ``{"frames": [hex], "seconds": float, "kind": str}`` and gives ``{"rate": packets/s}``.
    """
    requirements, script = side
    judged = JUDGED if JUDGED in sizes else sizes[0]
    good = True
    for size in sizes:
        spent = {"ours": 0.0, "maker": 0.0}  # seconds for one packet of each kind
        for kind in kinds:
            made = frames(kind, size)
            data = {"frames": [f.hex() for f in made], "seconds": seconds, "kind": kind}
            theirs = side_env.run(requirements, script, data, deps=False)["rate"]
            mine = rate(ours(kind, made), made, seconds)
            spent["ours"] += 1 / mine
            spent["maker"] += 1 / theirs
            print(
                f"{title} {size:4} a frame  {kind:10} ours {mine:12,.0f}   maker {theirs:12,.0f}"
                f"   {mine / theirs:5.1f}x"
            )
        ratio = spent["maker"] / spent["ours"]
        if size == judged:
            good = ratio >= aim
            print(f"{title}: as many of each kind, {size} a frame: {ratio:.1f}x, aim {aim:g}x")
    return good
