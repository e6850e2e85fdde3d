"""How studies and compared series are drawn, by the colours of places that are computed."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest

from openalgo_desktop.core.charting.studies import Draw, Level, Output, Profile, Style
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.canvas.stage import Volume
from openalgo_desktop.ui.chart.paint.curves import dense
from openalgo_desktop.ui.chart.plots.draws import PAINT, Part
from openalgo_desktop.ui.chart.plots.study import Compared, StudyView
from openalgo_desktop.ui.chart.scales.lines import spans as columns_of
from openalgo_desktop.ui.chart.scales.price_scale import ScaleKind
from openalgo_desktop.ui.kit import theme
from tests.ui.chart.test_chart import colour_count, picture, point, shown, walk
from tests.ui.chart.test_kinds import PRICES, Look, bars, role

#: Values at the three bars, over the highs or under the lows of all.
OVER = np.array([116.0, 118.0, 120.0])
NAN = math.nan


def view(values: np.ndarray, draw: Draw, pane: int = 0, **more: object) -> StudyView:
    output = Output("a", "A", draw, "study-3", **more)  # type: ignore[arg-type]
    return StudyView("one", "One", (output,), (values,), pane)


def drawn(chart: ChartView, *views: StudyView) -> Look:
    chart.set_volume(Volume.NOWHERE)
    shown(chart, bars(PRICES))
    chart.set_studies(views)
    chart.flush()
    seen = Look(chart, picture(chart))
    if views and views[0].pane:
        pane = seen.stage.pane(views[0].pane)
        assert pane is not None
        seen.at = seen.stage.at(pane)
    return seen


def test_every_word_has_a_painter() -> None:
    assert set(PAINT) == set(Draw)


@pytest.mark.parametrize("draw", [Draw.LINE, Draw.DOTS, Draw.CROSSES, Draw.STEP, Draw.AREA])
def test_what_marks_a_value_is_at_the_value(chart: ChartView, draw: Draw) -> None:
    seen = drawn(chart, view(OVER, draw, width=2.0))
    for index, value in enumerate(OVER):
        assert seen.near(index, value, "study-3"), index
    between = draw in (Draw.LINE, Draw.AREA)
    assert seen.near(0.5, 117.0, "study-3", 1) is between
    assert seen.near(0.5, 116.0, "study-3", 1) is (draw is Draw.STEP)


def test_a_gap_breaks_a_line(chart: ChartView) -> None:
    seen = drawn(chart, view(np.array([116.0, NAN, 120.0]), Draw.LINE))
    assert not seen.near(0.5, 117.0, "study-3")
    assert not seen.near(1.0, 118.0, "study-3")


@pytest.mark.parametrize(
    ("draw", "period", "joined"),
    [
        (Draw.LINE, "day", False),
        (Draw.LINE, "week", True),
        (Draw.LINE, "", True),
        (Draw.STEP, "day", False),
        (Draw.STEP, "auto", False),
        (Draw.STEP, "month", True),
    ],
)
def test_the_line_of_a_day_is_not_joined_to_that_of_the_day_before(
    chart: ChartView, draw: Draw, period: str, joined: bool
) -> None:
    chart.set_volume(Volume.NOWHERE)
    rows = bars((*PRICES, PRICES[-1]))
    rows.time[:] = 1_795_060_800 + np.array([0, 60, 86_400, 86_460])  # Thursday and Friday
    shown(chart, rows)
    study = view(np.array([116.0, 116.0, 120.0, 120.0]), draw, width=2.0)
    study.periods = [period]
    chart.set_studies([study])
    chart.flush()
    seen = Look(chart, picture(chart))
    between = (1.5, 118.0) if draw is Draw.LINE else (2.0, 118.0)
    assert seen.near(0.5, 116.0, "study-3", 1) and seen.near(2.5, 120.0, "study-3", 1)
    assert seen.near(*between, "study-3", 1) is joined


def test_a_histogram_grows_from_zero_in_two_colours(chart: ChartView) -> None:
    study = view(np.array([5.0, -4.0, 2.0]), Draw.HISTOGRAM, 1, falling="study-7")
    seen = drawn(chart, study)
    assert seen.colour(0, 2.5) == seen.colour(2, 1.0, 3) == role("study-3")
    assert seen.colour(1, -2.0, 3) == role("study-7")
    assert seen.colour(1, 2.0) != role("study-7")
    low, high = seen.stage.panes[1].scale.range
    assert low < -4 and high > 5


def test_columns_stand_on_the_foot_of_their_pane(chart: ChartView) -> None:
    seen = drawn(chart, view(np.array([5.0, 9.0, 7.0]), Draw.COLUMNS, 1, falling="study-7"))
    assert seen.colour(1, 8.0) == seen.colour(1, 0.5) == role("study-3")
    assert seen.colour(2, 6.0, 3) == role("study-7")  # below the one before


def test_a_band_is_filled_between_its_outputs(chart: ChartView) -> None:
    outputs = (
        Output("upper", "U", Draw.LINE, "study-2"),
        Output("lower", "L", Draw.LINE, "study-2"),
        Output("band", "B", Draw.BAND, "study-2", fill_to="lower", falling="down"),
    )
    upper, lower = OVER + 4.0, OVER
    study = StudyView("b", "Band", outputs, (upper, lower, upper))
    seen = drawn(chart, study)
    inside, panel = seen.colour(0.5, 119.0, 4), role("panel")
    assert inside != panel and inside.blue() > panel.blue()
    assert seen.colour(0.5, 123.0, 4) == panel
    crossed = StudyView("b", "Band", outputs, (lower, upper, lower))
    other = drawn(chart, crossed).colour(0.5, 119.0, 4)
    assert other.red() > inside.red()  # the second colour where it is the lower one


def test_marks_stand_under_the_low_and_over_the_high(chart: ChartView) -> None:
    seen = drawn(chart, view(np.array([1.0, NAN, -1.0]), Draw.MARKS, falling="study-7"))
    x, ratio = int(seen.at.x(0)), seen.at.ratio
    below = [seen.image.pixelColor(x, round(seen.at.y(96.0)) + dy) for dy in range(4, 9)]
    assert ratio == 1.0 and below.count(role("study-3")) >= 3
    x = int(seen.at.x(2))
    above = [seen.image.pixelColor(x, round(seen.at.y(99.0)) - dy) for dy in range(4, 9)]
    assert above.count(role("study-7")) >= 3


def test_a_study_may_colour_the_bars(chart: ChartView) -> None:
    seen = drawn(chart, view(np.array([1.0, 0.0, -1.0]), Draw.BARS, falling="study-7"))
    assert seen.colour(0, 104.0, 4) == role("study-3")
    assert seen.colour(1, 100.0, 4) == role("muted")
    assert seen.colour(2, 96.0, 4) == role("study-7")
    chart.set_studies(())
    chart.flush()
    assert Look(chart, picture(chart)).colour(0, 104.0, 4) == role("up")


def test_an_offset_moves_what_is_drawn_and_what_is_read(chart: ChartView) -> None:
    study = view(OVER, Draw.DOTS, offset=1, width=4.0)
    seen = drawn(chart, study)
    assert seen.near(1, 116.0, "study-3") and seen.near(3, 120.0, "study-3")
    assert not seen.near(0, 116.0, "study-3")
    assert study.value(0, 1) == 116.0 and math.isnan(study.value(0, 0))


def test_a_style_of_the_user_wins_and_a_hidden_output_is_gone(chart: ChartView) -> None:
    study = view(OVER, Draw.LINE)
    study.styles = {"a": Style(colour="#123456", width=3.0)}
    assert drawn(chart, study).colour(1, 118.0).name() == "#123456"
    study.styles = {"a": Style(hidden=True)}
    assert not drawn(chart, study).near(1, 118.0, "study-3")
    study.styles, study.hidden = {}, True
    assert not drawn(chart, study).near(1, 118.0, "study-3")


def test_a_profile_is_drawn_sideways_with_its_point(chart: ChartView) -> None:
    prices = np.array([92.0, 96.0, 100.0, 104.0])
    parts = (np.array([1.0, 4.0, 9.0, 2.0]), np.array([1.0, 2.0, 3.0, 2.0]))
    profile = Profile(0, 2, 4.0, prices, parts, 102.0, 96.0, 104.0)
    study = view(np.full(3, NAN), Draw.NOTHING)
    study.profiles = (profile,)
    seen = drawn(chart, study)
    panel = role("panel")
    assert seen.colour(-0.45, 98.0) != panel and seen.colour(-0.45, 101.0) != panel
    assert seen.colour(0.55, 94.0) in (panel, role("grid"))  # the short row ends before
    assert seen.near(1.5, 102.0, "accent", 1)


def test_letters_of_a_profile_are_written_in_their_rows(chart: ChartView) -> None:
    prices = np.array([92.0, 98.0, 104.0])
    sizes = (np.array([1.0, 3.0, 2.0]),)
    profile = Profile(0, 2, 6.0, prices, sizes, 101.0, 98.0, 104.0, ("A", "ABC", "BC"))
    study = view(np.full(3, NAN), Draw.NOTHING)
    study.profiles = (profile,)
    seen = drawn(chart, study)
    x, y = int(seen.at.x(-0.5)), round(seen.at.y(101.0))
    area = seen.image.copy(x, y - 16, 40, 12)
    assert len({area.pixel(i, j) for i in range(40) for j in range(12)}) > 4


# -- panes ------------------------------------------------------------------------------------
def test_studies_have_their_panes_and_their_levels(chart: ChartView) -> None:
    shown(chart, walk(300))
    rsi = view(np.linspace(20, 80, 300), Draw.LINE, 2)
    rsi.levels, rsi.low, rsi.high = (Level(70), Level(30)), 0, 100
    chart.set_studies((rsi, view(np.linspace(-3, 3, 300), Draw.HISTOGRAM, 1)))
    chart.flush()
    stage = chart.canvas.stage
    assert [pane.number for pane in stage.panes] == [0, -1, 1, 2]
    tops = [pane.rect.top() for pane in stage.panes]
    assert tops == sorted(tops) and stage.bottom == stage.panes[3].rect.bottom()
    assert stage.panes[3].scale.range == (0.0, 100.0)
    assert [label.text for label in stage.panes[3].labels] == ["30", "70"]
    seen = Look(chart, picture(chart))
    seen.at = stage.at(stage.panes[3])
    assert seen.near(stage.scale_x.left + 20, 70.0, "muted", 6)  # a level
    chart.set_studies((rsi,))
    chart.flush()
    assert [pane.number for pane in stage.panes] == [0, -1, 2]


def test_a_divider_is_dragged_and_a_double_click_evens_out(chart: ChartView) -> None:
    shown(chart, walk(300))
    canvas, stage = chart.canvas, chart.canvas.stage
    edge = round(stage.panes[1].rect.top())
    before, left = stage.panes[1].rect.height(), canvas.scale_x.left
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(300, edge))
    QTest.mouseMove(canvas, QPoint(300, edge - 60))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(300, edge - 60))
    assert stage.panes[1].rect.height() == pytest.approx(before + 60, abs=1)
    assert canvas.scale_x.left == left
    state = chart.save()
    QTest.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(300, edge - 60))
    assert stage.panes[1].rect.height() == pytest.approx(before, abs=1)
    chart.restore(state)
    assert stage.panes[1].rect.height() == pytest.approx(before + 60, abs=1)
    chart.restore({"heights": {"0": "high", "x": 4}, "scale": 7, "kind": "none"})
    assert len(stage.panes) == 2


def test_the_axis_of_each_pane_stretches_its_own_values(chart: ChartView) -> None:
    shown(chart, walk(300))
    chart.set_studies((view(np.linspace(20, 80, 300), Draw.LINE, 1),))
    chart.flush()
    canvas, stage = chart.canvas, chart.canvas.stage
    pane, prices = stage.panes[2], stage.prices.scale.range
    low, high = pane.scale.range
    x, y = int(stage.area.right()) + 20, int(pane.rect.center().y())
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(x, y))
    QTest.mouseMove(canvas, QPoint(x, y + 40))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(x, y + 40))
    assert pane.scale.range[1] - pane.scale.range[0] > (high - low) * 1.2
    assert stage.prices.scale.range == prices
    QTest.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(x, y))
    assert pane.scale.range == pytest.approx((low, high))


# -- legends ------------------------------------------------------------------------------------
def test_a_row_of_the_legend_says_values_and_takes_questions(chart: ChartView) -> None:
    shown(chart, walk(300))
    chart.set_studies((view(np.linspace(23_000, 23_900, 300), Draw.LINE),))
    chart.flush()
    overlay, canvas = chart.canvas.overlay, chart.canvas
    (row,) = overlay._legend_of.rows
    assert row.parts == (("One", "text"), ("23,900.00", "study-3"))
    place = overlay._legend_of._places["one"]
    menus: list[str] = []
    asked: list[tuple[str, str]] = []
    chart.study_menu.connect(lambda ident, _at: menus.append(ident))
    chart.study_asked.connect(lambda ident, spot: asked.append((ident, spot)))
    at = place.topLeft() + QPoint(3, place.height() // 2)
    point(canvas, at)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)
    assert menus == ["one"] and asked == []
    _, spots = overlay._legend_of._split(row, place)
    for spot in spots:
        point(canvas, spot.center())
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=spot.center())
    assert asked == [("one", "hide"), ("one", "settings"), ("one", "close")]
    point(canvas, QPoint(400, 300))
    assert overlay.row_at(spots[0].center()) == ("", "")  # seen only under the pointer


# -- compared -----------------------------------------------------------------------------------
def test_a_compared_series_begins_where_the_main_one_does(chart: ChartView) -> None:
    chart.set_volume(Volume.NOWHERE)
    shown(chart, bars(PRICES))
    other = Compared("n", "Nifty", np.array([10.0, 11.0, 12.0]), "study-6")
    chart.set_overlays((other,))
    chart.set_scale(ScaleKind.PERCENT)
    chart.flush()
    seen = Look(chart, picture(chart))
    base = PRICES[0][3]
    assert seen.near(1, base * 1.1, "study-6") and seen.near(2, base * 1.2, "study-6")
    assert chart.canvas.scale_y.range[1] > base * 1.2
    assert other.change(2, 0) == pytest.approx(20.0)
    assert all(label.text.endswith("%") for label in seen.stage.prices.labels)
    other.own = True
    chart.set_overlays((other,))
    chart.flush()
    assert chart.canvas.scale_y.range[1] < base * 1.2


def test_a_compared_series_is_not_upside_down_over_prices_below_0(chart: ChartView) -> None:
    chart.set_volume(Volume.NOWHERE)
    below = [(-1000.0, -900.0, -1100.0, -1000.0), (-1000.0, -800.0, -1050.0, -900.0)]
    shown(chart, bars([*below, below[1]]))
    other = Compared("n", "Nifty", np.array([10.0, 11.0, 12.0]), "study-6")
    chart.set_overlays((other,))
    chart.set_scale(ScaleKind.PERCENT)
    chart.flush()
    seen = Look(chart, picture(chart))
    assert seen.near(1, -900.0, "study-6") and seen.near(2, -800.0, "study-6")
    texts = {round(label.value): label.text for label in seen.stage.prices.labels}
    assert texts[-900] == "+10.00%" and all(text.endswith("%") for text in texts.values())


def test_many_bars_and_studies_keep_their_extremes_in_sight(chart: ChartView) -> None:
    history = walk(40_000)
    shown(chart, history)
    spike = np.full(40_000, 50.0)
    spike[20_123] = 99.0
    chart.set_studies((view(spike, Draw.LINE, 1, width=1.0),))
    scale = chart.canvas.scale_x
    scale.zoom(1e9, scale.right)
    chart.canvas.changed_view()
    stage = chart.canvas.stage
    assert stage.merge > 10
    assert stage.pane(1).scale.range[1] > 99.0  # type: ignore[union-attr]
    seen = Look(chart, picture(chart))
    seen.at = stage.at(stage.pane(1))  # type: ignore[arg-type]
    assert seen.near(20_123, 98.0, "study-3", 3)
    assert colour_count(seen.image, "study-3") > 500
    assert theme.current().dark


@pytest.mark.parametrize("gap", [False, True])
def test_the_last_column_of_a_long_line_is_as_among_others(chart: ChartView, gap: bool) -> None:
    shown(chart, walk(3_000))
    scale, stage = chart.canvas.scale_x, chart.canvas.stage
    scale.zoom(1e9, scale.right)
    chart.canvas.changed_view()
    at, merge = stage.at(stage.prices), 7
    values = walk(3_000, seed=5).close
    if gap:
        values[2_980:2_995] = NAN
    paints = [(role("up"), False), (role("down"), True)]
    pictures = []
    for spans in ([(0, 3_000, merge)], [(0, 2_996, merge), (2_989, 3_000, merge)]):
        image = QImage(1_300, 800, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        for span in spans:
            dense(painter, at, values, span, paints, 1.5)
        painter.end()
        pictures.append(image)
    assert merge >= 3_000 - 2_996 and pictures[0] == pictures[1]


def test_a_tick_of_a_study_leaves_the_picture_of_closed_bars(chart: ChartView) -> None:
    shown(chart, walk(300))
    values = np.linspace(100.0, 101.0, 300)
    study = view(values, Draw.LINE)
    prices = np.array([100.0, 101.0])
    profile = Profile(0, 9, 1.0, prices, (prices,), 100.5, 100.0, 102.0)
    study.profiles = (profile,)
    chart.set_studies([study])
    chart.flush()
    picture(chart)
    ground = chart.canvas.kept.base
    before = ground.wholes
    values[-1] = 100.5
    chart.set_study_values("one", [values], [profile])
    chart.flush()
    picture(chart)
    assert ground.wholes == before
    chart.set_study_values("one", [values], ())
    chart.flush()
    picture(chart)
    assert ground.wholes == before + 1 and not study.profiles


def test_extremes_of_many_values_are_those_of_all() -> None:
    random = np.random.default_rng(3)
    values = random.normal(0, 9, 9_000).cumsum()
    values[:300] = values[2_000:2_900] = np.nan
    values[5_000] = np.inf
    view = StudyView("s", "S", (Output("a", "A"),), (values,))
    for first, last in ((0, 9_000), (250, 8_999), (1_000, 5_600), (4_901, 9_000), (0, 8_000)):
        part = values[first:last]
        known = part[np.isfinite(part)]
        assert view.extremes(first, last) == (known.min(), known.max())
    values[8_999] = 1e6  # the forming one
    assert view.extremes(0, 9_000)[1] == 1e6
    values[700] = -1e6
    view.forget()
    assert view.extremes(0, 9_000)[0] == -1e6


def test_nor_where_many_bars_are_one_column() -> None:
    days, a_day, merge = 6, 375, 10
    first = 1_795_060_800 + np.arange(days) * 86_400
    times = (first[:, None] + np.arange(a_day) * 60).ravel()
    at = SimpleNamespace(series=SimpleNamespace(time=times, length=60.0))
    study = view(np.repeat(np.arange(days) + 100.0, a_day), Draw.STEP)

    def columns(period: str, start: int, end: int, bars: int) -> tuple[np.ndarray, np.ndarray]:
        study.periods = [period]
        ink: Any = SimpleNamespace(of=None)
        part = Part(cast("Any", None), cast("Any", at), study, 0, start, end, bars, ink)
        values = part.apart()
        _, low, high, _ = columns_of(values, start, end, bars)
        return low, high

    low, high = columns("day", 0, days * a_day, merge)
    known = np.isfinite(low)
    assert np.array_equal(low[known], high[known])  # no column runs from one level to the next
    assert (~known).sum() == days - 1  # and one between them is left out
    assert all(np.isnan(low[[37, 74, 112]]))
    assert np.isfinite(columns("day", 0, days * a_day, 1)[0]).all()  # each bar has its own
    part, _ = columns("day", 730, 770, merge)  # a strip of it is the same
    assert np.array_equal(part, low[73:77], equal_nan=True)
    assert np.isfinite(columns("", 0, days * a_day, merge)[0]).all()
    assert np.isfinite(columns("week", 0, 3 * a_day, merge)[0]).all()  # Thursday to Saturday
    assert np.isfinite(columns("day", 0, days * a_day, 200)[0]).all()  # hardly a column a day
