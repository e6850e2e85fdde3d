"""Closing what a strategy itself holds, at its stop: by our own book, in its mode and account,
through the exits that everybody uses. Never more than the account holds on that side."""

from __future__ import annotations

import asyncio
import logging

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.ownbook import PositionKey

log = logging.getLogger(__name__)

#: Seconds until what was sent must have filled, and between looks.
SETTLE, POLL = 20.0, 0.1


class OwnExits:
    """Works on the lane of a mode, wherever the switch stands."""

    def __init__(self, desk: OrderDesk, *, settle: float = SETTLE) -> None:
        self._desk = desk
        self._settle = settle

    def held(self, name: str, mode: Mode) -> dict[PositionKey, int]:
        """Signed units that a strategy holds, no network: what its own orders left, at most what
        the account holds on that side."""
        book = self._desk.books.book(mode)
        found: dict[PositionKey, int] = {}
        for key, net in book.strategies.get(name, {}).items():
            row = book.positions.get(key)
            units = _within(net.quantity, row.quantity if row is not None else 0)
            if units:
                found[key] = units
        return found

    async def close(self, name: str, mode: Mode, account_id: str) -> tuple[str, ...]:
        """Take back its working orders, close what it holds, wait until that is so. Sentences
        about what could not be confirmed."""
        lane = self._desk.bound(mode)
        source = f"stop:{name}"
        now = lane.gateway.account_id
        if account_id not in ("", now):
            return (
                f"What it holds is in the account {account_id} and orders go to {now} now: nothing "
                "was sent. Look at its positions there.",
            )
        told = await self._cancel(name, mode, source)
        failed: dict[PositionKey, str] = {}
        for key, units in self.held(name, mode).items():
            try:
                await lane.exits.close(
                    key,
                    source,
                    mode,
                    at_most=abs(units),
                    strategy=name,
                    standing=True,
                    side=1 if units > 0 else -1,
                    account=account_id,
                )
            except AppError as error:
                failed[key] = error.message
                log.error("%s: %s was not closed: %s", name, key[1], error.message)
        left = await self._left(name, mode, set(failed))
        for key, units in left.items():
            why = failed.get(key, "its exit has not filled yet")
            told.append(f"{units:+,} {key[1]} ({key[2].value}) may still be open: {why}.")
        return tuple(told)

    async def _cancel(self, name: str, mode: Mode, source: str) -> list[str]:
        lane = self._desk.bound(mode)
        told: list[str] = []
        working = [
            order
            for order in self._desk.books.book(mode).orders.values()
            if order.strategy == name and order.status.is_working
        ]
        for order in working:
            try:
                await lane.cancel(order.order_id, source, mode)
            except AppError as error:
                told.append(f"Order {order.order_id} of {order.symbol} may still work: {error}.")
        return told

    async def _left(
        self, name: str, mode: Mode, failed: set[PositionKey]
    ) -> dict[PositionKey, int]:
        """What it still holds when all that was sent has had its time."""
        for _ in range(int(self._settle / POLL)):
            left = self.held(name, mode)
            if set(left) <= failed:
                return left
            await asyncio.sleep(POLL)
        return self.held(name, mode)


def _within(units: int, account: int) -> int:
    if units * account <= 0:
        return 0
    return min(units, account) if units > 0 else max(units, account)
