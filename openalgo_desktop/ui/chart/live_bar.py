"""Joins live ticks to the last candle of a history."""

from __future__ import annotations

from dataclasses import dataclass

from openalgo_desktop.core.clock import IST_OFFSET_SECONDS
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars, Part, Tick

DAY = 86_400


@dataclass(slots=True)
class Candle:
    """One candle; ``time`` as in :class:`Bars`."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: int


def moment_of(tick: Tick, interval: Interval) -> int:
    """A tick's time on the axis of bars, seconds."""
    seconds = (tick.ltt or tick.timestamp) // 1000
    if interval.is_intraday:
        return seconds
    local = seconds + IST_OFFSET_SECONDS
    return local - local % DAY


class LiveBar:
    """Feeds on ticks of one instrument. Candles keep the rhythm of the history they follow."""

    def __init__(self, interval: Interval, bars: Bars) -> None:
        self._interval = interval
        self._length = interval.seconds or (7 * DAY if interval is Interval.WEEK else DAY)
        self._day_volume: int | None = None
        self.candle: Candle | None = None
        if len(bars):
            self.candle = Candle(
                int(bars.time[-1]),
                float(bars.open[-1]),
                float(bars.high[-1]),
                float(bars.low[-1]),
                float(bars.close[-1]),
                int(bars.volume[-1]),
            )

    def update(self, tick: Tick) -> bool:
        """Take a tick; True when a new candle began. One without a price makes no candle."""
        if not tick.knows(Part.LTP) or tick.ltp <= 0:
            return False
        traded = 0
        if self._day_volume is not None and tick.knows(Part.DAY):
            # A fall means a new day or a reconnect: nothing can be said about that step.
            traded = max(0, tick.volume - self._day_volume)
        if tick.knows(Part.DAY) and tick.volume:
            self._day_volume = tick.volume
        return self.price(moment_of(tick, self._interval), tick.ltp, traded)

    def price(self, moment: int, price: float, traded: int = 0) -> bool:
        """A price at a moment of the axis; True when a new candle began."""
        candle = self.candle
        if candle is None or moment >= candle.time + self._length:
            start = moment
            if candle is not None:
                start = candle.time + (moment - candle.time) // self._length * self._length
            elif self._interval.is_intraday:
                start = moment - moment % self._length
            self.candle = Candle(start, price, price, price, price, traded)
            return True
        if moment < candle.time:  # late: belongs to a candle that is closed
            return False
        candle.high = max(candle.high, price)
        candle.low = min(candle.low, price)
        candle.close = price
        candle.volume += traded
        return False
