"""The tray icon: P&L at a glance, the window, sounds, flatten, quit; notifications."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication, QIcon
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from openalgo_desktop.config.resources import resource_path
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.widgets import named, plain_tip
from openalgo_desktop.ui.shell.sounds import Sounds

#: The tooltip follows the P&L this often, milliseconds.
TOOLTIP_MS = 2000
NOTIFY_MS = 8000
TITLE = "OpenAlgo Desktop"


def there_is_one() -> bool:
    """Whether this desktop has a tray."""
    return QSystemTrayIcon.isSystemTrayAvailable()


class Tray(QObject):
    """Made where there is a tray. ``flatten_wanted`` opens the window with the review."""

    show_wanted = Signal()
    flatten_wanted = Signal()
    quit_wanted = Signal()

    def __init__(self, window: QWidget, bridge: Bridge, sounds: Sounds) -> None:
        super().__init__(window)
        self._bridge, self._sounds = bridge, sounds
        self.icon = QSystemTrayIcon(QIcon(str(resource_path("icons/app.png"))), self)
        self.icon.setObjectName("tray")
        self.menu = named(QMenu(window), "tray-menu", "Tray menu")
        self.actions: Mapping[str, QAction] = {
            name: self._action(name, text)
            for name, text in (
                ("show", "Show the window"),
                ("mute", "Mute sounds"),
                ("flatten", "Flatten…"),
                ("quit", "Quit"),
            )
        }
        self.actions["mute"].setCheckable(True)
        self.menu.aboutToShow.connect(self._refresh_menu)
        self.actions["show"].triggered.connect(lambda _: self.show_wanted.emit())
        self.actions["mute"].triggered.connect(sounds.set_muted)
        self.actions["flatten"].triggered.connect(lambda _: self.flatten_wanted.emit())
        self.actions["quit"].triggered.connect(lambda _: self.quit_wanted.emit())
        self.icon.setContextMenu(self.menu)
        self.show_message = self.icon.showMessage
        self.icon.activated.connect(self._on_activated)
        self.icon.messageClicked.connect(self.show_wanted)
        self._timer = QTimer(self)
        self._timer.setInterval(TOOLTIP_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()
        bridge.closing.connect(self.close)
        self.refresh()
        if there_is_one():
            self.icon.show()

    def _action(self, name: str, text: str) -> QAction:
        action = self.menu.addAction(text)
        action.setObjectName(f"tray-{name}")
        return action

    def close(self) -> None:
        """Gone with the window."""
        self._timer.stop()
        self.icon.hide()

    def text(self) -> str:
        """The tooltip: mode, day P&L, what is open. The lock hides amounts. Most desktops show it
        letter by letter, so nothing in it may need to be escaped (hence no ampersand)."""
        mode = "SANDBOX" if self._bridge.mode is Mode.SANDBOX else "LIVE"
        if self._bridge.lock.locked:
            return f"{TITLE}: locked"
        books = self._bridge.books
        realised, unrealised = books.day_pnl
        flag = " ⚠" if books.not_live or "positions" in books.gaps else ""
        return (
            f"{TITLE}: {mode}\nDay P/L {fmt.signed_money(realised + unrealised)}{flag}\n"
            f"{books.open_count} open, {books.working_count} working"
        )

    def refresh(self) -> None:
        """Follow the books."""
        text = self.text()
        if self.icon.toolTip() != text:
            self.icon.setToolTip(plain_tip(text))

    def _refresh_menu(self) -> None:
        self.actions["mute"].setChecked(self._sounds.muted)

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        kinds = QSystemTrayIcon.ActivationReason
        if reason in (kinds.Trigger, kinds.DoubleClick):
            self.show_wanted.emit()

    def notify(self, level: str, text: str) -> None:
        """Tell it through the desktop, if nobody looks at the window."""
        if not self._bridge.setting("ui.notifications") or self._bridge.lock.locked:
            return
        if QGuiApplication.applicationState() is Qt.ApplicationState.ApplicationActive:
            return
        kinds = QSystemTrayIcon.MessageIcon
        kind = {"error": kinds.Critical, "warning": kinds.Warning}.get(level, kinds.Information)
        self.show_message(TITLE, text, kind, NOTIFY_MS)
