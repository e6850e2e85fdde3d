"""A host without processes: runs are told when to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from openalgo_desktop.automation.host.catalog.registry import Registry
from openalgo_desktop.automation.host.life.gate import HostGate
from openalgo_desktop.automation.host.life.kept import KeptRows
from openalgo_desktop.automation.host.life.keys import RunKeys
from openalgo_desktop.automation.host.life.ports import Result, Tools
from openalgo_desktop.automation.host.ports import (
    Ended,
    Grant,
    Limits,
    Marks,
    Program,
    Ready,
    Usage,
)
from openalgo_desktop.automation.host.service import Facts, Host
from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import KeyRights, Mode
from openalgo_desktop.core.events import Bus
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.strategies.hosted import TradeRecord

MONDAY = datetime(2026, 11, 2, 8, 0, tzinfo=IST)
ADDRESSES = ("http://127.0.0.1:5000", "ws://127.0.0.1:8765")


def ended(code: int | None = 0, why: Any = "exited", reason: str = "") -> Ended:
    return Ended(code=code, signal="", why=why, reason=reason, last_lines=("one", "two"), at=0.0)


class Run:
    """A process that nobody has."""

    def __init__(self, program: Program, grant: Grant | None, run_id: str, pid: int) -> None:
        self.program, self.grant, self.run_id, self.pid = program, grant, run_id, pid
        self.started = 0.0
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self.stops: list[str] = []
        self.silent = 0.0
        self.marks = Marks(
            strategy_id=program.strategy_id,
            run_id=run_id,
            keeper_pid=pid,
            keeper_started=1,
            pid=pid,
            pid_started=1,
            cookie="c",
            host=ADDRESSES[0],
            started=0.0,
        )

    async def stop(self, grace: float, reason: str = "") -> Ended:
        self.stops.append(reason)
        if not self.ended.done():
            self.ended.set_result(ended(None, "stopped", reason))
        return await asyncio.shield(self.ended)

    def end(self, code: int | None = 1, why: Any = "exited", reason: str = "boom") -> None:
        self.ended.set_result(ended(code, why, reason))

    def usage(self) -> Usage:
        return Usage(
            cpu_percent=1.0,
            memory_mb=20.0,
            processes=1,
            lines=2,
            left_out=0,
            silent_seconds=self.silent,
        )

    def heartbeat(self) -> None:
        self.silent = 0.0


class Machine:
    """The processes of a computer: they outlive an engine."""

    def __init__(self) -> None:
        self.all: list[Run] = []
        self.prepared: list[Program] = []
        self.hold: asyncio.Event | None = None  # the making of an environment waits for it
        self.refuse: Exception | None = None
        self.how: dict[str, Ended] = {}

    async def prepare(self, program: Program, progress: Callable[[str], None]) -> Ready:
        self.prepared.append(program)
        progress("installing")
        if self.hold is not None:
            await self.hold.wait()
        if self.refuse is not None:
            raise self.refuse
        return Ready(command=("python",), entry=program.entry, digest="", python="3.12")

    async def start(
        self, program: Program, ready: Ready, grant: Grant, limits: Limits, run_id: str
    ) -> Run:
        run = Run(program, grant, run_id, 1000 + len(self.all))
        self.all.append(run)
        return run

    @property
    def alive(self) -> dict[str, Run]:
        return {run.run_id: run for run in self.all if not run.ended.done()}

    async def left(self) -> list[Marks]:
        return [run.marks for run in self.alive.values()]

    async def adopt(self, marks: Marks) -> Run | None:
        return self.alive.get(marks.run_id)

    async def end(self, marks: Marks, reason: str) -> Ended:
        run = self.alive[marks.run_id]
        return await run.stop(0.0, reason)

    async def how_it_ended(self, strategy_id: str, run_id: str) -> Ended | None:
        return self.how.get(run_id)

    async def tidy(self, days: int = 60) -> int:
        return 0

    async def stop_all(self, grace: float, reason: str = "") -> None:
        for run in list(self.alive.values()):
            await run.stop(grace, reason)

    async def close(self) -> None:
        pass

    @property
    def last(self) -> Run:
        return self.all[-1]


class Store:
    """Small JSON values; ``broken`` is a disk that takes nothing."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Any] = {}
        self.broken: Exception | None = None

    async def all(self, scope: str) -> dict[str, Any]:
        return {key: value for (where, key), value in self.rows.items() if where == scope}

    async def put(self, scope: str, key: str, value: Any) -> None:
        if self.broken is not None:
            raise self.broken
        self.rows[scope, key] = value

    async def delete(self, scope: str, key: str) -> None:
        self.rows.pop((scope, key), None)

    def put_later(self, scope: str) -> Callable[[str, Any], None]:
        def put(key: str, value: Any) -> None:
            if self.broken is None:
                self.rows[scope, key] = value

        return put


