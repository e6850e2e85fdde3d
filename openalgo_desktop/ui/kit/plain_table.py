"""A small table of texts for dialogs: rows to read and choose, nothing live.

Columns are as wide as their texts need; long sentences are cut and whole in their tooltip.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from openalgo_desktop.ui.kit import fonts, look
from openalgo_desktop.ui.kit.clips import may_elide
from openalgo_desktop.ui.kit.tables.ink import HEADER_PIXELS, HEADER_ROOM, ROW_ROOM
from openalgo_desktop.ui.kit.tables.widths import PADDING
from openalgo_desktop.ui.kit.widgets import named, plain_tip

#: A column is not wider than this for its texts, pixels at a text scale of 100 per cent.
WIDEST = 320


class PlainTable(QTableWidget):
    """``stretch`` is the column that takes the room that is left (-1: the last one)."""

    def __init__(
        self,
        object_name: str,
        accessible_name: str,
        titles: Sequence[str],
        stretch: int = -1,
        widest: int = WIDEST,
    ) -> None:
        super().__init__(0, len(titles))
        named(may_elide(self), object_name, accessible_name)
        self._titles = tuple(titles)
        self._stretch = stretch % len(titles)
        self._widest = widest
        self.setHorizontalHeaderLabels(list(titles))
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionResizeMode(self._stretch, QHeaderView.ResizeMode.Stretch)
        self.fit()

    def show_rows(self, rows: Sequence[Sequence[str]], tips: Sequence[Sequence[str]] = ()) -> None:
        """Replace the rows; the selected place stays. ``tips`` are other words for the cells, told
        in their tooltips."""
        self.setRowCount(len(rows))
        for place, row in enumerate(rows):
            for column, text in enumerate(row):
                item = QTableWidgetItem(text)
                other = tips[place][column] if tips else ""
                item.setToolTip(
                    plain_tip(f"{text}\n\n{other}" if other not in ("", text) else text)
                )
                self.setItem(place, column, item)
        self.fit()

    def fit(self) -> None:
        """Rows, header and columns as large as texts at the look in force need."""
        metrics = self.fontMetrics()
        titles = QFontMetrics(fonts.text_font(HEADER_PIXELS, QFont.Weight.Medium))
        sizes, header = look.density(), self.horizontalHeader()
        rows = self.verticalHeader()
        rows.setMinimumSectionSize(1)
        rows.setDefaultSectionSize(max(sizes.row, metrics.height() + ROW_ROOM))
        header.setFixedHeight(max(sizes.header, titles.height() + HEADER_ROOM))
        for column, title in enumerate(self._titles):
            wide = 0
            for place in range(self.rowCount()):
                item = self.item(place, column)
                if item is not None:
                    wide = max(wide, metrics.horizontalAdvance(item.text()))
            wide = min(wide, look.px(self._widest))
            needed = max(wide, titles.horizontalAdvance(title)) + 2 * PADDING + 2
            if column != self._stretch:
                self.setColumnWidth(column, max(needed, self.least(column)))

    def least(self, column: int) -> int:
        """Width that a column has in any case (it holds a field of its own), pixels."""
        return 0

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.StyleChange and self.columnCount():
            self.fit()
