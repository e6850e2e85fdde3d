"""How practice orders fill: at the price that comes, whole.

The account is shown every level of a resting order that a path passes, so a limit or a stop inside
a bar fills at its own price; where the price jumps over it (the open of a bar), at the open.
"""

from __future__ import annotations

from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.exchange.matching import Market, Resting


class PathModel:
    """A :class:`FillModel` without spread, queue and size: history does not tell them."""

    refuses_passed_stops = False

    def market(self, tick: Tick, traded: int) -> Market:
        """The market of one price."""
        return _Price(tick.ltp)


class _Price:
    __slots__ = ("_price",)

    def __init__(self, price: float) -> None:
        self._price = price

    def fills(self, order: Resting) -> list[tuple[int, float]]:
        price, limit = self._price, order.price
        if order.price_type.has_price:
            waits = price > limit if order.action is Action.BUY else price < limit
            if waits:
                return []
        return [(order.quantity, price)]
