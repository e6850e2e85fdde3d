"""What is kept is not asked again; what is missing is asked for, newest first; live bars fit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openalgo_desktop.core.charting.ports import LiveBar, Progress
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import NetError
from openalgo_desktop.core.ticks import Bars
from tests.unit.research.bars.world import DAY, M1, M5, SBIN, World, at, bars_of, label
from tests.waiting import until


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Callable[..., World]]:
    made: list[World] = []

    def make(now: str, *, lasts: bool = True, unbound: bool = False) -> World:
        made.append(World(now, tmp_path, lasts=lasts, unbound=unbound))
        return made[-1]

    yield make
    for each in made:
        await each.bars.close()


def same(found, times) -> bool:
    expected = bars_of(times)
    return (
        found.time.tolist() == expected.time.tolist()
        and np.array_equal(found.close, expected.close)
        and np.array_equal(found.volume, expected.volume)
    )


async def test_a_second_open_after_the_close_costs_no_request_also_after_a_restart(world) -> None:
    w = world("2026-11-20 18:00")
    first = await w.get(M5, "2026-11-09 00:00")
    assert w.requests == 1 and len(first) > 600
    again = await w.get(M5, "2026-11-09 00:00")
    assert w.requests == 1 and np.array_equal(again.time, first.time)
    await w.restart()
    w.clock.advance(3600)
    kept = await w.get(M5, "2026-11-09 00:00")
    assert np.array_equal(kept.time, first.time) and np.array_equal(kept.high, first.high)
    # Only of today it is not known that nothing came after the last bar.
    assert [ask[2:] for ask in w.hub.asked[1:]] in ([], [(date(2026, 11, 20),) * 2])


async def test_over_the_weekend_only_the_new_day_is_asked_for(world) -> None:
    w = world("2026-11-20 18:00")
    await w.get(M5, "2026-11-09 00:00")
    await w.restart()
    w.clock.advance(18 * 3600)  # Saturday noon
    await w.get(M5, "2026-11-09 00:00")
    assert w.requests == 1
    w.clock.advance(46 * 3600)  # Monday 10:00
    bars = await w.get(M5, "2026-11-09 00:00")
    assert w.hub.asked[1][2:] == (date(2026, 11, 20), date(2026, 11, 23))
    assert bars.time[-1] == at("2026-11-23 10:00") and w.requests == 2


async def test_a_holiday_that_was_asked_for_is_known(world) -> None:
    w = world("2026-11-20 18:00")
    w.hub.without = {date(2026, 11, 3), date(2026, 11, 4)}
    await w.get(M1, "2026-11-02 00:00", "2026-11-06 00:00")
    assert w.requests == 1
    bars = await w.get(M1, "2026-11-03 00:00", "2026-11-05 00:00")
    assert not len(bars) and w.requests == 1


async def test_pieces_come_newest_first_within_the_limit_and_tell_how_far_they_are(world) -> None:
    w = world("2026-11-20 18:00")
    told: list[Progress] = []
    start, end = at("2026-11-02 00:00"), at("2026-11-21 00:00")
    bars = await w.bars.get(SBIN, M1, start, end, told.append)
    asked = [(first, last) for _, _, first, last in w.hub.asked]
    assert asked[0] == (date(2026, 11, 16), date(2026, 11, 20))
    assert asked[-1][0] == date(2026, 11, 2) and len(asked) == 4
    assert all((last - first).days < 5 for first, last in asked)
    assert [(p.done, p.all) for p in told] == [(n, 4) for n in range(5)]
    assert told[0].text == "Loading 1 of 4…" and told[-1].text == ""
    assert (np.diff(bars.time) > 0).all() and same(bars, bars.time.tolist())


async def test_each_of_the_last_days_is_asked_for_once_in_a_market_without_hours(world) -> None:
    w = world("2026-11-20 18:00", unbound=True)
    w.hub.days[Interval.M1] = 1
    await w.get(M1, "2026-11-14 00:00")
    assert w.requests == 7
    await w.get(M1, "2026-11-14 00:00")
    assert w.requests == 7


async def test_an_error_passes_up_and_what_came_is_kept(world) -> None:
    w = world("2026-11-20 18:00")
    w.hub.failing = lambda first: first < date(2026, 11, 10)
    with pytest.raises(NetError):
        await w.get(M1, "2026-11-02 00:00")
    before = w.requests
    await w.get(M1, "2026-11-11 00:00")
    assert w.requests == before
    w.hub.failing = lambda first: False
    await w.get(M1, "2026-11-02 00:00")
    assert all(last < date(2026, 11, 12) for *_, last in w.hub.asked[before:])


async def test_who_asks_at_the_same_time_shares_the_request(world) -> None:
    w = world("2026-11-20 18:00")
    w.hub.gate = asyncio.Event()
    asks = [asyncio.create_task(w.get(M5, "2026-11-16 00:00")) for _ in range(5)]
    await asyncio.sleep(0.01)
    asks[0].cancel()
    await asyncio.sleep(0)
    w.hub.gate.set()
    found = await asyncio.gather(*asks[1:])
    assert w.requests == 1 and len({len(bars) for bars in found}) == 1 and len(found[0]) == 375


async def test_adjusted_bars_of_the_past_are_asked_anew(world) -> None:
    w = world("2026-11-19 18:00")
    await w.get(DAY, "2026-01-01")
    w.clock.advance(86_400)
    w.hub.factor = 0.5  # a split
    bars = await w.get(DAY, "2026-01-01")
    assert np.array_equal(bars.close, bars_of(bars.time.tolist(), 0.5).close)
    assert w.requests == 3
    w.clock.advance(86_400)
    await w.get(DAY, "2026-01-01")
    assert w.requests == 3  # a Saturday


async def test_a_minute_that_the_source_fills_with_zeros_is_no_bar(world, monkeypatch) -> None:
    w = world("2026-11-20 18:00")
    told = w.hub.history

    async def odd(*asked: Any) -> Bars:
        bars = await told(*asked)
        bars.low[1] = bars.open[2] = bars.close[3] = 0.0
        bars.high[4] = np.nan
        return bars

    monkeypatch.setattr(w.hub, "history", odd)
    bars = await w.get(M5, "2026-11-20 00:00")
    first = at("2026-11-20 09:15")
    assert bars.time[:2].tolist() == [first, first + 5 * 300] and bars.low.min() > 0
    assert await w.bars.missing_of_days(SBIN, M5, date(2026, 11, 20), date(2026, 11, 20)) == []
    await w.get(M5, "2026-11-20 00:00")
    assert w.requests == 1  # they are known to be none


async def test_the_bar_of_today_is_not_kept_as_final(world) -> None:
    w = world("2026-11-20 11:00:30")
    bars = await w.get(DAY, "2026-11-02")
    assert bars.time[-1] == label("2026-11-20")
    bars = await w.get(M1, "2026-11-20 00:00")
    assert bars.time[-1] == at("2026-11-20 11:00")
    known = [await w.store.known(name) for name in w.store.names()]
    assert max(end for ranges in known for _, end in ranges if end < 2e9) <= at("2026-11-20 11:00")


async def test_sources_do_not_mix(world) -> None:
    w = world("2026-11-20 18:00")
    await w.get(DAY, "2026-11-02")
    w.source, w.hub.factor = "dhan", 3.0
    bars = await w.get(DAY, "2026-11-02")
    assert bars.close[0] == bars_of([label("2026-11-02")], 3.0).close[0] and w.requests == 2
    w.source = "zerodha"
    bars = await w.get(DAY, "2026-11-02")
    assert bars.close[0] == bars_of([label("2026-11-02")]).close[0] and w.requests == 2


async def test_a_source_that_does_not_last_leaves_nothing_on_disk(world, tmp_path: Path) -> None:
    w = world("2026-11-20 18:00", lasts=False)
    await w.get(DAY, "2026-11-02")
    await w.get(DAY, "2026-11-02")
    assert w.requests == 1
    await w.store.flush()
    assert not list(tmp_path.iterdir())


async def test_missing_intervals_are_made_of_shorter_bars(world) -> None:
    w = world("2026-11-20 18:00")
    bars = await w.get(Span.parse("7m"), "2026-11-20 00:00")
    assert {ask[1] for ask in w.hub.asked} == {Interval.M1}
    assert bars.time[0] == at("2026-11-20 09:15") and bars.time[1] - bars.time[0] == 420
    minutes = await w.get(M1, "2026-11-20 00:00")
    assert bars.high[0] == minutes.high[:7].max() and bars.volume[0] == minutes.volume[:7].sum()
    weeks = await w.get(Span.parse("W"), "2026-11-01")
    assert weeks.time.tolist() == [label("2026-11-02"), label("2026-11-09"), label("2026-11-16")]
    days = await w.get(DAY, "2026-11-02")
    assert weeks.open[0] == days.open[0]


async def test_the_last_bar_of_a_range_is_whole(world) -> None:
    w = world("2026-11-20 18:00")
    week, month, seven = Span.parse("W"), Span.parse("M"), Span.parse("7m")
    days = await w.get(DAY, "2026-08-01")
    weeks = await w.get(week, "2026-10-19", "2026-11-04")  # ends within a week
    assert weeks.time.tolist()[-1] == label("2026-11-02")
    part = (days.time >= label("2026-11-02")) & (days.time < label("2026-11-09"))
    assert weeks.volume[-1] == days.volume[part].sum() and weeks.close[-1] == days.close[part][-1]
    months = await w.get(month, "2026-08-15", "2026-10-02")
    assert months.time.tolist() == [label("2026-09-01"), label("2026-10-01")]
    part = (days.time >= label("2026-10-01")) & (days.time < label("2026-11-01"))
    assert months.volume[-1] == days.volume[part].sum()
    minutes = await w.get(M1, "2026-11-20 00:00")
    sevens = await w.get(seven, "2026-11-20 00:00", "2026-11-20 09:25")
    assert len(sevens) == 2 and sevens.volume[-1] == minutes.volume[7:14].sum()
    w.hub.offered = [Interval.M1]  # days of minutes
    thursday = await w.bars.get(("NSE", "X"), DAY, label("2026-11-19"), label("2026-11-20"))
    assert thursday.time.tolist() == [label("2026-11-19")]
    told = await w.bars.get(("NSE", "X"), M1, at("2026-11-19 00:00"), at("2026-11-20 00:00"))
    assert thursday.volume[0] == told.volume.sum() and len(told) == 375


async def test_a_quiet_chart_is_opened_again_without_a_request_until_its_feed_is_late(
    world,
) -> None:
    w = world("2026-11-20 10:00:10")
    stop = w.bars.follow(SBIN, M1, lambda bar: None)
    for seconds, requests in ((0, 1), (5, 1), (4, 1), (10, 2)):
        w.clock.advance(seconds)
        await w.get(M1, "2026-11-20 00:00")
        assert w.requests == requests, seconds
    stop()


async def test_an_open_chart_is_opened_again_without_a_request(world) -> None:
    """What was heard since the request is in the bars; the source's bars replace it later."""
    w = world("2026-11-20 10:00:10")
    heard: list[LiveBar] = []
    await w.get(M1, "2026-11-20 00:00")
    stop = w.bars.follow(SBIN, M1, heard.append)
    w.hub.tick(500.0, 1000)
    w.clock.advance(30)
    w.hub.tick(510.0, 1010)
    w.clock.advance(30)  # 10:01:10
    w.hub.tick(505.0, 1015)
    again = await w.get(M1, "2026-11-20 00:00")
    assert w.requests == 1
    assert again.time[-2:].tolist() == [at("2026-11-20 10:00"), at("2026-11-20 10:01")]
    assert again.high[-2] == 510.0 and again.open[-2] == bars_of([at("2026-11-20 10:00")]).open[0]
    assert again.close[-1] == 505.0 and again.volume[-1] == 5
    assert [bar.closed for bar in heard][-2:] == [True, False]
    stop()
    w.clock.advance(60)
    await w.get(M1, "2026-11-20 00:00")
    assert w.requests == 1  # its bars go on being built for a while


