"""What sends exits from the position book: parts, all of it, the other side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import OrderStateUnknown
from openalgo_desktop.core.model import Position
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dock import Holder
from openalgo_desktop.ui.rooms.portfolio import closing
from openalgo_desktop.ui.rooms.portfolio.position_rows import LineId


@dataclass
class Told:
    """A row that was told to leave: the units held then, the orders that came of it (none before
    the answer; empty where they are not named), and whether none of them works any more."""

    row: Position
    ids: tuple[str, ...] | None = None
    read: bool = False  # the whole order book was read since
    over: bool = False


class Listener(Holder, Protocol):
    """Whoever sends the exits: a dock, or a chart in one."""

    def listen(self, signal: SignalInstance, slot: Callable[..., object]) -> None: ...


class PositionClosing:
    """Of one dock. A row that was told to leave is not told again before the position book shows
    it, or was read after its orders had ended: no clock has a say in that. All of a position may
    be closed again once an order was answered and rests; what is under way is counted then."""

    def __init__(self, dock: Listener, parent: QWidget) -> None:
        self._dock, self._parent = dock, parent
        self._bridge = dock.bridge
        self.told: dict[LineId, Told] = {}
        dock.listen(self._bridge.books.orders_updated, lambda _: self._look())
        dock.listen(self._bridge.books.orders_changed, self._on_book)
        dock.listen(self._bridge.mode_changed, lambda _: self.told.clear())

    def follow(self, rows: Iterable[Position]) -> None:
        """The book was read again: a position that has changed may be told again, and one whose
        orders had ended by then."""
        for row in rows:
            identity = (row.key, row.product.value)
            told = self.told.get(identity)
            if told is not None and (told.over or told.row.quantity != row.quantity):
                del self.told[identity]
        self._look()

    def _on_book(self) -> None:
        for told in self.told.values():
            told.read = told.ids is not None
        self._look()

    def _look(self) -> None:
        """See which orders have ended. One that was rejected or cancelled without a fill moves no
        position; else the position book comes after it."""
        orders = self._bridge.books.orders
        for identity, told in tuple(self.told.items()):
            if told.ids is None:
                continue
            if not told.ids:
                rows = self._bridge.books.working_of(told.row.key)
                told.over = all(order.product is not told.row.product for order in rows)
                continue
            found = [orders[name] for name in told.ids if name in orders]
            missing = len(found) < len(told.ids) and not told.read
            told.over = not missing and all(order.status.is_final for order in found)
            if told.over and not any(order.filled_quantity for order in found):
                del self.told[identity]

    def close(self, row: Position, percent: int, *, asked: bool = False) -> None:
        """Close so much of a position at market, in whole lots; a second click while it is under
        way does nothing. ``asked``: with a question in any case."""
        lot = self._bridge.lot(row.key)
        units = closing.part(row.quantity, percent, lot)
        if self._told_of_change(row, whole=percent >= 100):
            return
        if row.quantity and not units:
            name = self._bridge.name(row.key)
            self._bridge.notice.emit(
                "warning", f"{name} is one lot of {fmt.quantity(lot)}: close all of it, or nothing."
            )
        elif units and self._begin(row, again=percent >= 100):
            whole = percent >= 100
            mode = self._bridge.mode
            self._dock.spawn(
                self._close(row, units, whole, asked, mode), "close position", sends=True
            )

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
        seen, rows = row.quantity, self._bridge.books.positions
        same = (one for one in rows if one.key == row.key and one.product is row.product)
        now = next((one.quantity for one in same), seen)
        if now == seen or (whole and now * seen > 0) or not now:
            return False  # of what is flat nothing is closed or turned: the desk says so
        name = self._bridge.name(row.key)
        text = f"Not sent: {name} was {fmt.quantity(seen)} and is {fmt.quantity(now)} now."
        self._bridge.notice.emit("warning", text)
        return True

    def _begin(self, row: Position, *, again: bool = False) -> bool:
        """Whether it may be told now; ``again`` also where an order of it still rests."""
        identity = (row.key, row.product.value)
        told = self.told.get(identity)
        if told is not None and (told.ids is None or not again):
            return False
        self.told[identity] = Told(row)
        return True

    def _end(self, row: Position, ids: tuple[str, ...] | None) -> None:
        """It may be told again: at once where nothing went out (None), else once it is over."""
        identity = (row.key, row.product.value)
        if ids is None:
            self.told.pop(identity, None)
        elif (told := self.told.get(identity)) is not None:
            told.ids = ids
            self._look()
            if told.over:  # its news came before the answer, or nothing was sent
                self._bridge.books.recheck()

    def _where(self, mode: Mode) -> str:
        return "in the sandbox" if mode is Mode.SANDBOX else "LIVE, with real money"

    async def _close(self, row: Position, units: int, whole: bool, asked: bool, mode: Mode) -> None:
        sent: tuple[str, ...] | None = None
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
            placed = await self._bridge.desk.close_position(
                row.symbol, row.exchange, row.product, mode, quantity=0 if whole else units
            )
            sent = placed.ids if placed is not None else None
            if placed is not None and placed.message:  # in parts, or under way already
                self._bridge.notice.emit("info", f"{name}: {placed.message}")
        except OrderStateUnknown as error:
            sent = (error.tag,)
            raise
        finally:
            self._end(row, sent)

    async def _reverse(self, row: Position, asked: bool, mode: Mode) -> None:
        sent: tuple[str, ...] | None = None
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
            said = await self._bridge.desk.reverse(row.symbol, row.exchange, row.product, mode)
            sent = ()
            self._bridge.notice.emit("info", said)
        except OrderStateUnknown as error:
            sent = (error.tag,)
            raise
        finally:
            self._end(row, sent)
