"""The figures of a position tool: what it risks and what it may win. A picture of a plan."""

from __future__ import annotations

from math import floor, isfinite, nan
from typing import NamedTuple

from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing, Tool
from openalgo_desktop.core.money import group_indian


class Plan(NamedTuple):
    """``long`` buys. Prices are rupees; ``loss`` and ``gain`` rupees at stop and target,
    ``quantity`` units in whole lots that lose no more than the risk; NaN where not known. What a
    unit earns when the price moves by a rupee is that of the contract: 1,000 of a currency."""

    long: bool
    entry: float
    stop: float
    target: float
    quantity: float
    loss: float
    gain: float

    @property
    def multiple(self) -> float:
        """What may be won by what is risked (R); NaN without a risk."""
        risk = abs(self.entry - self.stop)
        side = 1 if self.long else -1
        return side * (self.target - self.entry) / risk if risk else nan

    @property
    def is_sound(self) -> bool:
        """Whether the stop is on the losing side and the target on the winning one."""
        side = 1 if self.long else -1
        return side * (self.entry - self.stop) > 0 and side * (self.target - self.entry) > 0

    @property
    def words(self) -> str:
        """R and quantity; what is wrong where it is not sound."""
        if not self.is_sound:
            return "stop or target on the wrong side"
        if not self.quantity:
            return f"R {self.multiple:.2f}  one lot risks more than is set"
        return f"R {self.multiple:.2f}  Qty {group_indian(f'{self.quantity:.0f}')}"


def plan_of(drawing: Drawing, tool: Tool) -> Plan:
    """The plan of a position's drawing: anchors are entry, stop and target."""
    entry, stop, target = (anchor.price for anchor in drawing.anchors[:3])
    numbers = {number.name: number.default for number in tool.numbers} | dict(drawing.numbers)
    risk, lot, value = numbers["risk"], numbers["lot"], numbers["value"]
    each = abs(entry - stop) * value
    quantity = nan
    if each and isfinite(each) and lot > 0:
        quantity = floor(risk / each / lot + 1e-9) * lot
    long = tool.variant == "long"
    side = 1 if long else -1
    return Plan(
        long,
        entry,
        stop,
        target,
        quantity,
        side * quantity * (entry - stop) * value,
        side * quantity * (target - entry) * value,
    )


def completed(tool: Tool, anchors: tuple[Anchor, ...]) -> tuple[Anchor, ...]:
    """The anchors of a tool whose clicks are fewer: of a position the second click is the stop,
    or on the winning side the target; the other price is at a reward of twice the risk."""
    if not tool.clicks or len(anchors) != tool.clicks or len(anchors) >= tool.least:
        return anchors
    entry, other = anchors
    way = other.price - entry.price
    side = 1 if tool.variant == "long" else -1
    if way * side > 0:
        return (entry, Anchor(other.time, entry.price - way / 2), other)
    return (entry, other, Anchor(other.time, entry.price - 2 * way))
