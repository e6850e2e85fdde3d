"""Bars for charts, alerts and replay: what is kept, what has to be asked for, and the live ones.

Of bars that a source gave as final nothing is asked again. Those that were built live fill the
time since the last request; they are never stored, and the source's take their place as soon as it
is asked for that time again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import date
from typing import Any, Protocol

from openalgo_desktop.core.charting.ports import BarSource, LiveBar, Progress
from openalgo_desktop.core.charting.resample import resample, source_of
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import Clock, JumpWatch
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.research.bars.files import SeriesName
from openalgo_desktop.research.bars.hours import (
    DAY,
    Hours,
    axis_day,
    day_number,
    day_start,
    on_axis,
)
from openalgo_desktop.research.bars.live import Followed, LiveBars, Ticks
from openalgo_desktop.research.bars.loads import Loads, Source, Tail, Wanted
from openalgo_desktop.research.bars.store import BarStore
from openalgo_desktop.research.bars.tables import merged, part

log = logging.getLogger(__name__)

#: A bar that is followed has its beginning asked for after this, seconds, unless somebody loads
#: the history anyway: a chart does both at once.
SEED_AFTER = 0.5
#: Bars that are joined on the loop; more of them in a thread.
_ON_LOOP = 20_000
_SECOND = Span.parse("1s")


def _bases(span: Span) -> list[Span]:
    """Of which bars of a source those of ``span`` may have been made, the likeliest first."""
    offered, found = list(Interval), []
    while (base := source_of(span, offered)) is not None and base.interval in offered:
        found.append(base)
        offered.remove(base.interval)
    return found


class Hub(Ticks, Source, Protocol):
    """The market hub, as far as bars need it."""


class BarService(BarSource):
    """``source_name`` says whose prices the hub has now, ``lasts`` whose bars stay true."""

    def __init__(
        self,
        hub: Hub,
        clock: Clock,
        hours: Hours,
        store: BarStore,
        source_name: Callable[[], str],
        lasts: Callable[[str], bool] = lambda source: True,
    ) -> None:
        self._hub = hub
        self._hours = hours
        # Of exchanges and spans: since when and until when a bar runs.
        self._running: dict[tuple[str, Span], tuple[float, float]] = {}
        self._store = store
        self._source_name = source_name
        self._lasts = lasts
        self._jumps = JumpWatch(clock)
        self.live = LiveBars(hub, clock, hours)
        self._loads = Loads(
            store,
            hub,
            hours,
            self.live.exchange_clock,
            source_name,
            self.live.whole_since,
            self._seeded,
        )
        self._built_of = ""  # whose prices the live bars are made of
        self._seeds: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()

    async def close(self) -> None:
        """Give up what is under way, finish writing."""
        for timer in self._timers:
            timer.cancel()
        for task in self._seeds:
            task.cancel()
        await asyncio.gather(*self._seeds, return_exceptions=True)
        self.live.close()
        await self._loads.close()
        await self._store.close()

    # -- history ----------------------------------------------------------------------------
    def base(self, span: Span) -> Span | None:
        """Of which bars of the source those of ``span`` are made: itself where it has them; None
        when only ticks make them. Raises :class:`NotConnected`."""
        offered: Sequence[Interval] = self._hub.intervals()
        if not span.is_intraday and Interval.DAY in offered:
            offered = [Interval.DAY]  # weeks begin on another day with each broker
        return source_of(span, offered)

    async def get(
        self,
        key: Key,
        span: Span,
        start: int,
        end: int,
        progress: Callable[[Progress], None] | None = None,
    ) -> Bars:
        """See :class:`BarSource`. A span that the source lacks is made of a shorter one; of one
        that only ticks make there are the bars that were built since somebody follows it."""
        self._look_around()
        base = self.base(span)
        if base is None:
            self._keep(key, span, end)
            return part(merged(self.live.built(key, span, start)), start, end)
        if base == span:
            bars, _ = await self._of_source(key, span, start, end, progress)
            return bars
        rhythm = self._hours.rhythm(key[0], span)
        first, before = self._whole_bars(key[0], rhythm, base, start, end)
        short, tail = await self._of_source(key, base, first, before, progress)
        if len(short) > _ON_LOOP:
            bars = await asyncio.to_thread(resample, short, base, rhythm)
        else:
            bars = resample(short, base, rhythm)
        if self._reaches_now(span, end):
            self.live.seed(key, span, bars, tail.asked)
        return part(bars, start, end)

    async def kept_of_days(self, key: Key, span: Span, first: date, last: date) -> Bars:
        """What is kept of an inclusive range of IST dates, without asking anybody, also while no
        account is connected: the own bars of the span, else those of the longest that makes
        it."""
        start, end = day_start(day_number(first), span), day_start(day_number(last) + 1, span)
        for base in _bases(span):
            wanted, rhythm = self._wanted(key, base), self._hours.rhythm(key[0], span)
            tail = self._loads.tail(wanted.name)
            if base == span:
                bars = await self._with_latest(wanted, tail, start, end)
            else:
                since, before = self._whole_bars(key[0], rhythm, base, start, end)
                short = await self._with_latest(wanted, tail, since, before)
                bars = part(await asyncio.to_thread(resample, short, base, rhythm), start, end)
            if len(bars):
                return bars
        return Bars.empty()

    async def missing_of_days(
        self, key: Key, span: Span, first: date, last: date
    ) -> list[tuple[int, int]]:
        """The parts of an inclusive range of IST dates that no source gave yet although there was
        trade (``from, before`` on the axis of the span, ascending), asking nobody: holes in what
        :meth:`kept_of_days` gives. A day without trade is none of them."""
        start, end = day_start(day_number(first), span), day_start(day_number(last) + 1, span)
        for base in _bases(span):
            wanted, rhythm = self._wanted(key, base), self._hours.rhythm(key[0], span)
            since, before = start, end
            if base != span:
                since, before = self._whole_bars(key[0], rhythm, base, start, end)
            if await self._store.known(wanted.name):
                gaps = await self._loads.missing(wanted, since, before)
                if base.is_intraday == span.is_intraday:
                    return gaps
                return [(on_axis(a, span), on_axis(b - 1, span) + DAY) for a, b in gaps]
        return []

    def _whole_bars(
        self, exchange: str, rhythm: Rhythm, base: Span, start: int, end: int
    ) -> tuple[int, int]:
        """The times of bars of ``base`` of which all bars of the rhythm that begin in ``start <=
        time < end`` are made: the last one may end later."""
        span = rhythm.span
        first = day_start(axis_day(start, span), base)
        if not span.is_intraday:
            first = day_start(axis_day(rhythm.start(first), span), base)
        if self._reaches_now(span, end):
            return first, end if span.is_intraday else day_start(axis_day(end - 1, span) + 1, base)
        within = end - 1 if span.is_intraday else day_start(axis_day(end - 1, span), _SECOND)
        over = self._hours.end(exchange, rhythm, rhythm.start(within))
        return first, max(end, over) if base.is_intraday else on_axis(over - 1, base) + DAY

    async def of_days(
        self,
        key: Key,
        span: Span,
        first: date,
        last: date,
        progress: Callable[[Progress], None] | None = None,
    ) -> Bars:
        """:meth:`get` of an inclusive range of IST dates."""
        start, end = day_start(day_number(first), span), day_start(day_number(last) + 1, span)
        return await self.get(key, span, start, end, progress)

    async def _of_source(
        self,
        key: Key,
        span: Span,
        start: int,
        end: int,
        progress: Callable[[Progress], None] | None,
    ) -> tuple[Bars, Tail]:
        self._keep(key, span, end)
        wanted = self._wanted(key, span)
        tail = await self._loads.fill(wanted, start, end, progress)
        return await self._with_latest(wanted, tail, start, end), tail

    def _wanted(self, key: Key, span: Span) -> Wanted:
        interval = span.interval
        assert interval is not None
        name = SeriesName(self._source_name(), key[0], key[1], span.text)
        return Wanted(name, key, interval, self._hours.rhythm(key[0], span))

    async def _with_latest(self, wanted: Wanted, tail: Tail, start: int, end: int) -> Bars:
        """What is kept, what is not final of the last answer, and what was built since."""
        kept = await self._store.get(wanted.name, start, end)
        partial, whole = self.live.built(wanted.key, wanted.span, start)
        latest = part(merged([partial, tail.bars, whole]), start, end)
        if len(kept):  # nothing is sorted that is long
            latest = part(latest, int(kept.time[-1]) + 1, end)
        return merged([kept, latest])

    def _keep(self, key: Key, span: Span, end: int) -> None:
        """Bars up to now are wanted: build what comes, so that they need not be asked again."""
        now = self.live.exchange_clock.time()
        if self._reaches_now(span, end) and self._hours.running(key[0], now) is not None:
            self.live.keep(key, span)

    def _reaches_now(self, span: Span, end: int) -> bool:
        return end > on_axis(self.live.exchange_clock.time(), span)

    # -- live -------------------------------------------------------------------------------
    def follow(
        self, key: Key, span: Span, listener: Callable[[LiveBar], None]
    ) -> Callable[[], None]:
        self._look_around()
        stops = [self.live.follow(key, span, listener)]
        try:
            base = self.base(span)
        except AppError:
            base = None
        if base is not None and base != span:  # so that its history need not be asked again
            stops.append(self.live.follow(key, base, lambda bar: None))
        self._seed_later(key, span)

        def stop() -> None:
            for call in stops:
                call()

        return stop

    def forming(self, key: Key, span: Span) -> LiveBar | None:
        return self.live.forming(key, span)

    def countdown(self, key: Key, span: Span) -> float | None:
        now = self.live.exchange_clock.time()
        since, until = self._running.get((key[0], span), (now, now))
        if not since <= now < until:  # another bar, or the clock was set
            left = self._hours.countdown(key[0], self._hours.rhythm(key[0], span), now)
            if left is None:
                return None
            until = now + left
            self._running[key[0], span] = (now, until)
        return until - now

    def _seed_later(self, key: Key, span: Span) -> None:
        def begin() -> None:
            self._timers.discard(timer)
            self._spawn(self._seed(key, span))

        timer = asyncio.get_running_loop().call_later(SEED_AFTER, begin)
        self._timers.add(timer)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="forming bar")
        self._seeds.add(task)
        task.add_done_callback(self._seeds.discard)

    def _seeded(self, wanted: Wanted, tail: Tail) -> None:
        self.live.seed(wanted.key, wanted.span, tail.bars, tail.asked, tail.start)

    async def _seed(self, key: Key, span: Span) -> None:
        """Ask for the part of the forming bar that nobody heard."""
        now = self.live.exchange_clock.time()
        if self.live.is_whole(key, span) or self._hours.running(key[0], now) is None:
            return
        start = self._hours.rhythm(key[0], span).start(now)
        try:
            await self.get(key, span, start, on_axis(now, span) + 1)
        except AppError as error:
            log.info("the forming bar of %s:%s has no beginning: %s", *key, error.message)

    # -- what happens around -----------------------------------------------------------------
    def feed_changed(self, connected: bool) -> None:
        """The feed of the data account came, went or is another one's."""
        self._look_around()
        if not connected:
            self.live.interrupted()
            return
        self._seed_all(self.live.resumed())

    def refused(self, key: Key, reason: str) -> None:
        """An instrument is not streamed, or (with an empty reason) is again."""
        if reason:
            self.live.interrupted(key)
        else:
            self._seed_all(self.live.resumed(key))

    def rebuild(self) -> None:
        """Bars begin at other times now (the calendar was amended): what was built goes."""
        self._seed_all(self.live.reset())

    def forget_passing(self) -> None:
        """What sources that do not last told is no more true: a simulated market was moved."""
        self._store.forget_passing()
        self._loads.forget(self._lasts)
        self.rebuild()

    def _seed_all(self, followed: list[Followed]) -> None:
        for key, span in followed:
            self._seed_later(key, span)

    def _look_around(self) -> None:
        """After a jump of the clock (it was set, the computer slept) ticks are missing, and what a
        simulated market said of other times is not what it says now. Another account's ticks do
        not go on with the bars of this one."""
        source, self._built_of = self._built_of, self._source_name()
        if self._jumps.look():
            self.forget_passing()
        elif source != self._built_of:
            self.rebuild()
