"""What a trade journal is made of: executions, round trips, notes, days, figures.

Amounts are Decimal rupees, quantities units, days IST dates. ``None`` is *not known*, never 0.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.model import Key, Trade


class Because(StrEnum):
    """Why a row of the executions is there."""

    TRADE = "trade"
    CARRIED = "carried"  # held before the journal began; the price is the broker's average
    CONVERTED = "converted"  # the units went to another product
    SETTLED = "settled"  # closed without a trade: expiry, missed square-off
    RESET = "reset"  # the paper account began anew: what was open is gone


class Execution(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One fill, as the journal reads it. ``multiplier`` is the rupees that a unit earns when the
    price moves by one. A SETTLED row says its ``profit`` (rupees) and no price, a CONVERTED one
    ``to`` which product its units went; its ``action`` is the side of the position."""

    account_id: str
    mode: Mode
    symbol: str
    exchange: str
    product: Product
    action: Action
    quantity: int
    price: Decimal
    at: datetime
    order_id: str = ""
    trade_id: str = ""
    strategy: str = ""
    charges: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)
    because: Because = Because.TRADE
    profit: Decimal = Decimal(0)
    to: Product | None = None

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @classmethod
    def of(cls, trade: Trade, account_id: str, mode: Mode, multiplier: Decimal) -> Execution:
        """A trade as the journal reads it; its floats become the decimals that they print as."""
        return cls(
            account_id=account_id,
            mode=mode,
            symbol=trade.symbol,
            exchange=trade.exchange,
            product=trade.product,
            action=trade.action,
            quantity=trade.quantity,
            price=Decimal(str(trade.price)),
            at=trade.traded_at,
            order_id=trade.order_id,
            trade_id=trade.trade_id,
            strategy=trade.strategy,
            charges=Decimal(str(trade.charges)),
            multiplier=multiplier,
        )


class RoundTrip(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What was closed by one order in one day, with the entries that it closed (first in, first
    out). ``side`` is that of the entry: BUY was long.

    ``entry_price`` and ``gross`` are None where the entry is older than the journal, ``exit_price``
    and ``gross`` where a contract expired and nobody told its settlement price. ``charges`` are
    those of entry and exit, in part estimated. ``trip_id`` stays the same for ever.
    """

    trip_id: str
    account_id: str
    mode: Mode
    symbol: str
    exchange: str
    product: Product
    side: Action
    quantity: int
    entry_price: Decimal | None
    exit_price: Decimal | None
    entry_at: datetime | None
    exit_at: datetime
    gross: Decimal | None
    charges: Decimal
    strategy: str = ""
    settled: bool = False

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def net(self) -> Decimal | None:
        """Profit after charges."""
        return None if self.gross is None else self.gross - self.charges

    @property
    def held(self) -> float | None:
        """Seconds from the first entry to the last exit."""
        if self.entry_at is None:
            return None
        return (self.exit_at - self.entry_at).total_seconds()


class TradeNote(msgspec.Struct, frozen=True):
    """What the trader says of a round trip."""

    tags: tuple[str, ...] = ()
    text: str = ""


NO_NOTE = TradeNote()


class JournalDay(msgspec.Struct, frozen=True, gc=False):
    """What was closed on a day, rupees. ``unknown`` trades have no profit and are not counted in
    the sums."""

    day: date
    trades: int
    wins: int
    gross: Decimal
    charges: Decimal
    unknown: int = 0

    @property
    def net(self) -> Decimal:
        """The day's realised profit after charges."""
        return self.gross - self.charges


class TradeFigures(msgspec.Struct, frozen=True):
    """Figures of a set of round trips, all net of charges, rupees. What cannot be known is None:
    no trade, no loss to divide by. ``unknown`` trades have no profit and count nowhere else.

    ``expectancy`` is the mean profit of a trade, ``max_drawdown`` how far the running sum fell
    below its highest point (0 or positive), ``held`` the mean holding time in seconds.
    """

    trades: int
    wins: int
    losses: int
    unknown: int
    gross: Decimal
    charges: Decimal
    net: Decimal
    win_rate: Decimal | None
    expectancy: Decimal | None
    average_win: Decimal | None
    average_loss: Decimal | None
    profit_factor: Decimal | None
    best: Decimal | None
    worst: Decimal | None
    max_drawdown: Decimal
    held: float | None


class Group(msgspec.Struct, frozen=True):
    """The figures of the trades that share a ``label``: an underlying, a weekday..."""

    label: str
    figures: TradeFigures


class JournalReport(msgspec.Struct, frozen=True):
    """Figures of some round trips: of all, of their groups, by the day of the exit."""

    figures: TradeFigures
    groups: tuple[Group, ...]
    days: dict[date, JournalDay]


class JournalBook(msgspec.Struct, frozen=True):
    """What a journal window shows. ``since`` is the day from which executions are known (None: no
    account was seen yet), ``plan`` the brokerage plan of estimated charges."""

    mode: Mode
    trips: list[RoundTrip]
    notes: dict[str, TradeNote]
    since: date | None
    plan: str
