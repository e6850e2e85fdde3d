"""The menus of a table that is only a part of its dock: of its rows, and of its columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPoint, Qt
from PySide6.QtWidgets import QMenu

from openalgo_desktop.ui.kit import table_exports
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.tables import Column, FastTableView
from openalgo_desktop.ui.kit.tables.header import HeaderColumns

Fill = Callable[[QMenu, Any], None]


class TableMenu(QObject):
    """One of a table of ``dock``. ``fill`` puts the items of a row before those that every table
    has; ``title`` is what its files are called."""

    def __init__(
        self,
        dock: Dock,
        view: FastTableView,
        columns: Sequence[Column[Any]],
        title: str,
        fill: Fill | None = None,
    ) -> None:
        super().__init__(view)
        self._dock, self._view, self._title, self._fill = dock, view, title, fill
        self.header = HeaderColumns(view, columns, view.widths)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._on_menu)

    def _on_menu(self, position: QPoint) -> None:
        dock, view = self._dock, self._view
        index, menu = view.indexAt(position), dock.menu()
        if index.isValid():
            if not view.selectionModel().isRowSelected(index.row(), QModelIndex()):
                view.selectRow(index.row())
            if self._fill is not None:
                self._fill(menu, view.table.row_at(index.row()))
                menu.addSeparator()
            dock.add_item(menu, "Copy row", lambda: table_exports.copy_rows(view))
        dock.add_item(
            menu, "Copy table", lambda: dock.spawn(table_exports.copy_table(view), "copy table")
        )
        for text, call in self.exports():
            dock.add_item(menu, text, call)
        menu.popup(view.viewport().mapToGlobal(position))

    def exports(self) -> list[tuple[str, Callable[[], object]]]:
        """What of it can be saved."""
        return table_exports.offers(self._dock, self._view, self._title)
