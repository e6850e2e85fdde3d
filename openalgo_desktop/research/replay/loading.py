"""Fills a reel from a source of bars: the smallest bars of each instrument, day by day.

A tape begins a day before the replay does, so that a price is known before the first bar of the
first day and a step back finds something.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import numpy as np

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.ports import BarSource
from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.research.replay.labels import (
    DAY,
    Grid,
    day_of,
    ends_of,
    longest,
    midnight,
    starts,
)
from openalgo_desktop.research.replay.reel import Reel
from openalgo_desktop.research.replay.tape import Tape
from openalgo_desktop.research.replay.track import Sums, Track, chosen

MINUTE, DAILY = Span(SpanUnit.MINUTE), Span(SpanUnit.DAY)
#: Seconds of history that are loaded ahead in one go: of minutes and less, of days and more.
_AHEAD, _AHEAD_DAYS = 7 * DAY, 400 * DAY
#: Seconds that are looked through for an earlier day.
_BACK = 12 * DAY
#: Empty stretches that are passed over before an instrument counts as over.
_TRIES = 3
#: Smallest bars that are left when more are loaded.
_NEAR = 400


def base_of(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans to try for the smallest bars of charts of these spans, best first."""
    wanted = sorted(spans, key=longest)
    smallest = wanted[0]
    if smallest.is_intraday and smallest.seconds < MINUTE.seconds:
        return (smallest,)
    tries = (MINUTE, smallest) if smallest.is_intraday else (MINUTE, DAILY, smallest)
    return tuple(dict.fromkeys(tries))


