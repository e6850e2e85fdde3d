"""What sends exits from the position book: parts, all of it, the other side."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QTimer

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.model import Position
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.rooms.portfolio import closing
from openalgo_desktop.ui.rooms.portfolio.position_rows import Line, LineId

#: A row that was told to close is not told again before its position has changed, or this long,
#: milliseconds.
SETTLES = 1500


class PositionClosing:
    """Of one dock. ``told`` has the rows that were told to leave, with the units held then."""

    def __init__(self, dock: TableDock[Line]) -> None:
        self._dock = dock
        self._bridge = dock.bridge
        self.told: dict[LineId, int] = {}

    def follow(self, rows: Iterable[Position]) -> None:
        """The book was read again: a position that has changed may be told again."""
        for row in rows:
            identity = (row.key, row.product.value)
            if self.told.get(identity, row.quantity) != row.quantity:
                del self.told[identity]

    def close(self, row: Position, percent: int, *, asked: bool = False) -> None:
        """Close so much of a position at market, in whole lots; a second click while it is under
        way does nothing. ``asked``: with a question in any case."""
        lot = self._bridge.lot(row.key)
        units = closing.part(row.quantity, percent, lot)
        if row.quantity and not units:
            name = self._bridge.name(row.key)
            self._bridge.notice.emit(
                "warning", f"{name} is one lot of {fmt.quantity(lot)}: close all of it, or nothing."
            )
        elif units and self._begin(row):
            whole = percent >= 100
            mode = self._bridge.mode
            self._dock.spawn(
                self._close(row, units, whole, asked, mode), "close position", sends=True
            )

    def reverse(self, row: Position) -> None:
        """Turn one position to the other side at market; asks as the settings say, and where that
        cancels orders."""
        if row.quantity and self._begin(row):
            self._dock.spawn(self._reverse(row, self._bridge.mode), "reverse position", sends=True)

    def _begin(self, row: Position) -> bool:
        identity = (row.key, row.product.value)
        if identity in self.told:
            return False
        self.told[identity] = row.quantity
        return True

    def _end(self, row: Position, sent: bool) -> None:
        """It may be told again: at once where nothing went out, else once the book shows it."""
        identity = (row.key, row.product.value)
        if sent:
            QTimer.singleShot(SETTLES, self._dock, lambda: self.told.pop(identity, None))
        else:
            self.told.pop(identity, None)

    def _where(self, mode: Mode) -> str:
        return "in the sandbox" if mode is Mode.SANDBOX else "LIVE, with real money"

    async def _close(self, row: Position, units: int, whole: bool, asked: bool, mode: Mode) -> None:
        sent = False
        try:
            why = closing.asks(self._bridge, Act.CLOSE, row, units, mode)
            name = self._bridge.name(row.key)
            if why or asked:
                part = "" if whole else f"{fmt.quantity(units)} of "
                text = (
                    f"{part}{fmt.quantity(abs(row.quantity))} {name} {row.product.value} "
                    f"will be closed at market {self._where(mode)}."
                )
                rows = closing.exits(self._bridge, row) if whole else []
                words = "\n".join((text, *why))
                if not await confirm(self._dock, "Close the position?", words, "Close", rows, True):
                    return
            placed = await self._bridge.close_position(
                row.symbol, row.exchange, row.product, mode, quantity=0 if whole else units
            )
            sent = placed is not None
            if placed is not None and placed.message:  # in parts, or under way already
                self._bridge.notice.emit("info", f"{name}: {placed.message}")
        finally:
            self._end(row, sent)

    async def _reverse(self, row: Position, mode: Mode) -> None:
        sent = False
        try:
            why = closing.asks(self._bridge, Act.REVERSE, row, 2 * abs(row.quantity), mode)
            cancelled = closing.count(self._bridge, [row])
            if cancelled:
                why = (*why, closing.words(cancelled))
            if why:
                side = "short" if row.quantity > 0 else "long"
                name = self._bridge.name(row.key)
                text = (
                    f"{name} {row.product.value} becomes {side} {fmt.quantity(abs(row.quantity))} "
                    f"at market {self._where(mode)}."
                )
                rows = closing.exits(self._bridge, row)
                words = "\n".join((text, *why))
                if not await confirm(
                    self._dock, "Reverse the position?", words, "Reverse", rows, True
                ):
                    return
            said = await self._bridge.reverse(row.symbol, row.exchange, row.product, mode)
            sent = True
            self._bridge.notice.emit("info", said)
        finally:
            self._end(row, sent)
