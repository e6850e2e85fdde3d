"""The practice account of a replay: orders that meet nothing but replayed prices.

It is a paper book in memory with a clock of its own. No gateway, no desk and no sandbox is known
here: nothing that is done with it can be sent anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import date, datetime
from decimal import Decimal
from math import inf
from typing import TypeAlias

import msgspec

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import PriceType, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import (
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderRequest,
    Position,
    Trade,
    closing_order,
)
from openalgo_desktop.core.money import plain
from openalgo_desktop.core.ports import InstrumentLookup
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.exchange.checks import check_order, check_tick, normalised
from openalgo_desktop.exchange.ledger import ZERO
from openalgo_desktop.exchange.paper import PaperBook
from openalgo_desktop.exchange.records import PaperOrder, PositionKey
from openalgo_desktop.exchange.state import PaperState
from openalgo_desktop.research.replay.charging import PracticeCharges
from openalgo_desktop.research.replay.labels import DAY, midnight
from openalgo_desktop.research.replay.practice_fills import PathModel
from openalgo_desktop.research.replay.tape import Price

ACCOUNT = "practice"
#: Strategy of the orders with which a stop or a target leaves.
STOP, TARGET = "REPLAY STOP", "REPLAY TARGET"
_NO_BAND = (inf, -inf, 0.0)
_DAY_OVER = "The day of the replay ended."


class Exit(msgspec.Struct, frozen=True):
    """Levels at which a position is closed at market, rupees; 0 is none."""

    stop: float = 0.0
    target: float = 0.0


class Place(msgspec.Struct, frozen=True):
    """A new order, with the exit of what it opens."""

    request: OrderRequest
    exit: Exit = Exit()


class Change(msgspec.Struct, frozen=True):
    """New values of a working order."""

    request: ModifyRequest


class Cancel(msgspec.Struct, frozen=True):
    """End a working order."""

    order_id: str


class Protect(msgspec.Struct, frozen=True):
    """Other levels for an open position."""

    position: PositionKey
    exit: Exit


Command: TypeAlias = Place | Change | Cancel | Protect


class Practice:
    """One account. ``price_at`` gives the last replayed price of an instrument at a moment (epoch
    seconds). With ``intraday`` MIS positions are closed at the last price of their day, as brokers
    do."""

    def __init__(
        self,
        instruments: InstrumentLookup,
        price_at: Callable[[Key, float], float | None],
        capital: Decimal,
        charges: PracticeCharges | None = None,
        *,
        intraday: bool = True,
    ) -> None:
        self._instruments = instruments
        self._price_at = price_at
        self._capital = capital
        self._charges = charges
        self.intraday = intraday
        self._now = 0.0
        self.clear()

    def clear(self) -> None:
        """Begin anew with the capital."""
        self.book = PaperBook(ACCOUNT, self._instruments, PathModel())
        if self._charges is not None:
            self.book.charger = self._charges.fresh()
        self.book.fund(self._capital, datetime(1970, 1, 1, tzinfo=IST))
        self._exits: dict[PositionKey, tuple[int, Exit]] = {}  # with the side, +1 or -1
        self._wanted: dict[str, Exit] = {}  # by the entry order
        self._prices: dict[Key, float] = {}  # the last one that the account met
        self._days: dict[Key, date] = {}
        self._bands: dict[Key, tuple[float, float, float]] = {}
        self._seen: dict[str, date] = {}  # day on which an order met its first price

    # -- commands ---------------------------------------------------------------------------
    def do(self, command: Command, moment: float) -> Order | None:
        """Carry a command out at a moment of the replay (epoch seconds); the order that it made
        or changed. Raises :class:`OrderError` with the reason."""
        now, self._now = datetime.fromtimestamp(moment, IST), moment
        try:
            if isinstance(command, Place):
                return self._place(command, now).order
            if isinstance(command, Change):
                return self._change(command.request, now).order
            if isinstance(command, Cancel):
                return self.book.cancel(command.order_id, now).order
            self._protect(command.position, command.exit)
            return None
        finally:
            self._settle(now)

    def _place(self, command: Place, now: datetime) -> PaperOrder:
        request = normalised(command.request)
        row = self._instruments.require(request.symbol, request.exchange)
        held = self.held((*request.key, request.product.value))
        check_order(request, row, closing=held * request.action.sign < 0)
        price = self._price(request.key)
        if command.exit != Exit():
            self._check_exit(command.exit, request.action.sign, request, row, price)
        if not self.cares(request.key):
            self._days[request.key] = now.date()
        self._prices[request.key] = price
        self._bands.pop(request.key, None)
        placed = self.book.place(request, "", row, self._tick(request.key, price), now)
        if command.exit != Exit():
            self._wanted[placed.order.order_id] = command.exit
        return placed

    def _change(self, request: ModifyRequest, now: datetime) -> PaperOrder:
        order = self.book.find(request.order_id).order
        tick = self._tick(order.key, self._price(order.key))
        self._bands.pop(order.key, None)
        return self.book.modify(request, self.book.instrument(order.key), tick, now)

    def _protect(self, key: PositionKey, exit_: Exit) -> None:
        units = self.held(key)
        if not units:
            raise InvalidOrder("There is no open position to protect.", field="stop")
        row, sign = self.book.instrument(key[:2]), 1 if units > 0 else -1
        self._check_exit(exit_, sign, None, row, self._price(key[:2]))
        self._exits[key] = (sign, exit_)
        self._bands.pop(key[:2], None)

    @staticmethod
    def _check_exit(
        exit_: Exit, sign: int, entry: OrderRequest | None, row: Instrument, last: float
    ) -> None:
        """A level on the wrong side would go out at once."""
        at = last
        if entry is not None and entry.price_type is not PriceType.MARKET:
            at = entry.price if entry.price_type.has_price else entry.trigger_price
        for name, level, way in (("stop", exit_.stop, -sign), ("target", exit_.target, sign)):
            if not level:
                continue
            check_tick(name, level, row)
            if (level - at) * way <= 0:
                word = "above" if way > 0 else "below"
                raise InvalidOrder(
                    f"The {name} must be {word} {plain(at)}; {plain(level)} would go out at once.",
                    field=name,
                )

    def _price(self, key: Key) -> float:
        price = self._price_at(key, self._now)
        if price is None:
            raise InvalidOrder(
                f"{key[1]} has no price in this replay yet: step on to its first bar.",
                field="symbol",
            )
        return price

    @staticmethod
    def _tick(key: Key, price: float) -> Tick:
        return Tick(symbol=key[1], exchange=key[0], ltp=price)

    # -- prices -----------------------------------------------------------------------------
    def cares(self, key: Key) -> bool:
        """Whether a price of the instrument can do anything here."""
        return self.book.matcher.has_orders(key) or bool(self._open(key))

    def _open(self, key: Key) -> list[PositionKey]:
        products = ((*key, product.value) for product in Product)
        return [place for place in products if self.held(place)]

    def held(self, key: PositionKey) -> int:
        """Units of a position, signed."""
        row = self.book.state.positions.get(key)
        return 0 if row is None else row.quantity

    def hear(self, prices: Iterable[Price]) -> None:
        """Prices of paths, in order of time."""
        for price in prices:
            self._hear(price)

    def _hear(self, price: Price) -> None:
        key = price.key
        low, high, day_ends = self._bands.get(key, _NO_BAND)
        if low < price.price < high and price.moment < day_ends:
            self._prices[key] = price.price  # most prices reach nothing
            return
        before, now = self._prices.get(key), datetime.fromtimestamp(price.moment, IST)
        if self._days.get(key) != now.date():
            self._new_day(key, now)
        if before is not None and not price.gap:
            while (level := self._next_level(key, before, price.price)) is not None:
                self._meet(key, level, now)
                before = level
        self._meet(key, price.price, now)
        self._bands[key] = self._band(key, price.price, now)

    def _band(self, key: Key, price: float, now: datetime) -> tuple[float, float, float]:
        """Prices strictly between the first two, before the moment (the end of the day), change
        nothing."""
        levels = self._levels(key)
        below = max((level for level in levels if level <= price), default=-inf)
        above = min((level for level in levels if level >= price), default=inf)
        return below, above, midnight(now.date()) + DAY

    def _next_level(self, key: Key, since: float, to: float) -> float | None:
        """The level of an order or an exit that the price passes first on its way."""
        if since == to:
            return None
        levels = [level for level in self._levels(key) if min(since, to) < level < max(since, to)]
        return (min if to > since else max)(levels, default=None)

    def _levels(self, key: Key) -> list[float]:
        levels: list[float] = []
        for product in Product:
            place = (*key, product.value)
            for row in self.book.working(place):
                order = row.order
                waits = order.price_type.has_trigger and not row.live
                levels.append(order.trigger_price if waits else order.price)
            if place in self._exits:
                exit_ = self._exits[place][1]
                levels += [exit_.stop, exit_.target]
        return levels

    def _meet(self, key: Key, price: float, now: datetime) -> None:
        """The price is there: what rests fills, then exits look."""
        self._prices[key] = price
        day = now.date()
        for product in Product:
            for row in self.book.working((*key, product.value)):
                self._seen.setdefault(row.order.order_id, day)
        if self.book.matcher.has_orders(key):
            self.book.on_tick(self._tick(key, price), lambda: now)
        self._settle(now)
        for place in self._open(key):
            self._look(place, price, now)

    def _look(self, place: PositionKey, price: float, now: datetime) -> None:
        if place not in self._exits:
            return
        way, exit_ = self._exits[place]
        if exit_.stop and (price - exit_.stop) * way <= 0:
            self._leave(place, STOP, price, now)
        elif exit_.target and (price - exit_.target) * way >= 0:
            self._leave(place, TARGET, price, now)

    def _leave(self, place: PositionKey, why: str, price: float, now: datetime) -> None:
        """Close a position at the price that is there; orders that would have closed it go."""
        position = self.book.state.positions[place].view(price, ACCOUNT)
        for row in self.book.working(place):
            if row.order.leaves(position):
                self.book.cancel(row.order.order_id, now)
        request = closing_order(position, why)
        instrument = self.book.instrument(place[:2])
        self.book.place(request, "", instrument, self._tick(place[:2], price), now)
        self._settle(now)

    def _settle(self, now: datetime) -> None:
        """What the fills of a moment mean for exits."""
        updates, self.book.updates = self.book.updates, []
        for update in updates:
            order = update.order
            place = (order.exchange, order.symbol, order.product.value)
            self._bands.pop(order.key, None)
            wanted, units = self._wanted.get(order.order_id), self.held(place)
            if wanted is not None and update.trade is not None and units * order.action.sign > 0:
                self._exits[place] = (order.action.sign, wanted)
            if place in self._exits and units * self._exits[place][0] <= 0:
                del self._exits[place]  # it is closed, or turned to the other side
            if order.status.is_final:
                self._wanted.pop(order.order_id, None)
                self._seen.pop(order.order_id, None)

    def _new_day(self, key: Key, now: datetime) -> None:
        """Orders of the day before are over; so are intraday positions."""
        day, known = now.date(), self._days.get(key)
        self._days[key] = day
        if known is None:
            return
        for place in [(*key, product.value) for product in Product]:
            for row in self.book.working(place):
                if self._seen.get(row.order.order_id, day) < day:
                    self.book.cancel(row.order.order_id, now, _DAY_OVER)
            price = self._prices.get(key)
            mis = place[2] == Product.MIS.value
            if self.intraday and mis and self.held(place) and price is not None:
                self._leave(place, "AUTO_SQUARE_OFF", price, now)
        self._settle(now)

    # -- books ------------------------------------------------------------------------------
    @property
    def orders(self) -> list[Order]:
        """All orders, oldest first."""
        return [row.order for row in self.book.state.orders.values()]

    @property
    def working(self) -> list[Order]:
        """Orders that may still fill."""
        return [row.order for row in self.book.all_working()]

    @property
    def trades(self) -> list[Trade]:
        """Executions, oldest first."""
        return list(self.book.state.trades.values())

    def exit_of(self, position: PositionKey) -> Exit:
        """The levels of a position."""
        return self._exits[position][1] if position in self._exits else Exit()

    def positions(self, moment: float) -> list[Position]:
        """All positions at the prices of a moment; closed ones stay with quantity 0."""
        rows = self.book.state.positions.values()
        return [row.view(self._price_at(row.key, moment) or row.mark, ACCOUNT) for row in rows]

    @property
    def realised(self) -> Decimal:
        """Profit of what was closed, before charges, rupees."""
        return self.book.state.meta.realised

    @property
    def charges(self) -> Decimal:
        """Charges of all trades, rupees."""
        return self.book.state.meta.charges

    def unrealised(self, moment: float) -> Decimal:
        """Open profit at the prices of a moment, rupees."""
        rows = [row for row in self.book.state.positions.values() if row.quantity]
        prices = [self._price_at(row.key, moment) or row.mark for row in rows]
        return sum((row.unrealised(price) for row, price in zip(rows, prices, strict=True)), ZERO)

    @property
    def cash(self) -> Decimal:
        """Money that is free, rupees."""
        return self.book.state.ledger.cash

    def closing(self, key: Key) -> list[Command]:
        """What closes all positions of an instrument: orders that would leave them end first."""
        found: list[Command] = []
        for place in self._open(key):
            position = self.book.state.positions[place].view(0.0, ACCOUNT)
            working = [row.order for row in self.book.working(place)]
            found += [Cancel(order.order_id) for order in working if order.leaves(position)]
            found.append(Place(closing_order(position, "")))
        return found

    @property
    def idle(self) -> bool:
        """Whether nothing is open and nothing rests."""
        rows = self.book.state.positions.values()
        return not len(self.book.matcher) and not any(row.quantity for row in rows)

    # -- going back -------------------------------------------------------------------------
    def snapshot(self) -> PaperState:
        """The rows of an idle account."""
        return deepcopy(self.book.state)

    def restore(self, state: PaperState) -> None:
        """Begin anew with rows of an idle account."""
        self.clear()
        self.book.open(deepcopy(state))
