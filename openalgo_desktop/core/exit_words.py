"""What of an exit plan has no fields of its own in a form, in words. Pure."""

from __future__ import annotations

from openalgo_desktop.core.exits import ExitSpec, Offset, Steps, Under, Unit
from openalgo_desktop.core.money import plain


def beside_fields(spec: ExitSpec) -> list[str]:
    """What strategies have beside stop, targets, trail and break-even; empty: nothing."""
    found = []
    if spec.steps is not None:
        found.append(_of_steps(spec.steps))
    if spec.under is not None:
        found += _of_under(spec.under)
    return found


def _of_steps(steps: Steps) -> str:
    if steps.stepped:
        return f"stop moves by {_far(steps.step)} for every {_far(steps.trigger)} won"
    return f"stop follows {_far(steps.step)} behind the best price, from {_far(steps.trigger)} on"


def _of_under(under: Under) -> list[str]:
    found = []
    for name, offset, way in (
        ("stop", under.stop, -under.way),
        ("target", under.target, under.way),
    ):
        if offset is not None:
            side = "above" if way > 0 else "below"
            entry = plain(float(under.entry))
            found.append(f"{name} when {under.symbol} is {_far(offset)} {side} {entry}")
    return found


def _far(offset: Offset) -> str:
    number = plain(float(offset.value))
    return f"{number} %" if offset.unit is Unit.PERCENT else f"{number} points"
