"""What is said of price alerts: conditions, states, and what one that fires tells."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from openalgo_desktop.core.alert_subjects import OfResult
from openalgo_desktop.core.alerts import (
    PRICE,
    AlertState,
    AlertWhen,
    AlertWish,
    PriceAlert,
    Room,
    ToldAlert,
)
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt

#: Conditions as the form names them.
WHEN = {
    AlertWhen.ABOVE: "at or above",
    AlertWhen.BELOW: "at or below",
    AlertWhen.CROSSES: "crosses",
    AlertWhen.CROSSES_UP: "crosses up",
    AlertWhen.CROSSES_DOWN: "crosses down",
    AlertWhen.ENTERS: "enters a channel",
    AlertWhen.LEAVES: "leaves a channel",
    AlertWhen.RISES: "rises by per cent",
    AlertWhen.FALLS: "falls by per cent",
    AlertWhen.MOVES: "moves by per cent",
    AlertWhen.DAY_ABOVE: "Chg % at or above",
    AlertWhen.DAY_BELOW: "Chg % at or below",
}
STATE = {
    AlertState.ACTIVE: "Watching",
    AlertState.PAUSED: "Paused",
    AlertState.FIRED: "Fired",
    AlertState.EXPIRED: "Expired",
}
STATE_TONE = {
    AlertState.ACTIVE: "up",
    AlertState.PAUSED: "warning",
    AlertState.FIRED: "accent",
    AlertState.EXPIRED: "muted",
}


def level(bridge: Bridge, wish: AlertWish, value: Decimal) -> str:
    """A level of its condition: a price with the decimals of its instrument, per cent, or the
    value of a study."""
    return fmt.percent(float(value)) if wish.when.of_move else seen(bridge, wish, value)


def seen(bridge: Bridge, wish: AlertWish, value: Decimal) -> str:
    """What it looks at: a price, the change of the day, or the value of something else."""
    if wish.when.of_day:
        return fmt.percent(float(value))
    if wish.subject != PRICE or not wish.symbol:
        rupees = isinstance(wish.subject, OfResult)
        return fmt.price(float(value), 2 if rupees or abs(value) >= 1 else 4)
    return fmt.exact(float(value), bridge.places(wish.key))


def current(tick: Tick | None, when: AlertWhen) -> float | None:
    """What an alert looks at, as it is now: the last price, or the change of the day in per cent;
    None while it is not known."""
    if tick is None or not tick.ltp > 0:
        return None
    if not when.of_day:
        return tick.ltp
    return tick.change_percent if tick.knows(Part.DAY) and tick.close > 0 else None


def condition(bridge: Bridge, wish: AlertWish) -> str:
    """``LTP at or above 800.00``."""
    return bridge.alerts.describe(wish, partial(level, bridge, wish))


def words(bridge: Bridge, alert: PriceAlert, told: ToldAlert) -> str:
    """Its message as it was filled in, or its news; else ``SBIN at 803.00 (LTP at or above
    800.00)`` and the note."""
    if alert.wish.message or alert.wish.room not in (Room.LEVELS, Room.BARS):
        return told.text
    wish, value = alert.wish, alert.fired_value
    at = fmt.MISSING if value is None else seen(bridge, wish, value)
    what = f"Chg {at}" if wish.when.of_day else f"at {at}"
    note = f". {wish.note}" if wish.note else ""
    return f"{bridge.name(wish.key)} {what} ({condition(bridge, wish)}){note}"
