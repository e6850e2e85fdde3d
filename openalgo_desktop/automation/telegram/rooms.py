"""What commands of a chat may touch, and what they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from openalgo_desktop.automation.telegram.ports import Rows
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.ports import BarSource
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.events import Bus
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import AccountStatus
from openalgo_desktop.core.reports import KillReport
from openalgo_desktop.core.telegram import StrategyRoom
from openalgo_desktop.exchange.charges import ChargeTable
from openalgo_desktop.market.hub import MarketHub
from openalgo_desktop.trading.desk import OrderDesk


class Kill(Protocol):
    """The kill switch."""

    @property
    def tripped(self) -> bool: ...
    async def trip(self, by: str, *, flatten: bool = True) -> KillReport: ...


@dataclass(slots=True)
class Rooms:
    """The program behind the bot. ``live`` and ``data`` are the accounts of live orders and of
    prices; ``plan`` names the brokerage plan by which charges are estimated; ``locked`` says
    whether the app lock is closed. ``address`` is that of the local API, empty while it is off;
    ``record`` writes what, of whom and which answer into the audit trail."""

    clock: Clock
    bus: Bus
    desk: OrderDesk
    hub: MarketHub
    instruments: InstrumentTable
    calendar: MarketCalendar
    bars: BarSource
    kill_switch: Kill
    charges: Callable[[], ChargeTable]
    plan: Callable[[], str]
    live: Callable[[], AccountStatus]
    data: Callable[[], AccountStatus]
    locked: Callable[[], bool]
    always_open: Callable[[], bool]
    record: Callable[[str, str, str], None]
    address: Callable[[], str]
    program: str = "OpenAlgo Desktop"
    strategies: list[StrategyRoom] = field(default_factory=list)


class Picture(NamedTuple):
    """A PNG and what stands below it."""

    png: bytes
    caption: str


class Answer(NamedTuple):
    """What a command answers: a text with buttons, pictures, or both."""

    text: str = ""
    rows: Rows = ()
    pictures: Sequence[Picture] = ()


def title(mode: Mode) -> str:
    """``SANDBOX`` or ``LIVE``: stands in every answer that shows money."""
    return mode.value.upper()


def other(mode: Mode) -> Mode:
    """The mode that it is not."""
    return Mode.LIVE if mode is Mode.SANDBOX else Mode.SANDBOX


Reader = Callable[["Rooms", Sequence[str]], Awaitable[Answer]]
