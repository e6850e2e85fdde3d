"""The frame clock: ticks reach the docks once per frame, docks repaint in turns within a budget.

Qt paints everything that is dirty in one pass, so a dock asks for its repaint (``flush``) only in
its turn. What a dock costs, asking and painting, is learnt from the passes in which it took part,
as CPU of the thread: on a machine that others use the wall clock would say that docks are dear,
and they would paint the less the more the machine has to do.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from PySide6.QtCore import QObject, Qt, QTimer

from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick

#: What one frame may take with its paint pass, milliseconds of CPU. A paint may hold the loop for
#: 12; the rest is for what a dock takes more than it took before.
PAINT_BUDGET_MS = 8.5
#: What a dock is taken to cost before it has painted, milliseconds.
GUESS_MS = 2.0
#: Seconds by which one step of priority lets a dock jump the queue.
PRIORITY_STEP = 0.03
#: Turns of the event loop, a millisecond apart, that others have after a frame and after a paint:
#: on a machine that is slow for a while the next frame is due at once, and two would be one hold.
REST = 3

#: Paints that a figure is made of.
KEPT = 240

#: CPU of this thread, seconds. That of Windows goes on in steps longer than a frame.
work_time = time.perf_counter if sys.platform == "win32" else time.thread_time

Ticks = Mapping[Key, Tick]


class Paints(NamedTuple):
    """What the repaints of one client cost, milliseconds: median and 95 per cent of ``paints``."""

    name: str
    median: float
    high: float
    paints: int


def share_below(values: Collection[float], fraction: float) -> float:
    """The value below which ``fraction`` of them lie; 0 without any."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


class FrameClient(Protocol):
    """Shows live prices. ``priority`` 0 is served first; ``min_interval`` in seconds."""

    priority: int
    min_interval: float

    def take(self, ticks: Ticks) -> None:
        """Store what concerns the client; no Qt calls that paint."""

    def wants_flush(self) -> bool:
        """Whether something changed and somebody can see it."""

    def flush(self) -> None:
        """Ask Qt to repaint what changed."""


