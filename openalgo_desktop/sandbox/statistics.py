"""What the trading of an account was worth: equity curve, daily P&L, statistics, CSV.

Pure. Profit is read from the ledger's entries, so that it includes what was settled without a
trade (expiry, missed square-off). Money in Decimal rupees; days are IST dates.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from openalgo_desktop.core.clock import IST, api_timestamp
from openalgo_desktop.core.csvtext import csv_text
from openalgo_desktop.core.model import Trade
from openalgo_desktop.exchange.ledger import ZERO, Entry, EntryKind, paise

_HUNDRED = Decimal(100)


class Closing(msgspec.Struct):
    """Profit of one exit before charges: an order's fills of a day count as one, so does a
    settlement. ``ref`` is the order or the position."""

    at: datetime
    ref: str
    profit: Decimal


class Tally:
    """Running sums over ledger entries, added in order.

    ``curve`` is the profit net of charges after each closing; ``closings`` are in order too.
    """

    def __init__(self) -> None:
        self.closings: list[Closing] = []
        self.curve: list[tuple[datetime, Decimal]] = []
        self._profit = ZERO
        self._capital_days: list[date] = []
        self._capital: list[Decimal] = []

    def add(self, entry: Entry) -> None:
        """Count an entry; kinds that neither pay in nor earn nor cost are ignored."""
        if entry.kind is EntryKind.CAPITAL:
            before = self._capital[-1] if self._capital else ZERO
            self._capital_days.append(entry.at.astimezone(IST).date())
            self._capital.append(before + entry.cash + entry.reserve)
        elif entry.kind is EntryKind.CHARGE:
            self._profit += entry.cash
            if self.curve and self.curve[-1][0] == entry.at:
                self.curve[-1] = (entry.at, self._profit)
        elif entry.kind is EntryKind.REALISED:
            self._close(entry)

    def _close(self, entry: Entry) -> None:
        self._profit += entry.cash
        last = self.closings[-1] if self.closings else None
        if last is not None and last.ref == entry.ref and last.at.date() == entry.at.date():
            last.at, last.profit = entry.at, last.profit + entry.cash
            self.curve[-1] = (entry.at, self._profit)
            return
        self.closings.append(Closing(entry.at, entry.ref, entry.cash))
        self.curve.append((entry.at, self._profit))

    def capital_on(self, day: date) -> Decimal:
        """Money paid in up to the end of ``day``, less what an automatic reset took back."""
        count = bisect_right(self._capital_days, day)
        return self._capital[count - 1] if count else ZERO


class Day(msgspec.Struct, frozen=True):
    """An account at the end of a day. ``realised`` is the day's, before its ``charges``;
    ``unrealised`` is open profit, holdings included; ``equity`` is everything at market;
    ``capital`` what was paid in until then."""

    day: date
    realised: Decimal
    unrealised: Decimal
    charges: Decimal
    equity: Decimal
    capital: Decimal


class DailyPnl(msgspec.Struct, frozen=True):
    """One row of the daily table: ``gross`` before, ``net`` after charges; ``profit`` is the net
    of all days so far, ``drawdown`` what that is below its highest day (0 or negative)."""

    day: date
    realised: Decimal
    gross: Decimal
    charges: Decimal
    net: Decimal
    equity: Decimal
    profit: Decimal
    drawdown: Decimal


class Statistics(msgspec.Struct, frozen=True):
    """The figures of the statistics panel. Ratios that cannot be known are None: no closed trade,
    no loss to divide by, no capital."""

    trades: int
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
    """A report worked out. ``curve`` is the net profit after each closed trade; open profit is in
    ``days`` only."""

    capital: Decimal
    equity: Decimal
    days: list[DailyPnl]
    figures: Statistics
    curve: list[tuple[datetime, Decimal]]


def summarise(tally: Tally, days: Iterable[Day], capital: Decimal, trades: int) -> Summary:
    """Daily table and figures. ``capital`` is the base of percentages and curves, ``trades`` the
    number of executions; the running day comes last."""
    table = daily_pnl(days)
    figures = statistics(tally.closings, table, capital, trades)
    equity = table[-1].equity if table else capital
    return Summary(capital, equity, table, figures, list(tally.curve))


def daily_pnl(days: Iterable[Day]) -> list[DailyPnl]:
    """Day by day, oldest first; a gap in days belongs to the next one. Money paid in or taken out
    is no profit."""
    result: list[DailyPnl] = []
    before = peak = ZERO
    for day in sorted(days, key=lambda d: d.day):
        profit = day.equity - day.capital
        peak = max(peak, profit)
        net = profit - before
        result.append(
            DailyPnl(
                day=day.day,
                realised=day.realised,
                gross=net + day.charges,
                charges=day.charges,
                net=net,
                equity=day.equity,
                profit=profit,
                drawdown=profit - peak,
            )
        )
        before = profit
    return result


def statistics(
    closings: Sequence[Closing], days: Sequence[DailyPnl], capital: Decimal, trades: int
) -> Statistics:
    """All figures of closed trades and days (:func:`daily_pnl`)."""
    wins = [c.profit for c in closings if c.profit > 0]
    losses = [-c.profit for c in closings if c.profit < 0]
    won, lost = sum(wins, ZERO), sum(losses, ZERO)
    net = days[-1].profit if days else ZERO
    charges = sum((day.charges for day in days), ZERO)
    worst = min(days, key=lambda day: day.drawdown, default=None)
    drawdown = -worst.drawdown if worst is not None else ZERO
    peak = capital + (worst.profit + drawdown if worst is not None else ZERO)
    nets = [day.net for day in days] or [ZERO]
    return Statistics(
        trades=trades,
        closed=len(closings),
        wins=len(wins),
        losses=len(losses),
        win_rate=_percent(Decimal(len(wins)), Decimal(len(closings))),
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

_TRADE_COLUMNS: _Columns = (
    ("time", lambda t: api_timestamp(t.traded_at)),
    ("trade_id", lambda t: t.trade_id),
    ("order_id", lambda t: t.order_id),
    ("symbol", lambda t: t.symbol),
    ("exchange", lambda t: t.exchange),
    ("product", lambda t: t.product.value),
    ("action", lambda t: t.action.value),
    ("quantity", lambda t: t.quantity),
    ("price", lambda t: t.price),
    ("value", lambda t: f"{t.value:.2f}"),
    ("charges", lambda t: f"{t.charges:.2f}"),
    ("strategy", lambda t: t.strategy),
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


def trades_csv(trades: Iterable[Trade]) -> str:
    """Executions as CSV with a header, oldest first."""
    return _csv(_TRADE_COLUMNS, sorted(trades, key=lambda t: t.traded_at))


def daily_csv(days: Iterable[DailyPnl]) -> str:
    """The daily table as CSV with a header."""
    return _csv(_DAY_COLUMNS, days)


def _csv(columns: _Columns, rows: Iterable[Any]) -> str:
    header = [name for name, _ in columns]
    return csv_text([header, *([_cell(value(row)) for _, value in columns] for row in rows)])


def _cell(value: object) -> str:
    """Amounts to the paisa, other values as text."""
    return f"{paise(value):f}" if isinstance(value, Decimal) else str(value)
