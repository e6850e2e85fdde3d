"""A tick draws the last groups of a dense line one by one: the same pixels as many at once."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from openalgo_desktop.ui.chart.canvas.projection import At
from openalgo_desktop.ui.chart.paint import curves
from openalgo_desktop.ui.chart.scales.value_map import ValueMap
from openalgo_desktop.ui.chart.series import Series


def drawn(values: np.ndarray, first: int, width: float, log: bool, gap: float) -> QImage:
    image = QImage(120, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("#000000"))
    pane = QRectF(0, 0, 120, 200)
    edges = ValueMap(90.0, 130.0, 0.0, 200.0, log=log)
    at = At(pane, 0, Series(), 0.0, 60.0, edges, 2, 0.05, 1.5)
    painter = QPainter(image)
    values = np.where(np.arange(len(values)) == gap, np.nan, values)
    paints = [(QColor("#00ff00"), False), (QColor("#ff0000"), True)]
    curves.dense(painter, at, values, (first, len(values), 7), paints, width, offset=1)
    painter.end()
    return image


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("width", [1.0, 2.5])
@pytest.mark.parametrize("first", [14, 17, 23, 29])
@pytest.mark.parametrize("gap", [-1, 21, 29])
def test_few_groups_are_drawn_as_many_are(
    monkeypatch: pytest.MonkeyPatch, first: int, width: float, log: bool, gap: float
) -> None:
    values = 110 + np.random.default_rng(first).normal(0, 6, 30)
    few = drawn(values, first, width, log, gap)
    monkeypatch.setattr(curves, "FEW_GROUPS", 0)
    assert few == drawn(values, first, width, log, gap)
    blank = QImage(few.size(), few.format())
    blank.fill(QColor("#000000"))
    assert few != blank
