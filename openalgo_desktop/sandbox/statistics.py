"""What the trading of an account was worth: equity curve, daily P&L, statistics, CSV.

Pure functions over fills and day-end snapshots. Money in Decimal rupees; days are IST dates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from openalgo_desktop.core.clock import api_timestamp
from openalgo_desktop.core.csvtext import csv_text
from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.exchange.ledger import ZERO, paise

_HUNDRED = Decimal(100)


class Fill(msgspec.Struct, frozen=True):
    """One execution with its charges. ``multiplier`` is rupees per unit and rupee of price."""

    trade_id: str
    order_id: str
    at: datetime
    symbol: str
    exchange: str
    product: Product
    action: Action
    quantity: int
    price: Decimal
    charges: Decimal = ZERO
    multiplier: Decimal = Decimal(1)
    strategy: str = ""


class Day(msgspec.Struct, frozen=True):
    """An account at the end of a day. ``realised`` is the day's, before its ``charges``;
    ``unrealised`` is open profit, holdings included; ``equity`` is everything at market."""

    day: date
    realised: Decimal
    unrealised: Decimal
    charges: Decimal
    equity: Decimal


class Report(msgspec.Struct, frozen=True):
    """All that the account knows of itself: ``capital`` at the start or the last reset, fills
    since then, and day ends; the running day comes last."""

    capital: Decimal
    fills: list[Fill]
    days: list[Day]


class DailyPnl(msgspec.Struct, frozen=True):
    """One row of the daily table: ``gross`` before, ``net`` after charges; ``drawdown`` is what
    equity is below its highest day (0 or negative)."""

    day: date
    realised: Decimal
    gross: Decimal
    charges: Decimal
    net: Decimal
    equity: Decimal
    drawdown: Decimal


class Closed(msgspec.Struct, frozen=True):
    """Profit of a fill that closed (part of) a position, against the position's average."""

    fill: Fill
    quantity: int
    profit: Decimal


class Statistics(msgspec.Struct, frozen=True):
    """The figures of the statistics panel. Ratios that cannot be known are None: no closed trade,
    no loss to divide by, no capital."""

    fills: int
    closed: int
    wins: int
    losses: int
    win_rate: Decimal | None  # per cent of closed trades that won
    profit_factor: Decimal | None  # profits over losses
    average_win: Decimal | None
    average_loss: Decimal | None
    best_day: Decimal
    worst_day: Decimal
    gross: Decimal
    charges: Decimal
    net: Decimal
    return_percent: Decimal | None
    max_drawdown: Decimal
    max_drawdown_percent: Decimal | None


class Summary(msgspec.Struct, frozen=True):
    """A report worked out. ``trade_curve``: capital and what it grew to by each closing fill, net
    of charges, open profit not counted."""

    capital: Decimal
    fills: list[Fill]
    days: list[DailyPnl]
    figures: Statistics
    trade_curve: list[tuple[datetime, Decimal]]


def summarise(report: Report) -> Summary:
    """Daily table, figures and curve. Some milliseconds per thousand fills: not on the loop."""
    days = daily_pnl(report.days, report.capital)
    fills = sorted(report.fills, key=lambda f: f.at)
    closed = closed_trades(fills)
    profits = {closing.fill.trade_id: closing.profit for closing in closed}
    curve, equity = [], report.capital
    for fill in fills:
        equity += profits.get(fill.trade_id, ZERO) - fill.charges
        if fill.trade_id in profits:
            curve.append((fill.at, equity))
    return Summary(
        report.capital, fills, days, statistics(fills, days, report.capital, closed), curve
    )


def closed_trades(fills: Iterable[Fill]) -> list[Closed]:
    """Fills that closed something, in order; average cost per exchange, symbol and product, as
    the books do it. A fill through zero closes the old side and opens the rest."""
    open_: dict[tuple[str, str, Product], tuple[int, Decimal]] = {}
    result = []
    for fill in sorted(fills, key=lambda f: f.at):
        key = (fill.exchange, fill.symbol, fill.product)
        held, average = open_.get(key, (0, ZERO))
        signed = fill.action.sign * fill.quantity
        if held * signed < 0:
            quantity = min(abs(held), fill.quantity)
            side = 1 if held > 0 else -1
            profit = side * (fill.price - average) * quantity * fill.multiplier
            result.append(Closed(fill, quantity, profit))
            if abs(signed) > abs(held):
                average = fill.price
        else:
            total = abs(held) + fill.quantity
            average = (abs(held) * average + fill.quantity * fill.price) / total
        open_[key] = (held + signed, average)
    return result


