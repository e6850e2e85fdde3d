"""What a chart can show: an instrument, or arithmetic of several (:mod:`core.charting.legs`)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import ClassVar, Protocol

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.legs.bars import combined
from openalgo_desktop.core.charting.legs.expression import Expression
from openalgo_desktop.core.charting.legs.live import LivePrice
from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart.history import Gaps, Report


class Source(Protocol):
    """Who has bars of instruments: the market, or a replay."""

    @property
    def moment(self) -> float: ...
    async def get(
        self, key: Key, span: Span, start: int, end: int, progress: Report | None = None
    ) -> Bars: ...
    async def of_days(
        self, key: Key, span: Span, first: date, last: date, progress: Report | None = None
    ) -> Bars: ...
    async def kept(self, key: Key, span: Span, first: date, last: date) -> Bars: ...
    async def missing(
        self, key: Key, span: Span, first: date, last: date
    ) -> list[tuple[int, int]]: ...
    def follow(
        self, key: Key, span: Span, listener: Callable[[LiveBar], None]
    ) -> Callable[[], None]: ...


@dataclass(frozen=True)
class OneInstrument:
    """The :class:`Subject` that is an instrument; equal to another one of the same source."""

    source: Source
    key: Key
    exact_extremes: ClassVar[bool] = True
    without: ClassVar[tuple[Key, ...]] = ()

    async def bars(self, span: Span, first: date, last: date, tell: Report) -> Bars:
        """Its bars of an inclusive range of IST dates. Raises :class:`AppError`."""
        return await self.source.of_days(self.key, span, first, last, tell)

    async def kept(self, span: Span, first: date, last: date) -> Bars:
        """Those of them that are kept, asking nobody."""
        return await self.source.kept(self.key, span, first, last)

    async def missing(self, span: Span, first: date, last: date) -> Gaps:
        """Where nobody gave them although there was trade."""
        return await self.source.missing(self.key, span, first, last)

    def lose(self, key: Key) -> None:
        """Its price is not known any more: its last bar stays what it was."""

    def follow(self, span: Span, listener: Callable[[LiveBar], None]) -> Callable[[], None]:
        """Hear of its forming bar."""
        return self.source.follow(self.key, span, listener)


class Combination:
    """The :class:`Subject` that is arithmetic. Open and close are exact. High and low of bars from
    the history are the ends of the body unless it has one leg; those of bars that form while
    the chart is open are of every tick of every leg. Volume is not known. Live as in the history
    there is a bar where every leg has one: with the price of a leg from another bar it would have
    a wrong open."""

    def __init__(self, source: Source, expression: Expression) -> None:
        self._source, self.expression = source, expression
        self._price = LivePrice(expression)
        self._bar: LiveBar | None = None
        self._legs: dict[Key, LiveBar] = {}
        self._lost: set[Key] = set()
        self._seeded = 0  # time of the bar whose open the history told
        self.without: tuple[Key, ...] = ()  # legs that have no bars where others have
        self._listener: Callable[[LiveBar], None] | None = None
        self.exact_extremes = False

    async def bars(self, span: Span, first: date, last: date, tell: Report) -> Bars:
        """Its bars of an inclusive range of IST dates. Raises :class:`AppError`."""
        keys = self.expression.keys
        ask = self._source.of_days
        legs = await asyncio.gather(*(ask(key, span, first, last, tell) for key in keys))
        columns = dict(zip(keys, map(Columns.of, legs), strict=True))
        self.without = tuple(key for key in keys if not columns[key].size)
        found = combined(self.expression, columns)
        self.exact_extremes = found.exact_extremes
        self._seed(found.columns)
        return found.bars

    async def kept(self, span: Span, first: date, last: date) -> Bars:
        """Those of them that are kept of every leg, asking nobody."""
        keys = self.expression.keys
        legs = [await self._source.kept(key, span, first, last) for key in keys]
        found = combined(self.expression, dict(zip(keys, map(Columns.of, legs), strict=True)))
        return found.bars

    async def missing(self, span: Span, first: date, last: date) -> Gaps:
        """Where those of some leg are missing."""
        ask = self._source.missing
        found = [gap for key in self.expression.keys for gap in await ask(key, span, first, last)]
        joined: list[tuple[int, int]] = []
        for gap in sorted(found):
            if joined and gap[0] <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(gap[1], joined[-1][1]))
            else:
                joined.append(gap)
        return joined

    def _seed(self, bars: Columns) -> None:
        """The forming bar began before somebody listened."""
        if not bars.size:
            return
        time, values = int(bars.time[-1]), [float(column[-1]) for column in bars[1:5]]
        opened, high, low, close = values
        now = self._bar
        if now is not None and now.time > time:
            return  # older history, or a later bar forms already
        self._seeded = time
        if now is not None and now.time == time:
            high, low, close = max(high, now.high), min(low, now.low), now.close
        self._tell(LiveBar(time, opened, high, low, close, math.nan, math.nan, False))

    def follow(self, span: Span, listener: Callable[[LiveBar], None]) -> Callable[[], None]:
        """Hear of its forming bar, at every tick of a leg while all of them have a price."""
        self._listener = listener
        follow = self._source.follow
        stops = [follow(key, span, partial(self._take, key)) for key in self.expression.keys]

        def stop() -> None:
            self._listener = None
            for one in stops:
                one()

        return stop

    def lose(self, key: Key) -> None:
        """The price of a leg is not known any more: there is none of the whole."""
        if key in self.expression.keys:
            self._lost.add(key)
            self._price.lose(key)

    def _take(self, key: Key, bar: LiveBar) -> None:
        if bar.closed and key in self._lost:
            return  # its time is over; that is no price
        self._lost.discard(key)
        self._legs[key] = bar
        price, time = self._price.take(key, bar.close, bar.time), bar.time
        legs, now = self._legs, self._bar
        if math.isnan(price) or any(leg.time != time for leg in legs.values()):
            return
        opened = float(self.expression.value(lambda leg: legs[leg].open))
        if not math.isfinite(opened):
            return
        if now is None or time > now.time:
            high, low = max(opened, price), min(opened, price)
            self._tell(LiveBar(time, opened, high, low, price, math.nan, math.nan, True))
        elif time == now.time:
            opened = now.open if time == self._seeded else opened
            high, low = max(now.high, opened, price), min(now.low, opened, price)
            self._tell(now._replace(open=opened, high=high, low=low, close=price, began=False))

    def _tell(self, bar: LiveBar) -> None:
        self._bar = bar
        if self._listener is not None:
            self._listener(bar)
