"""Closing positions: always gets out, never closes more than is held.

An exit counts what is under way. Limits and stops that rest against the position are cancelled
first, since they would open the other side once it is flat; what cannot be cancelled is counted.
Above the freeze quantity an exit goes out in slices, whatever the settings say.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Protocol

from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.errors import (
    AppError,
    InsufficientFunds,
    NoPrice,
    OrderError,
    RejectedByBroker,
)
from openalgo_desktop.core.model import (
    SQUARE_OFF_STRATEGY,
    Key,
    ModifyRequest,
    OrderRequest,
    Position,
    can_close,
    closing_order,
)
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.trading.ownbook import PositionKey
from openalgo_desktop.trading.position_view import View
from openalgo_desktop.trading.results import CloseAll, Placed
from openalgo_desktop.trading.underway import UnderWay

log = logging.getLogger(__name__)

#: A gateway refused, or it was not even asked; nothing is at the exchange.
REFUSED = (RejectedByBroker, InsufficientFunds, NoPrice)

#: How long an order that leads the other way is waited for, and how often it is looked at; seconds.
SETTLE, POLL = 2.0, 0.1
#: Positions that are being closed together: some milliseconds of the loop in one go.
AT_ONCE = 20
#: Positions read so long ago will do for the further ones of one closing; seconds.
SAME_READING = 10.0


class Corridor(Protocol):
    """The part of the desk that exits need."""

    def still(self, mode: Mode | None, *, standing: bool = False) -> Mode: ...
    def gateway_of(self, mode: Mode) -> TradingGateway: ...
    async def place(
        self,
        request: OrderRequest,
        source: str,
        mode: Mode | None = None,
        *,
        closing: bool = False,
        standing: bool = False,
        account: str = "",
    ) -> Placed: ...
    async def modify(
        self,
        request: ModifyRequest,
        source: str,
        mode: Mode | None = None,
        *,
        standing: bool = False,
    ) -> Placed: ...
    async def cancel(
        self, order_id: str, source: str, mode: Mode | None = None, *, standing: bool = False
    ) -> Placed: ...
    def exit_prices(
        self, keys: Sequence[Key], held_at: Mapping[Key, float], gateway: TradingGateway
    ) -> AbstractAsyncContextManager[None]: ...


def whole(view: View) -> View:
    """All of the account."""
    return view


def _beside(delivered: int, view: View) -> View:
    """With units that are in the holdings."""
    return View(view.held + delivered, view.pending)


class Exits:
    """Closes positions of one lane."""

    def __init__(self, desk: Corridor, under_way: UnderWay) -> None:
        self._desk = desk
        self._under_way = under_way

    async def close(
        self,
        key: PositionKey,
        source: str,
        mode: Mode,
        *,
        at_most: int | None = None,
        strategy: str = SQUARE_OFF_STRATEGY,
        max_age: float = 0.0,
        standing: bool = False,
        fit: bool = False,
        side: int = 0,
        account: str = "",
        seen: int = 0,
        delivered: int = 0,
    ) -> Placed | None:
        """Close one net position at market; None when it is flat. Of a position that several
        share, ``at_most`` units are closed and resting exits stay (and count); ``strategy``
        is in whose name it is closed. ``standing``: it is an exit plan's. It goes out in its own
        mode, and resting exits do not keep it in: they are made no larger than what stays, also
        with ``fit`` (a part that a human closes). With ``side`` (+1, -1) a position that has turned
        meanwhile counts as flat. ``seen`` are the signed units that a human saw: one that has
        turned is refused with :class:`OrderError`, a part also where another size is under way.

        When exits under way cover it already, nothing is sent and the answer names them. Raises
        the error of a book that cannot be read (nothing was sent), and those of
        :meth:`Lane.place`. ``max_age`` as in :meth:`UnderWay.view`. What was counted in one
        account never goes out in another, and nothing in one that is not ``account``.
        ``delivered`` units of it are holdings by now, and count as held.
        """
        part = partial(_beside, delivered) if delivered else whole
        account = account or self._desk.gateway_of(mode).account_id
        exchange, symbol, product = key
        plain = OrderRequest(symbol, exchange, Action.SELL, 1, product=product)
        async with self._under_way.lock(mode, key):
            like = plain if at_most is None else None
            guard = partial(same_position, symbol, seen, exactly=at_most is not None)
            view = await self.ready(
                key,
                0,
                source,
                mode,
                like,
                max_age=max_age,
                standing=standing,
                guard=guard,
                part=part,
            )
            trim = (standing or fit) and at_most is not None
            if trim and at_most is not None and at_most >= abs(view.held) > 0:
                trim = False  # all of it
                view = await self.ready(key, 0, source, mode, plain, standing=standing, part=part)
            if view.held * side < 0:
                return None
            if not view.held:
                if coming := [row.order_id for row in view.pending if row.prompt]:
                    raise OrderError(
                        f"Orders of {symbol} are on their way ({', '.join(coming)}) and nothing is "
                        "held yet, so nothing was sent. Try again when they have filled."
                    )
                return None
            free = view.beside_resting if trim else view.to_close
            units = free if at_most is None else min(free, at_most)
            if not units:
                return _covered(view, mode)
            if trim:
                await self.trim(view, abs(view.held) - units, source, mode)
            row = Position(symbol, exchange, product, units if view.held > 0 else -units, 0.0)
            return await self._desk.place(
                closing_order(row, strategy),
                source,
                mode,
                closing=True,
                standing=standing,
                account=account,
            )

    async def trim(self, view: View, left: int, source: str, mode: Mode) -> None:
        """Make resting exits no larger than the ``left`` units that stay: each alone would else
        open the other side."""
        for row in view.exits:
            if not row.waits or not row.order_id or abs(row.quantity) <= left:
                continue
            try:
                await self.shrink(row.order_id, abs(row.quantity) - left, source, mode)
            except AppError as error:
                log.warning("exit order %s was not made smaller: %s", row.order_id, error.message)

    async def shrink(self, order_id: str, less: int, source: str, mode: Mode) -> None:
        """Take ``less`` units off a resting order, or cancel it where nothing or the wrong thing
        would stay. Raises the error of the cancellation."""
        order = self._under_way.known(mode, order_id)
        if order is not None and order.pending_quantity > less:
            request = ModifyRequest(order_id, quantity=order.quantity - less)
            try:
                await self._desk.modify(request, source, mode, standing=True)
                return
            except AppError as error:
                log.warning("order %s is cancelled, not changed: %s", order_id, error.message)
        await self._desk.cancel(order_id, source, mode, standing=True)

    async def ready(
        self,
        key: PositionKey,
        target: int,
        source: str,
        mode: Mode,
        like: OrderRequest | None,
        *,
        max_age: float = 0.0,
        standing: bool = False,
        guard: Callable[[View], None] | None = None,
        part: Callable[[View], View] = whole,
    ) -> View:
        """The view from which an order to ``target`` is worked out, under the position's lock.
        ``guard`` raises where nothing may be done about what it sees; it is asked first. ``part``
        makes of each view of the account the one of somebody who shares it.

        What trades at once and leads away from the target is waited for, at most :data:`SETTLE`
        seconds. With ``like``, and where the target leaves the position, limits and stops that
        rest against it are cancelled unless they are that order.
        """
        gateway = self._desk.gateway_of(mode)
        view = part(await self._under_way.view(mode, gateway, key, max_age=max_age))
        tried: set[str] = set()
        polls = int(SETTLE / POLL)
        while True:
            if guard is not None:
                guard(view)
            leaves = view.held * target <= 0
            resting = self._resting(view, like, mode) if like is not None and leaves else []
            if new := [order_id for order_id in resting if order_id not in tried]:
                # What was bought while we waited may have exits that rest against it, too.
                tried.update(new)
                await self._cancel_resting(new, source, mode, key, standing)
            elif polls and (view.opposed(target) or view.turning(target)):
                polls -= 1
                await asyncio.sleep(POLL)
            else:
                return view
            view = part(await self._under_way.view(mode, gateway, key))

    async def close_all(
        self,
        source: str,
        mode: Mode | None = None,
        *,
        leave: Callable[[PositionKey], bool] = lambda key: False,
    ) -> CloseAll:
        """Close every open position of the account at market, but those to ``leave``, in the
        order of the position book, then what orders of ours that were sent just now are about to
        open. Each failure is told with its symbol and reason, and does not
        keep the others from being closed; what was refused is tried once more when others are
        out (a hedge whose short was still open). ``mode`` as in :meth:`Lane.place`."""
        mode = self._desk.still(mode)
        gateway = self._desk.gateway_of(mode)
        coming = self._under_way.coming(mode, gateway)  # before the book that may show them
        rows = await self._under_way.open_positions(gateway)
        refused: dict[PositionKey, AppError] = {}
        ids: list[str] = []
        never: set[PositionKey] = set()
        vanished: set[Key] = set()  # instruments that were held when it began and are not now

        async def one(key: PositionKey) -> None:
            try:
                placed = await self.close(key, source, mode, max_age=SAME_READING)
            except AppError as error:
                refused[key] = error
                ids.extend(error.sent)
            else:
                ids.extend(placed.ids if placed is not None else ())
                if placed is None and rows.get(key):
                    vanished.add(key[:2])
                elif placed is None:
                    never.add(key)  # the order that would have opened it was refused

        held = [key for key, units in rows.items() if can_close(key[2], units)]
        keys = [key for key in dict.fromkeys((*held, *coming)) if not leave(key)]
        prices = self._under_way.last_prices(gateway)
        async with self._desk.exit_prices([key[:2] for key in keys], prices, gateway):
            await _together(one, keys)
            again = [key for key, error in refused.items() if isinstance(error, REFUSED)]
            late = any(isinstance(error, NoPrice) for error in refused.values())
            if again and (late or len(refused) < len(keys)):
                for key in again:
                    del refused[key]
                await _together(one, again)
            if vanished:  # closed elsewhere, or converted while this waited for it
                now = await self._under_way.open_positions(gateway)
                moved = [
                    key
                    for key, units in now.items()
                    if can_close(key[2], units)
                    and key[:2] in vanished
                    and key not in keys
                    and not leave(key)
                ]
                keys += moved
                await _together(one, moved)
        errors = tuple(f"{key[1]}: {error.message}" for key, error in refused.items())
        closed = len(keys) - len(errors) - len(never)
        had_rows = bool(rows) or len(never) < len(keys)
        return CloseAll(closed, len(errors), had_rows, mode, errors, tuple(ids))

    def _resting(self, view: View, like: OrderRequest, mode: Mode) -> list[str]:
        """Ids of what waits at a price or a trigger to leave the position, but ``like``."""
        return [
            row.order_id
            for row in view.exits
            if row.waits and row.order_id and not self._under_way.is_like(mode, row.order_id, like)
        ]

    async def _cancel_resting(
        self, ids: list[str], source: str, mode: Mode, key: PositionKey, standing: bool
    ) -> None:
        """Cancel these and wait until they are gone."""
        answers = await asyncio.gather(
            *(self._desk.cancel(order_id, source, mode, standing=standing) for order_id in ids),
            return_exceptions=True,
        )
        gateway = self._desk.gateway_of(mode)
        gone: set[str] = set()
        for order_id, answer in zip(ids, answers, strict=True):
            if isinstance(answer, AppError):  # it counts as under way, unless it has filled
                log.warning("exit order %s was not cancelled: %s", order_id, answer.message)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                gone.add(order_id)
        if len(gone) < len(ids):  # somebody else cancelled it, or it filled: the book knows
            await self._under_way.look(mode, gateway, key)
        await self._under_way.until_gone(mode, gateway, key, gone)


async def _together(
    work: Callable[[PositionKey], Awaitable[None]], keys: Sequence[PositionKey]
) -> None:
    """``work`` on all of them, :data:`AT_ONCE` at a time."""
    waiting = iter(keys)

    async def worker() -> None:
        for key in waiting:
            await work(key)

    await asyncio.gather(*(worker() for _ in range(min(AT_ONCE, len(keys)))))


def same_position(symbol: str, seen: int, view: View, *, exactly: bool = False) -> None:
    """Raise :class:`OrderError` where a position has turned since it was ``seen`` (signed units;
    0 is not looked at), or, ``exactly``, is not what it was when all that trades at once has
    filled."""
    coming = view.coming
    if not seen or (coming == seen if exactly else view.held * seen >= 0):
        return
    if view.held == coming:
        now = f"it is {coming:+,} now"
    else:
        now = f"orders are under way that make it {coming:+,}"
    raise OrderError(f"{symbol} was {seen:+,} when you saw it and {now}: nothing was sent.")


def _covered(view: View, mode: Mode) -> Placed:
    ids = tuple(row.order_id for row in view.exits if row.order_id)
    units = sum(abs(row.quantity) for row in view.exits)
    text = f"An exit of {units} units is under way already; nothing more was sent."
    return Placed(ids[0] if ids else "", mode, text, ids)
