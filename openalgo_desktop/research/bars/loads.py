"""Asks a source for what the store lacks: newest first, in pieces as long as it allows.

Of each series one request is under way at a time, whoever waits for it; a request goes on when its
asker gives up, and what came is kept. What is not final yet (the forming bar, the last minute or
two) is kept apart with the moment of the request.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from typing import NamedTuple, Protocol

from openalgo_desktop.core.charting.ports import Progress
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import ist_date
from openalgo_desktop.core.enums import DERIVATIVE_EXCHANGES, Interval
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.research.bars.cover import Range, missing, united
from openalgo_desktop.research.bars.exchange_clock import ExchangeClock
from openalgo_desktop.research.bars.files import SeriesName
from openalgo_desktop.research.bars.hours import (
    DAY,
    SETTLE,
    Hours,
    axis_day,
    day_start,
    number_date,
    on_axis,
)
from openalgo_desktop.research.bars.store import BarStore
from openalgo_desktop.research.bars.tables import dealt, is_adjusted, merged, part

log = logging.getLogger(__name__)

Report = Callable[[Progress], None]
#: Days before today of which a source may not have all yet: as far as bars came they are known.
_RECENT = 4
#: An answer is good for so long whatever happens, seconds: two charts that open together.
_FRESH = 1.0
_MOST_TRACKS = 256
#: Days without a bar before which a derivative was not listed.
_UNLISTED = 60
#: Nothing is asked of before this day: 1990-01-01.
_FIRST_DAY = 7305


class Source(Protocol):
    """Who has the past: the market hub."""

    async def history(self, key: Key, interval: Interval, start: date, end: date) -> Bars: ...
    def intervals(self) -> Sequence[Interval]: ...
    def history_days(self, interval: Interval) -> int: ...


class Wanted(NamedTuple):
    """A series of a source: whose, of which instrument, and its rhythm."""

    name: SeriesName
    key: Key
    interval: Interval
    rhythm: Rhythm

    @property
    def span(self) -> Span:
        return self.rhythm.span


class Tail(NamedTuple):
    """Bars that are not final, all there were from ``start`` on at the moment ``asked``."""

    bars: Bars
    start: int
    asked: float


_NO_TAIL = Tail(Bars.empty(), 1 << 62, 0.0)


class _Track:
    """What goes on with one series."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.piece: asyncio.Task[tuple[bool, bool]] | None = None
        self.tail = _NO_TAIL
        self.reports: list[Report] = []
        self.listed = 0  # no bars before this day, as far as was asked


