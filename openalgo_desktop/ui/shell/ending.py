"""What ends things: cancel and close all, or those of the linked symbol; reverse it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.confirming import ConfirmFacts
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key, Position, closing_order
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.replayed import NOT_HERE, focus_is_replayed
from openalgo_desktop.ui.kit.sending import each
from openalgo_desktop.ui.rooms.portfolio import closing
from openalgo_desktop.ui.rooms.portfolio.close_all import CloseAllDialog
from openalgo_desktop.ui.shell.once import Once
from openalgo_desktop.ui.shell.toasts import Toasts


class Ending:
    """Each public method starts a task of the bridge and returns at once."""

    def __init__(self, window: QWidget, bridge: Bridge, toasts: Toasts) -> None:
        self._window, self._bridge, self._toasts = window, bridge, toasts
        self._once = Once(bridge)

    def cancel_all(self) -> None:
        """Cancel all working orders; risk-reducing, so it asks only where the settings want it."""
        self._once("cancel all", self._cancel_all)

    async def _may_cancel(self, what: str) -> bool:
        """Whether cancelling many may go on: asked where the settings say *always*."""
        why = self._bridge.orders.why_ask_of(Act.CANCEL_ALL, ConfirmFacts())
        return not why or await confirm(self._window, "Cancel orders?", what, "Cancel orders", why)

    async def _cancel_all(self) -> None:
        mode, count = self._bridge.mode, self._bridge.books.working_count
        if not await self._may_cancel(f"All working orders ({count}) will be cancelled."):
            return
        result = await self._bridge.desk.cancel_all(mode)
        if not result.cancelled and not result.failed:
            self._toasts.show("info", "No working orders.")
            return
        text = f"{len(result.cancelled)} cancelled"
        if result.failed:
            why = "; ".join(f"{order_id}: {reason}" for order_id, reason in result.failed[:3])
            self._toasts.show("error", f"{text}, {len(result.failed)} failed. {why}")
        else:
            self._toasts.show("info", f"{text}.")

    def flatten(self) -> None:
        """Close all positions at market, after a review."""
        self._once("flatten", self._flatten)

    async def _flatten(self) -> None:
        mode = self._bridge.mode
        rows = [position for position in self._bridge.books.positions if position.can_close]
        gaps = self._bridge.books.gaps.get("positions")
        if not rows:
            if gaps is None:
                self._toasts.show("info", "Flat: no open positions.")
            else:
                self._toasts.show("warning", f"No open position is seen. {gaps.text}.")
            return
        dialog = CloseAllDialog(self._window, self._bridge, rows)
        if self._unasked(rows, mode):
            dialog.deleteLater()
        elif not await ask(dialog):
            return
        protected = dialog.protected()  # the dialog is gone once this has waited for anything
        result = await self._bridge.desk.close_all(
            mode,
            cancel_orders=dialog.option.isChecked(),
            only=dialog.only(),
            protected=protected,
        )
        if result.failed:
            self._toasts.show(
                "error",
                f"{result.closed} closed, {result.failed} failed. {'; '.join(result.errors[:3])}",
            )
        elif protected:
            text = f"Limits to close {result.closed} positions are out; what does not trade rests."
            self._toasts.show("info", text)
        else:
            self._toasts.show("info", f"{result.closed} positions closed.")

    def _unasked(self, rows: Sequence[Position], mode: Mode) -> bool:
        """Whether everything may be closed without the review: where the settings say *never*, or
        no limit is passed; never while the window does not see all that is held."""
        if self._bridge.books.gaps.get("positions") is not None:
            return False
        exits = [closing_order(row) for row in rows]
        try:
            return not self._bridge.orders.why_ask(Act.FLATTEN, exits, mode)
        except AppError:  # the master does not have one of them any more
            return False

    # -- the linked symbol ------------------------------------------------------------------
    def _symbol(self) -> Key | None:
        if self._bridge.selected is None:
            self._toasts.show("warning", "No symbol is chosen.")
        return self._bridge.selected

    def cancel_symbol(self) -> None:
        """Cancel the working orders of the linked symbol; like cancel all it does not ask."""
        if (key := self._symbol()) is not None:
            self._once("cancel symbol", lambda: self._cancel_symbol(key))

    async def _cancel_symbol(self, key: Key) -> None:
        mode, name = self._bridge.mode, self._bridge.name(key)
        orders = self._bridge.books.working_of(key)
        if not orders:
            self._toasts.show("info", f"No working orders of {name}.")
            return
        if not await self._may_cancel(f"{len(orders)} orders of {name} will be cancelled."):
            return
        answers = await asyncio.gather(
            *(self._bridge.desk.cancel(order.order_id, mode) for order in orders),
            return_exceptions=True,
        )
        failed = [answer for answer in answers if isinstance(answer, BaseException)]
        text = f"{name}: {len(orders) - len(failed)} cancelled"
        if failed:
            self._toasts.show("error", f"{text}, {len(failed)} failed. {failed[0]}")
        else:
            self._toasts.show("info", f"{text}.")

    def flatten_symbol(self) -> None:
        """Close the positions of the linked symbol, after a review."""
        if (key := self._symbol()) is not None:
            self._once("flatten symbol", lambda: self._flatten_symbol(key))

    def _held(self, key: Key) -> list[Position]:
        return [row for row in self._bridge.books.positions_of(key) if row.can_close]

    async def _flatten_symbol(self, key: Key) -> None:
        mode, name = self._bridge.mode, self._bridge.name(key)
        rows = self._held(key)
        if not rows:
            self._toasts.show("info", f"Flat: no open position of {name}.")
            return
        lines, cancelled = closing.lines(self._bridge, rows), closing.count(self._bridge, rows)
        where = "in the sandbox" if mode is Mode.SANDBOX else "LIVE, with real money"
        if not await confirm(
            self._window,
            f"Close {name}?",
            f"{name} will be closed at market {where}. {closing.words(cancelled)}",
            "Close it",
            lines,
            danger=True,
        ):
            return

        async def close(row: Position) -> None:
            with self._bridge.leaving.sending(row, Act.CLOSE, mode) as told:
                placed = await self._bridge.desk.close_position(
                    row.symbol, row.exchange, row.product, mode
                )
                told.ids = placed.ids if placed is not None else None
            if placed is not None and placed.message:
                self._toasts.show("info", f"{name}: {placed.message}")

        await each(partial(close, row) for row in rows)

    def reverse_symbol(self) -> None:
        """Turn the position of the linked symbol to the other side, after a question; not from a
        chart that replays the past."""
        if focus_is_replayed():
            self._bridge.notice.emit("warning", NOT_HERE)
        elif (key := self._symbol()) is not None:
            self._once("reverse symbol", lambda: self._reverse_symbol(key))

    async def _reverse_symbol(self, key: Key) -> None:
        mode, name = self._bridge.mode, self._bridge.name(key)
        rows = self._held(key)
        if len(rows) != 1:
            text = (
                f"{name} is held in {len(rows)} products: reverse one of them in the positions."
                if rows
                else f"Flat: no open position of {name}."
            )
            self._toasts.show("warning" if rows else "info", text)
            return
        row = rows[0]
        side = "short" if row.quantity > 0 else "long"
        where = "in the sandbox" if mode is Mode.SANDBOX else "LIVE, with real money"
        text = (
            f"{name} {row.product.value} becomes {side} {fmt.quantity(abs(row.quantity))} at "
            f"market {where}. {closing.words(closing.count(self._bridge, rows))}"
        )
        exits = closing.exits(self._bridge, row)
        why = closing.asks(self._bridge, Act.REVERSE, row, 2 * abs(row.quantity), mode)
        words = "\n".join((text, *why))
        if not (why or exits) or await confirm(
            self._window, "Reverse the position?", words, "Reverse", exits, True
        ):
            if refused := self._bridge.leaving.why_not(row):
                self._toasts.show("warning", refused)
                return
            with self._bridge.leaving.sending(row, Act.REVERSE, mode) as told:
                done = await self._bridge.desk.reverse(row, mode)
                told.ids = done.ids
            self._toasts.show("info", done.said)
