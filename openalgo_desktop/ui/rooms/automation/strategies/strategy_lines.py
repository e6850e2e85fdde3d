"""The lines of a strategy's form beside its legs, and a definition out of them. 0 is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.strategies import describe
from openalgo_desktop.core.strategies.model import (
    MAX_REENTRIES,
    Definition,
    Leg,
    LockMode,
    LockProfit,
    RangeBreakout,
    Scheduler,
    SquareOff,
)
from openalgo_desktop.core.strategies.words import StrategyKind
from openalgo_desktop.ui.kit.forms import Line, Values
from openalgo_desktop.ui.rooms.automation.strategies.leg_lines import decimal

KINDS: Mapping[str, str] = {
    StrategyKind.BATCH: "Batch: all legs together",
    StrategyKind.SIGNAL: "Signal: an alert moves one leg",
}
HOLDS = {"intraday": "Intraday", "positional": "Positional"}
BREAKOUTS = {"": "None", "high": "Above the high", "low": "Below the low"}
MODES = {"sandbox": "Sandbox", "live": "Live"}
#: What locked profit there may be.
_LOCKS = {"": "None", **describe.LOCKS}


def _given(name: str) -> Any:
    return lambda values: bool(values[name])


def _batch(values: Mapping[str, Any]) -> bool:
    return bool(values["kind"] == StrategyKind.BATCH)


BASICS: tuple[Line, ...] = (
    Line("name", "Name"),
    Line("kind", "Kind", "choice", KINDS),
    Line("underlying", "Underlying", hint="NIFTY", when=_batch,
         tip="Of the option and future legs; the share itself for a cash leg"),
    Line("underlying_exchange", "Its exchange", hint="NSE_INDEX", when=_batch),
    Line("hold", "Holds", "choice", HOLDS),
    Line("product", "Product", "choice", {one.value: one.value for one in Product}),
    Line("entry_time", "First entry (IST)", "time"),
    Line("exit_time", "Square-off (IST)", "time"),
    Line("direction", "Direction", "choice", describe.DIRECTIONS, lambda v: not _batch(v)),
    Line("breakout", "Enter on a range break", "choice", BREAKOUTS, _batch, first=True),
    Line("range_start", "Range from", "time", when=lambda v: _batch(v) and bool(v["breakout"])),
    Line("range_end", "Range to", "time", when=lambda v: _batch(v) and bool(v["breakout"])),
    Line("notes", "Notes", first=True),
)  # fmt: skip

RISK: tuple[Line, ...] = (
    Line("overall_sl", "Overall stop-loss, ₹ (0: none)", "number"),
    Line("overall_target", "Overall target, ₹ (0: none)", "number"),
    Line("lock_mode", "Locked profit", "choice", _LOCKS, first=True),
    Line("lock_at", "When the profit reaches, ₹", "number", when=_given("lock_mode")),
    Line("lock_profit", "Lock, ₹", "number", when=_given("lock_mode")),
    Line("lock_step", "Trail by, ₹", "number",
         when=lambda v: v["lock_mode"] == LockMode.LOCK_AND_TRAIL),
    Line("square_off", "A leg's stop or target closes", "choice", describe.SQUARE_OFFS,
         first=True),
    Line("trail_sl_to_entry", "After a stop", "flag", hint="Stops of the other legs to entry"),
    Line("daily_loss_limit", "Daily loss limit, ₹ (0: none)", "number",
         tip="Of all runs since 03:00 IST"),
    Line("net", "Results", "flag", hint="Net of charges"),
    Line("overall_reentries", "Start anew after the overall stop", "count", most=MAX_REENTRIES,
         tip="So many times a day; 0: never"),
    Line("no_reentry_after", "No re-entry after (IST)", "time"),
)  # fmt: skip

SCHEDULE: tuple[Line, ...] = (
    Line("scheduled", "By itself", "flag", hint="Start and stop by the clock"),
    Line("default_mode", "Starts in", "choice", MODES, _given("scheduled")),
    Line("days", "Days", "days", when=_given("scheduled")),
    Line("expiry_days", "Only so many days before expiry", hint="0, 1", when=_given("scheduled"),
         tip="Days to the expiry of the underlying, with commas; empty: any day"),
    Line("start_time", "Start (IST)", "time", when=_given("scheduled")),
    Line("auto_stop_time", "Stop (IST)", "time", when=_given("scheduled")),
    Line("allowlist", "Webhook: only from these addresses", hint="52.89.214.238/32, …",
         tip="CIDR, with commas; empty: from anywhere"),
)  # fmt: skip


def _money(value: float) -> Decimal | None:
    return decimal(value) if value else None


def _lock(values: Values) -> LockProfit | None:
    if not values["lock_mode"]:
        return None
    mode = LockMode(values["lock_mode"])
    step = values["lock_step"] if mode is LockMode.LOCK_AND_TRAIL else 0
    return LockProfit(
        mode, decimal(values["lock_at"]), decimal(values["lock_profit"]), decimal(step)
    )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def definition_of(values: Values, legs: tuple[Leg, ...], old: Definition) -> Definition:
    """The strategy that the lines describe. Raises ``ValueError`` with a sentence for days before
    the expiry that are no numbers."""
    kind = StrategyKind(values["kind"])
    batch = kind is StrategyKind.BATCH
    try:
        expiry_days = tuple(int(part) for part in _parts(values["expiry_days"]))
    except ValueError:
        raise ValueError("Days before expiry are numbers with commas, such as 0, 1.") from None
    breakout = None
    if batch and values["breakout"]:
        high = values["breakout"] == "high"
        breakout = RangeBreakout(values["range_start"], values["range_end"], high)
    return Definition(
        name=values["name"],
        kind=kind,
        legs=legs,
        direction="both" if batch else values["direction"],
        universe_tab=old.universe_tab,
        underlying=values["underlying"].upper() if batch else "",
        underlying_exchange=values["underlying_exchange"].upper() if batch else "",
        intraday=values["hold"] == "intraday",
        entry_time=values["entry_time"],
        exit_time=values["exit_time"],
        product=Product(values["product"]),
        overall_sl=_money(values["overall_sl"]),
        overall_target=_money(values["overall_target"]),
        lock_profit=_lock(values),
        trail_sl_to_entry=values["trail_sl_to_entry"],
        square_off=SquareOff(values["square_off"]),
        net_of_charges=values["net"],
        overall_reentries=values["overall_reentries"],
        no_reentry_after=values["no_reentry_after"],
        range_breakout=breakout,
        daily_loss_limit=_money(values["daily_loss_limit"]),
        scheduler=Scheduler(
            enabled=values["scheduled"],
            days=values["days"],
            start_time=values["start_time"],
            auto_stop_time=values["auto_stop_time"],
            default_mode=values["default_mode"],
            expiry_days=expiry_days,
        ),
        webhook_ip_allowlist=_parts(values["allowlist"]),
        notes=values["notes"],
    )


def values_of(definition: Definition) -> Values:
    """What stands in the lines."""
    lock, breakout, hours = definition.lock_profit, definition.range_breakout, definition.scheduler
    return {
        "name": definition.name,
        "kind": definition.kind,
        "underlying": definition.underlying,
        "underlying_exchange": definition.underlying_exchange,
        "hold": "intraday" if definition.intraday else "positional",
        "product": definition.product,
        "entry_time": definition.entry_time,
        "exit_time": definition.exit_time,
        "direction": definition.direction,
        "breakout": "" if breakout is None else "high" if breakout.high else "low",
        "range_start": "09:15" if breakout is None else breakout.start,
        "range_end": "09:30" if breakout is None else breakout.end,
        "notes": definition.notes,
        "overall_sl": definition.overall_sl or 0,
        "overall_target": definition.overall_target or 0,
        "lock_mode": "" if lock is None else lock.mode,
        "lock_at": 0 if lock is None else lock.if_profit_reaches,
        "lock_profit": 0 if lock is None else lock.lock_profit,
        "lock_step": 0 if lock is None else lock.trail_step,
        "square_off": definition.square_off,
        "trail_sl_to_entry": definition.trail_sl_to_entry,
        "daily_loss_limit": definition.daily_loss_limit or 0,
        "net": definition.net_of_charges,
        "overall_reentries": definition.overall_reentries,
        "no_reentry_after": definition.no_reentry_after,
        "scheduled": hours.enabled,
        "default_mode": hours.default_mode,
        "days": hours.days,
        "expiry_days": ", ".join(map(str, hours.expiry_days)),
        "start_time": hours.start_time,
        "auto_stop_time": hours.auto_stop_time,
        "allowlist": ", ".join(definition.webhook_ip_allowlist),
    }


#: Fields of a definition whose line has another name; all others have their own.
_LINES = {
    "intraday": "hold",
    "lock_profit.if_profit_reaches": "lock_at",
    "lock_profit.lock_profit": "lock_profit",
    "lock_profit.trail_step": "lock_step",
    "lock_profit": "lock_mode",
    "range_breakout.start": "range_start",
    "range_breakout.end": "range_end",
    "range_breakout": "breakout",
    "webhook_ip_allowlist": "allowlist",
    "net_of_charges": "net",
    "rules.sl": "sl",
    "rules.sl.unit": "sl_unit",
    "rules.target": "target",
    "rules.target.unit": "target_unit",
    "rules.trail": "trail_x",
    "rules.trail.x": "trail_x",
    "rules.trail.y": "trail_y",
    "rules.trail.unit": "trail_unit",
    "rules.after_sl": "after_sl",
    "rules.after_sl.mode": "after_sl",
    "rules.after_sl.times": "after_sl_times",
    "rules.after_target": "after_target",
    "rules.after_target.mode": "after_target",
    "rules.after_target.times": "after_target_times",
    "momentum.value": "momentum",
    "momentum.unit": "momentum_unit",
}
_LEG = re.compile(r"legs\[(\d+)\]\.?")
_PAGES = tuple(frozenset(line.name for line in lines) for lines in (BASICS, (), RISK, SCHEDULE))
LEGS_PAGE = 1


def place_of(field: str) -> tuple[int, int | None, str]:
    """Where a field of a definition is shown: page, number of the leg (None: of no leg), line."""
    leg = _LEG.match(field)
    if leg is not None:
        rest = field[leg.end() :]
        return LEGS_PAGE, int(leg[1]), _LINES.get(rest, rest)
    plain = re.sub(r"\[\d+\]", "", field).removeprefix("scheduler.")
    name = _LINES.get(plain, plain)
    page = next((at for at, names in enumerate(_PAGES) if name in names), LEGS_PAGE)
    return page, None, name
