"""The history of one chart: older bars, missed ones, the forming one. The view draws them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from PySide6.QtCore import QTimer

from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.charting.studies import Value
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.history import ChartHistory
from openalgo_desktop.ui.chart.series import Series
from openalgo_desktop.ui.kit.dock import Holder
from openalgo_desktop.ui.rooms.charts.bars.arrays import bars_of_live, cut
from openalgo_desktop.ui.rooms.charts.bars.mending import day_of, may_lack, mended
from openalgo_desktop.ui.rooms.charts.bars.ports import Follower, Subject
from openalgo_desktop.ui.rooms.charts.bars.shown import ShownBars

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


#: Bars that are drawn one by one; more of them at once.
_MANY = 100
#: Milliseconds that bars of something else may stay in the view while others are asked for.
STAY_MS = 150


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
        self._view, self._history, self._shown = view, history, shown
        self.bars = ShownBars(holder, view, follower, self._is_drawn_now)
        self._stop: Callable[[], None] | None = None
        self._waiting: list[LiveBar] = []
        self._loaded = False
        self._drawn: Subject | None = None  # whose bars are in the view
        self.drawn: Callable[[], None] = lambda: None  # those of another subject are in the view
        self.filled: Callable[[], None] = lambda: None  # the view was filled anew
        self.measured: Callable[[Bars], int] | None = None  # decimals of bars that came
        self._last = 0  # beginning of the last bar, epoch seconds
        self._subject: Subject | None = None
        self._mends = False
        self._sure = 0  # from here on bars were built live since the source told them
        self._lacks = False  # bars were missed, or may have been
        self._later = False  # the last question failed: at the next bar
        self._latest: LiveBar | None = None  # heard since bars were asked for
        self._leave = QTimer(view)
        self._leave.setSingleShot(True)
        self._leave.setInterval(STAY_MS)
        self._leave.timeout.connect(self._leave_bars)
        view.older_wanted.connect(self._older)
        history.gaps_changed = view.set_gaps
        history.refilled = self._refilled

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
        """What is in the view is not what the chart shows from now on. It goes, unless bars come
        at once: whatever becomes of their load, those of before do not stay under another name."""
        self._drawn = None
        self._leave.start()

    def _leave_bars(self) -> None:
        if not self.is_drawn:
            self.bars.clear()

    def _is_drawn_now(self) -> None:
        self.filled()
        if self._drawn != self._subject:
            self._drawn = self._subject
            self.drawn()

    @property
    def market(self) -> Series:
        """The bars of the market, also where the chart shows others."""
        return self.bars.market

    @property
    def span(self) -> Span:
        """The interval of now."""
        return self.bars.span

    @property
    def problem(self) -> str:
        """Why the kind cannot be made of these bars."""
        return self.bars.problem

    def set_kind(self, transform: str, params: Mapping[str, Value]) -> None:
        """Show the market's bars as they are (empty), or what ``transform`` makes of them."""
        self.bars.set_kind(transform, params, again=self._loaded)

    def open(
        self, subject: Subject, span: Span, places: int, tick: float, *, mends: bool = True
    ) -> None:
        """Show something else or another interval; a load under way is given up. Of a replay
        nothing is missed: it ``mends`` nothing."""
        self.close()
        self.bars.begin(span, places, tick)
        self._loaded = False
        self._subject, self._mends = subject, mends
        self._stop = subject.follow(span, self._hear)
        self._history.load(
            span,
            partial(subject.bars, span),
            self._show,
            partial(subject.kept, span),
            partial(subject.missing, span),
        )

    def close(self) -> None:
        """Hear no more."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        self._waiting.clear()
        self._subject, self._lacks = None, False
        self.bars.forget_rows()

    @property
    def without(self) -> tuple[Key, ...]:
        """Legs of arithmetic that have no bars."""
        return () if self._subject is None else self._subject.without

    def lose(self, key: Key) -> None:
        """The price of an instrument is not known any more."""
        if self._subject is not None and self._mends:
            self._subject.lose(key)

    # -- history ----------------------------------------------------------------------------
    def _show(self, span: Span, bars: Bars) -> None:
        self._loaded = True
        self._last = int(bars.time[-1]) if len(bars) else 0
        self._sure = int(bars.time[-2:][0]) if len(bars) else 0
        self._waiting = [bar for bar in self._waiting if bar.time >= self._last]
        if self.measured is not None:
            self.bars.set_places(self.measured(bars))
        self.bars.fill(bars)
        self._shown(span, bars)

    def _older(self) -> None:
        if not self._history.older(self._prepend) and self._history.ended:
            self._view.no_more()

    def _prepend(self, bars: Bars) -> None:
        self.bars.put_before(bars)
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

    def _refilled(self, told: Bars) -> None:
        """What was missing was asked for again: all that is loaded; the view shows the moments
        that it showed."""
        exact = self._subject is None or self._subject.exact_extremes
        bars = mended(self.market.columns(), told, self.span, exact=exact)
        if bars is None:
            return
        times = self._view.visible_times()
        self._splice(0, bars)
        if self.market is self._view.canvas.series:
            self._view.show_range(*times)
        self._view.flush()

    def _splice(self, first: int, bars: Bars) -> None:
        """Have ``bars`` in place of those of the market from index ``first`` on."""
        self._last = int(bars.time[-1])
        self.bars.splice(first, bars)

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
            self.bars.take(begins, bar.time, values)
        return began

    def _catch_up(self, waiting: list[LiveBar]) -> int:
        """Nobody saw the chart for long: what came since, at once."""
        if not waiting:
            return 0
        shown = self.market.columns()
        first = int(np.searchsorted(shown.time, waiting[0].time))
        began = sum(bar.time > self._last for bar in waiting)
        bars = mended(shown.cut(first), bars_of_live(waiting), self.span, exact=True)
        if bars is not None:
            self._splice(first, bars)
            self.mend()
        return began
