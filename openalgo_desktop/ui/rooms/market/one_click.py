"""Sending by a click, a drag or a key: for docks that trade at a price that they show.

Every way in checks the same: armed, the mode that the user saw, a live price, not the very same
order again, and the confirmation policy. What cancels or closes needs no arming.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.confirming import ConfirmFacts
from openalgo_desktop.core.enums import Action, Mode, PriceType
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.exits import ExitSpec
from openalgo_desktop.core.model import (
    Key,
    ModifyRequest,
    Order,
    OrderRequest,
    Position,
    closing_order,
)
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dock import Spawn
from openalgo_desktop.ui.kit.sending import each

NOT_ARMED = "One-click trading is not armed."
#: A second click or key for the same instrument and side within this is a slip of the hand or a
#: key that repeats, whatever its price; seconds.
BOUNCE = 0.12


def moved(order: Order, price: float, tick: float) -> ModifyRequest:
    """The change that brings an order to ``price``: its limit or its trigger. A stop with a limit
    keeps the distance between the two."""
    limit = trigger = None
    if order.price_type is PriceType.SL:
        trigger = price
        limit = max(tick, to_tick(order.price + price - order.trigger_price, tick))
    elif order.price_type is PriceType.SLM:
        trigger = price
    else:
        limit = price
    return ModifyRequest(order.order_id, price=limit, trigger_price=trigger)


def as_request(order: Order, change: ModifyRequest) -> OrderRequest:
    """The order as it would become, for checks and questions."""
    return OrderRequest(
        order.symbol,
        order.exchange,
        order.action,
        order.pending_quantity,
        order.price_type,
        order.product,
        order.price if change.price is None else change.price,
        order.trigger_price if change.trigger_price is None else change.trigger_price,
    )


class OneClick:
    """One of a dock. ``spawn`` is the dock's: what was sent goes on to its answer."""

    def __init__(self, bridge: Bridge, spawn: Spawn, parent: QWidget) -> None:
        self._bridge = bridge
        self._spawn = spawn
        self._parent = parent
        self._orders: set[OrderRequest] = set()  # on their way, or asked about
        self._busy: set[str] = set()  # ids of orders that are being changed
        self._clicked: tuple[Key, Action, float] | None = None  # last click that sent, and when

    # -- may it? ----------------------------------------------------------------------------
    @property
    def armed(self) -> bool:
        """Whether a click sends."""
        return self._bridge.arm.armed

    def why_not(self, key: Key, mode: Mode, *, asked: bool = False) -> str:
        """Why a click on ``key`` sends nothing; empty when it may. What the user was ``asked``
        about needs no arming."""
        feed = self._bridge.feed
        if not asked and not self.armed:
            return NOT_ARMED
        if mode is not self._bridge.mode:
            return f"The mode is {self._bridge.mode.value.upper()} now."
        if reason := feed.refusal(key):
            return f"There are no live prices: {reason}"
        if feed.stale or feed.is_stale(key):
            return f"The prices are old ({feed.note(key) or 'no feed'})."
        return ""

    def _tell(self, text: str, level: str = "warning") -> None:
        self._bridge.notice.emit(level, text)

    # -- orders -----------------------------------------------------------------------------
    def place(self, request: OrderRequest, mode: Mode, spec: ExitSpec | None = None) -> bool:
        """Send an order that the user gave while the window showed ``mode``, protected by
        ``spec`` from its first fill on; whether it is on its way (or asked about)."""
        why = self.why_not(request.key, mode)
        if not why and (request in self._orders or self._bridge.desk.is_repeat(request)):
            why = "It is the very same order again, a moment after the first."
        if why:
            self._tell(f"Not sent: {why}")
            return False
        try:
            self._bridge.orders.check(request)
            reasons = self._bridge.orders.why_ask(Act.PLACE, [request], mode)
        except AppError as error:
            self._tell(f"Not sent: {error.message}", "error")
            return False
        if self._bounces(request):
            return False
        self._bridge.arm.touch()
        self._orders.add(request)
        self._spawn(self._place(request, mode, reasons, spec), "one-click order", sends=True)
        return True

    def _bounces(self, request: OrderRequest) -> bool:
        """Whether it comes within a moment of a click on the same side; nothing is said then."""
        now, last = self._bridge.monotonic(), self._clicked
        self._clicked = (request.key, request.action, now)
        same = last is not None and last[:2] == (request.key, request.action)
        return last is not None and same and now - last[2] < BOUNCE

    async def _place(
        self, request: OrderRequest, mode: Mode, reasons: Sequence[str], spec: ExitSpec | None
    ) -> None:
        try:
            if reasons and not await self._ask("Send this order?", [request], reasons, "Send"):
                self._clicked = None  # nothing left: the next click is the first
                return
            if reasons and (why := self.why_not(request.key, mode)):
                self._tell(f"Not sent: {why}")
                return
            if spec is not None and not spec.empty:
                await self._bridge.watch.bracket(request, spec, mode)
            else:
                await self._bridge.desk.place(request, mode)
        finally:
            self._orders.discard(request)

    def move(
        self, orders: Sequence[Order], price: float, mode: Mode, *, asked: bool = False
    ) -> bool:
        """Bring own orders to ``price``, each by one change. ``asked``: the user has confirmed
        this very change (Apply), so it needs no arming."""
        shown = [order for order in orders if order.order_id not in self._busy]
        if not shown:
            return False
        row = self._bridge.instrument(shown[0].key)
        why = self.why_not(shown[0].key, mode, asked=asked)
        if row is None or why:
            self._tell(f"Not changed: {why}")
            return False
        changes = [moved(order, price, row.tick_size) for order in shown]
        wanted = [as_request(order, change) for order, change in zip(shown, changes, strict=True)]
        try:
            for request in wanted:
                self._bridge.orders.check(request)
            reasons = () if asked else self._bridge.orders.why_ask(Act.DRAG, wanted, mode)
        except AppError as error:
            self._tell(f"Not changed: {error.message}", "error")
            return False
        self._bridge.arm.touch()
        self._busy |= {change.order_id for change in changes}
        self._spawn(self._move(changes, wanted, mode, reasons), "move order", sends=True)
        return True

    async def _move(
        self,
        changes: Sequence[ModifyRequest],
        wanted: Sequence[OrderRequest],
        mode: Mode,
        reasons: Sequence[str],
    ) -> None:
        try:
            if reasons and not await self._ask("Move this order?", wanted, reasons, "Move"):
                return
            working = [change for change in changes if self._works(change.order_id)]
            await each(partial(self._bridge.desk.modify, change, mode) for change in working)
        finally:
            self._busy -= {change.order_id for change in changes}

    def cancel(self, orders: Sequence[Order], mode: Mode) -> bool:
        """Cancel own orders."""
        ids = [order.order_id for order in orders if order.order_id not in self._busy]
        if not ids:
            return False
        self._busy |= set(ids)
        self._bridge.arm.touch()
        self._spawn(self._cancel(ids, mode), "cancel order", sends=True)
        return True

    async def _cancel(self, ids: Sequence[str], mode: Mode) -> None:
        try:
            reasons = self._bridge.orders.why_ask_of(Act.CANCEL, ConfirmFacts())
            if reasons and not await self._ask("Cancel this order?", (), reasons, "Cancel order"):
                return
            working = [order_id for order_id in ids if self._works(order_id)]
            await each(partial(self._bridge.desk.cancel, order_id, mode) for order_id in working)
        finally:
            self._busy -= set(ids)

    def _works(self, order_id: str) -> bool:
        order = self._bridge.books.orders.get(order_id)
        return order is not None and order.status.is_working

    # -- a symbol ---------------------------------------------------------------------------
    def positions(self, key: Key) -> list[Position]:
        """Open positions of an instrument, a row for each product."""
        return [row for row in self._bridge.books.positions_of(key) if row.quantity]

    def flatten(self, key: Key, mode: Mode) -> bool:
        """Cancel the working orders of an instrument and close what is held of it at market."""
        return self._on_positions(key, mode, Act.CLOSE)

    def reverse(self, key: Key, mode: Mode) -> bool:
        """Turn what is held of an instrument to the other side at market."""
        if why := self.why_not(key, mode):
            self._tell(f"Not sent: {why}")
            return False
        return self._on_positions(key, mode, Act.REVERSE)

    def _on_positions(self, key: Key, mode: Mode, act: Act) -> bool:
        rows = [row for row in self.positions(key) if row.can_close]
        name = self._bridge.name(key)
        if not rows:
            working = self._bridge.books.working_of(key)
            if act is Act.CLOSE and working:  # an entry that fills now would be held
                return self.cancel(working, mode)
            self._tell(f"{name}: nothing is held.", "info")
            return False
        mark = f"{act.value} {key}"
        if mark in self._busy:
            return False
        try:
            legs = [closing_order(row) for row in rows]
            reasons = self._bridge.orders.why_ask(act, legs, mode)
        except AppError as error:
            self._tell(error.message, "error")
            return False
        if act is Act.REVERSE and not (rows := self._free(rows)):
            return False
        self._bridge.arm.touch()
        self._busy.add(mark)
        self._spawn(
            self._work_on(rows, mode, act, reasons, mark), f"{act.value} {name}", sends=True
        )
        return True

    def _free(self, rows: Sequence[Position]) -> list[Position]:
        """Those that may be turned now; why the others may not is said."""
        free = []
        for row in rows:
            if why := self._bridge.leaving.why_not(row):
                self._tell(why)
            else:
                free.append(row)
        return free

    async def _work_on(
        self, rows: Sequence[Position], mode: Mode, act: Act, reasons: Sequence[str], mark: str
    ) -> None:
        word = "Close" if act is Act.CLOSE else "Reverse"
        try:
            legs = [closing_order(row) for row in rows]
            if reasons and not await self._ask(f"{word} this position?", legs, reasons, word):
                return
            one = self._close if act is Act.CLOSE else self._reverse
            await each(partial(one, row, mode) for row in rows)
        finally:
            self._busy.discard(mark)

    async def _close(self, row: Position, mode: Mode) -> None:
        with self._bridge.leaving.sending(row, Act.CLOSE, mode) as told:
            placed = await self._bridge.desk.close_position(
                row.symbol, row.exchange, row.product, mode, cancel_orders=True
            )
            told.ids = placed.ids if placed is not None else None

    async def _reverse(self, row: Position, mode: Mode) -> None:
        if not self._free([row]):  # told elsewhere meanwhile
            return
        with self._bridge.leaving.sending(row, Act.REVERSE, mode) as told:
            done = await self._bridge.desk.reverse(row, mode)
            told.ids = done.ids
        self._tell(done.said, "info")

    def cancel_of(self, key: Key, mode: Mode) -> bool:
        """Cancel all working orders of an instrument."""
        return self.cancel(self._bridge.books.working_of(key), mode)

    async def _ask(
        self, title: str, requests: Sequence[OrderRequest], reasons: Sequence[str], yes: str
    ) -> bool:
        return await confirm(
            self._parent, title, "\n".join(reasons), yes, [self._line(row) for row in requests]
        )

    def _line(self, request: OrderRequest) -> str:
        """An order in one line, for a question."""
        at = request.trigger_price or request.price
        where = f"at {fmt.price(at, self._bridge.places(request.key))}" if at else "at market"
        name, units = self._bridge.name(request.key), fmt.quantity(request.quantity)
        return f"{request.action.value} {units} {name} {where}"