async def test_after_the_feed_was_lost_the_source_is_asked(world) -> None:
    w = world("2026-11-20 10:00:10")
    w.bars.feed_changed(True)
    w.bars.follow(SBIN, M1, lambda bar: None)
    w.hub.tick(500.0, 1000)
    await w.get(M1, "2026-11-20 00:00")
    w.clock.advance(20)
    w.bars.feed_changed(False)
    w.clock.advance(20)
    w.bars.feed_changed(True)
    w.hub.tick(501.0, 1100)
    await w.get(M1, "2026-11-20 00:00")
    assert w.requests == 2


async def test_what_is_followed_has_its_beginning_asked_for(world, monkeypatch) -> None:
    monkeypatch.setattr("openalgo_desktop.research.bars.service.SEED_AFTER", 0.0)
    w = world("2026-11-20 10:02:30")
    heard: list[LiveBar] = []
    w.bars.follow(SBIN, M5, heard.append)
    w.hub.tick(100.2, 5000)
    told = bars_of([at("2026-11-20 10:00")])
    await until(lambda: heard and heard[-1].open == told.open[0], "the beginning of the bar")
    bar = w.bars.forming(SBIN, M5)
    assert bar is not None and bar.time == told.time[0]
    assert bar.open == told.open[0] and bar.high == told.high[0] and bar.close == 100.2
    assert heard[-1] == bar and w.requests == 1


