"""What the books tell the docks: what changed since the last frame, and what a book lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openalgo_desktop.core.model import Order, Trade
from openalgo_desktop.ui.engine.frames import Ticks

if TYPE_CHECKING:
    from openalgo_desktop.ui.engine.books import Books


class Gaps(NamedTuple):
    """What a book lacks: a sentence for each row that could not be read, or why nothing of it
    could be read now (its rows are those of an earlier reading)."""

    unreadable: tuple[str, ...] = ()
    failure: str = ""

    @property
    def text(self) -> str:
        """One line that says so."""
        if self.failure:
            return "⚠ Not read now: the rows are old"
        count = len(self.unreadable)
        rows = "1 unreadable row" if count == 1 else f"{count} unreadable rows"
        return f"⚠ {rows}: the book is incomplete"

    @property
    def reasons(self) -> str:
        """Why, a line each."""
        return self.failure or "\n".join(self.unreadable)


class News:
    """Tells the docks of order updates, all of a frame together (a frame client, served first)."""

    priority = 0
    min_interval = 0.0

    def __init__(self, books: Books) -> None:
        self._books = books
        self._orders: list[Order] = []
        self._trades: list[Trade] = []

    def note(self, order: Order) -> None:
        """An order changed."""
        self._orders.append(order)

    def traded(self, trade: Trade) -> None:
        """An execution that is new in the book."""
        self._trades.append(trade)

    def forget(self) -> None:
        """The books are those of another mode."""
        self._orders.clear()
        self._trades.clear()

    def forget_trades(self) -> None:
        """The book was read whole: what it lists is no news any more."""
        self._trades.clear()

    def take(self, ticks: Ticks) -> None:
        """Prices are none of its business."""

    def wants_flush(self) -> bool:
        """Whether something changed since the last frame."""
        return bool(self._orders)

    def flush(self) -> None:
        """Tell it."""
        orders, self._orders = self._orders, []
        trades, self._trades = self._trades, []
        self._books.orders_updated.emit(orders)
        if trades:
            self._books.trades_added.emit(trades)