class KeyRing:
    """Keys that work."""

    def __init__(self) -> None:
        self.broken: Exception | None = None
        self.rows: dict[int, ApiKey] = {}
        self.made: list[dict[str, Any]] = []

    async def create(
        self, name: str, rights: KeyRights, account_id: str = "", **bound: Any
    ) -> tuple[ApiKey, Secret]:
        key = ApiKey(len(self.made) + 1, name, rights, account_id, MONDAY)
        self.made.append({"rights": rights, "account": account_id, **bound})
        self.rows[key.key_id] = key
        return key, Secret(f"text-{key.key_id}")

    async def revoke(self, key_id: int) -> None:
        if self.broken is not None:
            raise self.broken
        self.rows.pop(key_id, None)

    async def all(self) -> list[ApiKey]:
        return list(self.rows.values())


class NoLogs:
    def __init__(self) -> None:
        self.removed: list[str] = []

    async def prune(self, *, days: int, megabytes: int) -> int:
        return 0

    async def remove(self, strategy_id: str) -> None:
        self.removed.append(strategy_id)


@dataclass
class World:
    """What outlives an engine, and one host at a time on it."""

    folder: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(MONDAY))
    machine: Machine = field(default_factory=Machine)
    store: Store = field(default_factory=Store)
    ring: KeyRing = field(default_factory=KeyRing)
    blocked: str = ""
    account: str = "acc"
    closed: list[tuple[str, Mode, str]] = field(default_factory=list)
    unclosed: tuple[str, ...] = ()
    waits: list[float] = field(default_factory=list)
    wait: asyncio.Event | None = None
    results: dict[str, Result] = field(default_factory=dict)
    sent_before: int = 0
    others: list[str] = field(default_factory=list)  # names of other strategies
    calendar: MarketCalendar = field(default_factory=MarketCalendar)

    async def engine(self) -> Host:
        """A new engine on it."""
        self.bus = Bus()
        self.events: list[Any] = []
        registry = Registry(
            self.folder / "programs", self.store, self.clock, self.calendar, lambda name: ()
        )
        tools = Tools(
            clock=self.clock,
            bus=self.bus,
            registry=registry,
            rows=KeptRows(self.store, self.folder / "wanted"),
            keys=RunKeys(self.ring),
            processes=self.machine,
            gate=HostGate(
                lambda: self.blocked, lambda mode: f"{mode.value}:{self.account}", lambda: ADDRESSES
            ),
            closer=self,
            results=self,
            grace=lambda: 5.0,
            sleep=self.sleep,
        )
        self.logs = NoLogs()
        host = Host(
            tools, self.logs, Facts(self.calendar, lambda name: (), self.record, self.taken)
        )  # type: ignore[arg-type]
        await host.take_up()
        host.begin()
        return host

    async def close(self, name: str, mode: Mode, account_id: str) -> tuple[str, ...]:
        self.closed.append((name, mode, account_id))
        return self.unclosed

    def today(self, name: str, mode: Mode) -> Result | None:
        return self.results.get(name)

    def orders(self, name: str, mode: Mode) -> int:
        return self.sent_before

    async def record(self, name: str, mode: Mode) -> TradeRecord:
        return TradeRecord(days=3, orders=12)

    async def taken(self) -> list[str]:
        return self.others

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self.wait is not None:
            await self.wait.wait()
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    def script(self, name: str = "cross.py", text: str = "print('hello')\n") -> Path:
        path = self.folder / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


async def crash(host: Host) -> None:
    """The engine is gone at once: nothing of it does anything any more."""
    host._loop.cancel()  # type: ignore[union-attr]
    tasks = [*host._tasks, *(seat._life for seat in host._seats.values() if seat._life)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
