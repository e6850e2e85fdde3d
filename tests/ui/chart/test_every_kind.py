"""Every kind of a series, and every tool that is a study, by places reckoned by hand: one that has
none here fails."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from openalgo_desktop.analytics.indicators import registry
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.drawings.model import Family
from openalgo_desktop.core.charting.drawings.tools import by_family
from openalgo_desktop.core.charting.studies import Profile
from openalgo_desktop.core.charting.transforms.registry import BY_KIND
from openalgo_desktop.core.charting.transforms.rows import TransformedBars
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.canvas.stage import Volume
from openalgo_desktop.ui.chart.paint.kinds import KINDS, Kind
from openalgo_desktop.ui.chart.plots.study import StudyView
from tests.ui.chart.test_chart import picture, shown
from tests.ui.chart.test_kinds import PRICES, Look, bars, look, role, seen_rows
from tests.unit.core.charting.drawings import pane

#: Bar, price, pixels right of the middle of the bar, and the colour that is there; with ``not`` one
#: that is not.
Spots = tuple[tuple[float, float, int, str], ...]


def turned(kind: str, closes: list[float] | None = None, box: float = 0.0) -> TransformedBars:
    """Rows of a transform: of :data:`PRICES`, or of a trade at each of the closes."""
    rows = PRICES if closes is None else [(c, c, c, c) for c in closes]
    running = BY_KIND[kind].run({}, box)
    running.load(Columns.of(bars(rows)))
    return running.rows


TRADES = [100.0, 112.0, 105.0, 90.0]
UP_AND_DOWN = [100.0, 141.0, 109.0, 150.0]
CLOSES: Spots = ((0, 108, 0, "accent"), (1, 95, 0, "accent"), (2, 97, 0, "accent"))
CANDLE: Spots = ((0, 104.3, 4, "up"), (1, 100.3, 4, "down"), (0, 110.3, 0, "up"))
#: What is drawn of which rows (None: the plain bars), and where.
CASES: dict[str, tuple[Callable[[], TransformedBars] | None, Spots]] = {
    "candles": (None, (*CANDLE, (0, 110.3, 4, "not up"), (1, 109.3, 4, "not down"))),
    "hollow": (None, ((0, 104.3, 4, "not up"), (0, 108, 4, "up"), (1, 100.3, 4, "down"))),
    "bars": (None, ((0, 104.3, 0, "up"), (0, 108, 5, "up"), (0, 100, -5, "up"),
                    (0, 104.3, 4, "not up"), (1, 95, 5, "down"), (1, 95, -5, "not down"))),
    "line": (None, (*CLOSES, (0.5, 101.5, 0, "accent"), (0, 104.3, 0, "not accent"))),
    "markers": (None, (*CLOSES, (0.5, 101.5, 0, "accent"), (0, 108, -2, "accent"))),
    "step": (None, (*CLOSES, (0.6, 108, 0, "accent"), (0.6, 101, 0, "not accent"))),
    "area": (None, (*CLOSES, (0.5, 101.5, 0, "accent"), (0.5, 92.3, 3, "not panel"),
                    (0.5, 110.3, 3, "panel"))),
    "baseline": (None, ((1, 95, 0, "down"), (2, 97, 0, "down"), (1, 102.3, 3, "not panel"))),
    "high-low": (None, ((0, 111, 4, "up"), (0, 97, 4, "up"), (1, 109, 4, "down"))),
    "columns": (None, ((0, 107, 4, "up"), (0, 91, 4, "up"), (0, 110.3, 4, "not up"))),
    # (104, 104), (104, 101.25) and (102.625, 95.25) are open and close; high and low are the bars'.
    "heikin-ashi": (lambda: turned("heikin-ashi"), (
        (1, 102.3, 4, "down"), (1, 108.3, 0, "down"), (1, 108.3, 4, "not down"),
        (1, 97.3, 4, "not down"), (2, 99.3, 4, "down"), (2, 102.2, 4, "down"),
        (2, 91.3, 0, "down"), (2, 103.6, 0, "not down"))),
    "renko": (lambda: turned("renko", UP_AND_DOWN, 10.0), (
        (0, 105.3, 4, "up"), (1, 115.3, 4, "up"), (0, 115.3, 4, "not up"))),
    # 100 to 110; from 110 by 112 to 102; 102 to 92; the last one forms at 90.
    "range": (lambda: turned("range", TRADES, 10.0), (
        (0, 105.3, 4, "up"), (0, 111.3, 0, "not up"), (1, 106.3, 4, "down"),
        (1, 111.3, 0, "down"), (1, 111.3, 4, "not down"), (2, 97.3, 4, "down"),
        (2, 104.3, 0, "not down"), (3, 91, 4, "down"))),
    # Lines to 110, 120 and 130; 115 breaks nothing, 95 all three: from 120 down.
    "line-break": (lambda: turned("line-break", [100.0, 110.0, 120.0, 130.0, 115.0, 95.0]), (
        (0, 105.3, 4, "up"), (1, 115.3, 4, "up"), (2, 125.3, 4, "up"), (2, 115.3, 4, "not up"),
        (3, 118.3, 4, "down"), (3, 97.3, 4, "down"), (3, 125.3, 0, "not down"))),
    "kagi": (lambda: turned("kagi", UP_AND_DOWN, 10.0), (
        (0, 120.3, 0, "up"), (1, 120.3, 0, "up"), (0.5, 141, 0, "up"),
        (0, 120.3, 6, "not up"), (0.5, 120.3, 0, "not up"))),
    "point-figure": (lambda: turned("point-figure", UP_AND_DOWN, 10.0), (
        (0, 120, 0, "up"), (0, 130, 0, "up"), (0.5, 120, 0, "not up"), (1, 120, 0, "not down"))),
}  # fmt: skip


def has(seen: Look, spot: tuple[float, float, int, str]) -> bool:
    index, price, right, wanted = spot
    name = wanted.removeprefix("not ")
    if name == wanted and name != "panel":
        moved = index + right / seen.at.step
        return seen.near(moved, price, name, 1)
    return (seen.colour(index, price, right) == role(name)) is (name == wanted)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.kind for kind in KINDS])
def test_a_kind_has_its_colours_where_they_belong(chart: ChartView, kind: Kind) -> None:
    made, spots = CASES[kind.kind]
    box = 10.0 if kind.kind == "point-figure" else 0.0
    seen = look(chart, kind.kind) if made is None else seen_rows(chart, kind.kind, made(), box)
    assert (made is not None) is bool(kind.transform)
    assert len(spots) >= 3
    for spot in spots:
        assert has(seen, spot), spot


# -- tools that are studies -------------------------------------------------------------------
FIRST, LAST = 10, 30
COLUMNS = pane.bars()


def vwap(seen: Look, view: StudyView) -> None:
    """The average from the anchor on, and nothing before it."""
    part = COLUMNS.cut(FIRST)
    typical = (part.high + part.low + part.close) / 3.0
    wanted = np.cumsum(typical * part.volume) / np.cumsum(part.volume)
    assert np.isnan(view.values[0][:FIRST]).all()
    colour = view.outputs[0].role
    for more in (1, 12, 40):  # where no bar is
        middle = (wanted[more] + wanted[more + 1]) / 2.0
        assert seen.near(FIRST + more + 0.5, middle, colour, 1), more
    early = wanted[0]
    assert not seen.near(FIRST - 4.5, early, colour, 2)


def profile(seen: Look, view: StudyView, last: int) -> None:
    """The volume between the bars, drawn from the first to the right, its largest row through."""
    (found,) = view.profiles
    assert isinstance(found, Profile) and (found.first, found.last) == (FIRST, last)
    part = COLUMNS.cut(FIRST, last + 1)
    sizes = np.sum(np.asarray(found.parts), axis=0)
    assert sizes.sum() == pytest.approx(part.volume.sum())
    prices, tall = found.prices, found.height
    assert prices[0] <= part.low.min() and prices[-1] + tall >= part.high.max()
    largest = prices[np.argmax(sizes)] + tall / 2.0
    assert found.point == pytest.approx(largest)
    wide = 0.7 * (last - FIRST + 1) * sizes / sizes.max()  # in bars
    for row, size in zip(prices, wide, strict=True):
        price = row + 0.3 * tall
        free = np.flatnonzero((part.low > row + tall + 1.0) | (part.high < row - 1.0))
        for place in free.tolist():  # where no candle stands
            if abs(place + 0.5 - size) > 1.0 and abs(price - found.point) > tall:
                inside = bool(place + 0.5 < size)
                pixel = seen.colour(FIRST + place, price, 2)
                assert (pixel not in (role("panel"), role("grid"))) is inside, (place, price)
    assert seen.near(FIRST + 0.3 * (last - FIRST), found.point, "accent", 1)
    assert not seen.near(FIRST - 3.5, found.point, "accent", 1)


TOOLS: dict[str, Callable[[Look, StudyView], None]] = {
    "anchored-vwap": vwap,
    "fixed-range-profile": lambda seen, view: profile(seen, view, LAST - 1),
    "anchored-profile": lambda seen, view: profile(seen, view, COLUMNS.size - 1),
}
STUDIES = by_family()[Family.STUDIES]


@pytest.mark.parametrize("tool", STUDIES, ids=[tool.tool for tool in STUDIES])
def test_a_tool_that_is_a_study_is_drawn_from_its_anchor(chart: ChartView, tool) -> None:
    times = [int(COLUMNS.time[at]) for at in (FIRST, LAST)]
    study = registry.make(tool.study, dict(zip(tool.params, times, strict=False)))
    study.load(COLUMNS)
    spec = registry.spec(tool.study)
    prices = (COLUMNS.open, COLUMNS.high, COLUMNS.low, COLUMNS.close)
    volume = COLUMNS.volume.astype(np.int64)
    chart.set_volume(Volume.NOWHERE)
    shown(chart, Bars(COLUMNS.time, *prices, volume, 0 * volume), Interval.M5)
    view = StudyView("one", "One", spec.outputs, study.values, profiles=study.profiles)
    chart.set_studies([view])
    chart.canvas.scale_x.reset(COLUMNS.size, 480)
    chart.canvas.changed_view()
    TOOLS[tool.tool](Look(chart, picture(chart)), view)
