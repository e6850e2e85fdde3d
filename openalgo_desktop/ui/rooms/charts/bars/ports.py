"""What a chart asks of that which it shows, and of those who compute something of its bars."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Protocol

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart.history import Gaps, Report


class Subject(Protocol):
    """What a chart shows: an instrument, or arithmetic of several."""

    @property
    def exact_extremes(self) -> bool: ...
    @property
    def without(self) -> tuple[Key, ...]: ...
    async def bars(self, span: Span, first: date, last: date, tell: Report) -> Bars: ...
    async def kept(self, span: Span, first: date, last: date) -> Bars: ...
    async def missing(self, span: Span, first: date, last: date) -> Gaps: ...
    def lose(self, key: Key) -> None: ...
    def follow(self, span: Span, listener: Callable[[LiveBar], None]) -> Callable[[], None]: ...


class Follower(Protocol):
    """Whoever computes something of the bars that are shown."""

    def load(self, bars: Columns) -> None: ...
    def last(self, bars: Columns) -> None: ...
    def append(self, bars: Columns) -> None: ...


class Followers:
    """Several at once, in order."""

    def __init__(self, *followers: Follower) -> None:
        self._all = followers

    def load(self, bars: Columns) -> None:
        """Other bars, or more of the past."""
        for one in self._all:
            one.load(bars)

    def last(self, bars: Columns) -> None:
        """The last bar changed."""
        for one in self._all:
            one.last(bars)

    def append(self, bars: Columns) -> None:
        """A bar was added."""
        for one in self._all:
            one.append(bars)
