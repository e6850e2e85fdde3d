"""Cancelling all orders and closing positions, one or all, by themselves or together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Protocol

import msgspec

from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key, Order
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.trading.books import in_turns
from openalgo_desktop.trading.exits import Exits
from openalgo_desktop.trading.ownbook import PositionKey
from openalgo_desktop.trading.policies import protected_exits
from openalgo_desktop.trading.results import CancelAll, CloseAll, Placed
from openalgo_desktop.trading.sending import OrderSender

log = logging.getLogger(__name__)

#: Cancellations of one call that are under way together: others get the loop in between.
CANCEL_CHUNK = 50


class Corridor(Protocol):
    """The part of the desk that this needs."""

    @property
    def sender(self) -> OrderSender: ...
    def still(self, mode: Mode | None, *, standing: bool = False) -> Mode: ...
    def gateway_of(self, mode: Mode) -> TradingGateway: ...
    async def cancel_at(
        self, gateway: TradingGateway, order_id: str, source: str, mode: Mode
    ) -> Placed: ...


class Closing:
    """Takes orders back and positions down for whoever asks; :class:`Exits` works each exit
    out."""

    def __init__(self, desk: Corridor, exits: Exits) -> None:
        self._desk = desk
        self._exits = exits

    async def cancel_all(
        self,
        source: str,
        mode: Mode | None = None,
        *,
        key: Key | None = None,
        strategy: str = "",
        only: Collection[str] | None = None,
    ) -> CancelAll:
        """Cancel every working order of the account, stops included; with ``key`` those of one
        instrument, with ``strategy`` those that were placed for it, with ``only`` those of these
        ids. One that is between two states at the broker cannot be cancelled yet and is left.
        ``mode`` as in :meth:`Lane.place`."""
        mode = self._desk.still(mode)
        gateway = self._desk.gateway_of(mode)
        cancelled: list[str] = []
        failed: list[tuple[str, str]] = []
        working: list[Order] = []
        async for some in in_turns(await gateway.orders()):
            found = [
                row
                for row in some
                if row.status.is_working
                and not row.settling
                and key in (None, row.key)
                and (only is None or row.order_id in only)
            ]
            working += await self._placed_for(strategy, found, gateway) if strategy else found
        for first in range(0, len(working), CANCEL_CHUNK):
            chunk = working[first : first + CANCEL_CHUNK]
            answers = await asyncio.gather(
                *(self._desk.cancel_at(gateway, row.order_id, source, mode) for row in chunk),
                return_exceptions=True,
            )
            for order, answer in zip(chunk, answers, strict=True):
                if isinstance(answer, AppError):
                    failed.append((order.order_id, answer.message))
                elif isinstance(answer, BaseException):
                    raise answer
                else:
                    cancelled.append(order.order_id)
        return CancelAll(cancelled, failed, mode)

    async def _placed_for(
        self, strategy: str, orders: list[Order], gateway: TradingGateway
    ) -> list[Order]:
        origins = self._desk.sender.origins
        await origins.learn(gateway.account_id, orders)
        return [order for order in orders if origins.name(order).strategy == strategy]

    async def close_position(
        self,
        symbol: str,
        exchange: str,
        product: Product,
        source: str,
        *,
        quantity: int = 0,
        cancel_orders: bool = False,
        seen: int = 0,
        mode: Mode | None = None,
    ) -> Placed | None:
        """Close one net position at market (:meth:`Exits.close`), or ``quantity`` units of it:
        never more than is held, and exits that rest against it are made no larger than what stays.
        None when it is flat. With ``cancel_orders`` every working order of the symbol, entries
        too, is cancelled first; ``seen`` as in :meth:`Exits.close`, ``mode`` as in
        :meth:`Lane.place`."""
        mode = self._desk.still(mode)
        if cancel_orders:
            await self._cancel_first(source, mode, (exchange, symbol))
        key = (exchange, symbol, product)
        return await self._exits.close(
            key, source, mode, at_most=quantity or None, fit=True, seen=seen
        )

    async def close_all(
        self,
        source: str,
        mode: Mode | None = None,
        *,
        cancel_orders: bool = False,
        only: Collection[PositionKey] | None = None,
        protected: bool = False,
    ) -> CloseAll:
        """Close every open position at market (:meth:`Exits.close_all`), or ``only`` some;
        ``mode`` as in :meth:`Lane.place`. ``protected``: as limits a little through the
        price. With ``cancel_orders`` the working orders of the account, or of the symbols that are
        closed, are cancelled first, so that nothing fills when it is flat: what guards a position
        that stays, stays."""
        mode = self._desk.still(mode)
        left: tuple[str, ...] = ()
        if cancel_orders:
            keys = [None] if only is None else sorted({key[:2] for key in only})
            for key in keys:
                left += await self._cancel_first(source, mode, key)
        token = protected_exits.set(protected)
        try:
            if only is None:
                closed = await self._exits.close_all(source, mode)
            else:
                closed = await self._exits.close_all(
                    source, mode, leave=lambda key: key not in only
                )
        finally:
            protected_exits.reset(token)
        return msgspec.structs.replace(closed, errors=closed.errors + left)

    async def _cancel_first(self, source: str, mode: Mode, key: Key | None) -> tuple[str, ...]:
        """Cancel what works before closing; why an order still does. It keeps no exit in."""
        try:
            result = await self.cancel_all(source, mode, key=key)
        except AppError as error:
            log.warning("orders were not cancelled before closing: %s", error)
            return (f"orders were not cancelled: {error.message}",)
        return tuple(f"order {order_id} still works: {why}" for order_id, why in result.failed)
