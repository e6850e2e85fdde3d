"""The groups of a watchlist as tabs: choose, move, rename, delete; rows can be dropped on one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QTabBar, QToolButton, QWidget

from openalgo_desktop.ui.kit.symbol_drag import MIME
from openalgo_desktop.ui.kit.widgets import named

#: A tab that something is dragged over is chosen after this, milliseconds.
HOVER_MS = 600


class _Bar(QTabBar):
    """A tab bar that takes drops."""

    dropped = Signal(object, int)  # QDropEvent, tab

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self._over = -1
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(HOVER_MS)
        self._timer.timeout.connect(self._choose)

    def _choose(self) -> None:
        if self._over >= 0:
            self.setCurrentIndex(self._over)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(MIME) or event.mimeData().hasText():
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        over = self.tabAt(event.position().toPoint())
        if over != self._over:
            self._over = over
            self._timer.start()
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: object) -> None:
        self._over = -1
        self._timer.stop()

    def dropEvent(self, event: QDropEvent) -> None:
        self._timer.stop()
        self._over = -1
        tab = self.tabAt(event.position().toPoint())
        if tab >= 0:
            self.dropped.emit(event, tab)


class WatchTabs(QWidget):
    """Speaks of places in the row of tabs."""

    chosen = Signal(int)
    moved = Signal(int, int)
    add_wanted = Signal()
    rename_wanted = Signal(int)
    delete_wanted = Signal(int)
    heading_wanted = Signal()
    dropped = Signal(object, int)

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        named(self, f"{name}-groups", f"Groups of {title}")
        self._name = name
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 2, 4, 0)
        row.setSpacing(2)
        self.bar = named(_Bar(), f"{name}-tabs", f"Groups of {title}")
        self.bar.setMovable(True)
        self.bar.setExpanding(False)
        self.bar.setDrawBase(False)
        self.bar.setUsesScrollButtons(True)
        self.bar.setElideMode(Qt.TextElideMode.ElideNone)
        self.bar.setToolTip("Double click: rename; drag: move; right click: more")
        self.bar.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.bar.customContextMenuRequested.connect(self._on_menu)
        self.bar.tabBarDoubleClicked.connect(self._on_double_click)
        self.bar.currentChanged.connect(self.chosen)
        self.bar.tabMoved.connect(self.moved)
        self.bar.dropped.connect(self.dropped)
        self.add_button = named(QToolButton(), f"{name}-add-group", "Add a group")
        self.add_button.setText("+")
        self.add_button.setToolTip("Add a group")
        self.add_button.setProperty("role", "dock-button")
        self.add_button.clicked.connect(lambda _checked: self.add_wanted.emit())
        row.addWidget(self.bar, 1)
        row.addWidget(self.add_button)

    def show_groups(self, names: Sequence[str], current: int) -> None:
        """Show these tabs."""
        self.bar.blockSignals(True)
        while self.bar.count() > len(names):
            self.bar.removeTab(self.bar.count() - 1)
        for place, name in enumerate(names):
            text = name.replace("&", "&&")
            if place < self.bar.count():
                self.bar.setTabText(place, text)
            else:
                self.bar.addTab(text)
        self.bar.setCurrentIndex(current)
        self.bar.blockSignals(False)

    def _on_double_click(self, tab: int) -> None:
        if tab >= 0:
            self.rename_wanted.emit(tab)

    def _on_menu(self, position: QPoint) -> None:
        tab = self.bar.tabAt(position)
        menu = named(QMenu(self), f"{self._name}-groups-menu", "Group")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if tab >= 0:
            menu.addAction("Rename…").triggered.connect(lambda _: self.rename_wanted.emit(tab))
            delete = menu.addAction("Delete…")
            delete.setEnabled(self.bar.count() > 1)
            delete.triggered.connect(lambda _: self.delete_wanted.emit(tab))
            menu.addSeparator()
        menu.addAction("Add a group").triggered.connect(lambda _: self.add_wanted.emit())
        menu.addAction("Add a section…").triggered.connect(lambda _: self.heading_wanted.emit())
        menu.popup(self.bar.mapToGlobal(position))
