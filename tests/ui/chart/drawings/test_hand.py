"""Placing, moving and deleting by mouse and keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from openalgo_desktop.core.charting.drawings.magnet import Magnet
from openalgo_desktop.core.charting.drawings.tools import tool
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.ui.chart import PriceLine

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
RIGHT = Qt.MouseButton.RightButton


def spots(bench, number=-1):
    """Bars and prices of a drawing's anchors, to what a pixel can say."""
    at = bench.at
    rows = bench.drawings[number].anchors
    return [(round(at.index_of(a.time)), pytest.approx(a.price, abs=0.3)) for a in rows]


def test_two_clicks_place_a_line_and_the_tool_is_put_away(bench):
    bench.board.take(tool("trend"))
    bench.click(10, 120.0)
    assert bench.drawings == ()
    bench.click(20, 130.0)
    assert spots(bench) == [(10, 120.0), (20, 130.0)]
    assert bench.board.tool is None and bench.board.chosen == (bench.drawings[0].ident,)
    assert bench.drawings[0].anchors[0].time % 300 == 0  # of a bar its beginning


def test_a_drag_places_a_line_too_and_a_tool_can_stay(bench):
    bench.board.set_mode(stay=True)
    bench.board.take(tool("rectangle"))
    bench.drag((10, 120.0), (20, 130.0))
    bench.drag((30, 120.0), (40, 130.0))
    assert len(bench.drawings) == 2 and bench.board.tool is tool("rectangle")
    assert spots(bench) == [(30, 120.0), (40, 130.0)]


def test_escape_gives_up_what_is_begun_then_the_tool(bench):
    bench.board.take(tool("pitchfork"))
    bench.click(10, 120.0)
    bench.click(20, 130.0)
    QTest.keyClick(bench.view.canvas, Qt.Key.Key_Escape)
    assert bench.drawings == () and bench.board.tool is tool("pitchfork")
    QTest.keyClick(bench.view.canvas, Qt.Key.Key_Escape)
    assert bench.board.tool is None


def test_a_right_click_ends_a_path_and_shows_no_menu(bench):
    menus = []
    bench.view.menu_wanted.connect(lambda *row: menus.append(row))
    bench.board.take(tool("path"))
    for index in (10, 15, 20):
        bench.click(index, 120.0 + index)
    bench.click(25, 130.0, RIGHT)
    assert len(bench.drawings[0].anchors) == 3 and bench.board.tool is None and not menus


def test_a_polyline_closes_at_its_first_point(bench):
    bench.board.take(tool("polyline"))
    for index, price in ((10, 120.0), (20, 130.0), (30, 120.0), (10, 120.0)):
        bench.click(index, price)
    anchors = bench.drawings[0].anchors
    assert len(anchors) == 4 and anchors[0] == anchors[-1]


def test_a_brush_follows_the_hand(bench):
    bench.board.take(tool("brush"))
    bench.drag((10, 120.0), (20, 130.0))
    drawing = bench.drawings[0]
    assert drawing.tool == "brush" and len(drawing.anchors) >= 2


def test_shift_makes_ways_straight(bench):
    bench.board.take(tool("trend"))
    bench.click(10, 120.0)
    bench.click(30, 121.0, held=SHIFT)
    first, second = bench.drawings[0].anchors
    assert second.price == first.price and round(bench.at.index_of(second.time)) == 30


def test_the_magnet_takes_the_prices_of_a_bar(bench):
    bench.board.set_mode(magnet=Magnet.STRONG)
    bench.board.take(tool("horizontal"))
    high = float(bench.at.series.columns().high[20])
    bench.click(20, high + 3)
    assert bench.drawings[0].anchors[0].price == pytest.approx(high, abs=0.005)


def test_moving_copying_and_undo(bench):
    bench.board.take(tool("trend"))
    bench.drag((10, 120.0), (20, 130.0))
    bench.drag((15, 125.0), (18, 128.0))  # the whole, by three bars
    assert spots(bench) == [(13, 123.0), (23, 133.0)]
    bench.drag((23, 133.0), (25, 120.0))  # an anchor
    assert spots(bench) == [(13, 123.0), (25, 120.0)]
    bench.drag((19, 121.5), (29, 121.5), CTRL)
    assert len(bench.drawings) == 2 and spots(bench) == [(23, 123.0), (35, 120.0)]
    assert bench.board.undo() and len(bench.drawings) == 1
    assert bench.board.undo() and spots(bench) == [(13, 123.0), (23, 133.0)]
    assert bench.board.undo() and bench.board.undo() and not bench.board.undo()
    assert bench.drawings == ()
    while bench.board.redo():
        pass
    assert len(bench.drawings) == 2


