"""What tables paint with: fonts, pens and laid-out texts of the theme and look in force."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPen, QStaticText, QTransform

from openalgo_desktop.ui.kit import fonts, look, theme

TEXT_CACHE = 20_000
#: Room above and below the text of a row and of a header, pixels.
ROW_ROOM, HEADER_ROOM = 6, 8
HEADER_PIXELS = 11  # as the style sheet has it

Text = tuple[QStaticText, int]  # laid out, and its width in pixels


class Ink:
    """Caches of one table; :meth:`renew` when theme or look changed."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Take fonts, sizes and colours in force."""
        self.font = fonts.table_font()
        self.metrics = QFontMetrics(self.font)
        self.header_metrics = QFontMetrics(fonts.text_font(HEADER_PIXELS, QFont.Weight.Medium))
        sizes = look.density()
        self.row_height = max(sizes.row, self.metrics.height() + ROW_ROOM)
        self.header_height = max(sizes.header, self.header_metrics.height() + HEADER_ROOM)
        self._texts: OrderedDict[str, Text] = OrderedDict()
        self._elided: dict[tuple[str, int], str] = {}
        self._pens: dict[str, QPen] = {}

    def text(self, text: str) -> Text:
        """A text laid out once."""
        known = self._texts.get(text)
        if known is None:
            if len(self._texts) >= TEXT_CACHE:
                # One for one: dropping them all together would hold the loop for 60 ms.
                self._texts.popitem(last=False)
            static = QStaticText(text)
            static.setTextFormat(Qt.TextFormat.PlainText)
            static.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
            static.prepare(QTransform(), self.font)
            known = self._texts[text] = (static, round(static.size().width()))
        return known

    def elide(self, text: str, width: int) -> str:
        """As much of a text as fits."""
        key = (text, width)
        known = self._elided.get(key)
        if known is None:
            if len(self._elided) >= TEXT_CACHE:
                self._elided.clear()
            known = self.metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, width))
            self._elided[key] = known
        return known

    def pen(self, role: str) -> QPen:
        """A pen in the colour of a role."""
        pen = self._pens.get(role)
        if pen is None:
            pen = self._pens[role] = QPen(theme.current().color(role))
        return pen

    def colour(self, role: str) -> QColor:
        """The colour of a role."""
        return self.pen(role).color()

    def tint(self, role: str, alpha: int) -> QColor:
        """The colour of a role, see-through."""
        colour = self.colour(role)
        colour.setAlpha(alpha)
        return colour
