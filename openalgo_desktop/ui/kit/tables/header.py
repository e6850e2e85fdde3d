"""The header of a table: which columns are shown, in which order and how wide. Its menu (right
click, or Shift+F10 in the header's table) changes that; the workspace remembers it by key."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtWidgets import QHeaderView, QMenu, QTableView

from openalgo_desktop.ui.kit.tables.columns import Column
from openalgo_desktop.ui.kit.tables.widths import Widths
from openalgo_desktop.ui.kit.widgets import named

#: A stored width above this is damaged, pixels.
MOST_WIDE = 10_000


def texts_of(stored: object, known: Container[str]) -> list[str]:
    """The known names in a stored list, each once; what else stands there is left out."""
    rows = stored if isinstance(stored, list) else []
    return list(dict.fromkeys(row for row in rows if isinstance(row, str) and row in known))


class HeaderColumns(QObject):
    """Columns of one view. At least one with text is always shown."""

    def __init__(self, view: QTableView, columns: Sequence[Column[Any]], widths: Widths) -> None:
        super().__init__(view)
        self._view = view
        self._header: QHeaderView = view.horizontalHeader()
        self._columns = columns
        self._widths = widths
        self._show_default()
        self._header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._header.customContextMenuRequested.connect(self._on_menu)

    def _show_default(self) -> None:
        for index, column in enumerate(self._columns):
            self._header.setSectionHidden(index, column.hidden)

    # -- menu -------------------------------------------------------------------------------
    def _on_menu(self, position: QPoint) -> None:
        self.menu().popup(self._header.viewport().mapToGlobal(position))

    def menu(self) -> QMenu:
        """What can be changed; it deletes itself when it closes."""
        name = self._view.objectName()
        menu = named(QMenu(self._view), f"{name}-columns-menu", "Columns")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for index, column in enumerate(self._columns):
            title = column.spoken or column.title or "Buttons"
            action = menu.addAction(title.replace("&", "&&"))
            action.setObjectName(f"{name}-column-{column.key}")
            action.setCheckable(True)
            action.setChecked(not self._header.isSectionHidden(index))
            action.toggled.connect(lambda shown, index=index: self.show_column(index, shown))
        menu.addSeparator()
        action = menu.addAction("Reset columns")
        action.setObjectName(f"{name}-columns-reset")
        action.triggered.connect(lambda _checked: self.reset())
        return menu

    def show_column(self, index: int, shown: bool) -> None:
        """Show or hide one; the last one stays."""
        visible = [n for n in range(len(self._columns)) if not self._header.isSectionHidden(n)]
        if shown or visible != [index]:
            self._header.setSectionHidden(index, not shown)

    def reset(self) -> None:
        """Order, widths and choice as in a new table, unsorted."""
        for index in range(len(self._columns)):
            self._header.moveSection(self._header.visualIndex(index), index)
            self._header.setSectionHidden(index, False)
        self._widths.reset()
        self._show_default()
        self._view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)

    # -- state ------------------------------------------------------------------------------
    def save(self) -> dict[str, Any]:
        """For the workspace: JSON values by key, so that columns may come and go."""
        header, keys = self._header, [column.key for column in self._columns]
        by_place = sorted(range(len(keys)), key=header.visualIndex)
        sort = header.sortIndicatorSection()
        down = header.sortIndicatorOrder() == Qt.SortOrder.DescendingOrder
        return {
            "order": [keys[index] for index in by_place],
            "hidden": [key for index, key in enumerate(keys) if header.isSectionHidden(index)],
            "widths": {
                key: header.sectionSize(index)
                for index, key in enumerate(keys)
                if not header.isSectionHidden(index)
            },
            "sorted": [keys[sort], down] if 0 <= sort < len(keys) else [],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """The other way round. What is not known any more is left out; columns that are new
        since then are as in a new table."""
        places = {column.key: index for index, column in enumerate(self._columns)}
        order, hidden = state.get("order"), state.get("hidden")
        widths, sort = state.get("widths"), state.get("sorted")
        known = texts_of(order, places)
        for place, key in enumerate(known):
            self._header.moveSection(self._header.visualIndex(places[key]), place)
        if isinstance(hidden, list):
            hidden = texts_of(hidden, places)
            for key in known:
                self._header.setSectionHidden(places[key], key in hidden)
            if all(self._header.isSectionHidden(index) for index in places.values()):
                self._show_default()
        if isinstance(widths, dict):
            for key, width in widths.items():
                if key in places and isinstance(width, int) and width > 0:
                    self._header.resizeSection(places[key], min(width, MOST_WIDE))
        if isinstance(sort, list) and len(sort) == 2 and texts_of(sort[:1], places):
            down = Qt.SortOrder.DescendingOrder if sort[1] else Qt.SortOrder.AscendingOrder
            self._view.sortByColumn(places[sort[0]], down)
