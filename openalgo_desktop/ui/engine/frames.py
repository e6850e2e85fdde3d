"""The frame clock: ticks reach the docks once per frame, docks repaint in turns within a budget.

Qt paints everything that is dirty in one pass, so a dock asks for its repaint (``flush``) only in
its turn. The cost of a dock is learnt from the paint passes in which it took part.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, Protocol

from PySide6.QtCore import QObject, Qt, QTimer

from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick

#: What one pass may take, with what asks for it, milliseconds.
PAINT_BUDGET_MS = 11.0
#: Seconds by which one step of priority lets a dock jump the queue.
PRIORITY_STEP = 0.03

#: Paints that a figure is made of.
KEPT = 240

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
        hurried: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(parent)
        self._now = now
        self._drain = drain
        self._hurried = hurried
        self._left_out = False
        self._clients: list[FrameClient] = []
        self._cost: dict[int, float] = {}
        self._flushed_at: dict[int, float] = {}
        self._in_turn: list[FrameClient] = []
        self._paints: deque[float] = deque(maxlen=KEPT)
        self._names: dict[int, str] = {}
        self._client_paints: dict[int, deque[float]] = {}
        self.ticks_seen = 0  # handed out since the start
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.frame)
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
        self._flushed_at.pop(id(client), None)
        self._names.pop(id(client), None)
        self._client_paints.pop(id(client), None)

    @property
    def served(self) -> int:
        """How many clients there are."""
        return len(self._clients)

    def frame(self) -> None:
        """One frame: hand out ticks, then let docks repaint while the budget lasts."""
        self._left_out = self._hurried() and not self._left_out
        if self._left_out:
            return
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
        spent = 0.0
        for client in due:
            cost = self._cost.get(id(client), 1.0)
            if spent and spent + cost > PAINT_BUDGET_MS:
                break
            began = self._now()
            client.flush()
            self._flushed_at[id(client)] = now
            self._in_turn.append(client)
            # What asks for the paint holds the loop in the same turn as the paint does.
            spent += cost + (self._now() - began) * 1000.0

    def painted(self, milliseconds: float) -> None:
        """A window reports how long its last paint pass took."""
        self._paints.append(milliseconds)
        if not self._in_turn:
            return
        known = [self._cost.get(id(client), 1.0) for client in self._in_turn]
        total = sum(known)
        for client, share in zip(self._in_turn, known, strict=True):
            measured = milliseconds * share / total
            self._cost[id(client)] = max(0.2, 0.8 * share + 0.2 * measured)
            if (paints := self._client_paints.get(id(client))) is not None:
                paints.append(measured)
        self._in_turn.clear()

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
