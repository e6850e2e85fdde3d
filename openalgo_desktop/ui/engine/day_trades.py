"""What the trades of today come to for each position: units and averages of both sides, charges,
who asked for them. One owner for all docks; the books tell it of each trade once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.core.model import Key, Trade
from openalgo_desktop.core.sums import KeptSum
from openalgo_desktop.ui.engine.books import Books
from openalgo_desktop.ui.engine.turns import in_turns, parts

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

log = logging.getLogger(__name__)

PositionId = tuple[Key, Product]
#: Charges of an order: key, product, side, units, average price.
Cost = Callable[[Key, Product, Action, int, float], float | None]
#: Orders whose charges are worked out in one step; a fifth of a millisecond or less.
AT_ONCE = 10


class _Filled(msgspec.Struct):
    """An order as far as it has traded: units, their value at unit prices, charges as told."""

    action: Action
    units: int = 0
    value: float = 0.0
    told: float = 0.0
    charges: float | None = None  # of what it has traded, once worked out
    counted: bool = False  # whether its place has these charges in its sum
    guessed: bool = False  # they are ours, not the account's


class DaySum(msgspec.Struct):
    """Trades of today in one position. ``value`` is units times price; averages in rupees."""

    bought: int = 0
    buy_value: float = 0.0
    sold: int = 0
    sell_value: float = 0.0
    charges: float | None = 0.0
    estimated: bool = False  # some of the charges are ours, not the account's
    strategies: dict[str, None] = {}

    @property
    def buy_average(self) -> float | None:
        """Of today's purchases; None when there are none."""
        return self.buy_value / self.bought if self.bought else None

    @property
    def sell_average(self) -> float | None:
        """Of today's sales; None when there are none."""
        return self.sell_value / self.sold if self.sold else None


NONE = DaySum()


class _Place:
    """The orders of one position that have traded today, and their sum."""

    def __init__(self, cost: Callable[[Action, int, float], float | None]) -> None:
        self.orders: dict[str, _Filled] = {}
        self._cost = cost
        self._stale: dict[str, _Filled] = {}  # orders whose charges are to be worked out
        self._sum = DaySum(strategies={})
        self._charges = 0.0
        self._unknown = self._guessed = 0  # orders

    def add(self, trade: Trade) -> None:
        """Count a trade."""
        order = self.orders.get(trade.order_id)
        if order is None:
            order = self.orders[trade.order_id] = _Filled(trade.action)
        value, found = trade.quantity * trade.price, self._sum
        order.units += trade.quantity
        order.value += value
        order.told += trade.charges
        if order.action is Action.BUY:
            found.bought += trade.quantity
            found.buy_value += value
        else:
            found.sold += trade.quantity
            found.sell_value += value
        if trade.strategy:
            found.strategies[trade.strategy] = None
        self._stale[trade.order_id] = order

    def forget_charges(self) -> None:
        """The plan may be another one."""
        self._stale = dict(self.orders)

    def work_out(self) -> Iterator[None]:
        """The charges of the orders that traded, an order a step."""
        while self._stale:
            order = self._stale.popitem()[1]
            if order.counted:
                self._guessed -= order.guessed
                self._unknown -= order.charges is None
                self._charges -= order.charges or 0.0
            order.counted, order.guessed, order.charges = True, not order.told, order.told
            if order.guessed:
                average = order.value / order.units if order.units else 0.0
                order.charges = self._cost(order.action, order.units, average)
            self._guessed += order.guessed
            self._unknown += order.charges is None
            self._charges += order.charges or 0.0
            yield

    @property
    def sum(self) -> DaySum:
        """All of it, as of now."""
        for _ in self.work_out():
            pass
        self._sum.charges = None if self._unknown else self._charges
        self._sum.estimated = self._guessed > 0
        return self._sum


