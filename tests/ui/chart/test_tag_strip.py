"""Tags of lines stand beside the bars: they hide neither a candle nor one another."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView, PriceLine
from tests.ui.chart.test_chart import point


def bars(count: int = 300) -> Bars:
    time = 1_764_560_700 + 300 * np.arange(count, dtype=np.int64)
    flat = np.full(count, 100.0)
    none = np.zeros(count, np.int64)
    return Bars(time, flat, flat + 1, flat - 1, flat + 0.5, none, none)


def lines(count: int, text: str = "SELL 2 lots LIMIT  +1,250.00") -> list[PriceLine]:
    return [
        PriceLine(f"o{n}", 100.0 + 0.02 * n, text, "sell", draggable=True, closable=True)
        for n in range(count)
    ]


def shown(qtbot: QtBot, width: int, count: int) -> ChartView:
    view = ChartView()
    qtbot.addWidget(view)
    view.resize(width, 500)
    view.set_bars(bars(), Interval.M5, 2)
    view.show()
    view.set_lines(lines(count))
    view.flush()
    view.grab()
    return view


@pytest.mark.parametrize("scrolled", [False, True])
def test_no_tag_lies_over_a_bar_or_another_tag(qtbot: QtBot, scrolled: bool) -> None:
    view = shown(qtbot, 900, 8)
    if scrolled:  # bars reach the right edge of the pane
        view.scroll_by(-1.0)
        view.flush()
        view.grab()
    overlay = view.canvas.overlay
    chips = [overlay.chip_of(f"o{n}")[0] for n in range(8)]
    assert all(chip.left() > overlay.frame.pane.right() for chip in chips)
    assert all(chip.right() <= overlay.frame.axis for chip in chips)
    assert not any(one.intersects(two) for one, two in combinations(chips, 2))


def test_the_strip_comes_with_the_first_line_and_goes_with_the_last(qtbot: QtBot) -> None:
    view = shown(qtbot, 900, 0)
    wide = view.canvas.overlay.frame.pane.width()
    view.set_lines(lines(1))
    view.flush()
    assert view.canvas.overlay.frame.gutter > 0
    assert view.canvas.overlay.frame.pane.width() == wide - view.canvas.overlay.frame.gutter
    view.set_lines([])
    view.flush()
    assert view.canvas.overlay.frame.pane.width() == wide


def test_a_result_that_changes_with_each_tick_moves_nothing(qtbot: QtBot) -> None:
    view = shown(qtbot, 900, 1)
    room = view.canvas.overlay.frame.gutter
    renders = view.canvas.renders
    for won in ("+1,249.00", "-1,249.00", "+949.00"):
        view.set_lines(lines(1, f"SELL 2 lots LIMIT  {won}"))
        view.flush()
        view.grab()
        assert view.canvas.overlay.frame.gutter == room
    assert view.canvas.renders == renders


def test_a_narrow_chart_has_short_tags_beside_its_bars(qtbot: QtBot) -> None:
    view = shown(qtbot, 380, 3)
    overlay = view.canvas.overlay
    assert 0 < overlay.frame.gutter <= 0.25 * 380
    for n in range(3):
        chip, cross = overlay.chip_of(f"o{n}")
        assert chip.left() > overlay.frame.pane.right()
        assert chip.right() <= overlay.frame.axis and chip.contains(cross)
        assert "SELL 2 lots LIMIT  +1,250.00" in overlay.words_at(chip.center())


def test_lines_that_find_no_room_are_one_tag_that_sends_nothing(qtbot: QtBot) -> None:
    view = shown(qtbot, 380, 40)
    canvas, overlay = view.canvas, view.canvas.overlay
    closed: list[str] = []
    view.line_closed.connect(closed.append)
    (chip, folded), *_ = overlay.folds()
    for at in (chip.center(), chip.topRight(), chip.bottomLeft()):
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)
        menu = canvas.findChild(QMenu)
        assert menu is not None and len(menu.actions()) == len(folded)
        menu.close()
        menu.deleteLater()
        QCoreApplication.sendPostedEvents(menu, QEvent.Type.DeferredDelete)
    assert closed == [] and overlay.chosen == ""
    point(canvas, chip.center())
    assert len(canvas.toolTip().splitlines()) == len(folded)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=chip.center())
    menu = canvas.findChild(QMenu)
    assert menu is not None and folded[1].text in menu.actions()[1].text()
    menu.actions()[1].trigger()
    menu.close()
    view.grab()
    meant = folded[1].line_id
    _, cross = overlay.chip_of(meant)
    assert overlay.chosen == meant and not cross.isEmpty()
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=cross.center())
    assert closed == [meant]


def test_a_tag_is_still_taken_by_the_hand(qtbot: QtBot) -> None:
    view = shown(qtbot, 900, 2)
    overlay = view.canvas.overlay
    for n in range(2):
        chip, cross = overlay.chip_of(f"o{n}")
        line, on_close = overlay.line_at(chip.center())
        assert line is not None and line.line_id == f"o{n}" and not on_close
        line, on_close = overlay.line_at(cross.center())
        assert line is not None and line.line_id == f"o{n}" and on_close


def test_a_tag_without_room_keeps_its_result(qtbot: QtBot) -> None:
    rows = shown(qtbot, 500, 1).canvas.overlay._rows
    text = "SELL 2 lots SL  -32,357.00"
    whole = rows._texts.width(text)
    assert rows._shortened(text, whole) == text
    short = rows._shortened(text, whole - 30)
    assert short.endswith("…  -32,357.00") and short.startswith("SELL")
    assert rows._texts.width(short) <= whole - 30
