"""The part of the bridge that asks, once, how real the paper account shall be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


class PaperDoor(QObject):
    """See :mod:`openalgo_desktop.sandbox.realism`."""

    changed = Signal(bool)  # whether the owner is to be asked

    def __init__(self, terminal: Terminal, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal = terminal
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
