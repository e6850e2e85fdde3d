"""The price of a combination, tick by tick: its extremes are exact from here on."""

from __future__ import annotations

import math

from openalgo_desktop.core.charting.legs.expression import Expression
from openalgo_desktop.core.model import Key


class LivePrice:
    """Takes prices of legs as they come. There is a price of the whole only while all legs are
    known: who hears that one is stale calls :meth:`lose`."""

    def __init__(self, expression: Expression) -> None:
        self.expression = expression
        self._prices = dict.fromkeys(expression.keys, math.nan)
        self._moments = dict.fromkeys(expression.keys, 0.0)

    def take(self, key: Key, price: float, moment: float) -> float:
        """A leg trades at ``price`` (rupees) at ``moment`` (epoch seconds); the price of the
        whole, NaN while it is not known. A leg that is not its own changes nothing."""
        if key in self._prices:
            self._prices[key] = price
            self._moments[key] = moment
        return self.price

    def lose(self, key: Key) -> None:
        """The price of a leg is not known any more."""
        if key in self._prices:
            self._prices[key] = math.nan

    @property
    def price(self) -> float:
        """Rupees; NaN while a leg is not known, or something is divided by 0."""
        if any(math.isnan(price) for price in self._prices.values()):
            return math.nan
        found = float(self.expression.value(self._prices.__getitem__))
        return found if math.isfinite(found) else math.nan

    @property
    def moment(self) -> float:
        """When the latest of the legs traded, epoch seconds: the bar that the price belongs to."""
        return max(self._moments.values())
