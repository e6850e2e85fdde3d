"""Where orders go, said on everything that stands by itself: floating docks and further windows.

Three channels each time: the window's title, a strip with words, and its colour.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QLabel

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.widgets import label, set_role

SANDBOX_TEXT = "SANDBOX  —  orders are simulated, nothing reaches the exchange"
SHORT = {Mode.SANDBOX: "SANDBOX: simulated", Mode.LIVE: "LIVE: real money"}
HEIGHT = 20


def live_text(account: str) -> str:
    """The strip of live mode; ``account`` is who takes the orders."""
    return f"● LIVE: real money  —  orders go to {account}"


def role(mode: Mode) -> str:
    """Role of a strip."""
    return "banner-sandbox" if mode is Mode.SANDBOX else "banner-live"


def titled(mode: Mode, rest: str) -> str:
    """A window title that says first where orders go."""
    return f"[SANDBOX] {rest}" if mode is Mode.SANDBOX else f"[LIVE] {rest}"


class ModeMarks(QObject):
    """Marks docks while they float."""

    def __init__(self, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._strips: dict[Dock, QLabel] = {}
        bridge.mode_changed.connect(lambda _: self.refresh())

    def watch(self, dock: Dock) -> None:
        """Mark ``dock`` whenever it floats, from now on."""
        strip = label("", f"{dock.objectName()}-mode", "banner-sandbox")
        strip.setAlignment(Qt.AlignmentFlag.AlignCenter)
        strip.setFixedHeight(HEIGHT)
        dock.content.insertWidget(0, strip)
        self._strips[dock] = strip
        dock.topLevelChanged.connect(lambda _: self._show(dock))
        dock.destroyed.connect(lambda: self._strips.pop(dock, None))
        self._show(dock)

    def forget(self, dock: Dock) -> None:
        """It is gone."""
        self._strips.pop(dock, None)

    def refresh(self) -> None:
        """The mode is another one."""
        for dock in self._strips:
            self._show(dock)

    def _show(self, dock: Dock) -> None:
        strip = self._strips.get(dock)
        if strip is None:
            return
        mode = self._bridge.mode
        # A dock that was made and is in no window yet counts as floating, too.
        floating = dock.isFloating() and dock.parentWidget() is not None
        strip.setText(SHORT[mode])
        strip.setAccessibleName(SHORT[mode])
        set_role(strip, role(mode))
        strip.setVisible(floating)
        # Docked it is the text of a tab, where a lone & would underline what follows.
        tab = dock.title.replace("&", "&&")
        dock.setWindowTitle(titled(mode, dock.title) if floating else tab)
