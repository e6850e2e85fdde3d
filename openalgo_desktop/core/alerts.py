"""Price alerts: what they wait for, and what a price does to one. Pure.

An alert tells and never sends; it knows no mode and no account. It is watched only while the
program runs. Levels are Decimals: rupees, or per cent for the change of the day (last price against
the previous close).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.model import Key

ZERO = Decimal(0)
#: An alert that tells again does so at most this often, seconds: a price that rests at its level
#: must not ring all day.
AGAIN_AFTER = 60.0
#: Longest note of an alert, letters.
NOTE_LENGTH = 120
#: Levels beyond these are slips of the hand: rupees, per cent.
MAX_PRICE, MAX_PERCENT = Decimal(100_000_000), Decimal(1000)


class AlertWhen(StrEnum):
    """What an alert waits for."""

    ABOVE = "above"  # LTP at or above the level
    BELOW = "below"  # LTP at or below the level
    CROSSES = "crosses"  # LTP goes through or touches the level, from either side
    DAY_ABOVE = "day-above"  # change of the day, per cent, at or above
    DAY_BELOW = "day-below"

    @property
    def of_day(self) -> bool:
        """Whether the level is per cent of the day."""
        return self in (AlertWhen.DAY_ABOVE, AlertWhen.DAY_BELOW)


class AlertState(StrEnum):
    """Where an alert stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    FIRED = "fired"  # an alert for once that has told
    EXPIRED = "expired"


class AlertNotFound(AppError):
    """There is no such alert."""

    http_status = 404


class AlertWish(msgspec.Struct, frozen=True):
    """What a human asks for. ``again`` tells each time that the condition becomes true anew, at
    most once in :data:`AGAIN_AFTER`; ``expires`` is the last day (IST) on which it is watched."""

    exchange: str
    symbol: str
    when: AlertWhen
    level: Decimal
    again: bool = False
    expires: date | None = None
    note: str = ""

    @property
    def key(self) -> Key:
        """The instrument."""
        return (self.exchange, self.symbol)


class PriceAlert(msgspec.Struct, frozen=True):
    """An alert as it is now.

    ``armed`` is False from a time that it told until its condition is false again. ``side`` is for
    :attr:`AlertWhen.CROSSES`: where the last price was seen, -1 below the level, 1 above, 0 at it
    or not known. ``fired_value`` is the price or per cent at ``fired_at``, ``count`` how often it
    told.
    """

    alert_id: str
    wish: AlertWish
    created_at: datetime
    state: AlertState = AlertState.ACTIVE
    armed: bool = True
    side: int = 0
    fired_at: datetime | None = None
    fired_value: Decimal | None = None
    count: int = 0

    @property
    def key(self) -> Key:
        """The instrument."""
        return self.wish.key

    @property
    def is_active(self) -> bool:
        """Whether prices are compared."""
        return self.state is AlertState.ACTIVE


def check(wish: AlertWish, today: date) -> None:
    """Raises :class:`InvalidOrder` with a sentence that names the field."""
    top = MAX_PERCENT if wish.when.of_day else MAX_PRICE
    if not wish.level.is_finite() or abs(wish.level) > top:
        raise InvalidOrder(f"Level: give a number up to {top:,}.", field="level")
    if not wish.when.of_day and wish.level <= ZERO:
        raise InvalidOrder("Level: give a price above 0.", field="level")
    if wish.expires is not None and wish.expires < today:
        raise InvalidOrder("Until: that day is over. Choose today or a later day.", field="expires")
    if len(wish.note) > NOTE_LENGTH:
        raise InvalidOrder(f"Note: at most {NOTE_LENGTH} letters.", field="note")


def day_change(price: Decimal, close: Decimal) -> Decimal | None:
    """Change of the day in per cent of the previous close; None without a close."""
    return (price - close) / close * 100 if close > ZERO else None


def look(alert: PriceAlert, value: Decimal, now: datetime) -> tuple[PriceAlert, bool]:
    """What a fresh ``value`` (price, or per cent of the day) does: the alert afterwards, the same
    object where nothing changed, and whether it tells now."""
    if not alert.is_active:
        return alert, False
    wish, replace = alert.wish, msgspec.structs.replace
    side = (value > wish.level) - (value < wish.level)
    if wish.when is AlertWhen.CROSSES:
        met = alert.side not in {0, side}
        after = alert if side == alert.side else replace(alert, side=side)
    else:
        true = holds(wish, value)
        met = true and alert.armed
        after = alert if alert.armed is not true else replace(alert, armed=not true)
    if not met or _lately(alert, now):
        return after, False
    return (
        replace(
            after,
            state=AlertState.ACTIVE if wish.again else AlertState.FIRED,
            fired_at=now,
            fired_value=value,
            count=alert.count + 1,
        ),
        True,
    )


def _lately(alert: PriceAlert, now: datetime) -> bool:
    told = alert.fired_at if alert.wish.again else None
    return told is not None and abs((now - told).total_seconds()) < AGAIN_AFTER


def holds(wish: AlertWish, value: Decimal) -> bool:
    """Whether an alert made at ``value`` would tell at once."""
    if wish.when is AlertWhen.CROSSES:
        return False
    above = wish.when in (AlertWhen.ABOVE, AlertWhen.DAY_ABOVE)
    return value >= wish.level if above else value <= wish.level


def quiet(alert: PriceAlert, value: Decimal) -> bool:
    """Whether ``value`` certainly changes nothing: one comparison, for the walk of a tick."""
    level = alert.wish.level
    if alert.wish.when is AlertWhen.CROSSES:
        return (alert.side < 0 and value < level) or (alert.side > 0 and value > level)
    if alert.wish.when in (AlertWhen.ABOVE, AlertWhen.DAY_ABOVE):
        return (value < level) is alert.armed
    return (value > level) is alert.armed


def changed(alert: PriceAlert, wish: AlertWish) -> PriceAlert:
    """The alert with another wish: it waits anew; a paused one stays paused."""
    after = resumed(alert)
    if alert.state is AlertState.PAUSED:
        after = paused(after)
    return msgspec.structs.replace(after, wish=wish, fired_at=None, fired_value=None, count=0)


def paused(alert: PriceAlert) -> PriceAlert:
    """The alert at rest."""
    return msgspec.structs.replace(alert, state=AlertState.PAUSED)


def resumed(alert: PriceAlert) -> PriceAlert:
    """The alert watched again, from the next price on."""
    return msgspec.structs.replace(alert, state=AlertState.ACTIVE, armed=True, side=0)


def ended(alert: PriceAlert) -> PriceAlert:
    """The alert after its last day."""
    return msgspec.structs.replace(alert, state=AlertState.EXPIRED)


def expired(alert: PriceAlert, today: date) -> bool:
    """Whether its last day is over."""
    last = alert.wish.expires
    return last is not None and last < today
