"""The prices that may set off a plan: fresh, of today, of an open market. Anything else is no
price: a stale or unknown one triggers nothing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from openalgo_desktop.core.clock import IST_OFFSET_SECONDS, Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.exit_rules import exact
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import TickSource
from openalgo_desktop.core.ticks import Part, Tick

#: A price older than this sets off nothing; seconds.
MAX_AGE = 2.0
#: What the calendar says of an exchange is believed so long; seconds.
_ASK_AGAIN = 1.0
_DAY = 86_400


class Prices:
    """Streams what is wanted, by instrument; ``feed`` says how much of it."""

    def __init__(
        self,
        clock: Clock,
        ticks: TickSource,
        is_open: Callable[[str], bool],
        heard: Callable[[Key, Decimal], None],
        feed: FeedMode = FeedMode.LTP,
        calm: Callable[[Tick], bool] | None = None,
    ) -> None:
        """``calm`` may say that a tick needs not be told: it spares the other looks."""
        self._feed = feed
        self._calm = calm
        self._clock = clock
        self._ticks = ticks
        self._is_open = is_open
        self._heard = heard
        self._stops: dict[Key, Callable[[], None]] = {}
        self._open: dict[str, tuple[float, bool]] = {}

    def want(self, key: Key, wanted: bool) -> None:
        """Stream an instrument, or let go of it."""
        if wanted and key not in self._stops:
            self._stops[key] = self._ticks.watch(key, self._feed, self._on_tick)
        elif not wanted and key in self._stops:
            self._stops.pop(key)()

    def close(self) -> None:
        """Let go of everything."""
        for stop in self._stops.values():
            stop()
        self._stops.clear()

    @property
    def wanted(self) -> tuple[Key, ...]:
        """What is streamed for plans."""
        return tuple(self._stops)

    def now(self, key: Key, max_age: float | None = MAX_AGE) -> Decimal | None:
        """The price of this moment, or None when nobody knows it. Without ``max_age`` the last
        one counts since which the feed was not lost: to value what is held."""
        tick = self._ticks.fresh(key, Part.LTP, max_age)
        return exact(tick.ltp) if tick is not None and self._counts(tick) else None

    def value(self, key: Key) -> Decimal | None:
        """The price at which what is held counts: the last trade, whenever it was, of a feed that
        is sound; of a market that is closed the last one known. None when nobody knows it."""
        closed = not self._trades(key[0])
        tick = self._ticks.latest(key) if closed else self._ticks.fresh(key, Part.LTP)
        return exact(tick.ltp) if tick is not None and tick.ltp > 0 else None

    async def ask(self, key: Key) -> Decimal | None:
        """The price to check what a human gives: streamed, else asked; None when nobody says."""
        if (price := self.now(key, None)) is not None:
            return price
        try:
            tick = await self._ticks.snapshot(key, Part.LTP)
        except AppError:
            return None
        return exact(tick.ltp) if tick.ltp > 0 else None

    def told(self, tick: Tick) -> Decimal | None:
        """The price of a tick that was asked for beside the stream, where it counts as one of
        now."""
        return exact(tick.ltp) if tick.knows(Part.LTP) and self._counts(tick) else None

    def blind(self, key: Key) -> bool:
        """Whether the market trades and its price is not known: a stop sees nothing."""
        return self._trades(key[0]) and self._ticks.fresh(key, Part.LTP) is None

    def trades(self, exchange: str) -> bool:
        """Whether the market of an exchange is open."""
        return self._trades(exchange)

    def _on_tick(self, tick: Tick) -> None:
        if self._calm is not None and self._calm(tick):
            return
        key = (tick.exchange, tick.symbol)
        if (
            tick.knows(Part.LTP)
            and self._counts(tick)
            and self._ticks.fresh(key, Part.LTP, MAX_AGE) is not None
        ):
            self._heard(key, exact(tick.ltp))

    def _counts(self, tick: Tick) -> bool:
        """Whether it is a price, of today's trading, while the market is open."""
        if not tick.ltp > 0 or not self._trades(tick.exchange):
            return False
        return not tick.ltt or _day(tick.ltt / 1000) >= _day(self._clock.time())

    def _trades(self, exchange: str) -> bool:
        now = self._clock.monotonic()
        at, known = self._open.get(exchange, (float("-inf"), False))
        if now - at >= _ASK_AGAIN:
            known = self._is_open(exchange)
            self._open[exchange] = (now, known)
        return known


def _day(epoch: float) -> int:
    """Number of the IST day."""
    return int(epoch + IST_OFFSET_SECONDS) // _DAY
