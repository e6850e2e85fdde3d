"""When the window asks before it does something: always, above limits, or never. Pure.

A question costs a trader time and teaches him to press Enter; so by default only what is unusual
is asked. A limit of 0 is off.
"""

from __future__ import annotations

import msgspec

from openalgo_desktop.core.acts import Asking
from openalgo_desktop.core.money import group_indian, plain


class ConfirmLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What is unusual: ``value`` in rupees, ``lots``, ``percent`` of a price from the last one,
    ``spread`` in per cent of the middle for a market order. 0 is off."""

    value: float = 0.0
    lots: float = 0.0
    percent: float = 0.0
    spread: float = 0.0


class ConfirmFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy looks at. None: not known, or it does not apply.

    ``value`` and ``lots`` are of all that is sent together, ``percent`` how much worse than the
    market one may trade (the largest), ``spread`` that of the option a market order would meet.
    ``unpriced``: it has a value that nobody knows. ``unmeasured``: it has a limit of which nobody
    can tell how far it is from the market. ``passed_stop``: a stop that would fire at
    once, where the account takes such.
    """

    value: float | None = None
    lots: float | None = None
    percent: float | None = None
    spread: float | None = None
    unpriced: bool = False
    unmeasured: bool = False
    outside_circuit: bool = False
    passed_stop: bool = False


def why_ask(asking: Asking, facts: ConfirmFacts, limits: ConfirmLimits) -> tuple[str, ...]:
    """The reasons to ask, as sentences to show; empty: do it without a question. A stop that would
    fire at once is asked about whatever the policy says: nobody means it."""
    unusual: tuple[str, ...] = ()
    if facts.passed_stop:
        unusual = ("The market has passed the trigger: the order would trade at once.",)
    if asking is Asking.NEVER:
        return unusual
    unusual += tuple(_unusual(facts, limits))
    if asking is Asking.ALWAYS and not unusual:
        return ("Settings ask to confirm this every time.",)
    return unusual


def _unusual(facts: ConfirmFacts, limits: ConfirmLimits) -> list[str]:
    found = []
    if facts.unpriced and limits.value:
        found.append("Its value is not known: there is no fresh price.")
    if facts.unmeasured and limits.percent:
        found.append("There is no fresh price to compare its price with.")
    if _above(facts.value, limits.value):
        found.append(
            f"Its value of ₹ {group_indian(round(facts.value or 0))} is above "
            f"₹ {group_indian(round(limits.value))}."
        )
    if _above(facts.lots, limits.lots):
        found.append(f"It is {plain(facts.lots or 0)} lots, more than {plain(limits.lots)}.")
    if _above(facts.percent, limits.percent):
        found.append(
            f"It may trade {facts.percent:.1f} % worse than the market, "
            f"more than {plain(limits.percent)} %."
        )
    if facts.outside_circuit:
        found.append("Its price is outside the circuit limits of the day.")
    if _above(facts.spread, limits.spread):
        found.append(
            f"Bid and ask of this option are {facts.spread:.1f} % apart, "
            f"more than {plain(limits.spread)} %: a market order may fill far away."
        )
    return found


def _above(fact: float | None, limit: float) -> bool:
    return limit > 0 and fact is not None and fact > limit
