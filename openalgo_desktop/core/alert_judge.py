"""What a value does to an alert. Pure: no clock, no prices of its own.

A value that is not known decides nothing: it neither tells nor arms, and no side is remembered of
it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from math import isfinite, nan
from typing import NamedTuple

import msgspec

from openalgo_desktop.core.alerts import (
    ZERO,
    AlertState,
    AlertTrigger,
    AlertWhen,
    AlertWish,
    Pace,
    PriceAlert,
)
from openalgo_desktop.core.exit_rules import exact

#: An alert without bars that tells again does so at most this often, seconds: a price that rests
#: at its level must not ring all day.
AGAIN_AFTER = 60.0
#: Place of a value inside a channel; outside it is -1 or 1.
INSIDE = 2
LEAST, MOST = Decimal("-Infinity"), Decimal("Infinity")


class Sight(NamedTuple):
    """What an alert sees: its subject, the line, and the second line of a channel. For a move the
    lines are the lowest and highest value within its bars. NaN is not known."""

    value: float
    line: float
    upper: float = nan


def look(
    alert: PriceAlert, sight: Sight, now: datetime, bar: datetime | None = None
) -> tuple[PriceAlert, bool]:
    """What a fresh ``sight`` does: the alert afterwards, the same object where nothing changed,
    and whether it tells now. ``bar`` is when the bar of this sight began, where there are bars."""
    when, replace = alert.wish.when, msgspec.structs.replace
    if not alert.is_active or not known(when, sight):
        return alert, False
    if when.crosses or when.of_channel:
        side = _place(when, sight)
        met = _passed(when, alert.side, side)
        after = alert if side == alert.side else replace(alert, side=side)
    else:
        true = _true(alert.wish, sight)
        met = true and alert.armed
        after = alert if alert.armed is not true else replace(alert, armed=not true)
    if not met or _lately(alert, now, bar):
        return after, False
    state = AlertState.ACTIVE if alert.wish.again else AlertState.FIRED
    line = None if when.of_move or when.of_day else exact(sight.line)
    return (
        replace(
            after,
            state=state,
            fired_at=now,
            fired_value=exact(sight.value),
            fired_line=line,
            count=alert.count + 1,
        ),
        True,
    )


def happened(alert: PriceAlert, value: Decimal, now: datetime) -> PriceAlert:
    """The alert after its moment came or an order had news; ``value`` is what that was at, rupees,
    0 where it was at none."""
    state = AlertState.ACTIVE if alert.wish.again else AlertState.FIRED
    return msgspec.structs.replace(
        alert, state=state, fired_at=now, fired_value=value, fired_line=None, count=alert.count + 1
    )


def seeded(alert: PriceAlert, sight: Sight) -> PriceAlert:
    """The alert with the side of a sight; nothing is told of it."""
    when = alert.wish.when
    if not (when.crosses or when.of_channel) or not known(when, sight):
        return alert
    return msgspec.structs.replace(alert, side=_place(when, sight))


def known(when: AlertWhen, sight: Sight) -> bool:
    """Whether the sight decides anything."""
    if when is AlertWhen.HAPPENS:  # that is heard, not seen
        return False
    two = when.of_channel or when.of_move
    return isfinite(sight.value) and isfinite(sight.line) and (not two or isfinite(sight.upper))


def _place(when: AlertWhen, sight: Sight) -> int:
    value, line = sight.value, sight.line
    if not when.of_channel:
        return (value > line) - (value < line)
    low, high = min(line, sight.upper), max(line, sight.upper)
    return INSIDE if low <= value <= high else (value > high) - (value < low)


def _passed(when: AlertWhen, before: int, side: int) -> bool:
    """From a side that was seen: at the first sight nothing was passed."""
    if when is AlertWhen.CROSSES:
        return before not in {0, side}
    if when is AlertWhen.CROSSES_UP:
        return before < 0 <= side
    if when is AlertWhen.CROSSES_DOWN:
        return side <= 0 < before
    if when is AlertWhen.ENTERS:
        return before in {-1, 1} and side == INSIDE
    return before == INSIDE and side != INSIDE


def _true(wish: AlertWish, sight: Sight) -> bool:
    when, value, line = wish.when, sight.value, sight.line
    if when in (AlertWhen.ABOVE, AlertWhen.DAY_ABOVE):
        return value >= line
    if when in (AlertWhen.BELOW, AlertWhen.DAY_BELOW):
        return value <= line
    least = float(wish.level)
    up = when is not AlertWhen.FALLS and rise(value, line) >= least
    return up or (when is not AlertWhen.RISES and -rise(value, sight.upper) >= least)


def rise(value: float, base: float) -> float:
    """Per cent from ``base`` to ``value``, to nine decimals so that 102 is 2 % above 100; NaN for
    a base that is not above 0: nobody knows per cent of it."""
    return round((value - base) / base * 100, 9) if base > 0 else nan


def _lately(alert: PriceAlert, now: datetime, bar: datetime | None) -> bool:
    told = alert.fired_at if alert.wish.again else None
    if told is None:
        return False
    if bar is not None and not _within_bars(alert.wish):
        return bar <= told <= now
    return abs((now - told).total_seconds()) < AGAIN_AFTER


def _within_bars(wish: AlertWish) -> bool:
    """Whether it may tell several times in a bar."""
    return wish.pace is Pace.EVERY and wish.trigger is not AlertTrigger.CLOSE


def holds(wish: AlertWish, sight: Sight) -> bool:
    """Whether an alert made at this sight would tell at once."""
    if wish.when.crosses or wish.when.of_channel or not known(wish.when, sight):
        return False
    return _true(wish, sight)


def plain(wish: AlertWish, value: Decimal) -> Sight:
    """The sight of an alert with fixed levels at a price, or per cent of the day."""
    return Sight(float(value), float(wish.level), nan if wish.upper is None else float(wish.upper))


def calm(alert: PriceAlert) -> tuple[Decimal, Decimal]:
    """Values strictly between these two certainly change nothing for an alert with fixed levels.
    One comparison of the tick with what all alerts of an instrument have in common spares the
    walk."""
    wish, side = alert.wish, alert.side
    low = high = wish.level
    if wish.when.crosses or wish.when.of_channel:
        if wish.when.of_channel and wish.upper is not None:
            low, high = min(low, wish.upper), max(high, wish.upper)
        if side == INSIDE:
            return low, high
        return (LEAST, low) if side < 0 else (high, MOST) if side > 0 else (MOST, LEAST)
    above = wish.when in (AlertWhen.ABOVE, AlertWhen.DAY_ABOVE)
    return (LEAST, low) if above is alert.armed else (high, MOST)


def day_change(price: Decimal, close: Decimal) -> Decimal | None:
    """Change of the day in per cent of the previous close; None without a close."""
    return (price - close) / close * 100 if close > ZERO else None
