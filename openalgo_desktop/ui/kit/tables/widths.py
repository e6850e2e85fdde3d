"""How wide columns are: by their declaration and samples at the text scale, and wider as soon as
a text comes that would be cut. Never narrower by itself, and never against the user's own width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QHeaderView

from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.tables.columns import Column
from openalgo_desktop.ui.kit.tables.ink import Ink

PADDING = 6  # at either side of a cell, pixels
#: A column grows by itself up to this width at a text scale of 100 per cent, pixels.
WIDEST = 420


class Widths(QObject):
    """Sections of one header."""

    def __init__(self, header: QHeaderView, columns: Sequence[Column[Any]], ink: Ink) -> None:
        super().__init__(header)
        self._header = header
        self._columns = columns
        self._ink = ink
        self._scale = look.px(1000)
        self._wanted: dict[int, int] = {}
        self._by_hand: set[int] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._grow)
        for index in range(len(columns)):
            header.resizeSection(index, self.needed(index))
        header.sectionResized.connect(self._on_resized)

    def needed(self, index: int) -> int:
        """What a column needs for its declared width, its title and its sample."""
        column, ink = self._columns[index], self._ink
        title = ink.header_metrics.horizontalAdvance(column.title)
        sample = ink.metrics.horizontalAdvance(column.sample)
        return max(look.px(column.width), max(title, sample) + 2 * PADDING + 2)

    def want(self, index: int, text_width: int) -> None:
        """A text of this width was cut in a column: make room, after the paint. What the user
        made narrow stays so."""
        width = min(text_width + 2 * PADDING, look.px(WIDEST))
        if index in self._by_hand or width <= self._header.sectionSize(index):
            return
        self._wanted[index] = max(width, self._wanted.get(index, 0))
        if not self._timer.isActive():
            self._timer.start(0)

    def _grow(self) -> None:
        wanted, self._wanted = self._wanted, {}
        for index, width in wanted.items():
            if width > self._header.sectionSize(index) and not self._header.isSectionHidden(index):
                self._header.resizeSection(index, width)

    def reset(self) -> None:
        """All as in a new table."""
        self._by_hand.clear()
        for index in range(len(self._columns)):
            self._header.resizeSection(index, self.needed(index))

    def rescale(self) -> None:
        """The text scale changed: all widths with it."""
        old, self._scale = self._scale, look.px(1000)
        if old == self._scale:
            return
        for index in range(len(self._columns)):
            width = round(self._header.sectionSize(index) * self._scale / old)
            if index not in self._by_hand:
                width = max(width, self.needed(index))
            if not self._header.isSectionHidden(index):
                self._header.resizeSection(index, width)

    def _on_resized(self, index: int, old: int, new: int) -> None:
        if QApplication.mouseButtons() & Qt.MouseButton.LeftButton and new:
            self._by_hand.add(index)
