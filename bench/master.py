"""Symbol masters: rows read per second of CPU, and how long the thread that reads holds others.

Peers in the same run: Python's own ``csv`` and ``json`` over the same bytes with the same row
reader, all in memory and in one go. Aim: at least 0.8 of the peer, nothing held for 5 ms.

    .venv/bin/python bench/master.py [--rows 100000] [--runs 3]
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from openalgo_desktop.brokers.kit.master.reading import read_file
from openalgo_desktop.brokers.kit.spec import MasterFile
from openalgo_desktop.brokers.zerodha.spec import SPEC
from openalgo_desktop.core import gently
from openalgo_desktop.core.model import Instrument

SAMPLE = Path(__file__).parent.parent / "tests/data/masters/zerodha_instruments.csv"
MASTER = SPEC.master
FORMS = {
    "CSV": MasterFile(path="/m"),
    "JSON": MasterFile(path="/m", form="json", rows="data"),
    "text in JSON": MasterFile(path="/m", text_at="result"),
}


def big_file(rows: int) -> list[dict[str, str]]:
    """The sample's rows again and again with other tokens and names."""
    sample = list(csv.DictReader(SAMPLE.read_text().splitlines()))
    found = []
    for number in range(rows):
        row = dict(sample[number % len(sample)])
        row["instrument_token"] = row["exchange_token"] = str(number)
        row["tradingsymbol"] = row["name"] = f"X{number}"
        found.append(row)
    return found


def written(form: str, rows: list[dict[str, str]]) -> str:
    """The rows as a file of that form."""
    if form == "JSON":
        return json.dumps({"status": "ok", "data": rows})
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue() if form == "CSV" else json.dumps({"result": out.getvalue()})


def peer_rows(form: str, text: str) -> Iterable[Mapping[str, Any]]:
    """The same rows by the standard library."""
    if form == "JSON":
        found: list[dict[str, Any]] = json.loads(text)["data"]
        return found
    if form == "text in JSON":
        text = json.loads(text)["result"]
    lines = csv.reader(io.StringIO(text))
    header = next(lines)
    return (dict(zip(header, row, strict=True)) for row in lines)


def in_thread(work: Callable[[], list[Instrument]]) -> tuple[float, float]:
    """CPU seconds of ``work`` in a thread, and the longest CPU between two pauses."""
    spent = longest = last = 0.0

    def pause() -> None:
        nonlocal longest, last
        longest = max(longest, time.thread_time() - last)
        time.sleep(gently.PAUSE)
        last = time.thread_time()

    def run() -> None:
        nonlocal spent, last
        last = time.thread_time()
        began = time.thread_time()
        assert work()
        spent = time.thread_time() - began

    normal, gently.pause = gently.pause, pause
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    gently.pause = normal
    return spent, longest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    rows = big_file(given.rows)
    path = Path(tempfile.mkdtemp()) / "m"
    for form, file in FORMS.items():
        text = written(form, rows)
        path.write_text(text, "utf-8")

        def peer(form: str = form, text: str = text, file: MasterFile = file) -> list[Instrument]:
            made = [MASTER.reader(row, file) for row in peer_rows(form, text)]
            return [row for row in made if row is not None]

        ours = [in_thread(lambda f=file: read_file(MASTER, f, path)) for _ in range(given.runs)]  # type: ignore[misc]
        theirs = min(in_thread(peer)[0] for _ in range(given.runs))
        spent, held = min(spent for spent, _ in ours), min(held for _, held in ours)
        print(
            f"{form:<13} {given.rows / spent:>9,.0f} rows/s, peer {given.rows / theirs:>9,.0f}"
            f" ({theirs / spent:.2f}); held at most {1000 * held:.1f} ms"
        )


if __name__ == "__main__":
    main()
