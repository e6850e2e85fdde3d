"""The bars of one chart: history, what is older, the forming bar. The view draws them.

Kinds that are made of bars (Renko, Kagi ...) keep those of the market beside the rows that are
shown; all others are the view's own series.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date
from enum import IntEnum
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
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.history import ChartHistory, Report
from openalgo_desktop.ui.chart.series import CLOSE, Series
from openalgo_desktop.ui.kit.dock import Holder
from openalgo_desktop.ui.rooms.charts.mending import day_of, may_lack, mended

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


class Change(IntEnum):
    """What rows are made anew for; of several that wait the greatest counts."""

    END = 0  # the last bars are others
    BEFORE = 1  # older ones came
    ALL = 2  # nothing of them is shown yet


#: Bars that are drawn one by one; more of them at once.
_MANY = 100
#: Bars that a kind is made of at once; more of them in a thread.
_AT_ONCE = 1000


class Subject(Protocol):
    """What a chart shows: an instrument, or arithmetic of several."""

    @property
    def exact_extremes(self) -> bool: ...
    @property
    def without(self) -> tuple[Key, ...]: ...
    async def bars(self, span: Span, first: date, last: date, tell: Report) -> Bars: ...
    async def kept(self, span: Span, first: date, last: date) -> Bars: ...
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


class ChartData:
    """``shown`` is called when another history is in the view (maybe empty), ``follower`` hears of
    every change. Live bars are remembered as they come and drawn by :meth:`flush`.

    What was missed of them is asked for again (:meth:`mend`): after a lost feed, of the day before
    when one begins, and where a bar was left out.
    """

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
        self._drawn: Subject | None = None  # whose bars are in the view
        self.drawn: Callable[[], None] = lambda: None  # those of another subject are in the view
        self._last = 0  # beginning of the last bar, epoch seconds
        self._subject: Subject | None = None
        self._mends = False
        self._sure = 0  # from here on bars were built live since the source told them
        self._lacks = False  # bars were missed, or may have been
        self._later = False  # the last question failed: at the next bar
        self._latest: LiveBar | None = None  # heard since bars were asked for
        self._look = (2, 0.0)  # decimals, tick size
        self.span = Span.parse("5m")
        self.problem = ""  # why the kind cannot be made of these bars
        self._spec: TransformSpec | None = None
        self._params: Mapping[str, Value] = {}
        self._base: Series | None = None  # the market's bars, where others are shown
        self._run: Running | None = None
        self._made: asyncio.Task[None] | None = None
        self._change = Change.END
        self._size = 0.0  # box of the kind, rupees
        view.older_wanted.connect(self._older)

    @property
    def loaded(self) -> bool:
        """Whether the history of what was asked for is here (maybe without a bar)."""
        return self._loaded

    @property
    def is_drawn(self) -> bool:
        """Whether the bars in the view are those of what was asked for, in this interval or
        another; else a price of the view is one of something else."""
        return self._subject is not None and self._drawn == self._subject

    def forget_drawn(self) -> None:
        """What is in the view is not what the chart shows from now on."""
        self._drawn = None

    @property
    def market(self) -> Series:
        """The bars of the market, also where the chart shows others."""
        return self._view.canvas.series if self._base is None else self._base

    def open(
        self, subject: Subject, span: Span, places: int, tick: float, *, mends: bool = True
    ) -> None:
        """Show something else or another interval; a load under way is given up. Of a replay
        nothing is missed: it ``mends`` nothing."""
        self.close()
        self.span, self._loaded, self._look = span, False, (places, tick)
        self._subject, self._mends = subject, mends
        self._stop = subject.follow(span, self._hear)
        self._history.load(
            span, partial(subject.bars, span), self._show, partial(subject.kept, span)
        )

    def close(self) -> None:
        """Hear no more."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        self._waiting.clear()
        self._subject, self._lacks = None, False
        self._forget_rows()

    @property
    def without(self) -> tuple[Key, ...]:
        """Legs of arithmetic that have no bars."""
        return () if self._subject is None else self._subject.without

    def lose(self, key: Key) -> None:
        """The price of an instrument is not known any more."""
        if self._subject is not None and self._mends:
            self._subject.lose(key)

    def _forget_rows(self) -> None:
        if self._made is not None:
            self._made.cancel()
        self._made = self._run = self._base = None
        self._change = Change.END

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
            self._is_drawn_now()
            self._follower.load(self._view.canvas.series.columns())
            return
        self._base = Series(bars)
        columns = self._base.columns()
        try:
            self._size = self._spec.size(self._params, columns, tick)
            self._run = self._spec.run(self._params, self._size)
        except AppError as error:
            self._spec = None
            self._base = None
            self._fill(bars)
            self.problem = error.message
            return
        self._make(Change.ALL)

    def _make(self, change: Change) -> None:
        if self._made is not None:
            self._made.cancel()
        self._change = max(change, self._change)
        self._made = self._holder.spawn(self._rows(), "rows of the chart")

    async def _rows(self) -> None:
        """Compute them, many in a thread, then show them."""
        spec, base = self._spec, self._base
        if spec is None or base is None:
            return
        run, count = spec.run(self._params, self._size), len(base)
        if count <= _AT_ONCE:
            run.load(base.columns())
        else:  # of a copy: bars are put before and the last one changes meanwhile
            copied = Columns._make(column.copy() for column in base.columns())
            await asyncio.to_thread(run.load, copied)
        for end in range(count + 1, len(base) + 1):  # bars that came meanwhile
            run.append(base.columns().cut(0, end))
        run.last(base.columns())
        change, self._change = self._change, Change.END
        self._made, self._run = None, run
        places, tick = self._look
        if change is Change.ALL:
            self._view.set_rows(run.rows, self.span, places, tick, self._size)
            self._is_drawn_now()
        elif change is Change.BEFORE:
            self._view.rows_put_before(run.rows)
        else:
            self._view.rows_changed(0, run.rows)
        self._show_market()
        self._follower.load(self._view.canvas.series.columns())
        self._view.flush()

    def _is_drawn_now(self) -> None:
        if self._drawn != self._subject:
            self._drawn = self._subject
            self.drawn()

    def _show_market(self) -> None:
        base = self._base
        if base is not None and len(base):
            self._view.canvas.set_market(float(base.column(CLOSE)[-1]))

    # -- history ----------------------------------------------------------------------------
    def _show(self, span: Span, bars: Bars) -> None:
        self._loaded = True
        self._last = int(bars.time[-1]) if len(bars) else 0
        self._sure = int(bars.time[-2:][0]) if len(bars) else 0
        self._waiting = [bar for bar in self._waiting if bar.time >= self._last]
        self._forget_rows()
        self._fill(bars)
        self._shown(span, bars)

    def _older(self) -> None:
        if not self._history.older(self._prepend) and self._history.ended:
            self._view.no_more()

    def _prepend(self, bars: Bars) -> None:
        if self._base is None:
            added = self._view.prepend(bars)
            if added and self._spec is not None:
                self._fill(bars_of(self.market))
            elif added:
                self._follower.load(self._view.canvas.series.columns())
        elif self._base.prepend(bars):
            self._make(Change.BEFORE)
        if self._history.ended:
            self._view.no_more()

    # -- what was missed --------------------------------------------------------------------
    def mend(self) -> None:
        """Bars may have been missed, or built of a part of their ticks: ask for those that were
        not told by the source yet, at the next paint."""
        self._lacks = self._mends and self._loaded

    def _ask_again(self) -> None:
        since = self._sure or self._last
        if since and self._history.newer(day_of(since, self.span), self._mend):
            self._lacks, self._latest = False, None

    def _mend(self, told: Bars | None) -> None:
        """Put what was told in the place of what is shown; the view stays where it is."""
        if told is None:
            self._later = True
            return
        market = self.market
        shown = market.columns()
        first = int(np.searchsorted(shown.time, self._sure))
        told = cut(told, int(np.searchsorted(told.time, self._sure)))
        exact = self._subject is None or self._subject.exact_extremes
        bars = mended(shown.cut(first), told, self.span, exact=exact)
        if len(told):
            self._sure = int(told.time[-2:][0])
        if bars is None:
            return
        latest = self._latest
        if latest is not None and latest.time >= int(bars.time[-1]) and not self._waiting:
            self._waiting.append(latest)
        self._splice(first, bars)
        self._view.flush()

    def _splice(self, first: int, bars: Bars) -> None:
        """Have ``bars`` in place of those of the market from index ``first`` on."""
        self._last = int(bars.time[-1])
        if self._base is not None:
            self._base.splice(first, bars)
            self._make(Change.END)
        else:
            self._view.splice(first, bars)
            self._follower.load(self._view.canvas.series.columns())

    # -- live -------------------------------------------------------------------------------
    def _hear(self, bar: LiveBar) -> None:
        """Remember it: the last state of each bar since the last paint."""
        self._latest = bar
        waiting = self._waiting
        if waiting and waiting[-1].time == bar.time:
            waiting[-1] = bar
        else:
            waiting.append(bar)

    def flush(self) -> int:
        """Give the view what came; how many bars began."""
        if not self._loaded:
            return 0
        began = self._flush() if self._waiting else 0
        if self._lacks:
            self._ask_again()
        return began

    def _flush(self) -> int:
        waiting, self._waiting, began = self._waiting, [], 0
        if len(waiting) > _MANY:
            return self._catch_up([bar for bar in waiting if bar.time >= self._last])
        for bar in waiting:
            if bar.time < self._last:
                continue
            values = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.oi)
            begins = bar.time > self._last
            if begins and (self._later or may_lack(self._last, bar.time, self.span)):
                self._later = False
                self.mend()
            self._last, began = bar.time, began + begins
            if self._base is None:
                self._take(begins, bar.time, values)
            else:
                self._take_row(self._base, begins, bar.time, values)
        return began

    def _catch_up(self, waiting: list[LiveBar]) -> int:
        """Nobody saw the chart for long: what came since, at once."""
        if not waiting:
            return 0
        shown = self.market.columns()
        first = int(np.searchsorted(shown.time, waiting[0].time))
        began = sum(bar.time > self._last for bar in waiting)
        bars = mended(shown.cut(first), _bars_of_live(waiting), self.span, exact=True)
        if bars is not None:
            self._splice(first, bars)
            self.mend()
        return began

    def _take(self, begins: bool, time: int, values: tuple[float, ...]) -> None:
        view, follower = self._view, self._follower
        if begins:
            view.append_bar(time, *values)
            follower.append(view.canvas.series.columns())
        else:
            view.update_last(time, *values)
            follower.last(view.canvas.series.columns())
        if self._spec is not None:  # the first bars of a kind that is made of some
            self._fill(bars_of(view.canvas.series))

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


def cut(bars: Bars, first: int) -> Bars:
    """Those from an index on."""
    prices = (bars.open[first:], bars.high[first:], bars.low[first:], bars.close[first:])
    return Bars(bars.time[first:], *prices, bars.volume[first:], bars.oi[first:])


def _bars_of_live(rows: list[LiveBar]) -> Bars:
    """Units that are not known are 0."""
    table = np.array([row[1:7] for row in rows], np.float64).T
    units = [np.nan_to_num(column).astype(np.int64) for column in table[4:]]
    return Bars(np.array([row.time for row in rows], np.int64), *table[:4], *units)


def bars_of(series: Series) -> Bars:
    """The bars of a series as the store gives them; units that are not known are 0 there."""
    found = series.columns()
    prices = [found.open, found.high, found.low, found.close]
    opened, high, low, close = (column.copy() for column in prices)
    units = (np.nan_to_num(column).astype(np.int64) for column in (found.volume, found.oi))
    volume, oi = units
    return Bars(found.time.copy(), opened, high, low, close, volume, oi)
