"""What own orders will still do to a position: the one place that orders derived from a
position ask.

Smart orders, closing one or all positions, the kill switch and webhooks all want a number of units
that depends on what is held *and* on what was sent a moment ago. Both are read here, under one lock
per account, symbol and product, so that two of them can never both see the old position.

A broker tells of a fill on two ways (order updates, position book) that overtake each other. Over a
day, position = base + fills of its orders, and the base (what was carried over) moves only by what
no order shows, such as a conversion. So orders alone say both halves, what is filled and what is
pending, and no fill is counted twice or not at all. The position book proves the base. Where it
says something else just after a fill it is behind; otherwise it is believed, when it still says so
after :data:`PERSISTS`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Mode, OrderStatus, PriceType
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.events import Bus, OrderUpdated
from openalgo_desktop.core.model import Key, Order, OrderRequest, Position, Trade
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.trading.books import BookKeeper, in_turns
from openalgo_desktop.trading.ownbook import PositionKey, is_older
from openalgo_desktop.trading.position_view import Pending, View
from openalgo_desktop.trading.sending import OrderSender

#: A position book may be behind fills so long; seconds.
LAG = 5.0
#: How long a disagreement without a fill must last before the position book is believed, and how
#: often both are read meanwhile; seconds.
PERSISTS, AGAIN = 1.5, 0.2
#: An accepted order that no book shows after this time is looked for in the order book, and after
#: :data:`FORGET_AFTER` it is no longer counted; seconds.
LOOK_AFTER, FORGET_AFTER = 2.0, 30.0

_Place = tuple[str, PositionKey]  # account, position


class _Ledger(msgspec.Struct):
    """One position by its orders: ``base`` before their fills, signed units ``filled`` as far as
    we were told, and when that changed (monotonic). ``sure`` once the position book agreed."""

    base: int = 0
    filled: int = 0
    moved: float = float("-inf")
    sure: bool = True

    @property
    def expected(self) -> int:
        """The position by the orders."""
        return self.base + self.filled

    def agrees(self, held: int, now: float) -> bool:
        """Whether a position that was read proves this ledger: its base is sure, or no fill is so
        young that the position book may not show it."""
        self.sure = self.sure or (held == self.expected and now - self.moved >= LAG)
        return self.sure and held == self.expected


class _Account(msgspec.Struct):
    """Ledgers of an account; what is not there began the day with nothing. ``told`` has the fills
    of each order; ``known`` says that whole books were read."""

    ledgers: dict[PositionKey, _Ledger]
    told: dict[str, int]
    known: bool = False

    def take(self, order: Order, now: float) -> None:
        """Count what an order has filled since it was last told."""
        more = order.filled_quantity - self.told.get(order.order_id, 0)
        if more > 0:
            self.told[order.order_id] = order.filled_quantity
            ledger = self.ledgers.setdefault(_place_of(order), _Ledger(sure=self.known))
            ledger.filled += more * order.action.sign
            ledger.moved = now


class _Positions(msgspec.Struct):
    """One reading of a position book, at a monotonic time: signed units."""

    at: float
    units: dict[PositionKey, int]
    prices: dict[Key, float]
    partial: bool = False

    def of(self, key: PositionKey) -> int:
        """Raises :class:`DataError` when the row may be one that could not be read."""
        if self.partial and key not in self.units:
            raise DataError(
                f"Rows of the position book could not be read, so nobody knows whether {key[1]} "
                "is held: nothing was sent."
            )
        return self.units.get(key, 0)


class UnderWay:
    """Positions of both modes together with the orders that still move them."""

    def __init__(self, clock: Clock, bus: Bus, books: BookKeeper, sender: OrderSender) -> None:
        self._clock = clock
        self._books = books
        self._sender = sender
        self._locks: dict[tuple[Mode, PositionKey], tuple[asyncio.Lock, int]] = {}  # and users
        self._accounts: dict[str, _Account] = {}
        self._positions: dict[str, _Positions] = {}  # last reading by account
        self._reading = asyncio.Lock()
        self._stop = bus.subscribe(OrderUpdated, self._on_update)
        sender.outstanding.is_known = lambda mode, order_id: order_id in books.book(mode).orders
        books.rebased = self._rebased

    def stop(self) -> None:
        """Hear of no more updates."""
        self._stop()

    def converted(self, account_id: str, request: ConvertRequest) -> None:
        """Units have another product now: no order shows it, and no fill hides it. Nothing is
        counted twice where the position book was read meanwhile and shows it already."""
        account = self._accounts.get(account_id)
        if account is None:
            return
        units = request.action.sign * request.quantity
        before = account.ledgers.get((*request.key, request.product))
        if before is None or before.expected * request.action.sign < request.quantity:
            return
        for product, change in ((request.product, -units), (request.to, units)):
            key = (*request.key, product)
            ledger = account.ledgers.setdefault(key, _Ledger(sure=account.known))
            ledger.base += change
            ledger.moved = self._clock.monotonic()

    @asynccontextmanager
    async def lock(self, mode: Mode, key: PositionKey) -> AsyncIterator[None]:
        """Held while an order is derived from this position and sent."""
        name = (mode, key)
        lock, users = self._locks.get(name, (None, 0))
        lock = lock or asyncio.Lock()
        self._locks[name] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[name]
            if users > 1:
                self._locks[name] = (lock, users - 1)
            else:
                del self._locks[name]

    async def view(
        self, mode: Mode, gateway: TradingGateway, key: PositionKey, *, max_age: float = 0.0
    ) -> View:
        """The position now and what is under way to it. Positions read up to ``max_age`` seconds
        ago will do (our own fills since are counted). Raises the error of the book that could not
        be read: then nothing may be derived from it."""
        await self._sender.answered(gateway.account_id, key)
        account = self._account(gateway)
        held = (await self._held(gateway, max_age)).of(key)
        ledger = account.ledgers.get(key) or _Ledger(sure=account.known)
        if ledger.agrees(held, self._clock.monotonic()) and not self._overdue(gateway, key):
            return View(held, self._pending(mode, gateway, key, ()))
        return await self._looked(mode, gateway, key)

    async def open_positions(self, gateway: TradingGateway) -> dict[PositionKey, int]:
        """Signed units of every row of the position book, flat ones too, with the fills that it
        does not show yet. Raises as :meth:`view`."""
        rows = dict((await self._held(gateway, 0.0)).units)
        recent = self._clock.monotonic() - LAG
        for key, ledger in self._account(gateway).ledgers.items():
            if ledger.moved > recent and ledger.sure:
                rows[key] = ledger.expected
        return rows

    def last_prices(self, gateway: TradingGateway) -> dict[Key, float]:
        """The prices in the position book that was read last, rupees; 0 is unknown."""
        last = self._positions.get(gateway.account_id)
        return dict(last.prices) if last is not None else {}

    def last_price(self, gateway: TradingGateway, key: Key) -> float:
        """One of them; 0 is unknown."""
        last = self._positions.get(gateway.account_id)
        return last.prices.get(key, 0.0) if last is not None else 0.0

    def coming(self, mode: Mode, gateway: TradingGateway) -> list[PositionKey]:
        """The positions that orders of ours, sent just now to trade at once, may still move."""
        now, outstanding = self._clock.monotonic(), self._sender.outstanding
        book = self._books.book(mode)
        keys = outstanding.prompt_places(gateway.account_id)
        for order_id in outstanding.prompt_ids(now):
            order = book.orders.get(order_id)
            if order is not None and not order.status.is_final:
                keys.append(_place_of(order))
        return list(dict.fromkeys(keys))

    def is_like(self, mode: Mode, order_id: str, like: OrderRequest) -> bool:
        """Whether a working order has the type and prices of ``like``, which waits at a price."""
        order = self._books.book(mode).orders.get(order_id)
        kind = like.price_type
        return (
            order is not None
            and kind is not PriceType.MARKET
            and order.price_type is kind
            and (not kind.has_price or order.price == like.price)
            and (not kind.has_trigger or order.trigger_price == like.trigger_price)
        )

    def known(self, mode: Mode, order_id: str) -> Order | None:
        """An order as our own book has it."""
        return self._books.book(mode).orders.get(order_id)

    async def until_gone(
        self, mode: Mode, gateway: TradingGateway, key: PositionKey, order_ids: set[str]
    ) -> None:
        """Wait until these (cancelled) orders work no more, at most a few seconds."""
        for _ in range(int(2 * PERSISTS / AGAIN)):
            working = {order.order_id for order in self._books.book(mode).working(key)}
            # What was accepted a moment ago may not be in our book yet.
            told = {row.order_id for row in self._sender.outstanding.of(gateway.account_id, key)}
            if not order_ids & (working | told):
                return
            await asyncio.sleep(AGAIN)
            await self.look(mode, gateway, key)

    async def look(self, mode: Mode, gateway: TradingGateway, key: PositionKey) -> None:
        """Read the order book itself: what is under way is counted by it from now on."""
        await self._orders_of(mode, gateway, key, ())

    # -- inside -----------------------------------------------------------------------------
    def _account(self, gateway: TradingGateway) -> _Account:
        return self._accounts.setdefault(gateway.account_id, _Account({}, {}))

    def _rebased(
        self, account_id: str, orders: Iterable[Order], positions: Iterable[Position]
    ) -> None:
        """Whole books, with which a day (or the program) begins."""
        now = self._clock.monotonic()
        fresh = self._clock.now() - timedelta(seconds=LAG)
        ledgers = {_place_of(row): _Ledger(row.quantity) for row in positions}
        told: dict[str, int] = {}
        for order in orders:
            if order.filled_quantity:
                told[order.order_id] = order.filled_quantity
                units = order.filled_quantity * order.action.sign
                ledger = ledgers.setdefault(_place_of(order), _Ledger())
                ledger.base -= units
                ledger.filled += units
                if order.updated_at is not None and order.updated_at > fresh:
                    ledger.moved, ledger.sure = now, False  # the positions may not show it yet
        self._accounts[account_id] = _Account(ledgers, told, known=True)

    def _on_update(self, event: OrderUpdated) -> None:
        self._sender.outstanding.seen(event.order)
        account = self._accounts.setdefault(event.account_id, _Account({}, {}))
        account.take(event.order, self._clock.monotonic())

    async def _looked(self, mode: Mode, gateway: TradingGateway, key: PositionKey) -> View:
        """The view where the position book and our ledger differ: by the order book itself, and
        by executions where that does not say how much of an order is filled."""
        account = self._account(gateway)
        waited, before = 0.0, None
        trades: Sequence[Trade] = ()
        while True:
            rows = await self._orders_of(mode, gateway, key, trades)
            held = (await self._held(gateway, 0.0)).of(key)
            now = self._clock.monotonic()
            for order in rows:
                account.take(order, now)
            ledger = account.ledgers.setdefault(key, _Ledger(sure=account.known))
            behind = now - ledger.moved < LAG and ledger.sure
            if ledger.agrees(held, now) or behind:
                return View(ledger.expected, self._pending(mode, gateway, key, rows))
            if held != before:
                waited, before = 0.0, held
            if waited >= PERSISTS:
                ledger.base, ledger.sure = held - ledger.filled, True
                return View(held, self._pending(mode, gateway, key, rows))
            await asyncio.sleep(AGAIN)
            waited += AGAIN
            trades = await gateway.trades()

    async def _orders_of(
        self, mode: Mode, gateway: TradingGateway, key: PositionKey, trades: Iterable[Trade]
    ) -> list[Order]:
        """The orders of a position as the order book shows them, each by its newest witness.
        (A gateway that polls tells of changes itself when its book is read.)"""
        orders = await gateway.orders()
        if orders.partial:
            raise DataError(
                f"Rows of the order book could not be read, so nobody knows what of {key[1]} is "
                "under way: nothing was sent."
            )
        traded: dict[str, int] = {}
        for trade in trades:
            traded[trade.order_id] = traded.get(trade.order_id, 0) + trade.quantity
        book = self._books.book(mode)
        rows = []
        for shown in orders:
            if _place_of(shown) != key:
                continue
            known = book.orders.get(shown.order_id)
            order = known if known is not None and is_older(shown, known) else shown
            if (units := traded.get(order.order_id, 0)) > order.filled_quantity:
                order = msgspec.structs.replace(order, filled_quantity=units, reported_pending=None)
            rows.append(order)
        book.seen(rows)
        for order in rows:
            self._sender.outstanding.seen(order)
        now = self._clock.monotonic()
        for row in self._sender.outstanding.of(gateway.account_id, key):
            if row.order_id and now - row.at > FORGET_AFTER:
                self._sender.outstanding.drop(row.tag)  # the order book does not show it
        return rows

    def _overdue(self, gateway: TradingGateway, key: PositionKey) -> bool:
        """Whether an accepted order should have been heard of by now."""
        now = self._clock.monotonic()
        return any(
            row.order_id and not row.unknown and now - row.at > LOOK_AFTER
            for row in self._sender.outstanding.of(gateway.account_id, key)
        )

    def _pending(
        self, mode: Mode, gateway: TradingGateway, key: PositionKey, rows: Sequence[Order]
    ) -> tuple[Pending, ...]:
        """What may still fill: by our own book, or by ``rows`` where they say more."""
        book = self._books.book(mode)
        looked = {order.order_id: order for order in rows}
        working = {order.order_id: order for order in book.working(key)} | looked
        outstanding, now = self._sender.outstanding, self._clock.monotonic()
        found = [
            Pending(
                order.pending_quantity * order.action.sign,
                order.order_id,
                trigger=order.status is OrderStatus.TRIGGER_PENDING,
                waits=order.rests and not outstanding.is_prompt(order.order_id, now),
                strategy=self._sender.origins.name(order).strategy,
            )
            for order in working.values()
            if not order.status.is_final and order.status is not OrderStatus.UNKNOWN
        ]
        found += [
            Pending(
                row.quantity,
                row.order_id,
                waits=not row.prompt,
                unsure=row.unknown,
                strategy=row.strategy,
            )
            for row in outstanding.of(gateway.account_id, key)
            if row.order_id not in book.orders
        ]
        return tuple(row for row in found if row.quantity)

    async def _held(self, gateway: TradingGateway, max_age: float) -> _Positions:
        if not max_age:
            return await self._read(gateway)
        async with self._reading:  # whoever waits here takes the reading of who was first
            last = self._positions.get(gateway.account_id)
            if last is not None and self._clock.monotonic() - last.at < max_age:
                return last
            return await self._read(gateway)

    async def _read(self, gateway: TradingGateway) -> _Positions:
        found = _Positions(self._clock.monotonic(), {}, {})
        rows = await gateway.positions()
        async for part in in_turns(rows):
            for row in part:
                place = _place_of(row)
                found.units[place] = found.units.get(place, 0) + row.quantity
                found.prices[place[:2]] = row.ltp
        found.partial = rows.partial
        self._positions[gateway.account_id] = found
        return found


def _place_of(row: Order | Position) -> PositionKey:
    return (row.exchange, row.symbol, row.product)


def key_of(request: OrderRequest) -> PositionKey:
    """The position that an order moves."""
    return (request.exchange, request.symbol, request.product)
