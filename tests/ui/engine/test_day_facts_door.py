"""The door to daily candles: in turn, with pauses, once a day, and not where it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.engine.day_facts import MANY, PAUSE, DayFactsDoor

A, B, C, D = (("NSE", name) for name in "ABCD")


class Rig:
    """A door whose history answers at once, and notes what it was asked and how it waited."""

    def __init__(self, parent: QObject) -> None:
        self.clock = ManualClock(datetime(2026, 11, 30, 11, 0, tzinfo=IST))
        self.asked: list[Key] = []
        self.waits: list[float] = []
        self.fails = False
        rows = {key: Instrument(key[1], key[0], key[1]) for key in (A, B, C, D)}
        terminal: Any = SimpleNamespace(
            clock=self.clock, instruments=rows, hub=self, calendar=MarketCalendar()
        )
        self.door = DayFactsDoor(terminal, self.spawn, parent, self.wait)
        self.tasks: list[asyncio.Task[None]] = []

    async def history(self, key: Key, interval: Interval, start: date, end: date) -> Bars:
        assert interval is Interval.DAY and end - start == timedelta(days=365)
        self.asked.append(key)
        if self.fails:
            raise DataError("No permission for historical data.")
        one = np.array([float(len(self.asked))])
        whole = np.zeros(1, np.int64)
        return Bars(whole, one, one, one, one, whole, whole)

    def spawn(self, work: Coroutine[Any, Any, None], _name: str) -> asyncio.Task[None]:
        self.tasks.append(asyncio.get_running_loop().create_task(work))
        return self.tasks[-1]

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)

    async def done(self) -> None:
        await asyncio.gather(*self.tasks)


def run(qtbot: QtBot, scenario: Any) -> None:
    parent = QObject()
    asyncio.run(scenario(Rig(parent)))


def test_each_is_asked_once_a_day_with_a_pause_after_it(qtbot: QtBot) -> None:
    async def scenario(rig: Rig) -> None:
        told: list[Key] = []
        rig.door.changed.connect(told.append)
        rig.door.want("one", [A, B])
        rig.door.want("two", [B, C])
        await rig.done()
        assert rig.asked == told == [A, B, C]
        assert len(rig.waits) == 3 and min(rig.waits) >= PAUSE
        facts = rig.door.of(B)
        assert facts is not None and facts.week_52_high == 2.0
        rig.door.want("one", [A, B, C])
        await rig.done()
        assert rig.asked == [A, B, C]
        rig.clock.advance(86_400)
        assert rig.door.of(B) is None  # of yesterday
        rig.door.want("one", [B])
        await rig.done()
        assert rig.asked[3:] == [B, C]

    run(qtbot, scenario)


def test_what_nobody_sees_any_more_is_not_asked(qtbot: QtBot) -> None:
    async def scenario(rig: Rig) -> None:
        rig.door.want("one", [A, B, C])
        while not rig.asked:
            await asyncio.sleep(0)
        rig.door.want("one", [])
        await rig.done()
        assert rig.asked == [A] and rig.door.of(C) is None

    run(qtbot, scenario)


def test_after_some_refusals_it_rests_until_an_account_changes(qtbot: QtBot) -> None:
    async def scenario(rig: Rig) -> None:
        rig.fails = True
        rig.door.want("one", [A, B, C, D])
        await rig.done()
        assert len(rig.asked) == MANY
        rig.door.want("one", [D])
        await rig.done()
        assert len(rig.asked) == MANY  # it rests
        rig.fails = False
        rig.door.again()
        rig.door.want("one", [D])
        await rig.done()
        assert rig.asked[MANY:] == [D]

    run(qtbot, scenario)
