"""A row of controls above a table that goes on in the next line where the panel is narrow, so that
none of them is out of sight."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from openalgo_desktop.ui.kit.widgets import named

#: Left, top, right, bottom; and between the parts, pixels.
MARGINS, SPACING = (6, 4, 6, 4), 6


class ToolRow(QWidget):
    """``left`` from the left, ``right`` at the right edge, in reading order. ``wide`` is the one of
    them that takes the room that is left in its line."""

    def __init__(
        self,
        object_name: str,
        left: Sequence[QWidget],
        right: Sequence[QWidget] = (),
        wide: QWidget | None = None,
    ) -> None:
        super().__init__()
        named(self, object_name, "Tools")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._parts = [*left, *right]
        self._right = set(right)
        self._wide = wide
        self._tall = 0
        for part in self._parts:
            part.setParent(self)

    def _needs(self, part: QWidget) -> int:
        """Width of a part, pixels; the one that takes what is left needs little."""
        if part is self._wide:
            return max(part.minimumWidth(), part.minimumSizeHint().width())
        return max(part.minimumWidth(), part.sizeHint().width())

    def _lines(self, width: int) -> list[list[QWidget]]:
        """What stands in each line."""
        room = width - MARGINS[0] - MARGINS[2]
        lines: list[list[QWidget]] = [[]]
        used = -SPACING
        for part in (part for part in self._parts if not part.isHidden()):
            needed = self._needs(part) + SPACING
            if lines[-1] and used + needed > room:
                lines.append([])
                used = -SPACING
            lines[-1].append(part)
            used += needed
        return lines

    @staticmethod
    def _height(line: Sequence[QWidget]) -> int:
        return max((part.sizeHint().height() for part in line), default=0)

    def sizeHint(self) -> QSize:
        lines = self._lines(self.width())
        edges = MARGINS[1] + MARGINS[3] + SPACING * (len(lines) - 1)
        whole = sum(part.sizeHint().width() + SPACING for part in self._parts)
        return QSize(whole + MARGINS[0] + MARGINS[2], edges + sum(map(self._height, lines)))

    def minimumSizeHint(self) -> QSize:
        widest = max((part.minimumSizeHint().width() for part in self._parts), default=0)
        return QSize(widest + MARGINS[0] + MARGINS[2], self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:  # a part wants another size, or went
            self._place()
            self.updateGeometry()
        return super().event(event)

    def _place(self) -> None:
        top = MARGINS[1]
        for line in self._lines(self.width()):
            height, x = self._height(line), MARGINS[0]
            needed = sum(self._needs(part) + SPACING for part in line) - SPACING
            spare = max(0, self.width() - MARGINS[0] - MARGINS[2] - needed)
            for part in line:
                width = min(self._needs(part), self.width() - MARGINS[0] - MARGINS[2])
                if part is self._wide:
                    width, spare = width + spare, 0
                elif part in self._right:
                    x, spare = x + spare, 0
                part.setGeometry(QRect(x, top, width, height))
                x += width + SPACING
            top += height + SPACING
        if self._tall != self.sizeHint().height():
            self._tall = self.sizeHint().height()
            self.updateGeometry()
