"""Tags of a chart never cover one another."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.chart.canvas.stage import PRICE_WIDTH
from openalgo_desktop.ui.chart.lines import PriceLine, brief
from openalgo_desktop.ui.chart.over.frame import Frame
from openalgo_desktop.ui.chart.over.legend import LegendRow
from openalgo_desktop.ui.chart.over.overlay import Overlay
from openalgo_desktop.ui.chart.over.price_lines import PriceLines
from openalgo_desktop.ui.chart.over.tags import Place, arrange, rooms
from openalgo_desktop.ui.chart.over.texts import Texts
from openalgo_desktop.ui.chart.scales.time_scale import BAR_PIXELS, MIN_SPAN, START_SPAN, TimeScale
from openalgo_desktop.ui.kit import look, theme


def apart(places: list[Place], height: int) -> bool:
    middles = [place.middle for place in places]
    return all(two - one >= height for one, two in itertools.pairwise(middles))


def test_tags_stand_beside_one_another_in_their_order() -> None:
    placed = arrange([50.0, 52.0, 150.0, 51.0], 16, [(0, 200)])
    assert [place.members for place in placed] == [(0,), (3,), (1,), (2,)]
    assert [place.middle for place in placed] == [50, 66, 82, 150]
    assert [place.middle for place in arrange([2.0, 3.0], 16, [(0, 100)])] == [8, 24]
    assert [place.middle for place in arrange([98.0, 99.0], 16, [(0, 100)])] == [76, 92]
    assert arrange([], 16, [(0, 100)]) == []


def test_tags_give_way_to_what_is_kept_and_fold_where_they_are_nearest() -> None:
    free = rooms(16, 0.0, 100.0, [(40, 56), (56, 72)])
    assert free == [(0, 40), (72, 100)]  # room for two, and for one
    placed = arrange([10.0, 30.0, 33.0, 60.0, 90.0], 16, free)
    assert [place.members for place in placed] == [(0,), (1, 2), (3, 4)]
    sides = arrange([47.0, 49.0], 16, free, market=48.0)
    assert [place.middle for place in sides] == [32, 80]
    alone = arrange([10.0, 30.0, 33.0, 60.0, 90.0], 16, free, alone=1)
    assert [place.members for place in alone] == [(0, 2), (1,), (3, 4)]
    assert arrange([1.0, 2.0], 16, [(0, 16)], alone=1) == [Place(8, (1,))]


@given(
    st.lists(st.floats(-50, 400), max_size=40),
    st.integers(8, 30),
    st.integers(30, 300),
    st.lists(st.integers(0, 300), max_size=2),
)
@settings(max_examples=50, deadline=None)
def test_no_two_places_overlap_and_none_is_lost(
    wanted: list[float], height: int, bottom: int, kept: list[int]
) -> None:
    taken = [(top, top + height) for top in kept]
    free = rooms(height, 0.0, bottom, taken)
    placed = arrange(wanted, height, free) if free else []
    if free:
        assert sorted(n for place in placed for n in place.members) == list(range(len(wanted)))
    assert apart(placed, height)
    for place in placed:
        top = place.middle - height // 2
        assert top >= 0 and top + height <= bottom
        assert all(top + height <= one or top >= two for one, two in taken)


TEXTS = (
    "SELL 2 lots LIMIT  +1,250.00",
    "BUY 1,500 SL",
    "+2 lots MIS  -12,345.00",
    "Stop 2 lots",
    "Alert ≥  paused",
)


class Tagged:
    """The lines of a chart of a size, painted as its overlay does."""

    def __init__(self, lines: list[PriceLine], width: int, height: int) -> None:
        self.rows = rows = PriceLines(Texts())
        rows.lines = tuple(lines)
        gutter = rows.room_wanted(width, 0)
        pane = QRectF(0, 0, max(1, width - look.px(PRICE_WIDTH) - gutter), height)
        rows.frame = Frame(pane, height, width, 100.0, 200.0, gutter=gutter)
        self.image = QImage(width, height, QImage.Format.Format_RGB32)

    def paint(self, last: float | None = None) -> None:
        painter = QPainter(self.image)
        painter.setFont(self.rows._texts.font)
        self.rows.paint(painter, self.rows.tag_places(last, [last - 1, last + 1] if last else []))
        painter.end()


@given(
    st.lists(st.tuples(st.floats(100, 200), st.sampled_from(TEXTS)), max_size=30),
    st.integers(150, 900),
    st.integers(12, 400),
    st.one_of(st.none(), st.floats(110, 190)),
    st.integers(-1, 29),
)
@example([(100.0, TEXTS[0]), (100.0, TEXTS[0]), (145.0, TEXTS[0])], 150, 58, 144.0, 0)
@settings(max_examples=30, deadline=None)
def test_tags_of_any_lines_hide_no_bar_and_no_tag_and_each_line_can_be_reached(
    qapp: QApplication,
    given_lines: list[tuple[float, str]],
    width: int,
    height: int,
    last: float | None,
    chosen: int,
) -> None:
    lines = [
        PriceLine(str(n), price, text, "sell", not text.startswith("+"), not text.startswith("+"))
        for n, (price, text) in enumerate(given_lines)
    ]
    made = Tagged(lines, width, height)
    rows = made.rows
    rows.chosen = str(chosen) if chosen < len(lines) else ""
    made.paint(last)
    every = [chip for chip, _ in rows.chips.values()] + [chip for chip, _ in rows.folds]
    for chip in every:
        assert chip.left() >= rows.frame.pane.right() and chip.right() < rows.frame.axis
    for one, other in itertools.combinations(every, 2):
        assert not one.intersects(other)
    reached = [*rows.chips, *(line.line_id for _, folded in rows.folds for line in folded)]
    assert len(set(reached)) == len(reached)
    if not rows.chosen or len(every) > 1:
        assert sorted(reached) == sorted(line.line_id for line in lines)
    for line in lines:
        if line.line_id in rows.chips:  # what it does not say, it says when it is asked
            chip, cross = rows.chips[line.line_id]
            said = rows.words_at(chip.center())
            assert line.text in said or line.line_id not in rows._short
            assert rows.line_at(chip.center())[0] == line
            assert cross.isEmpty() is not line.closable
            if line.closable:
                assert chip.contains(cross) and rows.line_at(cross.center()) == (line, True)
    for chip, folded in rows.folds:
        for at in (chip.topLeft(), chip.center(), chip.bottomRight()):
            assert rows.line_at(at) == (None, False) and rows.fold_at(at) == folded
        assert all(rows.words(line) in rows.words_at(chip.center()) for line in folded)
    for line in lines[:3]:  # whichever is meant has a tag of its own
        rows.chosen = line.line_id
        made.paint(last)
        assert line.line_id in rows.chips


@pytest.mark.parametrize("height", [40, 60, 160])
def test_tags_of_orders_in_a_low_narrow_chart_are_apart(qtbot: QtBot, height: int) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    overlay = Overlay(parent)
    overlay.resize(460, height + 60)
    pane = QRectF(0, 0, 320, height)
    overlay.set_frame(Frame(pane, height + 60, 460, 24_000, 25_000, gutter=60))
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
        assert not chip.isEmpty() and overlay.rect().contains(chip)


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


def test_a_tag_that_is_aimed_at_stays_under_the_pointer(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    overlay = Overlay(parent)
    overlay.resize(460, 260)
    overlay.set_frame(Frame(QRectF(0, 0, 320, 200), 200, 460, 100, 200, gutter=60))
    prices = (152.0, 150.0, 148.0)
    overlay.set_lines(
        [PriceLine(str(n), p, "SELL 1", "sell", True, True) for n, p in enumerate(prices)]
    )

    def crosses(last: float) -> list[QRect]:
        overlay.set_last(last, "up")
        overlay.set_touch(last - 0.5, last + 0.5)
        overlay.grab()
        return [overlay.chip_of(str(n))[1] for n in range(3)]

    aimed = crosses(140.0)
    overlay.hold(aimed[1].center())
    assert crosses(151.0) == aimed and crosses(160.0) == aimed
    line, on_close = overlay.line_at(aimed[1].center())
    assert line is not None and (line.line_id, on_close) == ("1", True)
    overlay.hold(QPoint(10, 10))
    moved = crosses(151.0)
    assert moved != aimed
    overlay.hold(moved[0].center())
    overlay.set_lines([PriceLine("0", 120.0, "SELL 1", "sell", True, True)])  # it was moved
    overlay.grab()
    assert overlay.chip_of("0")[0].center().y() > 140


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("SELL 2 lots LIMIT", "S 2"),
        ("BUY 1,500 SL", "B 1,500"),
        ("+2 lots MIS", "+2"),
        ("Stop 150", "St 150"),
        ("Alert ≥", "Al"),
        ("", ""),
    ],
)
def test_a_line_in_short(text: str, short: str) -> None:
    assert brief(text) == short


def test_a_narrow_chart_begins_with_bars_that_have_bodies() -> None:
    scale = TimeScale()
    scale.reset(1_000, 420)
    assert scale.span == 420 / BAR_PIXELS
    scale.reset(1_000, 3_000)
    assert scale.span == START_SPAN
    scale.reset(1_000, 20)
    assert scale.span == MIN_SPAN
