"""How far this machine's clock is from a server's, from the ``Date`` of its answers. Pure.

A ``Date`` header tells whole seconds, so one answer proves an interval only: the server's time was
in ``[date, date + 1)`` at some moment between request and answer. What several answers prove
together is narrower, and only what is proved is told.
"""

from __future__ import annotations

from collections import deque
from email.utils import parsedate_to_datetime

#: Answers that count; older ones say nothing about a clock that drifts.
KEPT = 8


class Skew:
    """Bounds of server time minus our time, seconds."""

    def __init__(self) -> None:
        self._bounds: deque[tuple[float, float]] = deque(maxlen=KEPT)

    def add(self, date: str, sent: float, received: float) -> None:
        """One answer: its ``Date``, and the epoch seconds of our clock before and after. A text
        that is no date, or a clock that was set in between, counts for nothing."""
        try:
            server = parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError, OverflowError):
            return
        if received < sent:
            return
        low, high = server - received, server + 1.0 - sent
        if self._bounds and not (self._low() <= high and low <= self._high()):
            self._bounds.clear()  # one of the two clocks was set: what was proved is past
        self._bounds.append((low, high))

    def _low(self) -> float:
        return max(low for low, _ in self._bounds)

    def _high(self) -> float:
        return min(high for _, high in self._bounds)

    @property
    def proved(self) -> float:
        """By how much our clock is behind the server's at least (positive), or ahead of it
        (negative), seconds; 0 where it may be right."""
        if not self._bounds:
            return 0.0
        return max(0.0, self._low()) or min(0.0, self._high())
