"""The rows in sight whose feed tells no open interest of the day before, or no 52 weeks: daily
candles do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from PySide6.QtCore import QPoint

from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import TickExtras
from openalgo_desktop.ui.kit.book_view import BookView
from openalgo_desktop.ui.kit.day_facts import Take
from openalgo_desktop.ui.kit.tables import FastTableModel
from openalgo_desktop.ui.rooms.market.watch_rows import WatchRow, lacks_interest, lacks_year

#: Columns that need it, with the rows that lack something for them.
COLUMNS = {"oi_change": lacks_interest, "year_high": lacks_year, "year_low": lacks_year}


def lacking(
    view: BookView, model: FastTableModel[WatchRow], changed: Callable[[WatchRow], None]
) -> Iterator[tuple[Key, Take]]:
    """Those rows, with what takes the facts (``changed`` hears of it); only for columns that are
    in sight, too."""
    header, port = view.horizontalHeader(), view.viewport().rect()
    needs = []
    for index, column in enumerate(model.columns):
        left = header.sectionViewportPosition(index)
        seen = not header.isSectionHidden(index) and left < port.right()
        if seen and left + header.sectionSize(index) > 0 and column.key in COLUMNS:
            needs.append(COLUMNS[column.key])
    if not needs or not model.rowCount():
        return
    first = max(0, view.rowAt(0))
    last = view.rowAt(QPoint(0, port.bottom()).y())
    last = model.rowCount() - 1 if last < 0 else last
    for place in range(first, last + 1):
        row = model.row_at(place)
        if any(lacks(row) for lacks in needs):
            yield row.key, partial(_take, row, changed)


def _take(row: WatchRow, changed: Callable[[WatchRow], None], facts: TickExtras) -> None:
    if row.facts is not facts:
        row.facts = facts
        changed(row)
