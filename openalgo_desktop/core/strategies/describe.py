"""Made strategies in words: what a human reads before one trades. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from openalgo_desktop.core.money import group_indian
from openalgo_desktop.core.strategies.model import (
    BatchLeg,
    Definition,
    Distance,
    DistanceUnit,
    Expiry,
    Leg,
    LegRules,
    LockMode,
    QuantityMode,
    Reentry,
    ReentryMode,
    Segment,
    SignalLeg,
    SquareOff,
    StrikeMode,
    Trail,
    TrailMode,
)

#: What choices are called where a human chooses.
EXPIRIES: Mapping[str, str] = {
    Expiry.WEEKLY: "Weekly",
    Expiry.NEXT_WEEK: "Next week",
    Expiry.MONTHLY: "Monthly",
    Expiry.NEXT_MONTH: "Next month",
    Expiry.CURRENT: "Current",
    Expiry.NEXT: "Next",
}
STRIKES: Mapping[str, str] = {
    StrikeMode.ATM: "ATM, ITM, OTM",
    StrikeMode.STRIKE: "Fixed strike",
    StrikeMode.PREMIUM: "Premium closest to",
    StrikeMode.PREMIUM_RANGE: "Premium between",
    StrikeMode.PREMIUM_ABOVE: "Premium at least",
    StrikeMode.PREMIUM_BELOW: "Premium at most",
    StrikeMode.STRADDLE_WIDTH: "ATM ± straddle times",
    StrikeMode.ATM_PERCENT: "ATM ± per cent",
    StrikeMode.STRADDLE_PERCENT: "Per cent of the straddle",
    StrikeMode.DELTA: "Delta closest to",
    StrikeMode.DELTA_RANGE: "Delta between",
}
UNITS: Mapping[str, str] = {
    DistanceUnit.POINTS: "points",
    DistanceUnit.PERCENT: "%",
    DistanceUnit.UNDERLYING_POINTS: "points of the underlying",
    DistanceUnit.UNDERLYING_PERCENT: "% of the underlying",
}
SEGMENTS: Mapping[str, str] = {
    Segment.OPTIONS: "Options",
    Segment.FUTURES: "Futures",
    Segment.CASH: "Cash",
}
TRAILS: Mapping[str, str] = {TrailMode.STEPPED: "In steps", TrailMode.CONTINUOUS: "Continuous"}
REENTRIES: Mapping[str, str] = {
    ReentryMode.NONE: "None",
    ReentryMode.ASAP: "At once",
    ReentryMode.ASAP_REVERSED: "At once, reversed",
    ReentryMode.COST: "At the entry price",
}
SQUARE_OFFS: Mapping[str, str] = {
    SquareOff.PARTIAL: "This leg",
    SquareOff.COMPLETE: "All legs",
}
LOCKS: Mapping[str, str] = {LockMode.LOCK: "Lock", LockMode.LOCK_AND_TRAIL: "Lock and trail"}
SIDES: Mapping[str, str] = {"both": "Long and short", "long": "Long only", "short": "Short only"}
DIRECTIONS: Mapping[str, str] = {
    "both": "Long and short",
    "long_only": "Long only",
    "short_only": "Short only",
}
ATM_OFFSETS = (
    "ATM",
    *(f"ITM{step}" for step in range(1, 6)),
    *(f"OTM{step}" for step in range(1, 6)),
)


def number(value: Decimal) -> str:
    """Without needless zeros and exponents."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def distance_words(distance: Distance) -> str:
    """``30 %``, ``12.5 points``."""
    return f"{number(distance.value)} {UNITS[distance.unit]}"


def trail_words(trail: Trail) -> str:
    """How a trailing stop follows."""
    unit = UNITS[trail.unit]
    if trail.mode is TrailMode.CONTINUOUS:
        return f"trail {number(trail.y)} {unit} from {number(trail.x)} won"
    return f"trail {number(trail.y)} for every {number(trail.x)} {unit}"