class Loads:
    """Fills the store. ``whole_since`` tells since when every tick of a series is heard (epoch
    seconds, infinity where not), ``source_name`` whose prices they are now; ``came`` hears of each
    answer that reaches up to now."""

    def __init__(
        self,
        store: BarStore,
        source: Source,
        hours: Hours,
        clock: ExchangeClock,
        source_name: Callable[[], str],
        whole_since: Callable[[Key, Span], float],
        came: Callable[[Wanted, Tail], None],
    ) -> None:
        self._store = store
        self._source = source
        self._hours = hours
        self._clock = clock
        self._source_name = source_name
        self._whole_since = whole_since
        self._came = came
        self._tracks: OrderedDict[SeriesName, _Track] = OrderedDict()
        self._pieces: set[asyncio.Task[tuple[bool, bool]]] = set()

    async def fill(
        self, wanted: Wanted, start: int, end: int, report: Report | None = None
    ) -> Tail:
        """Return what is not final of ``start`` to ``end`` when the store has all the rest.
        Raises :class:`AppError`; what came before is kept."""
        track = self._track(wanted.name)
        if report is not None:
            track.reports.append(report)
        try:
            async with track.lock:
                await self._fill(wanted, track, start, end)
            return track.tail._replace(bars=part(track.tail.bars, start, end))
        finally:
            if report is not None:
                track.reports.remove(report)

    def tail(self, name: SeriesName) -> Tail:
        """What was not final in the last answer."""
        track = self._tracks.get(name)
        return _NO_TAIL if track is None else track.tail

    def _track(self, name: SeriesName) -> _Track:
        track = self._tracks.get(name)
        if track is None:
            track = self._tracks[name] = _Track()
            for old, idle in tuple(self._tracks.items())[: len(self._tracks) - _MOST_TRACKS]:
                if not idle.lock.locked() and not idle.reports:
                    del self._tracks[old]
        self._tracks.move_to_end(name)
        return track

    async def _fill(self, wanted: Wanted, track: _Track, start: int, end: int) -> None:
        if track.piece is not None and not track.piece.done():
            with suppress(AppError):  # of an asker who gave up
                await asyncio.shield(track.piece)
        pieces = await self._missing_pieces(wanted, track, start, end)
        done, again, empty = 0, True, 0
        while done < len(pieces):
            first, last = pieces[done]
            _tell(track, done, len(pieces))
            task = asyncio.ensure_future(self._ask(wanted, track, first, last))
            track.piece = task
            self._pieces.add(task)
            task.add_done_callback(self._asked)
            found, adjusted = await asyncio.shield(task)
            done += 1
            if adjusted and again:
                pieces = await self._missing_pieces(wanted, track, start, end)
                done, again = 0, False
            empty = 0 if found else empty + last - first + 1
            if empty >= _UNLISTED and wanted.key[0] in DERIVATIVE_EXCHANGES:
                track.listed = first
                break
        _tell(track, len(pieces), len(pieces))

    def _asked(self, task: asyncio.Task[tuple[bool, bool]]) -> None:
        self._pieces.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits has it; perhaps nobody does any more

    def forget(self, lasts: Callable[[str], bool]) -> None:
        """The clock was set: answers of sources that do not last say nothing any more."""
        for name, track in self._tracks.items():
            if not lasts(name.source):
                track.tail = _NO_TAIL

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._pieces:
            task.cancel()
        await asyncio.gather(*self._pieces, return_exceptions=True)

    # -- what is missing --------------------------------------------------------------------
    async def _missing_pieces(
        self, wanted: Wanted, track: _Track, start: int, end: int
    ) -> list[tuple[int, int]]:
        """What to ask for, inclusive ranges of day numbers as long as the source allows, newest
        first; before these the ones that show whether what is kept still holds. Where such a one
        fails nothing else has come: no new bars stand beside old ones that nobody compared."""
        now, span = self._clock.time(), wanted.span
        start = max(start, day_start(_FIRST_DAY, span))
        end = min(end, on_axis(now, span) + 1)
        days: list[Range] = []
        seams: list[int] = []
        for first, last in await self._store.gaps(wanted.name, start, end):
            if track.tail.start <= first and self._is_fresh(wanted, track.tail, now):
                continue
            if not self._traded(wanted, first, last, now):
                continue
            kept = await self._kept_before(wanted, first)
            seams += [] if kept is None else [kept]
            since = axis_day(first, span) if kept is None else min(axis_day(first, span), kept)
            days.append((max(since, track.listed), axis_day(last - 1, span) + 1))
        pieces = self._cut(wanted, united(days))
        pieces.sort(key=lambda piece: not any(piece[0] <= day <= piece[1] for day in seams))
        return pieces

    async def missing(self, wanted: Wanted, start: int, end: int) -> list[Range]:
        """The parts of ``start`` to ``end`` that nobody gave although the exchange was open, from
        the first to the last moment of trade, on the span's axis. Asks nobody."""
        now, span = self._clock.time(), wanted.span
        track, end = self._tracks.get(wanted.name), min(end, on_axis(now, span) + 1)
        tail, listed = _NO_TAIL, 0
        if track is not None:
            tail, listed = track.tail, track.listed
        told = on_axis(tail.asked, span) + (1 if span.is_intraday else DAY)
        if self._is_fresh(wanted, tail, now):
            told = max(told, end)
        given = [(tail.start, told)] if tail.start < told else []
        gaps = await self._store.gaps(wanted.name, max(start, day_start(listed, span)), end)
        parts = [part for gap in gaps for part in missing(given, *gap)]
        return [found for part in parts if (found := self._edges(wanted, *part)) is not None]

    def _edges(self, wanted: Wanted, first: int, last: int) -> Range | None:
        """What of it the exchange was open in; less than a source may be late is nothing."""
        span, exchange = wanted.span, wanted.key[0]
        if span.is_intraday:
            found = self._hours.edges(exchange, first, last)
            if found is None or found[1] - found[0] < SETTLE:
                return None
            return int(found[0]), int(found[1])
        begin, end = (day_start(moment // DAY, _SECOND) for moment in (first, last + DAY - 1))
        found = self._hours.edges(exchange, begin, end)
        if found is None:
            return None
        return on_axis(found[0], span), on_axis(found[1] - 1, span) + DAY

    def _is_fresh(self, wanted: Wanted, tail: Tail, now: float) -> bool:
        """Whether the last answer and the ticks since then are all there is."""
        asked = tail.asked
        if 0 <= now - asked < _FRESH:
            return True
        if self._whole_since(wanted.key, wanted.span) <= asked and ist_date(asked) == ist_date(now):
            return True  # of yesterday the source's own bars take the place of those heard
        return asked <= now and not self._hours.traded(wanted.key[0], asked - SETTLE, now)

    def _traded(self, wanted: Wanted, first: int, last: int, now: float) -> bool:
        span, exchange = wanted.span, wanted.key[0]
        if span.is_intraday:
            return self._hours.traded(exchange, first, min(last, now))
        begin, end = (day_start(moment // DAY, _SECOND) for moment in (first, last + DAY - 1))
        return self._hours.traded(exchange, begin, min(end, now))

    async def _kept_before(self, wanted: Wanted, gap: int) -> int | None:
        """The day of the last bar before a gap, which is asked too, to see whether it still
        holds."""
        kept = await self._store.get(wanted.name, gap - 15 * DAY, gap)
        return axis_day(int(kept.time[-1]), wanted.span) if len(kept) else None

    def _cut(self, wanted: Wanted, days: Sequence[Range]) -> list[tuple[int, int]]:
        """Inclusive pieces as long as the source allows, newest first."""
        most = max(1, self._source.history_days(wanted.interval))
        pieces = []
        for first, before in reversed(days):
            ends = range(before - 1, first - 1, -most)
            pieces += [(max(first, end - most + 1), end) for end in ends]
        return pieces

    # -- asking -----------------------------------------------------------------------------
    async def _ask(self, wanted: Wanted, track: _Track, first: int, last: int) -> tuple[bool, bool]:
        """One piece; whether it has bars, and whether it shows that all past ones were adjusted
        (those are forgotten then)."""
        span, asked, now = wanted.span, self._clock.surely(), self._clock.time()
        days = number_date(first), number_date(last)
        bars = await self._source.history(wanted.key, wanted.interval, *days)
        if self._source_name() != wanted.name.source:
            return True, False  # another account came meanwhile: nobody knows whose bars these are
        start, end = day_start(first, span), day_start(last + 1, span)
        bars = part(merged([dealt(bars)]), start, min(end, on_axis(self._clock.time(), span) + 1))
        final = min(end, self._hours.final(wanted.key[0], wanted.rhythm, now))
        settled = part(bars, start, final)
        recent = day_start(axis_day(on_axis(now, span), span) - _RECENT, span)
        if final > recent and not len(await self._store.get(wanted.name, final, end + 15 * DAY)):
            final = max(min(recent, final), min(final, _after(settled, wanted)))
        kept = await self._store.get(wanted.name, start, final)
        adjusted = is_adjusted(kept, settled)
        if adjusted:
            log.info("%s shows %s %s adjusted; they are asked anew", *wanted.name[:3])
            self._store.forget(wanted.name)
        if final > start:
            await self._store.append(wanted.name, settled, start, final)
        if end > on_axis(now, span):
            track.tail = Tail(part(bars, max(start, final), end), max(start, final), asked)
            self._came(wanted, track.tail._replace(bars=bars))
        return bool(len(bars)), adjusted


_SECOND = Span.parse("1s")


def _after(bars: Bars, wanted: Wanted) -> int:
    """The end of the last bar, on its axis."""
    if not len(bars):
        return 0
    return int(bars.time[-1]) + (wanted.span.seconds or DAY)


def _tell(track: _Track, done: int, count: int) -> None:
    for report in tuple(track.reports):
        report(Progress(done, count, f"Loading {done + 1} of {count}…" if done < count else ""))
