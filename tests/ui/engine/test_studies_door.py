"""The door to studies, against a running terminal; records of chains, and templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from openalgo_desktop.analytics.indicators.running.library import Library
from openalgo_desktop.core.chain import ChainHead
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import StudyWish, Style
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.ui.engine.chain_past import ChainRecord, SamplesUntil
from openalgo_desktop.ui.engine.study_templates import SCOPE, StudyTemplates
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive
from tests.waiting import until

NIFTY = ("NSE_INDEX", "NIFTY")


def test_a_chart_with_levels_of_days_the_chain_and_a_study_of_the_user(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge = session.bridge
        door, told = bridge.studies, []
        path = door.own_folder()
        assert [spec.study for spec in door.find("distance from the average")] == ["user:example"]
        assert door.find("cpr")[0].study == "cpr" and not door.own_problems

        today = bridge.now().date()
        bars = Columns.of(
            await bridge.bars.of_days(NIFTY, Span.parse("5m"), today - timedelta(6), today)
        )
        # The first day is not whole: only daily bars tell what was before the second.
        bars = bars.cut(bars.size - 150)
        wishes = [StudyWish("a", "cpr"), StudyWish("b", "pcr"), StudyWish("c", "user:example")]
        view = door.open(wishes, NIFTY, Span.parse("5m"), lambda: told.append(1))
        view.load(bars)
        await until(lambda: np.isfinite(view.values("a")[0][0]), "levels from daily bars")
        moment = int(bridge.bars.moment)
        since = moment - 30 * 86_400
        days = Columns.of(await bridge.bars.get(NIFTY, Span.parse("D"), since, moment))
        first = int(bars.time[0] + 19_800) // 86_400
        place = int(np.searchsorted(days.time // 86_400, first)) - 1
        pivot = (days.high[place] + days.low[place] + days.close[place]) / 3
        assert view.values("a")[0][0] == pytest.approx(pivot)

        own: Callable[[], bool] = lambda: bool(np.isfinite(view.values("c")[0][-1]))  # noqa: E731
        await until(own, "the answer of the user's study")
        now = int(bridge.now().timestamp()) // 300 * 300
        forming = Columns(*(np.append(column, column[-1:]) for column in bars))
        forming.time[-1] = now
        view.append(forming)

        def known() -> bool:
            view.last(forming)
            return bool(np.isfinite(view.values("b")[0][-1]))

        await until(known, "the put-call ratio of the bar that forms")
        assert 0.01 < view.values("b")[0][-1] < 100
        assert bridge.chains.open_views == 1
        (path / "example.py").write_text("TITLE = 1 +\n")
        door.look()
        assert "example.py, line 1" in door.own_problems["example.py"]
        assert "is not in the folder" in view.error("c")
        view.move(("NSE", "SBIN"), Span.parse("D"))
        assert view.values("a") == ()
        sums = door.open([StudyWish("a", "cpr")], ("", "A-B"), Span.parse("5m"), told.clear, "NSE")
        sums.load(bars.cut(0, 100))
        assert sums.around.days is None and np.isnan(sums.values("a")[0][0])
        assert sums.around.sessions.traded(first) is not None
        sums.close()
        view.close()
        assert (bridge.chains.open_views, door.open_views) == (0, 0)
        assert door.folder.processes == []

    drive(scenario)


# -- records ----------------------------------------------------------------------------------
def test_a_record_has_one_sample_for_each_stretch_and_unknown_is_not_0() -> None:
    clock = [1000.0]
    record = ChainRecord(lambda: clock[0])
    for second, pcr in ((1000.0, 0.9), (1004.9, 1.1), (1005.0, 1.2), (1012.0, None)):
        clock[0] = second
        record.take(ChainHead(pcr=pcr, call_oi=50.0))
    assert record.time.tolist() == [1000, 1005, 1010]
    np.testing.assert_array_equal(record.figure("pcr"), [1.1, 1.2, np.nan])
    assert record.figure("call_oi").tolist() == [50.0] * 3
    assert np.isnan(record.figure("max_pain")).all()


def test_a_record_keeps_the_last_of_each_minute_and_goes_on_after_a_restart() -> None:
    clock = [1200.0]
    record = ChainRecord(lambda: clock[0])
    assert record.kept()["time"] == []
    for second, pcr in ((1200.0, 0.9), (1255.0, None), (1260.0, 1.2), (1315.0, 1.3)):
        clock[0] = second
        record.take(ChainHead(pcr=pcr))
    kept = record.kept()
    assert (kept["time"], kept["pcr"]) == ([1255.0, 1315.0], [None, 1.3])
    again = ChainRecord(lambda: 1315.0)
    again.take(ChainHead(pcr=2.0))
    again.put_before(kept)
    assert again.time.tolist() == [1255, 1315]
    np.testing.assert_array_equal(again.figure("pcr"), [np.nan, 2.0])
    again.put_before({"time": [1.0]})  # damaged: as none
    assert again.time.size == 2


# -- templates --------------------------------------------------------------------------------
class State:
    """Values of one scope."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {"set:broken": 5, "first:ema": {"params": {"length": 5}}}

    async def all(self, scope: str) -> dict[str, Any]:
        assert scope == SCOPE
        return dict(self.values)

    def put_later(self, scope: str) -> Callable[[str, Any], None]:
        return lambda key, value: self.values.__setitem__(key, msgspec.json.decode(
            msgspec.json.encode(value)))  # fmt: skip

    def forget_later(self, scope: str) -> Callable[[str], None]:
        return lambda key: self.values.pop(key, None)