async def test_the_countdown_runs_to_the_end_of_the_bar_or_the_session(world) -> None:
    w = world("2026-11-20 10:02:30")
    assert w.bars.countdown(SBIN, M5) == 150.0
    w.clock.advance(149.0)
    assert w.bars.countdown(SBIN, M5) == 1.0
    w.clock.advance(2.0)
    assert w.bars.countdown(SBIN, M5) == 299.0  # the next bar
    w.clock.advance(-151.0)
    assert w.bars.countdown(SBIN, M5) == 150.0  # the clock was set back
    assert w.bars.countdown(SBIN, DAY) == 5.5 * 3600 - 150
    w.clock.jump(w.clock.now().replace(hour=15, minute=20, second=0))
    assert w.bars.countdown(SBIN, Span.parse("1h")) == 600.0
    w.clock.advance(3600)
    assert w.bars.countdown(SBIN, M5) is None


async def test_seconds_come_of_ticks_alone(world) -> None:
    w = world("2026-11-20 10:00:00")
    five = Span.parse("5s")
    w.bars.follow(SBIN, five, lambda bar: None)
    for price in (100.0, 102.0, 99.0, 101.0):
        w.hub.tick(price)
        w.clock.advance(3)
    bars = await w.get(five, "2026-11-20 09:15")
    start = at("2026-11-20 10:00")
    assert bars.time.tolist() == [start, start + 5] and w.requests == 0
    assert bars.high.tolist() == [102.0, 101.0] and bars.low.tolist() == [100.0, 99.0]


