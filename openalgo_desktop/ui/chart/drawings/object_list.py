"""The list of all drawings of a symbol: seen, locked, order, name, delete."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.charting.drawings.model import Drawing
from openalgo_desktop.core.charting.drawings.tools import title
from openalgo_desktop.ui.chart.drawings.board import Board
from openalgo_desktop.ui.chart.drawings.icons import icon_of
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.widgets import label, named, push_button

NAME, SEEN, LOCKED = range(3)
_IDENT = Qt.ItemDataRole.UserRole
WIDTH = 268


class ObjectList(QWidget):
    """The front of the chart is at the top. ``closed`` when its x is pressed."""

    closed = Signal()
    settings_wanted = Signal(str)

    def __init__(self, board: Board, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, f"{name}-objects", "Drawings of the symbol")
        self._board = board
        self._filling = False
        self.setFixedWidth(look.px(WIDTH))
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(4)
        head = QHBoxLayout()
        head.addWidget(label("Drawings", f"{name}-objects-title", "caption"))
        head.addStretch(1)
        head.addWidget(push_button("✕", f"{name}-objects-close", "Close list", self.closed.emit))
        column.addLayout(head)
        self.tree = named(QTreeWidget(), f"{name}-objects-list", "Drawings, the front first")
        self.tree.setHeaderLabels(["Name", "Seen", "Locked"])
        self.tree.setRootIsDecorated(False)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.header().setStretchLastSection(False)
        self.tree.header().setSectionResizeMode(NAME, self.tree.header().ResizeMode.Stretch)
        for part in (SEEN, LOCKED):
            self.tree.header().setSectionResizeMode(
                part, self.tree.header().ResizeMode.ResizeToContents
            )
        self.tree.itemChanged.connect(self._on_changed)
        self.tree.itemSelectionChanged.connect(self._on_selected)
        self.tree.itemDoubleClicked.connect(self._on_double)
        column.addWidget(self.tree, 1)
        foot = QHBoxLayout()
        foot.setSpacing(4)
        for text, ident, words, call in (
            ("▲", "front", "Bring to the front", partial(self._order, 1)),
            ("▼", "back", "Send to the back", partial(self._order, -1)),
            ("Delete", "delete", "Delete the chosen drawings", self._delete),
            ("Delete all", "delete-all", "Delete all that is not locked", self._delete_all),
        ):
            button = push_button(text, f"{name}-objects-{ident}", words, call)
            button.setProperty("role", "tight")
            foot.addWidget(button)
        column.addLayout(foot)
        board.changed.connect(self.fill)
        board.chosen_changed.connect(self._show_chosen)
        self.fill()

    # -- rows -------------------------------------------------------------------------------
    def fill(self) -> None:
        """All of the symbol again; nothing while it is not seen."""
        if self.isHidden():
            return
        self._filling = True
        rows = list(reversed(self._board.all))
        while self.tree.topLevelItemCount() > len(rows):
            self.tree.takeTopLevelItem(self.tree.topLevelItemCount() - 1)
        for number, row in enumerate(rows):
            item = self.tree.topLevelItem(number)
            if item is None:
                item = QTreeWidgetItem()
                self.tree.addTopLevelItem(item)
            self._fill_row(item, row)
        self._filling = False
        self._show_chosen()

    def _fill_row(self, item: QTreeWidgetItem, row: Drawing) -> None:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        item.setFlags(flags | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsUserCheckable)
        item.setData(NAME, _IDENT, row.ident)
        item.setText(NAME, row.name or (row.text.split("\n")[0][:40] if row.text else title(row)))
        item.setIcon(NAME, icon_of(self._board.tool_of(row)))
        states = Qt.CheckState
        item.setCheckState(SEEN, states.Unchecked if row.hidden else states.Checked)
        item.setCheckState(LOCKED, states.Checked if row.locked else states.Unchecked)

    def _row(self, item: QTreeWidgetItem | None) -> Drawing | None:
        ident = item.data(NAME, _IDENT) if item is not None else ""
        return next((row for row in self._board.all if row.ident == ident), None)

    def _chosen(self) -> list[Drawing]:
        rows = (self._row(item) for item in self.tree.selectedItems())
        return [row for row in rows if row is not None]

    def _show_chosen(self) -> None:
        if self._filling or self.isHidden():
            return
        self._filling = True
        for number in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(number)
            if item is not None:
                item.setSelected(item.data(NAME, _IDENT) in self._board.chosen)
        self._filling = False

    # -- acts -------------------------------------------------------------------------------
    def _on_selected(self) -> None:
        if not self._filling:
            self._board.choose([row.ident for row in self._chosen() if not row.hidden])

    def _on_changed(self, item: QTreeWidgetItem, part: int) -> None:
        row = self._row(item)
        if self._filling or row is None:
            return
        if part == NAME:
            text = item.text(NAME).strip()
            name = "" if text == title(replace(row, name="")) else text
            made = replace(row, name=name)
        elif part == SEEN:
            made = replace(row, hidden=item.checkState(SEEN) != Qt.CheckState.Checked)
        else:
            made = replace(row, locked=item.checkState(LOCKED) == Qt.CheckState.Checked)
        if made != row:
            self._board.put(f"Change {title(row)}", [made])

    def _on_double(self, item: QTreeWidgetItem, part: int) -> None:
        row = self._row(item)
        if row is not None and part != NAME:
            self.settings_wanted.emit(row.ident)

    def _order(self, way: int) -> None:
        rows, order = self._chosen(), [row.ident for row in self._board.all]
        if rows:
            self._board.bring(rows[0], order.index(rows[0].ident) + way)

    def _delete(self) -> None:
        self._board.delete([row for row in self._chosen() if not row.locked])

    def _delete_all(self) -> None:
        self._board.delete([row for row in self._board.all if not row.locked])

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.fill()
