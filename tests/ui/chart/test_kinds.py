"""Each kind of a series, by the colours of places that are computed."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest

from openalgo_desktop.core.charting.transforms.registry import BY_KIND as TRANSFORMS
from openalgo_desktop.core.charting.transforms.rows import Row, TransformedBars
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.canvas.stage import Volume
from openalgo_desktop.ui.chart.paint.bars import candles, volume
from openalgo_desktop.ui.chart.paint.kinds import KINDS
from openalgo_desktop.ui.kit import theme
from tests.ui.chart.test_chart import T0, colour_count, picture, shown, walk

#: Far fewer bars than fit: a body is many pixels wide.
PRICES = [(100.0, 112.0, 96.0, 108.0), (108.0, 110.0, 92.0, 95.0), (95.0, 99.0, 90.0, 97.0)]


def bars(rows: list[tuple[float, float, float, float]]) -> Bars:
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    count = len(rows)
    times = T0 + 60 * np.arange(count, dtype=np.int64)
    return Bars(times, *columns, np.full(count, 10, np.int64), np.zeros(count, np.int64))


class Look:
    """Colours of a chart at bars and prices."""

    def __init__(self, chart: ChartView, image: QImage) -> None:
        self.stage, self.image = chart.canvas.stage, image
        self.at = self.stage.at(self.stage.prices)

    def colour(self, index: float, price: float, right: float = 0.0) -> QColor:
        x = self.at.x(index) + right
        return self.image.pixelColor(int(x), round(self.at.y(price)))

    def near(self, index: float, price: float, role: str, reach: int = 2) -> bool:
        """Whether a pixel of about the role's colour is near the place."""
        wanted = theme.current().color(role)
        x, y = int(self.at.x(index)), round(self.at.y(price))
        for dx in range(-reach, reach + 1):
            for dy in range(-reach, reach + 1):
                if not self.image.valid(x + dx, y + dy):
                    continue
                got = self.image.pixelColor(x + dx, y + dy)
                pairs = zip(got.getRgb(), wanted.getRgb(), strict=True)
                if max(abs(a - b) for a, b in pairs) < 60:
                    return True
        return False


def look(chart: ChartView, kind: str) -> Look:
    chart.set_kind(kind)
    shown(chart, bars(PRICES))
    return Look(chart, picture(chart))


def role(name: str) -> QColor:
    return theme.current().color(name)


def test_the_table_has_each_kind_once_and_each_transform(chart: ChartView) -> None:
    ids = [kind.kind for kind in KINDS]
    assert len(set(ids)) == len(ids) == 16
    assert {kind.transform for kind in KINDS if kind.transform} == set(TRANSFORMS)
    chart.set_kind("no such kind")
    assert chart.canvas.stage.kind.kind == "candles"


def test_hollow_candles_are_empty_when_they_rose(chart: ChartView) -> None:
    seen = look(chart, "hollow")
    panel = role("panel")
    assert seen.colour(0, 104.0, 4) == panel  # inside: rose from its open
    assert seen.near(0, 108.0, "up") and seen.near(0, 100.0, "up")  # its frame
    assert seen.colour(1, 100.0, 4) == role("down")  # fell: filled
    assert seen.near(2, 97.0, "up")  # closed over the close before


def test_bars_have_the_open_left_and_the_close_right(chart: ChartView) -> None:
    seen = look(chart, "bars")
    up = role("up")
    assert seen.near(0, 100.0, "up") and seen.near(0, 108.0, "up")
    left, right = seen.at.x(0) - 5, seen.at.x(0) + 5
    opened, closed = round(seen.at.y(100.0)), round(seen.at.y(108.0))

    def has(x: float, y: int) -> bool:
        return any(seen.image.pixelColor(int(x), y + dy) == up for dy in (-1, 0, 1))

    assert has(left, opened) and not has(right, opened)
    assert has(right, closed) and not has(left, closed)


@pytest.mark.parametrize("kind", ["line", "markers", "area"])
def test_a_line_runs_through_the_closes(chart: ChartView, kind: str) -> None:
    seen = look(chart, kind)
    for index, row in enumerate(PRICES):
        assert seen.near(index, row[3], "accent"), index
    middle = (PRICES[0][3] + PRICES[1][3]) / 2
    assert seen.near(0.5, middle, "accent")
    assert not seen.near(0.5, 112.0, "accent")


def test_an_area_is_filled_below_its_line(chart: ChartView) -> None:
    seen = look(chart, "area")
    panel = role("panel")
    assert seen.colour(0.5, 96.0, 3) != panel
    assert seen.colour(0.5, 111.0, 3) == panel


def test_a_step_holds_the_close_until_the_next(chart: ChartView) -> None:
    seen = look(chart, "step")
    assert seen.near(0.6, 108.0, "accent")
    assert not seen.near(0.6, 102.0, "accent", 1)
    assert seen.near(1, 101.0, "accent")  # the jump


def test_a_baseline_has_the_colour_of_its_side(chart: ChartView) -> None:
    seen = look(chart, "baseline")
    base = chart.canvas.scale_y.base
    assert base == 108.0  # the first close in view
    assert seen.near(1, 95.0, "down")
    assert seen.colour(1, 102.0, 3) != role("panel")  # shaded between line and base
    assert colour_count(seen.image, "panel") > 1_000


def test_high_low_and_columns_are_blocks(chart: ChartView) -> None:
    seen = look(chart, "high-low")
    assert seen.colour(0, 111.0) == seen.colour(0, 97.0) == role("up")
    assert seen.colour(1, 109.0, 3) == role("down")
    seen = look(chart, "columns")
    assert seen.colour(0, 107.0, 3) == role("up")
    assert seen.colour(0, 91.0, 3) == role("up")
    assert seen.colour(0, 110.0, 3) != role("up")


