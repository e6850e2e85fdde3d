"""What a chart says where there is nothing to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.ui.kit.widgets import label

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell

EMPTY = "Pick a symbol to see its chart,\nor drop one here; a click and Ctrl+K find one"


class EmptyWords:
    """The text in place of the view."""

    def __init__(self, cell: ChartCell) -> None:
        self._cell = cell
        self.label = label(EMPTY, f"{cell.name}-empty", "empty")
        self.label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.label.setWordWrap(True)

    def show(self, empty: bool, text: str = "") -> None:
        """Swap chart and empty text."""
        if text:
            self.label.setText(text)
        self.label.setVisible(empty)
        self._cell.view.setVisible(not empty)

    def show_loaded(self, span: Span, *, bars: bool) -> None:
        """A history is here: with ``bars``, else say why there are none."""
        history = self._cell.history
        self.show(not bars, history.message.text() if history.failed else self._no_bars(span))

    def _no_bars(self, span: Span) -> str:
        """Who has none, and what may have."""
        cell = self._cell
        without = cell.data.without
        if without:
            names = ", ".join(cell.bridge.name(key) for key in without)
            return f"No bars of {names} for {span.text}: {cell.subject_text} has none."
        source = cell.bridge.account_status().title or "the account that gives prices"
        other = "another symbol" if span.text == "D" else "D"
        name = cell.subject_text or "this"
        return f"No bars of {name} for {span.text} from {source}.\nTry {other}."