class FrameClock(QObject):
    """Drives all live docks of the program from one timer. A frame that falls into a moment when
    an order waits for its answer (``hurried``) is left out, but never two in a row: the answer
    would have to wait for the paint, and who places orders feels that more than a late frame."""

    def __init__(
        self,
        drain: Callable[[], Ticks],
        rate: int,
        parent: QObject,
        now: Callable[[], float] = time.perf_counter,
        work: Callable[[], float] = work_time,
        hurried: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(parent)
        self._now = now
        self._work = work
        self._drain = drain
        self._hurried = hurried
        self._left_out = False
        self._clients: list[FrameClient] = []
        self._cost: dict[int, float] = {}  # of a paint, milliseconds
        self._asking: dict[int, float] = {}  # of a flush
        self._flushed_at: dict[int, float] = {}
        self._in_turn: list[FrameClient] = []
        self._paints: deque[float] = deque(maxlen=KEPT)
        self._names: dict[int, str] = {}
        self._client_paints: dict[int, deque[float]] = {}
        self.ticks_seen = 0  # handed out since the start
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.due)
        self._later = QTimer(self)
        self._later.setTimerType(Qt.TimerType.PreciseTimer)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.rested)
        self._rest = 0  # turns that others have yet
        self._missed = False  # a frame was due meanwhile
        self.set_rate(rate)

    def set_rate(self, rate: int) -> None:
        """Frames per second."""
        self._timer.setInterval(max(1, 1000 // rate))

    def start(self) -> None:
        """Begin."""
        self._timer.start()

    def stop(self) -> None:
        """No frame comes after this."""
        self._timer.stop()
        self._later.stop()
        self._clients.clear()

    def add(self, client: FrameClient, name: str = "") -> None:
        """Serve ``client`` from the next frame on; :meth:`figures` tell of it under ``name``."""
        self._clients.append(client)
        if name:
            self._names[id(client)] = name
            self._client_paints[id(client)] = deque(maxlen=KEPT)

    def remove(self, client: FrameClient) -> None:
        """``client`` is gone; a frame under way ends without harm."""
        self._clients = [other for other in self._clients if other is not client]
        self._in_turn = [other for other in self._in_turn if other is not client]
        self._cost.pop(id(client), None)
        self._asking.pop(id(client), None)
        self._flushed_at.pop(id(client), None)
        self._names.pop(id(client), None)
        self._client_paints.pop(id(client), None)

    @property
    def served(self) -> int:
        """How many clients there are."""
        return len(self._clients)

    def due(self) -> None:
        """The time of a frame has come; it waits until others had their turn after the last."""
        if self._rest:
            self._missed = True
        else:
            self.frame()

    def _begin_rest(self) -> None:
        self._rest = REST
        self._later.start(1)

    def rested(self) -> None:
        """Others had one of their turns."""
        self._rest -= 1
        if self._rest:
            self._later.start(1)
        elif self._missed:
            self.frame()

    def frame(self) -> None:
        """One frame: hand out ticks, then let docks repaint while the budget lasts."""
        self._missed = False
        self._left_out = self._hurried() and not self._left_out
        if self._left_out:
            return
        began = self._work()
        ticks = self._drain()
        if ticks:
            self.ticks_seen += len(ticks)
            for client in self._clients:
                client.take(ticks)
        now = self._now()
        due = [
            client
            for client in self._clients
            if now - self._flushed_at.get(id(client), 0.0) >= client.min_interval
            and client.wants_flush()
        ]
        due.sort(key=lambda c: self._flushed_at.get(id(c), 0.0) + c.priority * PRIORITY_STEP)
        self._in_turn.clear()
        painting = 0.0
        for client in due:
            # What hands out ticks and asks for paints holds the loop in the same turn as they do.
            before = self._work()
            ident = id(client)
            cost = self._cost.get(ident, GUESS_MS)
            wanted = painting + cost + self._asking.get(ident, 0.0)
            if self._in_turn and (before - began) * 1000.0 + wanted > PAINT_BUDGET_MS:
                break
            client.flush()
            self._flushed_at[ident] = now
            self._in_turn.append(client)
            painting += cost
            self._learn(self._asking, ident, (self._work() - before) * 1000.0)
        if self._in_turn:
            self._begin_rest()

    @contextmanager
    def painting(self) -> Iterator[None]:
        """A window paints what is dirty in it."""
        began = self._work()
        yield
        self.painted((self._work() - began) * 1000.0)
        self._begin_rest()

    def painted(self, milliseconds: float) -> None:
        """A window reports what its last paint pass took, CPU."""
        self._paints.append(milliseconds)
        if not self._in_turn:
            return
        known = [self._cost.get(id(client), GUESS_MS) for client in self._in_turn]
        total = sum(known)
        for client, share in zip(self._in_turn, known, strict=True):
            measured = milliseconds * share / total
            self._learn(self._cost, id(client), measured, least=0.2)
            if (paints := self._client_paints.get(id(client))) is not None:
                paints.append(measured)
        self._in_turn.clear()

    @staticmethod
    def _learn(known: dict[int, float], ident: int, measured: float, least: float = 0.0) -> None:
        before = known.get(ident, measured)
        known[ident] = max(least, 0.8 * before + 0.2 * measured)

    def percentile(self, fraction: float) -> float:
        """Paint time below which ``fraction`` of the recent passes stayed, milliseconds."""
        return share_below(self._paints, fraction)

    def figures(self) -> list[Paints]:
        """What named clients cost, the dearest first; only those that painted."""
        rows = [
            Paints(name, share_below(paints, 0.5), share_below(paints, 0.95), len(paints))
            for client, name in self._names.items()
            if (paints := self._client_paints[client])
        ]
        return sorted(rows, key=lambda row: -row.high)

    def reset_figures(self) -> None:
        """Count anew."""
        self._paints.clear()
        for paints in self._client_paints.values():
            paints.clear()
