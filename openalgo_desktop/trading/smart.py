"""Orders that are worked out from the position: bring it to a wanted size, or turn it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import NetError, OrderError
from openalgo_desktop.core.model import OrderRequest, with_quantity
from openalgo_desktop.trading.exits import same_position, whole
from openalgo_desktop.trading.lane import Lane
from openalgo_desktop.trading.own_part import OwnPart
from openalgo_desktop.trading.position_view import View
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.underway import key_of

MATCHED = "Positions Already Matched. No Action needed."
#: A smart order whose position cannot be read; spec/automation.md A5.
NOT_READ = (
    "OpenAlgo could not read your open position from {broker}, so no order was sent. Check your "
    "positions and try again."
)
NOTHING_TO_EXIT = "No OpenPosition Found. Not placing Exit order."


class NotNeeded(msgspec.Struct, frozen=True):
    """The position is as wanted already, or will be by what is under way."""

    mode: Mode
    message: str


def smart_order(request: OrderRequest, target: int, view: View) -> OrderRequest | str:
    """The order that brings a position to ``target`` (signed units), or why none is needed.

    Action and quantity of ``request`` count only for a plain entry: target 0, nothing held,
    nothing under way, quantity given. Raises :class:`OrderError` when the position to leave is
    still being bought or sold.
    """
    flat = not view.held and not view.pending
    if target == 0 and flat and request.quantity > 0:
        return request
    # A stop does not count towards a target, but a repeated smart stop is no second one.
    change = view.missing(target, triggers=request.price_type.has_trigger)
    if change:
        side = Action.BUY if change > 0 else Action.SELL
        return msgspec.structs.replace(with_quantity(request, abs(change)), action=side)
    if target == 0 and not view.held and (coming := view.prompt(1) + view.prompt(-1)):
        raise OrderError(
            f"Orders for {abs(coming)} of {request.symbol} are on their way and nothing is held "
            "yet, so nothing was sent. Try again when they have filled."
        )
    return NOTHING_TO_EXIT if request.quantity == 0 and flat and not target else MATCHED


class SmartOrders:
    """Smart orders of one lane: the target less the position and all that is under way to it."""

    def __init__(self, desk: Lane) -> None:
        self._desk = desk

    async def place(
        self,
        request: OrderRequest,
        target: int,
        source: str,
        mode: Mode | None = None,
        *,
        own: OwnPart | None = None,
        leaving: Callable[[bool], None] = lambda closes: None,
    ) -> Placed | NotNeeded:
        """Send what is missing to ``target``: that of the account's position, or with ``own`` of
        what that strategy itself holds. Errors and ``mode`` as :meth:`Lane.place`; a position that
        cannot be read raises its error and sends nothing. ``leaving`` hears just before an order
        leaves whether it only takes down what is held; it does not raise, for stops that rested
        against the position may be gone by then.

        Where the target leaves the position, limits and stops that rest against it are taken back
        first, like :meth:`Exits.close` does, unless they are what is asked for.
        """
        mode = self._desk.still(mode)
        key = key_of(request)
        async with self._desk.under_way.lock(mode, key):
            gateway = self._desk.gateway_of(mode)
            account = gateway.account_id
            views = own.views(key) if own is not None else None
            try:
                view = await self._desk.exits.ready(
                    key, target, source, mode, request, part=views or whole
                )
            except NetError as error:
                error.detail = error.detail or error.message
                error.message = NOT_READ.format(broker=gateway.broker or "your broker")
                raise
            order = smart_order(request, target, view)
            if isinstance(order, str):
                return NotNeeded(mode, order)
            if views is not None:
                order = views.fitting(order, view)
            leaving(order.action.sign * view.held < 0 and order.quantity <= abs(view.held))
            if views is not None:
                await self._trim(order, view, views.account, source, mode)
            return await self._send(order, view, source, mode, account)

    async def _trim(
        self, order: OrderRequest, own: View, account: View, source: str, mode: Mode
    ) -> None:
        """Exits of the account that rest become no larger than what stays of its position."""
        if order.action.sign * own.held < 0 and order.price_type is PriceType.MARKET:
            closes = min(order.quantity, abs(own.held))
            await self._desk.exits.trim(account, max(0, abs(account.held) - closes), source, mode)

    async def reverse(
        self,
        symbol: str,
        exchange: str,
        product: Product,
        source: str,
        mode: Mode | None = None,
        *,
        seen: int = 0,
    ) -> Placed | NotNeeded:
        """Turn a position to the same size on the other side, at market; resting exits are taken
        back. One that is flat when all that trades at once has filled is left alone. ``seen`` are
        the signed units that a human saw: a position that is not that any more, or will not be
        when what is under way has filled (another reversal), is refused with
        :class:`OrderError`."""
        mode = self._desk.still(mode)
        key = (exchange, symbol, product)
        async with self._desk.under_way.lock(mode, key):
            plain = OrderRequest(symbol, exchange, Action.BUY, 0, product=product)
            account = self._desk.gateway_of(mode).account_id
            guard = partial(same_position, symbol, seen, exactly=True)
            view = await self._desk.exits.ready(key, 0, source, mode, plain, guard=guard)
            target = -view.coming
            order = smart_order(plain, target, view) if target else MATCHED
            if isinstance(order, str):
                return NotNeeded(mode, order)
            return await self._send(order, view, source, mode, account)

    async def _send(
        self, order: OrderRequest, view: View, source: str, mode: Mode, account: str
    ) -> Placed:
        reduces = order.action.sign * view.held < 0 and order.quantity <= view.to_close
        closing = reduces and order.price_type is PriceType.MARKET
        return await self._desk.place(order, source, mode, closing=closing, account=account)
