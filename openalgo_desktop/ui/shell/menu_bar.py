"""The menus of the main window: every action that has one, the panels, the exports."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar

from openalgo_desktop.ui.kit.keys import alt_letters
from openalgo_desktop.ui.kit.kinds import kinds
from openalgo_desktop.ui.kit.widgets import named
from openalgo_desktop.ui.shell.actions import ACTIONS, MENUS
from openalgo_desktop.ui.shell.docking import Docking
from openalgo_desktop.ui.shell.export_menu import ExportMenu


def fill_menu_bar(bar: QMenuBar, docking: Docking, actions: Mapping[str, QAction]) -> None:
    """Fill the bar; ``actions`` by the names of the table."""
    named(bar, "menubar", "Menu")
    menus: dict[str, QMenu] = {}
    for title, caption in zip(MENUS, alt_letters(MENUS), strict=True):
        menus[title] = bar.addMenu(caption)
        named(menus[title], f"menu-{title.lower()}", title)
    for row in ACTIONS:
        if row.menu:
            menus[row.menu].addAction(actions[row.name])
    menus["File"].insertMenu(actions["accounts"], ExportMenu(docking, menus["File"]))
    menus["View"].addSeparator()
    _add_docks(menus["View"], docking)


def _add_docks(menu: QMenu, docking: Docking) -> None:
    """One entry for each kind: shows or closes the only one, or opens one more."""
    single: list[QAction] = []
    for kind in kinds().values():
        action = QAction(f"New {kind.title.lower()}" if kind.many else kind.title, menu)
        action.setObjectName(f"action-dock-{kind.id}")
        action.setData(kind.id)
        action.setCheckable(not kind.many)
        action.triggered.connect(lambda _checked=False, kind=kind.id: _toggle(docking, kind))
        menu.addAction(action)
        if not kind.many:
            single.append(action)

    def refresh() -> None:
        for action in single:
            action.setChecked(action.data() in docking.docks)

    menu.aboutToShow.connect(refresh)


def _toggle(docking: Docking, kind: str) -> None:
    if not kinds()[kind].many and kind in docking.docks:
        docking.docks[kind].close()
    else:
        docking.open(kind)
