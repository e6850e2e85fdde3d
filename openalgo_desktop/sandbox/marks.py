"""The last prices of positions and holdings, kept for the time the program is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from openalgo_desktop.exchange.records import PositionKey
from openalgo_desktop.exchange.state import PaperState
from openalgo_desktop.sandbox.report import Prices

#: Rows that are looked at before others get the loop.
_TURN = 500


class Marks:
    """Takes prices into the rows. Books are read often, so reading them does not write: changed
    rows are stored when asked for, at an interval and at the end."""

    def __init__(self, state: Callable[[], PaperState], price: Prices) -> None:
        self._state = state
        self._price = price
        self._changed: set[PositionKey] = set()

    def take(self) -> bool:
        """Remember the prices of now, at once; whether rows wait to be stored."""
        for _ in self.steps():
            pass
        some = False
        while self.store():
            some = True
        return some

    async def look(self) -> None:
        """Remember the prices of now; others get the loop in between."""
        for _ in self.steps():
            await asyncio.sleep(0)

    def steps(self) -> Iterator[None]:
        """Remember the prices of now, a millisecond or two at a time."""
        state = self._state()
        for number, row in enumerate(list(state.positions.values()), 1):
            if not number % _TURN:
                yield
            if not row.quantity or row.from_holdings:
                continue  # closed and sold rows keep the price they went at
            price = self._price(row.key, row.mark)
            if price != row.mark:
                row.mark = price
                self._changed.add(row.position_key)
        for number, holding in enumerate(list(state.holdings.values()), 1):
            if not number % _TURN:
                yield
            price = self._price(holding.key, holding.mark)
            if price != holding.mark:
                holding.mark = price
                self._changed.add((*holding.key, ""))

    def store(self) -> bool:
        """Let some of what has changed be stored, as many rows as the loop can spare at once;
        whether there were any."""
        state = self._state()
        if not self._changed:
            return False
        for _ in range(min(_TURN, len(self._changed))):
            key = self._changed.pop()
            if (position := state.positions.get(key)) is not None:
                state.mark_position(position)
            elif (held := state.holdings.get(key[:2])) is not None:
                state.mark_holding(held)
        return True
