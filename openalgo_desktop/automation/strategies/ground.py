"""What the engine stands on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

import msgspec

from openalgo_desktop.analytics.chain import ChainBook
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.events import Bus
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.ports import OrderJournal, TickSource
from openalgo_desktop.core.strategies.ports import StrategyStore
from openalgo_desktop.exchange.estimate import Estimator
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.watch.legs import Legs


class Days(Protocol):
    """Small values that outlive the program: what was started on which day."""

    async def get(self, scope: str, key: str) -> object: ...
    async def put(self, scope: str, key: str, value: object) -> None: ...


class Ground(msgspec.Struct):
    """The parts of the program below. ``may_trade`` raises with the reason why nothing new of a
    mode may begin (kill switch, locked vault); ``estimator`` gives charges by the plan in force;
    ``taken`` the names of strategies of other kinds."""

    clock: Clock
    bus: Bus
    store: StrategyStore
    desk: OrderDesk
    legs: Legs
    journal: OrderJournal
    instruments: InstrumentTable
    ticks: TickSource
    chains: ChainBook
    calendar: MarketCalendar
    days: Days
    is_open: Callable[[str], bool]
    may_trade: Callable[[Mode], None]
    estimator: Callable[[], Estimator]
    taken: Callable[[], Awaitable[Collection[str]]]