def strike_words(leg: BatchLeg) -> str:
    """Which strike an option leg takes."""
    value, upper = number(leg.value), number(leg.upper)
    texts: Mapping[StrikeMode, str] = {
        StrikeMode.ATM: leg.atm_offset,
        StrikeMode.STRIKE: number(leg.strike),
        StrikeMode.PREMIUM: f"premium near ₹{value}",
        StrikeMode.PREMIUM_RANGE: f"premium ₹{value} to ₹{upper}",
        StrikeMode.PREMIUM_ABOVE: f"premium from ₹{value}",
        StrikeMode.PREMIUM_BELOW: f"premium up to ₹{value}",
        StrikeMode.STRADDLE_WIDTH: f"ATM {_signed(leg.value)} × straddle",
        StrikeMode.ATM_PERCENT: f"ATM {_signed(leg.value)} %",
        StrikeMode.STRADDLE_PERCENT: f"{value} % of the straddle",
        StrikeMode.DELTA: f"delta near {value}",
        StrikeMode.DELTA_RANGE: f"delta {value} to {upper}",
    }
    return texts[leg.strike_mode]


def _signed(value: Decimal) -> str:
    return f"{'-' if value < 0 else '+'} {number(abs(value))}"


def quantity_words(leg: BatchLeg) -> str:
    """``2 lots``, ``50 units``."""
    one = leg.quantity == 1
    if leg.quantity_mode is QuantityMode.LOTS and leg.segment is not Segment.CASH:
        return f"{leg.quantity} {'lot' if one else 'lots'}"
    return f"{leg.quantity} {'unit' if one else 'units'}"


def leg_words(leg: Leg, underlying: str = "") -> str:
    """What a leg trades, in one line."""
    if isinstance(leg, SignalLeg):
        what = f"{leg.symbol} {leg.exchange}, {leg.quantity} units, {SIDES[leg.side].lower()}"
        if leg.segment is Segment.FUTURES:
            what += f", future {EXPIRIES[leg.expiry].lower()}"
        return what
    side = "Buy" if leg.position == "B" else "Sell"
    words = [side, quantity_words(leg), underlying]
    if leg.segment is Segment.OPTIONS:
        words += [EXPIRIES[leg.expiry].lower(), strike_words(leg), leg.option_type]
    elif leg.segment is Segment.FUTURES:
        words += [EXPIRIES[leg.expiry].lower(), "future"]
    return " ".join(word for word in words if word)


def rules_words(rules: LegRules) -> str:
    """Stop, target and trail of a leg; empty where there are none."""
    parts = []
    if rules.sl is not None:
        parts.append(f"SL {distance_words(rules.sl)}")
    if rules.target is not None:
        parts.append(f"target {distance_words(rules.target)}")
    if rules.trail is not None:
        parts.append(trail_words(rules.trail))
    for after, what in ((rules.after_sl, "SL"), (rules.after_target, "target")):
        if words := _again(after, what):
            parts.append(words)
    return ", ".join(parts)


def _again(reentry: Reentry, what: str) -> str:
    if reentry.mode is ReentryMode.NONE or not reentry.times:
        return ""
    return f"after {what} again {REENTRIES[reentry.mode].lower()}, at most {reentry.times} times"


def _money(value: Decimal) -> str:
    whole = value == value.to_integral_value()
    return group_indian(float(value), 0 if whole else 2)


def run_rules_words(definition: Definition) -> str:
    """The rules of the whole run; empty where there are none."""
    parts = []
    if definition.overall_sl is not None:
        parts.append(f"overall SL ₹{_money(definition.overall_sl)}")
    if definition.overall_target is not None:
        parts.append(f"overall target ₹{_money(definition.overall_target)}")
    lock = definition.lock_profit
    if lock is not None:
        text = f"lock ₹{_money(lock.lock_profit)} from ₹{_money(lock.if_profit_reaches)}"
        if lock.mode is LockMode.LOCK_AND_TRAIL:
            text += f", trail ₹{_money(lock.trail_step)}"
        parts.append(text)
    if definition.trail_sl_to_entry:
        parts.append("stops of the others to their entries after a stop")
    if definition.daily_loss_limit is not None:
        parts.append(f"daily loss limit ₹{_money(definition.daily_loss_limit)}")
    if parts:
        parts.append("net of charges" if definition.net_of_charges else "gross")
    return ", ".join(parts)


def lines(definition: Definition) -> list[str]:
    """All of a strategy, a line for each leg and one for the rules of the run."""
    rows = []
    for leg in definition.legs:
        rules = rules_words(leg.rules)
        text = leg_words(leg, definition.underlying)
        rows.append(f"{leg.leg_id}.  {text}{'  ·  ' + rules if rules else ''}")
    if rules := run_rules_words(definition):
        rows.append(f"{rules[0].upper()}{rules[1:]}")
    return rows
