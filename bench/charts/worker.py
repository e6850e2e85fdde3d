"""One contestant: opens bars, ticks, pans, zooms, moves the pointer; CPU of each, milliseconds.

Run by ``bench/chart.py`` with the name of a contestant, in our environment or in the peers'. Reads
a JSON object on each line, writes the CPU of each step as a list. CPU is that of the process and of
the processes it started (a web engine draws in several).
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import NamedTuple, Protocol

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

WIDTH, HEIGHT = 1600, 800
BASE = 1_760_000_100
#: A step that draws nothing for so long is over, milliseconds.
_PATIENCE = 400
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Data(NamedTuple):
    """Bars of a minute, the same for everybody."""

    time: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray


def data(count: int) -> Data:
    """A random walk."""
    random = np.random.default_rng(1)
    close = 1000 + random.normal(0, 0.6, count).cumsum()
    opened = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(opened, close) + random.random(count)
    low = np.minimum(opened, close) - random.random(count)
    time = BASE + 60 * np.arange(count)
    return Data(time, opened, high, low, close, random.integers(1, 1000, count).astype(float))


class Contestant(Protocol):
    """A chart. ``target`` is the widget whose paints end a step."""

    target: QWidget

    def prepare(self, bars: Data) -> None:
        """Bring the bars into the form that the chart takes; not counted."""

    def open(self) -> QWidget:
        """Make the widget and give it the bars, all of them in view."""

    def tick(self, number: int) -> None:
        """The last bar changes a little; its extremes stay."""

    def pan(self, number: int) -> None:
        """The view goes 1.3 bars back."""

    def zoom(self, number: int) -> None:
        """A step of the wheel in, the next one out."""

    def close(self, window: QWidget) -> None:
        """Let the widget go."""


class Paints(QObject):
    """Ends the waiting a turn after a paint of the target."""

    def __init__(self, loop: QEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self.seen = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.seen += 1
            QTimer.singleShot(0, self._loop.quit)
        return False


class Worker:
    """Steps of one contestant."""

    def __init__(self, contestant: Contestant) -> None:
        self.chart = contestant
        self.window: QWidget | None = None
        self.loop = QEventLoop()
        self.paints = Paints(self.loop)
        self.number = 0

    def close(self) -> None:
        """Let the chart go."""
        if self.window is not None:
            self.chart.close(self.window)
            self.window = None
            QApplication.sendPostedEvents()
            QApplication.processEvents()

    def open(self, count: int) -> float:
        """CPU until the bars are seen for the first time."""
        self.close()
        self.chart.prepare(data(count))
        began = spent()
        self.window = self.chart.open()
        self.window.resize(WIDTH, HEIGHT)
        self.window.show()
        self.chart.target.installEventFilter(self.paints)
        self.wait(10 * _PATIENCE)
        took = spent() - began
        for _ in range(3):  # what comes late
            self.wait(100)
        return took

    def step(self, act: str) -> float:
        """CPU of one act and of its paint."""
        self.number += 1
        began = spent()
        if act == "cross":
            self.move()
        else:
            getattr(self.chart, act)(self.number)
        self.wait(_PATIENCE)
        return spent() - began

    def move(self) -> None:
        """The pointer moves over the candles."""
        place = QPointF(300 + (37 * self.number) % 900, 150 + (23 * self.number) % 300)
        none = Qt.MouseButton.NoButton
        event = QMouseEvent(
            QEvent.Type.MouseMove, place, self.chart.target.mapToGlobal(place), none, none,
            Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QApplication.sendEvent(self.chart.target, event)

    def wait(self, patience: int) -> None:
        """Until the target was painted, at most ``patience`` milliseconds."""
        timer = QTimer()
        timer.setSingleShot(True)
        timer.timeout.connect(self.loop.quit)
        timer.start(patience)
        self.loop.exec()
        timer.stop()


#: CPU of each child, also of one that has ended.
_seen: dict[int, float] = {}


def spent() -> float:
    """CPU of this process and its children so far, milliseconds."""
    for child in _children(os.getpid()):
        _seen[child] = max(_cpu(child), _seen.get(child, 0.0))
    return time.process_time() * 1e3 + sum(_seen.values())


def _children(parent: int) -> list[int]:
    found = []
    try:
        for task in Path(f"/proc/{parent}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *_children(int(child))]
    except OSError:
        pass
    return found


def _cpu(process: int) -> float:
    try:
        text = Path(f"/proc/{process}/schedstat").read_text()
        return int(text.split()[0]) / 1e6 + _threads(process)
    except (OSError, ValueError):
        return 0.0


def _threads(process: int) -> float:
    """The other threads of a process."""
    total = 0.0
    for task in Path(f"/proc/{process}/task").iterdir():
        if task.name != str(process):
            try:
                total += int((task / "schedstat").read_text().split()[0]) / 1e6
            except (OSError, ValueError):
                continue
    return total


def main() -> None:
    """Answer one line after another until the input ends."""
    module, _, name = sys.argv[1].partition(":")
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    application = QApplication.instance() or QApplication(sys.argv[:1])
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # peers write where they like
    worker = Worker(getattr(importlib.import_module(module), name)())
    worker.open(50)
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["act"] == "open":
            answer = [worker.open(asked["bars"])]
        else:
            answer = [worker.step(asked["act"]) for _ in range(asked["times"])]
        out.write(json.dumps(answer) + "\n")
        out.flush()
    worker.close()
    out.flush()
    os._exit(0)  # what peers leave behind is not ours to take down
    del application


if __name__ == "__main__":
    main()
