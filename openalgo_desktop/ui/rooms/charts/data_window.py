"""The data window: everything that a chart knows of one bar, beside the chart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QBrush
from PySide6.QtWidgets import QHBoxLayout, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from openalgo_desktop.core.clock import IST
from openalgo_desktop.ui.chart.drawings.ink import colour
from openalgo_desktop.ui.chart.plots.study import StudyView
from openalgo_desktop.ui.chart.series import Series
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look, theme
from openalgo_desktop.ui.kit.widgets import label, named, push_button

if TYPE_CHECKING:
    from openalgo_desktop.ui.chart.canvas.stage import Stage
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell

WIDTH = 236
#: The longest value has room, whatever the font.
LONGEST = "Wed 30 Nov 2026"
EDGE = 4
SOON_MS = 33
#: Bars shorter than this have seconds in their time.
MINUTE = 60.0


class Row(NamedTuple):
    """A line: what it is, its value, the value's colour (a role or #rrggbb). Without a value it is
    a heading."""

    caption: str
    text: str = ""
    role: str = "text"


def when(series: Series, index: int, intraday: bool) -> list[Row]:
    """Date and time (IST) of a bar's begin."""
    at = datetime.fromtimestamp(int(series.time[index]), IST)
    rows = [Row("Date", f"{at:%a} {at.day} {at:%b %Y}")]
    if intraday:
        rows.append(Row("Time", f"{at:%H:%M:%S}" if series.length < MINUTE else f"{at:%H:%M}"))
    return rows


def rows_of(stage: Stage, index: int) -> list[Row]:
    """All lines of the bar at ``index``."""
    series, places = stage.series, stage.places
    opened, high, low, close, volume = series.bar(index)
    before = series.bar(index - 1)[3] if index else opened
    change = close - before
    percent = 100.0 * change / before if before else math.nan
    rows = when(series, index, stage.intraday)
    for caption, value in (("Open", opened), ("High", high), ("Low", low), ("Close", close)):
        rows.append(Row(caption, fmt.price(value, places)))
    role = fmt.sign_role(change) or "text"
    rows.append(Row("Change", fmt.signed(change, places), role))
    rows.append(Row("Change %", fmt.signed_percent(percent), role))
    rows.append(Row("Volume", fmt.quantity(volume)))
    rows.append(Row("OI", fmt.quantity(series.open_interest(index))))
    for other in stage.compared:
        closes = other.closes
        value = float(closes[index]) if index < len(closes) else math.nan
        rows.append(Row(other.title, fmt.price(value, other.places), other.colour))
    for view in stage.studies:
        rows += _study_rows(view, index)
    return rows


def _study_rows(view: StudyView, index: int) -> Iterator[Row]:
    if view.hidden:
        return
    yield Row(view.title)
    if view.note:
        yield Row("", view.note, "muted")
    for number, output in enumerate(view.outputs):
        if number < len(view.values):
            places = view.places if output.places is None else output.places
            text = fmt.price(view.value(number, index), places)
            yield Row(output.label, text, view.style(output).colour or output.role)


