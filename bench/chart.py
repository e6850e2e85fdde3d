"""What our chart costs beside its peers, in milliseconds of CPU.

A tick, a pan of 1.3 bars, a step of zoom and a move of the crosshair, each with its paint, and the
opening of a chart, with 300, 2,000, 10,000 and 100,000 bars in view at 1600 x 800, offscreen. Peers
are an empty plot of pyqtgraph (the floor: its axes and nothing else), one picture of all candles
(the technique of pyqtgraph's example), vn.py's chart widget, finplot, and lightweight-charts in
QtWebEngine where that is to be had. Each runs in a process of its own on the same bars; steps of
all contestants take turns, so that a busy moment of the machine meets everybody. Ratios are to the
empty plot of the same run.

    .venv/bin/python bench/chart.py [--only ours,empty,vnpy] [--bars 300,2000] [--rounds 6]
        [--seconds 6] [--scenes steps,live]

Scene ``live``: 16 live charts at 2,000 ticks a second, CPU and how long the loop is held.
Exits with 1 when an aim of issue 13 is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import side_env  # noqa: E402

WORKER = ROOT / "bench" / "charts" / "worker.py"
#: Without what they require: each asks for an own version of Qt, and all are to have ours.
PEERS = (
    "pyqtgraph==0.14.0", "PySide6_Essentials==6.11.3", "shiboken6==6.11.3",
    "PySide6_Addons==6.11.3", "numpy==2.3.5", "pandas==2.3.3", "python-dateutil", "pytz", "six",
    "tzdata", "tzlocal", "colorama", "packaging", "finplot==1.9.7", "vnpy==4.5.0", "loguru",
    "qdarkstyle", "qtpy", "ta-lib", "pyzmq", "tqdm", "deap", "qrcode", "requests", "urllib3",
    "certifi", "idna", "charset-normalizer", "lightweight-charts==2.1",
)  # fmt: skip
CONTESTANTS = {
    "empty": "peers:Empty",
    "ours": "ours:Plain",
    "filled": "ours:Filled",
    "picture": "peers:Picture",
    "vnpy": "peers:VnPy",
    "finplot": "peers:Finplot",
    "web": "web:Web",
}
ACTS = ("tick", "pan", "zoom", "cross")
#: Aims: ours to the empty plot; a chart with 5 indicators and 20 drawings; opening, ms.
AIMS = {"tick": 1.5, "pan": 1.4, "zoom": 1.4, "cross": 1.3}
FILLED_TICK, OPEN = 2.5, 60.0
#: Steps in a turn, and the CPU that a contestant may take for one act and number of bars, ms.
BATCH, BUDGET = 4, 6_000.0


class Contestant:
    """A worker. One that fails is out of the run and says why."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.trouble = ""
        self.process: subprocess.Popen[str] | None = None
        ours = CONTESTANTS[name].startswith("ours")
        try:
            python = Path(sys.executable) if ours else side_env.python_of(PEERS, deps=False)
            self.process = subprocess.Popen(
                [python, WORKER, CONTESTANTS[name]],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "QT_LOGGING_RULES": "*=false"},
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            self.trouble = str(error)

    def ask(self, **asked: object) -> list[float]:
        """CPU of steps; none when it is out."""
        if self.trouble or self.process is None:
            return []
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(asked) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            assert self.process.stderr is not None
            said = self.process.stderr.read().strip().splitlines()
            self.trouble = said[-1][:120] if said else "ended"
            return []
        found: list[float] = json.loads(line)
        return found

    def close(self) -> None:
        """End it."""
        if self.process is not None:
            assert self.process.stdin is not None
            try:
                self.process.stdin.close()
                self.process.wait(10)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()


class Found(NamedTuple):
    """Medians of one act, ms, by contestant."""

    bars: int
    act: str
    cost: dict[str, float]

    def ratio(self, name: str) -> float | None:
        """To the empty plot."""
        empty, own = self.cost.get("empty"), self.cost.get(name)
        return None if not empty or own is None else own / empty


