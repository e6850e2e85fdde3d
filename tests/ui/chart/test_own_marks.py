"""Own fills at their bars, and brackets as zones."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.over.fills import Fill, FillMarks, marks
from openalgo_desktop.ui.chart.over.zones import Zone, ZoneLayer
from openalgo_desktop.ui.kit import theme

START = 1_764_560_700  # 1 Dec 2025, 09:15 IST


def bars(count: int = 40) -> Bars:
    time = START + 300 * np.arange(count, dtype=np.int64)
    flat = np.full(count, 100.0)
    none = np.zeros(count, np.int64)
    return Bars(time, flat, flat + 1, flat - 1, flat + 0.5, none, none)


def test_fills_of_one_side_of_a_bar_are_one_mark_at_their_average() -> None:
    times = bars(3).time
    fills = [
        Fill(START + 10, 1, 10, 100.0),
        Fill(START + 20, 1, 30, 102.0),
        Fill(START + 30, -1, 5, 101.0),
        Fill(START + 899, -1, 5, 99.0),
    ]
    assert marks(times, fills, 300.0) == [
        (0, -1, 5, 101.0),
        (0, 1, 40, 101.5),
        (2, -1, 5, 99.0),
    ]


def test_fills_outside_of_the_bars_have_no_mark() -> None:
    times = bars(3).time
    outside = [Fill(START - 1, 1, 1, 100.0), Fill(START + 900, 1, 1, 100.0)]
    assert marks(times, outside, 300.0) == []
    assert marks(times, outside[1:], 0.0) == [(2, 1, 1, 100.0)]  # days have no end of theirs
    assert marks([], outside, 300.0) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 11_999), st.sampled_from([1, -1]), st.integers(1, 50)),
        max_size=40,
    )
)
@settings(max_examples=40, deadline=None)
def test_no_unit_is_lost(rows: list[tuple[int, int, int]]) -> None:
    fills = [Fill(START + at, side, units, 100.0) for at, side, units in rows]
    found = marks(bars(40).time, fills, 300.0)
    for side in (1, -1):
        wanted = sum(fill.units for fill in fills if fill.side == side)
        assert sum(mark.units for mark in found if mark.side == side) == wanted


def shown(qtbot: QtBot) -> ChartView:
    view = ChartView()
    qtbot.addWidget(view)
    view.resize(800, 500)
    view.set_bars(bars(), Interval.M5, 2)
    view.show()
    view.flush()
    return view


def count(image: QImage, colour: QColor) -> int:
    """Pixels of a colour, about."""
    return sum(
        abs(pixel.red() - colour.red()) < 12
        and abs(pixel.green() - colour.green()) < 12
        and abs(pixel.blue() - colour.blue()) < 12
        for x in range(image.width())
        for y in range(0, image.height(), 2)
        for pixel in (image.pixelColor(x, y),)
    )


def test_an_arrow_of_each_side_is_painted(qtbot: QtBot) -> None:
    view = shown(qtbot)
    before = view.grab().toImage()
    layer = FillMarks()
    view.canvas.add_layer(layer)
    layer.set_fills([Fill(START + 30 * 300, 1, 5, 99.5), Fill(START + 35 * 300, -1, 5, 101)], 300)
    view.canvas.layer_changed(layer)
    view.flush()
    after = view.grab().toImage()
    for role in ("buy", "sell"):
        colour = theme.current().color(role)
        assert count(after, colour) > count(before, colour) + 8


def test_a_bracket_is_two_zones_and_only_news_is_drawn(qtbot: QtBot) -> None:
    view = shown(qtbot)
    layer = ZoneLayer()
    view.canvas.add_layer(layer)
    zone = Zone(100.0, 99.5, 100.8, START + 20 * 300)
    assert layer.set_zones([zone]) and not layer.set_zones([zone])
    view.canvas.layer_changed(layer)
    view.flush()
    image = view.grab().toImage()
    frame = view.canvas.overlay.frame
    x = round(frame.pane.right()) - 4
    loss = image.pixelColor(x, round(frame.y(99.75)))
    win = image.pixelColor(x, round(frame.y(100.4)))
    assert loss.red() > loss.green() and win.green() > win.red()
