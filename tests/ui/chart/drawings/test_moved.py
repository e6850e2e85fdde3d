"""Drawings that move with the bars: no picture is made anew, and the pixels are those of one that
was painted anew."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace

from openalgo_desktop.core.charting.drawings.model import Anchor, Dash, Drawing
from openalgo_desktop.core.charting.drawings.plan import completed
from openalgo_desktop.core.charting.drawings.tools import tools
from openalgo_desktop.ui.chart.canvas.picture import Picture

DRAWN = [row.tool for row in tools().values() if not row.study]
#: Pixels of smooth lines that may differ where they were cut off.
EDGE = 30


def put(bench, *names: str, first: int = 20, **style: object) -> list[Drawing]:
    bars, rows = bench.view.canvas.series, []
    for number, name in enumerate(names):
        tool = tools()[name]
        count = min(7, max(2, tool.clicks or tool.least))
        at = first + number
        anchors = [
            Anchor(float(bars.time[at + 4 * step]), float(bars.bar(at + 4 * step)[3]))
            for step in range(count)
        ]
        if tool.screen:
            anchors = [Anchor(0.3, 0.3), Anchor(0.6, 0.7)][:count]
        drawing = bench.door.made(tool, completed(tool, tuple(anchors)))
        rows.append(replace(drawing, style=replace(drawing.style, **style)))
    bench.board.put("", rows)
    bench.board.choose(())
    return rows


def pixels(kept: Picture) -> np.ndarray:
    image = kept.pixmap().toImage()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows.reshape(image.height(), -1, 4)[:, : image.width(), :3].astype(int)


@pytest.fixture
def still(bench):
    """A chart whose prices stay while it is moved, on whole pixels."""
    canvas = bench.view.canvas
    canvas.fitted = False
    canvas.kept.patience = math.inf  # no drafts
    canvas.scale_y.auto = False
    canvas.scale_x.show(8, 50)
    canvas.changed_view()
    bench.view.scroll_by(-0.004)
    return bench


def test_a_pan_makes_no_picture_of_what_stands_at_the_bars(still) -> None:
    put(still, "trend", "rectangle", "ellipse", "price-range")
    kept, seen = still.view.canvas.kept, still.layer.seen
    kept.pixmap()
    made, wholes = seen.made, kept.wholes
    for _ in range(5):
        still.view.scroll_by(-0.01)
        kept.pixmap()
    assert (seen.made, kept.wholes) == (made, wholes)
    put(still, "ray")  # it ends at the edge, and only it is made anew
    kept.pixmap()
    made, wholes = seen.made, kept.wholes
    still.view.scroll_by(-0.01)
    kept.pixmap()
    assert (seen.made, kept.wholes) == (made + 1, wholes)


def test_only_what_came_into_view_is_painted_again(still, monkeypatch) -> None:
    put(still, "trend", "rectangle")
    kept = still.view.canvas.kept
    kept.pixmap()
    painted = []
    monkeypatch.setattr(
        "openalgo_desktop.ui.chart.drawings.ink.paint", lambda *row: painted.append(row)
    )
    still.view.scroll_by(-0.01)
    kept.pixmap()
    assert not painted
    still.view.canvas.layer_changed(still.layer)
    kept.pixmap()
    assert len(painted) == 2


@pytest.mark.parametrize("part", range(6))
def test_moved_drawings_are_the_painted_ones(still, part: int) -> None:
    names = DRAWN[part::6]
    put(still, *names, first=16)
    moved_is_painted(still, names)


@pytest.mark.parametrize("dash", [Dash.SOLID, Dash.DASH])
@pytest.mark.parametrize("ratio", [1.0, 1.5])
def test_those_that_go_on_to_the_edges_too(still, ratio: float, dash: Dash) -> None:
    names = ["trend", "fib-retracement", "rectangle", "parallel-channel"]
    put(still, *names, left=True, right=True, dash=dash)
    still.view.canvas.stage.ratio = ratio
    still.view.canvas.redraw()
    moved_is_painted(still, names)


def moved_is_painted(still, names) -> None:
    canvas = still.view.canvas
    still.view.scroll_by(-0.004)  # onto whole pixels
    canvas.kept.pixmap()
    wholes = canvas.kept.wholes
    for way in (-0.031, 0.0625, -0.003):
        still.view.scroll_by(way)
        moved = pixels(canvas.kept)
        assert canvas.kept.wholes == wholes, names
        canvas.layer_changed(still.layer)
        differ = np.abs(pixels(canvas.kept) - moved).max(axis=2) > 24
        wholes = canvas.kept.wholes
        assert differ.sum() <= EDGE, (names, way, np.argwhere(differ)[:5], differ.sum())
