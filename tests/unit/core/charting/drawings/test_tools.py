"""The tables of tools, and what must hold for every one of them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import isfinite

import msgspec
import numpy as np
import pytest

from openalgo_desktop.analytics.indicators import registry
from openalgo_desktop.core.charting.drawings.geometry import GEOMETRY, picture
from openalgo_desktop.core.charting.drawings.geometry.sheet import NEAR, Point, box_of, clipped
from openalgo_desktop.core.charting.drawings.geometry.touch import (
    bounds,
    distance,
    handle_at,
    hits,
    inside,
)
from openalgo_desktop.core.charting.drawings.model import Drawing, Family, Style
from openalgo_desktop.core.charting.drawings.tools import by_family, tool, tools
from openalgo_desktop.core.charting.drawings.values import levels_at, names_of
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import ParamKind
from openalgo_desktop.core.errors import DataError
from tests.unit.core.charting.drawings.pane import SPOTS, STEP, Pane, anchor, bars, drawn
from tests.unit.core.charting.drawings.spots import AT_15, ON, WRITTEN

DRAWN = [row for row in tools().values() if not row.study]
IDS = [row.tool for row in DRAWN]


def on_stroke(made, x: float, y: float) -> float:
    """Distance of a place to the nearest line."""
    place = Point(x, y)
    far = []
    for stroke in made.strokes:
        points = stroke.points + (stroke.points[:1] if stroke.closed else ())
        far += [distance(place, a, b) for a, b in pairwise(points)]
    return min(far)


def test_there_are_enough_and_the_tables_are_sound():
    assert len(DRAWN) >= 75
    assert set(by_family()) == set(Family) and all(by_family().values())
    assert {row.geometry for row in tools().values()} == set(GEOMETRY)
    keys = Counter(row.key for row in tools().values() if row.key)
    assert keys == {"Alt+Shift+T": 1, "Alt+Shift+H": 1, "Alt+Shift+V": 1, "Alt+Shift+F": 1}
    assert len({row.title for row in tools().values()}) == len(tools())
    for row in DRAWN:
        assert not row.labels or len(row.labels) == row.least
        assert all(max(*r.over, *r.under) < row.least for r in row.ratios)
    for row in by_family()[Family.STUDIES]:  # the study is there and takes these moments
        spec = registry.spec(row.study)
        times = {param.name for param in spec.params if param.kind is ParamKind.TIME}
        assert row.least == len(row.params) and set(row.params) <= times
    with pytest.raises(DataError, match="nothing"):
        tool("nothing")


@pytest.mark.parametrize("row", DRAWN, ids=IDS)
@pytest.mark.parametrize("scale", ["linear", "log", "inverted"])
def test_every_tool_draws_something_finite_on_every_scale(row, scale):
    at = Pane(scale)
    made = picture(drawn(row), at)
    assert made.strokes or made.labels
    assert all(isfinite(v) for stroke in made.strokes for point in stroke.points for v in point)
    assert all(isfinite(v) for label in made.labels for v in label.at)
    if not row.screen:
        firsts = [handle.at for handle in made.handles][:1]
        assert firsts == [Point(at.x(10), at.y(120.0))]
    box = bounds(made, at)
    assert box is not None and box.left <= box.right and box.top <= box.bottom


@pytest.mark.parametrize("row", DRAWN, ids=IDS)
def test_every_tool_is_where_its_definition_says(row):
    at = Pane()
    made = picture(drawn(row), at)
    if row.tool in WRITTEN:
        x, y = WRITTEN[row.tool]
        (label,) = made.labels
        assert (label.at, label.across, label.down, label.text) == (Point(x, y), 0, 0, row.text)
        assert not made.strokes and hits(made, Point(x + 3, y + 3), at, 4.0)
        return
    assert ON[row.tool]  # whatever is new says where it is
    for x, y in ON[row.tool]:
        assert on_stroke(made, x, y) < 0.6, (x, y)
        assert hits(made, Point(x, y), at, 4.0)


@pytest.mark.parametrize("row", DRAWN, ids=IDS)
def test_every_tool_survives_json_and_a_placing_that_is_not_done(row):
    drawing = drawn(row, locked=True, spans=("5m",), numbers={"risk": 5.0}, name="mine")
    text = msgspec.json.encode(drawing)
    assert msgspec.json.decode(text, type=Drawing) == drawing
    for count in range(1, len(drawing.anchors)):
        assert picture(drawing.moved(drawing.anchors[:count]), Pane()).handles
    same = tuple(anchor(10, 120.0) for _ in drawing.anchors)
    if not row.screen:  # all clicks in one place
        made = picture(drawing.moved(same), Pane())
        assert all(isfinite(v) for s in made.strokes for p in s.points for v in p)
        levels_at(drawing.moved(same), anchor(10, 0).time, bars=bars())


@pytest.mark.parametrize("row", DRAWN, ids=IDS)
def test_values_by_name_at_a_moment(row):
    found = dict(levels_at(drawn(row), anchor(15, 0).time, bars=bars()))
    for name, price in AT_15.get(row.tool, {}).items():
        assert found[name] == pytest.approx(price, abs=1e-9), name
    assert set(found) <= set(names_of(drawn(row)))


@pytest.mark.parametrize("ident", ["trend", "parallel-channel", "pitchfork", "fib-retracement"])
def test_values_are_what_a_linear_chart_shows(ident):
    at, drawing = (
        Pane(),
        drawn(tool(ident), style=Style(right=True, levels=tool(ident).style.levels)),
    )
    shown = {stroke.name: stroke.points for stroke in picture(drawing, at).strokes if stroke.name}
    values = levels_at(drawing, anchor(33, 0).time, bars=bars())
    assert values
    for name, price in values:
        a, b = shown[name]
        y = a.y + (b.y - a.y) * (at.x(33) - a.x) / (b.x - a.x)
        assert at.price(y) == pytest.approx(price, abs=1e-6)


def test_a_line_has_no_value_before_it_began_and_a_ray_has_one_after_its_points():
    trend, ray = drawn(tool("trend")), drawn(tool("ray"))
    assert levels_at(trend, anchor(9, 0).time, bars=bars()) == []
    assert levels_at(trend, anchor(21, 0).time, bars=bars()) == []
    assert levels_at(ray, anchor(80, 0).time, bars=bars()) == [("line", pytest.approx(260))]
    assert levels_at(ray, anchor(80, 0).time) == [("line", pytest.approx(260))]  # by plain time
    assert levels_at(ray, anchor(80, 0).time + STEP / 2, bars=bars())[0][1] == pytest.approx(260)


@pytest.mark.parametrize("ident", ["fib-retracement", "rectangle", "long-position", "gann-box"])
def test_levels_of_prices_hold_on_after_their_strokes_end(ident):
    drawing = drawn(tool(ident))
    during = levels_at(drawing, anchor(15, 0).time, bars=bars())
    assert during and levels_at(drawing, anchor(58, 0).time, bars=bars()) == during
    assert levels_at(drawing, anchor(9, 0).time, bars=bars()) == []


def test_a_vertical_line_and_a_screen_text_have_no_values():
    for ident in ("vertical", "anchored-text", "fib-circles", "brush"):
        assert levels_at(drawn(tool(ident)), anchor(15, 0).time, bars=bars()) == []


def test_regression_is_least_squares_of_the_closes():
    row, columns = tool("regression-trend"), bars()
    drawing = drawn(row, spots=((10, 1.0), (40, 2.0)))
    values = dict(levels_at(drawing, anchor(25, 0).time, bars=columns))
    places = np.arange(10, 41)
    design = np.stack([np.ones(31), places], axis=1)
    base, slope = np.linalg.lstsq(design, columns.close[10:41], rcond=None)[0]
    spread = np.std(columns.close[10:41] - (base + slope * places))
    assert values["regression"] == pytest.approx(base + slope * 25)
    assert values["+2σ"] == pytest.approx(base + slope * 25 + 2 * spread)
    assert values["-2σ"] == pytest.approx(base + slope * 25 - 2 * spread)
    assert levels_at(drawing, anchor(25, 0).time) == []  # without bars nothing is known


def test_a_bars_pattern_repeats_highs_and_lows():
    at, columns = Pane(), bars()
    drawing = drawn(tool("bars-pattern"))
    made = picture(drawing, at)
    move = 130.0 - float(columns.open[10])
    wick = made.strokes[1].points
    assert wick[0] == Point(at.x(30), pytest.approx(at.y(float(columns.high[10]) + move)))
    assert wick[1].y == pytest.approx(at.y(float(columns.low[10]) + move))


def test_levels_of_prices_are_right_on_a_log_scale():
    at = Pane("log")
    made = picture(drawn(tool("fib-retracement")), at)
    half = next(stroke for stroke in made.strokes if stroke.name == "0.5")
    assert half.points[0].y == pytest.approx(at.y(130.0))
    ray = picture(drawn(tool("ray")), at).strokes[0].points
    slope = (at.y(140.0) - at.y(120.0)) / 100  # straight on the screen
    assert ray[1].y == pytest.approx(ray[0].y + slope * (ray[1].x - ray[0].x))


def test_on_longer_bars_an_anchor_is_at_the_bar_that_holds_its_moment():
    hours = bars(6)._replace(time=anchor(0, 0).time + 3600 * np.arange(6, dtype=np.int64))
    hours = hours._replace(time=hours.time.astype(np.int64))
    at = Pane(columns=hours)
    made = picture(drawn(tool("trend"), spots=((13, 110.0), (47, 120.0))), at)
    assert [handle.at.x for handle in made.handles] == [at.x(1), at.x(3)]  # 65 and 235 minutes
    free = picture(drawn(tool("brush"), spots=((6, 110.0), (12, 120.0), (18, 1.0), (24, 1.0))), at)
    assert free.handles[0].at.x == at.x(0.5)


def test_clipping():
    box = Pane().pane
    ends = clipped(Point(100, 100), Point(200, 150), box, True, True)
    assert ends == (Point(0, 50), Point(700, 400))
    assert clipped(Point(0, -10), Point(10, -10), box, True, True) is None
    up = clipped(Point(5, 300), Point(5, 200), box, False, True)
    assert up == (Point(5, 300), Point(5, 0))


def test_touching():
    at = Pane()
    made = picture(drawn(tool("rectangle")), at)
    middle = Point(155, 280)
    assert not hits(made, middle, at, 4.0)
    assert hits(made, middle, at, 4.0, filled=True)
    assert not hits(made, Point(155, 230), at, 4.0, filled=True)
    assert inside(middle, (Point(0, 0), Point(300, 0), Point(300, 600)))
    assert handle_at(made, Point(204, 242), 8.0) == 1
    assert handle_at(made, Point(155, 280), 8.0) is None


def test_spans_on_which_it_shows():
    drawing = drawn(tool("trend"), spans=("5m", "D"))
    assert drawing.shows_on(Span.parse("5m")) and drawing.shows_on(Span.parse("3D"))
    assert not drawing.shows_on(Span.parse("15m"))
    assert drawn(tool("trend")).shows_on(Span.parse("15m"))
    assert not drawn(tool("trend"), hidden=True).shows_on(None)


def test_spots_are_those_of_the_picture():
    assert [(Pane().x(i), Pane().y(p)) for i, p in SPOTS[:2]] == [(105, 320), (205, 240)]


@pytest.mark.parametrize("name", [row.tool for row in DRAWN if row.style.levels])
@pytest.mark.parametrize("high", [0.5, 4.0, 30.0])
def test_names_of_tight_levels_give_way(name: str, high: float) -> None:
    pane, row = Pane(), tool(name)
    spots = ((20, 120.0), (20 + int(high), 120.0 + high), (22 + int(high), 120.0), (40, 140.0))
    made = picture(drawn(row, spots=spots), pane)
    boxes = [box_of(label, pane) for label in made.labels]
    for number, box in enumerate(boxes):
        assert not any(box.meets(other, NEAR) for other in boxes[:number])
    if row.geometry == "retracement":
        known = {label.text.split()[0] for label in made.labels}
        assert "0" in known and (high < 4.0 or "1" in known) and (high < 30 or "0.618" in known)
