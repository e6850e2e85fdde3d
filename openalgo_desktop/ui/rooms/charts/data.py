"""The bars of one chart: history, what is older, the forming bar. The view draws them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.history import ChartHistory, Report
from openalgo_desktop.ui.engine.bars import BarsDoor
from openalgo_desktop.ui.engine.replay import ReplayBars

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


class ChartData:
    """``shown`` is called when another history is in the view (maybe empty), ``grown`` when older
    bars came. Live bars are remembered as they come and drawn by :meth:`flush`."""

    def __init__(
        self,
        view: ChartView,
        history: ChartHistory,
        shown: Callable[[Span, Bars], None],
        grown: Callable[[int], None],
    ) -> None:
        self._view, self._history = view, history
        self._shown, self._grown = shown, grown
        self._stop: Callable[[], None] | None = None
        self._waiting: list[LiveBar] = []
        self._loaded = False
        self._last = 0  # beginning of the last bar, epoch seconds
        self.span = Span.parse("5m")
        view.older_wanted.connect(self._older)

    @property
    def loaded(self) -> bool:
        """Whether the history of what was asked for is here (maybe without a bar)."""
        return self._loaded

    def open(
        self, source: BarsDoor | ReplayBars, key: Key, span: Span, places: int, tick: float
    ) -> None:
        """Show another instrument or interval; a load under way is given up."""
        self.close()
        self.span, self._loaded = span, False
        self._stop = source.follow(key, span, self._hear)
        ask = partial(self._ask, source, key, span)
        self._history.load(span, ask, partial(self._show, places, tick))

    @staticmethod
    async def _ask(
        source: BarsDoor | ReplayBars, key: Key, span: Span, first: date, last: date, tell: Report
    ) -> Bars:
        return await source.of_days(key, span, first, last, tell)

    def close(self) -> None:
        """Hear no more."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        self._waiting.clear()

    # -- history ----------------------------------------------------------------------------
    def _show(self, places: int, tick: float, span: Span, bars: Bars) -> None:
        self._loaded = True
        self._last = int(bars.time[-1]) if len(bars) else 0
        self._waiting = [bar for bar in self._waiting if bar.time >= self._last]
        self._view.set_bars(bars, span, places, tick)
        self._shown(span, bars)

    def _older(self) -> None:
        if not self._history.older(self._prepend) and self._history.ended:
            self._view.no_more()

    def _prepend(self, bars: Bars) -> None:
        added = self._view.prepend(bars)
        self._grown(added)
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
            values = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.oi)
            if bar.time > self._last:
                self._view.append_bar(bar.time, *values)
                self._last = bar.time
                began += 1
            elif bar.time == self._last:
                self._view.update_last(bar.time, *values)
        return began
