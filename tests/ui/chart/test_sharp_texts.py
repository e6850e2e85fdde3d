"""Texts of a chart at every ratio of the screen and every size: whole, apart and sharp."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.enums import Interval
from openalgo_desktop.ui.chart import ChartView, PriceLine
from openalgo_desktop.ui.chart.canvas.ground import GAP
from openalgo_desktop.ui.chart.canvas.widget import Canvas
from openalgo_desktop.ui.kit import look, theme
from tests.ui.chart.test_chart import walk

RATIOS, SCALES = (1.0, 1.25, 1.5, 2.0), (80, 100, 160)


class Seen:
    """A chart painted for a screen of a ratio."""

    def __init__(self, view: ChartView, ratio: float) -> None:
        self.view, canvas = view, view.canvas  # who has the canvas keeps its view
        size = canvas.size() * ratio
        self.image = QImage(size, QImage.Format.Format_RGB32)
        self.image.setDevicePixelRatio(ratio)
        self.ratio, self.canvas = ratio, canvas
        canvas.render(self.image)
        width, height = self.image.width(), self.image.height()
        data = np.frombuffer(self.image.constBits(), np.uint32)
        self.pixels = data.reshape(height, self.image.bytesPerLine() // 4)[:, :width].copy()

    def ink(self, area: QRectF, ground: QColor) -> np.ndarray:
        """Which device pixels of an area (logical pixels) are not the ground."""
        r = self.ratio
        left, top = round(area.left() * r), round(area.top() * r)
        part = self.pixels[
            max(0, top) : round(area.bottom() * r), max(0, left) : round(area.right() * r)
        ]
        return part != np.uint32(ground.rgb())


@pytest.fixture(params=SCALES)
def scale(request: pytest.FixtureRequest) -> Iterator[int]:
    before = look.current()
    look.use(look.Look(before.density, request.param, before.still))
    yield request.param
    look.use(before)


@pytest.fixture(params=RATIOS)
def seen(
    request: pytest.FixtureRequest,
    scale: int,
    qtbot: QtBot,
    qapp: QApplication,
    monkeypatch: pytest.MonkeyPatch,
) -> Seen:
    theme.apply(qapp, "dark")
    monkeypatch.setattr(Canvas, "devicePixelRatioF", lambda _self: request.param)
    view = ChartView()
    qtbot.addWidget(view)
    view.resize(900, 460)
    view.show()
    bars = walk(300)
    view.set_bars(bars, Interval.M1, 2)
    QTest.qWait(1)
    middle = float(bars.close[-1])
    view.set_lines(
        [
            PriceLine(f"o{n}", middle + 9.0 * (n + 2), "SELL 2 lots LIMIT", "sell", True, True)
            for n in range(2)
        ]
    )
    view.flush()
    return Seen(view, request.param)


def boxes(seen: Seen) -> list[QRectF]:
    """Where labels of the price axis are written; those that a tag takes away are left out."""
    canvas = seen.canvas
    overlay, texts = canvas.overlay, canvas.overlay._texts
    stage, found = canvas.stage, []
    last = overlay.frame.y(canvas.series.bar(len(canvas.series) - 1)[3])
    tags = [overlay.chip_of(f"o{n}")[0].center().y() for n in range(2)] + [last]
    for pane in stage.panes:
        values = pane.scale.map(pane.rect.top(), pane.rect.height())
        for label in pane.labels:
            y, half = values.y(label.value), texts.height / 2.0
            free = all(abs(y - tag) > 2 * overlay._rows.tag_height for tag in tags)
            if free and pane.rect.top() + half <= y <= pane.rect.bottom() - half:
                left = overlay.frame.axis + GAP
                found.append(QRectF(left, y - half, texts.width(label.text), texts.height))
    return found


def test_texts_are_whole_apart_and_sharp(seen: Seen) -> None:
    canvas, ratio = seen.canvas, seen.ratio
    overlay, stage = canvas.overlay, canvas.stage
    texts, frame = overlay._texts, overlay.frame
    panel = theme.current().color("panel")
    width, height = canvas.width(), canvas.height()
    assert canvas.kept.pixmap().size() == canvas.size() * ratio  # not a smaller picture made larger

    # The price axis: every label has its ink, none touches the edge or its neighbour.
    labels = boxes(seen)
    assert len(labels) >= 2
    for box in labels:
        assert box.right() <= width - 1
        assert seen.ink(box, panel).any()
        around = box.adjusted(0, -2.0, 0, 2.0)
        rows = seen.ink(around, panel)
        assert not rows[0].any() and not rows[-1].any(), box  # nothing cut above or below
        beyond = QRectF(box.right() + 1.5, box.top(), width - box.right() - 1.5, box.height())
        assert not seen.ink(beyond, panel).any()
    for one, two in combinations(labels, 2):
        assert not one.intersects(two)

    # The time axis.
    foot = stage.area.bottom()
    spans = []
    for index, text in zip(*stage.times, strict=True):
        half = texts.width(text) / 2.0
        spans.append((stage.x_of(index) - half, stage.x_of(index) + half))
    assert all(one[1] < two[0] for one, two in pairwise(spans))
    below = seen.ink(QRectF(0, foot + 1.5, frame.axis - 1, height - foot - 1.5), panel)
    assert below.any() and not below[0].any() and not below[-1].any()

    # The legend and the tags.
    band = QRectF(overlay._legend_of.band(frame.pane))
    said = overlay._legend_of._fitting(overlay._legend, round(band.width()))
    assert len(said) >= 8  # open, high, low and close with their names
    band.setWidth(sum(wide for _, _, wide in said))
    written = seen.ink(band, panel)
    assert written.any() and not written[0].any() and not written[-1].any()
    assert band.height() >= texts.metrics.height()
    chips = [overlay.chip_of(f"o{n}") for n in range(2)]
    for chip, cross in chips:
        words = QRect(chip.topLeft(), QPoint(cross.left() - 1, chip.bottom()))
        assert words.width() >= texts.width("SELL 2 lots LIMIT") + 2
        assert chip.height() >= texts.metrics.height() and chip.right() < frame.axis
        inner = seen.ink(QRectF(words).adjusted(2, 2, -2, -2), panel)
        assert inner.any() and not inner[:, 0].any() and not inner[:, -1].any()
    assert not chips[0][0].intersects(chips[1][0])

    # Sharp: a picture of one pixel for each logical one, made larger, has softer edges.
    if ratio > 1.0:
        for box in (labels[0], band):
            assert sharpness(seen, box) > 1.15 * sharpness(softened(seen), box), box


def softened(seen: Seen) -> Seen:
    """The same with the pixels of a screen of ratio 1."""
    smooth = Qt.TransformationMode.SmoothTransformation
    keep = Qt.AspectRatioMode.IgnoreAspectRatio
    small = seen.image.scaled(seen.canvas.size(), keep, smooth)
    large = small.scaled(seen.image.size(), keep, smooth).convertToFormat(seen.image.format())
    other = object.__new__(Seen)
    other.image, other.ratio, other.canvas = large, seen.ratio, seen.canvas
    data = np.frombuffer(large.constBits(), np.uint32)
    rows = data.reshape(large.height(), large.bytesPerLine() // 4)
    other.pixels = rows[:, : large.width()].copy()
    return other


def sharpness(seen: Seen, area: QRectF) -> float:
    """How steep the edges of an area are."""
    r = seen.ratio
    part = seen.pixels[
        round(area.top() * r) : round(area.bottom() * r),
        round(area.left() * r) : round(area.right() * r),
    ]
    green = ((part >> 8) & 0xFF).astype(np.float64)
    return float((np.diff(green, axis=1) ** 2).sum())
