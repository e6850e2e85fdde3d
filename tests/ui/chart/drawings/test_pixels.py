"""Every tool leaves its colour where its definition says."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from openalgo_desktop.core.charting.drawings.geometry import picture
from openalgo_desktop.core.charting.drawings.geometry.sheet import Point
from openalgo_desktop.core.charting.drawings.geometry.touch import box_of
from openalgo_desktop.core.charting.drawings.model import Dash
from openalgo_desktop.core.charting.drawings.tools import tools
from openalgo_desktop.ui.chart.drawings import ink
from openalgo_desktop.ui.chart.drawings.icons import icon_of
from openalgo_desktop.ui.chart.drawings.pane import DrawingPane
from openalgo_desktop.ui.chart.series import Series
from openalgo_desktop.ui.kit import theme
from tests.unit.core.charting.drawings.pane import Pane, bars, drawn
from tests.unit.core.charting.drawings.spots import ON, WRITTEN

DRAWN = [row for row in tools().values() if not row.study and row.tool not in WRITTEN]
INK, GROUND = QColor("#12fe34"), QColor("#000000")


class Fake(Pane):
    """The pane of the pure tests as a chart's projection."""

    number, tick = 0, 0.05

    def __init__(self) -> None:
        super().__init__()
        self.pane = QRectF(0, 0, 800, 400)
        self.series = Series()
        columns = bars()
        for row in zip(columns.time, *columns[1:6], strict=True):
            self.series.append(int(row[0]), *map(float, row[1:]))

    def value(self, y: float) -> float:
        return self.price(y)


def painted(drawing, ratio: float = 1.0) -> np.ndarray:
    """How much ink is in each pixel of the pane, 0 to 255."""
    image = QImage(round(800 * ratio), round(400 * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(GROUND)
    pane = DrawingPane(Fake())
    painter = QPainter(image)
    ink.paint(painter, picture(drawing, pane), pane)
    painter.end()
    height, width = image.height(), image.width()
    data = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine() // 4, 4)
    return data[:, :width, 1].copy()


def inked(tool):
    """A drawing by ``tool`` in one solid colour."""
    levels = tuple(replace(level, colour="") for level in tool.style.levels)
    style = replace(
        tool.style, colour=INK.name(), dash=Dash.SOLID, levels=levels, figures=False, fill=""
    )
    if tool.family.value in ("Text and notes", "Arrows"):
        style = replace(style, fill=INK.name(), opacity=1.0)
    elif tool.variant == "marker":
        style = replace(style, opacity=1.0)
    return drawn(tool, style=style)


@pytest.mark.parametrize("tool", DRAWN, ids=[row.tool for row in DRAWN])
def test_a_tool_leaves_its_colour_where_it_is_defined(qapp, tool):
    theme.apply(qapp, "dark")
    drawing = inked(tool)
    found = painted(drawing)
    pane = DrawingPane(Fake())
    assert found.max() > 100, "nothing is drawn"
    for x, y in ON[tool.tool]:
        # Targets of a position have the colours of profit and loss: those count as ink, too.
        row, column = min(int(y), 398), min(int(x), 798)
        part = found[max(0, row - 3) : row + 4, max(0, column - 3) : column + 4]
        assert part.max() > 60, (x, y)
    for label in picture(drawing, pane).labels:
        box = box_of(label, pane)
        part = found[int(box.top) : int(box.bottom) + 1, int(box.left) : int(box.right) + 1]
        assert not part.size or part.max() > 60, label.text


@pytest.mark.parametrize("ratio", [1.0, 1.5])
@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_only_written_begins_at_its_corner(qapp, name, ratio):
    theme.apply(qapp, "dark")
    drawing = inked(tools()[name])
    drawing = replace(drawing, style=replace(drawing.style, fill=""))
    x, y = WRITTEN[name]
    size = drawing.style.font
    wide, high = DrawingPane(Fake()).size_of(drawing.text, size)
    rows, columns = np.nonzero(painted(drawing, ratio) > 60)
    left, right, top, foot = (
        edge / ratio for edge in (columns.min(), columns.max(), rows.min(), rows.max())
    )
    assert x - 1 <= left <= x + size / 3 and x + 0.7 * wide <= right <= x + wide + 1
    assert y <= top <= y + size / 1.5 and y + size / 2 <= foot <= y + high


@pytest.mark.parametrize("ratio", [1.25, 1.5, 2.0])
def test_lines_are_where_they_belong_at_other_ratios(qapp, ratio):
    theme.apply(qapp, "dark")
    found = painted(inked(tools()["rectangle"]), ratio)
    for x, y in ON["rectangle"]:
        place = (round(y * ratio), round(x * ratio))
        part = found[place[0] - 2 : place[0] + 3, place[1] - 2 : place[1] + 3]
        assert part.max() > 200
    inner = found[round(260 * ratio) : round(270 * ratio), round(120 * ratio) : round(140 * ratio)]
    assert inner.max() == 0


def test_every_tool_has_a_symbol_of_its_own(qapp):
    theme.apply(qapp, "dark")
    seen = {}
    for row in tools().values():
        image = icon_of(row).pixmap(40, 40).toImage().convertToFormat(QImage.Format.Format_ARGB32)
        data = bytes(image.constBits())
        assert any(data), row.tool
        assert data not in seen, (row.tool, seen.get(data))
        seen[data] = row.tool


def test_an_upright_box_is_filled_as_a_rectangle_and_nothing_else_is() -> None:
    corners = (Point(10, 20), Point(60, 20), Point(60, 50), Point(10, 50))
    assert ink._upright(corners) == QRectF(10, 20, 50, 30)
    turned = (corners[1], corners[2], corners[3], corners[0])
    assert ink._upright(turned) == QRectF(10, 20, 50, 30)
    assert ink._upright((*corners[:3], Point(11, 50))) is None
    assert ink._upright(corners[:3]) is None


def test_a_crosshair_of_elsewhere_is_at_the_bar_that_holds_its_moment(bench):
    canvas = bench.view.canvas
    times, length = canvas.series.time, 300
    for moment, bar in (
        (times[-4] + length - 1, -4),
        (times[-4], -4),
        (times[-1] + length - 1, -1),
    ):
        canvas.set_cross_time(float(moment))
        x, text = canvas.overlay._far_cross
        assert x == round(canvas.stage.x_of(len(times) + bar)), text
