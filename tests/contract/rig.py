"""A logged-in account of any adapter against its emulator, and the sandbox in the same shape.

Emulators are found by folder: see :mod:`tests.faces.face`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.spec import Capabilities, Rate
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.brokers.simulator.account import SimulatorAccount, SimulatorOptions
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.clock import IST, SystemClock
from openalgo_desktop.core.enums import Exchange, Product
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key, OrderUpdate
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.market.hub import MarketHub
from openalgo_desktop.sandbox.account import Sandbox
from tests.emulators.base import BrokerEmulator, MemoryPaper
from tests.faces.face import Face, face_of
from tests.memory import MemorySecrets
from tests.sizes import proved

REGISTRY = Registry()
SANDBOX = "sandbox"


@dataclass(repr=False)  # asyncio writes results of tasks out, and this has every instrument
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

    #: Instruments that its master has at least.
    least_rows = 1000

    @property
    def gateway(self) -> Any:
        """Where orders go."""
        return self.account.gateway

    @property
    def can(self) -> Capabilities:
        """What the adapter says that it can."""
        return self.account.spec.capabilities

    async def login(self) -> None:
        """Log in with good credentials and load the master."""
        await self.account.login(self.face.good(self.emulator))
        rows = await self.account.instruments()
        self.account.api.sizes.proofs = proved(rows, self.account.spec)
        self.rows = {row.key: row for row in rows}

    def shorten(self, seconds: float) -> None:
        """Order writes of this account wait only so long."""
        spec = self.account.spec
        ops = {
            name: msgspec.structs.replace(op, timeout=seconds) if op.write else op
            for name, op in spec.ops.items()
        }
        self.account.rest.spec = msgspec.structs.replace(spec, ops=ops)

    def row(self, exchange: str, kind: str = "EQ") -> Instrument:
        """Some instrument of that kind."""
        return next(
            row
            for row in self.rows.values()
            if row.exchange == exchange and row.instrument_type == kind
        )

    def tick_of(self, row: Instrument) -> float:
        """The tick of the market: a master without ticks (Flattrade's) has the usual one."""
        known = self.emulator.rows.get(row.key)
        return known.tick_size if known is not None else row.tick_size

    async def price(self, row: Instrument) -> Tick:
        """The market of an instrument now; of a broker without market data the emulator's."""
        source = self.account if self.can.quote_batch else self.emulator.account
        return await source.market.depth(row.key)


#: A silent line is found after at most so many seconds in tests, and pinged so often.
SILENCE, PING = 5.0, 2.0
#: Seconds until a feed comes back, and at most; how they grow has tests of its own.
BACKOFF = (0.2, 10.0)


def unlimited(broker: Broker) -> Broker:
    """The adapter with limits that no test reaches (limits have tests of their own), and with
    feeds that find a silent line and come back soon."""
    replace = msgspec.structs.replace
    limits = {name: (Rate(10_000),) for name in broker.spec.limits}
    streams = tuple(
        replace(
            stream,
            silence=min(stream.silence, SILENCE),
            ping=min(stream.ping, PING),
            backoff=BACKOFF,
        )
        for stream in broker.spec.streams
    )
    return replace(broker, spec=replace(broker.spec, limits=limits, streams=streams))


@asynccontextmanager
async def open_rig(broker: str, folder: Path) -> AsyncIterator[Rig]:
    """An account that is not logged in yet, and its emulator."""
    face = face_of(broker)
    # Ten in the morning: no session ends in the middle of a test.
    clock = SystemClock(datetime.now(IST).replace(hour=10, minute=0))
    emulator = face.emulator(clock)
    await emulator.start()
    secrets = MemorySecrets()
    account = KitAccount(
        unlimited(REGISTRY.get(broker)), clock, secrets, folder, hosts=emulator.hosts()
    )
    rig = Rig(broker, account, emulator, face, clock, secrets)
    account.gateway.set_listener(rig.updates.append)
    account.market.set_sink(rig.ticks.append)
    try:
        await account.connect()
        yield rig
    finally:
        await account.disconnect()
        await emulator.stop()


class SandboxRig:
    """The paper account over the simulated market, in the shape of a :class:`Rig`."""

    broker = SANDBOX
    can = Capabilities(
        exchanges=(Exchange.NSE, Exchange.BSE, Exchange.NFO, Exchange.BFO, Exchange.MCX),
        products={
            Exchange.NSE: (Product.CNC, Product.MIS),
            Exchange.BSE: (Product.CNC, Product.MIS),
            Exchange.NFO: (Product.NRML, Product.MIS),
            Exchange.BFO: (Product.NRML, Product.MIS),
            Exchange.MCX: (Product.NRML, Product.MIS),
        },
        gtt=True,
        margin=True,
        converts=True,
    )

    def __init__(self, market: SimulatorAccount, hub: MarketHub, gateway: Sandbox) -> None:
        self.market = market
        self.hub = hub
        self.gateway = gateway
        self.updates: list[OrderUpdate] = []
        self.rows: dict[Key, Instrument] = {}

    row = Rig.row

    def tick_of(self, row: Instrument) -> float:
        """The tick of an instrument."""
        return row.tick_size

    async def price(self, row: Instrument) -> Tick:
        """The market of an instrument now."""
        return await self.market.market.depth(row.key)


@asynccontextmanager
async def open_sandbox() -> AsyncIterator[SandboxRig]:
    """A fresh paper account."""
    clock = SystemClock(datetime.now(IST).replace(hour=10, minute=0))
    market = SimulatorAccount(clock, MemoryPaper(), SimulatorOptions(rate=200.0))
    table = InstrumentTable()
    await market.connect()
    rows = await market.instruments()
    table.load(rows)
    hub = MarketHub(clock, table)
    hub.set_source(market.market)
    await hub.start()
    sandbox = Sandbox(
        "sandbox:test",
        clock,
        table,
        hub,
        MemoryPaper(),
        Settings({}),
        market_always_open=lambda: True,
    )
    await sandbox.start()
    rig = SandboxRig(market, hub, sandbox)
    rig.rows = {row.key: row for row in rows}
    sandbox.set_listener(rig.updates.append)
    try:
        yield rig
    finally:
        await sandbox.stop()
        await hub.stop()
        await market.disconnect()


@asynccontextmanager
async def open_any(broker: str, folder: Path) -> AsyncIterator[Rig | SandboxRig]:
    """A logged-in account of a broker, or the sandbox."""
    if broker == SANDBOX:
        async with open_sandbox() as sandbox:
            yield sandbox
    else:
        async with open_rig(broker, folder) as rig:
            await rig.login()
            yield rig
