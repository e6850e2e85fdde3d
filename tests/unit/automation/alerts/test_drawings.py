"""Alerts read the lines of the charts' drawings by bars, and follow what becomes of them."""

from __future__ import annotations

from math import isnan

import numpy as np

from openalgo_desktop.automation.alerts import depth
from openalgo_desktop.automation.alerts.drawings import BookDrawings
from openalgo_desktop.automation.alerts.ports import Need
from openalgo_desktop.core.alerts import OfDrawing
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.drawings.book import DrawingBook
from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing, Style
from openalgo_desktop.core.charting.span import Span
from tests.unit.trading.watching import SBIN

#: Two bars of an hour, a night, two more.
TIMES = np.array([0, 3600, 90_000, 93_600], np.int64)
FLAT = np.full(4, 100.0)
BARS = Columns(TIMES, FLAT, FLAT, FLAT, FLAT, FLAT, FLAT)


def draw(book: DrawingBook, ident: str, drawing: Drawing | None) -> None:
    book.apply(book.changes(SBIN, [(ident, drawing)]))


def line(
    ident: str, tool: str, *anchors: tuple[float, float], style: Style | None = None
) -> Drawing:
    points = tuple(Anchor(*anchor) for anchor in anchors)
    return Drawing(ident, tool, points, style or Style(right=True))


def test_a_sloped_line_is_read_by_bars_and_ends_where_it_ends():
    book = DrawingBook()
    drawings, ray = BookDrawings(book), OfDrawing("ray")
    draw(book, "ray", line("ray", "ray", (0, 100.0), (3600, 101.0)))
    draw(book, "cut", line("cut", "trend", (0, 100.0), (3600, 101.0), style=Style()))
    assert drawings.level(SBIN, ray, 93_600, BARS) == 103.0  # the night is no bar
    assert isnan(drawings.level(SBIN, OfDrawing("cut"), 93_600, BARS))
    assert drawings.level(SBIN, OfDrawing("cut"), 3600, BARS) == 101.0
    assert drawings.need(SBIN, ray) == Need(0, 0) and drawings.title(SBIN, ray) == "Ray"


def test_a_level_needs_no_bars_and_a_line_of_several_is_chosen_by_name():
    book = DrawingBook()
    drawings = BookDrawings(book)
    draw(book, "h", line("h", "horizontal", (0, 105.0)))
    assert drawings.level(SBIN, OfDrawing("h"), 93_600, BARS) == 105.0
    draw(book, "p", line("p", "parallel-channel", (0, 100.0), (3600, 101.0), (0, 110.0)))
    names = [name for name in ("upper", "lower") if drawings.drawn(SBIN, OfDrawing("p", name))]
    assert names == ["upper", "lower"]
    values = [drawings.level(SBIN, OfDrawing("p", name), 3600, BARS) for name in names]
    assert values == [111.0, 101.0]
    assert drawings.title(SBIN, OfDrawing("p", "upper")) == "Parallel channel upper"
    assert drawings.drawn(SBIN, OfDrawing("p", "nosuch")) is None


def test_what_moves_is_another_line_and_what_is_deleted_is_none():
    book = DrawingBook()
    drawings, source = BookDrawings(book), OfDrawing("h")
    heard: list[object] = []
    stop = drawings.watch(lambda key: heard.append(drawings.drawn(key, source)))
    draw(book, "h", line("h", "horizontal", (0, 105.0)))
    draw(book, "h", line("h", "horizontal", (0, 106.0)))
    draw(book, "h", None)
    assert heard[0] != heard[1] and heard[2] is None
    assert drawings.title(SBIN, source) == "Drawing"
    stop()


def test_history_is_deep_enough_and_bounded():
    now, day = 2_000_000_000.0, 86_400
    minute, daily = Span.parse("1m"), Span.parse("D")
    few = depth.start(minute, now, [])
    assert 5 * day <= now - few <= 12 * day
    assert depth.start(minute, now, [Need(5000)]) < few - 14 * day
    assert depth.start(minute, now, [Need(0, int(now) - 90 * day)]) == now - 90 * day
    assert now - depth.start(daily, now, []) >= 750 * day
    far = depth.start(Span.parse("1s"), now, [Need(0, 1)])
    assert now - 30 * day < far < now  # a second's bars are not asked for of years
    assert depth.start(Span.parse("Y"), now, []) == 0
