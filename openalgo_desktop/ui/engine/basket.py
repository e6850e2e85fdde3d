"""The door to baskets: what they would cost, sending them, and the ones that are kept by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from openalgo_desktop.core.basket import Basket, BasketMargin, LineResult
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.events import ModeChanged, PositionsChanged
from openalgo_desktop.core.model import Order, OrderRequest
from openalgo_desktop.trading.basket import BasketMargins, BasketSender, OnLine
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.results import Placed

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: Where named baskets are kept.
SCOPE = "baskets"
#: A name is shown in a menu.
LONGEST_NAME = 40


class BasketDoor:
    """``close`` with the bridge. ``source`` is what the journal files orders of the window
    under; ``check_mode`` raises when the switch stands elsewhere than the user saw."""

    def __init__(self, terminal: Terminal, source: str, check_mode: Callable[[Mode], None]) -> None:
        self._terminal = terminal
        self._source = source
        self._check_mode = check_mode
        self._margins = BasketMargins(terminal.desk.read.margin, terminal.clock.monotonic)
        self._stops = [
            terminal.bus.subscribe(kind, lambda event: self._margins.forget())
            for kind in (ModeChanged, PositionsChanged)
        ]

    def close(self) -> None:
        """Listen no more."""
        for stop in self._stops:
            stop()
        self._stops.clear()

    # -- money ------------------------------------------------------------------------------
    async def margin(self, basket: Basket) -> BasketMargin:
        """What the lines block together and what they save each other. The peak on the way is
        counted in the sandbox only: at a broker it would be a request for each line."""
        sandbox = self._terminal.desk.mode is Mode.SANDBOX
        return await self._margins.of(basket, with_peak=sandbox)

    # -- sending ----------------------------------------------------------------------------
    async def send(self, basket: Basket, mode: Mode, on_line: OnLine) -> list[LineResult]:
        """Send the lines that the user gave while the window showed ``mode``; ``on_line`` hears
        of each. Results by place."""
        self._check_mode(mode)
        desk, bus = self._terminal.desk, self._terminal.bus

        def order(order_id: str) -> Order | None:
            return desk.books.book(mode).orders.get(order_id)

        sender = BasketSender(_OneAccount(desk), bus, order, on_line)
        return await sender.send(basket, self._source, mode)

    # -- kept by name -----------------------------------------------------------------------
    async def names(self) -> list[str]:
        """Names of kept baskets, alphabetical."""
        return sorted(await self._terminal.state.all(SCOPE), key=str.casefold)

    async def load(self, name: str) -> Basket:
        """A kept basket; raises :class:`ConfigError` where it is gone or cannot be read."""
        stored = await self._terminal.state.get(SCOPE, name)
        if stored is None:
            raise ConfigError(f"There is no basket named {name} any more.")
        try:
            return msgspec.convert(stored, Basket)
        except msgspec.ValidationError as error:
            raise ConfigError(f"The basket {name} cannot be read.", detail=str(error)) from None

    async def save(self, name: str, basket: Basket) -> None:
        """Keep a basket, in the place of one of that name; raises :class:`ConfigError`."""
        name = name.strip()
        if not name or len(name) > LONGEST_NAME:
            raise ConfigError(f"Give the basket a name of 1 to {LONGEST_NAME} characters.")
        await self._terminal.state.put(SCOPE, name, msgspec.to_builtins(basket))

    async def delete(self, name: str) -> None:
        """Forget a kept basket."""
        await self._terminal.state.delete(SCOPE, name)


class _OneAccount:
    """A desk that refuses when orders go to another account than at the beginning: the sells of a
    basket must not go where its buys are not."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk
        self._account = desk.gateway.account_id

    async def place(self, request: OrderRequest, source: str, mode: Mode | None = None) -> Placed:
        """As :meth:`OrderDesk.place`."""
        return await self._desk.place(request, source, mode, account=self._account)
