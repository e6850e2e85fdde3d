"""Statistics as captions and numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, set_role

Number = Decimal | float | int
_TEXTS: Mapping[str, Callable[[float], str]] = {
    "profit": fmt.signed_money,
    "money": fmt.money,
    "percent": fmt.signed_percent,
    "share": fmt.percent,
    "ratio": lambda value: fmt.price(value, 2),
    "count": fmt.quantity,
    "time": fmt.duration,
}
#: Kinds that are coloured by their sign.
_SIGNED = ("profit", "percent")


class Figure(NamedTuple):
    """``kind`` says how the number is shown: profit, money, percent (signed), share (per cent),
    ratio, count, time (seconds)."""

    key: str
    caption: str
    kind: str
    tip: str = ""


def figure_text(value: Number | None, kind: str) -> tuple[str, str]:
    """Text and tone of a figure; a dash where it cannot be known."""
    if value is None:
        return fmt.MISSING, ""
    number = float(value)
    text = _TEXTS[kind](number)
    signed = kind in _SIGNED and text.startswith(("+", "-"))
    return text, fmt.sign_role(number) if signed else ""


class FigureGrid(QWidget):
    """Figures under each other, in ``columns`` columns."""

    def __init__(self, name: str, title: str, figures: Sequence[Figure], columns: int = 1) -> None:
        super().__init__()
        named(self, f"{name}-figures", title)
        self._figures = figures
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 8, 18, 8)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(3)
        self.values: dict[str, QLabel] = {}
        rows = -(-len(figures) // columns)
        # Numbers come after the layout was made: room for them from the start.
        room = self.fontMetrics().horizontalAdvance("-1,00,00,000.00")
        for index, figure in enumerate(figures):
            row, column = index % rows, 2 * (index // rows)
            caption = label(figure.caption, f"{name}-{figure.key}-caption", "caption")
            value = label(fmt.MISSING, f"{name}-{figure.key}", "footer")
            value.setAccessibleName(figure.caption)
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            for part in (caption, value):
                if figure.tip:
                    part.setToolTip(plain_tip(figure.tip))
            grid.addWidget(caption, row, column)
            grid.addWidget(value, row, column + 1)
            grid.setColumnMinimumWidth(column + 1, room)
            self.values[figure.key] = value
        grid.setRowStretch(rows, 1)
        grid.setColumnStretch(2 * columns, 1)

    def show_values(self, values: Mapping[str, Number | None]) -> None:
        """Show these, by key."""
        for figure in self._figures:
            text, tone = figure_text(values[figure.key], figure.kind)
            self.values[figure.key].setText(text)
            set_role(self.values[figure.key], tone, "tone")
