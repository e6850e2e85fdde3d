"""What is a strategy's own in an account: its orders by the journal's origin, its positions by the
strategy book. Cancelling and closing for a strategy touches nothing else of the account.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

import msgspec

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.errors import AppError, DataError, OrderError
from openalgo_desktop.core.model import Key, Order, OrderRequest
from openalgo_desktop.trading.holdings import in_holdings
from openalgo_desktop.trading.lane import Lane
from openalgo_desktop.trading.ownbook import PositionKey
from openalgo_desktop.trading.position_view import View
from openalgo_desktop.trading.results import CancelAll, CloseAll

log = logging.getLogger(__name__)


class OwnViews:
    """Of each view of an account the part that is a strategy's: what its book holds, and what its
    own orders will still do to it. What others hold of the same instrument stays out of both."""

    def __init__(self, part: OwnPart, strategy: str, key: PositionKey) -> None:
        self._part = part
        self._strategy = strategy
        self._key = key
        self.account = View(0)  # all of it, at the last look

    def __call__(self, view: View) -> View:
        self.account = view
        held = self._part.held(self._key)
        return View(held, tuple(row for row in view.pending if row.strategy == self._strategy))

    def fitting(self, order: OrderRequest, own: View) -> OrderRequest:
        """``order`` as far as the account has what it closes: a part that somebody else closed in
        another name would be opened anew by closing it again. Raises :class:`OrderError` where
        nothing is left to close, or the order goes on to the other side; and where it opens what
        would net with the other side that somebody else holds."""
        sign = order.action.sign
        closes = min(order.quantity, abs(own.held)) if own.held * sign < 0 else 0
        others = self.account.held - own.held
        if order.quantity > closes and others * sign < 0:
            raise OrderError(
                f"Others hold {others:+,} {order.symbol} ({order.product.value}) in the account, "
                f"and {self._strategy} would net with them on the other side: nothing was sent. "
                "Close that position, or take another product."
            )
        if not closes:
            return order
        free = self.account.beside_resting if own.held * self.account.held > 0 else 0
        if closes <= free or (order.product is Product.CNC and sign < 0):
            return order  # (delivered shares are holdings from the next day on)
        if free and order.quantity == closes:
            return msgspec.structs.replace(order, quantity=free)
        raise OrderError(
            f"{self._strategy} holds {own.held:+,} {order.symbol} by its book, and the account has "
            f"{self.account.held:+,}: other orders have set it off, so nothing was sent. Look at "
            "the position."
        )


class OwnPart:
    """Orders and positions of ``strategy`` in the account of a lane."""

    def __init__(self, lane: Lane, strategy: str) -> None:
        self._lane = lane
        self.strategy = strategy
        self._delivered: dict[PositionKey, int] = {}  # in the holdings, at the last look

    async def owns(self, order_id: str) -> bool:
        """Whether an order (or a GTT) was placed for the strategy, in this run or an earlier one:
        the journal is asked for what is not known here."""
        return (
            await self._lane.sender.origins.strategy_by_id(self._lane.read.account_id, order_id)
            == self.strategy
        )

    async def cancel_all(self, source: str) -> CancelAll:
        """Take back every working order of the strategy; as :meth:`Closing.cancel_all`."""
        return await self._lane.closing.cancel_all(source, strategy=self.strategy)

    async def until_read(self) -> None:
        """What it holds is known; soon after a start of the program that takes a moment."""
        await self._lane.strategies.until_read(self._lane.mode)

    def held(self, key: PositionKey) -> int:
        """Signed units of a position by the strategy's book, whatever others hold of it. Raises
        :class:`DataError` before that was read: who derives an order from it would count what is
        held from earlier days as not there."""
        known = self._lane.strategies.units(self._lane.mode, self.strategy)
        if known is None:
            raise DataError(
                f"What {self.strategy} holds is being read, so no order was sent. Try again in a "
                "moment."
            )
        return known.get(key, 0)

    def _known(self) -> Mapping[PositionKey, int]:
        """Signed units, also of earlier days; before the book was read those of today."""
        mode = self._lane.mode
        known = self._lane.strategies.units(mode, self.strategy)
        today = self._lane.books.book(mode).units_today
        return today(self.strategy) if known is None else known

    def closes(self, request: OrderRequest) -> bool:
        """Whether an order of the strategy only closes what is its own."""
        book = self._lane.books.book(self._lane.mode)
        return book.closes_own(request, self._known())

    async def look_at_holdings(self) -> None:
        """Shares of its book that are no position: those in the holdings count from now on. Raises
        the error of a book that cannot be read."""
        for key, own in self._known().items():
            if key[2] is Product.CNC and own > max(0, self._position(key)):
                self._delivered[key] = await in_holdings(self._lane.gateway, key[:2])

    def delivered(self, key: PositionKey) -> int:
        """Units of a position that are in the holdings, by the last look."""
        return self._delivered.get(key, 0)

    def _account(self, key: PositionKey) -> int:
        """Signed units of the account, what was found in the holdings included."""
        return self._position(key) + self.delivered(key)

    def _position(self, key: PositionKey) -> int:
        row = self._lane.books.book(self._lane.mode).positions.get(key)
        return row.quantity if row is not None else 0

    def units(self) -> dict[PositionKey, int]:
        """Signed units that the strategy holds, also of earlier days, never more than the account
        holds on that side: what a human closed elsewhere is not the strategy's any more."""
        found: dict[PositionKey, int] = {}
        for key, own in self._known().items():
            account = self._account(key)
            if own * account > 0:
                units = min(abs(own), abs(account))
                found[key] = units if own > 0 else -units
        return found

    def set_off(self) -> dict[PositionKey, int]:
        """Signed units of its book where the account stands on the other side, by what others
        hold: closing them would make the account's position larger."""
        return {key: own for key, own in self._known().items() if own * self._account(key) < 0}

    def views(self, key: PositionKey) -> OwnViews:
        """Its part of the views of one position."""
        return OwnViews(self, self.strategy, key)

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
                    strategy=self.strategy,
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
        return self._lane.sender.origins.name(order).strategy == self.strategy
