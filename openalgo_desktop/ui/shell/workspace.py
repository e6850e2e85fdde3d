"""Where windows and docks are: kept in the terminal's state, brought back at the next start."""

from __future__ import annotations

import base64
import binascii
import logging
from typing import Any

from PySide6.QtCore import QByteArray, QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow, QWidget

log = logging.getLogger(__name__)

#: Raised when docks come, go or change their names: older layouts are not applied then.
VERSION = 3
SCOPE = "workspace"
LAST = "last"
#: Symbols that a command left for the watch list (``hands.state``).
IMPORTED = "imported-watch-list"


def capture(window: QMainWindow) -> dict[str, Any]:
    """The layout as JSON values."""
    rect = window.normalGeometry() if window.isMaximized() else window.geometry()
    screen = window.screen()
    return {
        "version": VERSION,
        "geometry": [rect.x(), rect.y(), rect.width(), rect.height()],
        "maximized": window.isMaximized(),
        "screen": screen.name() if screen is not None else "",
        "state": base64.b64encode(bytes(window.saveState(VERSION).data())).decode("ascii"),
    }


def apply(window: QMainWindow, saved: Any) -> bool:
    """Bring a captured layout back; False when it does not fit this version."""
    if not isinstance(saved, dict) or saved.get("version") != VERSION:
        return False
    try:
        state = base64.b64decode(str(saved["state"]), validate=True)
        x, y, width, height = (int(number) for number in saved["geometry"])
    except (KeyError, TypeError, ValueError, binascii.Error):
        log.warning("the stored layout is damaged; using the default")
        return False
    window.setGeometry(clamp(QRect(x, y, width, height)))
    if not window.restoreState(QByteArray(state), VERSION):
        log.warning("the stored layout was not accepted; using the default")
        return False
    if saved.get("maximized"):
        window.showMaximized()
    for child in window.findChildren(QWidget):
        if child.isWindow() and child.isVisible() and child.parent() is window:
            child.setGeometry(clamp(child.geometry()))
    return True


def first_place(window: QMainWindow) -> None:
    """Where a window without a past goes: all of the screen that is free."""
    screen = window.screen()
    if screen is not None and not window.isMaximized():
        window.setGeometry(screen.availableGeometry())
        window.showMaximized()


def clamp(rect: QRect) -> QRect:
    """``rect`` moved and shrunk so that it can be seen on a screen that is there now."""
    screens = QGuiApplication.screens()
    areas = [screen.availableGeometry() for screen in screens]
    best = max(
        areas,
        key=lambda area: area.intersected(rect).width() * area.intersected(rect).height(),
    )
    width = min(max(rect.width(), 320), best.width())
    height = min(max(rect.height(), 200), best.height())
    x = min(max(rect.x(), best.left()), best.right() + 1 - width)
    y = min(max(rect.y(), best.top()), best.bottom() + 1 - height)
    return QRect(x, y, width, height)