async def test_the_next_day_the_sources_bars_take_the_place_of_those_heard(world) -> None:
    w = world("2026-11-19 10:00:10")
    w.bars.follow(SBIN, M1, lambda bar: None)
    w.hub.tick(500.0, 10)
    await w.get(M1, "2026-11-19 00:00")
    w.clock.advance(60)
    w.hub.tick(505.0, 20)
    assert (await w.get(M1, "2026-11-19 00:00")).close[-1] == 505.0 and w.requests == 1
    w.clock.advance(86_400)
    bars = await w.get(M1, "2026-11-19 00:00")
    assert w.requests == 2 and bars.close.max() < 300.0
    assert len(bars) == 375 + 47


async def test_of_an_instrument_that_is_refused_nothing_heard_counts(world) -> None:
    w = world("2026-11-20 10:00:10")
    w.bars.follow(SBIN, M1, lambda bar: None)
    w.hub.tick(500.0, 10)
    await w.get(M1, "2026-11-20 00:00")
    w.clock.advance(20)
    w.bars.refused(SBIN, "too many")
    w.clock.advance(20)
    w.bars.refused(SBIN, "")
    w.hub.tick(501.0, 20)
    await w.get(M1, "2026-11-20 00:00")
    assert w.requests == 2


async def test_before_a_contract_was_listed_nothing_more_is_asked(world) -> None:
    w = world("2026-11-20 18:00")
    w.hub.listed = date(2026, 10, 1)
    w.hub.days[Interval.DAY] = 30
    future = ("NFO", "SBIN24NOV26FUT")
    start, end = label("2021-01-01"), label("2026-11-21")
    bars = await w.bars.get(future, DAY, start, end)
    assert bars.time[0] == label("2026-10-01") and w.requests == 4
    assert len(await w.bars.get(future, DAY, start, end)) == len(bars) and w.requests == 4
    w.hub.asked.clear()
    await w.bars.get(("NSE", "YOUNG"), DAY, label("2026-01-01"), end)
    assert w.requests == 11  # a stock that was suspended may have an older past


async def test_a_clock_that_was_set_makes_a_simulated_past_anew(world) -> None:
    w = world("2026-11-20 18:00", lasts=False)
    await w.get(DAY, "2026-11-02")
    w.clock.leap(-7 * 86_400)
    bars = await w.get(DAY, "2026-11-02")
    assert bars.time[-1] == label("2026-11-13") and w.requests == 2


