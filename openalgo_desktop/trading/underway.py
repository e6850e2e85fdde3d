"""What own orders will still do to a position: the one place that orders derived from a
position ask.

Smart orders, closing one or all positions, the kill switch and webhooks all want a number of units
that depends on what is held *and* on what was sent a moment ago. Both are read here, under one lock
per account, symbol and product, so that two of them can never both see the old position.

A broker tells of a fill on two ways (order updates, position book) that overtake each other. A
reading is believed at once when both agree; otherwise order book and positions are read again until
they stand still.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode, OrderStatus
from openalgo_desktop.core.events import Bus, OrderUpdated
from openalgo_desktop.core.model import Order, OrderRequest
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.trading.books import BookKeeper
from openalgo_desktop.trading.ownbook import PositionKey
from openalgo_desktop.trading.sending import OrderSender

#: After a fill, a position book that says something else than the fills is not believed for so
#: long; it is read again so often. Seconds.
LAG, AGAIN = 1.0, 0.2
#: An accepted order that no book shows after this time is looked for in the order book, and after
#: :data:`FORGET_AFTER` it is no longer counted; seconds.
LOOK_AFTER, FORGET_AFTER = 2.0, 30.0
#: Locks kept for instruments nobody waits on.
_MAX_LOCKS = 1024

_Place = tuple[str, PositionKey]  # account, position


class Pending(msgspec.Struct, frozen=True):
    """Units that an own order may still fill. ``quantity`` is signed; ``order_id`` is empty while
    nobody knows it; ``waits`` says that it rests at a price or a trigger."""

    quantity: int
    order_id: str = ""
    trigger: bool = False
    waits: bool = False


class View(msgspec.Struct, frozen=True):
    """A position and what is under way to it, in signed units."""

    held: int
    pending: tuple[Pending, ...] = ()

    def expected(self, *, triggers: bool = False) -> int:
        """The position when everything under way has filled. An order that waits for its trigger
        is not on its way (it may never be); it counts towards ``triggers`` only."""
        return self.held + sum(row.quantity for row in self.pending if triggers or not row.trigger)

    @property
    def exits(self) -> tuple[Pending, ...]:
        """What is under way against the position."""
        return tuple(row for row in self.pending if row.quantity * self.held < 0)

    @property
    def to_close(self) -> int:
        """Units that no exit under way covers; never negative."""
        return max(0, abs(self.held) - sum(abs(row.quantity) for row in self.exits))


class UnderWay:
    """Positions of both modes together with the own orders that still move them."""

    def __init__(self, clock: Clock, bus: Bus, books: BookKeeper, sender: OrderSender) -> None:
        self._clock = clock
        self._books = books
        self._sender = sender
        self._locks: OrderedDict[tuple[Mode, PositionKey], asyncio.Lock] = OrderedDict()
        self._filled_at: dict[_Place, float] = {}  # last fill
        self._untold_at: dict[_Place, float] = {}  # last fill that came without its trade
        self._filled: dict[str, int] = {}  # working order -> units filled, as last told
        self._stop = bus.subscribe(OrderUpdated, self._on_update)
        sender.outstanding.is_known = lambda mode, order_id: order_id in books.book(mode).orders

    def stop(self) -> None:
        """Hear of no more updates."""
        self._stop()

    def lock(self, mode: Mode, key: PositionKey) -> asyncio.Lock:
        """Held while an order is derived from this position and sent."""
        name = (mode, key)
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
            for old in [one for one, value in self._locks.items() if not value.locked()]:
                if len(self._locks) <= _MAX_LOCKS or old == name:
                    break
                del self._locks[old]
        return lock

    async def view(self, mode: Mode, gateway: TradingGateway, key: PositionKey) -> View:
        """The position now and what is under way to it. Raises the error of the book that could
        not be read: then nothing may be derived from it."""
        await self._sender.answered(gateway.account_id, key)
        held = await _held(gateway, key)
        if self._believed(mode, gateway, key, held) and not self._overdue(gateway, key):
            return View(held, self._pending(mode, gateway, key))
        for _ in range(int(4 * LAG / AGAIN)):
            self._look(mode, gateway, key, await gateway.orders())
            again = await _held(gateway, key)
            if again == held and self._calm(self._filled_at, gateway, key):
                break
            held = again
            if self._believed(mode, gateway, key, held):
                break
            await asyncio.sleep(AGAIN)
        return View(held, self._pending(mode, gateway, key))

    async def until_gone(
        self, mode: Mode, gateway: TradingGateway, key: PositionKey, order_ids: set[str]
    ) -> None:
        """Wait until these (cancelled) orders work no more, at most a few seconds."""
        for _ in range(int(3 * LAG / AGAIN)):
            working = self._books.book(mode).working(key)
            if not any(order.order_id in order_ids for order in working):
                return
            await asyncio.sleep(AGAIN)
            self._look(mode, gateway, key, await gateway.orders())

    # -- inside -----------------------------------------------------------------------------
    def _believed(self, mode: Mode, gateway: TradingGateway, key: PositionKey, held: int) -> bool:
        """Whether the fills that we were told of make the position that was read."""
        row = self._books.book(mode).positions.get(key)
        if held != (row.quantity if row is not None else 0):
            return False
        # Where an update told of a fill without its trade, the own position is behind as well.
        return self._calm(self._untold_at, gateway, key)

    def _calm(self, fills: dict[_Place, float], gateway: TradingGateway, key: PositionKey) -> bool:
        """Whether the last of these fills is long enough ago for every book to show it."""
        place = (gateway.account_id, key)
        if self._clock.monotonic() - fills.get(place, float("-inf")) < LAG:
            return False
        fills.pop(place, None)
        return True

    def _on_update(self, event: OrderUpdated) -> None:
        order = event.order
        self._sender.outstanding.seen(order)
        told = self._filled.get(order.order_id, 0)
        if order.filled_quantity > told:
            traded = event.trade.quantity if event.trade is not None else 0
            place = (event.account_id, (order.exchange, order.symbol, order.product))
            self._filled_at[place] = self._clock.monotonic()
            if order.filled_quantity - told > traded:
                self._untold_at[place] = self._clock.monotonic()
            self._filled[order.order_id] = order.filled_quantity
        if order.status.is_final:
            self._filled.pop(order.order_id, None)

    def _overdue(self, gateway: TradingGateway, key: PositionKey) -> bool:
        """Whether an accepted order should have been heard of by now."""
        now = self._clock.monotonic()
        return any(
            row.order_id and not row.unknown and now - row.at > LOOK_AFTER
            for row in self._sender.outstanding.of(gateway.account_id, key)
        )

    def _look(
        self, mode: Mode, gateway: TradingGateway, key: PositionKey, orders: list[Order]
    ) -> None:
        """Take over what an order book says of own orders that nobody told of. (A gateway that
        polls tells of changes itself when its book is read.)"""
        self._books.book(mode).seen(orders)
        for order in orders:
            self._sender.outstanding.seen(order)
        now = self._clock.monotonic()
        for row in self._sender.outstanding.of(gateway.account_id, key):
            if row.order_id and now - row.at > FORGET_AFTER:
                self._sender.outstanding.drop(row.tag)  # the order book does not show it

    def _pending(
        self, mode: Mode, gateway: TradingGateway, key: PositionKey
    ) -> tuple[Pending, ...]:
        book = self._books.book(mode)
        rows = [
            Pending(
                order.pending_quantity * order.action.sign,
                order.order_id,
                trigger=order.status is OrderStatus.TRIGGER_PENDING,
                waits=order.price_type.has_price or order.status is OrderStatus.TRIGGER_PENDING,
            )
            for order in book.working(key)
        ]
        rows += [
            Pending(row.quantity, row.order_id)
            for row in self._sender.outstanding.of(gateway.account_id, key)
            if row.order_id not in book.orders
        ]
        return tuple(row for row in rows if row.quantity)


def key_of(request: OrderRequest) -> PositionKey:
    """The position that an order moves."""
    return (request.exchange, request.symbol, request.product)


async def _held(gateway: TradingGateway, key: PositionKey) -> int:
    for row in await gateway.positions():
        if (row.exchange, row.symbol, row.product) == key:
            return row.quantity
    return 0
