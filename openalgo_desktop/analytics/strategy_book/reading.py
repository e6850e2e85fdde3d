"""Rows of the strategy book out of its sums. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from openalgo_desktop.analytics.strategy_book.line import ZERO, DaySum, Net
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.strategy_book import StrategyDay, StrategyPosition, StrategySummary


def position_of(
    key: Key, product: Product, net: Net, multiplier: Decimal, ltp: Decimal | None
) -> StrategyPosition:
    """What a strategy holds of an instrument, at a price."""
    assert net.since is not None  # of what is held
    return StrategyPosition(
        symbol=key[1],
        exchange=key[0],
        product=product,
        quantity=net.quantity,
        average=net.average,
        since=net.since,
        multiplier=multiplier,
        ltp=ltp,
    )


def curve_of(days: Mapping[date, DaySum]) -> list[StrategyDay]:
    """The days of a strategy, oldest first, with the running sum."""
    equity, rows = ZERO, []
    for day, sums in days.items():
        equity += sums.realised - sums.charges
        rows.append(StrategyDay(day, sums.realised, sums.charges, sums.fills, equity))
    return rows


def summary_of(
    name: str,
    mode: Mode,
    account_id: str,
    days: Mapping[date, DaySum],
    positions: Sequence[StrategyPosition],
    today: date,
    *,
    unknown: int,
) -> StrategySummary:
    """The sums of a strategy that traded on ``days`` and holds ``positions``."""
    gains = [row.open for row in positions]
    known = [gain for gain in gains if gain is not None]
    open_profit = sum(known, ZERO) if len(known) == len(gains) else None
    rows = curve_of(days)
    now = rows[-1].equity + (open_profit or ZERO)
    highest = worst = ZERO
    for row in rows:
        highest = max(highest, row.equity)
        worst = max(worst, highest - row.equity)
    fall = max(ZERO, max(highest, now) - now)
    day = days.get(today, DaySum())
    last = max(sums.last_at for sums in days.values() if sums.last_at is not None)
    return StrategySummary(
        name=name,
        mode=mode,
        account_id=account_id,
        realised=sum((row.realised for row in rows), ZERO),
        charges=sum((row.charges for row in rows), ZERO),
        open=open_profit,
        day_realised=day.realised,
        day_charges=day.charges,
        fills=sum(row.fills for row in rows),
        positions=len(positions),
        drawdown=fall,
        max_drawdown=max(worst, fall),
        since=rows[0].day,
        last_at=last,
        unknown=unknown,
    )
