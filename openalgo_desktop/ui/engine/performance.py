"""What the Performance dock shows: how late the loop is, what paints cost, how fast prices and
orders travel, what memory is used. Measured only while somebody looks."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from openalgo_desktop.trading.pace import STEPS
from openalgo_desktop.ui.engine.frames import FrameClock, Paints, share_below

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: The loop's timer: how late it comes is the lag, milliseconds.
STEP_MS = 100
#: Kept samples (a minute) and how often the figures are told, milliseconds.
KEPT, TELL_MS = 600, 1000


class Figures(NamedTuple):
    """Times in milliseconds. None is *not known*."""

    lag: tuple[float, float, float] | None  # median, 95 per cent, most
    paint: tuple[float, float]
    docks: tuple[Paints, ...]
    ticks: float | None  # handed to the window, a second
    tick_age: float | None  # seconds since the last tick of anything
    subscribed: int
    order_last: float | None
    order_median: float | None
    answers: tuple[tuple[float | None, int], ...]  # within so many ms (None: later), how many
    budget_left: int  # order writes that may still leave within this second
    memory: float | None  # megabytes resident
    tasks: int
    uptime: float  # seconds


def resident() -> float | None:
    """Memory of this process, megabytes; None where it cannot be told."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError, IndexError):
        pass
    if sys.platform == "win32":
        return None
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most / 1e3


class PerformanceDoor(QObject):
    """``watch`` and ``unwatch`` come in pairs; ``changed`` once a second in between."""

    changed = Signal()

    def __init__(self, terminal: Terminal, frames: FrameClock, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal, self._frames = terminal, frames
        self._watchers = 0
        self._lags: deque[float] = deque(maxlen=KEPT)
        self._due = 0.0
        self._rate: float | None = None
        self._counted = (0, 0.0)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(STEP_MS)
        self._timer.timeout.connect(self._sample)
        self._tell = QTimer(self)
        self._tell.setInterval(TELL_MS)
        self._tell.timeout.connect(self._told)

    def watch(self) -> None:
        """Begin to measure."""
        self._watchers += 1
        if self._watchers == 1:
            now = time.perf_counter()
            self._due = now + STEP_MS / 1000.0
            self._counted = (self._frames.ticks_seen, now)
            self._timer.start()
            self._tell.start()

    def unwatch(self) -> None:
        """Nobody looks any more."""
        self._watchers = max(0, self._watchers - 1)
        if not self._watchers:
            self.close()

    def close(self) -> None:
        """Measure no more."""
        self._timer.stop()
        self._tell.stop()

    def _sample(self) -> None:
        now = time.perf_counter()
        self._lags.append(max(0.0, now - self._due) * 1000.0)
        self._due = now + STEP_MS / 1000.0

    def _told(self) -> None:
        seen, now = self._frames.ticks_seen, time.perf_counter()
        before, then = self._counted
        self._rate = (seen - before) / (now - then) if now > then else None
        self._counted = (seen, now)
        self.changed.emit()

    def reset(self) -> None:
        """Count anew."""
        self._lags.clear()
        self._frames.reset_figures()
        self.changed.emit()

    def figures(self) -> Figures:
        """Everything as it is now."""
        lags, frames, terminal = self._lags, self._frames, self._terminal
        account = terminal.desk.gateway_of(terminal.desk.mode).account_id
        trip = terminal.desk.sender.pace.round_trip(account)
        return Figures(
            lag=(share_below(lags, 0.5), share_below(lags, 0.95), max(lags)) if lags else None,
            paint=(frames.percentile(0.5), frames.percentile(0.95)),
            docks=tuple(frames.figures()),
            ticks=self._rate,
            tick_age=terminal.hub.age(),
            subscribed=terminal.hub.subscribed,
            order_last=trip.last if trip is not None else None,
            order_median=trip.median if trip is not None else None,
            answers=tuple(zip((*STEPS, None), trip.steps, strict=True)) if trip is not None else (),
            budget_left=terminal.desk.sender.pace.left(account),
            memory=resident(),
            tasks=len(asyncio.all_tasks()),
            uptime=(terminal.clock.now() - terminal.started).total_seconds(),
        )
