"""File > Export: what each open dock can be saved as."""

from __future__ import annotations

from PySide6.QtWidgets import QMenu, QWidget

from openalgo_desktop.ui.kit.widgets import named, slug
from openalgo_desktop.ui.shell.docking import Docking


class ExportMenu(QMenu):
    """A menu for each open dock, made when it is opened."""

    def __init__(self, docking: Docking, parent: QWidget) -> None:
        super().__init__("&Export", parent)
        named(self, "menu-export", "Export")
        self._docking = docking
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """The docks that are open now, by title."""
        self.clear()
        for dock in sorted(self._docking.docks.values(), key=lambda dock: dock.title):
            menu = named(QMenu(dock.title, self), f"menu-export-{dock.name}", dock.title)
            for text, call in dock.exports():
                action = menu.addAction(text)
                action.setObjectName(f"action-export-{dock.name}-{slug(text)}")
                action.triggered.connect(lambda _checked=False, call=call: call())
            self.addMenu(menu)
