"""The lines of a leg's form, and a leg out of them. 0 is none everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from openalgo_desktop.core.strategies import describe
from openalgo_desktop.core.strategies.checks import FUTURE_EXPIRIES, OPTION_EXPIRIES
from openalgo_desktop.core.strategies.model import (
    MAX_REENTRIES,
    BatchLeg,
    Distance,
    DistanceUnit,
    Expiry,
    Leg,
    LegRules,
    Momentum,
    QuantityMode,
    Reentry,
    ReentryMode,
    Segment,
    SignalLeg,
    StrikeMode,
    Trail,
    TrailMode,
)
from openalgo_desktop.ui.kit.forms import Line, Values

SIDES: Mapping[str, str] = {"B": "Buy", "S": "Sell"}
OPTION_TYPES: Mapping[str, str] = {"CE": "CE", "PE": "PE"}
QUANTITIES: Mapping[str, str] = {QuantityMode.LOTS: "lots", QuantityMode.UNITS: "units"}
TRAIL_UNITS: Mapping[str, str] = {
    unit: describe.UNITS[unit] for unit in (DistanceUnit.POINTS, DistanceUnit.PERCENT)
}
MOMENTUM_UNITS: Mapping[str, str] = TRAIL_UNITS
#: Choices of a strike that take a number, and those that take two.
_ONE = frozenset(StrikeMode) - {StrikeMode.ATM, StrikeMode.STRIKE}
_TWO = frozenset({StrikeMode.PREMIUM_RANGE, StrikeMode.DELTA_RANGE})


def _is_option(values: Mapping[str, Any]) -> bool:
    return bool(values["segment"] == Segment.OPTIONS)


def _is_future(values: Mapping[str, Any]) -> bool:
    return bool(values["segment"] == Segment.FUTURES)


def _words(expiries: Iterable[Expiry]) -> Mapping[str, str]:
    return {one: describe.EXPIRIES[one] for one in expiries}


def _strike(*modes: StrikeMode) -> Any:
    return lambda values: _is_option(values) and values["strike_mode"] in modes


def _given(name: str) -> Any:
    return lambda values: bool(values[name])


RULES: tuple[Line, ...] = (
    Line("sl", "Stop-loss (0: none)", "number", first=True),
    Line("sl_unit", "Stop-loss in", "choice", describe.UNITS, _given("sl")),
    Line("target", "Target (0: none)", "number", first=True),
    Line("target_unit", "Target in", "choice", describe.UNITS, _given("target")),
    Line("trail_x", "Trail: for every (0: none)", "number", first=True,
         tip="So much won moves the stop"),
    Line("trail_y", "Trail: move by", "number", when=_given("trail_x")),
    Line("trail_unit", "Trail in", "choice", TRAIL_UNITS, _given("trail_x")),
    Line("trail_mode", "Trail moves", "choice", describe.TRAILS, _given("trail_x")),
    Line("after_sl", "After the stop: enter again", "choice", describe.REENTRIES,
         lambda v: bool(v["sl"] or v["trail_x"]), first=True),
    Line("after_sl_times", "At most times", "count", least=1, most=MAX_REENTRIES,
         when=lambda v: bool(v["sl"] or v["trail_x"]) and v["after_sl"] != ReentryMode.NONE),
    Line("after_target", "After the target: enter again", "choice", describe.REENTRIES,
         _given("target"), first=True),
    Line("after_target_times", "At most times", "count", least=1, most=MAX_REENTRIES,
         when=lambda v: bool(v["target"]) and v["after_target"] != ReentryMode.NONE),
)  # fmt: skip

BATCH: tuple[Line, ...] = (
    Line("position", "Side", "choice", SIDES),
    Line("segment", "Trades", "choice", describe.SEGMENTS),
    Line("quantity", "Quantity", "count", least=1),
    Line("quantity_mode", "Counted in", "choice", QUANTITIES),
    Line("option_type", "Option", "choice", OPTION_TYPES, _is_option),
    Line("expiry", "Expiry", "choice", _words(OPTION_EXPIRIES), _is_option),
    Line("future_expiry", "Expiry", "choice", _words(FUTURE_EXPIRIES), _is_future),
    Line("strike_mode", "Strike by", "choice", describe.STRIKES, _is_option),
    Line("atm_offset", "From the money", "choice", {name: name for name in describe.ATM_OFFSETS},
         _strike(StrikeMode.ATM)),
    Line("strike", "Strike", "number", when=_strike(StrikeMode.STRIKE)),
    Line("value", "Value", "number", least=-1e6, when=_strike(*_ONE), places=3),
    Line("upper", "to", "number", when=_strike(*_TWO), places=3),
    Line("momentum", "Wait for a move of (0: none)", "number", least=-1e6,
         tip="Enter when the price is so far up (or, negative, down) from the start of the run",
         first=True),
    Line("momentum_unit", "Move in", "choice", MOMENTUM_UNITS, _given("momentum")),
    *RULES,
)  # fmt: skip

SIGNAL: tuple[Line, ...] = (
    Line("side", "Takes signals", "choice", describe.SIDES),
    Line("quantity", "Quantity, units", "count", least=1, most=1_000_000),
    Line("segment", "Trades", "choice",
         {one: describe.SEGMENTS[one] for one in (Segment.CASH, Segment.FUTURES)}),
    Line("future_expiry", "Expiry", "choice", _words(FUTURE_EXPIRIES), _is_future),
    *RULES,
)  # fmt: skip


def decimal(value: float) -> Decimal:
    """A number of a field without float noise."""
    return Decimal(str(round(value, 4)))


# -- out of a form -------------------------------------------------------------------------------
def _distance(values: Values, name: str) -> Distance | None:
    value = values[name]
    return Distance(decimal(value), DistanceUnit(values[f"{name}_unit"])) if value else None


def _reentry(values: Values, name: str, *exits: str) -> Reentry:
    mode = ReentryMode(values[name])
    if mode is ReentryMode.NONE or not any(values[one] for one in exits):
        return Reentry()
    return Reentry(mode, int(values[f"{name}_times"]))


def rules_of(values: Values) -> LegRules:
    """Stop, target, trail and what comes after."""
    trail = None
    if values["trail_x"]:
        trail = Trail(
            decimal(values["trail_x"]),
            decimal(values["trail_y"]),
            DistanceUnit(values["trail_unit"]),
            TrailMode(values["trail_mode"]),
        )
    return LegRules(
        sl=_distance(values, "sl"),
        target=_distance(values, "target"),
        trail=trail,
        after_sl=_reentry(values, "after_sl", "sl", "trail_x"),
        after_target=_reentry(values, "after_target", "target"),
    )


def batch_leg(leg_id: int, values: Values) -> BatchLeg:
    """The leg that the lines describe; what its segment does not have is left out."""
    segment = Segment(values["segment"])
    option = segment is Segment.OPTIONS
    mode = StrikeMode(values["strike_mode"]) if option else StrikeMode.ATM
    momentum = None
    if values["momentum"]:
        momentum = Momentum(decimal(values["momentum"]), DistanceUnit(values["momentum_unit"]))
    return BatchLeg(
        leg_id=leg_id,
        segment=segment,
        position=values["position"],
        quantity=values["quantity"],
        quantity_mode=QuantityMode(values["quantity_mode"]),
        option_type=values["option_type"] if option else "",
        strike_mode=mode,
        atm_offset=values["atm_offset"] if mode is StrikeMode.ATM else "ATM",
        strike=decimal(values["strike"] if mode is StrikeMode.STRIKE else 0),
        value=decimal(values["value"] if mode in _ONE else 0),
        upper=decimal(values["upper"] if mode in _TWO else 0),
        expiry=Expiry(values["expiry" if option else "future_expiry"]),
        rules=rules_of(values),
        momentum=momentum,
    )


def signal_leg(leg_id: int, symbol: str, exchange: str, values: Values) -> SignalLeg:
    """The same of a signal strategy, for an instrument."""
    return SignalLeg(
        leg_id=leg_id,
        symbol=symbol,
        exchange=exchange,
        quantity=values["quantity"],
        side=values["side"],
        segment=Segment(values["segment"]),
        expiry=Expiry(values["future_expiry"]),
        rules=rules_of(values),
    )


# -- into a form ---------------------------------------------------------------------------------
def rules_values(rules: LegRules) -> Values:
    """What stands in the lines of :data:`RULES`."""
    sl, target, trail = rules.sl, rules.target, rules.trail
    return {
        "sl": 0 if sl is None else sl.value,
        "sl_unit": DistanceUnit.POINTS if sl is None else sl.unit,
        "target": 0 if target is None else target.value,
        "target_unit": DistanceUnit.POINTS if target is None else target.unit,
        "trail_x": 0 if trail is None else trail.x,
        "trail_y": 0 if trail is None else trail.y,
        "trail_unit": DistanceUnit.POINTS if trail is None else trail.unit,
        "trail_mode": TrailMode.STEPPED if trail is None else trail.mode,
        "after_sl": rules.after_sl.mode,
        "after_sl_times": rules.after_sl.times or 1,
        "after_target": rules.after_target.mode,
        "after_target_times": rules.after_target.times or 1,
    }


def leg_values(leg: Leg) -> Values:
    """What stands in the lines for a leg."""
    if isinstance(leg, SignalLeg):
        own: Values = {
            "side": leg.side,
            "quantity": leg.quantity,
            "segment": leg.segment,
            "future_expiry": leg.expiry,
        }
        return own | rules_values(leg.rules)
    momentum = leg.momentum
    own = {
        "position": leg.position,
        "segment": leg.segment,
        "quantity": leg.quantity,
        "quantity_mode": leg.quantity_mode,
        "option_type": leg.option_type or "CE",
        "expiry": leg.expiry,
        "future_expiry": leg.expiry,
        "strike_mode": leg.strike_mode,
        "atm_offset": leg.atm_offset,
        "strike": leg.strike,
        "value": leg.value,
        "upper": leg.upper,
        "momentum": 0 if momentum is None else momentum.value,
        "momentum_unit": DistanceUnit.POINTS if momentum is None else momentum.unit,
    }
    return own | rules_values(leg.rules)
