"""The rules of a strategy's leg as the exit plan that carries them out: there is one core of exit
rules, and it is :mod:`openalgo_desktop.core.exit_rules`. Pure."""

from __future__ import annotations

from decimal import Decimal

from openalgo_desktop.core.exits import ExitSpec, Offset, Steps, Target, Under, Unit
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.strategies.model import Distance, DistanceUnit, LegRules, TrailMode

_OWN = {DistanceUnit.POINTS: Unit.POINTS, DistanceUnit.PERCENT: Unit.PERCENT}
_UNDER = {
    DistanceUnit.UNDERLYING_POINTS: Unit.POINTS,
    DistanceUnit.UNDERLYING_PERCENT: Unit.PERCENT,
}


def needs_underlying(rules: LegRules) -> bool:
    """Whether a stop or a target stands on the price of the underlying."""
    return any(row is not None and row.unit in _UNDER for row in (rules.sl, rules.target))


def exit_spec(
    rules: LegRules, *, underlying: tuple[Key, Decimal] | None = None, way: int = 1
) -> ExitSpec:
    """What the watch is to look after. ``underlying`` is its key and its price at the entry, where
    :func:`needs_underlying`; ``way`` +1 where the leg wins when that rises."""
    target, trail = _at(rules.target, _OWN), rules.trail
    steps = None
    if trail is not None:
        unit = _OWN[trail.unit]
        steps = Steps(Offset(trail.x, unit), Offset(trail.y, unit), trail.mode is TrailMode.STEPPED)
    under = None
    if underlying is not None and needs_underlying(rules):
        (exchange, symbol), price = underlying
        stop, goal = _at(rules.sl, _UNDER), _at(rules.target, _UNDER)
        under = Under(exchange, symbol, way, price, stop, goal)
    return ExitSpec(
        stop=_at(rules.sl, _OWN),
        targets=() if target is None else (Target(target),),
        steps=steps,
        under=under,
    )


def _at(row: Distance | None, units: dict[DistanceUnit, Unit]) -> Offset | None:
    if row is None or row.unit not in units:
        return None
    return Offset(row.value, units[row.unit])


def way_of(side: int, instrument_type: str) -> int:
    """+1 where a position of ``side`` wins when the underlying rises: a put turns it round."""
    return -side if instrument_type == "PE" else side
