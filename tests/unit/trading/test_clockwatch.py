"""Jumps of the wall clock are told; its run is not."""

from __future__ import annotations

from datetime import datetime

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.events import Bus, Notice
from openalgo_desktop.trading.clockwatch import ClockWatch


def test_a_jump_is_told_once() -> None:
    clock, bus = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST)), Bus()
    told: list[Notice] = []
    bus.subscribe(Notice, told.append)
    watch = ClockWatch(clock, bus)
    clock.advance(3600)
    assert watch.look() == 0
    clock.leap(61)
    assert watch.look() == 61
    assert watch.look() == 0
    clock.leap(-0.5)  # a correction by the time service
    assert watch.look() == 0
    clock.leap(-3600)
    assert watch.look() == -3600
    assert [("forward by 61 s" in row.text, "back by 3,600 s" in row.text) for row in told] == [
        (True, False),
        (False, True),
    ]
