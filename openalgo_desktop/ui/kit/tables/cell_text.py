"""What is written into one cell: the text, and a badge beside a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from openalgo_desktop.ui.kit.tables.columns import Column
from openalgo_desktop.ui.kit.tables.ink import Ink
from openalgo_desktop.ui.kit.tables.store import Cells
from openalgo_desktop.ui.kit.tables.widths import PADDING, Widths

TINT_ALPHA = 36
#: Stands for a badge that has no room.
SIGN = "⚠"


class CellText:
    """Paints texts that were laid out before; one that is too long asks for a wider column."""

    def __init__(self, ink: Ink, columns: Sequence[Column[Any]], widths: Widths) -> None:
        self._ink = ink
        self._columns = columns
        self._widths = widths

    def paint(
        self,
        painter: QPainter,
        cells: Cells,
        index: int,
        room: tuple[int, int],
        baseline: int,
        *,
        selected: bool,
        stale: bool,
    ) -> None:
        """The text of a cell in ``room`` (left edge and width); ``stale`` greys live columns."""
        text = cells.texts[index]
        if not text:
            return
        (x, size), column = room, self._columns[index]
        static, width = self._ink.text(text)
        if badge := cells.badges.get(index):
            self._badge(painter, badge, room, width, baseline)
        if width > size - 2 * PADDING:
            if not column.elides:
                self._widths.want(index, width)
            static, width = self._ink.text(self._ink.elide(text, size - 2 * PADDING))
        tone = cells.tones[index] or ("selection-text" if selected else "text")
        if (stale or cells.stale) and column.live:
            tone = "stale"
        painter.setPen(self._ink.pen(tone))
        left = x + size - PADDING - width if column.numeric else x + PADDING
        if column.centred:
            left = x + (size - width) // 2
        painter.drawStaticText(left, baseline, static)

    def _badge(
        self, painter: QPainter, text: str, cell: tuple[int, int], taken: int, baseline: int
    ) -> None:
        """A chip at the left edge of a number's cell; a sign where the words have no room beside
        the number, which is never cut short for it."""
        left, size = cell
        room = size - taken - 2 * PADDING
        for words in (text, SIGN):
            static, width = self._ink.text(words)
            if width + PADDING > room:
                continue
            tall = self._ink.metrics.height() + 2
            chip = QRect(left + PADDING // 2, baseline - 1, width + PADDING, tall)
            painter.fillRect(chip, self._ink.tint("warning", TINT_ALPHA))
            painter.setPen(self._ink.pen("warning"))
            painter.drawStaticText(chip.left() + PADDING // 2, baseline, static)
            return
