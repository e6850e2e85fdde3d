"""A picture that is moved and one that is drawn are the same, pixel by pixel."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from openalgo_desktop.core.charting.studies import Draw, Level, Output
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.canvas.stage import Volume
from openalgo_desktop.ui.chart.paint.kinds import KINDS
from openalgo_desktop.ui.chart.plots.draws import PAINT, Part
from openalgo_desktop.ui.chart.plots.study import StudyView

DRAWS = (Draw.LINE, Draw.STEP, Draw.DOTS, Draw.CROSSES, Draw.AREA, Draw.MARKS)

#: Pixels of smooth lines at an edge that may differ: two of each line.
EDGE = 28


def walk(count: int) -> Bars:
    random = np.random.default_rng(5)
    close = 500 + random.normal(0, 0.8, count).cumsum()
    opened = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opened, close) + 0.5, np.minimum(opened, close) - 0.5
    units = random.integers(1, 900, count)
    time = 1_760_000_100 + 60 * np.arange(count)
    return Bars(time, opened, high, low, close, units, np.zeros_like(units))


def studies(bars: Bars) -> list[StudyView]:
    close = np.asarray(bars.close)
    wave = np.sin(np.arange(len(close)) / 7.0)
    band = (
        Output("up", "Up", Draw.BAND, "study-1", fill_to="down"),
        Output("down", "Down", Draw.LINE, "study-2"),
    )
    found = [StudyView("band", "Band", band, (close + 2 + wave, close - 2))]
    for number, draw in enumerate(DRAWS):
        output = Output("a", "A", draw, "study-3", falling="study-4" if draw is Draw.LINE else "")
        found.append(StudyView(draw.value, "S", (output,), (close + number * wave,)))
    dashed = (Output("d", "D", Draw.LINE, "study-6", dash=True),)
    found.append(StudyView("dashed", "D", dashed, (close - 3 * wave,)))
    rows = (Output("h", "H", Draw.HISTOGRAM, "up"), Output("l", "L", Draw.LINE, "study-5"))
    levels = (Level(0.5), Level(-0.5))
    return [*found, StudyView("below", "B", rows, (wave, -wave), pane=1, levels=levels)]


@pytest.fixture(autouse=True)
def _placed(chart: ChartView) -> None:
    chart.canvas.setVisible(True)
    chart.canvas.kept.patience = math.inf  # no drafts
    chart.resize(700, 420)
    QApplication.processEvents()
    assert chart.canvas.width() > 500


def pixels(image: QImage) -> np.ndarray:
    rows = np.frombuffer(image.constBits(), np.uint8)
    return (
        rows.reshape(image.height(), image.bytesPerLine())[:, : 4 * image.width()]
        .reshape(image.height(), image.width(), 4)
        .astype(int)
    )


def drawn(chart: ChartView) -> QImage:
    return chart.canvas.kept.pixmap().toImage()


def moved_is_drawn(chart: ChartView, steps: int = 6) -> None:
    canvas = chart.canvas
    for step in range(steps):
        chart.scroll_by((-0.031, -0.003, 0.0171)[step % 3])
        moved = drawn(chart)
        canvas.redraw()
        area, ratio = canvas.stage.area, canvas.stage.ratio  # texts of axes are drawn each time
        wide, high = int(area.width() * ratio), int(area.height() * ratio)
        found = np.abs(pixels(moved) - pixels(drawn(chart))).max(axis=2)[:high, :wide]
        # Qt cuts smooth lines at the edge of what it may draw on, a little beside their place.
        assert (found > 8).sum() <= EDGE, (step, np.argwhere(found > 8)[:9])


@pytest.mark.parametrize("count", [90, 400, 3_000])
@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5])
def test_a_moved_picture_is_the_drawn_one(chart: ChartView, count: int, ratio: float) -> None:
    bars = walk(count + 400)
    chart.set_bars(bars, Interval.M1, 2)
    chart.set_studies(studies(bars))
    chart.set_sessions(True)
    canvas = chart.canvas
    canvas.stage.ratio = ratio
    canvas.fitted = False
    canvas.scale_x.show(200, 200 + count)
    canvas.scale_y.auto = False
    canvas.changed_view()
    drawn(chart)
    before = canvas.kept.base.strips
    moved_is_drawn(chart)
    assert canvas.kept.base.strips > before


@pytest.mark.parametrize(
    ("kind", "count"),
    [*((kind.kind, 180) for kind in KINDS), *((kind.kind, 400) for kind in KINDS if kind.smooth)],
)
def test_every_kind_moves_as_it_is_drawn(chart: ChartView, kind: str, count: int) -> None:
    chart.set_bars(walk(900), Interval.M1, 2)
    chart.set_kind(kind)
    chart.set_volume(Volume.FOOT)
    chart.canvas.scale_x.show(300, 300 + count)
    chart.canvas.fitted = False
    chart.canvas.changed_view()
    drawn(chart)
    moved_is_drawn(chart, 3)


@pytest.mark.parametrize("kind", ["candles", "area"])
def test_lines_are_not_merged_while_a_bar_has_a_pixel(
    chart: ChartView, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Columns of two bars would make stairs of them. What was closed live is drawn as all of it."""
    merged: dict[Draw, set[int]] = {Draw.LINE: set(), Draw.HISTOGRAM: set()}

    def watched(draw: Draw, paint: Callable[[Part], None], part: Part) -> None:
        merged[draw].add(part.merge)
        paint(part)

    for draw in merged:
        monkeypatch.setitem(PAINT, draw, partial(watched, draw, PAINT[draw]))
    bars, wave = walk(900), np.sin(np.arange(905) / 7.0)
    rows = (Output("h", "H", Draw.HISTOGRAM, "up"), Output("l", "L", Draw.LINE, "study-5"))
    chart.set_bars(bars, Interval.M1, 2)
    chart.set_kind(kind)
    chart.set_studies([StudyView("a", "A", rows, (wave[:900], -wave[:900]), pane=1)])
    canvas = chart.canvas
    canvas.scale_x.show(540, 940)  # with room for those that come
    canvas.fitted = False
    canvas.scale_y.auto = False
    canvas.changed_view()
    assert (canvas.stage.merge, canvas.stage.line_merge) == (2, 1)
    for count in range(901, 906):
        chart.append_bar(int(bars.time[-1]) + 60 * (count - 900), 500.0, 501.0, 499.0, 500.0, 1)
        chart.set_study_values("a", (wave[:count], -wave[:count]), closed=True)
        chart.flush()
        moved = pixels(canvas.grab().toImage())
        canvas.redraw()
        found = np.abs(moved - pixels(canvas.grab().toImage())).max(axis=2)
        assert (found > 8).sum() <= EDGE, (count, np.argwhere(found > 8)[:9])
    assert merged == {Draw.LINE: {1}, Draw.HISTOGRAM: {2}}


def test_only_a_strip_is_drawn_while_the_prices_stay(
    chart: ChartView, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = walk(900)
    chart.set_bars(bars, Interval.M1, 2)
    chart.set_studies(studies(bars))  # one of them is dashed
    canvas = chart.canvas
    canvas.fitted = False
    canvas.scale_x.show(300, 480)
    canvas.scale_y.auto = False
    canvas.changed_view()
    chart.scroll_by(-0.01)  # onto whole pixels
    drawn(chart)
    base = canvas.kept.base
    painted: list[object] = []
    ground = base.content.ground
    base.content.ground = lambda *args: painted.append(args[2].number) or ground(*args)
    wholes, strips = base.wholes, base.strips
    found, update = [], base.update

    def watched():
        found.append((yield from update()))
        return found[-1]

    monkeypatch.setattr(base, "update", watched)
    for _ in range(4):
        chart.scroll_by(-0.01)
        drawn(chart)
    assert (base.wholes, base.strips) == (wholes, strips + 4)
    assert [[pane.number for pane in moved.changed if pane.number == 0] for moved in found] == (
        [[]] * 4
    )
    canvas.redraw()
    drawn(chart)
    assert base.wholes == wholes + 1
