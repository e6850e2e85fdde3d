"""Rows of the position book: single positions and the heads of groups, as one kind of line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from openalgo_desktop.core.exits import ExitPlan, Unit
from openalgo_desktop.core.model import Position
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt

LineId = tuple[object, str]
#: What positions can be grouped by; the first is not grouped.
GROUPINGS = ("No groups", "Underlying", "Product", "Strategy")
SEVERAL, NOBODY, CARRIED = "several strategies", "no strategy", "from earlier days"


@dataclass(slots=True)
class Line:
    """One position, or the head of a group with its members' sums. ``place`` sorts before any
    column does: groups stay together, closed positions are last."""

    members: tuple[Position, ...]
    title: str = ""  # of a group
    folded: bool = False
    indented: bool = False
    place: tuple[int, int] = (0, 0)

    @property
    def position(self) -> Position | None:
        """The position, None on the head of a group."""
        return None if self.title else self.members[0]

    @property
    def identity(self) -> LineId:
        """What it is over reloads."""
        row = self.position
        return ("group", self.title) if row is None else (row.key, row.product.value)

    @property
    def closed(self) -> bool:
        """A position that is flat: it has no price and no result that moves."""
        return not any(row.quantity for row in self.members)

    @property
    def valued(self) -> bool:
        """Whether the open profit of all members can be told: 0 is not what an unknown price
        gives."""
        return all(is_valued(row) for row in self.members)

    def total(self, value: Callable[[Position], float]) -> float:
        """The sum over all members."""
        return sum(map(value, self.members))

    @property
    def percent(self) -> float | None:
        """Open profit in per cent of what is held at its average price."""
        cost = self.total(lambda p: abs(p.quantity) * p.average_price * p.multiplier)
        if not cost or not self.valued:
            return None
        return 100.0 * self.total(lambda p: p.unrealised) / cost


def is_valued(row: Position) -> bool:
    """Whether the open profit of a position can be told."""
    return not row.quantity or bool(row.ltp)


def strategy_of(bridge: Bridge, row: Position) -> str:
    """In whose name today's trades of a position were made."""
    day = bridge.day_trades.of(row.key, row.product)
    named = list(day.strategies)
    if len(named) > 1:
        return SEVERAL
    if named:
        return named[0]
    return NOBODY if day.bought or day.sold else CARRIED


def _title(bridge: Bridge, grouping: str, row: Position) -> str:
    if grouping == "Underlying":
        return bridge.names.of(row.key).underlying
    return row.product.value if grouping == "Product" else strategy_of(bridge, row)


def lines(
    bridge: Bridge, rows: Sequence[Position], grouping: str, folded: Mapping[str, bool]
) -> list[Line]:
    """The book as lines, open positions before closed ones, by name; with a grouping under heads
    in the order of their titles. Members of a folded group are left out."""
    ordered = sorted(rows, key=lambda p: (p.quantity == 0, bridge.names.of(p.key).rank))
    if grouping == GROUPINGS[0]:
        return [Line((row,), place=(0, int(row.quantity == 0))) for row in ordered]
    groups: dict[str, list[Position]] = {}
    for row in ordered:
        groups.setdefault(_title(bridge, grouping, row), []).append(row)
    found: list[Line] = []
    for number, title in enumerate(sorted(groups)):
        members = groups[title]
        closed = folded.get(title, False)
        found.append(Line(tuple(members), title, closed, place=(number, 0)))
        if not closed:
            found += [
                Line((row,), indented=True, place=(number, 1 + (row.quantity == 0)))
                for row in members
            ]
    return found


# -- texts ----------------------------------------------------------------------------------
def price_text(bridge: Bridge, row: Position, value: float | None) -> str:
    """A price or an average of a position; a dash where there is none."""
    return fmt.exact(value, bridge.places(row.key)) if value else fmt.MISSING


def distance_text(value: Decimal, unit: Unit, places: int) -> str:
    """How far a trailing stop is away, in the unit that it was given in."""
    if unit is Unit.PERCENT:
        return f"{float(value):g}%"
    if unit is Unit.RUPEES:
        return f"₹ {fmt.money(float(value))}"
    return fmt.exact(float(value), places)


def whole_plan(plans: Sequence[ExitPlan]) -> ExitPlan | None:
    """The plan that protects the whole position, else the first there is."""
    held = [plan for plan in plans if plan.held]
    return next((plan for plan in held if plan.whole and not plan.label), held[0] if held else None)
