"""Shuts the window: a cover over everything and a password question that cannot be left."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QWindow
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget
from shiboken6 import isValid

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.widgets import label
from openalgo_desktop.ui.rooms.safety.app_lock import PasswordDialog
from openalgo_desktop.ui.shell.emergency import EmergencyPanel

TEXT = "The window is locked. Orders that work go on working, and scripts go on trading."
#: A hand on the program.
_ACTIVITY = frozenset(
    {QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel, QEvent.Type.MouseMove}
)
#: Windows that end with the lock.
_PASSING = frozenset({Qt.WindowType.Popup, Qt.WindowType.ToolTip})


class LockScreen(QObject):
    """Follows the lock; :meth:`start` once the window is shown."""

    def __init__(self, window: QMainWindow, bridge: Bridge) -> None:
        super().__init__(window)
        self._window, self._bridge = window, bridge
        self._hidden: list[QWidget] = []
        self.cover = _Cover(window)
        self.dialog: PasswordDialog | None = None
        self.emergency: EmergencyPanel | None = None
        bridge.lock.changed.connect(self._on_changed)
        bridge.closing.connect(self._leave)

    def start(self) -> None:
        """Watch for activity, and lock when the program is locked already.

        Native windows are watched, not every widget: a filter on the application would cost a
        call for each event of the program.
        """
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusWindowChanged.connect(self._watch)
        self._watch(self._window.windowHandle())
        self._window.installEventFilter(self)
        if self._bridge.lock.locked:
            self._on_changed(True)

    def _watch(self, window: QWindow | None) -> None:
        if window is not None:
            window.installEventFilter(self)

    def _leave(self) -> None:
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusWindowChanged.disconnect(self._watch)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _ACTIVITY:
            self._bridge.lock.touch()
            self._bridge.arm.touch()
        elif event.type() == QEvent.Type.Resize and watched is self._window:
            self.cover.setGeometry(self._window.rect())
        return False

    def _on_changed(self, locked: bool) -> None:
        if locked and self.dialog is None:
            self._bridge.spawn(self._locked(), "locked")
        elif not locked and self.dialog is not None:
            self.dialog.accept()

    async def _locked(self) -> None:
        """Until the right answer comes."""
        self._cover_up()
        self.dialog = PasswordDialog(
            self._window, self._bridge, TEXT, self._bridge.lock.unlock, must=True
        )
        self.emergency = EmergencyPanel(self._bridge, self.dialog)
        self.dialog.add_below(self.emergency)
        try:
            await ask(self.dialog, lends_keys=False)
        finally:
            self.dialog = self.emergency = None
            self._uncover()

    def bring(self, window: QWidget) -> None:
        """Show another window of the program: now, or when it is not locked any more. Nothing else
        may be seen or used until then, wherever it is called from (the tray)."""
        if not self._bridge.lock.locked:
            window.show()
            window.raise_()
        elif window not in self._hidden:
            self._hidden.append(window)

    def _cover_up(self) -> None:
        """Other windows come back with the password; menus do not: what they offer is of the
        prices and orders of before."""
        for widget in QApplication.topLevelWidgets():
            if widget.windowType() in _PASSING and widget.isVisible():
                widget.close()
        self._hidden += [
            widget
            for widget in QApplication.topLevelWidgets()
            if widget.isVisible() and widget is not self._window and widget not in self._hidden
        ]
        for widget in self._hidden:
            widget.hide()
        self.cover.setGeometry(self._window.rect())
        self.cover.raise_()
        self.cover.show()

    def _uncover(self) -> None:
        self.cover.hide()
        for widget in self._hidden:
            if isValid(widget):
                widget.show()
        self._hidden.clear()


class _Cover(QWidget):
    """An opaque sheet over the whole window, menus included."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self.setObjectName("lock-cover")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAutoFillBackground(True)
        column = QVBoxLayout(self)
        text = label("Locked", "lock-cover-text", "muted")
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(text)
        self.hide()
