"""Decode rate of Noren's feed beside the frame handler of Noren's own client, whose texts are
merged token by token as its documentation leaves it to the user; ours makes numbers, books and
whole ticks of them.

    .venv/bin/python bench/decode_noren.py [seconds per side]

Also run by ``bench/decode.py``. The client runs in a side environment. Judged by processor time and
the best round.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from openalgo_desktop.brokers.families.noren.feed import NorenCodec  # noqa: E402
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex  # noqa: E402
from openalgo_desktop.core.clock import SystemClock  # noqa: E402
from openalgo_desktop.core.enums import FeedMode  # noqa: E402
from openalgo_desktop.core.model import Instrument  # noqa: E402
from tests import side_env  # noqa: E402

ROWS = 100
CHANGES = 2000
CLIENT = ("NorenRestApiPy==0.0.22", "requests==2.32.5", "websocket-client==1.9.0")
_LEVELS = [f"{kind}{n}" for n in range(1, 6) for kind in ("bp", "bq", "bo", "sp", "sq", "so")]
_BOOKS = {"t": ["bp1", "bq1", "sp1", "sq1"], "d": [*_LEVELS, "tbq", "tsq", "ltq"]}


def packets(feed: str) -> list[str]:
    """A snapshot of every instrument, then changes as a busy market has them."""
    rng = random.Random(1)
    book = _BOOKS[feed]

    def packet(kind: str, n: int, names: list[str]) -> str:
        values = {name: f"{rng.uniform(100, 3000):.2f}" for name in names}
        return json.dumps({"t": kind, "e": "NSE", "tk": str(n), **values, "ft": "1764565200"})

    whole = ["lp", "pc", "v", "o", "h", "l", "c", "ap", *book]
    made = [packet(f"{feed}k", n, whole) for n in range(ROWS)]
    for _ in range(CHANGES):
        changed = ["lp", "pc", "v", "ap", *rng.sample(book, min(6, len(book)))]
        made.append(packet(f"{feed}f", rng.randrange(ROWS), changed))
    return made


def our_rate(feed: str, texts: list[str], seconds: float) -> float:
    """Packets per second of processor time, the best of all rounds."""
    rows = [Instrument(str(n), "NSE", token=str(n), brexchange="NSE") for n in range(ROWS)]
    codec = NorenCodec(BrokerIndex(rows), SystemClock(), {"client_id": "C", "access_token": "T"})
    mode = FeedMode.DEPTH if feed == "d" else FeedMode.QUOTE
    codec.subscribe({row.key: mode for row in rows})
    best, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.process_time()
        for text in texts:
            assert list(codec.decode(text))
        best = max(best, len(texts) / (time.process_time() - started))
    return best


def report(seconds: float) -> None:
    """Print the rates of both kinds of packets."""
    print("Noren packets per second")
    for feed, name in (("t", "touchline"), ("d", "depth")):
        texts = packets(feed)
        theirs = side_env.run(
            CLIENT, ROOT / "tests/side/noren_socket.py", {"frames": texts, "seconds": seconds}
        )["rate"]
        ours = our_rate(feed, texts, seconds)
        print(f"{name:9} ours {ours:10,.0f}   client's texts {theirs:10,.0f}"
              f"   {ours / theirs:5.2f}x")  # fmt: skip


if __name__ == "__main__":
    report(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0)
