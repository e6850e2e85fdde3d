"""A button that acts only after it was held down for a second."""

from __future__ import annotations

import time

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton

from openalgo_desktop.ui.kit import theme

HOLD_SECONDS = 1.0
TICK_MS = 25
#: A key that repeats is taken as released when nothing came for this long, seconds. The first
#: repeat comes late on all platforms.
KEY_GAP = 0.8
#: X11 tells a key that is held as releases and presses; a release counts after this, seconds.
SETTLED = 0.1


class HoldButton(QPushButton):
    """``held`` is emitted once per hold; a bar shows how far it is. Releasing early does nothing.

    The space key works like the mouse. A shortcut calls :meth:`key_pulse` on each repeat.
    """

    held = Signal()

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._since: float | None = None
        self._by_mouse = False
        self._let_go: float | None = None  # the space key, perhaps
        self._pulse = 0.0  # last repeat of a held shortcut; 0 when a mouse or space holds
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)

    # -- holding ----------------------------------------------------------------------------
    def _begin(self) -> None:
        if self._since is None and self.isEnabled():
            self._since = time.monotonic()
            self._timer.start()
            self.setDown(True)

    def _end(self) -> None:
        self._since = self._let_go = None
        self._pulse, self._by_mouse = 0.0, False
        self._timer.stop()
        self.setDown(False)
        self.update()

    def _tick(self) -> None:
        now = time.monotonic()
        let_go = self._let_go is not None and now - self._let_go > SETTLED
        if self._since is None or let_go or (self._pulse and now - self._pulse > KEY_GAP):
            self._end()
            return
        # A held shortcut must still repeat at the end: a key pressed once is no hold.
        if self._let_go is not None:
            return
        if now - self._since >= HOLD_SECONDS and (not self._pulse or self._pulse > self._since):
            self._end()
            self.held.emit()
            return
        self.update()

    def key_pulse(self) -> None:
        """The shortcut fired: first press or a repeat."""
        self._begin()
        self._pulse = time.monotonic()

    @property
    def holding(self) -> bool:
        """Whether it is held now."""
        return self._since is not None

    @property
    def progress(self) -> float:
        """0 to 1."""
        if self._since is None:
            return 0.0
        return min(1.0, (time.monotonic() - self._since) / HOLD_SECONDS)

    # -- events -----------------------------------------------------------------------------
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._begin()
            self._by_mouse = self._since is not None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self.rect().contains(event.position().toPoint()):
            self._end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self._let_go = None
            self._begin()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._let_go = time.monotonic()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        # A finger on the mouse says enough: something that opens meanwhile ends no hold.
        if not self._pulse and not self._by_mouse:
            self._end()
        super().focusOutEvent(event)
        self.setDown(self.holding)  # Qt lets go of it

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._since is None:
            return
        painter = QPainter(self)
        bar = QRectF(2, self.height() - 5, (self.width() - 4) * self.progress, 3)
        painter.fillRect(bar, theme.current().color("focus"))
        painter.end()
