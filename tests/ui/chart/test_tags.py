"""Tags of a chart never cover one another."""

from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import QPoint, QRectF
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.over.frame import Frame
from openalgo_desktop.ui.chart.over.legend import LegendRow
from openalgo_desktop.ui.chart.over.overlay import Overlay
from openalgo_desktop.ui.chart.over.tags import spread
from openalgo_desktop.ui.chart.scales.time_scale import BAR_PIXELS, MIN_SPAN, START_SPAN, TimeScale
from openalgo_desktop.ui.kit import theme


@pytest.mark.parametrize("fixed", [None, 0, 1, 3])
def test_tags_stand_beside_one_another_in_their_order(fixed: int | None) -> None:
    wanted = [50.0, 52.0, 150.0, 51.0]
    placed = spread(wanted, 16, 0, 200, fixed)
    rows = sorted(range(4), key=lambda index: wanted[index])
    assert [placed[index] for index in rows] == sorted(placed)
    for one, other in itertools.pairwise(sorted(placed)):
        assert other - one >= 16
    if fixed is not None:
        assert placed[fixed] == wanted[fixed]
    assert placed[2] == 150  # the one with room is left alone


def test_tags_stay_within_the_pane() -> None:
    assert spread([2.0, 3.0], 16, 0, 100) == [8.0, 24.0]
    assert spread([98.0, 99.0], 16, 0, 100) == [76.0, 92.0]
    assert spread([], 16, 0, 100) == []


@pytest.mark.parametrize("height", [40, 60, 160])
def test_tags_of_orders_in_a_low_narrow_chart_are_whole_and_apart(
    qtbot: QtBot, height: int
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    overlay = Overlay(parent)
    overlay.resize(460, height + 60)
    overlay.set_frame(Frame(QRectF(0, 0, 380, height), height + 60, 460, 24_000, 25_000))
    prices = {"limit": 24_985.0, "stop": 24_637.0, "held": 24_886.0}
    overlay.set_lines(
        [PriceLine(n, p, f"SELL 2 lots LIMIT {n}", "sell", True, True) for n, p in prices.items()]
    )
    overlay.set_last(24_887.0, "up")
    overlay.grab()
    chips = [overlay.chip_of(name)[0] for name in prices]
    for one, other in itertools.combinations(chips, 2):
        assert not one.intersects(other)
    for chip in chips:
        assert chip.left() >= 0 and overlay.rect().contains(chip)


def test_the_price_of_a_dragged_line_is_read_at_the_market_too(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    overlay = Overlay(parent)
    overlay.resize(300, 200)
    overlay.set_frame(Frame(QRectF(0, 0, 220, 180), 200, 300, 100, 200))
    overlay.set_last(150.0, "up")
    overlay.set_countdown("4:05")
    line = PriceLine("1", 120.0, "SELL 2 lots LIMIT", "sell", True, True)
    overlay.set_ghost(line, 149.0)
    image, y = overlay.grab().toImage(), round(overlay.frame.y(149.0))
    colours = {image.pixelColor(222, y + step).name() for step in (-4, 0, 4)}
    assert colours == {theme.current().color("sell").name()}


def test_a_legend_takes_presses_where_it_is_seen_and_says_what_has_room(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    overlay = Overlay(parent)
    overlay.resize(400, 200)
    overlay.set_frame(Frame(QRectF(0, 0, 320, 180), 200, 400, 100, 200))
    pane = overlay.frame.pane
    long = (("Name", "text"), ("1234567890 " * 9, "accent"))
    wrong = (("Mine", "text"), ("what went wrong " * 9, "warning"))
    overlay.set_rows((LegendRow("long", pane, long), LegendRow("wrong", pane, wrong)))
    legend = overlay._legend_of
    first, second = (legend._places[name].center().y() for name in ("long", "wrong"))
    assert overlay.row_at(QPoint(20, first)) == ("long", "text")
    assert overlay.row_at(QPoint(200, first)) == ("", "")  # nothing is written there
    assert overlay.row_at(QPoint(200, second)) == ("wrong", "text")
    (_, said) = legend._fitting(wrong, 200)
    assert said[0].startswith("what went") and said[0].endswith("…")
    assert sum(wide for _, _, wide in legend._fitting(wrong, 200)) == 200


def test_of_tags_that_cover_one_another_the_one_on_top_is_meant(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    overlay = Overlay(parent)
    overlay.resize(300, 60)
    overlay.set_frame(Frame(QRectF(0, 0, 220, 30), 40, 300, 100, 200))
    overlay.set_lines(
        [PriceLine(str(n), 150.0, "SELL 2 lots LIMIT", "sell", True, True) for n in range(4)]
    )
    overlay.grab()
    first, last = overlay.chip_of("0"), overlay.chip_of("3")
    assert first[1].intersects(last[1])  # there is no room
    line, on_close = overlay.line_at(last[1].center())
    assert line is not None and (line.line_id, on_close) == ("3", True)


def test_a_narrow_chart_begins_with_bars_that_have_bodies() -> None:
    scale = TimeScale()
    scale.reset(1_000, 420)
    assert scale.span == 420 / BAR_PIXELS
    scale.reset(1_000, 3_000)
    assert scale.span == START_SPAN
    scale.reset(1_000, 20)
    assert scale.span == MIN_SPAN
