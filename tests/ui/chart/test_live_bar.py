"""Ticks continue the candles of a history without a seam."""

from __future__ import annotations

import numpy as np

from openalgo_desktop.core.enums import FeedMode, Interval
from openalgo_desktop.core.ticks import Bars, Part, Tick
from openalgo_desktop.ui.chart.live_bar import LiveBar

T0 = 1_795_500_000  # a whole minute


def bars(*rows: tuple[int, float, float, float, float, int]) -> Bars:
    time, open_, high, low, close, volume = zip(*rows, strict=True)
    return Bars(
        np.array(time, np.int64),
        np.array(open_),
        np.array(high),
        np.array(low),
        np.array(close),
        np.array(volume, np.int64),
        np.zeros(len(rows), np.int64),
    )


def tick(seconds: float, ltp: float, volume: int = 0) -> Tick:
    moment = int((T0 + seconds) * 1000)
    return Tick("SBIN", "NSE", ltp, FeedMode.QUOTE, ltt=moment, volume=volume)


def test_ticks_extend_the_last_candle() -> None:
    live = LiveBar(Interval.M1, bars((T0, 100.0, 101.0, 99.0, 100.5, 50)))
    assert live.update(tick(10, 102.0, 1000)) is False
    assert live.update(tick(20, 98.0, 1030)) is False
    candle = live.candle
    assert candle is not None
    assert (candle.open, candle.high, candle.low, candle.close) == (100.0, 102.0, 98.0, 98.0)
    assert candle.volume == 80  # the history knew the volume up to the first tick


def test_a_new_candle_keeps_the_rhythm_over_a_gap() -> None:
    live = LiveBar(Interval.M5, bars((T0, 100.0, 101.0, 99.0, 100.5, 50)))
    assert live.update(tick(11 * 60 + 5, 103.0, 10)) is True
    assert live.candle is not None
    assert live.candle.time == T0 + 600
    assert live.candle.open == live.candle.low == 103.0


def test_a_late_tick_changes_nothing() -> None:
    live = LiveBar(Interval.M1, bars((T0, 100.0, 101.0, 99.0, 100.5, 50)))
    assert live.update(tick(-5, 500.0)) is False
    assert live.candle is not None
    assert live.candle.high == 101.0


def test_a_fall_of_the_day_volume_adds_nothing() -> None:
    live = LiveBar(Interval.M1, bars((T0, 100.0, 101.0, 99.0, 100.5, 50)))
    live.update(tick(1, 100.0, 5000))
    live.update(tick(2, 100.0, 10))
    assert live.candle is not None
    assert live.candle.volume == 50


def test_day_candles_change_at_ist_midnight() -> None:
    # The bar's time is midnight UTC of the IST date; 18:30 UTC is IST midnight.
    day = T0 - T0 % 86_400
    live = LiveBar(Interval.DAY, bars((day, 100.0, 101.0, 99.0, 100.5, 50)))
    last_second = Tick("SBIN", "NSE", 104.0, ltt=(day + 18 * 3600 + 1799) * 1000)
    assert live.update(last_second) is False
    assert live.update(Tick("SBIN", "NSE", 105.0, ltt=(day + 18 * 3600 + 1800) * 1000)) is True
    assert live.candle is not None
    assert live.candle.time == day + 86_400


def test_without_history_the_first_tick_starts_on_a_boundary() -> None:
    live = LiveBar(Interval.M1, Bars.empty())
    assert live.update(tick(42, 100.0)) is True
    assert live.candle is not None
    assert live.candle.time == T0


def test_what_a_tick_does_not_know_is_no_price_and_no_volume() -> None:
    live = LiveBar(Interval.M1, bars((T0, 100.0, 101.0, 99.0, 100.5, 50)))
    live.update(tick(1, 100.0, 5000))
    blind = Tick(
        "SBIN", "NSE", 0.0, FeedMode.QUOTE, ltt=(T0 + 2) * 1000, volume=5100, unknown=Part.LTP
    )
    assert live.update(blind) is False
    poor = Tick("SBIN", "NSE", 100.2, ltt=(T0 + 3) * 1000)
    live.update(poor)
    live.update(tick(4, 100.1, 5010))
    assert live.candle is not None
    assert (live.candle.low, live.candle.close, live.candle.volume) == (99.0, 100.1, 60)
