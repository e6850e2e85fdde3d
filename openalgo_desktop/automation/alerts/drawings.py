"""The drawings of the charts as alerts read them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from math import nan

from openalgo_desktop.automation.alerts.ports import Need
from openalgo_desktop.core.alerts import OfDrawing
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.drawings.book import DrawingBook
from openalgo_desktop.core.charting.drawings.tools import tool
from openalgo_desktop.core.charting.drawings.values import levels_at, names_of
from openalgo_desktop.core.model import Key


class BookDrawings:
    """:class:`Drawings` of the book that all charts share."""

    def __init__(self, book: DrawingBook) -> None:
        self._book = book

    def title(self, key: Key, source: OfDrawing) -> str:
        """Its name, else that of its tool; and of its line where it has several."""
        drawing = self._book.get(key, source.drawing)
        if drawing is None:
            return "Drawing"
        name = drawing.name or tool(drawing.tool).title
        return f"{name} {source.line}" if source.line and len(names_of(drawing)) > 1 else name

    def lines(self, key: Key) -> list[OfDrawing]:
        """Each line with a price of each drawing."""
        found = []
        for row in reversed(self._book.of(key)):
            names = names_of(row)
            # The only line needs no name, and stays the same when the tool changes.
            found += [OfDrawing(row.ident, name if names[1:] else "") for name in names]
        return found

    def need(self, key: Key, source: OfDrawing) -> Need:
        """Bars from its first anchor on: between them it is linear by bar."""
        drawing = self._book.get(key, source.drawing)
        if drawing is None or len(drawing.anchors) < 2:
            return Need()
        return Need(0, int(min(anchor.time for anchor in drawing.anchors)))

    def drawn(self, key: Key, source: OfDrawing) -> Hashable | None:
        """Where it is."""
        drawing = self._book.get(key, source.drawing)
        if drawing is None or (source.line and source.line not in names_of(drawing)):
            return None
        style, numbers = drawing.style, tuple(sorted(drawing.numbers.items()))
        return (drawing.tool, drawing.anchors, style.levels, style.left, style.right, numbers)

    def level(self, key: Key, source: OfDrawing, at: float, bars: Columns) -> float:
        """The price of its line."""
        drawing = self._book.get(key, source.drawing)
        found = [] if drawing is None else levels_at(drawing, at, None, bars)
        return next((price for name, price in found if source.line in ("", name)), nan)

    def watch(self, listener: Callable[[Key], None]) -> Callable[[], None]:
        """Call ``listener`` with the instrument whose drawings changed."""
        return self._book.listen(listener)
