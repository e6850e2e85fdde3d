"""What daily candles tell where a feed does not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from openalgo_desktop.core.day_facts import day_facts, first_day
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Bars, TickExtras

TODAY = date(2026, 11, 30)
SBIN = Instrument("SBIN", "NSE", "SBIN", lot_size=1, tick_size=0.05)
CALL = Instrument(
    "NIFTY01DEC2624000CE", "NFO", "NIFTY", lot_size=65, tick_size=0.05,
    instrument_type="CE", expiry=date(2026, 12, 1), strike=24_000.0,
)  # fmt: skip


def bars(*rows: tuple[date, float, float, int]) -> Bars:
    """Day, high, low, open interest."""
    times = [datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp() for d, *_ in rows]
    high, low = (np.array([row[n] for row in rows], np.float64) for n in (1, 2))
    interest = np.array([row[3] for row in rows], np.int64)
    zero = np.zeros(len(rows), np.int64)
    return Bars(np.array(times, np.int64), low, high, low, high, zero, interest)


def test_a_share_has_its_year_and_an_option_its_last_session() -> None:
    year = bars((date(2026, 1, 5), 910.0, 880.0, 0), (TODAY, 900.0, 760.5, 0))
    assert day_facts(SBIN, year, TODAY) == TickExtras(week_52_high=910.0, week_52_low=760.5)
    days = bars((date(2026, 11, 26), 9.0, 8.0, 650), (date(2026, 11, 27), 9.0, 8.0, 1300))
    running = bars(
        (date(2026, 11, 26), 9.0, 8.0, 650),
        (date(2026, 11, 27), 9.0, 8.0, 1300),
        (TODAY, 9.0, 8.0, 1950),  # of today: not the day before
    )
    for one in (days, running):
        assert day_facts(CALL, one, TODAY) == TickExtras(prev_oi=1300)


def test_on_a_day_without_trading_the_last_session_is_the_day() -> None:
    """The open interest is still that of Friday, so its change is against Thursday."""
    days = bars((date(2026, 11, 26), 9.0, 8.0, 650), (date(2026, 11, 27), 9.0, 8.0, 1300))
    assert day_facts(CALL, days, None) == TickExtras(prev_oi=650)
    assert day_facts(CALL, days, TODAY) == TickExtras(prev_oi=1300)
    assert day_facts(CALL, bars((date(2026, 11, 27), 9.0, 8.0, 1300)), None) == TickExtras()


def test_what_is_not_told_stays_unknown() -> None:
    assert day_facts(SBIN, Bars.empty(), TODAY) == TickExtras()
    listed_today = bars((TODAY, 9.0, 8.0, 1950))
    assert day_facts(CALL, listed_today, TODAY) == TickExtras()
    without = bars((date(2026, 11, 27), 9.0, 8.0, 0))  # a source without open interest
    assert day_facts(CALL, without, TODAY) == TickExtras()


def test_derivatives_are_asked_for_days_and_shares_for_a_year() -> None:
    assert first_day(SBIN, TODAY) == TODAY - timedelta(days=365)
    assert first_day(CALL, TODAY) > TODAY - timedelta(days=20)
