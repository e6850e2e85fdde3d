"""What the account of the current mode says: its books, money and margins."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Sequence
from typing import Protocol, TypeVar

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, NotSupported
from openalgo_desktop.core.model import (
    BookRows,
    Funds,
    Holding,
    Margin,
    Order,
    OrderRequest,
    Position,
    Trade,
)
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.core.stopwatch import upstream
from openalgo_desktop.trading.books import BookKeeper, in_turns
from openalgo_desktop.trading.origins import Origins
from openalgo_desktop.trading.reconcile import Reconciler
from openalgo_desktop.trading.witness import order_of_entry

log = logging.getLogger(__name__)
T = TypeVar("T")


class Switch(Protocol):
    """The part of the desk that this needs."""

    @property
    def mode(self) -> Mode: ...
    @property
    def gateway(self) -> TradingGateway: ...


async def asked(mode: Mode, answer: Awaitable[T]) -> T:
    """What a gateway of ``mode`` answers; waiting for it is the broker's time when it is live."""
    with upstream() if mode is Mode.LIVE else contextlib.nullcontext():
        return await answer


class AccountReader:
    """Asks the gateway each time; orders get the names that only we know."""

    def __init__(
        self, desk: Switch, origins: Origins, books: BookKeeper, reconciler: Reconciler
    ) -> None:
        self._desk = desk
        self._origins = origins
        self._books = books
        self._reconciler = reconciler

    @property
    def mode(self) -> Mode:
        """Whose books these are now."""
        return self._desk.mode

    @property
    def account_id(self) -> str:
        """The account that takes the orders of the mode now; empty without one."""
        try:
            return self._desk.gateway.account_id
        except AppError:
            return ""

    async def orders(self) -> BookRows[Order]:
        """Order book of the current mode; unknown orders are listed too, never hidden. The rows
        are shared: nobody changes one."""
        mode, gateway = self._desk.mode, self._desk.gateway
        orders = await asked(mode, gateway.orders())
        origins, book = self._origins, self._books.book(mode)
        unknown = {entry.tag: entry for entry in self._reconciler.unknown(gateway.account_id, mode)}
        async for part in in_turns(orders):
            for order in part:
                origins.name(order)
                unknown.pop(order.tag, None)
            book.seen(part)
        orders.extend(order_of_entry(entry) for entry in unknown.values())
        if orders.partial:
            log.warning(
                "the order book of %s is partial: %s", gateway.account_id, orders.unreadable
            )
        return orders

    async def order(self, order_id: str) -> Order:
        """One order of the current mode as its gateway has it; an unknown one by its tag. Raises
        :class:`OrderNotFound`."""
        mode, gateway = self._desk.mode, self._desk.gateway
        for entry in self._reconciler.unknown(gateway.account_id, mode):
            if order_id in (entry.tag, entry.order_id):
                return order_of_entry(entry)
        order = self._origins.name(await asked(mode, gateway.order(order_id)))
        self._books.book(mode).seen([order])
        return order

    async def trades(self) -> BookRows[Trade]:
        """Trade book of the current mode."""
        return await asked(self._desk.mode, self._desk.gateway.trades())

    async def positions(self) -> BookRows[Position]:
        """Position book of the current mode; closed rows stay with quantity 0."""
        return await asked(self._desk.mode, self._desk.gateway.positions())

    async def holdings(self) -> BookRows[Holding]:
        """Holdings of the current mode."""
        return await asked(self._desk.mode, self._desk.gateway.holdings())

    async def funds(self) -> Funds:
        """Money of the current mode."""
        return await asked(self._desk.mode, self._desk.gateway.funds())

    async def margin(self, legs: Sequence[OrderRequest]) -> Margin:
        """What these orders together would block in the current mode: the sandbox says what the
        sandbox will block. Raises :class:`NotSupported`."""
        gateway = self._desk.gateway
        if not gateway.traits.margin:
            raise NotSupported(f"{gateway.broker} does not estimate margins.")
        return await asked(self._desk.mode, gateway.margin(legs))
