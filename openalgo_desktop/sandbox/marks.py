"""The last prices of positions and holdings, kept for the time the program is closed."""

from __future__ import annotations

from collections.abc import Callable

from openalgo_desktop.exchange.records import PositionKey
from openalgo_desktop.exchange.state import PaperState
from openalgo_desktop.sandbox.report import Prices


class Marks:
    """Takes prices into the rows. Books are read often, so reading them does not write: changed
    rows are stored when asked for, at an interval and at the end."""

    def __init__(self, state: Callable[[], PaperState], price: Prices) -> None:
        self._state = state
        self._price = price
        self._changed: set[PositionKey] = set()

    def take(self, *, store: bool) -> bool:
        """Remember the prices of now; whether rows wait to be stored."""
        state = self._state()
        for row in state.positions.values():
            if not row.quantity or row.from_holdings:
                continue  # closed and sold rows keep the price they went at
            price = self._price(row.key, row.mark)
            if price != row.mark:
                row.mark = price
                self._changed.add(row.position_key)
        for holding in state.holdings.values():
            price = self._price(holding.key, holding.mark)
            if price != holding.mark:
                holding.mark = price
                self._changed.add((*holding.key, ""))
        if not store or not self._changed:
            return False
        for key in self._changed:
            if (position := state.positions.get(key)) is not None:
                state.mark_position(position)
            elif (held := state.holdings.get(key[:2])) is not None:
                state.mark_holding(held)
        self._changed.clear()
        return True
