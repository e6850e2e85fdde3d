"""What a rehearsal is asked and tells: a hosted program driven over days of the simulated market,
in a world of its own, on a clock that runs faster."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal

import msgspec

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.strategies.hosted import Hosted
from openalgo_desktop.core.trade_journal import Execution, TradeFigures

#: Seconds of the rehearsal in one second. Above that prices come too seldom for its clock.
SLOWEST, FASTEST, USUAL = 1.0, 120.0, 60.0
MAX_DAYS = 60
#: Of fewer days a Sharpe ratio is a number without meaning.
SHARPE_DAYS = 5
#: Trading days in a year, as annualised figures of the field count them.
_YEAR = 252


class RehearsalWish(msgspec.Struct, frozen=True, kw_only=True):
    """What to drive. ``path`` is a file, a folder or ``sample:NAME``, and ``kept`` the program that
    lies there, where the terminal knows it: its schedule, quotas and parameters count then.
    ``first`` is the first of ``days`` trading days, ``begin`` and ``end`` IST times of each (None:
    those of its schedule), ``pace`` seconds of the rehearsal in one."""

    path: str
    kept: Hosted | None = None
    first: date
    days: int = 1
    begin: time | None = None
    end: time | None = None
    pace: float = USUAL
    seed: int | None = None
    parameters: tuple[tuple[str, str], ...] = ()

    def check(self) -> None:
        """Raises :class:`ConfigError` that names the option and the fix."""
        if not SLOWEST <= self.pace <= FASTEST:
            raise ConfigError(
                f"--speed: {self.pace:g} must be {SLOWEST:g} to {FASTEST:g} (seconds of the "
                "rehearsal in one second)."
            )
        if not 1 <= self.days <= MAX_DAYS:
            raise ConfigError(f"--days: {self.days} must be 1 to {MAX_DAYS}.")
        if self.begin is not None and self.end is not None and self.begin >= self.end:
            raise ConfigError(
                f"--from: {self.begin:%H:%M} must be before --to {self.end:%H:%M} (IST)."
            )


class RehearsedDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day of it. ``reason`` says how the program ended where that was before its time, and
    ``failed`` whether by a fault; what it ``left`` open is named. ``net`` is rupees after
    charges."""

    day: date
    orders: int
    refused: int
    fills: int
    net: Decimal
    reason: str = ""
    failed: bool = False
    left: tuple[str, ...] = ()


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it, rupees. ``exposure`` is the part of the time in which it held something (0
    to 1), ``sharpe`` the mean daily result by its deviation, times the root of 252 (None below
    five days, or where no day differs)."""

    name: str
    days: tuple[RehearsedDay, ...]
    figures: TradeFigures
    exposure: float
    sharpe: float | None
    lines: tuple[str, ...] = ()


def sharpe_of(results: Sequence[Decimal]) -> float | None:
    """The annualised Sharpe ratio of daily results without a riskless rate (W. F. Sharpe, *The
    Sharpe Ratio*, 1994); None where it says nothing."""
    if len(results) < SHARPE_DAYS:
        return None
    values = [float(result) for result in results]
    spread = statistics.stdev(values)
    return statistics.fmean(values) / spread * math.sqrt(_YEAR) if spread else None


def exposure_of(rows: Sequence[Execution], spans: Sequence[tuple[datetime, datetime]]) -> float:
    """The part of ``spans`` (aware, in order) in which something was held, 0 to 1. ``rows`` are
    executions, oldest first."""
    total = sum((end - begin).total_seconds() for begin, end in spans)
    if not total:
        return 0.0
    held: dict[tuple[object, ...], int] = {}
    since: datetime | None = None
    periods: list[tuple[datetime, datetime]] = []
    for row in rows:
        place = (row.key, row.product)
        held[place] = held.get(place, 0) + row.action.sign * row.quantity
        if not held[place]:
            del held[place]
        if held and since is None:
            since = row.at
        elif not held and since is not None:
            periods.append((since, row.at))
            since = None
    if since is not None:
        periods.append((since, datetime.max.replace(tzinfo=IST)))
    inside = sum(
        max(0.0, (min(end, last) - max(begin, first)).total_seconds())
        for first, last in periods
        for begin, end in spans
    )
    return inside / total
