"""Run coroutines against a started window."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest

from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.ui.engine.loop import PumpEventLoop
from openalgo_desktop.ui.shell.main import Session, make_application
from tests.begun import begin
from tests.waiting import until

OVERRIDES = {"api.rest_port": 0, "api.ws_port": 0, "simulator.rate": 200.0}
SBIN = ("NSE", "SBIN")
Scenario = Callable[[Session], Awaitable[None]]


class Drive(Protocol):
    """Run a scenario in a started window; it has ``seconds`` for it. The window's clock begins at
    ``clock`` (that of the machine without it): what depends on market hours needs one."""

    def __call__(
        self, scenario: Scenario, seconds: float = 90.0, clock: datetime | None = None
    ) -> None: ...


def forget(session: Session) -> None:
    """Let a session that has stopped go. Qt holds callables where Python's collector does not see
    them, so a process with hundreds of windows one after another would keep every symbol master;
    the program has one window and ends with it."""
    parts = (session.terminal, session.bridge, session.window, session)
    for part in parts:
        vars(part).clear()


def driver(folder: Path) -> Iterator[Drive]:
    """Run a coroutine against a started window on a fresh (or the same) data folder."""
    app = make_application()
    loop = PumpEventLoop(app)
    asyncio.set_event_loop(loop)

    async def whole(scenario: Scenario, clock: datetime | None) -> None:
        begin(folder)
        options = TerminalOptions(data_dir=folder, overrides=OVERRIDES, clock_start=clock)
        session = Session(app, options)
        await session.start()
        try:
            await scenario(session)
        finally:
            await session.stop()
            app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            driven.append(session)

    def run(scenario: Scenario, seconds: float = 90.0, clock: datetime | None = None) -> None:
        work: Coroutine[Any, Any, None] = whole(scenario, clock)
        loop.run_until_complete(asyncio.wait_for(work, seconds))

    driven: list[Session] = []
    yield run
    for session in driven:
        forget(session)
    loop.close()
    asyncio.set_event_loop(None)


def resident_mib() -> float:
    """Memory of this process, MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def click(widget: Any) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def hold_still(session: Session, key: Key = SBIN) -> Tick:
    """The market stays as it is, and fresh however slow the machine is; only ``key`` is told."""
    hub, frozen = session.terminal.hub, session.bridge.latest(key)
    assert frozen is not None and hub._source is not None
    hub._source.set_sink(lambda tick: hub.publish(frozen) if tick.key == key else None)
    return frozen


async def ended(session: Session, name: str) -> None:
    """The command of the window has come to its end: until then it is not begun again."""
    commands, ending = session.window.commands, session.window.ending
    await until(lambda: name not in commands._once and name not in ending._once, f"{name}: its end")


async def priced(session: Session, key: Key = SBIN, side: Action = Action.BUY) -> None:
    """Select ``key``, wait for its first price, and choose a side in the ticket."""
    session.bridge.select(key)
    await until(lambda: session.bridge.latest(key), f"a price of {key[1]}")
    session.window.ticket.set_action(side)
