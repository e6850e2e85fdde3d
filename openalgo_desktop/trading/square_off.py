"""Square-off of webhook strategies: at its time the positions of an intraday strategy are closed.

What a strategy holds is what its own orders of today left, never more than the account holds on
that side: a position that somebody opened by hand in the same symbol stays. Only the books of the
current mode can be acted on; what is open in the other one, or cannot be closed, is told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import Bus, Notice, SettingChanged
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.ownbook import PositionKey
from openalgo_desktop.trading.webhooks import WebhookStore, WebhookStrategy, hours_of

log = logging.getLogger(__name__)

#: Seconds between looks, and between tries to close the same position.
_EVERY, _AGAIN = 1.0, 15.0

_Place = tuple[Mode, str, PositionKey]  # mode, strategy, position


class WebhookSquareOff:
    """Looks each second; ``is_open`` says whether an exchange trades now."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        store: WebhookStore,
        desk: OrderDesk,
        calendar: MarketCalendar,
        is_open: Callable[[str], bool],
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._store = store
        self._desk = desk
        self._calendar = calendar
        self._is_open = is_open
        self._strategies: list[WebhookStrategy] | None = None
        self._gone: dict[_Place, int] = {}  # units of a strategy that others closed
        self._tried: dict[_Place, float] = {}  # by the monotonic clock
        self._told: dict[_Place, str] = {}
        self._unsubscribe = bus.subscribe(SettingChanged, self._changed)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="webhook square-off")

    async def stop(self) -> None:
        """Look no more."""
        self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _changed(self, event: SettingChanged) -> None:
        if event.key.startswith("webhook."):
            self._strategies = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            try:
                await self.look()
            except AppError as error:
                log.error("square-off of webhook strategies: %s", error)
            except Exception:
                log.exception("square-off of webhook strategies failed; going on")

    async def look(self) -> None:
        """Close what is due now."""
        if self._strategies is None:
            self._strategies = await self._store.all()
        for strategy in self._strategies:
            if not strategy.intraday:
                continue
            for row in strategy.symbols:
                key = (row.exchange, row.symbol, row.product)
                for mode in Mode:
                    place = (mode, strategy.name, key)
                    units = self._held(place)
                    if units and self._due(strategy, row.exchange):
                        await self._close(strategy, place, units)

    # -- what is held -----------------------------------------------------------------------
    def _held(self, place: _Place) -> int:
        """Signed units that the strategy still has, by our own book (no network)."""
        mode, name, key = place
        book = self._desk.books.book(mode)
        net = book.strategies.get(name, {}).get(key)
        row = book.positions.get(key)
        total = net.quantity if net is not None else 0
        account = row.quantity if row is not None else 0
        if not total:
            self._gone.pop(place, None)
        elif not account:  # others closed it; what they open later is not the strategy's
            self._gone[place] = total
        units = total - self._gone.get(place, 0)
        if units * account <= 0:
            return 0
        return min(units, account) if units > 0 else max(units, account)

    def _due(self, strategy: WebhookStrategy, exchange: str) -> bool:
        now = self._clock.now()
        return now >= hours_of(strategy, exchange, now.date(), self._calendar).square_off

    # -- closing ----------------------------------------------------------------------------
    async def _close(self, strategy: WebhookStrategy, place: _Place, units: int) -> None:
        mode, _, key = place
        now = self._clock.monotonic()
        if now - self._tried.get(place, -_AGAIN) < _AGAIN:
            return
        self._tried[place] = now
        what = f"Square-off of webhook strategy {strategy.name}: {abs(units)} of {key[1]}"
        if mode is not self._desk.mode:
            self._tell(place, f"{what} are open in {mode.value} mode; switch to it to close them.")
            return
        if not self._is_open(key[0]):
            self._tell(place, f"{what} are still open and {key[0]} is closed.")
            return
        source = f"square-off:{strategy.name}"
        await self._cancel_entries(strategy, place, units, source)
        try:
            placed = await self._desk.exits.close(
                key, source, mode, at_most=abs(units), strategy=strategy.name
            )
        except AppError as error:
            self._tell(place, f"{what} could not be closed: {error.message}")
            return
        if placed is not None:
            self._told.pop(place, None)
            log.info("%s: %s", what, placed.message or f"order {', '.join(placed.ids)}")

    async def _cancel_entries(
        self, strategy: WebhookStrategy, place: _Place, units: int, source: str
    ) -> None:
        """What still rests to make the position larger is taken back first."""
        mode, _, key = place
        for order in self._desk.books.book(mode).working(key):
            if order.strategy == strategy.name and order.action.sign * units > 0:
                try:
                    await self._desk.cancel(order.order_id, source, mode)
                except AppError as error:
                    log.warning("entry %s was not cancelled: %s", order.order_id, error)

    def _tell(self, place: _Place, text: str) -> None:
        """Once for each reason, though it is tried again and again."""
        if self._told.get(place) == text:
            return
        self._told[place] = text
        log.error("%s", text)
        self._bus.publish(Notice(level="error", text=text, at=self._clock.now()))
