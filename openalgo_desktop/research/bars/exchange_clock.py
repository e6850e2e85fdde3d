"""What time it is at the exchange, from the times of trades and of their arrival.

Our clock may be off, and a trade needs its time to get here. The quickest of the last trades shows
how far the exchange's clock is behind ours at most; a bar is closed by that, so that the trades of
its last second are in it. Trades that were merely told again say nothing.
"""

from __future__ import annotations

from openalgo_desktop.core.clock import Clock

#: Trades older than one to two of these do not count, seconds.
_WINDOW = 60.0
#: A larger difference is no delay and no clock that is a little off; it does not count. Seconds.
_MOST = 120.0
#: A trade that is quicker than all others by more than this may be dated wrong: one alone would
#: end every forming bar too early, and what comes for it then is lost. Another has to agree.
_ALONE = 5.0


class ExchangeClock:
    """Our clock less the delay of the quickest trade of the last minute or two."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turned = clock.monotonic()
        self._now: float | None = None  # least delay of this window, seconds
        self._before: float | None = None
        self._doubted: tuple[float, float] | None = None  # moment and delay of such a trade

    def traded(self, at: float) -> None:
        """A trade that is news, by its exchange's time, epoch seconds."""
        delay = self._clock.time() - at
        if abs(delay) > _MOST:
            return
        self._turn()
        if delay < self.delay - _ALONE:
            doubted = self._doubted
            if doubted is None or doubted[0] == at:
                self._doubted = (at, delay)
                return
            delay = max(delay, doubted[1])
        if self._now is None or delay < self._now:
            self._now = delay

    def _turn(self) -> None:
        now = self._clock.monotonic()
        passed = now - self._turned
        if passed >= _WINDOW:
            self._before = self._now if passed < 2 * _WINDOW else None
            self._now = self._doubted = None
            self._turned = now

    @property
    def delay(self) -> float:
        """Our time minus the exchange's, seconds; 0 where no trade told."""
        self._turn()
        told = [delay for delay in (self._now, self._before) if delay is not None]
        return min(told, default=0.0)

    def time(self) -> float:
        """Epoch seconds at the exchange."""
        return self._clock.time() - self.delay

    def surely(self) -> float:
        """A moment of which the exchange has none later already: our time, or the exchange's where
        our clock is behind. From here on nothing is missed."""
        return self._clock.time() + max(0.0, -self.delay)
