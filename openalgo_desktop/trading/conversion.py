"""Conversions of the product of a position, through the same corridor as any order."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Protocol

from openalgo_desktop.core.conversion import ConvertRequest, check_conversion, conversion
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import (
    AppError,
    InvalidOrder,
    NotSupported,
    OrderError,
    OrderStateUnknown,
)
from openalgo_desktop.core.events import Bus, OrderSettled, PositionsChanged
from openalgo_desktop.core.model import Key, OrderAck
from openalgo_desktop.core.ports import InstrumentLookup, TradingGateway
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.sending import REFUSALS

#: Account and instrument: of one instrument one conversion at a time is under way.
_Busy = tuple[str, Key]


class WatchedExits(Protocol):
    """The exits of positions that our core watches."""

    async def begin(self, account_id: str, request: ConvertRequest, tag: str, mode: Mode) -> None:
        """Before it leaves; raises where exits forbid it or it cannot be written down."""

    def end(
        self, account_id: str, request: ConvertRequest, tag: str, mode: Mode, *, done: bool
    ) -> None:
        """It is known what became of it; may be told twice."""


class ConversionDesk:
    """Moves open positions of the current mode's account to another product, and their watched
    exits with them. One whose answer was lost is found out from the position book, and until then
    no other of that instrument leaves."""

    def __init__(
        self, desk: OrderDesk, instruments: InstrumentLookup, bus: Bus, exits: WatchedExits
    ) -> None:
        self._exits = exits
        self._desk = desk
        self._instruments = instruments
        self._bus = bus
        self._busy: set[_Busy] = set()
        #: By tag: under way, or without an answer.
        self._flying: dict[str, tuple[_Busy, ConvertRequest]] = {}
        #: A conversion was done, and is in the order journal.
        self.on_converted: Callable[[], None] = lambda: None
        bus.subscribe(OrderSettled, self._on_settled)

    async def convert(
        self, key: Key, product: Product, to: Product, source: str, mode: Mode | None = None
    ) -> Placed:
        """Convert all of a position. Raises :class:`NotSupported`, :class:`OrderError` with the
        reason, and :class:`OrderStateUnknown` when nobody knows whether it was done; ``mode`` as
        in :meth:`OrderDesk.place`."""
        mode = self._desk.still(mode)
        gateway = self._able(self._desk.gateway_of(mode))
        busy = (gateway.account_id, key)
        if busy in self._busy:
            raise _under_way(key)
        self._busy.add(busy)
        try:
            if await self._desk.reconciler.converting(gateway.account_id, mode, key):
                raise _under_way(key)
            async with AsyncExitStack() as locks:
                for one in sorted({product, to}):  # of two conversions neither waits for the other
                    await locks.enter_async_context(self._desk.under_way.lock(mode, (*key, one)))
                return await self._convert(busy, product, to, source, mode, gateway)
        except OrderStateUnknown:
            self._changed(gateway.account_id, mode)  # whoever shows the books reads them again
            raise
        finally:
            if all(other != busy for other, _ in self._flying.values()):
                self._busy.discard(busy)  # else it ends with its answer, or when it is settled

    async def _convert(
        self,
        busy: _Busy,
        product: Product,
        to: Product,
        source: str,
        mode: Mode,
        gateway: TradingGateway,
    ) -> Placed:
        key = busy[1]
        request = conversion(await gateway.positions(), key, product, to)
        with self._desk.refusals("convert", request, source, mode):
            check_conversion(request, self._instruments.require(key[1], key[0]))
            self._check_free(request, mode, gateway)

        def call(now: TradingGateway, tag: str) -> Coroutine[Any, Any, OrderAck]:
            self._flying[tag] = (busy, request)
            return self._sent(self._able(now), request, tag, mode)

        tag = self._desk.next_tag()
        try:
            await self._exits.begin(gateway.account_id, request, tag, mode)
            placed = await self._desk.send("convert", request, source, call, mode=mode, tag=tag)
        except OrderStateUnknown:
            raise
        except AppError:  # it never left, or was refused
            self._exits.end(gateway.account_id, request, tag, mode, done=False)
            raise
        self.on_converted()
        return placed

    async def _sent(
        self, gateway: TradingGateway, request: ConvertRequest, tag: str, mode: Mode
    ) -> OrderAck:
        """The call, which goes on when its caller is gone."""
        try:
            ack = await gateway.convert(request, tag)
        except OrderStateUnknown:
            raise
        except REFUSALS:
            self._end(tag, mode, done=False)
            raise
        self._end(tag, mode, done=True)
        return ack

    def _end(self, tag: str, mode: Mode, *, done: bool, told: bool = True) -> None:
        """It is known what became of it, for the first time; ``told`` by the account. Where only
        the books do not show it, its exits look for the units themselves."""
        busy, request = self._flying.pop(tag, (None, None))
        if busy is None or request is None:
            return
        self._busy.discard(busy)
        if done:
            book = self._desk.books.book(mode)
            if book.account_id == busy[0]:  # else another account serves the mode by now
                book.convert(request)
            self._desk.under_way.converted(busy[0], request)
        if told or done:
            self._exits.end(busy[0], request, tag, mode, done=done)
        self._changed(busy[0], mode)

    def _on_settled(self, event: OrderSettled) -> None:
        self._end(event.tag, event.mode, done=bool(event.order_id), told=False)
        if event.order_id:  # it may be one of an earlier run
            self.on_converted()

    def _able(self, gateway: TradingGateway) -> TradingGateway:
        if not gateway.traits.converts:
            raise NotSupported(f"Positions of {gateway.broker} are not converted from here.")
        return gateway

    def _check_free(self, request: ConvertRequest, mode: Mode, gateway: TradingGateway) -> None:
        """An order of the old product would open the other side once its position is gone."""
        place = (*request.key, request.product)
        working = self._desk.books.book(mode).working(place)
        if working or self._desk.sender.outstanding.of(gateway.account_id, place):
            raise InvalidOrder(
                f"Orders of {request.symbol} {request.product} are still working: cancel them "
                "before the position is converted.",
                field="product",
            )

    def _changed(self, account_id: str, mode: Mode) -> None:
        self._bus.publish(PositionsChanged(account_id=account_id, mode=mode))


def _under_way(key: Key) -> OrderError:
    return OrderError(
        f"A conversion of {key[1]} is under way: wait until the position book shows it."
    )
