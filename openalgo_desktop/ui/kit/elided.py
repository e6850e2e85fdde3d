"""One line of text that gives way: cut in the middle where it has no room, whole in the tooltip."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from openalgo_desktop.ui.kit import fonts, theme
from openalgo_desktop.ui.kit.widgets import plain_tip


class ElidedText(QWidget):
    """Takes the room that is left. The middle goes first: an instrument is told by its beginning
    and its end."""

    said = Signal()  # another text is shown

    def __init__(self, object_name: str, role: str = "muted", pixels: int = 12) -> None:
        super().__init__()
        self.setObjectName(object_name)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._text = ""
        self._tip = ""
        self._role = role
        self._pixels = pixels
        self._measure()

    def _measure(self) -> None:
        self._font = fonts.text_font(self._pixels)
        self._metrics = QFontMetrics(self._font)
        self.updateGeometry()
        self._show_tip()

    def text(self) -> str:
        """All of it."""
        return self._text

    def show_text(self, text: str, tip: str = "") -> None:
        """Show another text; ``tip`` is for hovering over it."""
        if (text, tip) == (self._text, self._tip):
            return
        self._text, self._tip = text, tip
        self.setAccessibleName(text)
        self._show_tip()
        self.updateGeometry()
        self.update()
        self.said.emit()

    def shown(self) -> str:
        """What of it fits. A second part, after two spaces, goes as a whole before the first is
        cut."""
        mode, room, text = Qt.TextElideMode.ElideMiddle, max(0, self.width()), self._text
        if self._metrics.horizontalAdvance(text) > room:
            text = text.rpartition("  ")[0].rstrip() or text
        return self._metrics.elidedText(text, mode, room)

    def _show_tip(self) -> None:
        cut = self._text if self.shown() != self._text else ""
        self.setToolTip(plain_tip("\n".join(filter(None, (cut, self._tip)))))

    def sizeHint(self) -> QSize:
        return QSize(self._metrics.horizontalAdvance(self._text), self._metrics.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self._metrics.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_tip()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.StyleChange:
            self._measure()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._font)
        painter.setPen(theme.current().color(self._role))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), flags, self.shown())
        painter.end()