@pytest.mark.parametrize("text", ["5m", "10m", "7m", "15m", "D", "W"])
async def test_what_is_kept_is_there_while_nobody_can_be_asked(world, text: str) -> None:
    w = world("2026-11-21 12:00")
    span = Span.parse(text)
    first, last = date(2026, 11, 2), date(2026, 11, 20)
    whole = await w.bars.of_days(SBIN, span, first, last)
    assert not len(await w.bars.kept_of_days(("NSE", "TCS"), span, first, last))
    await w.restart()

    def nobody() -> list[Interval]:
        raise NetError("No data account is connected.")

    w.hub.intervals = nobody
    asked = w.requests
    with pytest.raises(NetError):
        await w.bars.of_days(SBIN, span, first, last)
    kept = await w.bars.kept_of_days(SBIN, span, first, last)
    assert kept.time.tolist() == whole.time.tolist() and w.requests == asked
    assert np.array_equal(kept.high, whole.high)


async def test_what_was_not_final_and_what_was_built_are_kept_while_the_program_runs(world) -> None:
    w = world("2026-11-20 11:02")
    day = date(2026, 11, 20)
    whole = await w.bars.of_days(SBIN, M5, day, day)
    stop = w.bars.follow(SBIN, M5, lambda bar: None)
    w.clock.advance(300)
    w.hub.tick(555.0, moment=at("2026-11-20 11:06"))
    w.hub.intervals = lambda: (_ for _ in ()).throw(NetError("Nobody."))
    kept = await w.bars.kept_of_days(SBIN, M5, day, day)
    assert kept.time.tolist() == [*whole.time.tolist(), at("2026-11-20 11:05")]
    assert kept.close[-1] == 555.0
    stop()


@pytest.mark.parametrize("text", ["1m", "7m"])
async def test_what_no_source_gave_is_missing_and_a_holiday_is_not(world, text: str) -> None:
    w = world("2026-11-20 18:00")
    span, first, last = Span.parse(text), date(2026, 10, 28), date(2026, 11, 20)
    w.hub.without = {date(2026, 11, 16)}  # nobody traded: that is known
    assert not await w.bars.missing_of_days(SBIN, span, first, last)  # nothing is shown either
    # Newest first in pieces of five days: the third one fails.
    w.hub.failing = lambda begin: begin < date(2026, 11, 10)
    with pytest.raises(NetError):
        await w.bars.of_days(SBIN, span, first, last)
    asked = w.requests
    kept = await w.bars.kept_of_days(SBIN, span, first, last)
    gaps = await w.bars.missing_of_days(SBIN, span, first, last)
    assert w.requests == asked and len(gaps) == 1
    start, end = gaps[0]
    assert start == at("2026-10-28 09:15") and end < kept.time[0]
    assert end == at("2026-11-09 15:30")  # the 10th was a holiday
    w.hub.failing = lambda begin: False
    await w.bars.of_days(SBIN, span, first, last)
    assert await w.bars.missing_of_days(SBIN, span, first, last) == []


async def test_what_passed_while_nobody_could_be_asked_is_missing_until_now(world) -> None:
    w = world("2026-11-19 18:00")
    days = date(2026, 11, 2), date(2026, 11, 20)
    for span in (M5, DAY):
        await w.bars.of_days(SBIN, span, *days)
        assert await w.bars.missing_of_days(SBIN, span, *days) == []
    w.clock.advance(17 * 3600)  # 11:00 of the next day
    assert await w.bars.missing_of_days(SBIN, M5, *days) == [
        (at("2026-11-20 09:15"), at("2026-11-20 11:00") + 1)
    ]
    today = label("2026-11-20")
    assert await w.bars.missing_of_days(SBIN, DAY, *days) == [(today, today + 86_400)]
    for span in (M5, DAY):
        await w.bars.of_days(SBIN, span, *days)
        w.clock.advance(20)  # the forming bar is no hole
        assert await w.bars.missing_of_days(SBIN, span, *days) == []


async def test_a_write_that_has_just_ended_ends_the_waiting_for_it(world) -> None:
    """Since Python 3.12 it did not: nothing else had its turn any more."""
    store = world("2026-11-20 18:00").store
    ended = asyncio.get_running_loop().create_future()
    store._writes.add(ended)
    ended.add_done_callback(store._written)
    ended.set_result(None)
    await store.flush()
    assert not store._writes
