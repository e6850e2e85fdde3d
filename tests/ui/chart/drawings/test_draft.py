"""While a hand zooms a slow picture is stretched: what is seen is where it is, and the exact one
follows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from openalgo_desktop.ui.chart.canvas.draft import stretched
from tests.ui.chart.drawings.test_moved import pixels, put
from tests.waiting import wait_for


@pytest.fixture
def slow(bench):
    """A chart in the middle of its bars, whose pictures take long: one part in each turn, however
    fast the machine is."""
    canvas = bench.view.canvas
    canvas.fitted = False
    canvas.scale_x.show(8, 50)
    canvas.changed_view()
    for name, first in (("trend", 12), ("rectangle", 24), ("ray", 36)):
        put(bench, name, first=first)
    canvas.kept.pixmap()
    canvas.kept.patience = canvas.kept.share = -1.0
    return bench


def rests(bench) -> bool:
    QApplication.processEvents()
    return not bench.view.canvas.kept.is_draft


@pytest.mark.parametrize("ratio", [1.0, 1.5])
@pytest.mark.parametrize("log", [False, True])
def test_what_is_stretched_lies_where_it_would_be_drawn(bench, ratio: float, log: bool) -> None:
    canvas = bench.view.canvas
    stage, base = canvas.stage, canvas.kept.base
    stage.ratio, canvas.fitted = ratio, False
    canvas.scale_x.show(8, 50)
    canvas.scale_y.kind = type(canvas.scale_y.kind)("log" if log else "linear")
    canvas.changed_view()
    before, was = base.see(), bench.at
    for left, right in ((12, 46), (0, 55)):
        canvas.scale_x.show(left, right)
        canvas.changed_view()
        found = stretched(before, base.see(), stage.panes)
        piece, at = found.pieces[0], bench.at
        assert found.wide == pytest.approx(42 / (right - left))
        assert (len(piece.rest) >= 2) is (left < 8)  # at both sides
        assert found.whole is not any(piece.rest for piece in found.pieces)
        wide = piece.place.width() / piece.source.width()
        high = piece.place.height() / piece.source.height()
        for index, price in ((14.0, 120.0), (33.0, 140.0), (45.0, 131.5)):
            x = piece.place.left() + (was.x(index) * ratio - piece.source.left()) * wide
            y = piece.place.top() + (was.y(price) * ratio - piece.source.top()) * high
            assert (x, y) == (pytest.approx(at.x(index), abs=0.01), pytest.approx(at.y(price)))


def zoom(bench, steps: float) -> None:
    bench.view.canvas.zoom_by(steps, 30.0)


def pan(bench, share: float) -> None:
    bench.view.scroll_by(share)


def all_there(one: np.ndarray, two: np.ndarray, ground: np.ndarray) -> None:
    """Within two pixels of all that is drawn strongly in one there is something in the other."""
    strong = np.abs(one - ground).max(axis=2) > 150
    there = np.abs(two - ground).max(axis=2) > 25
    across = np.any([np.roll(there, way, 1) for way in range(-2, 3)], axis=0)
    near = np.any([np.roll(across, way, 0) for way in range(-2, 3)], axis=0)
    assert strong.sum() > 200
    assert (strong & ~near).sum() <= strong.sum() // 200, np.argwhere(strong & ~near)[:9]


def panes(bench) -> np.ndarray:
    """What is seen of the panes."""
    area = bench.view.canvas.stage.area
    return pixels(bench.view.canvas.kept)[: int(area.height()), : int(area.width())]


@pytest.mark.parametrize(
    "steps",
    [
        [(zoom, 1)],
        [(zoom, -1), (zoom, -1)],
        [(zoom, 1), (zoom, -1), (pan, -0.02)],
        [(pan, -0.004), *[(pan, -0.03)] * 3, *[(pan, 0.031)] * 4],
        [(pan, -0.004), (pan, 0.9)],
        [(zoom, -3)],
    ],
)
def test_a_draft_shows_what_the_exact_picture_shows(slow, steps) -> None:
    canvas, scale = slow.view.canvas, slow.view.canvas.scale_x
    first, last = scale.left, scale.right
    for move, much in steps:
        move(slow, much)
        draft = panes(slow)
        assert canvas.kept.is_draft
        first, last = max(first, scale.left), min(last, scale.right)
    wait_for(lambda: rests(slow), "the exact picture")
    exact, whole = panes(slow), pixels(canvas.kept)
    ground, at = exact[2, 2], slow.at
    all_there(draft, exact, ground)
    # All of what was in view all the time is there at once, elsewhere the bars are.
    known = slice(max(0, math.ceil(at.x(first)) + 4), max(0, math.floor(at.x(last)) - 4))
    if known.stop - known.start > 200:
        all_there(exact[:, known], draft[:, known], ground)
    canvas.remove_layer(slow.layer)
    all_there(panes(slow), draft, ground)
    canvas.add_layer(slow.layer)
    assert np.array_equal(pixels(canvas.kept), whole)
    canvas.redraw()
    assert np.array_equal(pixels(canvas.kept), whole)


def test_what_came_into_view_comes_while_the_hand_goes_on(slow) -> None:
    canvas, kept = slow.view.canvas, slow.view.canvas.kept
    zoom(slow, -2)
    kept.pixmap()
    zoom(slow, 0.1)
    kept.pixmap()
    assert kept.rough
    assert not kept.turn()
    zoom(slow, 0.1)
    while not kept.turn():
        kept.pixmap()
    draft = panes(slow)  # of the exact picture of a moment ago
    assert kept.is_draft and not kept.rough
    wait_for(lambda: rests(slow), "the exact picture")
    exact = panes(slow)
    all_there(draft, exact, exact[2, 2])
    all_there(exact, draft, exact[2, 2])
    canvas.redraw()
    assert np.array_equal(panes(slow), exact)


def test_a_hand_that_zooms_out_finds_the_next_step_drawn(slow, monkeypatch) -> None:
    canvas, kept = slow.view.canvas, slow.view.canvas.kept
    zoom(slow, -1)
    kept.pixmap()
    seen, bare = kept.base.see(), []
    while not kept.turn():
        assert kept.base.see() == seen  # of another view, while that of now stays
    assert kept.base.see() == seen
    drawn = kept.base.bare
    monkeypatch.setattr(kept.base, "bare", lambda *row: bare.append(row) or drawn(*row))
    kept.pixmap()
    zoom(slow, -1)
    kept.pixmap()
    assert kept.is_draft and not bare
    draft = panes(slow)
    wait_for(lambda: rests(slow), "the exact picture")
    exact = panes(slow)
    all_there(draft, exact, exact[2, 2])
    all_there(exact, draft, exact[2, 2])
    canvas.redraw()
    assert np.array_equal(panes(slow), exact)


def test_a_step_of_the_hand_paints_no_drawing(slow, monkeypatch) -> None:
    kept, painted = slow.view.canvas.kept, []
    monkeypatch.setattr(
        "openalgo_desktop.ui.chart.drawings.ink.paint", lambda *row: painted.append(row)
    )
    for move, much in ((zoom, -1), (pan, -0.1), (zoom, -1), (zoom, 2)):
        move(slow, much)
        kept.pixmap()
    assert kept.is_draft and not painted
    while not kept.turn():
        pass
    assert len(painted) == 3


def test_a_drawing_in_a_draft_is_hit_where_it_is_seen(slow) -> None:
    canvas, board = slow.view.canvas, slow.board
    trend = board.shown[0]
    one, two = trend.anchors
    canvas.zoom_by(1, 12.0)
    canvas.kept.pixmap()
    made = slow.layer.seen.made
    at = slow.at
    x = (at.x(at.index_of(one.time)) + at.x(at.index_of(two.time))) / 2
    y = (at.y(one.price) + at.y(two.price)) / 2
    found = slow.layer.drawing_at(type(at.pane.center())(x, y), at)
    assert canvas.kept.is_draft and found == trend and slow.layer.seen.made > made
    assert slow.layer.drawing_at(type(at.pane.center())(x, y + 40), at) != trend
    board.choose((trend.ident,))
    wait_for(lambda: rests(slow), "the exact picture")
    assert slow.layer.drawing_at(type(at.pane.center())(x, y), slow.at) == trend


def test_a_fast_picture_and_one_for_keeps_are_exact(slow) -> None:
    canvas = slow.view.canvas
    canvas.zoom_by(1, 30.0)
    canvas.kept.pixmap()
    assert canvas.kept.is_draft
    shown = canvas.picture()
    assert not canvas.kept.is_draft and not shown.isNull()
    canvas.kept.patience = math.inf
    canvas.zoom_by(1, 30.0)
    canvas.kept.pixmap()
    assert not canvas.kept.is_draft


def test_a_change_of_what_is_drawn_ends_a_draft(slow) -> None:
    canvas = slow.view.canvas
    canvas.zoom_by(1, 30.0)
    canvas.kept.pixmap()
    canvas.layer_changed(slow.layer)
    canvas.kept.pixmap()
    assert not canvas.kept.is_draft


def test_after_a_pan_only_a_strip_is_drawn(slow) -> None:
    canvas, kept = slow.view.canvas, slow.view.canvas.kept
    canvas.scale_y.auto = False
    pan(slow, -0.004)  # onto whole pixels
    canvas.redraw()
    kept.pixmap()
    wholes, strips = kept.wholes, kept.base.strips
    for _ in range(6):
        pan(slow, -0.006)
        kept.pixmap()
        assert kept.is_draft
    wait_for(lambda: rests(slow), "the exact picture")
    kept.pixmap()
    assert (kept.wholes, kept.base.strips) == (wholes, strips + 1)


def test_the_exact_picture_comes_in_parts_and_a_hand_may_go_on_between(slow) -> None:
    canvas, kept = slow.view.canvas, slow.view.canvas.kept
    zoom(slow, 1)
    kept.pixmap()
    wholes = kept.base.wholes
    assert not kept.turn() and kept.is_draft  # a part of it
    zoom(slow, 1)
    kept.pixmap()
    assert kept.is_draft
    parts = 1
    while not kept.turn():
        assert kept.is_draft
        parts += 1
    assert parts >= len(canvas.stage.panes) + 3
    assert kept.is_draft  # it is that of the first step
    kept.pixmap()
    while not kept.turn():
        assert kept.is_draft
    assert not kept.is_draft and kept.base.wholes == wholes + 2
    exact = pixels(kept)
    canvas.redraw()
    assert np.array_equal(pixels(kept), exact)


def test_bars_that_come_while_it_is_drawn_end_it(slow) -> None:
    canvas, kept = slow.view.canvas, slow.view.canvas.kept
    zoom(slow, -1)
    kept.pixmap()
    assert not kept.turn()
    series = canvas.series
    times, values = series.time, series.bar(len(series) - 1)
    canvas.append_bar(int(2 * times[-1] - times[-2]), *values)
    wait_for(lambda: rests(slow), "the exact picture")
    exact = pixels(kept)
    canvas.redraw()
    assert np.array_equal(pixels(kept), exact)