def steps(names: Sequence[str], sizes: Sequence[int], rounds: int) -> Iterator[Found]:
    """All acts of all sizes; contestants take turns."""
    contestants = [Contestant(name) for name in names]
    try:
        for bars in sizes:
            opened: dict[str, list[float]] = {row.name: [] for row in contestants}
            for _ in range(3):
                for row in contestants:
                    if sum(opened[row.name]) < BUDGET:
                        opened[row.name] += row.ask(act="open", bars=bars)
            yield Found(bars, "open", {name: median(cost) for name, cost in opened.items() if cost})
            for act in ACTS:
                yield Found(bars, act, _act(contestants, act, rounds))
    finally:
        for row in contestants:
            row.close()
            if row.trouble:
                print(f"{row.name} is not available: {row.trouble}")


def _act(contestants: Sequence[Contestant], act: str, rounds: int) -> dict[str, float]:
    costs: dict[str, list[float]] = {row.name: [] for row in contestants}
    for row in contestants:
        row.ask(act=act, times=1)  # what is made once
    for _ in range(rounds):
        for row in contestants:
            spent = costs[row.name]
            if not spent or sum(spent) + BATCH * median(spent) < BUDGET:
                spent += row.ask(act=act, times=1 if spent and median(spent) > 500 else BATCH)
    return {name: median(cost) for name, cost in costs.items() if cost}


def table(names: Sequence[str], sizes: Sequence[int], rounds: int) -> list[str]:
    """Print the steps; returns what misses its aim."""
    missed = []
    print(f"\n| bars | act | {' | '.join(names)} |\n|---|---|" + "---|" * len(names))
    for found in steps(names, sizes, rounds):
        cells = []
        for name in names:
            cost, ratio = found.cost.get(name), found.ratio(name)
            text = "-" if cost is None else f"{cost:.1f}"
            show = ratio is not None and name != "empty" and found.act != "open"
            cells.append(f"{text} ({ratio:.1f})" if show else text)
        print(f"| {found.bars:,} | {found.act} | {' | '.join(cells)} |", flush=True)
        missed += misses(found)
    return missed


def misses(found: Found) -> Iterator[str]:
    """Aims that ours does not reach."""
    where = f"{found.act} at {found.bars:,} bars"
    ratio, filled = found.ratio("ours"), found.ratio("filled")
    if found.act in AIMS and ratio is not None and ratio > AIMS[found.act]:
        yield f"{where}: {ratio:.2f} of an empty plot, at most {AIMS[found.act]:g}"
    if found.act == "tick" and filled is not None and filled > FILLED_TICK:
        yield f"{where}, filled: {filled:.2f} of an empty plot, at most {FILLED_TICK:g}"
    cost = found.cost.get("ours", 0.0)
    if found.act == "open" and cost > OPEN:
        yield f"{where}: {cost:.0f} ms, at most {OPEN:g}"


def live(seconds: float) -> list[str]:
    """16 charts in a process of their own."""
    script = ROOT / "bench" / "charts" / "sixteen.py"
    done = subprocess.run(
        [sys.executable, script, str(seconds)], check=False,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    return [] if done.returncode == 0 else ["16 live charts: see above"]


def report(options: argparse.Namespace) -> int:
    """The scenes that are asked for."""
    names = [name for name in options.only.split(",") if name] or list(CONTESTANTS)
    sizes = [int(text) for text in options.bars.split(",")]
    scenes = options.scenes.split(",")
    began, missed = time.perf_counter(), []
    if "steps" in scenes:
        missed += table(names, sizes, options.rounds)
    if "live" in scenes:
        missed += live(options.seconds)
    print(f"\n{time.perf_counter() - began:.0f} s")
    for line in missed:
        print("MISSED", line)
    return int(bool(missed))


def main() -> int:
    """Parse, run, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help=f"of {','.join(CONTESTANTS)}")
    parser.add_argument("--bars", default="300,2000,10000,100000")
    parser.add_argument("--rounds", type=int, default=6, help=f"turns of {BATCH} steps")
    parser.add_argument("--seconds", type=float, default=6.0, help="of the scene live")
    parser.add_argument("--scenes", default="steps,live")
    return report(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
