"""One window's place and layout as JSON values, and back again."""

from __future__ import annotations

import base64
import binascii
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QByteArray, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow, QTabBar, QWidget

from openalgo_desktop.ui.kit.dock import Dock

log = logging.getLogger(__name__)

#: What Qt's state is marked with. It knows docks by name and leaves alone those it does not know,
#: so it stays the same when docks come, go or change their names.
STATE = 3
_MOST_PIXELS = 1_000_000
SCOPE = "workspace"
#: By so much the room of tabs differs from their height at most, pixels.
_TABS_DIFFER = 4
#: Symbols that a command left for the watch list (``hands.state``).
IMPORTED = "imported-watch-list"


def capture(window: QMainWindow, docks: Sequence[Dock]) -> dict[str, Any]:
    """Where the window is and how its docks lie."""
    whole = window.isMaximized() or window.isFullScreen()
    rect = window.normalGeometry() if whole else window.geometry()
    screen = window.screen()
    return {
        "geometry": [rect.x(), rect.y(), rect.width(), rect.height()],
        "maximized": window.isMaximized(),
        "screen": screen.name() if screen is not None else "",
        "state": base64.b64encode(bytes(window.saveState(STATE).data())).decode("ascii"),
        "docks": [dock.name for dock in docks],
        "sizes": {
            dock.name: [dock.width(), dock.height()]
            for dock in docks
            if not dock.isFloating() and not dock.visibleRegion().isEmpty()
        },
    }


def _pixels(stored: object) -> int:
    """A stored number of pixels; raises for what cannot be one."""
    if not isinstance(stored, int) or abs(stored) > _MOST_PIXELS:
        raise ValueError(f"{stored!r:.40} is no place on a screen")
    return stored


def screen_key(window: QMainWindow) -> str:
    """The room on the window's screen: what was arranged on a large one is not spoilt by a day on
    a small one."""
    screen = window.screen()
    area = screen.availableGeometry() if screen is not None else QRect(0, 0, 0, 0)
    return f"{area.width()}x{area.height()}"


def apply(
    window: QMainWindow, saved: Mapping[str, Any], docks: Mapping[str, Dock], move: bool = True
) -> bool:
    """Bring a captured layout back; False when it is damaged. ``docks`` are by the names that the
    layout knows them by, maybe former ones; without ``move`` the window stays where it is."""
    try:
        state = base64.b64decode(str(saved["state"]), validate=True)
        x, y, width, height = (_pixels(number) for number in saved["geometry"])
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error):
        log.warning("the stored layout is damaged; using the default")
        return False
    if move:
        if window.isMaximized():
            window.showNormal()
        window.setGeometry(clamp(QRect(x, y, width, height)))
        if saved.get("maximized") is True:
            window.showMaximized()
    names = {name: dock.objectName() for name, dock in docks.items()}
    for name, dock in docks.items():
        dock.setObjectName(f"dock-{name}")
    accepted = window.restoreState(QByteArray(state), STATE)
    for name, dock in docks.items():
        dock.setObjectName(names[name])
    if not accepted:
        log.warning("the stored layout was not accepted; using the default")
        return False
    # Only its own children: who asks Qt for what it made inside docks keeps a Python half of each.
    for child in window.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
        if child.isWindow() and child.isVisible():
            child.setGeometry(clamp(child.geometry()))
    return True


def settle(window: QMainWindow, saved: Mapping[str, Any], docks: Mapping[str, Dock]) -> None:
    """Give the docks the sizes that they had: Qt's own state gives away the width of a separator
    at each restart. Where the window has another size now, they keep their shares. Qt lays out
    in a later turn, so that once is not enough."""
    sizes = saved.get("sizes")
    if not isinstance(sizes, Mapping):
        return
    known = []
    for name, size in sizes.items():
        with contextlib.suppress(TypeError, ValueError):
            if name in docks and isinstance(size, list):
                width, height = map(_pixels, size)
                known.append((docks[name], (width, height)))
    off = [height - dock.height() for dock, (_, height) in known]
    if not any(off) and all(dock.width() == width for dock, (width, _) in known):
        return
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    bar = max((one.height() for one in bars if one.isVisible()), default=0)
    places = [dock for dock, _ in known]
    widths = [width for _, (width, _) in known]
    # The place of stacked docks has their tabs in it.
    heights = [
        height + (bar if window.tabifiedDockWidgets(dock) else 0) for dock, (_, height) in known
    ]
    # A style may give tabs a pixel more or less than they are high: a pixel at each restart. Where
    # the docks have less room than they had it is not the tabs.
    if not sum(off) and max(map(abs, off)) <= _TABS_DIFFER:
        heights = [height + more for height, more in zip(heights, off, strict=True)]
    window.resizeDocks(places, widths, Qt.Orientation.Horizontal)
    window.resizeDocks(places, heights, Qt.Orientation.Vertical)


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
