"""The forming bar: every tick counts once, closed bars stay, the rhythm is the history's."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.research.bars.builder import BarBuilder
from openalgo_desktop.research.bars.hours import Hours
from tests.costs import calls
from tests.unit.research.bars.world import CALENDAR, at, label

HOURS = Hours(CALENDAR, lambda: False)
OPEN = at("2026-11-20 09:15")


def builder(span: str, exchange: str = "NSE", now: float = 0.0) -> BarBuilder:
    rhythm = Rhythm(Span.parse(span), exchange, CALENDAR)
    return BarBuilder(
        rhythm,
        lambda start: HOURS.end(exchange, rhythm, start),
        lambda moment, dated: HOURS.admits(exchange, moment, dated),
        lambda: OPEN + now,
    )


def tick(second: float, price: float, volume: int = 0, **more: object) -> Tick:
    """``second`` after the opening."""
    moment = int((OPEN + second) * 1000)
    return Tick("SBIN", "NSE", price, FeedMode.QUOTE, moment, moment, volume=volume, **more)  # type: ignore[arg-type]


def bar(second: int, *prices: float, volume: float = 0.0, oi: float = math.nan) -> LiveBar:
    return LiveBar(OPEN + second, *prices, volume, oi, began=False)


def test_late_ticks_never_change_a_closed_bar() -> None:
    made = builder("1m")
    made.take(tick(0, 100.0, 10))
    made.take(tick(50, 101.0, 12))
    ended, began = made.take(tick(61, 102.0, 15))
    assert ended.bar == bar(0, 100.0, 101.0, 100.0, 101.0, volume=2.0)._replace(
        oi=ended.bar.oi, closed=True
    )
    assert began.bar.began and began.bar.time == OPEN + 60 and began.bar.volume == 3.0
    assert made.take(tick(59, 500.0, 13)) == ()
    assert made.bar == began.bar
    [after] = made.take(tick(62, 102.0, 16))  # the late one's units were counted already
    assert after.bar.volume == 4.0


def test_a_bar_ends_by_the_clock_and_the_next_begins_with_a_tick_alone() -> None:
    made = builder("1m")
    made.take(tick(10, 100.0))
    assert made.close(OPEN + 59.9) == ()
    [ended] = made.close(OPEN + 60.0)
    assert ended.bar.closed and not made.forms
    assert made.close(OPEN + 200.0) == ()
    assert made.take(tick(59.5, 300.0)) == ()  # it was too late
    [began] = made.take(tick(305, 101.0))  # nobody dealt for minutes: no bars of nothing
    assert began.bar.began and began.bar.time == OPEN + 300


def test_the_source_tells_what_was_missed_of_the_forming_bar() -> None:
    made = builder("5m")
    made.take(tick(120, 100.0, 1000))
    assert not made.whole
    [seeded] = made.seed(bar(0, 98.0, 104.0, 97.0, 99.5, volume=700.0), 0.0)
    assert seeded.bar[1:6] == (98.0, 104.0, 97.0, 100.0, 700.0)
    [next_one] = made.take(tick(130, 105.0, 1020))
    assert next_one.bar[1:6] == (98.0, 105.0, 97.0, 105.0, 720.0)


def test_bars_keep_the_rhythm_of_their_history() -> None:
    """A broker whose hours begin at the full hour."""
    made = builder("1h")
    made.seed(bar(45 * 60, 100.0, 101.0, 99.0, 100.0), 0.0)  # 10:00
    made.take(tick(50 * 60, 103.0))
    assert made.bar is not None and made.bar.time == OPEN + 45 * 60 and made.bar.high == 103.0
    changes = made.take(tick(106 * 60, 104.0))
    assert changes[-1].bar.time == OPEN + 105 * 60  # 11:00


def test_the_last_bar_of_the_session_is_cut() -> None:
    made = builder("1h")
    made.take(tick(6 * 3600 + 60, 100.0))  # 15:16
    assert made.end == at("2026-11-20 15:30")


def test_what_is_dealt_before_the_opening_begins_no_bar() -> None:
    made = builder("1m")
    assert made.take(tick(-480, 99.0)) == ()
    assert made.take(tick(0, 100.0))[0].bar.time == OPEN
    undated = Tick("SBIN", "NSE", 100.0, FeedMode.QUOTE, (at("2026-11-20 16:00")) * 1000, 0)
    assert not [change for change in made.take(undated) if change.bar.began]
    assert made.take(tick(6.5 * 3600, 101.0))[-1].bar.began  # the exchange dated it: it dealt on


def test_commodities_begin_at_nine() -> None:
    made = builder("1h", "MCX")
    made.take(tick(-15 * 60 + 30, 5000.0))
    assert made.bar is not None and made.bar.time == at("2026-11-20 09:00")


def test_a_day_is_what_the_exchange_says_of_it() -> None:
    made = builder("D")
    made.take(tick(3600, 100.0, 5000, open=95.0, high=110.0, low=94.0))
    today = label("2026-11-20")
    assert made.bar is not None
    assert made.bar[:6] == (today, 95.0, 110.0, 94.0, 100.0, 5000.0)
    assert made.end == at("2026-11-20 15:30")


def test_a_week_goes_on_from_its_days() -> None:
    made = builder("W")
    monday = label("2026-11-16")
    made.seed(LiveBar(monday, 90.0, 99.0, 80.0, 95.0, 7000.0, math.nan, False), 0.0)
    made.take(tick(5, 96.0, 100, open=95.5, high=101.0, low=95.0))
    made.take(tick(6, 97.0, 150, open=95.5, high=101.0, low=95.0))
    assert made.bar is not None
    assert made.bar[:6] == (monday, 90.0, 101.0, 80.0, 97.0, 7050.0)


def test_what_is_not_known_is_not_zero() -> None:
    made = builder("1m")
    only_price = tick(0, 100.0, unknown=Part.DAY | Part.OI)
    made.take(only_price)
    assert made.bar is not None and math.isnan(made.bar.volume) and math.isnan(made.bar.oi)
    assert made.take(tick(1, 0.0)) == () and made.take(tick(1, 5.0, unknown=Part.LTP)) == ()
    made.take(tick(2, 101.0, 500, oi=77))
    made.take(tick(3, 101.0, 510, oi=78))
    assert (made.bar.volume, made.bar.oi) == (10.0, 78.0)


def test_the_first_tick_of_a_day_brings_its_units() -> None:
    made = builder("1m")
    made.take(tick(-17 * 3600, 99.0, 90_000))  # yesterday's last
    assert made.take(tick(1, 100.0, 40))[-1].bar.volume == 40.0
    made.take(tick(5, 100.0, 20))  # a reconnect to somebody who counts anew
    assert made.bar is not None and made.bar.volume == 40.0
    made.take(tick(6, 100.0, 25))
    assert made.bar.volume == 45.0


def test_an_old_trade_that_is_told_at_the_start_is_no_bar() -> None:
    made = builder("1m", now=700.0)
    made.since = OPEN + 700.0
    assert made.take(tick(400, 100.0)) == () and made.bar is None
    assert made.take(tick(690, 100.0))[0].bar.began
    made.since = 0.0  # one that is merely late on its way is one
    assert made.take(tick(730, 101.0))[-1].bar.time == OPEN + 720


def test_a_quote_without_a_trade_tells_nobody() -> None:
    made = builder("1m")
    made.take(tick(1, 100.0, 50, oi=10))
    assert made.take(tick(2, 100.0, 50, oi=10)) == ()
    assert made.take(tick(3, 100.0, 51, oi=10)) != ()


def test_whole_is_a_bar_that_was_heard_from_its_beginning() -> None:
    made = builder("1m")
    made.since = OPEN + 30.0
    made.take(tick(31, 100.0))
    assert not made.whole
    made.seed(bar(0, 99.0, 101.0, 98.0, 100.0), OPEN + 40.0)
    assert made.whole
    made.interrupted()
    assert not made.whole
    made.since = OPEN + 50.0
    made.take(tick(61, 100.0))
    assert made.whole


prices = st.lists(
    st.tuples(st.floats(0.0, 40.0), st.integers(1, 20_000), st.integers(0, 50)),
    min_size=1,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(prices, st.sampled_from(["5s", "1m", "3m", "7m", "1h", "D"]), st.data())
def test_no_high_or_low_is_lost_to_a_reader_who_looks_at_random_moments(
    steps: list[tuple[float, int, int]], span: str, data: st.DataObject
) -> None:
    """Bars as a chart has them that paints now and then: the last one it saw, mended by each
    later look, and the closed ones that it was told. Against bars of all ticks, made plainly."""
    made, rhythm = builder(span), Rhythm(Span.parse(span), "NSE", CALENDAR)
    shown: dict[int, LiveBar] = {}
    plain: dict[int, list[float]] = {}
    moment, volume = 0.0, 0
    for wait, price, traded in steps:
        moment, volume = moment + wait, volume + traded
        paise = price / 100.0
        plain.setdefault(rhythm.start(OPEN + moment), []).append(paise)
        for change in made.take(tick(moment, paise, volume, unknown=0)):
            if change.bar.closed:
                shown[change.bar.time] = change.bar
        if data.draw(st.booleans()) and made.bar is not None:
            shown[made.bar.time] = made.bar
    assert made.bar is not None
    shown[made.bar.time] = made.bar
    assert set(shown) == set(plain)
    for time, values in plain.items():
        seen = shown[time]
        assert (seen.open, seen.high, seen.low, seen.close) == (
            values[0], max(values), min(values), values[-1],
        )  # fmt: skip
    if span != "D":
        told = sum(bar.volume for bar in shown.values() if not math.isnan(bar.volume))
        assert told == volume - steps[0][2]


def test_the_volume_of_a_day_does_not_fall_with_a_reconnect() -> None:
    made = builder("D")
    made.take(tick(0, 100.0, 900, high=101.0, low=99.0))
    made.take(tick(5, 100.5, 1000, high=101.0, low=99.0))
    made.take(tick(6, 100.6, 0, high=101.0, low=99.0))
    assert made.bar is not None and made.bar.volume == 1000.0
    made.take(tick(7, 100.7, 1100, high=101.0, low=99.0))
    assert made.bar.volume == 1100.0


def test_a_tick_after_a_long_silence_costs_what_one_after_a_short_one_costs() -> None:
    """Seconds in which nobody dealt are no bars, however many there were."""
    work = []
    for silence in (10, 6 * 3600):
        made, found = builder("1s", now=float(silence)), []
        made.since = OPEN
        made.take(tick(0, 100.0))
        after = tick(silence, 101.0)
        work.append(calls(lambda made=made, after=after, to=found: to.extend(made.take(after))))
        assert [built.bar.time - OPEN for built in found] == [0, silence]
    assert work[0] == work[1]
