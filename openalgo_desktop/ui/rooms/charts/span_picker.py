"""The intervals of a chart: favourites as buttons, all others in a menu."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.widgets import named, plain_tip
from openalgo_desktop.ui.rooms.charts.interval_words import EXAMPLES
from openalgo_desktop.ui.rooms.charts.interval_words import named as in_words

#: Buttons of the row.
FAVOURITES = ("1m", "3m", "5m", "15m", "30m", "1h", "D", "W")
#: Intervals of the menu beside those of the API: made here of shorter bars.
MADE = ("7m", "45m", "75m", "125m", "6h", "2D", "3D")
_NONE = "…"
SPACING = 2


class SpanPicker(QWidget):
    """``changed`` carries the text of the chosen span."""

    changed = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        named(self, f"{name}-interval-row", "Intervals")
        self._span = Span.parse("5m")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        self.row = Segments(f"{name}-interval", "Interval", (*FAVOURITES, _NONE), compact=True)
        self.row.choose(self._span.text)
        self.row.button(_NONE).hide()
        self.row.changed.connect(self._on_button)
        self.more = named(QToolButton(), f"{name}-interval-more", "More intervals")
        self.more.setText("▾")
        self.more.setProperty("role", "dock-button")
        self.more.setAutoRaise(True)
        self.more.setToolTip("All intervals; any other can be typed over the chart: 7, 45S, 3D")
        self.more.clicked.connect(self._show_all)
        self.now = named(QToolButton(), f"{name}-interval-now", "Interval")
        self.now.setProperty("role", "dock-button")
        self.now.setAutoRaise(True)
        self.now.setToolTip(plain_tip(self.more.toolTip()))
        self.now.clicked.connect(self._show_all)
        self.now.hide()
        row.addWidget(self.row)
        row.addWidget(self.more)
        row.addWidget(self.now)
        self._show()

    def width_of(self, whole: bool) -> int:
        """Pixels that it takes: with the ``whole`` row, or as one button."""
        parts = (self.row, self.more) if whole else (self.now,)
        return sum(part.sizeHint().width() for part in parts) + SPACING * (len(parts) - 1)

    def show_row(self, whole: bool) -> None:
        """Show the row of favourites, or one button with all of them."""
        self.row.setVisible(whole)
        self.more.setVisible(whole)
        self.now.setVisible(not whole)

    @property
    def span(self) -> Span:
        """What is chosen."""
        return self._span

    def value(self) -> str:
        """Its text."""
        return self._span.text

    def choose(self, text: str) -> None:
        """Choose in code; ``changed`` is emitted when it is a change. Raises :class:`DataError`
        for what is no interval."""
        span = Span.parse(text)
        if span == self._span:
            return
        self._span = span
        self._show()
        self.changed.emit(span.text)

    def _show(self) -> None:
        """Mark the favourite, or show the other one in the button behind them."""
        other = self.row.button(_NONE)
        favourite = self._span.text in FAVOURITES
        other.setText(self._span.text if not favourite else _NONE)
        other.setVisible(not favourite)
        self.row.button(self._span.text if favourite else _NONE).setChecked(True)
        self.row.updateGeometry()
        self.now.setText(f"{self._span.text} ▾")
        self.now.setAccessibleName(f"Interval {in_words(self._span)}")

    def _on_button(self, text: str) -> None:
        if text != _NONE:
            self.choose(text)

    def _show_all(self) -> None:
        menu = named(QMenu(self), f"{self.objectName()}-menu", "Intervals")
        menu.aboutToHide.connect(menu.deleteLater)
        known = [interval.value for interval in Interval]
        for text in sorted({*known, *MADE}, key=_length):
            span = Span.parse(text)
            action = menu.addAction(in_words(span))
            action.setCheckable(True)
            action.setChecked(span == self._span)
            action.triggered.connect(partial(self._chosen, text))
        menu.addSeparator()
        menu.addAction(f"Others: type {', '.join(EXAMPLES[:3])} over the chart").setEnabled(False)
        under = self.more if self.now.isHidden() else self.now
        menu.popup(under.mapToGlobal(under.rect().bottomLeft()))

    def _chosen(self, text: str, _checked: bool = False) -> None:
        self.choose(text)


def _length(text: str) -> tuple[int, str, int]:
    span = Span.parse(text)
    return (span.seconds or 10**6, "DWMQY"[: "smhDWMQY".find(span.unit.value) - 2], span.count)