def test_what_is_locked_stays_and_lets_the_chart_be_dragged(bench):
    bench.board.take(tool("trend"))
    bench.drag((10, 120.0), (20, 130.0))
    bench.board.set_mode(locked=True)
    left = bench.view.canvas.scale_x.left
    bench.drag((15, 125.0), (25, 125.0))
    assert spots(bench) == [(10, 120.0), (20, 130.0)]
    assert bench.view.canvas.scale_x.left < left
    assert bench.board.chosen and bench.layer.delete_chosen()  # the key is taken, nothing goes
    assert len(bench.drawings) == 1


def test_arrows_nudge_by_a_bar_and_a_tick_as_one_step(bench):
    bench.board.take(tool("trend"))
    bench.drag((10, 120.0), (20, 130.0))
    before = bench.drawings[0].anchors[0]
    for _ in range(3):
        QTest.keyClick(bench.view.canvas, Qt.Key.Key_Up)
    QTest.keyClick(bench.view.canvas, Qt.Key.Key_Right)
    moved = bench.drawings[0].anchors[0]
    assert moved.price == pytest.approx(before.price + 3 * bench.at.tick)
    assert moved.time == before.time + 300
    bench.board.undo()
    assert bench.drawings[0].anchors[0] == before


def test_delete_takes_the_chosen_away_and_nothing_else(bench):
    bench.board.set_mode(stay=True)
    bench.board.take(tool("horizontal"))
    bench.click(10, 120.0)
    bench.click(10, 130.0)
    bench.board.take(None)
    assert not bench.layer.delete_chosen()
    bench.click(30, 120.0)
    assert len(bench.board.chosen) == 1
    assert bench.layer.delete_chosen()
    assert [row.anchors[0].price for row in bench.drawings] == [pytest.approx(130.0, abs=0.3)]
    assert not bench.layer.delete_chosen()


def test_a_tag_of_an_order_is_never_taken(bench):
    bench.board.take(tool("horizontal"))
    bench.click(10, 120.0)
    bench.view.set_lines([PriceLine("o1", 120.0, "SELL 1", "sell", True, True)])
    bench.grab()
    canvas, closed = bench.view.canvas, []
    bench.view.line_closed.connect(closed.append)
    tag, cross = canvas.overlay.chip_of("o1")
    bench.board.choose([])
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=tag.center())
    assert bench.board.chosen == () and canvas.overlay.chosen == "o1"
    bench.board.take(tool("trend"))
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=cross.center())
    assert bench.layer.in_hand is None and closed == ["o1"]


def test_ctrl_click_on_a_drawing_still_means_the_ticket(bench):
    bench.board.take(tool("horizontal"))
    bench.click(10, 120.0)
    picked = []
    bench.layer.price_picked.connect(picked.append)
    bench.click(30, 120.0, held=CTRL)
    assert picked == [pytest.approx(120.0, abs=0.3)] and len(bench.drawings) == 1


def test_other_charts_of_the_symbol_follow(bench):
    seen = []
    bench.board.changed.connect(lambda: seen.append(len(bench.board.shown)))
    bench.book.apply(bench.book.changes(("NSE", "TCS"), [("x", None)]))
    assert seen == []
    bench.board.take(tool("horizontal"))
    bench.click(10, 120.0)
    assert seen[-1] == 1
    bench.board.set_chart(("NSE", "TCS"), Span.parse("5m"))
    assert bench.board.shown == [] and bench.board.chosen == ()


def test_hidden_ones_come_back_with_the_next_tool(bench):
    bench.board.take(tool("horizontal"))
    bench.click(10, 120.0)
    bench.board.set_mode(hidden=True)
    assert bench.board.shown == []
    bench.board.take(tool("trend"))
    assert len(bench.board.shown) == 1


def test_a_measure_passes_and_a_study_is_asked_for(bench):
    wanted = []
    bench.layer.study_wanted.connect(lambda *row: wanted.append(row))
    bench.board.take(tool("ruler"))
    bench.drag((10, 120.0), (20, 130.0))
    bench.board.take(tool("fixed-range-profile"))
    bench.drag((20, 120.0), (10, 130.0))
    times = bench.at.series.time
    params = {"start": int(times[10]), "end": int(times[20])}
    assert bench.drawings == () and wanted == [("fixed-profile", params)]


def test_two_clicks_place_a_position_with_twice_the_risk_as_its_target(bench):
    bench.board.take(tool("long-position"))
    bench.click(10, 120.0)
    bench.click(20, 115.0)
    assert [a.price for a in bench.drawings[0].anchors] == [
        pytest.approx(price, abs=0.5) for price in (120.0, 115.0, 130.0)
    ]
