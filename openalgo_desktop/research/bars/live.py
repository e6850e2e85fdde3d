"""Forming bars for whoever follows them, each built once; one timer ends them all."""

from __future__ import annotations

import asyncio
import heapq
import logging
import math
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Protocol, TypeAlias

import numpy as np

from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars, Tick
from openalgo_desktop.research.bars.builder import BarBuilder, BuiltBar
from openalgo_desktop.research.bars.exchange_clock import ExchangeClock
from openalgo_desktop.research.bars.hours import Hours

log = logging.getLogger(__name__)

Followed: TypeAlias = tuple[Key, Span]
Listener: TypeAlias = Callable[[LiveBar], None]

#: A bar is closed so long after its end: trades of its last moment are still on their way. Seconds.
GRACE = 1.0
#: The timer looks at least so often, seconds: a clock may be set.
_LOOK = 1.0
#: Closed bars that are kept of one instrument and span: a day of seconds.
_KEPT = 25_000
#: A feed that tells nothing of an instrument for so long after it was asked was not asked; seconds.
_HEARD_WITHIN = 10.0
#: Bars go on being built so long after nobody wants them, seconds, and so many of them: whoever
#: comes back finds them without a request.
LINGER = 300.0
MOST_LINGERING = 12


class Ticks(Protocol):
    """Where every tick comes from: the market hub."""

    @property
    def sound(self) -> bool: ...
    def refusal(self, key: Key) -> str: ...
    def watch(
        self, key: Key, mode: FeedMode, listener: Callable[[Tick], None]
    ) -> Callable[[], None]: ...


class _Follow:
    """One instrument and span: who listens, its builder, and what was closed of late."""

    def __init__(self, builder: BarBuilder, began: float) -> None:
        self.builder = builder
        self.listeners: list[Listener] = []
        self.closed: deque[BuiltBar] = deque(maxlen=_KEPT)
        self.began = (
            began  # asked for ticks then, epoch seconds; infinity while the feed is not sound
        )
        self.last_trade = 0
        self.idle_since: float | None = None  # our monotonic clock; None: somebody listens
        self.stop: Callable[[], None] = lambda: None

    def tell(self, changes: tuple[BuiltBar, ...]) -> None:
        for built in changes:
            if built.bar.closed:
                self.closed.append(built)
            for listener in tuple(self.listeners):
                try:
                    listener(built.bar)
                except Exception:
                    log.exception("who follows a bar failed")


