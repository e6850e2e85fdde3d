"""The line over a chart: whose it is, interval, tools, sides, quote, what is being loaded.

It gives way step by step, so that a chart among sixteen has a whole head, too: the price first,
then the row of intervals (one button has them all), then tools (the dots have them all), then the
sides. What sends never moves because of a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QSizePolicy, QWidget

from openalgo_desktop.ui.kit import look, theme
from openalgo_desktop.ui.kit.elided import ElidedText
from openalgo_desktop.ui.kit.names import contract_tip
from openalgo_desktop.ui.kit.widgets import named
from openalgo_desktop.ui.rooms.charts.tools import Shown

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell

EDGE, SPACING, GAP = 8, 10, 4
#: A chart lower than this has no room around its head, pixels at a text scale of 100 per cent.
LOW = 240
#: The name of the symbol takes so much at most, and is given so much at least; the same scale.
SUBJECT, LEAST_SUBJECT = 150, 36
#: A message has so much room, else the price makes place for it.
MESSAGE = 70
#: Width of the line that marks the active chart, pixels.
MARK = 2


class Step(NamedTuple):
    """What is shown of it."""

    row: bool  # favourite intervals, else one button
    tools: Shown
    sides: bool
    quote: bool


#: From the widest head to the narrowest.
STEPS = (
    Step(True, Shown.ALL, True, True),
    Step(True, Shown.ALL, True, False),
    Step(False, Shown.ALL, True, True),
    Step(False, Shown.ALL, True, False),
    Step(False, Shown.MORE, True, False),
    Step(False, Shown.ALL, False, False),
    Step(False, Shown.MORE, False, False),
)


class ChartHead(QWidget):
    """One of a chart. The parts are the chart's own."""

    def __init__(self, cell: ChartCell) -> None:
        super().__init__()
        named(self, f"{cell.name}-bar", "Head of the chart")
        self._cell = cell
        self._active = False
        self.subject = ElidedText(f"{cell.name}-symbol", "text", 13)
        self.subject.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.subject.hide()
        self._row = row = QHBoxLayout(self)
        row.setSpacing(SPACING)
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        for part in (self.subject, cell.interval, cell.tools, cell.sides, cell.quote):
            row.addWidget(part)
        row.addWidget(cell.history.message, 1)
        row.addWidget(cell.history.retry)
        cell.history.message.said.connect(self.fit)
        cell.subject_changed.connect(self._show_subject)

    # -- which chart it is ------------------------------------------------------------------
    def show_place(self, *, several: bool, active: bool) -> None:
        """Whether it is one of several charts of the dock, and the one that keys mean."""
        self.subject.setVisible(several)
        self._active = several and active
        self._show_subject()
        self.update()

    @contextmanager
    def for_a_picture(self) -> Iterator[None]:
        """With the name of what the chart shows, which else the title of the dock may say."""
        hidden = self.subject.isHidden()
        self.subject.show()
        self._show_subject()
        self._row.activate()
        try:
            yield
        finally:
            self.subject.setVisible(not hidden)
            self.fit()

    def _show_subject(self) -> None:
        cell = self._cell
        text = cell.subject_text
        self.subject.show_text(text, contract_tip(cell.key) if cell.key is not None else "")
        self.subject.setFixedWidth(min(self.subject.sizeHint().width() + 1, look.px(SUBJECT)))
        words = "Chart" if not text else f"Chart of {text}"
        cell.setAccessibleName(f"{words}, the active one" if self._active else words)
        self.fit()

    # -- room -------------------------------------------------------------------------------
    def fit(self) -> None:
        """Show what has room; call it when a part became wider."""
        cell = self._cell
        row = cell.history
        tight = self.width() < look.px(SUBJECT) * 2
        edge, space = (GAP, GAP) if tight else (EDGE, SPACING)
        above = 0 if cell.height() < look.px(LOW) else EDGE // 2
        self._row.setContentsMargins(edge, above, edge, above)
        self._row.setSpacing(space)
        room = self.width() - 2 * edge - space  # before the message, said or not
        if not row.retry.isHidden():
            room -= row.retry.sizeHint().width() + space
        subject = before = 0
        if not self.subject.isHidden():
            subject = min(self.subject.sizeHint().width() + 1, look.px(SUBJECT))
            subject = max(subject, look.px(LEAST_SUBJECT))
            before = subject + space
        step = next((one for one in STEPS if self._wide(one, space) + before <= room), STEPS[-1])
        left = room - self._wide(step, space)
        if subject:
            subject = max(min(subject, left - space), look.px(LEAST_SUBJECT))
            self.subject.setFixedWidth(subject)
            left -= subject + space
        quote = step.quote
        if row.message.text() and quote and left < look.px(MESSAGE):
            quote = False
        cell.interval.show_row(step.row)
        cell.tools.show_only(step.tools)
        cell.sides.setVisible(step.sides)
        cell.quote.setVisible(quote)

    def _wide(self, step: Step, space: int) -> int:
        """Pixels that the parts of a step take, without the symbol."""
        cell = self._cell
        parts = [cell.interval.width_of(step.row), cell.tools.width_of(step.tools)]
        if step.sides and cell.sides.used:
            parts.append(cell.sides.sizeHint().width())
        if step.quote:
            parts.append(cell.quote.sizeHint().width())
        return sum(parts) + space * (len(parts) - 1)

    def minimumSizeHint(self) -> QSize:
        cell = self._cell
        least = self._wide(STEPS[-1], GAP) + 3 * GAP
        if not self.subject.isHidden():
            least += look.px(LEAST_SUBJECT) + GAP
        if not cell.history.retry.isHidden():
            least += cell.history.retry.sizeHint().width() + GAP
        return QSize(least, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.StyleChange:
            self.fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._active:
            painter = QPainter(self)
            painter.fillRect(0, 0, self.width(), MARK, theme.current().color("accent"))
            painter.end()