class DataWindow(QObject):
    """One of a chart. Follows the pointer, here or in a chart that is linked; else the last bar."""

    def __init__(self, cell: ChartCell) -> None:
        super().__init__(cell)
        self._cell, self._view = cell, cell.view
        self._panel: QWidget | None = None
        self._tree: QTreeWidget | None = None
        self._told: list[Row] = []
        self._theme = ""
        self._timer = QTimer(self)  # the pointer moves more often than anybody reads
        self._timer.setSingleShot(True)
        self._timer.setInterval(SOON_MS)
        self._timer.timeout.connect(self.renew)
        self._moment: float | None = None
        self._far: float | None = None
        self._view.cross_moved.connect(self._on_cross)
        self._view.far_cross_moved.connect(self._on_far)
        cell.studies_changed.connect(self.renew)

    # -- panel ------------------------------------------------------------------------------
    @property
    def shown(self) -> bool:
        """Whether it is wanted."""
        return self._panel is not None and not self._panel.isHidden()

    def turn(self) -> None:
        """Show it, or hide it."""
        self.show(not self.shown)

    def show(self, shown: bool) -> None:
        """Show or hide it."""
        if self._panel is None and shown:
            self._panel = self._build()
            self._view.put_right(self._panel)
        if self._panel is not None:
            self._panel.setVisible(shown)
        self.renew()

    def _build(self) -> QWidget:
        name = f"{self._cell.name}-data"
        panel = named(QWidget(), name, "Data window")
        panel.setFixedWidth(look.px(WIDTH))
        column = QVBoxLayout(panel)
        column.setContentsMargins(EDGE, EDGE, EDGE, EDGE)
        column.setSpacing(4)
        head = QHBoxLayout()
        head.addWidget(label("Data window", f"{name}-title", "caption"))
        head.addStretch(1)
        close = push_button("✕", f"{name}-close", "Close data window", self.turn)
        head.addWidget(close)
        column.addLayout(head)
        tree = self._tree = named(QTreeWidget(), f"{name}-list", "Values of the bar")
        tree.setColumnCount(2)
        tree.setHeaderHidden(True)
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        tree.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        tree.header().setStretchLastSection(True)
        values = tree.fontMetrics().horizontalAdvance(LONGEST) + look.px(16)
        inner = look.px(WIDTH) - 2 * (EDGE + tree.frameWidth())
        tree.header().setMinimumSectionSize(1)
        tree.header().resizeSection(0, min(look.px(WIDTH) * 42 // 100, inner - values))
        column.addWidget(tree, 1)
        return panel

    # -- values -----------------------------------------------------------------------------
    def _on_cross(self, moment: object, _price: float) -> None:
        self._moment = float(moment) if isinstance(moment, float | int) else None
        self._soon()

    def _on_far(self, moment: object) -> None:
        self._far = float(moment) if isinstance(moment, float | int) else None
        self._soon()

    def index(self) -> int:
        """The bar that it tells of; -1 while there is none."""
        series = self._view.canvas.series
        moment = self._moment if self._moment is not None else self._far
        if moment is None or not len(series):
            return len(series) - 1
        return max(0, min(len(series) - 1, math.floor(series.index_of(moment))))

    def renew(self) -> None:
        """Tell the values of now; costs nothing while it is not seen."""
        tree = self._tree
        if tree is None or not self.shown:
            return
        self._timer.stop()
        index = self.index()
        rows = rows_of(self._view.canvas.stage, index) if index >= 0 else []
        name = theme.current().name
        before = self._told if self._theme == name else []
        while tree.topLevelItemCount() > len(rows):
            tree.takeTopLevelItem(tree.topLevelItemCount() - 1)
        for number, row in enumerate(rows):
            item = tree.topLevelItem(number)
            if item is None:
                item = QTreeWidgetItem()
                item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
                tree.addTopLevelItem(item)
            old = before[number] if number < len(before) else None
            if row != old:
                _tell(item, row, old)
        self._told, self._theme = rows, name

    def _soon(self) -> None:
        if self.shown and not self._timer.isActive():
            self._timer.start()

    def rows(self) -> list[tuple[str, str]]:
        """What it says now: captions and values."""
        if self._tree is None:
            return []
        items = [self._tree.topLevelItem(n) for n in range(self._tree.topLevelItemCount())]
        return [(item.text(0), item.text(1)) for item in items if item is not None]


def _tell(item: QTreeWidgetItem, row: Row, old: Row | None) -> None:
    """Put a line into its item; ``old`` is what that says."""
    heading = not row.text
    if old is None or heading or not old.text or row.role != old.role:
        item.setFirstColumnSpanned(heading)
        item.setForeground(0, QBrush(theme.current().color("text" if heading else "muted")))
        item.setForeground(1, QBrush(colour(row.role)))
    if old is None or row.caption != old.caption:
        item.setText(0, row.caption)
    if old is None or row.text != old.text:
        item.setText(1, row.text)
