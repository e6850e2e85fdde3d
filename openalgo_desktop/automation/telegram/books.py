"""Commands that show the books and the money of a mode: of the current one unless its name is said.
Books may be long: they are counted in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeVar

from openalgo_desktop.automation.telegram.rooms import Answer, Rooms, title
from openalgo_desktop.automation.telegram.words import (
    SHOWN,
    listing,
    percent,
    price,
    rupees,
    units,
)
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, OrderStatus
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.gently import gently, sorted_gently
from openalgo_desktop.core.model import BookRows, Holding, Order, Position, Trade
from openalgo_desktop.exchange.charges import ChargeDay, Fill
from openalgo_desktop.exchange.ledger import decimal
from openalgo_desktop.trading.reading import AccountReader

T = TypeVar("T")


def _of(rooms: Rooms, words: Sequence[str]) -> tuple[Mode, AccountReader]:
    """The mode that is meant, and its books: the switch may move while they are read. Raises
    :class:`ConfigError` for another word."""
    mode = rooms.desk.mode
    if words:
        try:
            mode = Mode(words[0].lower())
        except ValueError:
            raise ConfigError(f"{words[0]}: say sandbox, live, or nothing.") from None
    return mode, rooms.desk.bound(mode).read


async def _told(make: Callable[[Mode, BookRows[T]], str], mode: Mode, book: BookRows[T]) -> Answer:
    text = await asyncio.to_thread(make, mode, book)
    if book.partial:
        text += f"\n{len(book.unreadable)} rows of the broker could not be read."
    return Answer(text)


# -- orders and trades ----------------------------------------------------------------------
def order_text(row: Order) -> str:
    """One order in a line."""
    at = price(row.average_price if row.filled_quantity else row.price)
    where = f" @ {at}" if row.filled_quantity or row.price_type.has_price else ""
    trigger = f", trigger {price(row.trigger_price)}" if row.price_type.has_trigger else ""
    some = 0 < row.filled_quantity < row.quantity
    part = f" ({units(row.filled_quantity)} filled)" if some else ""
    return (
        f"{row.action.value} {units(row.quantity)} {row.symbol} {row.exchange} "
        f"{row.product.value} {row.price_type.value}{where}{trigger}: {row.status.value}{part}"
    )


def trade_text(row: Trade) -> str:
    """One trade in a line."""
    return (
        f"{row.action.value} {units(row.quantity)} {row.symbol} {row.exchange} "
        f"{row.product.value} @ {price(row.price)}, {row.traded_at.astimezone(IST):%H:%M:%S}"
    )


def _orders(mode: Mode, book: BookRows[Order]) -> str:
    rows = sorted_gently(book, lambda row: row.placed_at.timestamp() if row.placed_at else 0.0)
    rows.reverse()
    counts = dict.fromkeys(("open", "completed", "rejected", "buys", "sells"), 0)
    for row in gently(rows):
        counts["open"] += row.status.is_working
        counts["completed"] += row.status is OrderStatus.COMPLETE
        counts["rejected"] += row.status is OrderStatus.REJECTED
        counts["buys"] += row.action is Action.BUY
        counts["sells"] += row.action is Action.SELL
    sums = " · ".join([f"total {len(rows)}", *(f"{name} {n}" for name, n in counts.items())])
    shown = [order_text(row) for row in rows[:SHOWN]]
    return listing(f"Orders ({title(mode)})", shown, len(rows), [sums], "There is no order today.")


async def orderbook(rooms: Rooms, words: Sequence[str]) -> Answer:
    """Orders of the day, the newest first."""
    mode, read = _of(rooms, words)
    return await _told(_orders, mode, await read.orders())


def _trades(mode: Mode, book: BookRows[Trade]) -> str:
    rows = sorted_gently(book, lambda row: row.traded_at)
    rows.reverse()
    sums = {Action.BUY: 0.0, Action.SELL: 0.0}
    for row in gently(rows):
        sums[row.action] += row.value
    text = (
        f"trades {len(rows)} · bought {rupees(sums[Action.BUY])} · sold {rupees(sums[Action.SELL])}"
    )
    shown = [trade_text(row) for row in rows[:SHOWN]]
    return listing(f"Trades ({title(mode)})", shown, len(rows), [text], "There is no trade today.")


async def tradebook(rooms: Rooms, words: Sequence[str]) -> Answer:
    """Trades of the day, the newest first."""
    mode, read = _of(rooms, words)
    return await _told(_trades, mode, await read.trades())


# -- positions and holdings -----------------------------------------------------------------
def _positions(mode: Mode, book: BookRows[Position]) -> str:
    rows = sorted((row for row in book if row.quantity), key=lambda row: -abs(row.pnl))
    long = sum(1 for row in rows if row.quantity > 0)
    shown = [
        f"{row.symbol} {row.exchange} {row.product.value}: {units(row.quantity)} @ "
        f"{price(row.average_price)}, now {price(row.ltp)}, {rupees(row.pnl, sign=True)}"
        for row in rows[:SHOWN]
    ]
    sums = [
        f"active {len(rows)} · long {long} · short {len(rows) - long}",
        f"P&L today of all positions {rupees(sum(row.pnl for row in book), sign=True)}",
    ]
    return listing(f"Positions ({title(mode)})", shown, len(rows), sums, "No position is open.")


async def positions(rooms: Rooms, words: Sequence[str]) -> Answer:
    """Open positions, the largest result first."""
    mode, read = _of(rooms, words)
    return await _told(_positions, mode, await read.positions())


def _holdings(mode: Mode, book: BookRows[Holding]) -> str:
    invested = sum(row.average_price * row.quantity for row in book)
    value = sum((row.ltp or row.average_price) * row.quantity for row in book)
    result = sum(row.pnl for row in book)
    shown = [
        f"{row.symbol} {row.exchange}: {units(row.quantity)} @ {price(row.average_price)}, now "
        f"{price(row.ltp)}, {rupees(row.pnl, sign=True)} ({percent(row.pnl_percent)})"
        for row in book[:SHOWN]
    ]
    part = f" ({percent(100 * result / invested)})" if invested else ""
    sums = [
        f"value {rupees(value)} · investment {rupees(invested)}",
        f"P&L {rupees(result, sign=True)}{part}",
    ]
    return listing(f"Holdings ({title(mode)})", shown, len(book), sums, "Nothing is held.")


async def holdings(rooms: Rooms, words: Sequence[str]) -> Answer:
    """Delivered shares."""
    mode, read = _of(rooms, words)
    return await _told(_holdings, mode, await read.holdings())


# -- money ----------------------------------------------------------------------------------
async def funds(rooms: Rooms, words: Sequence[str]) -> Answer:
    """Money of the account."""
    mode, read = _of(rooms, words)
    money = await read.funds()
    total = money.available_cash + money.collateral + money.utilised
    return Answer(
        "\n".join(
            [
                f"Funds ({title(mode)})",
                f"cash {rupees(money.available_cash)}",
                f"collateral {rupees(money.collateral)}",
                f"utilised {rupees(money.utilised)}",
                f"total {rupees(total)}",
            ]
        )
    )


class DayResult(NamedTuple):
    """The result of today, rupees. ``charges`` are None where they cannot be worked out,
    ``estimated`` when the account does not tell them itself."""

    mode: Mode
    realised: float
    open: float
    charges: Decimal | None
    estimated: bool
    trades: int
    positions: int

    @property
    def net(self) -> Decimal | None:
        """After charges."""
        if self.charges is None:
            return None
        return decimal(self.realised + self.open) - self.charges

    def lines(self) -> list[str]:
        """As a chat reads it."""
        gross = self.realised + self.open
        about = " (estimated)" if self.estimated else ""
        return [
            f"realised {rupees(self.realised, sign=True)} · open {rupees(self.open, sign=True)}",
            f"P&L before charges {rupees(gross, sign=True)}",
            f"charges{about} {rupees(self.charges)}",
            f"P&L after charges {rupees(self.net, sign=True)}",
        ]


async def day_result(rooms: Rooms, mode: Mode) -> DayResult:
    """The result of a mode."""
    read = rooms.desk.bound(mode).read
    held = await read.positions()
    traded = await read.trades()
    charges, estimated = await asyncio.to_thread(day_charges, rooms, traded)
    return DayResult(
        mode=mode,
        realised=sum(row.realised_today for row in held),
        open=sum(row.unrealised for row in held),
        charges=charges,
        estimated=estimated,
        trades=len(traded),
        positions=sum(1 for row in held if row.quantity),
    )


def day_charges(rooms: Rooms, trades: Iterable[Trade]) -> tuple[Decimal | None, bool]:
    """Charges of the trades of a day in rupees, and whether some are estimated by the brokerage
    plan because the account does not tell them."""
    total, estimated = Decimal(0), False
    day = ChargeDay(rooms.charges(), rooms.plan())
    for row in gently(trades):
        instrument = rooms.instruments.get(row.key)
        if instrument is None and not row.charges:
            return None, False
        guess = Decimal(0)
        if instrument is not None:
            at = row.traded_at.astimezone(IST).date()
            cost = decimal(row.price)
            fill = Fill.of(
                instrument, row.product, row.action, row.quantity, cost, at, row.order_id
            )
            guess = day.add(fill).total  # also of one that tells its own: brokerage has a cap
        estimated = estimated or not row.charges
        total += decimal(row.charges) if row.charges else guess
    return total.quantize(Decimal("0.01")), estimated


async def pnl(rooms: Rooms, words: Sequence[str]) -> Answer:
    """The result of today."""
    result = await day_result(rooms, _of(rooms, words)[0])
    return Answer("\n".join([f"P&L of today ({title(result.mode)})", *result.lines()]))
