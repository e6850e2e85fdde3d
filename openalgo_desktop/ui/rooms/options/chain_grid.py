"""Where the cells of a two-sided chain are: columns that mirror each other at the strike."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHeaderView

from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.tables import FastTableModel, FastTableView
from openalgo_desktop.ui.rooms.options.chain_columns import ColumnPlan
from openalgo_desktop.ui.rooms.options.chain_rows import (
    SPECS,
    STRIKE,
    STRIKE_WIDTH,
    Line,
    column_of,
    name_at,
)

#: Beside the strike: a button, the position of a side, the edge; pixels.
BUTTON, BADGE, EDGE = 20, 26, 3


def left_to_right(outwards: Sequence[str]) -> list[str]:
    """Columns of the calls as they stand from left to right, and back again. They mirror those of
    the puts, but a bid stays on the left of its ask: who reaches for one must not get the other."""
    turned = list(reversed(outwards))
    if "ask" in turned and turned[turned.index("ask") + 1 :][:1] == ["bid"]:
        place = turned.index("ask")
        turned[place : place + 2] = ["bid", "ask"]
    return turned


class ChainGrid(FastTableView):
    """The header follows a plan, and a change of the header by hand changes the plan."""

    plan_changed = Signal()

    def __init__(self, model: FastTableModel[Line], plan: ColumnPlan) -> None:
        self._arranging = True  # the header's changes are ours, not the user's
        self.plan = plan
        super().__init__(model)
        header = self.horizontalHeader()
        header.setSectionsClickable(False)
        header.sectionMoved.connect(self._on_moved)
        header.sectionResized.connect(self._on_resized)
        self.arrange()

    # -- columns ----------------------------------------------------------------------------
    def arrange(self) -> None:
        """Bring the header to the plan: order, what is shown, widths."""
        self._arranging = True
        header = self.horizontalHeader()
        order = [column_of(name, True) for name in left_to_right(self.plan.order)]
        order += [STRIKE, *(column_of(name, False) for name in self.plan.order)]
        for visual, logical in enumerate(order):
            header.moveSection(header.visualIndex(logical), visual)
        for spec in SPECS:
            for is_call in (True, False):
                hidden = spec.name not in self.plan.shown
                header.setSectionHidden(column_of(spec.name, is_call), hidden)
        self._arranging = False
        self._fit()

    @property
    def strike_width(self) -> int:
        """Width of the strike's column, pixels."""
        return look.px(STRIKE_WIDTH)

    def _planned(self, name: str) -> int:
        wanted = look.px(self.plan.widths[name])
        return max(wanted, self.widths.needed(column_of(name, True)))

    def _fit(self) -> None:
        """Columns as wide as planned, wider together where there is room; the strike in the
        middle."""
        self._arranging = True
        header = self.horizontalHeader()
        shown = [name for name in self.plan.order if name in self.plan.shown]
        wanted = 2 * sum(map(self._planned, shown))
        room = self.viewport().width() - self.strike_width
        factor = max(1.0, room / wanted) if wanted else 1.0
        for name in shown:
            for is_call in (True, False):
                width = int(self._planned(name) * factor)
                header.resizeSection(column_of(name, is_call), width)
        header.resizeSection(STRIKE, self.strike_width)
        header.setSectionResizeMode(STRIKE, QHeaderView.ResizeMode.Fixed)
        self._arranging = False
        self._centre()

    def _centre(self) -> None:
        """Where not all columns fit, the strike is in the middle of what is seen."""
        header = self.horizontalHeader()
        spare = header.length() - self.viewport().width()
        if spare > 0:
            middle = header.sectionPosition(STRIKE) + self.strike_width // 2
            self.horizontalScrollBar().setValue(middle - self.viewport().width() // 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def changeEvent(self, event: QEvent) -> None:
        self._arranging = True
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._fit()
        self._arranging = False

    def _on_moved(self, logical: int, _old: int, _new: int) -> None:
        if self._arranging:
            return
        where = name_at(logical)
        header = self.horizontalHeader()
        middle = header.visualIndex(STRIKE)
        if where is not None:
            is_call = where[1]
            here = header.visualIndex(logical)
            if (here < middle) == is_call:  # a column stays on its side
                side = [spec.name for spec in SPECS]
                side.sort(key=lambda one: header.visualIndex(column_of(one, is_call)))
                self.plan.order = left_to_right(side) if is_call else side
        self.arrange()
        self.plan_changed.emit()

    def _on_resized(self, logical: int, _old: int, new: int) -> None:
        where = name_at(logical)
        if self._arranging or where is None or not new:
            return
        self.plan.widths[where[0]] = round(100 * new / look.px(100))
        self._arranging = True
        self.horizontalHeader().resizeSection(column_of(where[0], not where[1]), new)
        self._arranging = False
        self.viewport().update()
        self.plan_changed.emit()

    # -- where things are -------------------------------------------------------------------
    def line_at(self, row: int) -> Line | None:
        """The line of a view row."""
        return self.table.row_at(row) if 0 <= row < self.table.rowCount() else None

    def visible_rows(self) -> tuple[int, int]:
        """The first view row on the screen and the one behind the last."""
        count = self.table.rowCount()
        first, last = self.rowAt(0), self.rowAt(self.viewport().height() - 1)
        return max(0, first), count if last < 0 else last + 1

    def _strike_left(self) -> int:
        return self.columnViewportPosition(STRIKE)

    def is_call_at(self, x: int) -> bool:
        """Which side a horizontal position belongs to; the strike's column belongs to both."""
        return x < self._strike_left() + self.strike_width // 2

    def button_rect(self, row: int, name: str, is_call: bool) -> QRect:
        """Where the button ``buy`` or ``sell`` of a side is, in the viewport."""
        left, size = self._strike_left(), look.px(BUTTON)
        place = 0 if name == "buy" else 1
        if is_call:
            x = left + EDGE + place * size
        else:
            x = left + self.strike_width - EDGE - (2 - place) * size
        return QRect(x, self.rowViewportPosition(row) + 3, size - 2, self.row_height - 7)

    def badge_rect(self, row: int, is_call: bool) -> QRect:
        """Where the position of a side is said, in the viewport."""
        left, size = self._strike_left(), look.px(BADGE)
        x = left + EDGE if is_call else left + self.strike_width - EDGE - size
        return QRect(x, self.rowViewportPosition(row) + 3, size, self.row_height - 7)

    def cell_rect(self, row: int, name: str, is_call: bool) -> QRect:
        """Where a cell is, in the viewport."""
        column = column_of(name, is_call)
        x, width = self.columnViewportPosition(column), self.columnWidth(column)
        return QRect(x, self.rowViewportPosition(row), width, self.row_height)
