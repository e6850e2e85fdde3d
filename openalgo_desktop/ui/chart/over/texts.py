"""Short texts that are drawn many times a second: laid out once."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QStaticText, QTransform

from openalgo_desktop.ui.kit import fonts, theme

#: Texts kept; when there are more, all are forgotten.
MOST = 512
#: All digits are equally wide.
_DIGITS = str.maketrans("123456789", "000000000")


class Texts:
    """Draws in the font of tables. A text that comes a second time is kept laid out: that takes a
    quarter of the time. Colours of roles are kept, too."""

    def __init__(self) -> None:
        self.restyle()

    def restyle(self) -> None:
        """Take the font and the colours in force."""
        self.font = fonts.table_font()
        self.metrics = QFontMetrics(self.font)
        self.height = self.metrics.height()
        self._ascent = self.metrics.ascent()
        self._kept: dict[str, QStaticText | None] = {}
        self._widths: dict[str, int] = {}
        self._colours: dict[str, QColor] = {}

    def colour(self, role: str) -> QColor:
        """A colour of the theme, or of ``#rrggbb``; not to be changed."""
        found = self._colours.get(role)
        if found is None:
            found = QColor(role) if role.startswith("#") else theme.current().color(role)
            self._colours[role] = found
        return found

    def width(self, text: str) -> int:
        """Pixels of a text."""
        key = text.translate(_DIGITS)
        found = self._widths.get(key)
        if found is None:
            if len(self._widths) >= MOST:
                self._widths.clear()
            found = self._widths[key] = self.metrics.horizontalAdvance(key)
        return found

    def elided(self, text: str, width: int) -> str:
        """The text, or as much of it as has room."""
        if self.width(text) <= width:
            return text
        return self.metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)

    def draw(self, painter: QPainter, left: float, middle: float, text: str) -> None:
        """Write with the pen of the painter; ``middle`` is that of the line, up and down."""
        top = round(middle - self.height / 2.0)
        kept = self._kept.get(text, self)
        if kept is self:  # the first time
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[text] = None
        if not isinstance(kept, QStaticText):
            if kept is None:
                self._kept[text] = laid = QStaticText(text)
                laid.setTextFormat(Qt.TextFormat.PlainText)
                laid.prepare(QTransform(), self.font)
            painter.drawText(round(left), top + self._ascent, text)
            return
        painter.drawStaticText(round(left), top, kept)
