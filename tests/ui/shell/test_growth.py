"""Workspaces and windows that come and go leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
from datetime import timedelta
from typing import NamedTuple

import pytest
from PySide6.QtCore import QEvent, QMetaMethod, QObject

from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.rooms.charts.cell import ChartCell
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, priced, resident_mib
from tests.waiting import until

#: Seconds for the long form on a busy machine.
LONG = 900.0
#: MiB for each time: a chart or a table that stays is more.
EACH = 0.15
#: MiB for each switch there and back: some fifteen docks go each time.
EACH_SWITCH = 0.5
#: Widgets that more or less may be there, of menus and messages.
SOME = 12
#: For what a first few times leave in caches and in the allocator.
ROOM = 9.0


class Held(NamedTuple):
    """What a window holds."""

    clients: int
    wanted: set[str]
    handlers: int
    children: int
    tasks: int
    widgets: int


def held(session: Session) -> Held:
    bridge = session.bridge
    return Held(
        bridge.frames.served,
        set(bridge.prices._wanted),
        session.terminal.bus.handler_count(),
        len(bridge.children()),
        len(bridge._tasks),
        len(session.app.allWidgets()),
    )


async def settled(session: Session) -> None:
    """Charts have their history, what was closed is deleted: a dock ends with its last task."""
    bridge = session.bridge
    await asyncio.sleep(0.02)
    await until(lambda: not [t for t in bridge._tasks if "history" in t.get_name()], "loads")
    await until(lambda: docks(session) == len(session.window.docking.docks), "closed docks go")
    gc.collect()


def docks(session: Session) -> int:
    """How many this window has, open or on their way out: one that an earlier window of the process
    closed in its last moment waits for ever for its task."""
    session.app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    found = [widget for widget in session.app.allWidgets() if isinstance(widget, Dock)]
    return sum(dock.bridge is session.bridge for dock in found)


@pytest.mark.parametrize("times", [pytest.param(2), pytest.param(60, marks=pytest.mark.long)])
@pytest.mark.timeout(LONG + 20)
def test_workspaces_switched_leave_nothing(drive: Drive, times: int) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        workspaces = session.window.workspaces
        home = workspaces.current
        others = [name for name in workspaces.names() if name != home][:times]

        async def there_and_back(count: int) -> None:
            for number in range(count):
                workspaces.switch(others[number % len(others)])
                await asyncio.sleep(0)
                workspaces.switch(home)
                await asyncio.sleep(0)

        await there_and_back(len(others))
        await settled(session)
        before, memory = held(session), resident_mib()
        await there_and_back(times)
        await settled(session)
        after = held(session)
        assert after._replace(tasks=0, widgets=0) == before._replace(tasks=0, widgets=0)
        assert after.tasks <= before.tasks + 3  # of those that come and go
        assert after.widgets <= before.widgets + SOME
        assert resident_mib() - memory < ROOM + EACH_SWITCH * times

    drive(scenario, LONG)


@pytest.mark.parametrize("times", [pytest.param(4), pytest.param(60, marks=pytest.mark.long)])
@pytest.mark.timeout(LONG + 20)
def test_windows_opened_and_closed_leave_nothing(drive: Drive, times: int) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        workspaces, docking = session.window.workspaces, session.window.docking

        async def again() -> None:
            window = workspaces.add_window()
            docking.open("depth", window)
            docking.open("chart", window)
            window.show()
            await asyncio.sleep(0)
            window.close()
            await settled(session)  # a chart goes with its last load: never several at once

        for _ in range(3):
            await again()
        before, memory, windows = held(session), resident_mib(), len(workspaces.windows)
        for _ in range(times):
            await again()
        assert len(workspaces.windows) == windows
        after = held(session)
        assert after._replace(tasks=0, widgets=0) == before._replace(tasks=0, widgets=0)
        assert after.tasks <= before.tasks + 3  # of those that come and go
        assert after.widgets <= before.widgets + SOME
        assert resident_mib() - memory < ROOM + EACH * times

    drive(scenario, LONG)


class Followed(NamedTuple):
    """What charts hold outside the window."""

    held: Held
    receivers: int  # of signals of the bridge and its doors
    watchers: int  # of ticks
    readers: int  # of forming bars
    cells: int


def receivers(of: QObject) -> int:
    """How many listen to the signals of an object and of those that it owns."""
    found = 0
    for one in (of, *of.findChildren(QObject)):
        kind = one.metaObject()
        for number in range(kind.methodCount()):
            method = kind.method(number)
            if method.methodType() is QMetaMethod.MethodType.Signal:
                found += one.receivers(f"2{bytes(method.methodSignature().data()).decode()}")
    return found


def followed(session: Session) -> Followed:
    terminal = session.terminal
    follows = terminal.bars.live._follows.values()
    return Followed(
        held(session),
        receivers(session.bridge),
        sum(len(rows) for rows in terminal.hub._watchers.values()),
        sum(len(one.listeners) for one in follows),
        sum(isinstance(one, ChartCell) for one in session.app.allWidgets()),
    )


async def fill(session: Session, cell: ChartCell, number: int) -> None:
    """Put onto a chart what a trader puts there; each third goes to the past."""
    await until(lambda: cell.data.loaded and cell.view.has_bars, "bars")
    cell.study_hand.add("rsi" if number % 2 else "ema")
    cell.comparing.show([("NSE", "RELIANCE")], False)
    board, series = cell.drawings.board, cell.view.canvas.series
    row = Drawing(f"d{number}", "horizontal", (Anchor(float(series.time[-9]), 870.0),))
    board.put("Add", [row])
    board.choose((row.ident,))
    cell.drawings.turn_objects()
    cell.data_window.turn()
    cell.appearance.set_kind("renko" if number % 2 else "hollow")
    if number % 3 == 0:
        cell.replay.begin()
        await cell.replay._begin(session.bridge.now() - timedelta(days=1), False)
    cell.flush()
    board.delete([row])


@pytest.mark.docks("chart")
@pytest.mark.parametrize("times", [pytest.param(3), pytest.param(100, marks=pytest.mark.long)])
@pytest.mark.timeout(LONG + 20)
def test_charts_opened_and_closed_leave_nothing(drive: Drive, times: int) -> None:
    """Docks, and charts of a grid: two of them each time, with all that can be on a chart."""

    async def scenario(session: Session) -> None:
        await priced(session)
        docking = session.window.docking
        home = session.window.docks["chart"]
        assert isinstance(home, ChartDock)
        await until(lambda: home.cell.data.loaded, "bars")

        async def again(number: int) -> None:
            dock = docking.open("chart", session.window)
            assert isinstance(dock, ChartDock)
            dock.show_symbol(SBIN)
            await fill(session, dock.cell, number)
            dock.arrange("2 side by side")
            await until(lambda: dock.cells[1].data.loaded, "bars")
            if number % 2:
                dock.arrange("1")
            dock.close()
            await asyncio.sleep(0)

        for number in range(3):
            await again(number)
        await settled(session)
        before, memory = followed(session), resident_mib()
        for number in range(times):
            await again(number)
        await settled(session)
        # The last task of what was closed may still be at its end.
        await until(lambda: followed(session)[1:] == before[1:], "nothing that is still held")
        after = followed(session)
        same = {"tasks": 0, "widgets": 0}
        assert after.held._replace(**same) == before.held._replace(**same)
        assert after.held.tasks <= before.held.tasks + 3
        assert after.held.widgets <= before.held.widgets + SOME
        assert resident_mib() - memory < ROOM + 2 * EACH * times

    drive(scenario, LONG)
