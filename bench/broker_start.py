"""What installed brokers cost the engine's start: CPU and memory with two of them and with many.

Nothing, is the claim: an adapter is imported when it is first used. The same program is started
from two copies of itself; in one all but two brokers are taken away, in the other copies of an
adapter under further names fill up to ``--brokers``. Starts alternate; the least CPU (user and
system) and the least resident memory of each are compared.

    .venv/bin/python bench/broker_start.py [--brokers 36] [--runs 5]
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from openalgo_desktop.brokers.registry import our_ids  # noqa: E402
from tests.e2e.driver import Program  # noqa: E402

#: The adapter that is copied under further names.
MODEL = "zerodha"
FEW = 2
#: Percent by which more brokers may cost more.
LIMIT = 5.0
#: Seconds after the start before memory is read: work in the quiet has been done.
SETTLE = 1.5


def tree(folder: Path, brokers: int) -> Path:
    """A copy of the program with so many brokers in it."""
    package = folder / "openalgo_desktop"
    shutil.copytree(
        ROOT / "openalgo_desktop", package, ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "resources").symlink_to(ROOT / "resources")
    home = package / "brokers"
    for name in sorted(our_ids() - {MODEL})[brokers - 1 :]:
        shutil.rmtree(home / name)
    for number in range(brokers - len(our_ids([str(home)]))):
        name = f"{MODEL}{number}"
        shutil.copytree(home / MODEL, home / name)
        for module in (home / name).rglob("*.py"):
            text = module.read_text(encoding="utf-8")
            module.write_text(text.replace(MODEL, name), encoding="utf-8")
    assert len(our_ids([str(home)])) == brokers
    compileall.compile_dir(package, quiet=1)
    return folder


def started(place: Path) -> tuple[float, float]:
    """CPU seconds until the engine of a tree was ready, and MiB when it had settled."""
    with Program(place / "data", settings=(), env={"PYTHONPATH": str(place)}) as program:
        cpu = cpu_seconds(program.pid)
        time.sleep(SETTLE)
        pages = int(Path(f"/proc/{program.pid}/statm").read_text().split()[1])
    return cpu, pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def cpu_seconds(pid: int) -> float:
    """CPU seconds of the running threads of a process (Linux), finer than its clock ticks."""
    times = (task.read_text().split()[0] for task in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(map(int, times)) / 1e9


def main() -> int:
    """Print both and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--brokers", type=int, default=36)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        counts = (FEW, max(options.brokers, len(our_ids())))
        trees = [
            tree(Path(name) / which, count)
            for which, count in zip(("few", "many"), counts, strict=True)
        ]
        rows: list[list[tuple[float, float]]] = [[], []]
        for run in range(options.runs + 1):
            pairs = list(zip(trees, rows, strict=True))
            for place, row in pairs if run % 2 else pairs[::-1]:
                found = started(place)
                if run:  # the first makes the data folder
                    row.append(found)
    least = [[min(column) for column in zip(*row, strict=True)] for row in rows]
    worst = 0.0
    for what, unit, few, many in zip(("start", "memory"), ("s of CPU", "MiB"), *least, strict=True):
        percent = 100 * (many / few - 1)
        worst = max(worst, percent)
        print(
            f"{what:7s} {few:7.2f} {unit} with {counts[0]} brokers, {many:7.2f} with {counts[1]} "
            f"({percent:+.1f} %)"
        )
    print(f"limit {LIMIT:g} %")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
