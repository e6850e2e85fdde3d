"""The Qt model over a row store: structure, sorting, copying, export, assistive tools.

The view paints from the store, so :meth:`FastTableModel.data` is not on the hot path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from openalgo_desktop.core.csvtext import csv_text, pasted_text
from openalgo_desktop.ui.kit.tables.columns import Column, plain
from openalgo_desktop.ui.kit.tables.store import RowStore
from openalgo_desktop.ui.kit.widgets import plain_tip

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
NOWHERE = QModelIndex()


def _alignment(column: Column[Any]) -> Qt.AlignmentFlag:
    if column.centred:
        return Qt.AlignmentFlag.AlignCenter
    return RIGHT if column.numeric else LEFT


class FastTableModel(QAbstractTableModel, Generic[R]):
    """Rows of ``R`` behind :class:`Column` declarations."""

    def __init__(self, columns: Sequence[Column[R]]) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.store: RowStore[R] = RowStore(self.columns)

    # -- rows -------------------------------------------------------------------------------
    def set_rows(self, rows: Sequence[R], keys: Sequence[Any] = ()) -> None:
        """Replace all rows; the sorting stays (``keys``: what it goes by, of each row, where that
        was read already). A different number of rows resets the model."""
        if len(rows) == len(self.store.rows):
            self.store.set_rows(rows, keys)
            return
        self.beginResetModel()
        self.store.set_rows(rows, keys)
        self.endResetModel()

    def insert_front(self, rows: Sequence[R]) -> None:
        """Put rows before all others. In a sorted table they take their places."""
        if self.store.sort_column is None:
            self.beginInsertRows(NOWHERE, 0, len(rows) - 1)
            self.store.insert_front(rows)
            self.endInsertRows()
        else:
            self.beginResetModel()
            self.store.insert_front(rows)
            self.endResetModel()

    def replace(self, source: int, row: R) -> None:
        """The row at this place of :meth:`set_rows` is another object now; it is painted again
        when it differs. Costs no Qt call."""
        old = self.store.rows[source]
        self.store.rows[source] = row
        if row is old or row != old:
            self.store.touch(source)

    def touch(self, source: int) -> None:
        """The row at this place of :meth:`set_rows` has new values; costs no Qt call."""
        self.store.touch(source)

    def row_at(self, view_row: int) -> R:
        """The row shown at ``view_row``."""
        return self.store.row_at(view_row)

    def view_row(self, source: int) -> int:
        """Where a row of :meth:`set_rows` is shown."""
        return self.store.place[source]

    def refresh_all(self) -> None:
        """Format all cells again."""
        self.store.refresh_all()

    # -- structure --------------------------------------------------------------------------
    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.store.rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.store.rows):
            return None
        column = self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.store.cells(index.row()).texts[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            cells = self.store.cells(index.row())
            texts = (cells.texts[index.column()], cells.badges.get(index.column(), ""))
            return ", ".join(text for text in texts if text)
        if role == Qt.ItemDataRole.UserRole:
            return column.value(self.row_at(index.row()))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            tip = column.tip(self.row_at(index.row())) if column.tip is not None else ""
            if not tip and not column.numeric:
                tip = self.store.cells(index.row()).texts[index.column()]
            return plain_tip(tip) if tip else None
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return column.spoken or column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.tooltip or None
        return None

    # -- sorting ----------------------------------------------------------------------------
    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by values, not by texts; column -1 gives the caller's order back."""
        self._reorder(
            lambda: self.store.sort(
                column if column >= 0 else None, order == Qt.SortOrder.DescendingOrder
            )
        )

    def resort(self) -> None:
        """Sort again because live values moved."""
        if self.store.sort_column is not None:
            self._reorder(self.store.resorted)

    def _reorder(self, change: Any) -> None:
        """Change the order; selection and current row stay on the same rows."""
        self.layoutAboutToBeChanged.emit()
        before = list(self.store.order)
        change()
        old = self.persistentIndexList()
        new = [
            self.index(self.store.place[before[index.row()]], index.column())
            if index.row() < len(before)
            else QModelIndex()
            for index in old
        ]
        self.changePersistentIndexList(old, new)
        self.layoutChanged.emit()

    # -- copy and export --------------------------------------------------------------------
    def plain_rows(self, view_rows: Sequence[int] | None = None) -> list[list[str]]:
        """Title line and rows as plain numbers and texts; action columns are left out."""
        places = range(self.rowCount()) if view_rows is None else view_rows
        return [self.plain_titles(), *(self.plain_row(self.row_at(place)) for place in places)]

    def plain_titles(self) -> list[str]:
        """The line of titles of what is copied."""
        return [column.spoken or column.title for column in self.columns if not column.actions]

    def plain_row(self, row: R) -> list[str]:
        """One row of what is copied, also of a row that the table does not show any more."""
        return [_copied(column, row) for column in self.columns if not column.actions]

    def shown_rows(self) -> list[R]:
        """The rows in the order of the view."""
        return [self.store.rows[source] for source in self.store.order]

    def as_text(self, view_rows: Sequence[int] | None = None) -> str:
        """Tab separated, for the clipboard."""
        return pasted_text(self.plain_rows(view_rows))

    def as_csv(self) -> str:
        """The whole table as CSV."""
        return csv_text(self.plain_rows())


def _copied(column: Column[R], row: R) -> str:
    if column.copied is not None:
        return column.copied(row)
    text = column.shown(row, column.value(row))
    return plain(text) if column.numeric else text
