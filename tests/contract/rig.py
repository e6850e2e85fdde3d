"""A logged-in account of any adapter against its emulator, and the sandbox in the same shape.

A new broker adds one row to :data:`FACES`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openalgo_desktop.brokers.kit.account import KitAccount
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.model import Instrument, Key, OrderUpdate, Tick
from openalgo_desktop.core.secret import Secret
from tests.emulators import kite
from tests.emulators.base import BrokerEmulator

REGISTRY = Registry()


class MemorySecrets:
    """A secret store that forgets at the end of the test."""

    def __init__(self) -> None:
        self.values: dict[str, Secret] = {}

    async def get(self, name: str) -> Secret | None:
        return self.values.get(name)

    async def set(self, name: str, value: Secret) -> None:
        self.values[name] = value

    async def delete(self, name: str) -> None:
        self.values.pop(name, None)


@dataclass(frozen=True)
class Face:
    """An emulator and how one logs in at it. ``bad`` are credentials that it refuses."""

    emulator: Callable[[SystemClock], BrokerEmulator]
    good: Callable[[Any], Mapping[str, str]]
    bad: Mapping[str, str]
    secrets: tuple[str, ...]  # texts that must never be seen in logs or errors


FACES: dict[str, Face] = {
    "zerodha": Face(
        emulator=kite.KiteEmulator,
        good=lambda emulator: {
            "api_key": kite.API_KEY,
            "api_secret": kite.API_SECRET,
            "request_token": emulator.new_request_token(),
        },
        bad={
            "api_key": kite.API_KEY,
            "api_secret": kite.API_SECRET,
            "request_token": "wrong",
        },
        secrets=(kite.API_KEY, kite.API_SECRET),
    ),
}


@dataclass
class Rig:
    """Everything a contract case needs."""

    broker: str
    account: KitAccount
    emulator: BrokerEmulator
    face: Face
    clock: SystemClock
    secrets: MemorySecrets
    updates: list[OrderUpdate] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    rows: dict[Key, Instrument] = field(default_factory=dict)

    async def login(self) -> None:
        """Log in with good credentials and load the master."""
        await self.account.login(self.face.good(self.emulator))
        self.rows = {row.key: row for row in await self.account.instruments()}

    def row(self, exchange: str, kind: str = "EQ") -> Instrument:
        """Some instrument of that kind."""
        return next(
            row
            for row in self.rows.values()
            if row.exchange == exchange and row.instrument_type == kind
        )

    async def price(self, row: Instrument) -> Tick:
        """The market of an instrument now."""
        return await self.account.market.depth(row.key)


async def until(true: Callable[[], bool], seconds: float = 5.0, what: str = "condition") -> None:
    """Wait for a condition with a deadline."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not true():
        if loop.time() > end:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        await asyncio.sleep(0.01)


@asynccontextmanager
async def open_rig(broker: str, folder: Path) -> AsyncIterator[Rig]:
    """An account that is not logged in yet, and its emulator."""
    face = FACES[broker]
    clock = SystemClock()
    emulator = face.emulator(clock)
    await emulator.start()
    secrets = MemorySecrets()
    account = KitAccount(REGISTRY.get(broker), clock, secrets, folder, hosts=emulator.hosts())
    rig = Rig(broker, account, emulator, face, clock, secrets)
    account.gateway.set_listener(rig.updates.append)
    account.market.set_sink(rig.ticks.append)
    try:
        await account.connect()
        yield rig
    finally:
        await account.disconnect()
        await emulator.stop()
