"""Studies of a chart: chains, other intervals, errors that stay with their study, long loads."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from openalgo_desktop.analytics.indian.kept import Kept
from openalgo_desktop.analytics.indicators import registry
from openalgo_desktop.analytics.indicators.running import chart_studies
from openalgo_desktop.analytics.indicators.running.chart_studies import ChartStudies
from openalgo_desktop.analytics.indicators.running.library import Changed, Library
from openalgo_desktop.analytics.indicators.running.study_set import StudySet
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import (
    Output,
    ParamKind,
    Study,
    StudySpec,
    StudyWish,
    Value,
)
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.errors import DataError
from tests.unit.analytics.indian.market import CALENDAR, NSE, intraday, with_last

BARS = intraday(7, 6, 5)
AROUND = Surroundings(
    ("NSE", "SBIN"), Span.parse("5m"), 0.05, NSE, rhythm=lambda span: Rhythm(span, "NSE", CALENDAR)
)


def wish(ident: str, study: str = "sma", **params: Value) -> StudyWish:
    return StudyWish(ident, study, params)


def loaded(*wishes: StudyWish, bars: Columns = BARS, library: Library | None = None) -> StudySet:
    studies = StudySet(library or Library(), AROUND, wishes)
    studies.load(bars)
    return studies


def alone(study: str, bars: Columns, **params: Value) -> Sequence[Floats]:
    made = registry.make(study, params, around=AROUND)
    made.load(bars)
    return made.values


def test_a_study_on_a_study_whatever_their_order() -> None:
    studies = loaded(wish("b", length=5, source="a.rsi"), wish("a", "rsi", length=9))
    rsi = alone("rsi", BARS, length=9)[0]
    np.testing.assert_array_equal(studies.runs["a"].values[0], rsi)
    known = rsi[np.isfinite(rsi)]
    assert studies.runs["b"].values[0][-1] == pytest.approx(known[-5:].mean())


def test_bar_by_bar_the_chain_and_the_interval_are_what_all_at_once_gives() -> None:
    wishes = (
        wish("a", "rsi", length=5),
        wish("b", length=3, source="a.rsi"),
        wish("c", length=3, interval="15m"),
        wish("d", "ema", length=3, source="a.rsi", interval="1h"),
        wish("e", length=2, source="c.average"),
        wish("f", "vwap"),
        wish("g", length=1, interval="D"),
    )
    studies = loaded(*wishes, bars=BARS.cut(0, 100))
    for end in range(101, BARS.size + 1):
        bars = BARS.cut(0, end)
        studies.append(with_last(bars, bars.open[-1] + 3, bars.open[-1] - 3, bars.open[-1]))
        if end % 5:
            studies.last(bars)
    studies.last(BARS)
    whole = loaded(*wishes)
    for ident, run in studies.runs.items():
        assert not run.error
        for column, wanted in zip(run.values, whole.runs[ident].values, strict=True):
            np.testing.assert_allclose(column, wanted, rtol=1e-9, atol=1e-9)
            assert np.isfinite(column).any()


@pytest.mark.parametrize(("text", "seconds"), [("15m", 900), ("1h", 3600)])
def test_a_longer_bar_counts_from_the_bar_after_its_end(text: str, seconds: int) -> None:
    got = loaded(wish("a", length=1, interval=text)).runs["a"].values[0]
    opens = [NSE.opens(int(time + 19_800) // 86_400, 0) for time in BARS.time]
    names = [(o, int(time - o) // seconds) for time, o in zip(BARS.time, opens, strict=True)]
    order = list(dict.fromkeys(names))
    for place, name in enumerate(names):
        at = order.index(name)
        if at < 2:  # the first may have begun before the bars
            assert np.isnan(got[place])
            continue
        last = max(n for n, other in enumerate(names) if other == order[at - 1])
        assert got[place] == BARS.close[last]


def test_marks_of_longer_bars_stand_at_one_bar() -> None:
    shown = loaded(wish("a", "supertrend", length=2, factor=0.2, interval="15m")).runs["a"].values
    marks = np.isfinite(shown[3])
    assert 0 < marks.sum() < BARS.size / 3
    turned = np.flatnonzero(np.diff(shown[2]) != 0) + 1
    assert set(np.flatnonzero(marks)) <= set(turned)


def test_circles_are_refused_with_a_sentence_and_the_others_go_on() -> None:
    studies = loaded(
        wish("a", length=3, source="b.ema"),
        wish("b", "ema", length=3, source="a.average"),
        wish("c", "rsi"),
        wish("d", source="d.average"),
    )
    error = studies.runs["a"].error
    assert error.endswith("stand on one another: choose another source for one.")
    assert studies.runs["b"].error and studies.runs["b"].values == ()
    assert "cannot be its own source" in studies.runs["d"].error
    assert not studies.runs["c"].error and np.isfinite(studies.runs["c"].values[0][-1])


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"source": "x.rsi"}, "its source x is not on this chart any more"),
        ({"source": "a.rsj"}, "has no rsj; it has rsi"),
        ({"length": 0}, "give 1 to 2000, not 0"),
        ({"interval": "1m"}, "bars of 1m cannot be made of bars of 5m"),
        ({"interval": "soon"}, "'soon' is none"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(params: dict[str, Value], sentence: str) -> None:
    studies = loaded(wish("a", "rsi"), wish("b", **params))
    assert sentence in studies.runs["b"].error
    assert not studies.runs["a"].error


def test_a_study_that_is_not_there_and_what_stands_on_it() -> None:
    studies = loaded(wish("a", "rsy"), wish("b", source="a.rsi"))
    assert "'rsy'" in studies.runs["a"].error
    assert "its source rsy has no values" in studies.runs["b"].error


def test_missing_columns_are_a_note_not_an_error() -> None:
    bars = BARS._replace(volume=np.zeros(BARS.size), oi=np.full(BARS.size, np.nan))
    wishes = (wish("a", "vwap"), wish("b", "oi"), wish("c", "pcr"), wish("d", "vwap-anchored"))
    runs = loaded(*wishes, bars=bars).runs
    assert runs["d"].note == "Anchored VWAP: Anchor: choose a bar on the chart."
    assert "needs volume, and this instrument has none" in runs["a"].note
    assert "needs open interest" in runs["b"].note
    assert "needs options on this instrument" in runs["c"].note
    assert not any(run.error for run in runs.values())


def test_levels_have_no_interval_of_their_own() -> None:
    library = Library()
    kinds = {spec.study: {param.kind for param in spec.params} for spec in library.specs()}
    assert ParamKind.SPAN in kinds["rsi"] and ParamKind.SPAN not in kinds["cpr"]
    assert [spec.study for spec in library.find("camarilla")] == ["pivots"]
    assert library.find("vwap")[0].study == "vwap"


class Later(Kept):
    """A study of the user: it has values when it was told so."""

    def __init__(self, changed: Changed) -> None:
        super().__init__(1)
        self.changed = changed
        self.answer = np.nan

    def _all(self, bars: Columns) -> Sequence[Floats]:
        return [np.full(bars.size, self.answer)]

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        return [self.answer]

    def _close(self, bars: Columns, place: int) -> None:
        return

    def tell(self, bars: Columns, value: float, error: str = "") -> None:
        self.answer = value
        self.load(bars)
        self.changed(error)


class Own:
    def __init__(self) -> None:
        self.made: list[Later] = []

    def specs(self) -> list[StudySpec]:
        return [StudySpec("user:mine", "Mine", "Mine", "Yours", (Output("x", "X"),))]

    def make(self, study: str, params: Mapping[str, Value], changed: Changed) -> Study:
        self.made.append(Later(changed))
        return self.made[-1]


def test_what_stands_on_a_later_answer_is_computed_when_it_comes() -> None:
    told: list[str] = []
    own = Own()
    wishes = (wish("a", "user:mine"), wish("b", length=2, source="a.x"))
    studies = StudySet(Library(own), AROUND, wishes, told.append)
    studies.load(BARS)
    assert np.isnan(studies.runs["b"].values[0]).all()
    own.made[0].tell(BARS, 7.0)
    assert told == ["a", "b"]
    assert studies.runs["b"].values[0][-1] == 7.0
    own.made[0].tell(BARS, 7.0, "line 3: no")
    assert studies.runs["a"].error == "line 3: no"
    assert studies.runs["b"].values == ()
    assert "has no values" in studies.runs["b"].error
    with pytest.raises(DataError, match="is not in the folder"):
        Library(own).spec("user:other")


# -- a chart ----------------------------------------------------------------------------------
class Chart:
    """A chart's studies on a loop of this test."""

    def __init__(self, library: Library | None = None) -> None:
        self.told = 0
        self.tasks: list[asyncio.Task[None]] = []
        self.studies = ChartStudies(library or Library(), AROUND, self._tell, self._spawn)

    def _tell(self) -> None:
        self.told += 1

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        self.tasks.append(asyncio.get_running_loop().create_task(work))
        return self.tasks[-1]

    async def done(self) -> None:
        await asyncio.gather(*self.tasks)