class _Count:
    """A list of trades as it was counted, in the order of the book."""

    def __init__(self, cost: Cost) -> None:
        self._cost = cost
        self.trades: list[Trade] = []
        self.places: dict[PositionId, _Place] = {}
        self._stale: dict[PositionId, _Place] = {}  # whose charges may be others
        self._charges: KeptSum[PositionId] = KeptSum()
        self._unknown: set[PositionId] = set()  # whose charges nobody knows

    def add(self, trade: Trade) -> None:
        """Count one more."""
        self.trades.append(trade)
        place = (trade.key, trade.product)
        known = self.places.get(place)
        if known is None:
            known = self.places[place] = _Place(partial(self._cost, *place))
        known.add(trade)
        self._stale[place] = known

    def forget_charges(self) -> None:
        """The plan may be another one."""
        for place in self.places.values():
            place.forget_charges()
        self._stale = dict(self.places)

    @property
    def charges(self) -> float | None:
        """Of all trades, rupees; None while one of them is not known. It costs the positions that
        traded since it was asked."""
        while self._stale:
            name, place = self._stale.popitem()
            found = place.sum.charges
            if found is None:
                self._unknown.add(name)
                self._charges.drop(name)
            else:
                self._unknown.discard(name)
                self._charges.put(name, [found])
        return None if self._unknown else self._charges.value

    def steps(self, trades: Sequence[Trade]) -> Iterator[None]:
        """Count many more, with their charges, in steps."""
        for part in parts(trades):
            for trade in part:
                self.add(trade)
            yield
        for place in self.places.values():
            for number, _ in enumerate(place.work_out()):
                if not number % AT_ONCE:
                    yield
            yield


class DayTrades:
    """Sums by position, kept up with each trade. ``cost`` gives the charges of an order (key,
    product, side, units, average price), None where the instrument is not known."""

    def __init__(self, books: Books, cost: Cost) -> None:
        self._books = books
        self._cost = cost
        self._count = _Count(cost)
        self._ready: _Count | None = None
        books.before_trades = self.prepare
        books.trades_changed.connect(self._read)
        books.trades_added.connect(self._add)

    def of(self, key: Key, product: Product) -> DaySum:
        """Today's trades of a position; empty where there are none."""
        place = self._count.places.get((key, product))
        return NONE if place is None else place.sum

    def charges_of(self, trade: Trade) -> tuple[float | None, bool]:
        """What a trade cost, rupees, and whether that is an estimate: its share, by value, of what
        its order costs."""
        if trade.charges:
            return trade.charges, False
        place = self._count.places.get((trade.key, trade.product))
        order = None if place is None else place.orders.get(trade.order_id)
        if place is None or order is None or not order.value:
            return None, True
        whole = order.charges if place.sum and order.counted else None
        return (None if whole is None else whole * trade.quantity * trade.price / order.value), True

    @property
    def charges(self) -> float | None:
        """Of all trades of today, rupees; None while one of them is not known."""
        return self._count.charges

    # -- keeping ----------------------------------------------------------------------------
    async def prepare(self, trades: Sequence[Trade]) -> None:
        """Count a book that was read, in turns of the loop, before anybody is told of it."""
        count = _Count(self._cost)
        try:
            await in_turns(count.steps(trades))
        except Exception:  # without estimates the book is read all the same
            log.exception("trades cannot be counted")
        else:
            self._ready = count

    def _read(self) -> None:
        """The book was read whole. What is counted already is not counted again."""
        trades, ready, self._ready = self._books.trades, self._ready, None
        if ready is not None and trades[: len(ready.trades)] == ready.trades:
            self._count = ready
        elif trades[: len(self._count.trades)] == self._count.trades:
            self._count.forget_charges()
        else:
            self._count = _Count(self._cost)
        self._add(trades[len(self._count.trades) :])

    def _add(self, trades: Iterable[Trade]) -> None:
        for trade in trades:
            self._count.add(trade)


def day_trades(terminal: Terminal, books: Books) -> DayTrades:
    """The one of a terminal: charges by the brokerage plan in force."""

    def cost(key: Key, product: Product, action: Action, units: int, price: float) -> float | None:
        row = terminal.instruments.get(key)
        if row is None:
            return None
        day = terminal.clock.now().date()
        estimator = terminal.sandbox.charging.estimator
        return estimator.charges(row, product, action, units, price, day)

    return DayTrades(books, cost)
