"""Positions that were told to leave or to turn: one memory for every dock, chart, menu and key.

A position is told once. While that is unsettled nothing else is sent, wherever it is pressed: the
same click in two places would turn a position twice. It is settled when the position book shows
it, or was read after its orders had ended; no clock has a say in that. All of a position may be
closed at any time, also while a reversal or another close has no answer: an exit always gets out,
and the desk, which sends one after the other, counts what is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PySide6.QtCore import QObject

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import AppError, OrderStateUnknown
from openalgo_desktop.core.model import Key, Position
from openalgo_desktop.ui.engine.books import Books

#: What was told, in words.
_DOING = {Act.CLOSE: "being closed", Act.REVERSE: "being turned"}

_Place = tuple[Mode, str, Key, Product]  # mode, account, position


@dataclass(eq=False)
class Told:
    """A position that was told something: the units held then, the orders that came of it (none
    before the answer; empty where they are not named), and whether none of them works any more."""

    row: Position
    act: Act = Act.CLOSE
    ids: tuple[str, ...] | None = None
    read: bool = False  # the whole order book was read since
    over: bool = False


class Leaving(QObject):
    """``account`` is where orders of a mode go; ``name`` what an instrument is called."""

    def __init__(
        self,
        books: Books,
        mode: Callable[[], Mode],
        account: Callable[[Mode], str],
        name: Callable[[Key], str],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._books = books
        self._mode, self._account, self._name = mode, account, name
        self._told: dict[_Place, Told] = {}
        books.orders_updated.connect(lambda _: self._look())
        books.orders_changed.connect(self._on_orders)
        books.positions_changed.connect(self._on_positions)

    def find(self, key: Key, product: Product) -> Told | None:
        """What a position of the mode of now was told, while it is unsettled."""
        return self._told.get(self._place(self._mode(), key, product))

    def why_not(self, row: Position, *, whole: bool = False) -> str:
        """Why nothing may be sent for a position now, as a sentence; empty when it may. ``whole``:
        all of it is to be closed, which is never kept in."""
        told = self.find(row.key, row.product)
        if told is None or whole:
            return ""
        name = self._name(row.key)
        return f"Not sent: {name} is {_DOING[told.act]} already; see what comes of it first."

    @contextmanager
    def sending(self, row: Position, act: Act, mode: Mode) -> Iterator[Told]:
        """Around what is sent for a position: the caller puts the ids of its answer in. Where
        nothing went out the position may be told again at once."""
        place = self._place(mode, row.key, row.product)
        before, told = self._told.get(place), Told(row, act)
        self._told[place] = told
        try:
            yield told
        except OrderStateUnknown as error:
            told.ids = (*error.sent, error.tag)
            raise
        except AppError as error:
            told.ids = error.sent or None  # slices may be out
            raise
        finally:
            if self._told.get(place) is told:
                self._answered(place, told, before)

    def _answered(self, place: _Place, told: Told, before: Told | None) -> None:
        if told.ids is None:
            del self._told[place]
            if before is not None:
                self._told[place] = before
        self._look()
        if self._told.get(place) is told and told.over:  # its news came before the answer
            self._books.recheck()

    def _place(self, mode: Mode, key: Key, product: Product) -> _Place:
        return (mode, self._account(mode), key, product)

    def _here(self) -> list[tuple[_Place, Told]]:
        """Those of the books that are shown."""
        mode = self._mode()
        if not self._told or not self._books.shows(mode):
            return []
        where = (mode, self._account(mode))
        return [(place, told) for place, told in self._told.items() if place[:2] == where]

    # -- what becomes of it -----------------------------------------------------------------
    def _on_positions(self) -> None:
        """The book was read again: a position that has changed may be told again, and one whose
        orders had ended by then."""
        for place, told in self._here():
            rows = self._books.positions_of(told.row.key)
            now = next((row for row in rows if row.product is told.row.product), None)
            if now is not None and (told.over or told.row.quantity != now.quantity):
                del self._told[place]
        self._look()

    def _on_orders(self) -> None:
        for _, told in self._here():
            told.read = told.ids is not None
        self._look()

    def _look(self) -> None:
        """See which orders have ended. One that was rejected or cancelled without a fill moves no
        position; else the position book comes after it."""
        orders = self._books.orders
        for place, told in self._here():
            if told.ids is None:
                continue
            if not told.ids:
                rows = self._books.working_of(told.row.key)
                told.over = all(order.product is not told.row.product for order in rows)
                continue
            found = [orders[name] for name in told.ids if name in orders]
            missing = len(found) < len(told.ids) and not told.read
            told.over = not missing and all(order.status.is_final for order in found)
            if told.over and not any(order.filled_quantity for order in found):
                del self._told[place]
