"""The forming bar of one instrument and span, of every tick. Pure: time is told."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.span import SpanUnit
from openalgo_desktop.core.clock import IST_OFFSET_SECONDS
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.research.bars.hours import DAY, ist_midnight

_NAN = math.nan
isnan = math.isnan


class BuiltBar(NamedTuple):
    """A bar as it was built; ``whole`` when no tick of it can be missing."""

    bar: LiveBar
    whole: bool


class BarBuilder:
    """Feeds on ticks in the order in which they come. A step does not depend on how many bars or
    ticks there were.

    A bar begins with a tick and ends by the exchange's clock (:meth:`close`) or with the first
    tick after it. What comes later than that never changes it. Bars keep the rhythm of the
    history they continue (:meth:`seed`). ``end_of`` tells when a bar is over (epoch seconds);
    ``admits`` whether a tick of a moment, with or without the exchange's own time, may begin one;
    ``now`` what time it is at the exchange.
    """

    def __init__(
        self,
        rhythm: Rhythm,
        end_of: Callable[[int], int],
        admits: Callable[[float, bool], bool],
        now: Callable[[], float],
    ) -> None:
        self._rhythm = rhythm
        self._end_of = end_of
        self._admits = admits
        self._now = now
        self._intraday = rhythm.span.is_intraday
        self._one_day = rhythm.span.unit is SpanUnit.DAY and rhythm.span.count == 1
        self._shift = 0  # of the history's bars against the rhythm, seconds
        self._day_volume: int | None = None
        self._volume_at = 0.0  # moment of the tick that told it
        self._midnight = 0  # end of its day, epoch seconds
        self._bar: LiveBar | None = None
        self._begin = 0  # epoch seconds, also of a day
        self._end = 0
        #: Since when no tick was missed, epoch seconds; infinity while they are.
        self.since = math.inf
        self._told = -math.inf  # when the source told what was missed of this bar
        self._lost = -math.inf  # when ticks were lost and none came since; infinity once one came

    # -- reading ----------------------------------------------------------------------------
    @property
    def bar(self) -> LiveBar | None:
        """The last bar, forming or closed."""
        return self._bar

    @property
    def whole(self) -> bool:
        """Whether no tick of the last bar can be missing."""
        return self.since <= max(self._begin, self._told)

    @property
    def forms(self) -> bool:
        """Whether the last bar is not closed."""
        return self._bar is not None and not self._bar.closed

    @property
    def end(self) -> int:
        """When the last bar is over, epoch seconds."""
        return self._end

    # -- ticks ------------------------------------------------------------------------------
    def take(self, tick: Tick) -> tuple[BuiltBar, ...]:
        """What a tick changes: nothing, the forming bar, or the end of one and the next one. The
        last trade before we listened is no bar when its time is over."""
        price = tick.ltp
        if price <= 0 or not tick.knows(Part.LTP):
            return ()
        self._lost = math.inf
        moment = (tick.ltt or tick.timestamp) / 1000
        traded = self._traded(tick, moment)
        bar = self._bar
        if bar is not None:
            if moment < self._begin:
                return ()
            if moment < self._end:
                return () if bar.closed else self._changed(bar, price, traded, tick)
        start = self._start(moment)
        if (bar is not None and start <= bar.time) or not self._admits(moment, bool(tick.ltt)):
            return ()
        if self.since > moment and self._ends(start) <= self._now():
            return ()
        return (*self._closed(bar), *self._begun(start, price, traded, tick))

    def _start(self, moment: float) -> int:
        return self._rhythm.start(moment - self._shift) + self._shift

    def _begun(self, start: int, price: float, traded: float, tick: Tick) -> tuple[BuiltBar, ...]:
        self._set_ends(start)
        oi = float(tick.oi) if tick.oi and tick.knows(Part.OI) else self._last_oi
        bar = LiveBar(start, price, price, price, price, traded, oi, True)
        self._told = -math.inf
        self._bar = bar
        return self._changed(bar, price, _NAN, tick, began=True)  # its units are in the bar

    def _changed(
        self, bar: LiveBar, price: float, traded: float, tick: Tick, *, began: bool = False
    ) -> tuple[BuiltBar, ...]:
        high = price if price > bar.high else bar.high
        low = price if price < bar.low else bar.low
        opened, volume, oi = bar.open, bar.volume, bar.oi
        if not isnan(traded):
            volume = traded if isnan(volume) else volume + traded
        if tick.oi and tick.knows(Part.OI):
            oi = float(tick.oi)
        if not self._intraday and tick.knows(Part.DAY) and tick.high > 0 and tick.low > 0:
            high, low = max(high, tick.high), min(low, tick.low)
            if self._one_day:  # the exchange's own figures of the day
                opened = tick.open or opened
                told = float(tick.volume)  # a fall means a reconnect: a day's volume never does
                volume = told if isnan(bar.volume) else max(bar.volume, told)
        new = LiveBar(bar.time, opened, high, low, price, volume, oi, began)
        if new[1:7] == bar[1:7] and not began:  # a quote without a trade
            return ()
        self._bar = new
        return (BuiltBar(new, self.whole),)

    def _traded(self, tick: Tick, moment: float) -> float:
        """Units traded since the tick before, NaN where nobody tells."""
        if not tick.knows(Part.DAY):
            return _NAN
        before, volume = self._day_volume, tick.volume
        if before is not None and volume < before and moment < self._volume_at:
            return 0.0  # it comes late: its units are in what was told already
        if moment >= self._midnight:
            self._midnight = ist_midnight(ist_day(moment) + 1)
            before = None if before is None else 0  # the first of its day
        if volume or before is None:
            self._day_volume, self._volume_at = volume, moment
        # A fall means a reconnect: nothing can be said about that step.
        return 0.0 if before is None else float(max(0, volume - before))

    @property
    def _last_oi(self) -> float:
        return _NAN if self._bar is None else self._bar.oi

    # -- time -------------------------------------------------------------------------------
    def close(self, now: float) -> tuple[BuiltBar, ...]:
        """End the forming bar when it is over at ``now`` (epoch seconds at the exchange)."""
        return self._closed(self._bar) if self.forms and now >= self._end else ()

    def _closed(self, bar: LiveBar | None) -> tuple[BuiltBar, ...]:
        if bar is None or bar.closed:
            return ()
        self._bar = bar._replace(began=False, closed=True)
        return (BuiltBar(self._bar, self.whole),)

    def _set_ends(self, start: int) -> None:
        self._begin = start if self._intraday else ist_midnight(start // DAY)
        self._end = self._ends(start)

    def _ends(self, start: int) -> int:
        return self._end_of(start - self._shift) + self._shift

    def interrupted(self) -> None:
        """Ticks are missing from now on, until :attr:`since` is set again."""
        self.since = math.inf
        self._told = -math.inf
        self._lost = self._now()

    # -- history ----------------------------------------------------------------------------
    def seed(self, told: LiveBar, asked: float) -> tuple[BuiltBar, ...]:
        """The source's last bar, ``asked`` for at that moment: what was missed of the forming one
        is in it, and its end where nothing was heard since ticks were lost. A later bar than ours
        becomes ours."""
        if self._intraday:
            self._shift = told.time - self._rhythm.start(told.time)
        bar = self._bar
        if bar is not None and (told.time < bar.time or (bar.closed and told.time == bar.time)):
            return ()
        self._told = asked
        if bar is None or told.time > bar.time:
            self._set_ends(told.time)
            over = self._end <= self._now()
            self._bar = told._replace(began=True, closed=over)
            return () if over else (BuiltBar(self._bar, self.whole),)
        volume = told.volume if isnan(bar.volume) else max(bar.volume, told.volume)
        newer = asked >= self._lost
        oi = told.oi if isnan(bar.oi) or (newer and not isnan(told.oi)) else bar.oi
        close = told.close if newer else bar.close
        high, low = max(bar.high, told.high), min(bar.low, told.low)
        self._bar = LiveBar(bar.time, told.open, high, low, close, volume, oi, False)
        return (BuiltBar(self._bar, self.whole),)


def ist_day(moment: float) -> int:
    """Day number of an epoch second."""
    return int(moment + IST_OFFSET_SECONDS) // DAY
