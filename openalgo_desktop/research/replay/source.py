"""The bars of a replay, for charts: any other source's interface, and nothing of the future."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

import numpy as np

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.ports import BarSource, LiveBar, Progress
from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.clock import IST_OFFSET_SECONDS, ist_date
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.research.replay.labels import longest, starts
from openalgo_desktop.research.replay.reel import Reel
from openalgo_desktop.research.replay.track import Mask, Track, chosen, joined

_NEVER = np.iinfo(np.int64).max


class Wanting(Protocol):
    """Brings an instrument and a span into the replay, where its history can be had."""

    def __call__(self, key: Key, span: Span) -> Coroutine[Any, Any, None]: ...


class ReplaySource:
    """A :class:`BarSource` whose present is the moment of the replay."""

    def __init__(
        self, inner: BarSource, reel: Reel, want: Wanting, calendar: MarketCalendar
    ) -> None:
        self._inner = inner
        self._calendar = calendar
        self._reel = reel
        self._want = want
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def get(
        self,
        key: Key,
        span: Span,
        start: int,
        end: int,
        progress: Callable[[Progress], None] | None = None,
    ) -> Bars:
        """Bars that begin in ``start <= time < end`` and before the moment of the replay; the
        last one as far as it had come. Raises :class:`AppError`."""
        await self._want(key, span)
        while True:
            track, older = await self._older(key, span, start, end, progress)
            if track is self._reel.tracks.get((key, span)):
                break  # else it was put elsewhere meanwhile
        if track is None:
            return older
        made = track.bars()
        made = chosen(made, (made.time >= start) & (made.time < end))
        return joined(older, made) if len(older) else made

    async def _older(
        self,
        key: Key,
        span: Span,
        start: int,
        end: int,
        progress: Callable[[Progress], None] | None,
    ) -> tuple[Track | None, Bars]:
        """The track of the span, and the bars before its tape; all that is over where there is
        no track."""
        track = self._reel.tracks.get((key, span))
        first = None if track is None else track.first
        until = min(end, int(self._reel.now) + IST_OFFSET_SECONDS + 1 if first is None else first)
        if start >= until:
            return track, Bars.empty()
        bars = await self._inner.get(key, span, start, until, progress)
        return track, chosen(bars, _over(bars, span, first, self._reel.now))

    def follow(
        self, key: Key, span: Span, listener: Callable[[LiveBar], None]
    ) -> Callable[[], None]:
        """Hear of every bar that changes while the replay plays; returns the stop call. Steps
        back and jumps are told by the replay itself: charts load anew then."""
        listeners = self._reel.listeners_of(key, span)
        if not self._closed:
            listeners.append(listener)
            if (key, span) not in self._reel.tracks:
                task = asyncio.get_running_loop().create_task(self._bring(key, span))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

        def stop() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return stop

    async def _bring(self, key: Key, span: Span) -> None:
        with suppress(AppError):  # told to whom asks for the bars
            await self._want(key, span)

    def forming(self, key: Key, span: Span) -> LiveBar | None:
        """The bar that forms at the moment of the replay."""
        track = self._reel.tracks.get((key, span))
        return None if track is None else track.forming

    def countdown(self, key: Key, span: Span) -> float | None:
        """Seconds of the market to the end of the bar that forms; None between bars, and of bars
        of a day and longer."""
        bar = self.forming(key, span)
        if bar is None or not span.is_intraday:
            return None
        end = float(bar.time + span.seconds)
        session = self._calendar.session(key[0], ist_date(bar.time))
        if session is not None and bar.time < (close := session[1].timestamp()):
            end = min(end, close)  # a session ends its last bar
        left = end - self._reel.now
        return left if left > 0 else None

    async def close(self) -> None:
        """Tell nobody any more."""
        self._closed = True
        self._reel.silence()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _over(bars: Bars, span: Span, first: int | None, now: float) -> Mask:
    """Which bars are certainly over at ``now``: of those longer than a day only what another one
    (the last one: that at ``first``) follows that has begun."""
    shift = starts(0, span)
    begins = bars.time + shift
    if span.is_intraday or span.unit is SpanUnit.DAY:
        over = begins + (span.seconds or longest(span)) <= now
    else:
        over = (
            np.append(begins[1:], _NEVER if first is None else first + shift)[: len(begins)] <= now
        )
    return np.asarray(over if first is None else over & (bars.time < first))
