"""The door to the paper account: how real it shall be, its statistics, its reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.model import Key, Trade
from openalgo_desktop.sandbox.statistics import Summary
from openalgo_desktop.ui.engine.books import Books

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


class PaperDoor(QObject):
    """How real: see :mod:`openalgo_desktop.sandbox.realism`; it is asked once."""

    changed = Signal(bool)  # whether the owner is to be asked

    def __init__(self, terminal: Terminal, books: Books, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal = terminal
        self._books = books
        self.asks = False

    async def begin(self) -> None:
        """The window opens: a fresh account is made real, the owner of an old one is asked."""
        self._set(await self._terminal.realism.begin())

    async def answer(self, real: bool) -> None:
        """Real margins and charges from now on, or as it was."""
        await self._terminal.realism.answer(real)
        self._set(False)

    def _set(self, asks: bool) -> None:
        self.asks = asks
        self.changed.emit(asks)

    # -- what it did ------------------------------------------------------------------------
    def summary(self) -> Summary:
        """Statistics of the paper account."""
        return self._terminal.sandbox.summary()

    def not_live(self) -> list[Key]:
        """What the paper account holds without a fresh price: its equity counts an old one."""
        hub = self._terminal.hub
        rows = self._terminal.sandbox.shown_positions()
        return [row.key for row in rows if row.quantity and hub.is_stale(row.key)]

    def trades(self) -> list[Trade]:
        """All executions of the paper account since its last reset."""
        return self._terminal.sandbox.all_trades()

    async def reset(self) -> None:
        """Delete what the paper account holds and give it its starting capital."""
        await self._terminal.reset_sandbox()
        self._books.refresh()
