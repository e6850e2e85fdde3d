"""What a change of an order means for the margin, told while it is dragged and in the question.

The account is asked once the line rests for a moment; an answer that came too late is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.dock import Holder

#: The line has to rest so long before somebody is asked, milliseconds.
REST_MS = 200


class MarginHint(QObject):
    """``told`` gets the words, empty while nothing is known."""

    def __init__(self, holder: Holder, told: Callable[[str], None], parent: QObject) -> None:
        super().__init__(parent)
        self._holder, self._told = holder, told
        self._pair: tuple[OrderRequest, OrderRequest, Mode] | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._ask)

    def show(self, old: OrderRequest, new: OrderRequest, mode: Mode) -> None:
        """Tell what ``new`` needs more or less than ``old``."""
        if self._pair is not None and self._pair[1] == new:
            return
        self.forget()
        self._pair = (old, new, mode)
        self._timer.start()

    def forget(self) -> None:
        """Nothing is dragged or asked about any more."""
        self._timer.stop()
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._pair is not None:
            self._pair = None
            self._told("")

    def _ask(self) -> None:
        if self._pair is not None:
            self._task = self._holder.spawn(self._answer(*self._pair), "margin of a change")

    async def _answer(self, old: OrderRequest, new: OrderRequest, mode: Mode) -> None:
        preview = self._holder.bridge.orders.preview
        try:
            before, after = await asyncio.gather(preview([old], mode), preview([new], mode))
        except AppError:
            return  # a hint: the change itself says what is wrong
        if before.margin is None or after.margin is None:
            return
        more = after.margin.total - before.margin.total
        self._told(words(more))


def words(more: float) -> str:
    """The difference in rupees, in words for the line."""
    if abs(more) < 0.5:
        return "same margin"
    return f"margin {fmt.signed_money(more)}"
