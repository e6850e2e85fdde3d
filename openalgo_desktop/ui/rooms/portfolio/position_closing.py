"""What sends exits from the position book: parts, all of it, the other side."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.model import Position
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dock import Holder
from openalgo_desktop.ui.rooms.portfolio import closing
from openalgo_desktop.ui.rooms.portfolio.position_rows import LineId


class PositionClosing:
    """Of one dock or chart. What was told to leave is remembered in ``bridge.leaving``, for the
    whole window: while it is unsettled a press here or elsewhere sends nothing and says so. All of
    a position may be closed all the same; the desk counts what is under way."""

    def __init__(self, dock: Holder, parent: QWidget) -> None:
        self._dock, self._parent = dock, parent
        self._bridge = dock.bridge
        self._asking: set[LineId] = set()  # pressed here: asked about, or on its way

    def close(self, row: Position, percent: int, *, asked: bool = False) -> None:
        """Close so much of a position at market, in whole lots. ``asked``: with a question in any
        case."""
        lot, whole = self._bridge.lot(row.key), percent >= 100
        units = closing.part(row.quantity, percent, lot)
        if self._told_of_change(row, whole=whole):
            return
        if row.quantity and not units:
            name = self._bridge.name(row.key)
            self._bridge.notice.emit(
                "warning", f"{name} is one lot of {fmt.quantity(lot)}: close all of it, or nothing."
            )
        elif units and self._begin(row, whole=whole):
            work = self._close(row, units, whole, asked, self._bridge.mode)
            self._dock.spawn(work, "close position", sends=True)

    def reverse(self, row: Position, *, asked: bool = False) -> None:
        """Turn one position to the other side at market; asks as the settings say, and where that
        cancels orders. ``asked``: with a question in any case."""
        if self._told_of_change(row):
            return
        if row.quantity and self._begin(row):
            turn = self._reverse(row, asked, self._bridge.mode)
            self._dock.spawn(turn, "reverse position", sends=True)

    def _told_of_change(self, row: Position, *, whole: bool = False) -> bool:
        """Whether the position is another now than the row that the user saw: then it is said and
        nothing is sent. ``whole``: more or less of it leaves all the same, the other side does
        not."""
        seen, rows = row.quantity, self._bridge.books.positions_of(row.key)
        same = (one for one in rows if one.product is row.product)
        now = next((one.quantity for one in same), seen)
        if now == seen or (whole and now * seen > 0) or not now:
            return False  # of what is flat nothing is closed or turned: the desk says so
        name = self._bridge.name(row.key)
        text = f"Not sent: {name} was {fmt.quantity(seen)} and is {fmt.quantity(now)} now."
        self._bridge.notice.emit("warning", text)
        return True

    def _begin(self, row: Position, *, whole: bool = False) -> bool:
        """Whether it may be told now; else it is said why not."""
        if self._refused(row, whole=whole):
            return False
        if self._line(row) in self._asking:
            text = f"Not sent: {self._bridge.name(row.key)} is asked about or on its way already."
            self._bridge.notice.emit("warning", text)
            return False
        self._asking.add(self._line(row))
        return True

    @staticmethod
    def _line(row: Position) -> LineId:
        return (row.key, row.product.value)

    def _refused(self, row: Position, *, whole: bool = False) -> bool:
        """Whether something that it was told is unsettled: then that is said."""
        why = self._bridge.leaving.why_not(row, whole=whole)
        if why:
            self._bridge.notice.emit("warning", why)
        return bool(why)

    def _where(self, mode: Mode) -> str:
        return "in the sandbox" if mode is Mode.SANDBOX else "LIVE, with real money"

    async def _close(self, row: Position, units: int, whole: bool, asked: bool, mode: Mode) -> None:
        try:
            why = closing.asks(self._bridge, Act.CLOSE, row, units, mode)
            name = self._bridge.name(row.key)
            if why or asked:
                lot = self._bridge.lot(row.key)
                part = "" if whole else f"{fmt.lots_text(units, lot)} of "
                text = (
                    f"{part}{fmt.lots_text(abs(row.quantity), lot)} {name} {row.product.value} "
                    f"will be closed at market {self._where(mode)}."
                )
                rows = closing.exits(self._bridge, row) if whole else []
                words = "\n".join((text, *why))
                yes = "Close position" if whole else f"Close {fmt.lots_text(units, lot)}"
                if not await confirm(self._parent, "Close the position?", words, yes, rows, True):
                    return
                if self._told_of_change(row, whole=whole):
                    return
            if self._refused(row, whole=whole):  # told elsewhere meanwhile
                return
            with self._bridge.leaving.sending(row, Act.CLOSE, mode) as told:
                placed = await self._bridge.desk.close_position(
                    row.symbol,
                    row.exchange,
                    row.product,
                    mode,
                    quantity=0 if whole else units,
                    seen=row.quantity,
                )
                told.ids = placed.ids if placed is not None else None
            if placed is not None and placed.message:  # in parts, or under way already
                self._bridge.notice.emit("info", f"{name}: {placed.message}")
        finally:
            self._asking.discard(self._line(row))

    async def _reverse(self, row: Position, asked: bool, mode: Mode) -> None:
        try:
            why = closing.asks(self._bridge, Act.REVERSE, row, 2 * abs(row.quantity), mode)
            cancelled = closing.count(self._bridge, [row])
            if cancelled:
                why = (*why, closing.words(cancelled))
            if why or asked:
                side = "short" if row.quantity > 0 else "long"
                units = fmt.lots_text(abs(row.quantity), self._bridge.lot(row.key))
                name = self._bridge.name(row.key)
                text = (
                    f"{name} {row.product.value} becomes {side} {units} "
                    f"at market {self._where(mode)}."
                )
                rows = closing.exits(self._bridge, row)
                words = "\n".join((text, *why))
                if not await confirm(
                    self._parent, "Reverse the position?", words, "Reverse", rows, True
                ):
                    return
                if self._told_of_change(row):
                    return
            if self._refused(row):  # told elsewhere meanwhile
                return
            with self._bridge.leaving.sending(row, Act.REVERSE, mode) as told:
                done = await self._bridge.desk.reverse(row, mode)
                told.ids = done.ids
            self._bridge.notice.emit("info", done.said)
        finally:
            self._asking.discard(self._line(row))