async def templates(state: State) -> StudyTemplates:
    made = StudyTemplates(state, Library(), lambda: None)  # type: ignore[arg-type]
    await made.load()
    return made


async def test_a_set_is_applied_with_idents_of_its_own_and_its_chain() -> None:
    state = State()
    saved = await templates(state)
    assert saved.names == []
    own = (
        StudyWish("a", "rsi", {"length": 9}, {"rsi": Style(colour="#ff0000", width=2.0)}),
        StudyWish("b", "sma", {"source": "a.rsi"}, pane=2),
    )
    saved.save(" Momentum ", own)
    again = await templates(state)
    assert again.names == ["Momentum"]
    present = (StudyWish("a", "vwap"),)
    first, rsi, mean = again.apply("Momentum", present)
    assert first == present[0]
    assert len({"a", "b", rsi.ident, mean.ident}) == 4
    assert mean.params["source"] == f"{rsi.ident}.rsi" and mean.pane == 2
    assert rsi.styles["rsi"] == Style(colour="#ff0000", width=2.0)
    again.delete("Momentum")
    assert (await templates(state)).names == []
    with pytest.raises(DataError, match="Momentum is not there"):
        again.apply("Momentum")
    with pytest.raises(DataError, match="give it a name"):
        again.save(" ", own)


async def test_new_studies_begin_as_the_user_likes_them() -> None:
    state = State()
    saved = await templates(state)
    assert saved.new("ema").params == {"length": 5}
    assert saved.new("ema", {"length": 8}).params == {"length": 8}
    saved.keep_first(
        StudyWish("x", "sma", {"length": 7, "source": "y.rsi"}, {"average": Style(width=3)})
    )
    again = await templates(state)
    new = again.new("sma")
    assert (new.params, new.styles) == ({"length": 7}, {"average": Style(width=3)})
    assert new.ident != again.new("sma").ident
    again.forget_first("sma")
    assert (await templates(state)).new("sma").params == {}


def test_of_a_chain_a_replay_has_what_was_recorded_up_to_its_moment() -> None:
    now = [100.0]
    record = ChainRecord(lambda: now[0])
    for at, pcr in ((100.0, 0.5), (200.0, 0.7), (300.0, 0.9)):
        now[0] = at
        record.take(ChainHead(pcr=pcr))
    moment = [99.0]
    past = SamplesUntil(record, lambda: moment[0])
    assert not len(past.time) and not len(past.figure("pcr"))
    moment[0] = 200.0
    assert past.time.tolist() == [100, 200] and past.figure("pcr").tolist() == [0.5, 0.7]
