"""Lines and bands of few columns, which are worked out one by one, are those of many."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from openalgo_desktop.core.charting.studies import Draw, Output
from openalgo_desktop.ui.chart.canvas.projection import At
from openalgo_desktop.ui.chart.paint import curves
from openalgo_desktop.ui.chart.paint.ink import Ink
from openalgo_desktop.ui.chart.plots.draws import PAINT, Part
from openalgo_desktop.ui.chart.plots.study import StudyView
from openalgo_desktop.ui.chart.scales.value_map import ValueMap
from openalgo_desktop.ui.chart.series import Series


def drawn(
    view: StudyView, log: bool, inverted: bool, first: int, last: int, merge: int
) -> np.ndarray:
    image = QImage(60, 120, QImage.Format.Format_RGB32)
    image.fill(QColor("#000000"))
    values = ValueMap(80.0, 125.0, 0.0, 120.0, log, inverted)
    at = At(QRectF(0, 0, 60, 120), 1, Series(), 40.0, 60.0 / 0.7, values, 2, 0.05, 1.0)
    painter = QPainter(image)
    for number, output in enumerate(view.outputs):
        PAINT[output.draw](Part(painter, at, view, number, first, last, merge, Ink()))
    painter.end()
    return np.frombuffer(image.constBits(), np.uint8).copy()


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("falling", ["", "down"])
@pytest.mark.parametrize("merge", [3, 30])
def test_few_columns_are_those_of_many(
    qapp, monkeypatch, log: bool, inverted: bool, falling: str, merge: int
) -> None:
    random = np.random.default_rng(7)
    one, two = (100 + random.normal(0, 4, 120).cumsum() / 3 for _ in range(2))
    one[50:57] = one[75] = two[81] = np.nan
    one[90] = -3.0 if log else 1e9
    outputs = (
        Output("a", "A", Draw.BAND, "study-1", fill_to="b", falling=falling),
        Output("b", "B", Draw.LINE, "study-2", falling=falling, width=3.0),
        Output("a2", "A", Draw.LINE, "study-3"),
    )
    view = StudyView("s", "S", outputs, (one, two, one))
    for first, last in ((45, 75), (61, 93), (88, 120), (3, 99), (72, 76)):
        few = drawn(view, log, inverted, first, last, merge)
        with monkeypatch.context() as patch:
            patch.setattr(curves, "FEW_GROUPS", -1)
            many = drawn(view, log, inverted, first, last, merge)
        assert few.any()
        assert np.array_equal(few, many), (first, last)


def test_dashes_stand_at_the_bars_wherever_the_view_begins() -> None:
    x = np.arange(0.0, 90.0, 6.0)
    ends = np.column_stack((x, 2.0 * x, x + 6.0, 2.0 * x + 12.0))
    upright = np.array([[8.0, 1.0, 8.0, 5.0], [3.0, 1.0, 3.0, 5.0]])
    whole = curves.dashes(ends, 4.0, 7.0, 1.0)
    assert np.isclose((whole[:, 2] - whole[:, 0]).sum(), 4.0 * 12 + 4.0)
    assert np.allclose(whole[:, [1, 3]], 2.0 * whole[:, [0, 2]])
    assert np.all((whole[:, 0] - 1.0) % 7.0 <= 4.0)
    moved = np.array([25.0, 0.0, 25.0, 0.0])
    later = curves.dashes(ends[5:] - moved, 4.0, 7.0, 1.0 - 25.0) + moved
    assert np.allclose(later, whole[whole[:, 0] >= 30.0])
    assert curves.dashes(upright, 4.0, 7.0, 1.0).tolist() == upright.tolist()
    assert not len(curves.dashes(upright, 1.0, 7.0, 1.0)[1:])
