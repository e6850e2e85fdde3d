"""Which docks are open and in which window; opens, closes and remembers them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QMainWindow

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.kinds import DockKind, Place, instance_name, kind_of, kinds
from openalgo_desktop.ui.kit.tab_order import order_tabs
from openalgo_desktop.ui.kit.widgets import name_inner_controls

_AREAS = {
    Place.LEFT: Qt.DockWidgetArea.LeftDockWidgetArea,
    Place.RIGHT: Qt.DockWidgetArea.RightDockWidgetArea,
    Place.CENTRE: Qt.DockWidgetArea.LeftDockWidgetArea,
    Place.BOTTOM: Qt.DockWidgetArea.BottomDockWidgetArea,
}


class Docking(QObject):
    """Open docks by name. A closed dock is gone; what it remembered is kept for the next one of
    its name."""

    changed = Signal()  # a dock came or went
    opened = Signal(object)  # Dock
    menu_wanted = Signal(object, QPoint)  # Dock, where on the screen

    def __init__(self, bridge: Bridge, main: QMainWindow) -> None:
        super().__init__(main)
        self._bridge = bridge
        self._main = main
        self.docks: dict[str, Dock] = {}
        self._windows: dict[str, QMainWindow] = {}  # where a dock was put, by its name
        self._locked = False
        self.remembered: dict[str, dict[str, Any]] = {}  # state of closed docks

    # -- what is open -----------------------------------------------------------------------
    def of_kind(self, kind: str) -> list[Dock]:
        """Open docks of a kind, first ones first."""
        found = [(name, dock) for name, dock in self.docks.items() if kind_id(name) == kind]
        return [dock for _, dock in sorted(found, key=lambda pair: (len(pair[0]), pair[0]))]

    def window_of(self, dock: Dock) -> QMainWindow:
        """The window that a dock belongs to, floating or not."""
        return self._windows.get(dock.name, self._main)

    def in_window(self, window: QMainWindow) -> list[Dock]:
        """The docks of one window."""
        return [dock for dock in self.docks.values() if self.window_of(dock) is window]

    # -- coming and going -------------------------------------------------------------------
    def make(self, name: str, window: QMainWindow | None = None) -> Dock | None:
        """The dock called ``name``, built when it is not open, in no place yet; None for a name
        that no kind has."""
        if name in self.docks:
            self._take_to(self.docks[name], window or self._main)
            return self.docks[name]
        kind = kind_of(name)
        if kind is None:
            return None
        dock = kind.build(self._bridge, name, window or self._main)
        dock.gone.connect(self._on_gone)
        dock.menu_wanted.connect(self.menu_wanted)
        self.docks[name] = dock
        self._windows[name] = window or self._main
        dock.restore_state(self.remembered.pop(name, {}))
        if dock.linked and not dock.shows_own:
            key = self._bridge.links.key(dock.group)
            if key is not None:
                dock.show_symbol(key)
        dock.set_locked(self._locked)
        order_tabs(dock.title_bar, dock.body)
        name_inner_controls(dock)
        self.opened.emit(dock)
        self.changed.emit()
        return dock

    def open(self, kind: str, window: QMainWindow | None = None) -> Dock:
        """Show the dock of a kind that allows one; one more of the others."""
        row = kinds()[kind]
        if not row.many and kind in self.docks:
            dock = self.docks[kind]
            dock.show()
            dock.raise_()
            return dock
        number = 1
        while instance_name(kind, number) in self.docks:
            number += 1
        made = self.make(instance_name(kind, number), window)
        assert made is not None
        self.place(made, row)
        return made

    def show(self, kind: str) -> Dock:
        """The first open dock of a kind brought to the front, opened when there is none."""
        found = self.of_kind(kind)
        if not found:
            return self.open(kind)
        found[0].show()
        found[0].raise_()
        return found[0]

    def place(self, dock: Dock, kind: DockKind) -> None:
        """Put a new dock where its kind goes: as a tab on docks that are there already."""
        window = self.window_of(dock)
        beside = [
            other
            for other in self.in_window(window)
            if other is not dock and not other.isFloating() and other.isVisible()
        ]
        alike = [other for other in beside if kind_place(other.name) is kind.place]
        if alike:
            window.addDockWidget(_AREAS[kind.place], dock)
            window.tabifyDockWidget(alike[0], dock)
        else:
            window.addDockWidget(_AREAS[kind.place], dock)
        dock.show()
        dock.raise_()

    def put(self, dock: Dock) -> None:
        """Somewhere in its window, for a stored layout to move it from there."""
        window = self.window_of(dock)
        others = [other for other in self.in_window(window) if other is not dock]
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        if others:  # beside one another they would make the window wider than the screen
            window.tabifyDockWidget(others[0], dock)
        dock.show()

    def move(self, dock: Dock, window: QMainWindow) -> None:
        """Take a dock to another window."""
        if self.window_of(dock) is window:
            return
        self._take_to(dock, window)
        kind = kind_of(dock.name)
        assert kind is not None
        self.place(dock, kind)
        self.changed.emit()

    def _take_to(self, dock: Dock, window: QMainWindow) -> None:
        if self.window_of(dock) is not window:
            dock.setFloating(False)
            self.window_of(dock).removeDockWidget(dock)
            self._windows[dock.name] = window

    def _on_gone(self, dock: Dock) -> None:
        """The user closed it."""
        self.remembered[dock.name] = dict(dock.save_state())
        self._drop(dock)
        self.changed.emit()

    def _drop(self, dock: Dock) -> None:
        if self.docks.pop(dock.name, None) is None:
            return
        self._windows.pop(dock.name).removeDockWidget(dock)
        dock.release()  # while it has the name under which it asked for prices
        dock.setObjectName("")  # a stored layout must not find one that is going
        dock.dispose()

    def keep_only(self, names: Collection[str]) -> None:
        """Close the other docks; nothing is remembered but what :meth:`states` gave before."""
        for dock in [dock for name, dock in self.docks.items() if name not in names]:
            self._drop(dock)
        self.changed.emit()

    def discard_all(self) -> None:
        """Close all docks."""
        self.keep_only(())

    # -- lock -------------------------------------------------------------------------------
    @property
    def locked(self) -> bool:
        """Whether docks stay where they are."""
        return self._locked

    def lock(self, locked: bool) -> None:
        """Keep docks where they are (they can still be closed by the menu), or not."""
        self._locked = locked
        for dock in self.docks.values():
            dock.set_locked(locked)

    # -- memory -----------------------------------------------------------------------------
    def states(self) -> dict[str, dict[str, Any]]:
        """What the docks remember, open or closed, by name."""
        return self.remembered | {name: dict(d.save_state()) for name, d in self.docks.items()}

    def remember(self, states: Mapping[str, dict[str, Any]]) -> None:
        """What docks that are opened from now on start with."""
        self.remembered = dict(states)


def kind_id(name: str) -> str:
    """The kind of a dock's name."""
    kind = kind_of(name)
    return kind.id if kind is not None else ""


def kind_place(name: str) -> Place | None:
    """Where docks of this name's kind go."""
    kind = kind_of(name)
    return kind.place if kind is not None else None