class LiveBars:
    """All builders. Calls come on the loop; the timer runs while there is something to build."""

    def __init__(self, ticks: Ticks, clock: Clock, hours: Hours) -> None:
        self._ticks = ticks
        self._clock = clock
        self._hours = hours
        self.exchange_clock = ExchangeClock(clock)
        self._follows: dict[Followed, _Follow] = {}
        self._ends: list[tuple[float, int, Followed]] = []
        self._number = count()
        self._timer: asyncio.TimerHandle | None = None

    # -- who wants what ---------------------------------------------------------------------
    def follow(self, key: Key, span: Span, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` of each change; gives the stop call."""
        found = self._want(key, span)
        found.listeners.append(listener)
        found.idle_since = None

        def stop() -> None:
            if listener in found.listeners:
                found.listeners.remove(listener)
                if not found.listeners:
                    found.idle_since = self._clock.monotonic()
                    self._tidy()

        return stop

    def keep(self, key: Key, span: Span) -> None:
        """Build these bars for a while, although nobody listens yet."""
        found = self._want(key, span)
        if not found.listeners:
            found.idle_since = self._clock.monotonic()
            self._tidy()

    def _want(self, key: Key, span: Span) -> _Follow:
        name = (key, span)
        found = self._follows.get(name)
        if found is None:
            found = self._follows[name] = self._start(key, span)
            self._arm()
        return found

    def _start(self, key: Key, span: Span) -> _Follow:
        began = self.exchange_clock.surely() if self._ticks.sound else math.inf
        found = _Follow(self._builder(key[0], span), began)
        found.stop = self._ticks.watch(
            key, FeedMode.QUOTE, lambda tick: self._take((key, span), found, tick)
        )
        return found

    def _builder(self, exchange: str, span: Span) -> BarBuilder:
        hours = self._hours
        rhythm = hours.rhythm(exchange, span)
        return BarBuilder(
            rhythm,
            lambda start: hours.end(exchange, rhythm, start),
            lambda moment, dated: hours.admits(exchange, moment, dated),
            self.exchange_clock.time,
        )

    def _tidy(self) -> None:
        """End the builders that nobody wants any more."""
        now = self._clock.monotonic()
        idle = sorted(
            (found.idle_since, number, name)
            for number, (name, found) in enumerate(self._follows.items())
            if found.idle_since is not None
        )
        most = len(idle) - MOST_LINGERING
        for place, (since, _, name) in enumerate(idle):
            if place < most or now - since > LINGER:
                self._follows.pop(name).stop()

    def close(self) -> None:
        """End all."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for found in self._follows.values():
            found.stop()
        self._follows.clear()
        self._ends.clear()

    # -- reading ----------------------------------------------------------------------------
    @property
    def count(self) -> int:
        """Builders that run."""
        return len(self._follows)

    def forming(self, key: Key, span: Span) -> LiveBar | None:
        """The last bar."""
        found = self._follows.get((key, span))
        return None if found is None else found.builder.bar

    def whole_since(self, key: Key, span: Span) -> float:
        """Since when no tick is missing, exchange's epoch seconds; infinity when some are."""
        found = self._follows.get((key, span))
        if found is None or not self._ticks.sound or self._ticks.refusal(key):
            return math.inf
        since, waits = found.builder.since, self.exchange_clock.surely() - found.began
        # Until a feed is late that told nothing yet, nothing was dealt.
        return found.began if since == math.inf and waits <= _HEARD_WITHIN else since

    def is_whole(self, key: Key, span: Span) -> bool:
        """Whether no tick of the last bar is missing."""
        found = self._follows.get((key, span))
        return found is not None and found.builder.bar is not None and found.builder.whole

    def built(self, key: Key, span: Span, start: int) -> tuple[Bars, Bars]:
        """Bars from ``start`` on that were built of late: those with a part missing; the whole
        ones and the forming one, which has what the source told of it."""
        found = self._follows.get((key, span))
        if found is None:
            return Bars.empty(), Bars.empty()
        rows = [row for row in found.closed if row.bar.time >= start]
        whole = [row.bar for row in rows if row.whole]
        last = found.builder.bar
        if last is not None and not last.closed and last.time >= start:
            whole.append(last)
        return _table([row.bar for row in rows if not row.whole]), _table(whole)

    # -- events -----------------------------------------------------------------------------
    def _take(self, name: Followed, found: _Follow, tick: Tick) -> None:
        builder = found.builder
        if builder.since == math.inf:
            self._heard(found)
        if tick.ltt > found.last_trade:
            if found.last_trade:
                self.exchange_clock.traded(tick.ltt / 1000)
            found.last_trade = tick.ltt
        changes = builder.take(tick)
        if changes:
            if changes[-1].bar.began:
                self._await_end(name, builder)
            found.tell(changes)

    def _heard(self, found: _Follow) -> None:
        """The first tick: ticks are complete since it was asked for, if that was just now."""
        now = self.exchange_clock.surely()
        late = now - found.began > _HEARD_WITHIN
        found.builder.since = now if late else min(found.began, now)

    def seed(self, key: Key, span: Span, bars: Bars, asked: float, final: int = 0) -> None:
        """The source's bars up to now, ``asked`` for at that moment (epoch seconds); of those
        before ``final`` ours are not needed any more."""
        found = self._follows.get((key, span))
        if found is None or not len(bars):
            return
        while found.closed and found.closed[0].bar.time < final:
            found.closed.popleft()
        changes = found.builder.seed(_last(bars), asked)
        if changes:
            self._await_end((key, span), found.builder)
            found.tell(changes)

    def interrupted(self, key: Key | None = None) -> None:
        """Ticks of ``key`` (of all when None) are missing until the feed speaks again."""
        for (of, _), found in self._follows.items():
            if key in (None, of):
                found.builder.interrupted()
                found.began = math.inf

    def resumed(self, key: Key | None = None) -> list[Followed]:
        """The feed of ``key`` (of all when None) is there; gives those that somebody listens to
        and that ticks were missing of."""
        now = self.exchange_clock.surely()
        again = []
        for name, found in self._follows.items():
            if key in (None, name[0]) and found.began == math.inf:
                found.began = now
                if found.listeners:
                    again.append(name)
        return again

    def reset(self) -> list[Followed]:
        """Other prices come from now on, or the calendar is another one: what was built goes.
        Gives those that somebody listens to."""
        for (key, span), found in self._follows.items():
            found.builder = self._builder(key[0], span)
            found.closed.clear()
            found.last_trade = 0
            found.began = self.exchange_clock.surely() if self._ticks.sound else math.inf
        self._ends.clear()
        return [name for name, found in self._follows.items() if found.listeners]

    # -- the timer --------------------------------------------------------------------------
    def _await_end(self, name: Followed, builder: BarBuilder) -> None:
        heapq.heappush(self._ends, (float(builder.end), next(self._number), name))

    def _arm(self) -> None:
        if self._timer is None and self._follows:
            self._timer = asyncio.get_running_loop().call_later(self._wait(), self._look)

    def _wait(self) -> float:
        if not self._ends:
            return _LOOK
        return min(_LOOK, max(0.02, self._ends[0][0] + GRACE - self.exchange_clock.time()))

    def _look(self) -> None:
        self._timer = None
        self.close_due()
        self._tidy()
        self._arm()

    def close_due(self) -> None:
        """End the bars that are over."""
        now = self.exchange_clock.time() - GRACE
        while self._ends and self._ends[0][0] <= now:
            _, _, name = heapq.heappop(self._ends)
            found = self._follows.get(name)
            if found is not None:
                found.tell(found.builder.close(now))


def _last(bars: Bars) -> LiveBar:
    o, h, low, c = bars.open[-1], bars.high[-1], bars.low[-1], bars.close[-1]
    oi = float(bars.oi[-1]) or math.nan
    volume = float(bars.volume[-1])
    return LiveBar(
        int(bars.time[-1]), float(o), float(h), float(low), float(c), volume, oi, began=False
    )


def _table(rows: list[LiveBar]) -> Bars:
    if not rows:
        return Bars.empty()
    time, o, h, low, c, volume, oi, _, _ = zip(*rows, strict=True)
    prices = [np.array(column, np.float64) for column in (o, h, low, c)]
    traded, interest = (np.nan_to_num(np.array(units)).astype(np.int64) for units in (volume, oi))
    return Bars(
        np.array(time, np.int64), prices[0], prices[1], prices[2], prices[3], traded, interest
    )
