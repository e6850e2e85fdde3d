"""What changes working orders from the book: edits in the row, chasing, to market, cancelling.

Each is told once to the desk; while its answer is awaited the row says so and takes nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.confirming import ConfirmFacts
from openalgo_desktop.core.enums import Action, Mode, PriceType
from openalgo_desktop.core.errors import AppError, OrderError
from openalgo_desktop.core.model import ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.core.ticks import Part
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import come_up
from openalgo_desktop.ui.kit.refusals import told
from openalgo_desktop.ui.kit.widgets import name_inner_controls
from openalgo_desktop.ui.rooms.orders.modify import ModifyDialog
from openalgo_desktop.ui.rooms.orders.order_columns import Waiting
from openalgo_desktop.ui.rooms.orders.order_editor import OrderEditor

CHANGING, CANCELLING = "changing", "cancelling"

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.orders.orders import OrdersDock


class OrderChanges:
    """Of one dock. One editor at a time, one write of an order at a time."""

    def __init__(self, dock: OrdersDock, bridge: Bridge) -> None:
        self._dock = dock
        self._bridge = bridge
        self._asked: dict[str, Waiting] = {}
        self._dialogs: dict[str, ModifyDialog] = {}
        self.editor: OrderEditor | None = None

    # -- waiting ----------------------------------------------------------------------------
    def waiting(self, order_id: str) -> Waiting | None:
        """What was asked of an order and is not answered yet."""
        return self._asked.get(order_id)

    def asked(self) -> Iterable[str]:
        """Orders that wait for an answer."""
        return self._asked.keys()

    def answered(self, orders: Iterable[Order]) -> None:
        """Updates came: an order that is over is waited for no more."""
        for order in orders:
            if order.status.is_final:
                self._asked.pop(order.order_id, None)

    def _start(self, order: Order, word: str, work: Callable[[Mode], Awaitable[None]]) -> None:
        """Begin a write of an order, unless one is under way. A cancellation waits for no other
        write than another cancellation."""
        asked = self._asked.get(order.order_id)
        if not order.status.is_working:
            return
        if asked is not None and (word != CANCELLING or asked.word == CANCELLING):
            return
        waiting = self._asked[order.order_id] = Waiting(word)
        self._touch(order.order_id)
        run = self._run(order.order_id, work, self._bridge.mode, waiting)
        self._dock.spawn(run, f"{word} order", sends=True)

    async def _run(
        self,
        order_id: str,
        work: Callable[[Mode], Awaitable[None]],
        mode: Mode,
        waiting: Waiting,
    ) -> None:
        try:
            await work(mode)
        except AppError as error:
            error.message = told(error)
            raise
        finally:
            if self._asked.get(order_id) is waiting:
                del self._asked[order_id]
            self._touch(order_id)

    def _sending(self, order_id: str) -> None:
        """From now on an answer is awaited."""
        if (asked := self._asked.get(order_id)) is not None:
            asked.since = time.monotonic()

    def _touch(self, order_id: str) -> None:
        if (row := self._dock.row_of(order_id)) is not None:
            self._dock.row_changed(row)

    # -- in the row -------------------------------------------------------------------------
    def edit(self, order: Order) -> None:
        """Open the fields on the row of a working order; where a column of theirs is hidden, the
        window with all fields."""
        self.leave()
        instrument = self._bridge.instrument(order.key)
        if not order.status.is_working or order.order_id in self._asked:
            return
        if instrument is None:
            return self.edit_all(order)
        name = self._bridge.name(order.key)
        editor = OrderEditor(self._dock.view, order, instrument, self._bridge.mode, name)
        if not editor.usable:
            editor.leave()
            return self.edit_all(order)
        editor.wanted.connect(self._send)
        editor.closed.connect(self._forget)
        self.editor = editor
        self._dock.select_row(order.order_id)
        place = self._dock.view_row_of(order.order_id)
        if place is not None:
            keys = [column.key for column in self._dock.columns]
            self._dock.view.scrollTo(self._dock.model.index(place, keys.index("price")))
        editor.place(place)
        editor.focus()

    def place(self) -> None:
        """The rows may have moved."""
        if self.editor is not None:
            self.editor.place(self._dock.view_row_of(self.editor.order.order_id))

    def check(self) -> None:
        """The book changed: what is edited may have filled."""
        if self.editor is None:
            return
        editor = self.editor
        row = self._dock.row_of(editor.order.order_id)
        now = self._bridge.books.orders.get(editor.order.order_id, row)
        if now is None or not now.status.is_working:
            editor.leave()
            state = now.status.value if now is not None else "gone"
            self._bridge.notice.emit("info", f"The order is {state} now; nothing was changed.")
        elif row is None:
            editor.leave()
        else:
            editor.follow(now)

    def leave(self) -> None:
        """Close the editor without a change."""
        if self.editor is not None:
            self.editor.leave()

    def _forget(self) -> None:
        self.editor = None
        self._dock.view.setFocus()

    def _send(self, change: ModifyRequest, mode: Mode) -> None:
        order = self._bridge.books.orders.get(change.order_id)
        if order is not None and mode is self._bridge.mode:
            self._start(order, CHANGING, partial(self._change, order, change))

    async def _change(self, order: Order, change: ModifyRequest, mode: Mode) -> None:
        """Ask where the settings say so, and send the change."""
        units = change.quantity or order.quantity
        wanted = OrderRequest(
            order.symbol,
            order.exchange,
            order.action,
            max(1, units - order.filled_quantity),
            change.price_type or order.price_type,
            order.product,
            order.price if change.price is None else change.price,
            order.trigger_price if change.trigger_price is None else change.trigger_price,
        )
        if why := self._bridge.orders.why_ask(Act.MODIFY, [wanted], mode):
            words = "\n".join((self._told(wanted, mode), *why))
            if not await confirm(self._dock, "Change the order?", words, "Change", danger=True):
                return
        self._sending(order.order_id)
        await self._bridge.desk.modify(change, mode)

    def _told(self, wanted: OrderRequest, mode: Mode) -> str:
        where = "in the sandbox" if mode is Mode.SANDBOX else "LIVE, with real money"
        kind, places = wanted.price_type, self._bridge.places(wanted.key)
        text = f"{wanted.action.value} {fmt.quantity(wanted.quantity)} "
        text += f"{self._bridge.name(wanted.key)} {wanted.product.value} {kind.value}"
        if kind.has_price:
            text += f" {fmt.exact(wanted.price, places)}"
        if kind.has_trigger:
            text += f" trigger {fmt.exact(wanted.trigger_price, places)}"
        return f"It becomes {text}, {where}."

    # -- other changes ----------------------------------------------------------------------
    def edit_all(self, order: Order) -> None:
        """The window with all fields and the price type (one per order)."""
        if not order.status.is_working:
            return
        dialog = self._dialogs.get(order.order_id)
        if dialog is None:
            dialog = ModifyDialog(self._dock, self._bridge, order)
            self._dialogs[order.order_id] = dialog
            dialog.finished.connect(lambda _: self._close(order.order_id))
        name_inner_controls(dialog)
        come_up(dialog)

    def _close(self, order_id: str) -> None:
        dialog = self._dialogs.pop(order_id, None)
        if dialog is not None:
            dialog.deleteLater()

    def chase(self, order: Order) -> None:
        """Move a limit to the best price of its side as it is now: one press, one step."""
        self._start(order, CHANGING, partial(self._chase, order))

    async def _chase(self, order: Order, mode: Mode) -> None:
        tick = await self._bridge.snapshot(order.key)
        side, price = ("bid", tick.bid) if order.action is Action.BUY else ("ask", tick.ask)
        if not tick.knows(Part.TOUCH) or price <= 0:
            raise OrderError(f"Not changed: the best {side} is not known.")
        instrument = self._bridge.instrument(order.key)
        price = to_tick(price, instrument.tick_size if instrument is not None else 0.0)
        now = self._bridge.books.orders.get(order.order_id, order)
        if round(now.price, 6) == round(price, 6):
            self._bridge.notice.emit("info", f"The order is at the best {side} already.")
            return
        await self._change(now, ModifyRequest(order.order_id, price=price), mode)

    def to_market(self, order: Order) -> None:
        """Let a limit or a stop trade at market now."""
        self._start(order, CHANGING, partial(self._to_market, order))

    async def _to_market(self, order: Order, mode: Mode) -> None:
        change = ModifyRequest(
            order.order_id, price=0.0, trigger_price=0.0, price_type=PriceType.MARKET
        )
        await self._change(order, change, mode)

    def cancel(self, orders: Sequence[Order]) -> None:
        """Cancel working orders; risk-reducing, so it asks only where the settings say so."""
        rows = [order for order in orders if order.status.is_working]
        if not rows:
            return
        why = self._bridge.orders.why_ask_of(Act.CANCEL, ConfirmFacts())
        if why:
            self._dock.spawn(self._ask_and_cancel(rows, why, self._bridge.mode), "cancel orders")
            return
        for order in rows:
            self._start(order, CANCELLING, partial(self._cancel, order.order_id))

    async def _ask_and_cancel(self, rows: Sequence[Order], why: Sequence[str], mode: Mode) -> None:
        count = "1 order" if len(rows) == 1 else f"{len(rows)} orders"
        lines = [
            f"{o.action.value} {fmt.quantity(o.pending_quantity)} {self._bridge.name(o.key)} "
            f"{o.price_type.value}    order {o.order_id}"
            for o in rows
        ]
        title = f"Cancel {count}?"
        if await confirm(self._dock, title, "\n".join(why), "Cancel them", lines):
            if mode is not self._bridge.mode:
                raise OrderError("Not sent: the mode was switched meanwhile.")
            for order in rows:
                now = self._bridge.books.orders.get(order.order_id, order)
                self._start(now, CANCELLING, partial(self._cancel, order.order_id))

    async def _cancel(self, order_id: str, mode: Mode) -> None:
        self._sending(order_id)
        await self._bridge.desk.cancel(order_id, mode)

    # -- menu -------------------------------------------------------------------------------
    def fill_menu(self, menu: QMenu, row: Order) -> None:
        """Changes of one working order."""
        add = self._dock.add_item
        add(menu, "Modify in the row", partial(self.edit, row))
        add(menu, "Modify, all fields…", partial(self.edit_all, row))
        if row.price_type is PriceType.LIMIT:
            side = "bid" if row.action is Action.BUY else "ask"
            add(menu, f"Chase: to the best {side}", partial(self.chase, row))
        if row.price_type is not PriceType.MARKET:
            add(menu, "Convert to market", partial(self.to_market, row))
