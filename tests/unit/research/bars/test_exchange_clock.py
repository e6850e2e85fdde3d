"""The exchange's time from the quickest trades."""

from __future__ import annotations

from datetime import datetime

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.research.bars.exchange_clock import ExchangeClock


def test_the_quickest_trade_of_the_last_minutes_tells() -> None:
    clock = ManualClock(datetime(2026, 11, 20, 10, tzinfo=IST))
    exchange = ExchangeClock(clock)
    assert exchange.time() == clock.time()
    for delay in (3.0, 0.4, 1.2, 500.0):  # the last is no delay of a trade
        exchange.traded(clock.time() - delay)
    assert round(clock.time() - exchange.time(), 3) == 0.4
    assert exchange.surely() == clock.time()
    clock.advance(70)
    exchange.traded(clock.time() - 2.0)
    assert round(exchange.delay, 3) == 0.4
    clock.advance(70)
    assert round(exchange.delay, 3) == 2.0
    clock.advance(200)
    assert exchange.delay == 0.0


def test_our_clock_may_be_behind() -> None:
    clock = ManualClock(datetime(2026, 11, 20, 10, tzinfo=IST))
    exchange = ExchangeClock(clock)
    exchange.traded(clock.time() + 5.0)
    assert exchange.time() == clock.time() + 5.0 == exchange.surely()


def test_one_trade_that_is_dated_wrong_ends_no_bar() -> None:
    clock = ManualClock(datetime(2026, 11, 20, 10, tzinfo=IST))
    exchange = ExchangeClock(clock)
    exchange.traded(clock.time() - 0.4)
    wrong = clock.time() + 90.0
    for _ in range(3):  # each chart of the instrument tells of it
        exchange.traded(wrong)
    exchange.traded(clock.time() - 0.3)
    assert round(exchange.delay, 3) == 0.3
    exchange.traded(clock.time() + 20.0)  # two agree that our clock is behind, so far at least
    assert exchange.time() == clock.time() + 20.0