async def test_a_long_load_leaves_the_loop_and_catches_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_studies, "SMALL", 0)
    chart, go = Chart(), threading.Event()
    threads: list[str] = []
    paced = StudySet.load_paced

    def held(self: StudySet, bars: Columns, only_fresh: bool = False) -> None:
        threads.append(threading.current_thread().name)
        assert go.wait(60)
        paced(self, bars, only_fresh)

    monkeypatch.setattr(StudySet, "load_paced", held)
    chart.studies.wish([wish("a", length=4), wish("b", "vwap")])
    chart.studies.load(BARS.cut(0, 200))
    assert chart.studies.busy and chart.studies.values("a") == ()
    for end in (201, 202):  # bars go on coming
        chart.studies.append(BARS.cut(0, end))
        chart.studies.last(BARS.cut(0, end))
    go.set()
    await chart.done()
    assert threads and all(name != threading.main_thread().name for name in threads)
    assert (chart.told, chart.studies.busy) == (1, False)
    want = alone("sma", BARS.cut(0, 202), length=4)[0]
    np.testing.assert_allclose(chart.studies.values("a")[0], want)
    # Older bars are put before: what is known stays where it belongs until they are done.
    go.clear()
    chart.studies.load(BARS.cut(0, 202))
    await asyncio.sleep(0)
    chart.studies.append(BARS.cut(0, 203))
    assert chart.studies.values("a")[0].size == 203
    go.set()
    await chart.done()
    assert chart.studies.values("b")[0].size == 203


