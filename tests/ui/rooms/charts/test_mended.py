"""What a chart shows after bars were told again."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.rooms.charts.bars.mending import may_lack, mended

M1, S5, D = Span.parse("1m"), Span.parse("5s"), Span.parse("D")
OPENING = 1_795_146_300  # 2026-11-20 09:15 IST


def bars(times: list[int], price: float) -> Bars:
    time = np.array(times, np.int64)
    prices = np.full(len(times), price)
    return Bars(time, prices, prices + 1, prices - 1, prices, time * 0, time * 0)


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.integers(0, 40), min_size=1),
    st.sets(st.integers(0, 40), min_size=1),
    st.sampled_from([M1, S5]),
)
def test_each_time_is_there_once_the_source_is_right_and_nothing_new_is_lost(
    shown: set[int], told: set[int], span: Span
) -> None:
    step = span.seconds
    old = bars([OPENING + step * n for n in sorted(shown)], 50.0)
    new = bars([OPENING + step * n for n in sorted(told)], 70.0)
    found = mended(Columns.of(old), new, span, exact=True)
    assert found is not None
    times = found.time.tolist()
    assert times == sorted(set(times)) and set(new.time.tolist()) <= set(times)
    of = dict(zip(times, found.close.tolist(), strict=True))
    assert all(of[time] == 70.0 for time in new.time.tolist())
    later = [time for time in old.time.tolist() if time > new.time[-1]]
    assert all(of[time] == 50.0 for time in later)
    if span == S5:
        assert set(old.time.tolist()) <= set(times)
    within = new.time[-1] - 180
    phantoms = [t for t in times if new.time[0] <= t <= within and t not in set(new.time.tolist())]
    assert span == S5 or not phantoms
    assert mended(Columns.of(found), new, span, exact=True) is None  # once is enough


def test_an_empty_answer_changes_nothing() -> None:
    assert mended(Columns.of(bars([OPENING], 1.0)), Bars.empty(), M1, exact=True) is None


def test_a_hole_and_a_new_day_may_lack_bars() -> None:
    assert not may_lack(OPENING, OPENING + 60, M1) and may_lack(OPENING, OPENING + 120, M1)
    assert may_lack(OPENING, OPENING + 86_400, S5) and not may_lack(OPENING, OPENING + 500, S5)
    assert may_lack(0, 86_400, D)
    midnight = OPENING - 9 * 3600 - 15 * 60
    assert may_lack(midnight - 60, midnight, M1)