def test_volumes_at_the_foot_are_in_the_pane_of_prices(chart: ChartView) -> None:
    shown(chart, walk(300))
    canvas = chart.canvas
    assert [pane.number for pane in canvas.stage.panes] == [0, -1]
    chart.set_volume(Volume.FOOT)
    assert [pane.number for pane in canvas.stage.panes] == [0]
    rect = canvas.stage.prices.rect
    image = picture(chart)
    foot = image.copy(0, int(rect.bottom()) - 6, int(rect.width()), 4)
    with_volume = len({foot.pixel(x, 1) for x in range(foot.width())})
    assert with_volume > 2
    chart.set_volume(Volume.NOWHERE)
    assert canvas.stage.foot is None


# -- rows of transforms -----------------------------------------------------------------------
def rows(*given: tuple[float, float, int, int, float]) -> TransformedBars:
    """Of open, close, direction, thick, turn."""
    made = [
        Row(index, o, max(o, c), min(o, c), c, 10.0, 0.0, way, thick, turn)
        for index, (o, c, way, thick, turn) in enumerate(given)
    ]
    return TransformedBars.of(made, T0 + 60 * np.arange(len(made), dtype=np.int64))


def seen_rows(chart: ChartView, kind: str, given: TransformedBars, box: float = 0.0) -> Look:
    chart.set_kind(kind)
    chart.set_rows(given, Interval.M1, 2, 0.05, box)
    chart.set_volume(Volume.NOWHERE)
    QTest.qWait(1)  # the layout gives the canvas its size
    chart.flush()
    return Look(chart, picture(chart))


NAN = float("nan")


def test_bricks_are_filled_from_open_to_close(chart: ChartView) -> None:
    given = rows((100, 110, 1, 0, NAN), (110, 120, 1, 0, NAN), (110, 100, -1, 0, NAN))
    seen = seen_rows(chart, "renko", given)
    assert seen.colour(0, 105.0) == seen.colour(1, 115.0, 5) == role("up")
    assert seen.colour(2, 105.0) == role("down")
    assert role("up") != seen.colour(0, 115.0)
    assert role("down") != seen.colour(2, 115.0)


def test_kagi_is_thick_where_it_is_yang(chart: ChartView) -> None:
    given = rows((100, 130, 1, 1, 110.0), (130, 105, -1, 1, NAN), (105, 90, -1, 0, 100.0))
    seen = seen_rows(chart, "kagi", given)

    def width(index: int, price: float, name: str) -> int:
        y = round(seen.at.y(price))
        x = int(seen.at.x(index))
        return sum(seen.image.pixelColor(x + dx, y) == role(name) for dx in range(-5, 6))

    assert width(0, 120.0, "up") == 3  # passed the shoulder at 110
    assert width(1, 120.0, "up") == 3
    assert width(2, 95.0, "down") == 1  # fell under the waist at 100
    assert seen.colour(0.5, 130.0) == role("up")  # across at the turn


def test_point_and_figure_has_crosses_and_rings(chart: ChartView) -> None:
    given = rows((100, 140, 1, 0, NAN), (130, 110, -1, 0, NAN), (120, 150, 1, 0, NAN))
    seen = seen_rows(chart, "point-figure", given, 10.0)
    assert seen.near(0, 120.0, "up", 1)  # the middle of an X
    assert not seen.near(1, 120.0, "down", 1)  # the middle of an O is empty
    half = seen.at.step * 0.38
    x, y = int(seen.at.x(1) + half), round(seen.at.y(120.0))
    near = [seen.image.pixelColor(x + dx, y) for dx in (-1, 0, 1)]
    assert any(colour.red() > 150 for colour in near)
    assert not seen.near(1, 145.0, "down", 3)


def test_a_row_more_or_less_follows_the_market(chart: ChartView) -> None:
    given = rows(*[(100.0 + i, 101.0 + i, 1, 0, NAN) for i in range(200)])
    seen_rows(chart, "renko", given)
    canvas = chart.canvas
    right, renders = canvas.scale_x.right, canvas.renders
    more = rows(*[(100.0 + i, 101.0 + i, 1, 0, NAN) for i in range(202)])
    chart.rows_changed(199, more)
    chart.flush()
    assert len(canvas.series) == 202 and canvas.scale_x.right == right + 2
    picture(chart)
    assert canvas.renders > renders
    chart.rows_changed(199, given)
    chart.flush()
    assert len(canvas.series) == 200 and canvas.scale_x.right == right
    chart.set_market(305.5)
    chart.flush()
    assert canvas.overlay._last is not None and canvas.overlay._last.price == 305.5


def test_the_forming_bar_alone_is_drawn_as_among_others(chart: ChartView) -> None:
    shown(chart, walk(140))
    stage, kept = chart.canvas.stage, chart.canvas.kept
    for ratio in (1.0, 1.25, 1.5, 2.0):
        stage.ratio = ratio
        for pane, paint in ((stage.panes[0], candles), (stage.panes[1], volume)):
            at = stage.at(pane)
            pictures = []
            for first in (range(100, 130), [100]):
                image = QImage(2_500, 1_500, QImage.Format.Format_RGB32)
                image.fill(0)
                painter = QPainter(image)
                if len(first) == 1:
                    paint(painter, at, 100, 130, 1, kept.ink)
                else:
                    for index in first:
                        paint(painter, at, index, index + 1, 1, kept.ink)
                painter.end()
                pictures.append(image)
            assert pictures[0] == pictures[1], (ratio, pane.number)
