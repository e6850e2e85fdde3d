"""A further top-level window with docks of its own, for another monitor."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow, QSizePolicy, QToolBar, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.widgets import label, named, set_role
from openalgo_desktop.ui.shell.mode_marks import HEIGHT, SHORT, role, titled

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
        self._strip = label("", f"side-window-{number}-mode", "banner-sandbox")
        self._strip.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._strip.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        bar = named(QToolBar("Mode"), f"side-window-{number}-mode-bar", "Where orders go")
        bar.setMovable(False)
        bar.toggleViewAction().setEnabled(False)
        set_role(bar, "banner-sandbox")  # its margins come from the style when it is made
        bar.setFixedHeight(HEIGHT)
        self._strip.setFixedHeight(HEIGHT)
        bar.addWidget(self._strip)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, bar)
        self._bar = bar
        bridge.mode_changed.connect(self.show_mode)
        self.show_mode(bridge.mode)

    def show_mode(self, mode: Mode) -> None:
        """Title and strip say where orders go."""
        self._strip.setText(SHORT[mode])
        self._strip.setAccessibleName(SHORT[mode])
        for widget in (self._strip, self._bar):
            set_role(widget, role(mode))
        self.setWindowTitle(titled(mode, f"{TITLE} {self.number}"))

    def dispose(self) -> None:
        """Close it for good."""
        self._going = True
        self.bridge.mode_changed.disconnect(self.show_mode)
        self.hide()
        self.deleteLater()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.UpdateRequest:
            with self.bridge.frames.painting():
                return super().event(event)
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        if not self._going:
            self.left.emit(self)
