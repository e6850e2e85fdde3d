"""The combined rules of a run: what its result in rupees does to it. Pure.

Order within one result: lock profit, combined stop, combined target, daily loss (spec/automation.md
A4). The result is net of charges unless the strategy says otherwise.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal

import msgspec

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.exit_rules import limit
from openalgo_desktop.core.strategies.model import ZERO, Definition, LockMode
from openalgo_desktop.core.strategies.words import EventKind, OrderKind, StopReason

#: A session of the daily loss limit begins at this time, IST.
BOUNDARY = time(3, 0)


class Guard(msgspec.Struct, frozen=True):
    """What a run remembers of its results, rupees. ``base`` is the result at the last overall
    re-entry: combined stop, target and lock count from there. ``best`` is the best since then, and
    ``floor`` where a locked profit closes it. ``day_base`` is the result when the session began."""

    peak: Decimal = ZERO
    trough: Decimal = ZERO
    base: Decimal = ZERO
    best: Decimal = ZERO
    floor: Decimal | None = None
    bypass_stop: bool = False  # after stops were moved to the entries
    earlier: Decimal = ZERO  # results of earlier runs of this session
    session: datetime | None = None
    day_base: Decimal = ZERO


class Judgement(msgspec.Struct, frozen=True):
    """The guard after a result, why the run is to end, and what is to be told."""

    guard: Guard
    reason: StopReason | None = None
    told: tuple[EventKind, ...] = ()


def session_start(now: datetime) -> datetime:
    """When the session of the daily loss limit began."""
    local = now.astimezone(IST)
    boundary = datetime.combine(local.date(), BOUNDARY, IST)
    return boundary if local >= boundary else boundary - timedelta(days=1)


def judge(d: Definition, guard: Guard, result: Decimal) -> Judgement:
    """What ``result`` (of the whole run, realised and open) does."""
    since = result - guard.base
    guard = msgspec.structs.replace(
        guard,
        peak=max(guard.peak, result),
        trough=min(guard.trough, result),
        best=max(guard.best, since),
    )
    guard, told = _lock(d, guard)
    if guard.floor is not None and since <= guard.floor:
        reason, told = StopReason.LOCK_PROFIT, (*told, EventKind.LOCK_PROFIT_TRIGGERED)
        return Judgement(guard, reason, told)
    stop = None if guard.bypass_stop else d.overall_sl
    match limit(since, stop, d.overall_target):
        case "loss":
            return Judgement(guard, StopReason.OVERALL_SL, (*told, EventKind.OVERALL_SL_HIT))
        case "profit":
            told = (*told, EventKind.OVERALL_TARGET_HIT)
            return Judgement(guard, StopReason.OVERALL_TARGET, told)
    if limit(today(guard, result), d.daily_loss_limit, None):
        return Judgement(guard, StopReason.DAILY_LOSS_LIMIT, told)
    return Judgement(guard, None, told)


def quiet(d: Definition, guard: Guard) -> tuple[Decimal, Decimal]:
    """Results strictly between these do nothing to a run: no limit and no new extreme lies
    there."""
    low, high = [guard.trough], [guard.peak, guard.base + guard.best]
    if guard.floor is not None:
        low.append(guard.base + guard.floor)
    if d.overall_sl is not None and not guard.bypass_stop:
        low.append(guard.base - d.overall_sl)
    if d.overall_target is not None:
        high.append(guard.base + d.overall_target)
    if d.daily_loss_limit is not None:
        low.append(guard.day_base - guard.earlier - d.daily_loss_limit)
    return max(low), min(high)


def today(guard: Guard, result: Decimal) -> Decimal:
    """What all runs of the strategy gave since the session began, rupees."""
    return guard.earlier + result - guard.day_base


def new_session(guard: Guard, now: datetime, result: Decimal) -> Guard:
    """The guard of a run that goes on into another session: the daily loss counts anew."""
    start = session_start(now)
    if guard.session == start:
        return guard
    if guard.session is None:
        return msgspec.structs.replace(guard, session=start)
    return msgspec.structs.replace(guard, session=start, earlier=ZERO, day_base=result)


def again(guard: Guard, result: Decimal) -> Guard:
    """The guard after an overall re-entry: combined rules count from here."""
    return msgspec.structs.replace(guard, base=result, best=ZERO, floor=None, bypass_stop=False)


def without_stop(guard: Guard) -> Guard:
    """The guard once stops were moved to the entries: the combined stop is over, its target not."""
    return msgspec.structs.replace(guard, bypass_stop=True)


def _lock(d: Definition, guard: Guard) -> tuple[Guard, tuple[EventKind, ...]]:
    lock = d.lock_profit
    if lock is None or (guard.floor is None and guard.best < lock.if_profit_reaches):
        return guard, ()
    wanted = lock.lock_profit
    if lock.mode is LockMode.LOCK_AND_TRAIL:
        wanted = max(wanted, guard.best - lock.trail_step)
    if guard.floor is None:
        return msgspec.structs.replace(guard, floor=wanted), (EventKind.LOCK_PROFIT_ARMED,)
    if wanted <= guard.floor:
        return guard, ()
    told = (EventKind.LOCK_PROFIT_FLOOR_ADVANCED,)
    return msgspec.structs.replace(guard, floor=wanted), told


#: What the exits of a run are called when it ends for a reason.
KIND_OF: dict[StopReason, OrderKind] = {
    StopReason.MANUAL: OrderKind.CLOSE_ALL,
    StopReason.SCHEDULER: OrderKind.EOD,
    StopReason.OVERALL_SL: OrderKind.OVERALL_SL,
    StopReason.OVERALL_TARGET: OrderKind.OVERALL_TARGET,
    StopReason.LOCK_PROFIT: OrderKind.LOCK_PROFIT,
    StopReason.EOD: OrderKind.EOD,
    StopReason.EXPIRY: OrderKind.EXPIRY,
    StopReason.DAILY_LOSS_LIMIT: OrderKind.DAILY_LOSS_LIMIT,
    StopReason.TICK_STALE: OrderKind.CLOSE_ALL,
    StopReason.RECOVERY_FAILED: OrderKind.RECOVERY,
    StopReason.ERROR: OrderKind.CLOSE_ALL,
    StopReason.KILL_SWITCH: OrderKind.CLOSE_ALL,
    StopReason.LEGS_CLOSED: OrderKind.CLOSE_ALL,
}
#: How the watch names an exit that no leg of its own knows, and what it is.
NAME_OF: dict[OrderKind, str] = {
    OrderKind.OVERALL_SL: "combined stop",
    OrderKind.OVERALL_TARGET: "combined target",
    OrderKind.LOCK_PROFIT: "locked profit",
    OrderKind.EOD: "exit time",
    OrderKind.EXPIRY: "expiry",
    OrderKind.DAILY_LOSS_LIMIT: "daily loss limit",
    OrderKind.CLOSE_ALL: "end of the run",
    OrderKind.LEG_MANUAL: "close of the leg",
    OrderKind.RECOVERY: "recovery",
    OrderKind.SIGNAL: "signal",
}
_KIND_BY_NAME = {name: kind for kind, name in NAME_OF.items()}


def kind_of_exit(leg: str, *, trailed: bool) -> OrderKind:
    """What an exit is for, by the name of the leg that was reached."""
    if leg == "stop":
        return OrderKind.TRAIL if trailed else OrderKind.SL
    if leg.startswith("target"):
        return OrderKind.TARGET
    return _KIND_BY_NAME.get(leg, OrderKind.CLOSE_ALL)
