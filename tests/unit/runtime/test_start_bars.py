"""The bars of a whole terminal: no request for a second open, nothing left at its end."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from tests.waiting import until

SBIN: Key = ("NSE", "SBIN")


async def test_charts_of_the_simulator_cost_one_request(tmp_path: Path) -> None:
    overrides = {"api.enabled": False, "simulator.always_open": True}
    terminal = Terminal(TerminalOptions(data_dir=tmp_path, overrides=overrides))
    await terminal.start()
    hub: Any = terminal.hub
    asked, real = [], hub.history

    async def history(key: Key, interval: Interval, start: date, end: date) -> Bars:
        asked.append(interval)
        return await real(key, interval, start, end)

    hub.history = history
    heard: list[LiveBar] = []
    try:
        # A minute that begins meanwhile has a bar of its own.
        await terminal.control({"clock": "2026-12-01T12:00:02+05:30"})
        m1, now = Span.parse("1m"), int(terminal.clock.time())
        first = await terminal.bars.get(SBIN, m1, now - 86_400, now + 86_400)
        stop = terminal.bars.follow(SBIN, m1, heard.append)
        await until(lambda: heard, "a tick")
        again = await terminal.bars.get(SBIN, m1, now - 86_400, now + 86_400)
        assert asked == [Interval.M1] and len(again) >= len(first) > 100
        forming = terminal.bars.forming(SBIN, m1)
        assert forming is not None and again.time[-1] == forming.time
        assert 0.0 <= (terminal.bars.countdown(SBIN, m1) or 0.0) <= 60.0
        stop()
        await terminal.control({"clock": "2026-11-20T12:00:00+05:30"})
        assert not len(await terminal.bars.get(SBIN, m1, now - 86_400, now + 86_400))
        moved = await terminal.bars.get(SBIN, m1, now - 20 * 86_400, now)
        assert len(asked) > 1 and moved.time[-1] <= terminal.clock.time()
    finally:
        await terminal.stop()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    assert not (tmp_path / "bars").exists()
