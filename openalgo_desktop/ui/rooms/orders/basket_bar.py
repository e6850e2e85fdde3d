"""The bar of the basket: adding symbols, its name, what is kept, how it is sent."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.widgets import named, push_button, slug

Fill = Callable[[QMenu], None]


class BasketBar(QWidget):
    """In one row where there is room, else in two. ``open_menu`` and ``rules_menu`` fill their
    menus as they open."""

    def __init__(
        self,
        bridge: Bridge,
        name: str,
        add: Callable[[Key], None],
        save: Callable[[], None],
        open_menu: Fill,
        rules_menu: Fill,
    ) -> None:
        super().__init__()
        named(self, f"{name}-bar", "Basket")
        self.add_field = SymbolSearch(bridge, f"{name}-add", "Add symbol")
        self.add_field.chosen.connect(add)
        self.name_field = named(QLineEdit(), f"{name}-name", "Name of the basket")
        self.name_field.setPlaceholderText("Name")
        self.name_field.setMaxLength(40)
        for field in (self.name_field, self.add_field):
            field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        keeping = self._keeping = QHBoxLayout()
        keeping.setSpacing(4)
        keeping.addWidget(self.name_field, 1)
        keeping.addWidget(push_button("Save", f"{name}-save", "Keep the basket by its name", save))
        for words, fill in (("Open", open_menu), ("Sending", rules_menu)):
            button = named(QPushButton(words), f"{name}-{slug(words)}", words)
            menu = named(QMenu(self), f"{name}-{slug(words)}-menu", words)
            menu.aboutToShow.connect(lambda menu=menu, fill=fill: fill(menu))
            button.setMenu(menu)
            keeping.addWidget(button)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(4)
        self.place(wide=True)

    def place(self, *, wide: bool) -> None:
        """All in one row, or in two."""
        self._grid.removeWidget(self.add_field)
        self._grid.removeItem(self._keeping)
        self._grid.addWidget(self.add_field, 0, 0)
        self._grid.addLayout(self._keeping, *((0, 1) if wide else (1, 0)))
        for column in (0, 1):
            self._grid.setColumnStretch(column, 1 if wide or not column else 0)