def daily_pnl(days: Iterable[Day], capital: Decimal) -> list[DailyPnl]:
    """Day by day from ``capital``, the equity before the first day; oldest first. A gap in days
    belongs to the next one."""
    result: list[DailyPnl] = []
    before, peak = capital, capital
    for day in sorted(days, key=lambda d: d.day):
        net = day.equity - before
        peak = max(peak, day.equity)
        result.append(
            DailyPnl(
                day=day.day,
                realised=day.realised,
                gross=net + day.charges,
                charges=day.charges,
                net=net,
                equity=day.equity,
                drawdown=day.equity - peak,
            )
        )
        before = day.equity
    return result


def statistics(
    fills: Sequence[Fill],
    days: Sequence[DailyPnl],
    capital: Decimal,
    closed: Sequence[Closed],
) -> Statistics:
    """All figures; ``days`` from :func:`daily_pnl` with the same ``capital``, ``closed`` from
    :func:`closed_trades` of the fills."""
    wins = [c.profit for c in closed if c.profit > 0]
    losses = [-c.profit for c in closed if c.profit < 0]
    won, lost = sum(wins, ZERO), sum(losses, ZERO)
    net = days[-1].equity - capital if days else ZERO
    charges = sum((day.charges for day in days), ZERO)
    worst = min(days, key=lambda day: day.drawdown, default=None)
    drawdown = -worst.drawdown if worst is not None else ZERO
    peak = worst.equity + drawdown if worst is not None else capital
    nets = [day.net for day in days] or [ZERO]
    return Statistics(
        fills=len(fills),
        closed=len(closed),
        wins=len(wins),
        losses=len(losses),
        win_rate=_percent(Decimal(len(wins)), Decimal(len(closed))),
        profit_factor=won / lost if lost else None,
        average_win=won / len(wins) if wins else None,
        average_loss=lost / len(losses) if losses else None,
        best_day=max(nets),
        worst_day=min(nets),
        gross=net + charges,
        charges=charges,
        net=net,
        return_percent=_percent(net, capital),
        max_drawdown=drawdown,
        max_drawdown_percent=_percent(drawdown, peak),
    )


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    return _HUNDRED * part / whole if whole > 0 else None


# -- CSV ------------------------------------------------------------------------------------
#: Header and value of each column.
_Columns = tuple[tuple[str, Callable[[Any], object]], ...]

_FILL_COLUMNS: _Columns = (
    ("time", lambda f: api_timestamp(f.at)),
    ("trade_id", lambda f: f.trade_id),
    ("order_id", lambda f: f.order_id),
    ("symbol", lambda f: f.symbol),
    ("exchange", lambda f: f.exchange),
    ("product", lambda f: f.product.value),
    ("action", lambda f: f.action.value),
    ("quantity", lambda f: f.quantity),
    ("price", lambda f: f"{f.price:f}"),  # currencies have four digits
    ("value", lambda f: f.price * f.quantity * f.multiplier),
    ("charges", lambda f: f.charges),
    ("strategy", lambda f: f.strategy),
)
_DAY_COLUMNS: _Columns = (
    ("date", lambda d: d.day.isoformat()),
    ("realised", lambda d: d.realised),
    ("gross", lambda d: d.gross),
    ("charges", lambda d: d.charges),
    ("net", lambda d: d.net),
    ("equity", lambda d: d.equity),
    ("drawdown", lambda d: d.drawdown),
)


def trades_csv(fills: Iterable[Fill]) -> str:
    """Fills as CSV with a header, oldest first."""
    return _csv(_FILL_COLUMNS, sorted(fills, key=lambda f: f.at))


def daily_csv(days: Iterable[DailyPnl]) -> str:
    """The daily table as CSV with a header."""
    return _csv(_DAY_COLUMNS, days)


def _csv(columns: _Columns, rows: Iterable[Any]) -> str:
    header = [name for name, _ in columns]
    return csv_text([header, *([_cell(value(row)) for _, value in columns] for row in rows)])


def _cell(value: object) -> str:
    """Amounts to the paisa, other values as text."""
    return f"{paise(value):f}" if isinstance(value, Decimal) else str(value)
