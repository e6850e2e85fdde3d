"""What is a strategy's own in an account: its orders by the journal's origin, its positions by the
strategy book. Cancelling and closing for a strategy touches nothing else of the account.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key, Order
from openalgo_desktop.trading.lane import Lane
from openalgo_desktop.trading.ownbook import PositionKey
from openalgo_desktop.trading.results import CancelAll, CloseAll

log = logging.getLogger(__name__)


class OwnPart:
    """Orders and positions of ``strategy`` in the account of a lane."""

    def __init__(self, lane: Lane, strategy: str) -> None:
        self._lane = lane
        self._strategy = strategy

    async def owns(self, order_id: str) -> bool:
        """Whether an order (or a GTT) was placed for the strategy, in this run or an earlier one:
        the journal is asked for what is not known here."""
        return (
            await self._lane.sender.origins.strategy_by_id(self._lane.read.account_id, order_id)
            == self._strategy
        )

    async def cancel_all(self, source: str) -> CancelAll:
        """Take back every working order of the strategy; as :meth:`Closing.cancel_all`."""
        return await self._lane.closing.cancel_all(source, strategy=self._strategy)

    def units(self) -> dict[PositionKey, int]:
        """Signed units that the strategy holds, also of earlier days, never more than the account
        holds on that side: what a human closed elsewhere is not the strategy's any more."""
        book = self._lane.books.book(self._lane.mode)
        found: dict[PositionKey, int] = {}
        for key, own in self._lane.strategy_units(self._strategy).items():
            row = book.positions.get(key)
            account = row.quantity if row is not None else 0
            if own * account > 0:
                units = min(abs(own), abs(account))
                found[key] = units if own > 0 else -units
        return found

    def set_off(self) -> dict[PositionKey, int]:
        """Signed units of its book where the account stands on the other side, by what others
        hold: closing them would make the account's position larger."""
        positions = self._lane.books.book(self._lane.mode).positions
        return {
            key: own
            for key, own in self._lane.strategy_units(self._strategy).items()
            if (row := positions.get(key)) is not None and own * row.quantity < 0
        }

    async def close_all(
        self, source: str, *, cancel_orders: bool = False, leave: Collection[Key] = ()
    ) -> CloseAll:
        """Close what the strategy holds at market, in its own name, but the instruments to
        ``leave``; a failure of one is told and keeps no other in. Its orders that rest against a
        position are taken back first, and with ``cancel_orders`` all of them."""
        mode, errors = self._lane.mode, []
        if cancel_orders:
            errors += [f"order {one}: {why}" for one, why in (await self.cancel_all(source)).failed]
        units = {key: held for key, held in self.units().items() if key[:2] not in leave}
        ids: list[str] = []
        closed = 0
        for key, held in units.items():
            try:
                await self._cancel_exits(key, held, source)
                placed = await self._lane.exits.close(
                    key,
                    source,
                    mode,
                    at_most=abs(held),
                    strategy=self._strategy,
                    fit=True,
                    side=1 if held > 0 else -1,
                )
            except AppError as error:
                errors.append(f"{key[1]}: {error.message}")
                ids.extend(error.sent)
                continue
            closed += 1
            ids.extend(placed.ids if placed is not None else ())
        failed = len(units) - closed
        return CloseAll(closed, failed, bool(units), mode, tuple(errors), tuple(ids))

    async def _cancel_exits(self, key: PositionKey, held: int, source: str) -> None:
        """Its own stops and targets: alone they would open the other side once it is flat."""
        book = self._lane.books.book(self._lane.mode)
        gone: set[str] = set()
        for order in book.working(key):
            if order.action.sign * held < 0 and self._is_own(order):
                try:
                    await self._lane.cancel(order.order_id, source)
                    gone.add(order.order_id)
                except AppError as error:
                    log.warning("exit %s was not cancelled: %s", order.order_id, error.message)
        if gone:
            lane = self._lane
            await lane.under_way.until_gone(lane.mode, lane.gateway, key, gone)

    def _is_own(self, order: Order) -> bool:
        return self._lane.sender.origins.name(order).strategy == self._strategy
