"""The shipped fonts: Inter for text and numbers, JetBrains Mono for logs and code."""

from __future__ import annotations

import logging
from functools import cache

from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication

from openalgo_desktop.config.resources import resource_path
from openalgo_desktop.ui.kit import look

log = logging.getLogger(__name__)

SANS = "Inter"
MONO = "JetBrains Mono"
FILES = (
    "Inter-Regular.ttf",
    "Inter-Medium.ttf",
    "Inter-SemiBold.ttf",
    "JetBrainsMono-Regular.ttf",
)
#: Pixels rather than points: the same density on all platforms, scaled by the screen's ratio
#: and, where a font is made, by the text scale.
TEXT_PIXELS = 13
TABLE_PIXELS = 12


@cache
def _load() -> None:
    for name in FILES:
        if QFontDatabase.addApplicationFont(str(resource_path(f"fonts/{name}"))) < 0:
            log.warning("font %s cannot be loaded; the system font is used", name)


def _font(family: str, pixels: int, weight: QFont.Weight) -> QFont:
    font = QFont()
    # A sign that one lacks the other has: no font of the platform (or an emoji) steps in.
    font.setFamilies([family, MONO if family == SANS else SANS])
    font.setPixelSize(look.px(pixels))
    font.setWeight(weight)
    # All digits are equally wide, so that prices do not jitter.
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def text_font(pixels: int = TEXT_PIXELS, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The font of the window, with tabular figures."""
    return _font(SANS, pixels, weight)


def table_font(weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The font of table cells and chart axes, with tabular figures."""
    return _font(SANS, TABLE_PIXELS, weight)


def mono_font(pixels: int = TABLE_PIXELS) -> QFont:
    """The font of log lines and identifiers."""
    return _font(MONO, pixels, QFont.Weight.Normal)


def install(app: QApplication) -> None:
    """Load the shipped fonts and make Inter the font of the program."""
    _load()
    font = text_font()
    if app.font() != font:
        app.setFont(font)
