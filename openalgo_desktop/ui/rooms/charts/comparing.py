"""Other instruments beside the one of the chart, in per cent or on scales of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.compare import Comparison
from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.plots.study import Compared
from openalgo_desktop.ui.chart.subjects import Source
from openalgo_desktop.ui.kit.dock import Holder

MOST = 8
PREFIX = "compare:"
_DAY = 86_400


class Comparing:
    """The :class:`~openalgo_desktop.ui.rooms.charts.data.Follower` that brings others along.
    ``own`` gives each a scale of its own instead of per cent."""

    def __init__(self, holder: Holder, view: ChartView, source: Callable[[], Source]) -> None:
        self._holder, self._view, self._source = holder, view, source
        self.keys: tuple[Key, ...] = ()
        self.own = False
        self.problems: dict[Key, str] = {}
        self._span = Span.parse("5m")
        self._stops: list[Callable[[], None]] = []
        self._legs: dict[Key, Columns] = {}
        self._last: dict[Key, LiveBar] = {}  # what was heard of each
        self._bars: Columns | None = None
        self._all: Comparison | None = None
        self._views: dict[Key, Compared] = {}
        self._task: asyncio.Task[None] | None = None

    def show(self, keys: Sequence[Key], own: bool) -> None:
        """Compare with these, in their order; each once."""
        self.keys, self.own = tuple(dict.fromkeys(keys))[:MOST], own
        self._begin()

    def open(self, span: Span) -> None:
        """The chart shows another instrument or interval; its bars come by :meth:`load`."""
        self._span, self._bars = span, None
        self.close()

    def close(self) -> None:
        """Hear no more."""
        for stop in self._stops:
            stop()
        self._stops.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    # -- bars of the chart --------------------------------------------------------------------
    def load(self, bars: Columns) -> None:
        """Other bars, or more of the past."""
        self._bars = bars
        self._begin()

    def last(self, bars: Columns) -> None:
        """The last bar changed."""
        self._bars = bars

    def append(self, bars: Columns) -> None:
        """A bar was added."""
        self._bars = bars
        if self._all is not None:
            self._all.append(int(bars.time[-1]))
            self._take_again(self._all)
            self._draw()

    # -- bars of the others -------------------------------------------------------------------
    def _begin(self) -> None:
        self.close()
        self._all, self._legs, self._last, self.problems = None, {}, {}, {}
        if not self.keys or self._bars is None or not self._bars.size:
            self._views.clear()
            self._view.set_overlays(())
            return
        source = self._source()
        for key in self.keys:
            self._stops.append(source.follow(key, self._span, partial(self._take, key)))
        self._task = self._holder.spawn(self._load(source, self._bars), "bars to compare")

    async def _load(self, source: Source, bars: Columns) -> None:
        # By moments, not days: those of a replay are counted from its own moment.
        start, end = int(bars.time[0]), int(bars.time[-1]) + _DAY
        for key in self.keys:
            try:
                found = await source.get(key, self._span, start, end)
            except AppError as error:
                self.problems[key] = error.message
                continue
            self._legs[key] = Columns.of(found)
        self._task = None
        now = self._bars
        if now is not None:
            self._all = Comparison(now.time, self._legs)
            self._take_again(self._all)
            self._make()

    def _take_again(self, found: Comparison) -> None:
        """Bars that began before that of the chart: its own are told once a frame."""
        for key, bar in self._last.items():
            found.take(key, bar.time, bar.close)

    def _take(self, key: Key, bar: LiveBar) -> None:
        self._last[key] = bar
        if self._all is not None and self._all.take(key, bar.time, bar.close):
            self._view.compared_moved()

    # -- drawing ------------------------------------------------------------------------------
    def _make(self) -> None:
        bridge, found = self._holder.bridge, self._all
        if found is None:
            return
        self._views = {
            key: Compared(
                f"{PREFIX}{key[0]}:{key[1]}",
                bridge.name(key),
                found.closes(key),
                f"study-{1 + number % 8}",
                self.own,
                bridge.places(key),
            )
            for number, key in enumerate(self._legs)
        }
        self._view.set_overlays(tuple(self._views.values()))

    def _draw(self) -> None:
        """A bar was added: the arrays may be others."""
        found = self._all
        if found is None:
            return
        for key, view in self._views.items():
            view.closes = found.closes(key)
            view.forget()
        self._view.compared_moved(closed=True)
