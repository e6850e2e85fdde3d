"""The bars of one chart: history, what is older, the forming bar. The view draws them.

Kinds that are made of bars (Renko, Kagi ...) keep those of the market beside the rows that are
shown; all others are the view's own series.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Protocol

import numpy as np

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.charting.studies import Value
from openalgo_desktop.core.charting.transforms.machine import Running
from openalgo_desktop.core.charting.transforms.registry import BY_KIND, TransformSpec
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.history import ChartHistory, Report
from openalgo_desktop.ui.chart.series import CLOSE, Series
from openalgo_desktop.ui.kit.dock import Holder

#: So many bars, about, are loaded at first and each time that older ones are wanted.
AT_ONCE = 1200
#: Trading seconds of a day, and days of the calendar for each of trading.
_SESSION, _CALENDAR = 22_500, 1.5
_DAYS = {SpanUnit.DAY: 730, SpanUnit.WEEK: 1825, SpanUnit.MONTH: 3650}
_LONGEST = 7300


def days_of(span: Span) -> int:
    """Days of the calendar that a load of bars of ``span`` asks for."""
    if not span.is_intraday:
        return min(_LONGEST, _DAYS.get(span.unit, _LONGEST) * span.count)
    sessions = AT_ONCE * span.seconds / _SESSION
    return max(1 if span.seconds < 60 else 4, min(365, round(sessions * _CALENDAR)))


class Subject(Protocol):
    """What a chart shows: an instrument, or arithmetic of several."""

    async def bars(self, span: Span, first: date, last: date, tell: Report) -> Bars: ...
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


class ChartData:
    """``shown`` is called when another history is in the view (maybe empty), ``follower`` hears of
    every change. Live bars are remembered as they come and drawn by :meth:`flush`."""

    def __init__(
        self,
        holder: Holder,
        view: ChartView,
        history: ChartHistory,
        follower: Follower,
        shown: Callable[[Span, Bars], None],
    ) -> None:
        self._holder, self._view, self._history = holder, view, history
        self._follower, self._shown = follower, shown
        self._stop: Callable[[], None] | None = None
        self._waiting: list[LiveBar] = []
        self._loaded = False
        self._last = 0  # beginning of the last bar, epoch seconds
        self._look = (2, 0.0)  # decimals, tick size
        self.span = Span.parse("5m")
        self.problem = ""  # why the kind cannot be made of these bars
        self._spec: TransformSpec | None = None
        self._params: Mapping[str, Value] = {}
        self._base: Series | None = None  # the market's bars, where others are shown
        self._run: Running | None = None
        self._made: asyncio.Task[None] | None = None
        view.older_wanted.connect(self._older)

    @property
    def loaded(self) -> bool:
        """Whether the history of what was asked for is here (maybe without a bar)."""
        return self._loaded

    @property
    def market(self) -> Series:
        """The bars of the market, also where the chart shows others."""
        return self._view.canvas.series if self._base is None else self._base

    def open(self, subject: Subject, span: Span, places: int, tick: float) -> None:
        """Show something else or another interval; a load under way is given up."""
        self.close()
        self.span, self._loaded, self._look = span, False, (places, tick)
        self._stop = subject.follow(span, self._hear)
        self._history.load(span, partial(subject.bars, span), self._show)

    def close(self) -> None:
        """Hear no more."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        self._waiting.clear()
        self._forget_rows()

    def _forget_rows(self) -> None:
        if self._made is not None:
            self._made.cancel()
        self._made = self._run = self._base = None

    # -- kinds ------------------------------------------------------------------------------
    def set_kind(self, transform: str, params: Mapping[str, Value]) -> None:
        """Show the market's bars as they are (empty), or what ``transform`` makes of them."""
        spec = BY_KIND.get(transform)
        if spec is self._spec and params == self._params:
            return
        market = self.market if self._loaded else None
        self._spec, self._params = spec, params
        if market is not None:
            bars = bars_of(market)
            self._forget_rows()
            self._fill(bars)

    def _fill(self, bars: Bars) -> None:
        """Put bars into the view, as the kind shows them."""
        self.problem = ""
        places, tick = self._look
        if self._spec is None or not len(bars):
            self._view.canvas.set_market(None)
            self._view.set_bars(bars, self.span, places, tick)
            self._follower.load(self._view.canvas.series.columns())
            return
        self._base = Series(bars)
        columns = self._base.columns()
        try:
            size = self._spec.size(self._params, columns, tick)
            self._run = self._spec.run(self._params, size)
        except AppError as error:
            self.problem = error.message
            self._spec = None
            self._base = None
            self._fill(bars)
            return
        self._make(size, first=True)

    def _make(self, size: float, *, first: bool) -> None:
        if self._made is not None:
            self._made.cancel()
        self._made = self._holder.spawn(self._rows(size, first), "rows of the chart")

    async def _rows(self, size: float, first: bool) -> None:
        """Compute them in turns, then show them."""
        run, base = self._run, self._base
        if run is None or base is None:
            return
        bars = base.columns()
        count = bars.size
        for _ in run.loading(bars):
            await asyncio.sleep(0)
        for end in range(count + 1, len(base) + 1):  # bars that came meanwhile
            run.append(base.columns().cut(0, end))
        run.last(base.columns())
        self._made = None
        places, tick = self._look
        if first:
            self._view.set_rows(run.rows, self.span, places, tick, size)
        else:
            self._view.rows_put_before(run.rows)
        self._show_market()
        self._follower.load(self._view.canvas.series.columns())
        self._view.flush()

    def _show_market(self) -> None:
        base = self._base
        if base is not None and len(base):
            self._view.canvas.set_market(float(base.column(CLOSE)[-1]))

    # -- history ----------------------------------------------------------------------------
    def _show(self, span: Span, bars: Bars) -> None:
        self._loaded = True
        self._last = int(bars.time[-1]) if len(bars) else 0
        self._waiting = [bar for bar in self._waiting if bar.time >= self._last]
        self._forget_rows()
        self._fill(bars)
        self._shown(span, bars)

    def _older(self) -> None:
        if not self._history.older(self._prepend) and self._history.ended:
            self._view.no_more()

    def _prepend(self, bars: Bars) -> None:
        if self._base is None:
            if self._view.prepend(bars):
                self._follower.load(self._view.canvas.series.columns())
        elif self._base.prepend(bars):
            self._make(0.0, first=False)
        if self._history.ended:
            self._view.no_more()

    # -- live -------------------------------------------------------------------------------
    def _hear(self, bar: LiveBar) -> None:
        """Remember it: the last state of each bar since the last paint."""
        waiting = self._waiting
        if waiting and waiting[-1].time == bar.time:
            waiting[-1] = bar
        else:
            waiting.append(bar)

    def flush(self) -> int:
        """Give the view what came; how many bars began."""
        if not self._loaded or not self._waiting:
            return 0
        waiting, self._waiting, began = self._waiting, [], 0
        for bar in waiting:
            if bar.time < self._last:
                continue
            values = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.oi)
            begins = bar.time > self._last
            self._last, began = bar.time, began + begins
            if self._base is None:
                self._take(begins, bar.time, values)
            else:
                self._take_row(self._base, begins, bar.time, values)
        return began

    def _take(self, begins: bool, time: int, values: tuple[float, ...]) -> None:
        view, follower = self._view, self._follower
        if begins:
            view.append_bar(time, *values)
            follower.append(view.canvas.series.columns())
        else:
            view.update_last(time, *values)
            follower.last(view.canvas.series.columns())

    def _take_row(self, base: Series, begins: bool, time: int, values: tuple[float, ...]) -> None:
        if begins:
            base.append(time, *values)
        else:
            base.update_last(time, *values)
        run = self._run
        if run is None or self._made is not None:  # its rows take what came into account
            return
        first, before = run.fixed, len(self._view.canvas.series)
        if begins:
            run.append(base.columns())
        else:
            run.last(base.columns())
        self._view.rows_changed(min(first, run.fixed), run.rows)
        self._show_market()
        columns = self._view.canvas.series.columns()
        if columns.size == before and run.fixed >= before - 1:
            self._follower.last(columns)
        else:
            self._follower.load(columns)


def bars_of(series: Series) -> Bars:
    """The bars of a series as the store gives them; units that are not known are 0 there."""
    found = series.columns()
    prices = [found.open, found.high, found.low, found.close]
    opened, high, low, close = (column.copy() for column in prices)
    units = (np.nan_to_num(column).astype(np.int64) for column in (found.volume, found.oi))
    volume, oi = units
    return Bars(found.time.copy(), opened, high, low, close, volume, oi)
