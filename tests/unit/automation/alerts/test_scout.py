"""Alerts on bars, studies and drawings: with no chart and no window."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openalgo_desktop.analytics.indicators import registry
from openalgo_desktop.automation.alerts import scout, series
from openalgo_desktop.automation.alerts.series import Series
from openalgo_desktop.automation.alerts.studies import RegistryStudies
from openalgo_desktop.core.alerts import (
    LOADING,
    PRICE,
    AlertState,
    AlertTrigger,
    AlertWhen,
    AlertWish,
    OfDrawing,
    OfStudy,
    PriceAlert,
)
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.clock import ManualClock
from openalgo_desktop.core.errors import AppError, InvalidOrder, NotConnected
from openalgo_desktop.core.events import FeedChanged, Notice
from tests.unit.automation.alerts.room import MINUTE, NOW, Feed, Room, room
from tests.unit.trading.watching import SBIN
from tests.waiting import until

__all__ = ["room"]

SMA = OfStudy("sma", "average", {"length": 3})
LINE = OfDrawing("d1")
CLOSE: dict[str, Any] = {"trigger": AlertTrigger.CLOSE, "span": "1m"}
ON_SMA: dict[str, Any] = {"subject": PRICE, "against": SMA, "span": "1m"}
ON_LINE: dict[str, Any] = {"against": LINE, "span": "1m"}


async def ready(room: Room, alert: PriceAlert) -> None:
    """Its bars are there, and the price of now was looked at."""
    await until(lambda: not room.alerts.trouble(alert), room.alerts.trouble(alert))
    await looked(room)


async def looked(room: Room) -> None:
    """What was heard was looked at. Two looks are a tenth of a second apart."""
    room.clock.advance(scout.EVERY)
    await until(lambda: not room.alerts._scout._timers)


def values(room: Room) -> list[Decimal | None]:
    return [row.fired_value for row in room.told]


async def test_a_price_crosses_a_study_on_touch(room: Room):
    room.say(790.0)
    room.feed.gate.clear()
    made = await room.add(AlertWhen.CROSSES_UP, "0", **ON_SMA)
    assert room.alerts.trouble(made) == LOADING
    room.feed.gate.set()
    await ready(room, made)
    assert made.side == 0 and room.alerts.get(made.alert_id).side == -1
    room.say(795.0)
    await looked(room)
    assert not room.told
    room.say(803.0)  # above the average of 800, 800 and 803
    await looked(room)
    assert values(room) == [Decimal(803)]
    assert room.told[0].fired_line == Decimal(801)
    assert not room.feed.listeners and not any(room.ticks.listeners.values())  # it was for once


async def test_a_study_reaches_a_level_and_the_form_reads_so(room: Room):
    room.say(800.0)
    made = await room.add(AlertWhen.ABOVE, "801", subject=SMA, span="1m")
    assert room.alerts.words.describe(made.wish) == "SMA 3 at or above 801 (1m)"
    await ready(room, made)
    room.say(804.0)
    await looked(room)
    assert values(room) == [Decimal("801.3333")]


async def test_no_price_between_two_looks_is_lost(room: Room):
    room.lines.levels["d1"] = 805.0
    room.say(800.0)
    up = await room.add(AlertWhen.CROSSES_UP, "0", **ON_LINE)
    down = await room.add(AlertWhen.CROSSES_DOWN, "0", **ON_LINE)
    await ready(room, up)
    room.say(804.0, 806.0, 803.0)
    await looked(room)
    assert [(row.alert_id, row.fired_value) for row in room.told] == [
        (up.alert_id, Decimal(806)), (down.alert_id, Decimal(803)),
    ]  # fmt: skip


async def test_many_ticks_are_few_looks(room: Room, monkeypatch: pytest.MonkeyPatch):
    room.lines.levels["d1"] = 900.0
    room.say(800.0)
    made = await room.add(AlertWhen.CROSSES, "0", **ON_LINE)
    await ready(room, made)
    room.say(800.5)
    await looked(room)
    before = room.lines.asked
    monkeypatch.setattr(scout, "EVERY", 60.0)  # until the next look, however slow the machine is
    for number in range(50):
        room.say(801.0 + number)
        await asyncio.sleep(0)
    assert room.lines.asked == before
    room.alerts._scout._look_at(SBIN)
    assert room.lines.asked == before + 50  # one for each price that was heard, in one look
    room.say(*(850.0 + (number % 2) for number in range(scout.MANY)))
    assert room.lines.asked == before + 50 + scout.MANY  # and never more than so many wait


async def test_a_bar_close_tells_at_the_close_and_only_then(room: Room):
    room.say(800.0)
    made = await room.add(AlertWhen.ABOVE, "805", again=True, **CLOSE)
    await ready(room, made)
    room.say(810.0)
    room.alerts.look()
    await looked(room)
    room.say(804.0)
    room.feed.end()
    assert not room.told  # it was above within the bar, not at its end
    room.say(806.0)
    await looked(room)
    assert not room.told
    room.feed.end()
    room.feed._tell()  # the source says it twice
    assert values(room) == [Decimal(806)]
    room.say(807.0)
    room.feed.end()
    assert len(room.told) == 1  # still true: not true anew
    for price in (800.0, 808.0):
        room.say(price)
        room.feed.end()
    assert values(room) == [Decimal(806), Decimal(808)]


async def test_a_close_that_nobody_told_of_ends_with_the_next_bar(room: Room):
    room.say(800.0)
    made = await room.add(AlertWhen.CROSSES_UP, "805", message="{{close}} {{time}}", **CLOSE)
    await ready(room, made)
    assert room.alerts.get(made.alert_id).side == -1  # of the last bar of the history
    room.say(806.0)
    room.clock.advance(60)
    room.say(801.0)
    assert values(room) == [Decimal(806)]
    assert room.words[0].text == "806.00 2026-11-30T10:00:00+05:30"


async def test_moves_within_bars(room: Room):
    room.feed.closes = [700.0, *[800.0] * 4, 790.0, 800.0]
    room.say(800.0)
    rises = await room.add(AlertWhen.RISES, "2", bars=3, span="1m")
    falls = await room.add(AlertWhen.FALLS, "2", bars=3, span="1m")
    assert room.alerts.words.describe(rises.wish) == "LTP rises 2 within 3 bars (1m)"
    await ready(room, rises)
    room.say(805.0)
    await looked(room)
    assert not room.told
    room.say(806.0)  # 2.025 % above 790
    await looked(room)
    assert [row.alert_id for row in room.told] == [rises.alert_id]
    room.say(790.0, 789.8)  # 2.01 % below 806
    await looked(room)
    assert [row.alert_id for row in room.told] == [rises.alert_id, falls.alert_id]


async def test_alerts_with_the_same_study_share_it(room: Room, monkeypatch: pytest.MonkeyPatch):
    made: list[Mapping[str, Any]] = []
    make = RegistryStudies.make
    monkeypatch.setattr(
        RegistryStudies, "make", lambda *args: made.append(args[1].params) or make(*args)
    )
    room.say(800.0)
    rows = [
        await room.add(AlertWhen.ABOVE, level, subject=SMA, span="1m") for level in ("900", "950")
    ]
    other = OfStudy("sma", "average", {"length": 4})
    rows.append(await room.add(AlertWhen.ABOVE, "900", subject=other, span="1m"))
    await ready(room, rows[0])
    (shared,) = room.alerts._scout._series.values()
    assert len(shared._runs) == 2 and len(room.feed.listeners) == 1
    await room.alerts.delete(rows[0].alert_id)
    assert len(shared._runs) == 2
    await room.alerts.pause(rows[1].alert_id)
    assert len(shared._runs) == 1
    await room.alerts.delete(rows[2].alert_id)
    await until(lambda: not room.feed.listeners)


async def test_the_side_is_kept_over_a_restart_and_the_history_comes_first(room: Room):
    room.lines.levels["d1"] = 805.0
    room.say(800.0)
    cross = await room.add(AlertWhen.CROSSES_UP, "0", **ON_LINE)
    told = await room.add(AlertWhen.BELOW, "810", again=True, subject=SMA, span="1m")
    await ready(room, told)
    assert [row.alert_id for row in room.told] == [told.alert_id]  # true when it was made
    room.feed.error, asked = NotConnected("no line"), len(room.feed.asked)
    await room.restart()
    room.say(806.0)
    await looked(room)
    assert "no line" in room.alerts.trouble(cross)
    room.alerts.look()
    assert len(room.told) == 1 and len(room.feed.asked) == asked + 1  # not asked again at once
    room.feed.error = None
    room.clock.advance(series.AGAIN)
    room.say(807.0)
    room.alerts.look()
    await ready(room, cross)
    await looked(room)
    # The crossing while the program was away is told; what was true before it is not news.
    assert [row.alert_id for row in room.told] == [told.alert_id, cross.alert_id]


async def test_a_gap_of_the_feed_is_filled_and_its_last_close_is_told_once(room: Room):
    room.say(800.0)
    made = await room.add(AlertWhen.ABOVE, "805", **CLOSE)
    await ready(room, made)
    room.bus.publish(FeedChanged(connected=False, message="gone"))
    room.clock.advance(180)
    room.feed.closes += [801.0, 820.0, 806.0]  # what the source says afterwards
    room.bus.publish(FeedChanged(connected=True, message=""))
    room.say(803.0)
    await until(lambda: room.told)
    assert values(room) == [Decimal(806)]


async def test_a_drawing_that_moves_is_seen_anew_and_one_that_goes_pauses(room: Room):
    notices: list[str] = []
    room.bus.subscribe(Notice, lambda event: notices.append(event.text))
    room.lines.levels["d1"] = 805.0
    room.say(800.0)
    made = await room.add(AlertWhen.CROSSES, "0", **ON_LINE)
    await ready(room, made)
    room.lines.put("d1", 795.0)  # through the price: no crossing
    room.say(801.0)
    await looked(room)
    assert not room.told and room.alerts.get(made.alert_id).side == 1
    room.lines.put("d1", None)
    alert = room.alerts.get(made.alert_id)
    assert (alert.state, alert.why) == (AlertState.PAUSED, scout.GONE)
    assert notices == [f"Alert on SBIN is paused: {scout.GONE}"]
    with pytest.raises(InvalidOrder, match="not there any more"):
        await room.alerts.resume(made.alert_id)
    room.lines.put("d1", 799.0)
    again = await room.alerts.resume(made.alert_id)
    assert again.why == ""
    await ready(room, again)
    room.lines.levels.clear()  # while the program was away
    await room.restart()
    assert room.alerts.get(made.alert_id).state is AlertState.PAUSED


async def test_a_line_that_does_not_reach_so_far_decides_nothing(room: Room):
    room.lines.levels["d1"], room.lines.since = 795.0, NOW.timestamp() + 600
    room.say(800.0)
    made = await room.add(AlertWhen.ABOVE, "0", **ON_LINE)
    await until(lambda: "does not reach" in room.alerts.trouble(made))
    room.say(801.0)
    await looked(room)
    assert not room.told
    room.clock.advance(600)
    room.say(802.0)
    await looked(room)
    assert values(room) == [Decimal(802)]


async def test_only_fresh_prices_of_an_open_market(room: Room):
    room.say(790.0)
    made = await room.add(AlertWhen.ABOVE, "0", **ON_SMA)
    room.ticks.stale = True
    await until(lambda: room.alerts._scout._watched[made.alert_id].series.is_ready)
    room.say(900.0)
    room.alerts.look()
    await looked(room)
    assert not room.told
    room.ticks.stale, room.open = False, False
    room.clock.advance(2)
    room.say(901.0)
    await looked(room)
    assert not room.told and room.alerts.trouble(made) == "NSE is closed."


async def test_what_there_is_not_is_refused_and_a_study_without_a_value_says_so(room: Room):
    with pytest.raises(AppError, match="none"):
        await room.add(AlertWhen.ABOVE, "1", subject=OfStudy("nosuch", "x"), span="1m")
    with pytest.raises(AppError, match="there is no line 'x'"):
        await room.add(AlertWhen.ABOVE, "1", subject=OfStudy("sma", "x"), span="1m")
    with pytest.raises(AppError, match="Length"):
        wrong = OfStudy("sma", "average", {"length": 0})
        await room.add(AlertWhen.ABOVE, "1", subject=wrong, span="1m")
    room.say(800.0)
    long = OfStudy("sma", "average", {"length": 50})
    made = await room.add(AlertWhen.ABOVE, "1", subject=long, span="1m")
    await until(lambda: room.alerts.trouble(made) == "SMA 50 has no value yet.")
    assert not room.told


async def test_a_study_on_a_study(room: Room):
    inner = OfStudy("rsi", "rsi", {"length": 2})
    source = OfStudy("sma", "average", {"length": 2}, {"source": inner})
    studies = RegistryStudies(Surroundings)
    assert studies.title(source) == "SMA 2 of RSI 2"
    closes = np.array([1.0, 2, 1, 3, 2, 5, 4, 4.5])
    bars = Columns(np.arange(8), closes, closes, closes, closes, closes, closes)
    study = studies.make(source, SBIN, MINUTE)
    study.load(bars.cut(0, 6))
    study.append(bars.cut(0, 7))
    study.append(bars)
    rsi = registry.make("rsi", {"length": 2})
    rsi.load(bars)
    assert study.values[0][-1] == pytest.approx(rsi.values[0][-2:].mean())


async def test_every_study_says_what_it_needs_and_is_made(room: Room):
    """With its own parameters, on bars of a minute."""
    studies = room.alerts._scout._sources.studies
    for spec in studies.specs():
        source = OfStudy(spec.study, spec.outputs[0].name)
        need = studies.need(source)
        assert need.bars <= 20_000 and need.days <= 400, spec.study
        assert studies.output(source) == 0 and studies.title(source).startswith(spec.short)
        assert studies.make(source, SBIN, MINUTE) is not None
    chained = OfStudy("sma", "average", {"interval": "1h"}, {"source": OfStudy("rsi", "rsi")})
    assert studies.title(chained).endswith("1h of RSI 14")
    assert studies.need(chained).days > 30 and studies.need(chained).bars >= 140
    month = OfStudy("pivots", studies_output(studies, "pivots"), {"period": "month"})
    assert studies.need(month).days == 70
    with pytest.raises(AppError, match="your own files"):
        studies.output(OfStudy("user:mine", "x"))
    with pytest.raises(AppError, match="option chain"):
        studies.output(OfStudy("pcr", "pcr"))


def studies_output(studies: Any, study: str) -> str:
    return next(spec for spec in studies.specs() if spec.study == study).outputs[0].name


async def test_the_time_on_its_last_day_ends_it(room: Room):
    room.say(800.0)
    today = NOW.date()
    made = await room.add(AlertWhen.ABOVE, "805", expires=today, until=time(10, 5), **CLOSE)
    await ready(room, made)
    room.clock.advance(299)
    room.alerts.look()
    assert room.alerts.get(made.alert_id).is_active
    room.clock.advance(1)
    room.alerts.look()
    assert room.alerts.get(made.alert_id).state is AlertState.EXPIRED
    await until(lambda: not room.feed.listeners)


STEPS = st.lists(
    st.tuples(st.sampled_from(["say", "end", "look"]), st.integers(780, 820)), max_size=25
)


@given(STEPS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_kept_running_is_what_all_bars_give(steps: list[tuple[str, int]]):
    """However bars, ends and looks follow one another."""

    async def scenario() -> None:
        clock = ManualClock(NOW)
        feed = Feed(clock)
        closed: list[int] = []
        bars = Series(
            feed, clock, SBIN, MINUTE,
            lambda _: 0, lambda row, at: closed.append(row.time(at)), lambda _: None,
        )  # fmt: skip
        bars.add("ema", registry.make("ema", {"length": 5}))
        await until(lambda: bars.is_ready)
        for what, price in steps:
            if what == "say":
                feed.say(float(price))
            elif what == "end" and feed.bar is not None and not feed.bar.closed:
                feed.end()
            elif what == "look":
                bars.renew()
        bars.renew()
        whole = registry.make("ema", {"length": 5})
        whole.load(bars.bars.columns)
        size = bars.bars.size
        seen = [bars.value("ema", 0, at) for at in range(size)]
        np.testing.assert_allclose(seen, whole.values[0][:size], rtol=1e-12)
        assert closed == sorted(set(closed)) and len(closed) == len(feed.closes) - 20
        bars.close()

    asyncio.run(scenario())


def test_the_wish_of_now_is_read_as_it_was_stored():
    import msgspec

    wish = AlertWish(
        "NSE", "SBIN", AlertWhen.ENTERS, subject=SMA, against=LINE, upper=Decimal(900), bars=3,
        trigger=AlertTrigger.CLOSE, span="5m", expires=NOW.date(), until=time(15, 0), message="m",
    )  # fmt: skip
    kept = msgspec.json.encode(msgspec.to_builtins(PriceAlert("1", wish, NOW, why="w")))
    assert msgspec.convert(msgspec.json.decode(kept), PriceAlert).wish == wish


async def test_a_drawing_of_another_instrument_asks_nothing(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    room.lines.levels["d1"] = 805.0
    room.say(800.0)
    made = await room.add(AlertWhen.ABOVE, "0", **ON_LINE)
    await room.add(AlertWhen.ABOVE, "900")
    await ready(room, made)
    asked: list[OfDrawing] = []
    monkeypatch.setattr(room.lines, "drawn", lambda _, source: asked.append(source) or 805.0)
    room.alerts._scout._on_drawings(("NSE", "TCS"))
    assert not asked
    room.alerts._scout._on_drawings(SBIN)
    assert asked == [LINE]
    await room.alerts.delete(made.alert_id)
    room.alerts._scout._on_drawings(SBIN)
    assert asked == [LINE]
    assert not room.alerts._scout._drawers and not room.alerts._scout._users
