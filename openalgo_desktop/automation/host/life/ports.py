"""What the life of a program needs of the rest of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from openalgo_desktop.automation.host.catalog.registry import Registry
from openalgo_desktop.automation.host.life.kept import KeptRows
from openalgo_desktop.automation.host.life.keys import RunKeys
from openalgo_desktop.automation.host.ports import Processes
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.events import Bus
from openalgo_desktop.core.strategies.hosted import Hosted


class Gate(Protocol):
    """Says whether a program may run."""

    def check(self, row: Hosted, mode: Mode, digest: str) -> None:
        """Raises :class:`NotNow` with the fix (kill switch, not promoted, changed since)."""

    def account_of(self, mode: Mode) -> str:
        """The account in which it would trade; raises :class:`NotConnected`."""

    def addresses(self) -> tuple[str, str]:
        """REST and WebSocket address; raises :class:`ConfigError` while the API is off."""


class Result(msgspec.Struct, frozen=True):
    """How a strategy does, rupees net of charges; None is unknown. ``drawdown`` is how far it is
    below its best result, 0 or positive."""

    day_net: float | None
    drawdown: float


class Results(Protocol):
    """The strategy book, as far as quotas and screens need it; quick."""

    def today(self, name: str, mode: Mode) -> Result | None:
        """None where the strategy has not traded, or the book is not read yet."""

    def orders(self, name: str, mode: Mode) -> int:
        """Orders of today."""


class Closer(Protocol):
    """Closes what a strategy itself holds."""

    async def close(self, name: str, mode: Mode, account_id: str) -> tuple[str, ...]:
        """Sentences about what could not be confirmed; empty when all is flat."""


@dataclass(frozen=True, slots=True)
class Tools:
    """All of it. ``grace`` are the seconds after the polite signal."""

    clock: Clock
    bus: Bus
    registry: Registry
    rows: KeptRows
    keys: RunKeys
    processes: Processes
    gate: Gate
    closer: Closer
    results: Results
    grace: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
