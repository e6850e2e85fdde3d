"""What a made strategy must be before it is stored: each problem by its field, with the fix. Pure.

Fields are named as in the file (``legs[0].rules.sl``).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import time
from decimal import Decimal

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.model import SQUARE_OFF_STRATEGY
from openalgo_desktop.core.strategies.model import (
    FORMAT,
    MAX_LEGS,
    MAX_REENTRIES,
    NAME_LENGTH,
    BatchLeg,
    Definition,
    DistanceUnit,
    Expiry,
    LegRules,
    LockMode,
    LockProfit,
    QuantityMode,
    Reentry,
    ReentryMode,
    Scheduler,
    Segment,
    SignalLeg,
    StrikeMode,
    Trail,
    TrailMode,
)
from openalgo_desktop.core.strategies.words import StrategyKind

MAX_LOTS = 50
MAX_UNITS = 1_000_000
MAX_RANGES = 20
DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
SIDES = ("long", "short", "both")
DIRECTIONS = ("both", "long_only", "short_only")
_HUNDRED = Decimal(100)
_OFFSET = re.compile(r"ATM|(?:ITM|OTM)[1-5]")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
#: Expiries of options and of futures.
OPTION_EXPIRIES = (Expiry.WEEKLY, Expiry.NEXT_WEEK, Expiry.MONTHLY, Expiry.NEXT_MONTH)
FUTURE_EXPIRIES = (Expiry.CURRENT, Expiry.NEXT, Expiry.MONTHLY, Expiry.NEXT_MONTH)

#: Exchanges with the same hours, by the one that stands for them.
_MARKET = {"BSE": "NSE", "NFO": "NSE", "BFO": "NSE", "BCD": "CDS"}

Problem = tuple[str, str]


class DefinitionError(ConfigError):
    """A strategy that cannot be; ``fields`` says of each field what is wrong and what helps."""

    http_status = 400

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {text}" for name, text in fields.items()))
        self.fields = dict(fields)


def check(definition: Definition) -> None:
    """Raise :class:`DefinitionError` with every problem there is."""
    if found := problems(definition):
        raise DefinitionError(found)


def problems(definition: Definition) -> dict[str, str]:
    """What is wrong, by field; the first problem of each."""
    found: dict[str, str] = {}
    for name, text in _all(definition):
        found.setdefault(name, text)
    return found


def clock_time(text: str) -> time | None:
    """The time of ``HH:MM``; None where it is none."""
    match = _CLOCK.fullmatch(text)
    return time(int(match[1]), int(match[2])) if match else None


def _all(d: Definition) -> Iterator[Problem]:
    if d.format != FORMAT:
        yield "format", f"This version of the program reads {FORMAT}, not {d.format}."
    if not d.name.strip():
        yield "name", "Give the strategy a name."
    if d.name.strip().casefold() == SQUARE_OFF_STRATEGY.casefold():
        yield (
            "name",
            f"{SQUARE_OFF_STRATEGY} is the name of what closes for nobody; choose another.",
        )
    if d.name != d.name.strip():
        yield "name", "The name begins or ends with a space; take it away."
    if len(d.name) > NAME_LENGTH:
        yield "name", f"At most {NAME_LENGTH} characters; these are {len(d.name)}."
    if d.direction not in DIRECTIONS:
        yield "direction", f"Use one of {', '.join(DIRECTIONS)}."
    yield from _legs(d)
    yield from _times(d)
    yield from _limits(d)
    if d.lock_profit is not None:
        yield from _lock(d.lock_profit)
    yield from _scheduler(d.scheduler)
    yield from _ranges(d.webhook_ip_allowlist)


# -- legs ------------------------------------------------------------------------------------------
def _legs(d: Definition) -> Iterator[Problem]:
    if not d.legs:
        yield "legs", "A strategy needs at least one leg."
    if len(d.legs) > MAX_LEGS:
        yield "legs", f"At most {MAX_LEGS} legs; these are {len(d.legs)}."
    ids = [leg.leg_id for leg in d.legs]
    if len(set(ids)) < len(ids):
        yield "legs", "Two legs have the same leg_id; give each its own."
    for number, leg in enumerate(d.legs):
        at = f"legs[{number}]"
        if leg.leg_id < 1:
            yield f"{at}.leg_id", "Leg ids count from 1."
        match leg:
            case BatchLeg():
                if d.kind is not StrategyKind.BATCH:
                    yield at, "A signal strategy takes legs of type signal."
                yield from _batch_leg(at, leg, d)
            case SignalLeg():
                if d.kind is not StrategyKind.SIGNAL:
                    yield at, "A batch strategy takes legs of type batch."
                yield from _signal_leg(at, leg, d)
        yield from _rules(f"{at}.rules", leg.rules, d.kind)
    yield from _one_market(d)
    if d.kind is StrategyKind.BATCH:
        if not d.underlying:
            yield "underlying", "Name the underlying (of a cash leg: its symbol), such as NIFTY."
        if not d.underlying_exchange:
            yield "underlying_exchange", "Name the exchange of the underlying, such as NSE_INDEX."


def _one_market(d: Definition) -> Iterator[Problem]:
    """Exit time, square-off and stop are of one session: legs of markets with other hours would
    be left behind when it ends."""
    first = ""
    for number, leg in enumerate(d.legs):
        if not isinstance(leg, SignalLeg) or not leg.exchange:
            continue
        first = first or leg.exchange
        if _MARKET.get(leg.exchange, leg.exchange) != _MARKET.get(first, first):
            yield (
                f"legs[{number}].exchange",
                f"{leg.exchange} has other hours than {first}: make a strategy for each.",
            )


def _batch_leg(at: str, leg: BatchLeg, d: Definition) -> Iterator[Problem]:
    if leg.position not in ("B", "S"):
        yield f"{at}.position", "Use B (buy) or S (sell)."
    wanted = "B" if d.direction == "long_only" else "S" if d.direction == "short_only" else ""
    if wanted and leg.position in ("B", "S") and leg.position != wanted:
        yield f"{at}.position", f"direction is {d.direction}, so this leg must be {wanted}."
    if leg.quantity_mode is QuantityMode.LOTS and not 1 <= leg.quantity <= MAX_LOTS:
        yield f"{at}.quantity", f"1 to {MAX_LOTS} lots; {leg.quantity} was given."
    if leg.quantity_mode is QuantityMode.UNITS and not 1 <= leg.quantity <= MAX_UNITS:
        yield f"{at}.quantity", f"1 to {MAX_UNITS:,} units; {leg.quantity} was given."
    if leg.momentum is not None and not (leg.momentum.value.is_finite() and leg.momentum.value):
        yield f"{at}.momentum.value", "Give the way up (positive) or down (negative), not 0."
    if leg.momentum is not None and leg.momentum.unit not in _OWN_UNITS:
        yield f"{at}.momentum.unit", "Momentum counts points or percent of the leg's own price."
    if leg.segment is Segment.CASH:
        if d.product is not Product.MIS and leg.position == "S":
            yield f"{at}.position", "Shares can be sold short within a day only: use product MIS."
        return
    allowed = OPTION_EXPIRIES if leg.segment is Segment.OPTIONS else FUTURE_EXPIRIES
    if leg.expiry not in (*allowed, Expiry.CURRENT, Expiry.NEXT):
        names = ", ".join(row.value for row in (*allowed, Expiry.CURRENT, Expiry.NEXT))
        yield f"{at}.expiry", f"A leg of {leg.segment.value} takes {names}."
    if leg.segment is Segment.OPTIONS:
        if leg.option_type not in ("CE", "PE"):
            yield f"{at}.option_type", "Use CE or PE."
        yield from _strike(at, leg)


_OWN_UNITS = (DistanceUnit.POINTS, DistanceUnit.PERCENT)
#: Strike choices that need ``value`` above 0, and those that need ``upper`` beyond it.
_VALUED = (
    StrikeMode.PREMIUM,
    StrikeMode.PREMIUM_RANGE,
    StrikeMode.PREMIUM_ABOVE,
    StrikeMode.PREMIUM_BELOW,
    StrikeMode.STRADDLE_PERCENT,
    StrikeMode.DELTA,
    StrikeMode.DELTA_RANGE,
)
_RANGED = (StrikeMode.PREMIUM_RANGE, StrikeMode.DELTA_RANGE)
_DELTAS = (StrikeMode.DELTA, StrikeMode.DELTA_RANGE)


def _strike(at: str, leg: BatchLeg) -> Iterator[Problem]:
    mode, value, upper = leg.strike_mode, leg.value, leg.upper
    if mode is StrikeMode.ATM and not _OFFSET.fullmatch(leg.atm_offset):
        yield f"{at}.atm_offset", "Use ATM, ITM1 to ITM5 or OTM1 to OTM5."
    if mode is StrikeMode.STRIKE and not (leg.strike.is_finite() and leg.strike > 0):
        yield f"{at}.strike", "Give the strike, such as 24500."
    if not value.is_finite() or (mode in _VALUED and value <= 0):
        yield f"{at}.value", f"The choice {mode.value} needs a value above 0."
    elif mode in _DELTAS and value >= 1:
        yield f"{at}.value", "A delta is above 0 and below 1, without sign: 0.3, not 30."
    if mode in _RANGED:
        if not upper.is_finite() or upper < value:
            yield f"{at}.upper", f"The upper end must be at least {value}."
        elif mode in _DELTAS and upper >= 1:
            yield f"{at}.upper", "A delta is above 0 and below 1, without sign."


def _signal_leg(at: str, leg: SignalLeg, d: Definition) -> Iterator[Problem]:
    if not leg.symbol:
        yield f"{at}.symbol", "Name the symbol (of a future: its underlying)."
    if not leg.exchange:
        yield f"{at}.exchange", "Name the exchange, such as NSE or NFO."
    if leg.side not in SIDES:
        yield f"{at}.side", f"Use one of {', '.join(SIDES)}."
    elif (d.direction, leg.side) in (("long_only", "short"), ("short_only", "long")):
        yield f"{at}.side", f"direction is {d.direction}: this leg would take no signal."
    if not 1 <= leg.quantity <= MAX_UNITS:
        yield f"{at}.quantity", f"1 to {MAX_UNITS:,} units; {leg.quantity} was given."
    if leg.segment is Segment.OPTIONS:
        yield f"{at}.segment", "A signal leg is of cash or futures; name an option by its symbol."
    if leg.segment is Segment.FUTURES and leg.expiry not in FUTURE_EXPIRIES:
        names = ", ".join(row.value for row in FUTURE_EXPIRIES)
        yield f"{at}.expiry", f"A leg of futures takes {names}."


def _rules(at: str, rules: LegRules, kind: StrategyKind) -> Iterator[Problem]:
    for name, distance in (("sl", rules.sl), ("target", rules.target)):
        if distance is None:
            continue
        yield from _magnitude(f"{at}.{name}", distance.value)
        if distance.unit not in _OWN_UNITS and kind is StrategyKind.SIGNAL:
            yield f"{at}.{name}.unit", "A signal leg has no underlying: use points or percent."
    if rules.trail is not None:
        yield from _trail(f"{at}.trail", rules.trail, rules)
    for name, again, after in (
        ("after_sl", rules.after_sl, rules.sl or rules.trail),
        ("after_target", rules.after_target, rules.target),
    ):
        yield from _reentry(f"{at}.{name}", again, after is not None)


def _trail(at: str, trail: Trail, rules: LegRules) -> Iterator[Problem]:
    yield from _magnitude(f"{at}.x", trail.x)
    yield from _magnitude(f"{at}.y", trail.y)
    if trail.unit not in _OWN_UNITS:
        yield f"{at}.unit", "A trail counts points or percent of the leg's own price."
    if trail.mode is TrailMode.STEPPED:
        if rules.sl is None:
            yield at, "A stepped trail moves the leg's stop: give an sl, or trail continuously."
        elif rules.sl.unit not in _OWN_UNITS:
            yield at, "A stop by the underlying does not move: trail continuously."


def _reentry(at: str, again: Reentry, has_exit: bool) -> Iterator[Problem]:
    if again.mode is ReentryMode.NONE:
        if again.times:
            yield f"{at}.mode", "Say how to re-enter: asap, asap_reversed or cost."
        return
    if not 1 <= again.times <= MAX_REENTRIES:
        yield f"{at}.times", f"1 to {MAX_REENTRIES} times; {again.times} was given."
    if not has_exit:
        yield at, "The leg has no such exit after which it could enter again."


# -- the rest --------------------------------------------------------------------------------------
def _magnitude(at: str, value: Decimal) -> Iterator[Problem]:
    """A distance or a limit, without sign."""
    if value.is_finite() and value < 0:
        yield (
            at,
            f"Give it without sign: {abs(value)}, not {value}. On which side it lies is known, and "
            "a negative one would be reached at once.",
        )
    elif not (value.is_finite() and value > 0):
        yield at, "It must be a number above 0; leave the field out where it is not wanted."


def _times(d: Definition) -> Iterator[Problem]:
    entry, leave = clock_time(d.entry_time), clock_time(d.exit_time)
    for name, moment in (("entry_time", entry), ("exit_time", leave)):
        if moment is None:
            yield name, "Use HH:MM (IST), such as 09:20."
    if entry is not None and leave is not None and entry >= leave:
        yield "entry_time", f"The entry ({d.entry_time}) must be before the exit ({d.exit_time})."
    if d.no_reentry_after and clock_time(d.no_reentry_after) is None:
        yield "no_reentry_after", "Use HH:MM (IST), or leave it out."
    if not d.intraday and d.product is Product.MIS:
        yield "product", "MIS is squared off by the broker the same day: use NRML or CNC."
    rows = d.range_breakout
    if rows is None:
        return
    if d.kind is StrategyKind.SIGNAL:
        yield "range_breakout", "A signal strategy enters by its signals."
    start, end = clock_time(rows.start), clock_time(rows.end)
    if start is None or end is None:
        yield "range_breakout", "Its start and end are HH:MM (IST)."
    elif start >= end:
        yield "range_breakout.start", "The range must begin before it ends."
    elif leave is not None and end >= leave:
        yield "range_breakout.end", f"The range must end before the exit ({d.exit_time})."


def _limits(d: Definition) -> Iterator[Problem]:
    for name, value in (
        ("overall_sl", d.overall_sl),
        ("overall_target", d.overall_target),
        ("daily_loss_limit", d.daily_loss_limit),
    ):
        if value is not None:
            yield from _magnitude(name, value)
    if not 0 <= d.overall_reentries <= MAX_REENTRIES:
        yield "overall_reentries", f"0 to {MAX_REENTRIES}; {d.overall_reentries} was given."
    if d.overall_reentries and d.kind is StrategyKind.SIGNAL:
        yield "overall_reentries", "A signal strategy enters by its signals."
    moving = any(isinstance(leg, BatchLeg) and leg.momentum is not None for leg in d.legs)
    if d.overall_reentries and moving:
        yield "overall_reentries", "A leg waits for momentum, and a new start would not: use 0."
    if d.range_breakout is not None and moving:
        yield "range_breakout", "A leg waits for momentum: use one of the two."
    if d.overall_reentries and d.overall_sl is None and d.overall_target is None:
        yield "overall_reentries", "There is no overall_sl or overall_target to re-enter after."


def _lock(lock: LockProfit) -> Iterator[Problem]:
    yield from _magnitude("lock_profit.if_profit_reaches", lock.if_profit_reaches)
    if not lock.lock_profit.is_finite() or lock.lock_profit > lock.if_profit_reaches:
        yield (
            "lock_profit.lock_profit",
            f"What is locked cannot be more than the profit that must be reached "
            f"({lock.if_profit_reaches}).",
        )
    if lock.mode is LockMode.LOCK_AND_TRAIL:
        yield from _magnitude("lock_profit.trail_step", lock.trail_step)


def _scheduler(row: Scheduler) -> Iterator[Problem]:
    if unknown := [day for day in row.days if day not in DAYS]:
        yield "scheduler.days", f"{', '.join(unknown)}: use {', '.join(DAYS)}."
    if row.enabled and not row.days:
        yield "scheduler.days", "Choose at least one day, or switch the scheduler off."
    start, stop = clock_time(row.start_time), clock_time(row.auto_stop_time)
    for name, moment in (("start_time", start), ("auto_stop_time", stop)):
        if moment is None:
            yield f"scheduler.{name}", "Use HH:MM (IST), such as 09:20."
    if start is not None and stop is not None and start >= stop:
        yield "scheduler.start_time", "The start must be before the stop."
    if row.default_mode not in ("sandbox", "live"):
        yield "scheduler.default_mode", "Use sandbox or live."
    if any(not 0 <= days <= 60 for days in row.expiry_days):
        yield "scheduler.expiry_days", "Days to the expiry: 0 (the expiry day) to 60."


def _ranges(rows: Iterable[str]) -> Iterator[Problem]:
    rows = tuple(rows)
    if len(rows) > MAX_RANGES:
        yield "webhook_ip_allowlist", f"At most {MAX_RANGES} ranges; these are {len(rows)}."
    for number, row in enumerate(rows):
        try:
            ipaddress.ip_network(row, strict=False)
        except ValueError:
            at = f"webhook_ip_allowlist[{number}]"
            yield at, f"{row!r} is no IP range; write 203.0.113.7 or 203.0.113.0/24."
