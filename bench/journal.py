"""The order journal's durable commit: one order, and a burst, against the bare disk.

    .venv/bin/python bench/journal.py [folder on the disk to measure]

The peer is one SQLite insert with ``synchronous=FULL`` and nothing around it. Limits: an order's
intent is durable within 2 ms (median) or, on a slow disk, within one and a half of the peer's
time; a burst of 100 is one commit.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from openalgo_desktop.core.clock import SystemClock  # noqa: E402
from openalgo_desktop.core.enums import Mode  # noqa: E402
from openalgo_desktop.core.ports import JournalEntry  # noqa: E402
from openalgo_desktop.storage.database import Database  # noqa: E402
from openalgo_desktop.storage.journal import Journal  # noqa: E402

LIMIT_MS, FACTOR = 2.0, 1.5
ORDERS, BURST, BURSTS = 500, 100, 20


def bare(folder: Path) -> list[float]:
    """Milliseconds per insert and commit."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE t (tag TEXT PRIMARY KEY, request TEXT)")
    times = []
    for number in range(ORDERS):
        started = time.perf_counter()
        connection.execute("INSERT INTO t VALUES (?, ?)", (f"T{number}", "x" * 200))
        times.append(1000 * (time.perf_counter() - started))
    connection.close()
    return times


async def ours(folder: Path) -> tuple[list[float], list[float], int]:
    """Milliseconds per intent, per burst, and commits of all bursts."""
    database = Database(f"sqlite:///{folder / 'ours.db'}")
    await database.start()
    clock = SystemClock()
    journal = Journal(database, clock)
    request = {
        "symbol": "SBIN",
        "exchange": "NSE",
        "action": "BUY",
        "quantity": 1,
        "note": "x" * 100,
    }

    def entry(number: int) -> JournalEntry:
        return JournalEntry(f"T{number}", "place", "a", Mode.LIVE, "b", request, clock.now())

    singles, bursts = [], []
    for number in range(ORDERS):
        started = time.perf_counter()
        await journal.intent(entry(number))
        singles.append(1000 * (time.perf_counter() - started))
    before = database.commits
    for burst in range(BURSTS):
        first = ORDERS + burst * BURST
        started = time.perf_counter()
        await asyncio.gather(*(journal.intent(entry(first + i)) for i in range(BURST)))
        bursts.append(1000 * (time.perf_counter() - started))
    commits = database.commits - before
    await database.stop()
    return singles, bursts, commits


def row(title: str, times: list[float]) -> None:
    times = sorted(times)
    median, p99 = statistics.median(times), times[int(len(times) * 0.99)]
    print(f"{title:34} median {median:7.2f} ms   p99 {p99:7.2f} ms")


def main() -> int:
    parent = sys.argv[1] if len(sys.argv) > 1 else str(ROOT)
    with tempfile.TemporaryDirectory(dir=parent) as name:
        peer = bare(Path(name))
        singles, bursts, commits = asyncio.run(ours(Path(name)))
    row("bare SQLite, synchronous=FULL", peer)
    row("journal, one order", singles)
    row(f"journal, burst of {BURST}", bursts)
    print(f"{BURSTS} bursts: {commits} commits")
    limit = max(LIMIT_MS, FACTOR * statistics.median(peer))
    good = statistics.median(singles) < limit and commits == BURSTS
    print("within the limits" if good else f"ABOVE the limit of {limit:.2f} ms, or more commits")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
