"""The rows of a ladder: prices in whole steps, and what stands at each. No Qt here.

A row has a number: its price in steps of ``group`` ticks. The number belongs to the price, so a
ladder that moves never changes what a row means.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.model import Order
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.core.ticks import Level, Part, Tick

GROUPS = (1, 5, 10)
#: The last price is brought back to the middle when it leaves this part of the rows around it.
CALM = 0.5


def order_price(order: Order) -> float:
    """Where an order waits: its trigger, or its limit; 0 for one at market."""
    return order.trigger_price or order.price


@dataclass(slots=True)
class Grid:
    """Which prices are shown. ``moved`` counts jumps: what was pressed before one is not meant
    after it."""

    tick: float = 0.05
    group: int = 1
    rows: int = 1
    top: int = 0  # number of the first row
    moved: int = 0

    def ticks(self, price: float) -> int:
        """A price in ticks."""
        return round(price / self.tick)

    def number(self, price: float, up: bool = False) -> int:
        """The row of a price: bids stand at or above their row, asks (``up``) at or below."""
        ticks = self.ticks(price)
        return -(-ticks // self.group) if up else ticks // self.group

    def price(self, number: int) -> float:
        """The price of a row, rupees, on the tick."""
        return to_tick(number * self.group * self.tick, self.tick)

    def place(self, number: int) -> int:
        """Where a row is shown, counted from the top; may be outside."""
        return self.top - number

    def at(self, place: int) -> int:
        """The number of a shown row."""
        return self.top - place

    def shows(self, number: int) -> bool:
        """Whether a row can be seen."""
        return 0 <= self.place(number) < self.rows

    def centre(self, price: float) -> None:
        """Bring a price to the middle."""
        self._go(self.number(price) + self.rows // 2)

    def calm(self, price: float) -> bool:
        """Whether a price is near enough to the middle."""
        off = abs(self.place(self.number(price)) - self.rows // 2)
        return off <= max(1, math.floor(self.rows * CALM / 2))

    def scroll(self, rows: int) -> None:
        """Show higher (positive) or lower prices."""
        self._go(self.top + rows)

    def regroup(self, group: int, price: float) -> None:
        """Other steps, around a price."""
        if group != self.group:
            self.group = group
            self.moved += 1
            self.centre(price)

    def resize(self, rows: int) -> None:
        """Room for so many rows; the middle stays."""
        if rows != self.rows:
            self._go(self.top + rows // 2 - self.rows // 2)
            self.rows = rows

    def _go(self, top: int) -> None:
        if top != self.top:
            self.top = top
            self.moved += 1


@dataclass(slots=True)
class Volumes:
    """Units traded at each price, from ticks seen since the ladder was opened. Several trades
    between two ticks count at the last price of them."""

    since: str = ""  # time of day
    by_ticks: dict[int, int] = field(default_factory=dict)
    _day: int | None = None

    def restart(self, since: str) -> None:
        """Another symbol, or from now on."""
        self.since = since
        self.by_ticks.clear()
        self._day = None

    def take(self, tick: Tick, grid: Grid) -> int:
        """Count what was traded since the tick before; units."""
        if not tick.knows(Part.DAY) or not tick.volume:
            return 0
        before, self._day = self._day, tick.volume
        # A fall means a new day or a reconnect: nothing can be said about that step.
        traded = 0 if before is None else max(0, tick.volume - before)
        if traded and tick.knows(Part.LTP) and tick.ltp > 0:
            at = grid.ticks(tick.ltp)
            self.by_ticks[at] = self.by_ticks.get(at, 0) + traded
        return traded

    def by_row(self, grid: Grid) -> dict[int, int]:
        """Units by row of the grid."""
        if grid.group == 1:
            return self.by_ticks
        rows: dict[int, int] = {}
        for ticks, units in self.by_ticks.items():
            rows[ticks // grid.group] = rows.get(ticks // grid.group, 0) + units
        return rows


def by_row(levels: Sequence[Level], grid: Grid, up: bool) -> dict[int, int]:
    """Units of a side of the book by row."""
    rows: dict[int, int] = {}
    for level in levels:
        if level.price > 0:
            number = grid.number(level.price, up)
            rows[number] = rows.get(number, 0) + level.quantity
    return rows


Own = dict[tuple[Action, int], list[Order]]


def own_by_row(orders: Iterable[Order], grid: Grid) -> Own:
    """Working orders by side and row; those at market stand nowhere."""
    rows: Own = {}
    for order in orders:
        if price := order_price(order):
            number = grid.number(price, order.action is Action.SELL)
            rows.setdefault((order.action, number), []).append(order)
    return rows


def ticks_won(quantity: int, average: float, last: float, tick: float) -> float:
    """Open result in ticks of one unit; positive is won."""
    return (last - average) / tick * (1 if quantity > 0 else -1)
