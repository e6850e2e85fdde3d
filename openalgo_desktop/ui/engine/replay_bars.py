"""The bars of a replay, for charts that ask as they ask the market."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from openalgo_desktop.core.charting.ports import BarSource, LiveBar, Progress
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import IST, IST_OFFSET_SECONDS
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars


class ReplayBars:
    """The bars of a replay as a chart asks for them: its last days are those before the moment of
    the replay."""

    def __init__(self, inner: BarSource, now: Callable[[], datetime], today: date) -> None:
        self._inner, self._now = inner, now
        self._today = today
        self._back = today - now().date()

    @property
    def moment(self) -> float:
        """The moment of the replay, epoch seconds."""
        return self._now().timestamp()

    async def kept(self, key: Key, span: Span, first: date, last: date) -> Bars:
        """None: what a replay cannot load it does not show."""
        return Bars.empty()

    async def missing(self, key: Key, span: Span, first: date, last: date) -> list[tuple[int, int]]:
        """None: a replay does not begin without its bars."""
        return []

    def begin_again(self) -> None:
        """The replay was put elsewhere: days are counted from there."""
        self._back = self._today - self._now().date()

    async def get(
        self,
        key: Key,
        span: Span,
        start: int,
        end: int,
        progress: Callable[[Progress], None] | None = None,
    ) -> Bars:
        """As :class:`BarSource`."""
        return await self._inner.get(key, span, start, end, progress)

    async def of_days(
        self,
        key: Key,
        span: Span,
        first: date,
        last: date,
        progress: Callable[[Progress], None] | None = None,
    ) -> Bars:
        """Bars of an inclusive range of days, as far before the moment of the replay as the range
        is before today; the last days up to the moment itself."""
        start = _day(first - self._back, span)
        until = _day(last - self._back + timedelta(days=1), span)
        if last >= self._today:
            until = max(until, _day(self._now().date() + timedelta(days=1), span))
        return await self._inner.get(key, span, start, until, progress)

    def follow(
        self, key: Key, span: Span, listener: Callable[[LiveBar], None]
    ) -> Callable[[], None]:
        """As :class:`BarSource`."""
        return self._inner.follow(key, span, listener)

    def forming(self, key: Key, span: Span) -> LiveBar | None:
        """As :class:`BarSource`."""
        return self._inner.forming(key, span)

    def countdown(self, key: Key, span: Span) -> float | None:
        """As :class:`BarSource`."""
        return self._inner.countdown(key, span)


def _day(day: date, span: Span) -> int:
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=IST).timestamp())
    return midnight if span.is_intraday else midnight + IST_OFFSET_SECONDS