class Loader:
    """Loads for one reel. ``begin`` is the IST midnight from which on all of it is there."""

    def __init__(self, bars: BarSource, reel: Reel, clock: Clock, calendar: MarketCalendar) -> None:
        self._bars = bars
        self._reel = reel
        self._clock = clock
        self._calendar = calendar
        self._spans: dict[Key, list[Span]] = {}
        self._grids: dict[tuple[Key, Span], Grid] = {}
        self._loaded: dict[Key, int] = {}  # up to which moment
        self._tried: dict[Key, float] = {}  # when the present was asked for last
        self._gate = asyncio.Lock()
        self.begin = 0

    @property
    def charts(self) -> list[tuple[Key, Span]]:
        """What is in the replay."""
        return [(key, span) for key, spans in self._spans.items() for span in spans]

    async def put_at(self, moment: float) -> None:
        """Begin anew at the IST day of a moment, with what is in the replay."""
        async with self._gate:
            self.begin = midnight(day_of(moment))
            for key in self._spans:
                await self._load(key)

    async def earlier(self, tape: Tape) -> bool:
        """Begin all tapes at the last day before that this one has bars of; False where there is
        none in the days that are looked through."""
        until = self._first_time(tape)
        bars = await self._bars.get(tape.key, tape.span, until - _BACK, until)
        if not len(bars):
            return False
        await self.put_at(starts(int(bars.time[-1]), tape.span))
        return True

    async def want(self, key: Key, span: Span) -> None:
        """Bring a chart into the replay; at once when it is there."""
        if (key, span) in self._reel.tracks:
            return
        async with self._gate:
            spans = self._spans.setdefault(key, [])
            if span in spans:
                return
            spans.append(span)
            tape = self._reel.tapes.get(key)
            try:
                if tape is None or longest(span) < longest(tape.span):
                    await self._load(key)
                else:
                    self._reel.put(tape, [await self._track(tape, span)])
            except BaseException:
                spans.remove(span)
                raise

    async def _load(self, key: Key) -> None:
        """The tape of an instrument and its tracks, anew, from the smallest bars there are."""
        *tries, last = base_of(self._spans[key])
        for span in (*tries, last):
            tape = Tape(key, span, ends_of(span, key[0], self._calendar))
            try:
                await self._day_before(tape)
                upto = await self._stretch(tape, self._first_of(span))
            except AppError:
                if span is last:
                    raise
                continue
            if len(tape):
                break
        self._loaded[key] = upto
        tracks = []
        for wish in self._spans[key]:
            if longest(wish) < longest(span):
                continue  # no small bars of it: charts show what is over
            self._grids.pop((key, wish), None)
            await self._grid_on(key, wish, self._first_time(tape), upto)
            tracks.append(await self._track(tape, wish))
        self._reel.put(tape, tracks)

    def _first_time(self, tape: Tape) -> int:
        """The time of the first bar, as in :class:`Bars`."""
        return tape.time[0] if len(tape) else self._first_of(tape.span)

    async def _day_before(self, tape: Tape) -> None:
        """Load the last day before the first."""
        until = self._first_of(tape.span)
        bars = await self._bars.get(tape.key, tape.span, until - _BACK, until)
        if len(bars):
            day = midnight(day_of(starts(int(bars.time[-1]), tape.span)))
            since = int(np.searchsorted(bars.time, day - starts(0, tape.span)))
            tape.extend(chosen(bars, slice(since, None)), self._clock.time())

    def _first_of(self, span: Span) -> int:
        """The first day, as a time of :class:`Bars`."""
        return self.begin - starts(0, span)

    async def _stretch(self, tape: Tape, since: int) -> int:
        """Load the next stretch that has bars; up to which moment it is known."""
        present = self._clock.time()
        step = _AHEAD if tape.span.is_intraday else _AHEAD_DAYS
        before = len(tape)
        for _ in range(_TRIES):
            until = since + step
            tape.extend(await self._bars.get(tape.key, tape.span, since, until), present)
            since = until
            if len(tape) > before or until > present:
                break
        return since

    async def _grid_on(self, key: Key, span: Span, since: int, until: int) -> Grid:
        """Where the source places the bars of a span, as far as the tape goes."""
        grid = self._grids.setdefault((key, span), Grid(span, key[0], self._calendar))
        back = longest(span) if not span.is_intraday else DAY
        bars = await self._bars.get(key, span, since - back, until)
        grid.extend(bars.time.tolist())
        return grid

    async def _track(self, tape: Tape, span: Span) -> Track:
        grid = self._grids.get((tape.key, span))
        if grid is None:
            grid = await self._grid_on(
                tape.key, span, self._first_time(tape), self._loaded[tape.key]
            )
        return Track(tape, span, grid, await self._before(tape, span, grid))

    async def _before(self, tape: Tape, span: Span, grid: Grid) -> Sums | None:
        """What the first bar of a track already had when its tape begins."""
        if not len(tape):
            return None
        first, label = tape.time[0], grid(tape.begins[0])
        begin = starts(label, span)
        day = midnight(day_of(tape.begins[0]))
        if begin >= min(day, starts(first, tape.span)):
            return None
        small = tape.span if span.is_intraday else DAILY
        shift = starts(0, small)
        bars = await self._bars.get(tape.key, small, begin - shift, day - shift)
        return _together(bars)

    @property
    def due(self) -> bool:
        """Whether a tape is nearly played, and more may be had."""
        return any(self._due(tape) for tape in self._reel.tapes.values())

    def _due(self, tape: Tape) -> bool:
        if len(tape) - tape.place.bars > _NEAR:
            return False
        present, tried = self._clock.time(), self._tried.get(tape.key, 0.0)
        return self._loaded[tape.key] <= present or present >= tried + MINUTE.seconds

    async def ahead(self) -> bool:
        """Load the next stretch of tapes that are nearly played; whether anything came."""
        async with self._gate:
            grown = False
            for tape in tuple(self._reel.tapes.values()):
                grown = await self._grow(tape) or grown
            return grown

    async def _grow(self, tape: Tape) -> bool:
        if not self._due(tape):
            return False
        since, present = self._loaded[tape.key], self._clock.time()
        if since > present:  # played up to the present, which moves on
            self._tried[tape.key] = present
            since = tape.time[-1] + 1 if len(tape) else self._first_of(tape.span)
        before = len(tape)
        upto = await self._stretch(tape, since)
        for (key, span), track in tuple(self._reel.tracks.items()):
            if key == tape.key:
                await self._grid_on(key, span, since, upto)
                track.grow()
        self._loaded[tape.key] = upto
        return len(tape) > before


def _together(bars: Bars) -> Sums | None:
    if not len(bars):
        return None
    return Sums(
        float(bars.open[0]),
        float(np.max(bars.high)),
        float(np.min(bars.low)),
        float(bars.close[-1]),
        float(np.sum(bars.volume)),
        float(bars.oi[-1]),
    )
