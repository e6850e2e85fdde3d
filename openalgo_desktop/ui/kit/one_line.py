"""Controls in one line that gives way: the last parts are hidden where there is no room, so that
the line never makes its dock wider than its place."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QSizePolicy, QWidget

MARGINS, SPACING = (8, 4, 8, 4), 10


class OneLine(QWidget):
    """``kept`` stay, as wide as they are; each of ``extra`` is shown where it fits. A part may
    hide itself as well: put it into a widget that stays."""

    def __init__(self, object_name: str, kept: QWidget, extra: Sequence[QWidget]) -> None:
        super().__init__()
        self.setObjectName(object_name)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._kept = kept
        self._extra = tuple(extra)
        row = QHBoxLayout(self)
        row.setContentsMargins(*MARGINS)
        row.setSpacing(SPACING)
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        row.addWidget(kept)
        for part in extra:
            row.addWidget(part)
        row.addStretch(1)

    def minimumSizeHint(self) -> QSize:
        edges = MARGINS[0] + MARGINS[2]
        return QSize(self._kept.minimumSizeHint().width() + edges, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Show what has room; call it when a part became wider."""
        left = self.width() - MARGINS[0] - MARGINS[2] - self._kept.sizeHint().width()
        for part in self._extra:
            left -= part.sizeHint().width() + SPACING
            part.setVisible(left >= 0)
