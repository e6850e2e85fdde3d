"""The foot of a dock: figures at the left, buttons at the right; the buttons below the figures
where the dock is narrow, so that none is out of sight."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLayout, QPushButton, QSizePolicy, QWidget

#: Left, top, right, bottom; and between the parts, pixels.
MARGINS, SPACING = (10, 5, 6, 5), 6


class Foot(QWidget):
    """Give it the figures and the buttons."""

    def __init__(self, object_name: str, figures: QWidget, buttons: Sequence[QPushButton]) -> None:
        super().__init__()
        self.setObjectName(object_name)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._figures = figures
        self._right = QWidget()
        row = QHBoxLayout(self._right)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        row.addStretch(1)
        for button in buttons:
            row.addWidget(button)
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(*MARGINS)
        self._box.setSpacing(SPACING)
        self._box.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._box.addWidget(figures, 1)
        self._box.addWidget(self._right)

    def _sides(self) -> tuple[QSize, QSize]:
        """What the figures need in one line, and the buttons."""
        return self._figures.sizeHint(), self._right.minimumSizeHint()

    @property
    def _stacked(self) -> bool:
        return self._box.direction() is QBoxLayout.Direction.TopToBottom

    def minimumSizeHint(self) -> QSize:
        left, right = self._figures.minimumSizeHint(), self._right.minimumSizeHint()
        width = max(left.width(), right.width()) + MARGINS[0] + MARGINS[2]
        return QSize(width, self.sizeHint().height())

    def sizeHint(self) -> QSize:
        left, right = self._sides()
        edges = MARGINS[1] + MARGINS[3]
        tall = left.height() + SPACING + right.height()
        height = tall if self._stacked else max(left.height(), right.height())
        return QSize(left.width() + right.width() + SPACING + 16, height + edges)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        left, right = self._sides()
        wide = left.width() + right.width() + SPACING + MARGINS[0] + MARGINS[2]
        way = QBoxLayout.Direction
        direction = way.LeftToRight if wide <= self.width() else way.TopToBottom
        if direction is not self._box.direction():
            self._box.setDirection(direction)
            self.updateGeometry()