async def test_older_bars_keep_the_known_values_in_their_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chart_studies, "SMALL", 500)
    chart = Chart()
    chart.studies.wish([wish("a", length=4)])
    chart.studies.load(BARS.cut(100, 300))
    before = chart.studies.values("a")[0].copy()
    monkeypatch.setattr(chart_studies, "SMALL", 0)
    chart.studies.load(BARS.cut(0, 300))
    shown = chart.studies.values("a")[0]
    assert np.isnan(shown[:103]).all()
    np.testing.assert_array_equal(shown[100:], before)
    chart.studies.append(BARS.cut(0, 301))
    assert chart.studies.values("a")[0].size == 301
    await chart.done()
    np.testing.assert_allclose(
        chart.studies.values("a")[0], alone("sma", BARS.cut(0, 301), length=4)[0]
    )


async def test_a_wish_more_leaves_those_that_run(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Own()
    chart = Chart(Library(own))
    chart.studies.load(BARS.cut(0, 150))
    chart.studies.wish([wish("u", "user:mine")])
    chart.studies.wish([wish("u", "user:mine"), wish("a", length=3, source="u.x")])
    assert len(own.made) == 1
    told = chart.told
    own.made[0].tell(BARS.cut(0, 150), 5.0)
    assert chart.told == told + 2
    assert chart.studies.values("a")[0][-1] == 5.0
    chart.studies.wish([wish("a", length=3, source="u.x")])
    assert "is not on this chart any more" in chart.studies.error("a")
    assert chart.studies.values("u") == ()
    chart.studies.close()
    own.made[0].tell(BARS.cut(0, 150), 6.0)
    assert chart.studies.values("a") == ()


async def test_another_instrument_knows_nothing_of_the_one_before() -> None:
    chart = Chart()
    chart.studies.wish([wish("a", length=4)])
    chart.studies.load(BARS.cut(0, 300))
    chart.studies.stand(AROUND)
    assert chart.studies.values("a") == ()
    other = intraday(99, 3)
    chart.studies.load(other)
    np.testing.assert_allclose(chart.studies.values("a")[0], alone("sma", other, length=4)[0])


async def test_what_is_closed_or_replaced_is_freed_without_the_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While markets are open nobody looks for circles: studies must go by themselves."""
    seen: list[weakref.ref[Any]] = []

    async def one(small: int) -> None:
        monkeypatch.setattr(chart_studies, "SMALL", small)
        chart = Chart()
        wishes = [wish("a", "rsi"), wish("b", length=3, source="a.rsi"), wish("c", "vwap")]
        for some in (wishes, [*wishes, wish("d", interval="15m")], wishes[:2]):
            chart.studies.wish(some)
            chart.studies.load(BARS)
            chart.studies.load(BARS.cut(1))  # in the middle of the one before
            await chart.done()
            for run in chart.studies._set.runs.values():
                seen.extend((weakref.ref(run), weakref.ref(run.study)))
            seen.append(weakref.ref(chart.studies._set))
        chart.studies.stand(AROUND)
        chart.studies.close()

    gc.collect()
    gc.disable()
    try:
        await one(0)
        await one(10_000_000)
        await asyncio.sleep(0)
        assert len(seen) > 30
        assert [ref() for ref in seen if ref() is not None] == []
    finally:
        gc.enable()
