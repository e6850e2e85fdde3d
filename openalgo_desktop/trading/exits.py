"""Closing positions: always gets out, never closes more than is held.

An exit counts what is under way. Limits and stops that rest against the position are cancelled
first, since they would open the other side once it is flat; what cannot be cancelled is counted.
Above the freeze quantity an exit goes out in slices, whatever the settings say.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, OrderError
from openalgo_desktop.core.model import OrderRequest, Position, closing_order
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.trading.ownbook import PositionKey
from openalgo_desktop.trading.results import CloseAll, Placed
from openalgo_desktop.trading.underway import UnderWay, View

log = logging.getLogger(__name__)


class Corridor(Protocol):
    """The part of the desk that exits need."""

    @property
    def mode(self) -> Mode: ...
    def gateway_of(self, mode: Mode) -> TradingGateway: ...
    async def place(
        self, request: OrderRequest, source: str, mode: Mode | None = None, *, closing: bool = False
    ) -> Placed: ...
    async def cancel(self, order_id: str, source: str, mode: Mode | None = None) -> Placed: ...


class Exits:
    """Closes positions of one desk."""

    def __init__(self, desk: Corridor, under_way: UnderWay) -> None:
        self._desk = desk
        self._under_way = under_way

    async def close(self, key: PositionKey, source: str, mode: Mode) -> Placed | None:
        """Close one net position at market; None when it is flat.

        When exits under way cover it already, nothing is sent and the answer names them. Raises
        the error of a book that cannot be read (nothing was sent), and those of
        :meth:`OrderDesk.place`.
        """
        async with self._under_way.lock(mode, key):
            gateway = self._desk.gateway_of(mode)
            view = await self._under_way.view(mode, gateway, key)
            if any(row.waits for row in view.exits):
                await self._cancel_resting(view, source, mode, key)
                view = await self._under_way.view(mode, gateway, key)
            if not view.held:
                return None
            if not view.to_close:
                return _covered(view, mode)
            exchange, symbol, product = key
            quantity = view.to_close if view.held > 0 else -view.to_close
            row = Position(symbol, exchange, product, quantity, 0.0)
            return await self._desk.place(closing_order(row), source, mode, closing=True)

    async def close_all(self, source: str) -> CloseAll:
        """Close every open position of the account at market; each failure is told with its
        symbol and reason, and does not keep the others from being closed."""
        mode = self._desk.mode
        rows = await self._desk.gateway_of(mode).positions()
        open_rows = [row for row in rows if row.quantity]
        errors: list[str] = []
        ids: list[str] = []
        for row in open_rows:
            if self._desk.mode is not mode:
                raise OrderError("The mode was switched while positions were being closed.")
            try:
                placed = await self.close((row.exchange, row.symbol, row.product), source, mode)
            except AppError as error:
                errors.append(f"{row.symbol}: {error.message}")
                ids += error.sent
            else:
                ids += placed.ids if placed is not None else ()
        closed = len(open_rows) - len(errors)
        return CloseAll(closed, len(errors), bool(rows), mode, tuple(errors), tuple(ids))

    async def _cancel_resting(self, view: View, source: str, mode: Mode, key: PositionKey) -> None:
        """Cancel limits and stops against the position and wait until they are gone."""
        ids = [row.order_id for row in view.exits if row.waits and row.order_id]
        answers = await asyncio.gather(
            *(self._desk.cancel(order_id, source, mode) for order_id in ids),
            return_exceptions=True,
        )
        for order_id, answer in zip(ids, answers, strict=True):
            if isinstance(answer, AppError):  # it counts as under way, unless it has filled
                log.warning("exit order %s was not cancelled: %s", order_id, answer.message)
            elif isinstance(answer, BaseException):
                raise answer
        gone = {
            order_id
            for order_id, answer in zip(ids, answers, strict=True)
            if not isinstance(answer, BaseException)
        }
        await self._under_way.until_gone(mode, self._desk.gateway_of(mode), key, gone)


def _covered(view: View, mode: Mode) -> Placed:
    ids = tuple(row.order_id for row in view.exits if row.order_id)
    units = sum(abs(row.quantity) for row in view.exits)
    text = f"An exit of {units} units is under way already; nothing more was sent."
    return Placed(ids[0] if ids else "", mode, text, ids)
