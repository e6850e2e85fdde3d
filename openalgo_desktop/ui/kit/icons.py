"""Our own symbols: line drawings in ``resources/icons/line``, in the colour of a role.

``put`` gives a button or an action its symbol; a change of theme, text scale or screen draws it
again. Painted widgets take :func:`pixmap`. Drawn once per name, colour and size.
"""

from __future__ import annotations

import weakref
from functools import cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton

from openalgo_desktop.config.resources import resource_path, resource_text
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit import look, theme

FOLDER = "icons/line"
#: Side of a symbol at a text scale of 100 per cent, pixels.
SIDE = 16
CACHE = 2_000
Target = QAbstractButton | QAction

_pixmaps: dict[tuple[str, str, int, float], QPixmap] = {}
_dressed: weakref.WeakKeyDictionary[Target, tuple[str, str, int]] = weakref.WeakKeyDictionary()


@cache
def names() -> frozenset[str]:
    """All symbols there are."""
    return frozenset(path.stem for path in resource_path(FOLDER).glob("*.svg"))


@cache
def _drawing(name: str) -> str:
    if name not in names():
        raise ConfigError(f"There is no symbol {name!r}.")
    return resource_text(f"{FOLDER}/{name}.svg")


def drawn(name: str, colour: QColor, side: int, ratio: float) -> QPixmap:
    """A symbol of ``side`` pixels of the window on a screen with ``ratio`` of its own to one."""
    key = (name, colour.name(), side, ratio)
    known = _pixmaps.get(key)
    if known is None:
        if len(_pixmaps) >= CACHE:
            _pixmaps.clear()
        real = max(1, round(side * ratio))
        known = QPixmap(QSize(real, real))
        known.fill(Qt.GlobalColor.transparent)
        svg = _drawing(name).replace("currentColor", colour.name())
        painter = QPainter(known)
        QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, real, real))
        painter.end()
        known.setDevicePixelRatio(ratio)
        _pixmaps[key] = known
    return known


def pixmap(name: str, role: str = "text", side: int = SIDE, ratio: float = 1.0) -> QPixmap:
    """A symbol for a painted widget, which says its own ``devicePixelRatioF``."""
    return drawn(name, theme.current().color(role), look.px(side), ratio)


def icon(name: str, role: str = "text", side: int = SIDE) -> QIcon:
    """A symbol, sharp on every screen that is there now, and grey where it is off."""
    ratios = {screen.devicePixelRatio() for screen in QGuiApplication.screens()} | {1.0}
    result = QIcon()
    for mode, shade in ((QIcon.Mode.Normal, role), (QIcon.Mode.Disabled, "disabled")):
        for ratio in sorted(ratios):
            result.addPixmap(pixmap(name, shade, side, ratio), mode)
    return result


def put(target: Target, name: str, role: str = "muted", side: int = SIDE) -> None:
    """Give a button or an action this symbol, from now on in the colours in force."""
    _drawing(name)  # an unknown name is told at once
    _dressed[target] = (name, role, side)
    _dress(target, name, role, side)


def _dress(target: Target, name: str, role: str, side: int) -> None:
    target.setIcon(icon(name, role, side))
    if isinstance(target, QAbstractButton):
        target.setIconSize(QSize(look.px(side), look.px(side)))


def refresh() -> None:
    """Draw all symbols that somebody shows again."""
    for target, (name, role, side) in list(_dressed.items()):
        try:
            _dress(target, name, role, side)
        except RuntimeError:  # Qt has deleted it; Python hears of it later
            _dressed.pop(target, None)
