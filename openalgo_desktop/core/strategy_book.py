"""What a strategy did and holds in one account: rows of the strategy book.

Amounts are Decimal rupees, quantities signed units, days IST dates. ``None`` is *not known*, never
0.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.model import Key, Order
from openalgo_desktop.core.trade_journal import Execution


class StrategyPosition(msgspec.Struct, frozen=True):
    """What a strategy holds of an instrument and product; ``open`` is its profit at ``ltp``,
    before charges. ``since`` is when it was last flat and entered."""

    symbol: str
    exchange: str
    product: Product
    quantity: int
    average: Decimal
    since: datetime
    multiplier: Decimal = Decimal(1)
    ltp: Decimal | None = None

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def open(self) -> Decimal | None:
        """Open profit, rupees; None while no price is known."""
        if self.ltp is None:
            return None
        return (self.ltp - self.average) * self.quantity * self.multiplier


class StrategyDay(msgspec.Struct, frozen=True):
    """What was realised on a day. ``equity`` is the sum of ``net`` up to its end; profit that is
    open is in no day."""

    day: date
    realised: Decimal
    charges: Decimal
    fills: int
    equity: Decimal

    @property
    def net(self) -> Decimal:
        """Realised after charges."""
        return self.realised - self.charges


class StrategySummary(msgspec.Struct, frozen=True):
    """A strategy in one mode and account, over all days.

    ``charges`` are those that the account tells, else estimated. ``open`` is before the charges of
    leaving. ``drawdown`` is how far the net result is below its highest day-end (0 or positive),
    ``max_drawdown`` the largest such fall of the days and of now. ``unknown`` positions were in
    contracts that expired while nobody told a settlement: their result is in no sum.
    """

    name: str
    mode: Mode
    account_id: str
    realised: Decimal
    charges: Decimal
    open: Decimal | None
    day_realised: Decimal
    day_charges: Decimal
    fills: int
    positions: int
    drawdown: Decimal
    max_drawdown: Decimal
    since: date
    last_at: datetime
    unknown: int = 0

    @property
    def net(self) -> Decimal | None:
        """Realised after charges, and open profit; None while a price is not known."""
        return None if self.open is None else self.realised - self.charges + self.open


class StrategyBooks(Protocol):
    """The strategy book, as a window and the host read it. All but ``trades`` are quick; before
    the book was read they give nothing, and ``ready`` says so."""

    @property
    def ready(self) -> bool: ...
    async def until_read(self, mode: Mode) -> None:
        """Return when a mode was read; after a while in any case."""

    def strategies(self, mode: Mode) -> list[str]:
        """Names that traded in the account which serves a mode, sorted."""

    def summary(self, name: str, mode: Mode) -> StrategySummary | None: ...
    def positions(self, name: str, mode: Mode) -> list[StrategyPosition]: ...
    def curve(self, name: str, mode: Mode) -> list[StrategyDay]:
        """Days on which it traded, oldest first."""

    def orders(self, name: str, mode: Mode) -> list[Order]:
        """Its orders of the day, as our own book has them."""

    async def trades(self, name: str, mode: Mode) -> list[Execution]:
        """Its executions, oldest first."""
