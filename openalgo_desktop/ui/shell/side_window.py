"""A further top-level window with docks of its own, for another monitor."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.widgets import named

TITLE = "OpenAlgo Desktop"


def prepare(window: QMainWindow) -> None:
    """Docks everywhere: nested, tabbed, dragged in groups, and no fixed centre."""
    window.setDockNestingEnabled(True)
    window.setDockOptions(
        QMainWindow.DockOption.AllowNestedDocks
        | QMainWindow.DockOption.AllowTabbedDocks
        | QMainWindow.DockOption.GroupedDragging
    )
    placeholder = QWidget()
    placeholder.setObjectName("central-placeholder")
    placeholder.setMaximumSize(0, 0)
    window.setCentralWidget(placeholder)


def titled(mode: Mode, rest: str) -> str:
    """A window title that says first where orders go."""
    return f"[SANDBOX] {rest}" if mode is Mode.SANDBOX else f"LIVE  {rest}"


class SideWindow(QMainWindow):
    """``number`` counts from 2; ``left`` tells that the user closed it."""

    left = Signal(object)

    def __init__(self, bridge: Bridge, number: int) -> None:
        super().__init__()
        self.bridge = bridge
        self.number = number
        self._going = False
        named(self, f"side-window-{number}", f"{TITLE}, window {number}")
        prepare(self)
        self.resize(1200, 800)
        bridge.mode_changed.connect(self.show_mode)
        self.show_mode(bridge.mode)

    def show_mode(self, mode: Mode) -> None:
        """The title says where orders go."""
        self.setWindowTitle(titled(mode, f"{TITLE} {self.number}"))

    def dispose(self) -> None:
        """Close it for good."""
        self._going = True
        self.bridge.mode_changed.disconnect(self.show_mode)
        self.hide()
        self.deleteLater()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.UpdateRequest:
            started = time.perf_counter()
            result = super().event(event)
            self.bridge.frames.painted((time.perf_counter() - started) * 1000.0)
            return result
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        if not self._going:
            self.left.emit(self)
